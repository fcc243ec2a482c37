//! What the documentation of lightproc 0.3 promises, and what of its defects is not tested beside this folder.

use futures_lite::future::{block_on, pending, poll_once, yield_now};
use lightproc::prelude::*;
use lightproc::{Hooks, Panic};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

fn quiet() {
    std::panic::set_hook(Box::new(|_| {}));
}

/// A queue, as a schedule function.
fn queue() -> (Arc<Mutex<Vec<LightProc>>>, impl Fn(LightProc) + Send + Sync + 'static) {
    let queue = Arc::new(Mutex::new(Vec::new()));
    let due = queue.clone();
    (queue, move |process| due.lock().unwrap().push(process))
}

fn take(queue: &Mutex<Vec<LightProc>>) -> LightProc {
    let mut queue = queue.lock().unwrap();
    assert_eq!(queue.len(), 1, "scheduled once");
    queue.remove(0)
}

/// Counts how often it is dropped.
struct Held(Arc<AtomicUsize>);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.fetch_add(1, Relaxed);
    }
}

#[test]
fn schedule_calls_the_function_once_and_run_polls_once_and_schedules_what_was_woken() {
    let (due, schedule) = queue();
    let polls = Arc::new(AtomicUsize::new(0));
    let count = polls.clone();
    let future = async move {
        count.fetch_add(1, Relaxed);
        yield_now().await;
        count.fetch_add(1, Relaxed);
    };
    let (process, handle) = LightProc::build(future, schedule, ProcStack::default());
    process.schedule();
    take(&due).run();
    assert_eq!(polls.load(Relaxed), 1);
    take(&due).run();
    assert_eq!((polls.load(Relaxed), block_on(handle)), (2, Some(())));
}

#[test]
fn an_unscheduled_process_that_is_dropped_is_cancelled_and_its_future_is_gone() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let held = Held(dropped.clone());
    let future = async move { drop(held) };
    let (process, handle) = LightProc::recoverable(future, drop, ProcStack::default());
    drop(process);
    assert_eq!((dropped.load(Relaxed), block_on(handle)), (1, None));
}

#[test]
fn a_cancelled_process_drops_its_future_at_its_next_run() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let held = Held(dropped.clone());
    let future = async move { drop(held) };
    let (process, handle) = LightProc::build(future, drop, ProcStack::default());
    process.cancel();
    assert_eq!(dropped.load(Relaxed), 0);
    process.run();
    assert_eq!((dropped.load(Relaxed), block_on(handle)), (1, None));
}

#[test]
fn a_process_goes_on_without_its_handle() {
    let amount = Arc::new(AtomicUsize::new(0));
    let stack = ProcStack::default()
        .with_state(amount.clone())
        .with_after_complete(|amount: &mut Arc<AtomicUsize>| _ = amount.fetch_add(1, Relaxed));
    let (process, handle) = LightProc::recoverable(yield_now(), LightProc::run, stack);
    drop(handle);
    process.run();
    assert_eq!(amount.load(Relaxed), 1);
}

#[test]
fn a_panic_is_none_and_what_returned_is_there() {
    quiet();
    let of = |panics: bool| {
        let future = async move {
            assert!(!panics, "as asked");
            7
        };
        let (process, handle) = LightProc::recoverable(future, drop, ProcStack::default());
        process.run();
        block_on(handle)
    };
    assert_eq!((of(false), of(true)), (Some(7), None));
}

#[test]
fn the_state_of_a_handle_follows_the_life_of_its_process() {
    let (due, schedule) = queue();
    let future = async {
        yield_now().await;
        pending::<()>().await;
    };
    let (process, mut handle) = LightProc::recoverable(future, schedule, ProcStack::default());
    let facts = |handle: &RecoverableHandle<()>| {
        let state = handle.state();
        assert_eq!(state.is_pending(), !state.is_completed());
        (state.is_scheduled(), state.is_awaiter(), state.is_closed(), state.is_completed())
    };
    assert_eq!(facts(&handle), (true, false, false, false));
    process.run();
    assert_eq!(facts(&handle), (true, false, false, false));
    take(&due).run();
    assert_eq!(facts(&handle), (false, false, false, false));
    assert_eq!(block_on(poll_once(&mut handle)), None);
    assert_eq!(facts(&handle), (false, true, false, false));
    handle.cancel();
    assert_eq!(facts(&handle), (true, true, true, false));
    take(&due).run();
    assert_eq!(facts(&handle), (false, false, true, true));
    assert_eq!(block_on(&mut handle), None);
    assert_eq!(facts(&handle), (false, false, true, true));
    assert!(handle.state().is_handle());
}

#[test]
fn a_process_that_returned_is_not_closed_and_one_that_panicked_is() {
    quiet();
    let of = |panics: bool| {
        let future = async move { assert!(!panics, "as asked") };
        let (process, mut handle) = LightProc::build(future, drop, ProcStack::default());
        process.run();
        let state = handle.state();
        if !panics {
            assert_eq!(block_on(&mut handle), Some(()));
            assert!(handle.state().is_closed(), "its output was taken");
        }
        (state.is_completed(), state.is_closed())
    };
    assert_eq!((of(false), of(true)), ((true, false), (true, true)));
}

#[test]
fn the_stack_is_the_one_of_the_process_also_inside_other_data() {
    struct More(ProcStack);
    impl Hooks for More {
        fn stack(&self) -> Option<&ProcStack> {
            Some(&self.0)
        }
    }
    let more = More(ProcStack::default().with_pid(3));
    let (process, handle) = LightProc::recoverable(async {}, drop, more);
    process.stack().pid.store(4, Relaxed);
    assert_eq!(handle.stack().get_pid(), 4);
    assert_eq!(handle.data::<More>().unwrap().0.get_pid(), 4);
    assert!(handle.data::<()>().is_none());
}

impl Hooks for Held {}

#[test]
fn there_is_no_stack_where_none_was_given_and_behind_the_end() {
    quiet();
    let (process, handle) = LightProc::build(async {}, drop, Held(Arc::default()));
    assert!(Panic::catch(|| _ = process.stack()).is_err());
    assert!(Panic::catch(|| _ = handle.stack()).is_err());
    let (process, mut handle) = LightProc::build(async {}, drop, ProcStack::default());
    process.run();
    assert_eq!(handle.stack().get_pid(), 0xDEAD_BEEF);
    block_on(&mut handle);
    assert!(Panic::catch(|| _ = handle.stack()).is_err());
}

#[test]
fn l4_the_state_that_nobody_gave_has_each_of_its_names() {
    let ran = Arc::new(AtomicUsize::new(0));
    let run = |stack: ProcStack| LightProc::build(async {}, drop, stack).0.run();
    let count = |ran: &Arc<AtomicUsize>| {
        let ran = ran.clone();
        move || _ = ran.fetch_add(1, Relaxed)
    };
    let hook = count(&ran);
    run(ProcStack::default().with_before_start(move |_: &mut EmptyProcState| hook()));
    let hook = count(&ran);
    run(ProcStack::default().with_before_start(move |_: &mut EmptyState| hook()));
    let hook = count(&ran);
    run(ProcStack::default().with_before_start(move |(): &mut ()| hook()));
    assert_eq!(ran.load(Relaxed), 3);
    let given: EmptyProcState = Box::new(EmptyState);
    let hook = count(&ran);
    let stack = ProcStack::default().with_state(given);
    run(stack.with_after_complete(move |_: &mut EmptyProcState| hook()));
    assert_eq!(ran.load(Relaxed), 4);
}

/// Builds only while a type has not a trait.
macro_rules! has_not {
    ($type:ty: $trait:path) => {
        const _: fn() = || {
            struct Has;
            trait Ambiguous<A> {
                fn item() {}
            }
            impl<T: ?Sized> Ambiguous<()> for T {}
            impl<T: ?Sized + $trait> Ambiguous<Has> for T {}
            let _ = <$type as Ambiguous<_>>::item;
        };
    };
}

#[test]
fn l6_handles_of_what_must_stay_on_its_thread_stay_there() {
    type Stays = std::rc::Rc<()>;
    has_not!(ProcHandle<Stays>: Send);
    has_not!(ProcHandle<Stays>: Sync);
    has_not!(RecoverableHandle<Stays>: Send);
    has_not!(RecoverableHandle<Stays>: Sync);
}
