//! The real thing: processes of lightproc that do on one thread what a script says.
//!
//! Everything is found by number in a thread-local table, so that users' code, which is called at any moment, needs no
//! pointer. The table is never borrowed while something foreign runs.

use crate::awaiter;
use crate::event::{Event, Ran, Saw, Sight};
use crate::process::{Body, Captured, Data, Form, Payload, scheduled};
use crate::script::{Act, End, First, Id, Kind, Mode, Op, Step, When};
use lightproc::{LightProc, Outcome, Polled};
use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::task::{Context, Poll, Waker};

/// What a script finds by number.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) sight: Sight,
    pub(crate) queue: VecDeque<(Id, LightProc)>,
    pub(crate) modes: Vec<Mode>,
    pub(crate) handles: Vec<Option<Form>>,
    pub(crate) wakers: Vec<Vec<Waker>>,
    pub(crate) plans: HashMap<When, VecDeque<Step>>,
}

thread_local! {
    static WORLD: RefCell<World> = RefCell::default();
}

/// Does something short with the table.
pub(crate) fn with<R>(f: impl FnOnce(&mut World) -> R) -> R {
    WORLD.with_borrow_mut(f)
}

/// Empties the table. What is in it goes without a trace, or, after a failure, not at all.
pub(crate) fn reset(failed: bool) {
    let old = with(std::mem::take);
    if failed {
        std::mem::forget(old);
    }
}

/// Forgets what users' code would still do.
pub(crate) fn calm() {
    with(|world| world.plans.clear());
}

/// Carries out one operation.
pub(crate) fn perform(op: Op) {
    match op {
        Op::Spawn { kind, captures, mode, first } => spawn(kind, captures, mode, first),
        Op::Do(act) => self::act(act),
        Op::Plan(when, step) => {
            with(|world| world.plans.entry(when).or_default().push_back(step));
        }
    }
}

/// Returns what there is to see, with the events since the last look.
pub(crate) fn look() -> Sight {
    with(|world| {
        let mut sight = Sight {
            events: std::mem::take(&mut world.sight.events),
            queue: world.queue.iter().map(|(id, _)| *id).collect(),
            captured: world.sight.captured,
            awaiters: world.sight.awaiters,
            ..Sight::default()
        };
        for (id, handle) in world.handles.iter().enumerate() {
            sight.handles[id] = handle.as_ref().map(Form::look);
            sight.wakers[id] = world.wakers[id].len();
        }
        sight
    })
}

/// Notes an event.
pub(crate) fn note(event: Event) {
    with(|world| world.sight.events.push(event));
}

/// Does what a user's code does at a moment; returns the last step. A panic is the caller's to make.
pub(crate) fn at(when: When, cx: Option<&Context<'_>>) -> Step {
    note(Event::At(when));
    while let Some(step) = with(|world| world.plans.get_mut(&when)?.pop_front()) {
        match (step, when, cx) {
            (Step::Do(act), ..) => self::act(act),
            (Step::Stop | Step::Ready | Step::Panic, ..) => return step,
            (Step::Keep, When::Poll(id), Some(cx)) => {
                let waker = cx.waker().clone();
                with(|world| world.wakers[id].push(waker));
            }
            (Step::WakeByRef, _, Some(cx)) => cx.waker().wake_by_ref(),
            (Step::Wake, _, Some(cx)) => {
                let clone = cx.waker().clone();
                clone.wake();
            }
            _ => {}
        }
    }
    Step::Stop
}

/// Does what a user's code does at a moment, and panics if it should, without the panic hook.
pub(crate) fn at_or_panic(when: When, cx: Option<&Context<'_>>) -> Step {
    let step = at(when, cx);
    if step == Step::Panic {
        resume_unwind(Box::new(Payload(when)));
    }
    step
}

fn spawn(kind: Kind, captures: bool, mode: Mode, first: First) {
    let id = with(|world| {
        world.modes.push(mode);
        world.handles.push(None);
        world.wakers.push(Vec::new());
        world.modes.len() - 1
    });
    let captured = Captured(id);
    let capturing = move |process| {
        let _captured = &captured;
        scheduled(process);
    };
    let (process, form) = if captures {
        make(kind, id, capturing)
    } else {
        std::mem::forget(capturing);
        make(kind, id, scheduled)
    };
    with(|world| world.handles[id] = form);
    match first {
        First::Scheduled => process.schedule(),
        First::Queued => with(|world| world.queue.push_back((id, process))),
        First::Dropped => drop(process),
    }
}

fn make<S>(kind: Kind, id: Id, schedule: S) -> (LightProc, Option<Form>)
where
    S: Fn(LightProc) + Send + Sync + 'static,
{
    match kind {
        Kind::Plain => {
            let (process, handle) = LightProc::build(Body::new(id), schedule, Data(id));
            (process, Some(Form::Plain(handle)))
        }
        Kind::Recoverable => {
            let (process, handle) = LightProc::recoverable(Body::new(id), schedule, Data(id));
            (process, Some(Form::Recoverable(handle)))
        }
        Kind::Detached => (LightProc::detached(Body::new(id), schedule, Data(id)), None),
    }
}

/// Does something to a process, from outside or from inside of a user's code.
fn act(act: Act) {
    match act {
        Act::Run(end) => {
            if let Some((_, process)) = due(end) {
                process.run();
            }
        }
        Act::Poll(end) => {
            if let Some((id, process)) = due(end) {
                poll(id, process);
            }
        }
        Act::DropDue(end) => drop(due(end)),
        Act::CancelDue(end) => with(|world| {
            let due = match end {
                End::Oldest => world.queue.front(),
                End::Newest => world.queue.back(),
            };
            due.inspect(|(_, process)| process.cancel());
        }),
        Act::CloneWaker(id) => with(|world| {
            let clone = world.wakers[id].last().cloned();
            world.wakers[id].extend(clone);
        }),
        Act::Wake(id) => {
            if let Some(waker) = take_waker(id) {
                waker.wake();
            }
        }
        Act::WakeByRef(id) => {
            if let Some(waker) = take_waker(id) {
                waker.wake_by_ref();
                with(|world| world.wakers[id].push(waker));
            }
        }
        Act::DropWaker(id) => drop(take_waker(id)),
        Act::Await(id, awaiter) => await_handle(id, awaiter),
        Act::Outcome(id) => {
            if let Some(form) = take_handle(id) {
                let form = form.into_outcome();
                with(|world| world.handles[id] = Some(form));
            }
        }
        Act::Cancel(id) => {
            // While the handle works, a script does not find it.
            if let Some(form) = take_handle(id) {
                form.cancel();
                with(|world| world.handles[id] = Some(form));
            }
        }
        Act::DropHandle(id) => drop(take_handle(id)),
    }
}

fn due(end: End) -> Option<(Id, LightProc)> {
    with(|world| match end {
        End::Oldest => world.queue.pop_front(),
        End::Newest => world.queue.pop_back(),
    })
}

fn take_waker(id: Id) -> Option<Waker> {
    with(|world| world.wakers[id].pop())
}

fn take_handle(id: Id) -> Option<Form> {
    with(|world| world.handles[id].take())
}

fn poll(id: Id, process: LightProc) {
    let (ran, woken) = match process.poll() {
        Polled::Waiting => (Ran::Waiting, None),
        Polled::Woken(process) => (Ran::Woken, Some(process)),
        Polled::Ended => (Ran::Ended, None),
    };
    note(Event::Ran(id, ran));
    with(|world| world.queue.extend(woken.map(|process| (id, process))));
}

fn await_handle(id: Id, awaiter: usize) {
    let Some(mut form) = take_handle(id) else { return };
    let waker = awaiter::borrowed(awaiter);
    let mut cx = Context::from_waker(&waker);
    let polled = catch_unwind(AssertUnwindSafe(|| form.poll(&mut cx)));
    let mut value = None;
    let mut payload = None;
    let saw = match polled {
        Ok(Poll::Pending) => Saw::Pending,
        Ok(Poll::Ready(Outcome::Completed(output))) => {
            value = Some(output);
            Saw::Value
        }
        Ok(Poll::Ready(Outcome::Cancelled)) => Saw::Nothing,
        Ok(Poll::Ready(Outcome::Panicked(panic))) => {
            let panic = payload.insert(panic.into_payload());
            panic.downcast_ref::<Payload>().map_or(Saw::Refused, |payload| Saw::Panic(payload.0))
        }
        Err(panic) => {
            let panic = payload.insert(panic);
            panic.downcast_ref::<Payload>().map_or(Saw::Refused, |payload| Saw::Unwound(payload.0))
        }
    };
    note(Event::Saw(id, saw));
    with(|world| world.handles[id] = Some(form));
    drop(payload);
    // The output is ours now, and so is the panic of its destructor.
    drop(catch_unwind(AssertUnwindSafe(|| drop(value))));
}
