//! What a handle does against the end of a run: detach, cancel, await; and a process that is dropped without a run.

use crate::model::{Count, Model, check, poll, spawn};
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering::Relaxed, Ordering::SeqCst};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

#[test]
fn detach_against_complete() {
    check(|| {
        let (model, process, handle) = Model::new(1, true);
        model.counts.open.store(1, SeqCst);
        let runner = spawn(&model, move |_| process.run());
        drop(handle);
        runner.join().unwrap();
        model.end(Some(1));
    });
}

#[test]
fn detach_of_an_awaiting_handle_against_complete() {
    check(|| {
        let (model, process, mut handle) = Model::new(1, true);
        model.counts.open.store(1, SeqCst);
        assert!(poll(&mut handle).is_pending());
        let runner = spawn(&model, move |_| process.run());
        drop(handle);
        runner.join().unwrap();
        model.end(Some(1));
    });
}

#[test]
fn detach_against_the_end_of_a_poll() {
    check(|| {
        let (model, process, handle) = Model::new(0, true);
        let runner = spawn(&model, move |_| process.run());
        drop(handle);
        runner.join().unwrap();
        model.end(Some(0));
    });
}

#[test]
fn cancel_against_await() {
    check(|| {
        let (model, process, mut handle) = Model::new(1, true);
        process.run();
        handle.cancel();
        let due = model.queue.lock().unwrap().pop().unwrap();
        let runner = spawn(&model, move |_| due.run());
        let notified = Arc::new(AtomicUsize::new(0));
        let waker = Waker::from(std::sync::Arc::new(Count(notified.clone())));
        let first = Pin::new(&mut handle).poll(&mut Context::from_waker(&waker));
        let same = match first {
            Poll::Pending => Pin::new(&mut handle).poll(&mut Context::from_waker(&waker)),
            ready => ready,
        };
        if same.is_ready() {
            assert_eq!(
                model.counts.futures.load(Relaxed),
                1,
                "ready means that the future is gone"
            );
        }
        runner.join().unwrap();
        if same.is_pending() {
            assert_eq!(notified.load(SeqCst), 1, "the awaiter is woken");
            assert!(matches!(poll(&mut handle), Poll::Ready(None)));
        }
        drop(handle);
        model.end(Some(0));
    });
}

#[test]
fn cancel_against_complete_against_detach() {
    check(|| {
        let (model, process, handle) = Model::new(1, true);
        model.counts.open.store(1, SeqCst);
        let runner = spawn(&model, move |_| process.run());
        handle.cancel();
        drop(handle);
        runner.join().unwrap();
        model.end(None);
    });
}

/// Cancelled twice: one last run.
#[test]
fn cancel_against_the_end_of_a_poll() {
    check(|| {
        let (model, process, handle) = Model::new(1, true);
        let runner = spawn(&model, move |_| process.run());
        handle.cancel();
        handle.cancel();
        runner.join().unwrap();
        model.run();
        assert_eq!(model.counts.futures.load(SeqCst), 1, "cancelled is dropped, without a wake");
        drop(handle);
        model.end(Some(0));
    });
}

#[test]
fn dropped_unrun_against_await() {
    check(|| {
        let (model, process, mut handle) = Model::new(1, true);
        let dropper = spawn(&model, move |_| drop(process));
        let notified = Arc::new(AtomicUsize::new(0));
        let waker = Waker::from(std::sync::Arc::new(Count(notified.clone())));
        let first = Pin::new(&mut handle).poll(&mut Context::from_waker(&waker));
        dropper.join().unwrap();
        match first {
            Poll::Ready(output) => assert!(output.is_none()),
            Poll::Pending => {
                assert_eq!(notified.load(SeqCst), 1, "the awaiter is woken");
                assert!(matches!(poll(&mut handle), Poll::Ready(None)));
            }
        }
        drop(handle);
        model.end(Some(0));
    });
}

#[test]
fn dropped_unrun_against_detach() {
    check(|| {
        let (model, process, handle) = Model::new(1, true);
        let dropper = spawn(&model, move |_| drop(process));
        drop(handle);
        dropper.join().unwrap();
        model.end(Some(0));
    });
}

#[test]
fn awaiting_takes_the_output_against_notify() {
    check(|| {
        let (model, process, mut handle) = Model::new(1, true);
        model.counts.open.store(1, SeqCst);
        assert!(poll(&mut handle).is_pending());
        let runner = spawn(&model, move |_| process.run());
        let second = poll(&mut handle);
        let done = second.is_ready();
        drop(second);
        if done {
            drop(handle);
            runner.join().unwrap();
        } else {
            runner.join().unwrap();
            assert!(poll(&mut handle).is_ready());
            drop(handle);
        }
        model.end(Some(1));
    });
}

/// The poll has kept no waker, so the handle that goes leaves an orphan, and runs it for the last time.
#[test]
fn detach_makes_an_orphan_of_a_process_that_was_polled_elsewhere() {
    check(|| {
        let (model, process, handle) = Model::new(0, true);
        let runner = spawn(&model, move |_| process.run());
        drop(handle);
        model.run();
        runner.join().unwrap();
        model.end(Some(0));
    });
}
