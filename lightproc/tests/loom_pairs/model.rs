//! A process whose future, output, data and schedule function count their drops and watch who touches them.

use lightproc::{Hooks, LightProc, ProcHandle};
use loom::cell::UnsafeCell;
use loom::sync::atomic::{AtomicUsize, Ordering::Relaxed, Ordering::SeqCst};
use loom::sync::{Arc, Mutex};
use loom::thread;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// Everything that a model counts.
#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) futures: AtomicUsize,
    pub(crate) outputs: AtomicUsize,
    pub(crate) data: AtomicUsize,
    pub(crate) schedules: AtomicUsize,
    pub(crate) polls: AtomicUsize,
    pub(crate) open: AtomicUsize,
    pub(crate) started: AtomicUsize,
}

/// A place that loom watches: an access that is not ordered with the others is an error.
pub(crate) struct Watched(UnsafeCell<usize>);
// SAFETY: what moves is a number.
unsafe impl Send for Watched {}
// SAFETY: the protocol under test orders every access with the others; where it did not, loom would end the model before
// the access is made.
unsafe impl Sync for Watched {}

impl Watched {
    pub(crate) fn new() -> Watched {
        Watched(UnsafeCell::new(0))
    }

    /// Writes.
    pub(crate) fn touch(&self) {
        // SAFETY: loom ends the model when another access is not ordered with this one; the pointer is the cell's own.
        self.0.with_mut(|n| unsafe { *n += 1 });
    }

    /// Reads.
    pub(crate) fn look(&self) -> usize {
        // SAFETY: loom ends the model when a write is not ordered with this read; the pointer is the cell's own.
        self.0.with(|n| unsafe { *n })
    }
}

pub(crate) struct Value(Arc<Counts>, Watched);
impl Drop for Value {
    fn drop(&mut self) {
        self.1.touch();
        self.0.outputs.fetch_add(1, Relaxed);
    }
}

struct Data(Arc<Counts>, Watched);
impl Hooks for Data {
    fn before_start(&self) {
        self.1.touch();
        self.0.started.fetch_add(1, Relaxed);
    }
}
impl Drop for Data {
    fn drop(&mut self) {
        self.1.touch();
        self.0.data.fetch_add(1, Relaxed);
    }
}

/// What the schedule function captures: read in each call, written by its drop.
struct Captured(Arc<Counts>, Watched);
impl Drop for Captured {
    fn drop(&mut self) {
        self.1.touch();
        self.0.schedules.fetch_add(1, Relaxed);
    }
}

/// Stores its waker, then goes on to change itself: what comes after the store is ordered by the state word alone.
struct Gate {
    counts: Arc<Counts>,
    wakers: Arc<Mutex<Vec<Waker>>>,
    copies: usize,
    own: Watched,
}

impl Future for Gate {
    type Output = Value;
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Value> {
        self.own.touch();
        self.counts.polls.fetch_add(1, Relaxed);
        if self.counts.open.load(SeqCst) == 1 {
            return Poll::Ready(Value(self.counts.clone(), Watched::new()));
        }
        {
            let mut wakers = self.wakers.lock().unwrap();
            wakers.clear();
            wakers.extend((0..self.copies).map(|_| cx.waker().clone()));
        }
        self.own.touch();
        if self.counts.open.load(SeqCst) == 1 {
            return Poll::Ready(Value(self.counts.clone(), Watched::new()));
        }
        Poll::Pending
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.own.touch();
        self.counts.futures.fetch_add(1, Relaxed);
    }
}

#[derive(Clone)]
pub(crate) struct Model {
    pub(crate) counts: Arc<Counts>,
    pub(crate) wakers: Arc<Mutex<Vec<Waker>>>,
    pub(crate) queue: Arc<Mutex<Vec<LightProc>>>,
}

impl Model {
    /// A process whose schedule function is a queue, or drops what it is given.
    pub(crate) fn new(copies: usize, queued: bool) -> (Model, LightProc, ProcHandle<Value>) {
        let (model, gate, schedule, data) = Model::parts(copies, queued);
        let (process, handle) = LightProc::build(gate, schedule, data);
        (model, process, handle)
    }

    /// A process without a handle, whose schedule function is a queue.
    pub(crate) fn detached(copies: usize) -> (Model, LightProc) {
        let (model, gate, schedule, data) = Model::parts(copies, true);
        (model, LightProc::detached(gate, schedule, data))
    }

    fn parts(
        copies: usize,
        queued: bool,
    ) -> (Model, Gate, impl Fn(LightProc) + Send + Sync + 'static, Data) {
        let model = Model {
            counts: Arc::default(),
            wakers: Arc::new(Mutex::new(Vec::new())),
            queue: Arc::new(Mutex::new(Vec::new())),
        };
        let gate = Gate {
            counts: model.counts.clone(),
            wakers: model.wakers.clone(),
            copies,
            own: Watched::new(),
        };
        let captured = Captured(model.counts.clone(), Watched::new());
        let queue = model.queue.clone();
        let schedule = move |process: LightProc| {
            if queued {
                queue.lock().unwrap().push(process);
            } else {
                drop(process);
            }
            // After the process is away: it may have been run, ended and let go by another thread.
            let _ = captured.1.look();
        };
        let data = Data(model.counts.clone(), Watched::new());
        (model, gate, schedule, data)
    }

    pub(crate) fn run(&self) {
        while let Some(process) = { self.queue.lock().unwrap().pop() } {
            process.run();
        }
    }

    pub(crate) fn take(&self) -> Option<Waker> {
        self.wakers.lock().unwrap().pop()
    }

    /// Lets go of every waker, runs what becomes due, then says that all was dropped exactly once.
    pub(crate) fn end(&self, outputs: Option<usize>) {
        loop {
            self.run();
            let left: Vec<_> = self.wakers.lock().unwrap().drain(..).collect();
            if left.is_empty() {
                break;
            }
        }
        self.run();
        assert_eq!(self.counts.futures.load(SeqCst), 1, "the future is dropped once");
        assert_eq!(self.counts.data.load(SeqCst), 1, "the process is freed once");
        assert_eq!(self.counts.schedules.load(SeqCst), 1, "the schedule function is dropped once");
        if let Some(outputs) = outputs {
            assert_eq!(self.counts.outputs.load(SeqCst), outputs, "outputs");
        }
    }
}

pub(crate) fn poll<T>(handle: &mut ProcHandle<T>) -> Poll<Option<T>> {
    Pin::new(handle).poll(&mut Context::from_waker(Waker::noop()))
}

pub(crate) fn spawn(model: &Model, f: impl FnOnce(Model) + 'static) -> thread::JoinHandle<()> {
    let model = model.clone();
    thread::spawn(move || f(model))
}

pub(crate) fn check(f: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(3));
    builder.check(f);
}

/// An awaiter that counts its wakes.
pub(crate) struct Count(pub(crate) Arc<AtomicUsize>);

impl std::task::Wake for Count {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}
