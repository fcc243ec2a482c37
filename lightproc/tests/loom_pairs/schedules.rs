//! What a schedule function may rely on, and what may happen to the process while it is called.

use crate::model::{Model, check, spawn};
use loom::sync::atomic::Ordering::SeqCst;

/// The schedule function drops the process that a wake by value made due.
#[test]
fn a_process_dropped_by_its_schedule_function_by_value() {
    check(|| {
        let (model, process, handle) = Model::new(1, false);
        let runner = spawn(&model, move |_| process.run());
        if let Some(waker) = model.take() {
            waker.wake();
        }
        drop(handle);
        runner.join().unwrap();
        model.end(Some(0));
    });
}

/// The schedule function drops the process that a wake by reference made due: the drop must see what the poll did.
#[test]
fn a_process_dropped_by_its_schedule_function_by_reference() {
    check(|| {
        let (model, process, handle) = Model::new(1, false);
        let runner = spawn(&model, move |_| process.run());
        if let Some(waker) = model.take() {
            waker.wake_by_ref();
            drop(waker);
        }
        drop(handle);
        runner.join().unwrap();
        model.end(Some(0));
    });
}

/// Another thread runs, ends and frees the process while the schedule function that queued it is still at work.
#[test]
fn a_schedule_function_outlives_the_process_that_it_queued() {
    check(|| {
        let (model, process, handle) = Model::new(1, true);
        process.run();
        drop(handle);
        model.counts.open.store(1, SeqCst);
        let runner = spawn(&model, |model| model.run());
        model.take().unwrap().wake();
        runner.join().unwrap();
        model.end(None);
    });
}
