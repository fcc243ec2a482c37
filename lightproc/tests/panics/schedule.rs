//! Schedule functions that panic, though they must not, and futures that panic while they are being made.
//!
//! The panic goes to whoever has called: the only one that comes out of a run. A process that the function had in its
//! hands is dropped by the unwinding, and so cancelled; one that it had queued already goes on.

use crate::alloc::Heap;
use crate::case::{Part, Parts};
use crate::world::{self, Captured, Counts, Data, Value, guarded, raise, run_all};
use lightproc::{InPlace, LightProc, ProcHandle};
use std::cell::Cell;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

/// Who calls the schedule function.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Caller {
    Schedule,
    /// A run whose poll was woken.
    Run,
    WakeByValue,
    WakeByReference,
    Cancel,
    /// The last who could wake or cancel it lets go.
    HandleDrop,
    WakerDrop,
}

const CALLERS: [Caller; 7] = [
    Caller::Schedule,
    Caller::Run,
    Caller::WakeByValue,
    Caller::WakeByReference,
    Caller::Cancel,
    Caller::HandleDrop,
    Caller::WakerDrop,
];

/// When the function panics.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Moment {
    WithTheProcessInHand,
    AfterItIsQueued,
}

thread_local! {
    static PANICS: Cell<Option<Moment>> = const { Cell::new(None) };
}

fn schedule(process: LightProc) {
    let moment = PANICS.take();
    if moment == Some(Moment::WithTheProcessInHand) {
        let _in_hand = process;
        raise("the schedule function");
    }
    world::enqueue(process);
    if moment == Some(Moment::AfterItIsQueued) {
        raise("the schedule function");
    }
}

/// Pending once, then ready.
struct Twice(Caller);

impl Future for Twice {
    type Output = Value;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Value> {
        world::tally(|counts| counts.polls += 1);
        if world::counts().polls == 2 {
            return Poll::Ready(Value);
        }
        match self.0 {
            Caller::Run => cx.waker().wake_by_ref(),
            Caller::Cancel | Caller::HandleDrop => {}
            _ => world::keep_waker(cx.waker()),
        }
        Poll::Pending
    }
}

impl Drop for Twice {
    fn drop(&mut self) {
        world::tally(|counts| counts.futures_dropped += 1);
        world::maybe(Part::FutureDrop, "the future's destructor");
    }
}

/// What the handle says in the end: an output, nothing, or a panic.
type Said = Result<Option<()>, &'static str>;

fn ask(handle: ProcHandle<Value>) -> Said {
    let mut handle = pin!(handle);
    let polled = guarded(|| handle.as_mut().poll(&mut Context::from_waker(Waker::noop())))?;
    match polled {
        Poll::Ready(output) => Ok(output.map(drop)),
        Poll::Pending => Err("pending"),
    }
}

#[derive(Clone, Copy, Debug)]
struct Case {
    caller: Caller,
    moment: Moment,
    captures: bool,
    future_panics: bool,
}

/// Brings the process to the call that panics; returns what came out of it, and the handle.
fn provoke(case: Case) -> (Result<(), &'static str>, Option<ProcHandle<Value>>) {
    let captured = Captured;
    let (process, handle) = if case.captures {
        let schedule = move |process| {
            let _captured = &captured;
            schedule(process);
        };
        LightProc::build(Twice(case.caller), schedule, Data)
    } else {
        drop(captured);
        LightProc::build(Twice(case.caller), schedule, Data)
    };
    let panics = || PANICS.set(Some(case.moment));
    if case.caller == Caller::Schedule || case.caller == Caller::Run {
        panics();
        let call = || if case.caller == Caller::Run { process.run() } else { process.schedule() };
        return (guarded(call), Some(handle));
    }
    process.run();
    let waker = world::take_waker();
    let wake = |call: fn(Waker)| guarded(|| call(waker.expect("it was kept")));
    if case.caller == Caller::WakerDrop {
        drop(handle);
        panics();
        return (wake(drop), None);
    }
    panics();
    match case.caller {
        Caller::WakeByValue => (wake(Waker::wake), Some(handle)),
        Caller::WakeByReference => (wake(|waker| waker.wake_by_ref()), Some(handle)),
        Caller::Cancel => (guarded(|| handle.cancel()), Some(handle)),
        _ => (guarded(|| drop(handle)), None),
    }
}

fn expected(case: Case) -> (Counts, Option<Said>) {
    let in_hand = case.moment == Moment::WithTheProcessInHand;
    let goes_on = !matches!(case.caller, Caller::Cancel | Caller::HandleDrop | Caller::WakerDrop);
    let returns = goes_on && !in_hand;
    let fails = returns && case.future_panics;
    let polls = match case.caller {
        _ if returns => 2,
        Caller::Schedule => 0,
        _ => 1,
    };
    let counts = Counts {
        polls,
        started: usize::from(polls > 0),
        completed: usize::from(returns && !fails),
        panicked: usize::from(fails),
        futures_dropped: 1,
        outputs_dropped: usize::from(returns),
        data_dropped: 1,
        schedules_dropped: 1,
        siblings_run: 1,
        ..Counts::default()
    };
    let said = match returns {
        _ if matches!(case.caller, Caller::HandleDrop | Caller::WakerDrop) => None,
        true if fails => Some(Err("the future's destructor")),
        true => Some(Ok(Some(()))),
        false => Some(Ok(None)),
    };
    (counts, said)
}

fn check(case: Case) {
    let parts: &[Part] = if case.future_panics { &[Part::FutureDrop] } else { &[] };
    world::begin(Parts::of(parts));
    let start = Heap::now();
    let (came_out, handle) = provoke(case);
    let at_once = case.moment == Moment::WithTheProcessInHand;
    assert_eq!(world::counts().futures_dropped, usize::from(at_once), "{case:?}: cancelled");
    let sibling = async { world::tally(|counts| counts.siblings_run += 1) };
    LightProc::detached(sibling, world::enqueue, ()).schedule();
    run_all();
    if let Some(waker) = world::take_waker() {
        waker.wake();
    }
    run_all();
    let said = handle.map(ask);
    let left = Heap::since(start);
    assert_eq!(came_out, Err("the schedule function"), "{case:?}");
    assert_eq!((world::counts(), said), expected(case), "{case:?}");
    assert_eq!((left.blocks, left.bytes), (0, 0), "{case:?}: everything is freed");
}

#[test]
fn a_panic_of_a_schedule_function_goes_to_its_caller_and_loses_nothing() {
    for caller in CALLERS {
        for moment in [Moment::WithTheProcessInHand, Moment::AfterItIsQueued] {
            for captures in [true, false] {
                for future_panics in [true, false] {
                    check(Case { caller, moment, captures, future_panics });
                }
            }
        }
    }
}

#[test]
fn a_panic_in_the_making_of_a_future_goes_to_whoever_makes_the_process() {
    let makers: [fn(); 3] = [
        || drop(LightProc::build(in_place(), capturing(), Data)),
        || drop(LightProc::recoverable(in_place(), capturing(), Data)),
        || drop(LightProc::detached(in_place(), capturing(), Data)),
    ];
    drop(LightProc::recoverable(async {}, |_| {}, ()));
    for make in makers {
        world::begin(Parts::default());
        let start = Heap::now();
        assert_eq!(guarded(make), Err("the making of the future"));
        let left = Heap::since(start);
        let dropped = Counts { data_dropped: 1, schedules_dropped: 1, ..Counts::default() };
        assert_eq!(world::counts(), dropped);
        assert_eq!((left.blocks, left.bytes), (0, 0), "the process's memory is freed");
    }
}

fn in_place() -> InPlace<impl FnOnce() -> Twice> {
    InPlace(|| raise("the making of the future"))
}

fn capturing() -> impl Fn(LightProc) + Send + Sync + 'static {
    let captured = Captured;
    move |process| {
        let _captured = &captured;
        world::enqueue(process);
    }
}
