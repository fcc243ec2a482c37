//! Each name, signature, bound and auto trait of lightproc 0.3: this file builds as long as they are there.
#![allow(deprecated, reason = "names that programs of 0.3 may have")]

use lightproc::lightproc::LightProc;
use lightproc::proc_handle::ProcHandle;
use lightproc::proc_stack::ProcStack;
use lightproc::proc_state::{EmptyProcState, EmptyState, ProcState, State};
use lightproc::recoverable_handle::RecoverableHandle;
use std::any::Any;
use std::fmt::Debug;
use std::future::Future;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};

/// The prelude has them all, and they are the same.
mod from_the_prelude {
    use lightproc::prelude::*;

    pub(super) type Names<R> = (
        LightProc,
        ProcHandle<R>,
        ProcStack,
        ProcState,
        EmptyProcState,
        EmptyState,
        RecoverableHandle<R>,
    );

    pub(super) fn traits<S: State + AsAny>() {}
}

/// The same, by today's names.
type Names<R> = (
    lightproc::LightProc,
    lightproc::ProcHandle<R>,
    lightproc::ProcStack,
    Arc<Mutex<dyn State>>,
    Box<EmptyState>,
    EmptyState,
    lightproc::RecoverableHandle<R>,
);

fn same<R>(names: from_the_prelude::Names<R>) -> Names<R> {
    names
}

fn recoverable<F, R, S>(f: F, schedule: S, stack: ProcStack) -> (LightProc, RecoverableHandle<R>)
where
    F: Future<Output = R> + Send + 'static,
    R: Send + 'static,
    S: Fn(LightProc) + Send + Sync + 'static,
{
    LightProc::recoverable(f, schedule, stack)
}

fn build<F, R, S>(f: F, schedule: S, stack: ProcStack) -> (LightProc, ProcHandle<R>)
where
    F: Future<Output = R> + Send + 'static,
    R: Send + 'static,
    S: Fn(LightProc) + Send + Sync + 'static,
{
    LightProc::build(f, schedule, stack)
}

fn stack<C, S, T>(stack: ProcStack, hook: C, state: S, copied: fn(T)) -> ProcStack
where
    C: Fn(&mut S) + Send + Sync + Clone + 'static,
    S: State,
    T: State + Copy,
{
    copied(stack.get_state::<T>());
    let stack = stack.with_pid(1).with_state::<S>(state).with_before_start::<C, S>(hook.clone());
    stack.with_after_complete::<C, S>(hook.clone()).with_after_panic::<C, S>(hook)
}

fn methods<R>() {
    let _: fn(LightProc) = LightProc::schedule;
    let _: fn(LightProc) = LightProc::run;
    let _: fn(&LightProc) = LightProc::cancel;
    let _: fn(&LightProc) -> &ProcStack = LightProc::stack;
    let _: fn(&ProcHandle<R>) = ProcHandle::cancel;
    let _: fn(&ProcHandle<R>) -> &ProcStack = ProcHandle::stack;
    let _: fn(&RecoverableHandle<R>) = RecoverableHandle::cancel;
    let _: fn(&RecoverableHandle<R>) -> &ProcStack = RecoverableHandle::stack;
    let _: fn(&ProcStack) -> usize = ProcStack::get_pid;
    let _: fn(&ProcStack) -> &AtomicUsize = |stack| &stack.pid;
}

fn states<R>(handle: &ProcHandle<R>, other: &RecoverableHandle<R>) -> [bool; 8] {
    let (state, _) = (handle.state(), other.state());
    debug(&state);
    [
        state.is_scheduled(),
        state.is_running(),
        state.is_completed(),
        state.is_closed(),
        state.is_handle(),
        state.is_awaiter(),
        state.is_locked(),
        state.is_pending(),
    ]
}

fn as_any<S: lightproc::proc_state::AsAny>(state: &mut S) -> &mut dyn Any {
    state.as_any()
}

fn threads<T: Send + Sync>() {}
fn debug(_: &dyn Debug) {}
fn awaits<R>(_: impl Future<Output = Option<R>> + Unpin + Debug) {}
fn is<T: Debug + Clone + Default + Send + Sync + Unpin>() {}

fn traits<R: Send>(process: &LightProc, handle: ProcHandle<R>, other: RecoverableHandle<R>) {
    threads::<LightProc>();
    threads::<ProcHandle<R>>();
    threads::<RecoverableHandle<R>>();
    threads::<ProcState>();
    debug(process);
    debug(&EmptyState);
    awaits::<R>(handle);
    awaits::<R>(other);
    is::<ProcStack>();
    from_the_prelude::traits::<Arc<Mutex<u8>>>();
}

/// All of it is there; what it does is tested elsewhere.
#[test]
fn a_program_of_0_3_builds() {
    fn schedule(_: LightProc) {}
    let stacked = stack(ProcStack::default(), |_: &mut u8| {}, 1_u8, |()| {});
    let (process, handle) = build(async { 1_u8 }, schedule, stacked.clone());
    let (other_process, other) = recoverable(async { 1_u8 }, schedule, stacked);
    methods::<u8>();
    let states = states(&handle, &other);
    assert_eq!(states, [true, true, false, false, true, false, false, true]);
    traits(&process, handle, other);
    drop(other_process);
    assert!(as_any(&mut 1_u8).is::<u8>());
    let _: fn(from_the_prelude::Names<u8>) -> Names<u8> = same;
    let state: ProcState = Arc::new(Mutex::new(EmptyState));
    assert!(format!("{:?}", state.lock().unwrap()).starts_with("State :: "));
    let _: EmptyProcState = Box::new(EmptyState);
}
