//! The state word's protocol under every interleaving: run, wake, cancel, await and drop against each other.
//!
//! `RUSTFLAGS="--cfg loom" cargo test --release -p lightproc --test loom`
#![cfg(loom)]

use lightproc::{LightProc, ProcHandle};
use loom::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use loom::sync::{Arc, Mutex};
use loom::thread;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// Pending until `wanted` wakes were seen to be asked for; counts its polls and its drop.
struct Gate {
    open: Arc<AtomicUsize>,
    waker: Arc<Mutex<Option<Waker>>>,
    busy: Arc<AtomicUsize>,
    dropped: Arc<AtomicUsize>,
}

impl Future for Gate {
    type Output = usize;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<usize> {
        assert_eq!(self.busy.fetch_add(1, SeqCst), 0, "polled twice at once");
        *self.waker.lock().unwrap() = Some(cx.waker().clone());
        let open = self.open.load(SeqCst) == 1;
        self.busy.fetch_sub(1, SeqCst);
        if open { Poll::Ready(7) } else { Poll::Pending }
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.dropped.fetch_add(1, SeqCst);
        self.waker.lock().unwrap().take();
    }
}

struct Model {
    open: Arc<AtomicUsize>,
    waker: Arc<Mutex<Option<Waker>>>,
    dropped: Arc<AtomicUsize>,
    queue: Arc<Mutex<Vec<LightProc>>>,
}

impl Model {
    fn new() -> (Model, ProcHandle<usize>) {
        let model = Model {
            open: Arc::new(AtomicUsize::new(0)),
            waker: Arc::new(Mutex::new(None)),
            dropped: Arc::new(AtomicUsize::new(0)),
            queue: Arc::new(Mutex::new(Vec::new())),
        };
        let gate = Gate {
            open: model.open.clone(),
            waker: model.waker.clone(),
            busy: Arc::new(AtomicUsize::new(0)),
            dropped: model.dropped.clone(),
        };
        let queue = model.queue.clone();
        let schedule = move |process| queue.lock().unwrap().push(process);
        let (process, handle) = LightProc::build(gate, schedule, ());
        process.schedule();
        (model, handle)
    }

    /// Runs what is due until nothing is.
    fn run(queue: &Mutex<Vec<LightProc>>) {
        while let Some(process) = { queue.lock().unwrap().pop() } {
            process.run();
        }
    }

    fn wake(open: &AtomicUsize, waker: &Mutex<Option<Waker>>) {
        open.store(1, SeqCst);
        let waker = waker.lock().unwrap().take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

fn poll(handle: &mut ProcHandle<usize>) -> Poll<Option<usize>> {
    Pin::new(handle).poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn run_against_wake_loses_no_wake() {
    loom::model(|| {
        let (model, mut handle) = Model::new();
        let runner = thread::spawn({
            let queue = model.queue.clone();
            move || Model::run(&queue)
        });
        Model::wake(&model.open, &model.waker);
        runner.join().unwrap();
        Model::run(&model.queue);
        assert_eq!(poll(&mut handle), Poll::Ready(Some(7)));
        assert_eq!(model.dropped.load(SeqCst), 1);
    });
}

#[test]
fn run_against_wake_by_reference_and_drop() {
    loom::model(|| {
        let (model, handle) = Model::new();
        let runner = thread::spawn({
            let queue = model.queue.clone();
            move || Model::run(&queue)
        });
        let waker = model.waker.lock().unwrap().clone();
        if let Some(waker) = waker {
            waker.wake_by_ref();
        }
        drop(handle);
        model.waker.lock().unwrap().take();
        runner.join().unwrap();
        // The wake may still be due: that run stores the waker once more.
        Model::run(&model.queue);
        model.waker.lock().unwrap().take();
        Model::run(&model.queue);
        assert_eq!(model.dropped.load(SeqCst), 1, "the orphan is dropped once");
    });
}

#[test]
fn run_against_cancel() {
    loom::model(|| {
        let (model, mut handle) = Model::new();
        model.open.store(1, SeqCst);
        let runner = thread::spawn({
            let queue = model.queue.clone();
            move || Model::run(&queue)
        });
        handle.cancel();
        runner.join().unwrap();
        Model::run(&model.queue);
        assert_eq!(model.dropped.load(SeqCst), 1);
        let outcome = poll(&mut handle);
        assert!(matches!(outcome, Poll::Ready(None | Some(7))), "{outcome:?}");
    });
}

#[test]
fn run_against_await() {
    loom::model(|| {
        let (model, mut handle) = Model::new();
        model.open.store(1, SeqCst);
        let runner = thread::spawn({
            let queue = model.queue.clone();
            move || Model::run(&queue)
        });
        let notified = Arc::new(AtomicUsize::new(0));
        let waker = Waker::from(std::sync::Arc::new(Count(notified.clone())));
        let first = Pin::new(&mut handle).poll(&mut Context::from_waker(&waker));
        // A second poll with another waker replaces the first.
        let second = if first.is_pending() { poll(&mut handle) } else { first };
        runner.join().unwrap();
        if second.is_pending() {
            assert_eq!(poll(&mut handle), Poll::Ready(Some(7)));
        }
    });
}

#[test]
fn the_awaiter_is_woken() {
    loom::model(|| {
        let (model, mut handle) = Model::new();
        model.open.store(1, SeqCst);
        let runner = thread::spawn({
            let queue = model.queue.clone();
            move || Model::run(&queue)
        });
        let notified = Arc::new(AtomicUsize::new(0));
        let waker = Waker::from(std::sync::Arc::new(Count(notified.clone())));
        let first = Pin::new(&mut handle).poll(&mut Context::from_waker(&waker));
        runner.join().unwrap();
        if first.is_pending() {
            assert_eq!(notified.load(SeqCst), 1, "a registered awaiter is woken once");
        }
        drop(handle);
        assert_eq!(model.dropped.load(SeqCst), 1);
    });
}

#[test]
fn wake_against_cancel_against_run() {
    loom::model(|| {
        let (model, handle) = Model::new();
        Model::run(&model.queue);
        let waker = thread::spawn({
            let (open, waker) = (model.open.clone(), model.waker.clone());
            move || Model::wake(&open, &waker)
        });
        let runner = thread::spawn({
            let queue = model.queue.clone();
            move || Model::run(&queue)
        });
        handle.cancel();
        drop(handle);
        waker.join().unwrap();
        runner.join().unwrap();
        Model::run(&model.queue);
        assert_eq!(model.dropped.load(SeqCst), 1);
    });
}

struct Count(Arc<AtomicUsize>);

impl std::task::Wake for Count {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}
