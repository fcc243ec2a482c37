//! What wakers do against runs and against a handle that goes: wakes, clones, drops.

use crate::model::{Model, check, spawn};
use loom::sync::atomic::Ordering::SeqCst;
use loom::thread;

#[test]
fn detach_against_wake_by_value() {
    check(|| {
        let (model, process, handle) = Model::new(1, true);
        process.run();
        let waker = spawn(&model, |model| {
            model.counts.open.store(1, SeqCst);
            model.take().unwrap().wake();
        });
        drop(handle);
        waker.join().unwrap();
        model.end(None);
    });
}

#[test]
fn detach_against_the_last_waker() {
    check(|| {
        let (model, process, handle) = Model::new(1, true);
        process.run();
        let waker = spawn(&model, |model| drop(model.take()));
        drop(handle);
        waker.join().unwrap();
        model.end(Some(0));
    });
}

#[test]
fn clones_and_drops_of_wakers_against_complete() {
    check(|| {
        let (model, process, handle) = Model::new(2, true);
        process.run();
        drop(handle);
        model.counts.open.store(1, SeqCst);
        model.take().unwrap().wake();
        let due = model.queue.lock().unwrap().pop().unwrap();
        let other = spawn(&model, |model| {
            if let Some(waker) = model.take() {
                drop(waker.clone());
                drop(waker);
            }
        });
        due.run();
        other.join().unwrap();
        model.end(Some(1));
    });
}

#[test]
fn wakes_by_value_against_complete() {
    check(|| {
        let (model, process, handle) = Model::new(2, true);
        process.run();
        drop(handle);
        model.counts.open.store(1, SeqCst);
        model.take().unwrap().wake();
        let due = model.queue.lock().unwrap().pop().unwrap();
        let other = spawn(&model, |model| {
            if let Some(waker) = model.take() {
                waker.wake();
            }
        });
        due.run();
        other.join().unwrap();
        model.end(Some(1));
    });
}

#[test]
fn two_wakes_by_value_against_the_end_of_a_poll() {
    check(|| {
        let (model, process, handle) = Model::new(2, true);
        let threads = [0, 1].map(|_| {
            spawn(&model, |model| {
                if let Some(waker) = model.take() {
                    waker.wake();
                }
            })
        });
        process.run();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        model.run();
        drop(handle);
        model.end(Some(0));
    });
}

#[test]
fn two_last_wakers_without_a_handle() {
    check(|| {
        let (model, process, handle) = Model::new(2, true);
        process.run();
        drop(handle);
        let by_value = spawn(&model, |model| model.take().unwrap().wake());
        drop(model.take());
        by_value.join().unwrap();
        model.end(Some(0));
    });
}

#[test]
fn wake_by_reference_against_the_end_of_a_poll() {
    check(|| {
        let (model, process, handle) = Model::new(1, true);
        let waker = spawn(&model, |model| {
            let waker = model.wakers.lock().unwrap().last().cloned();
            if let Some(waker) = waker {
                waker.wake_by_ref();
            }
        });
        process.run();
        model.run();
        waker.join().unwrap();
        drop(handle);
        model.end(Some(0));
    });
}

/// Three threads: a handle that goes, a waker that wakes, a runner.
#[test]
fn detach_against_wake_against_run() {
    check(|| {
        let (model, process, handle) = Model::new(1, true);
        let runner = spawn(&model, move |_| process.run());
        let waker = spawn(&model, |model| {
            if let Some(waker) = model.take() {
                model.counts.open.store(1, SeqCst);
                waker.wake();
            }
        });
        drop(handle);
        runner.join().unwrap();
        waker.join().unwrap();
        model.end(None);
    });
}

/// A wake that comes while a cancelled process drops its future after a poll must not make a second runner.
#[test]
fn cancel_during_a_poll_against_wake_during_the_drop() {
    check(|| {
        let (model, process, handle) = Model::new(1, true);
        let runner = spawn(&model, move |_| process.run());
        let canceller = thread::spawn(move || {
            handle.cancel();
            handle
        });
        if let Some(waker) = model.take() {
            waker.wake_by_ref();
            drop(waker);
        }
        model.run();
        drop(canceller.join().unwrap());
        runner.join().unwrap();
        model.end(Some(0));
    });
}

/// The waker does not itself see what the first runner did: only the state word hands the future to the second.
#[test]
fn a_wake_by_reference_between_two_runners() {
    check(|| {
        let (model, process, handle) = Model::new(1, true);
        let first = spawn(&model, move |_| process.run());
        let waker = spawn(&model, |model| {
            let waker = model.wakers.lock().unwrap().last().cloned();
            if let Some(waker) = waker {
                waker.wake_by_ref();
            }
        });
        model.run();
        first.join().unwrap();
        waker.join().unwrap();
        drop(handle);
        model.end(Some(0));
    });
}

/// Three threads: a process without a handle, whose two wakers come during or after its poll, and which then returns.
#[test]
fn a_detached_process_against_two_wakers() {
    check(|| {
        let (model, process) = Model::detached(2);
        let by_value = spawn(&model, |model| {
            if let Some(waker) = model.take() {
                model.counts.open.store(1, SeqCst);
                waker.wake();
            }
        });
        let by_drop = spawn(&model, |model| drop(model.take()));
        process.run();
        by_value.join().unwrap();
        by_drop.join().unwrap();
        model.end(None);
    });
}
