//! Destructors that panic where a panic has nowhere to go, and destructors that end what is still in use.
#![cfg(not(loom))]

use lightproc::{Hooks, LightProc, ProcHandle};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

/// Counts its drop, then panics if it should. Without the panic hook, which would only make noise.
struct Fragile {
    dropped: Arc<AtomicUsize>,
    panics: bool,
}

impl Drop for Fragile {
    fn drop(&mut self) {
        self.dropped.fetch_add(1, SeqCst);
        if self.panics {
            resume_unwind(Box::new("a destructor"));
        }
    }
}

struct Data {
    _fragile: Fragile,
}

impl Hooks for Data {}

/// Ready when it is polled for the second time; keeps its waker outside.
struct Twice {
    polled: bool,
    waker: Arc<Mutex<Option<Waker>>>,
}

impl Future for Twice {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.polled, true) {
            return Poll::Ready(());
        }
        *self.waker.lock().unwrap() = Some(cx.waker().clone());
        Poll::Pending
    }
}

/// Who holds the process last, and so frees it.
#[derive(Clone, Copy, Debug)]
enum Last {
    Runner,
    ScheduleCall,
    Handle,
    Waker,
    WakeByValue,
    Unrun,
}

/// Whose destructor panics.
#[derive(Clone, Copy, Debug)]
enum Panics {
    Data,
    Schedule,
}

/// Brings the process to its end; the free is the last thing that happens.
fn end(last: Last, process: LightProc, handle: ProcHandle<()>, waker: &Mutex<Option<Waker>>) {
    let take = || waker.lock().unwrap().take().unwrap();
    match last {
        Last::Unrun => {
            drop(handle);
            drop(process);
        }
        Last::Runner => {
            drop(handle);
            process.run();
        }
        Last::ScheduleCall => {
            drop(handle);
            process.run();
            take().wake();
        }
        Last::Handle => {
            process.run();
            take().wake();
            drop(handle);
        }
        Last::Waker => {
            process.run();
            let waker = take();
            waker.wake_by_ref();
            drop(handle);
            drop(waker);
        }
        Last::WakeByValue => {
            process.run();
            let waker = take();
            waker.wake_by_ref();
            drop(handle);
            waker.wake();
        }
    }
}

fn check(last: Last, panics: Panics) {
    let case = format!("{last:?} x {panics:?}");
    let dropped: [Arc<AtomicUsize>; 2] = Default::default();
    let [of_data, of_schedule] = [Panics::Data, Panics::Schedule].map(|part| Fragile {
        dropped: dropped[part as usize].clone(),
        panics: part as usize == panics as usize,
    });
    let waker = Arc::new(Mutex::new(None));
    // The runner is the last one when no waker was ever made.
    let future = Twice { polled: matches!(last, Last::Runner), waker: waker.clone() };
    // The process is run where it becomes due: whoever wakes it is its runner.
    let schedule = move |process: LightProc| {
        let _captured = &of_schedule;
        process.run();
    };
    let (process, handle) = LightProc::build(future, schedule, Data { _fragile: of_data });
    let unwound = catch_unwind(AssertUnwindSafe(|| end(last, process, handle, &waker))).is_err();
    assert!(!unwound, "{case}: the panic was let loose");
    assert_eq!(dropped[0].load(SeqCst), 1, "{case}: the data are dropped");
    assert_eq!(dropped[1].load(SeqCst), 1, "{case}: the schedule function is dropped");
}

#[test]
fn a_panicking_destructor_never_unwinds_and_the_process_is_freed() {
    let lasts = [
        Last::Runner,
        Last::ScheduleCall,
        Last::Handle,
        Last::Waker,
        Last::WakeByValue,
        Last::Unrun,
    ];
    for last in lasts {
        for panics in [Panics::Data, Panics::Schedule] {
            check(last, panics);
        }
    }
}

#[test]
fn a_zero_sized_schedule_function_is_not_dropped_while_it_is_called() {
    static ALIVE: AtomicBool = AtomicBool::new(true);
    struct Token;
    impl Token {
        fn is_alive(&self) -> bool {
            ALIVE.load(SeqCst)
        }
    }
    impl Drop for Token {
        fn drop(&mut self) {
            ALIVE.store(false, SeqCst);
        }
    }
    static OUTLIVED: AtomicBool = AtomicBool::new(false);
    let token = Token;
    // The process ends inside the call, and nobody else holds it.
    let schedule = move |process: LightProc| {
        process.run();
        OUTLIVED.store(token.is_alive(), SeqCst);
    };
    assert_eq!(size_of_val(&schedule), 0);
    let (ran, has_run) = channel();
    let (process, handle) = LightProc::build(async move { ran.send(()).unwrap() }, schedule, ());
    handle.detach();
    process.schedule();
    has_run.try_recv().expect("the process has run");
    assert!(OUTLIVED.load(SeqCst), "the function was dropped while it was called");
    assert!(!ALIVE.load(SeqCst), "it is dropped after the call");
}
