//! Leads one process through the life that its case describes, and reports what was seen.

use crate::alloc::Heap;
use crate::case::{Case, Entry, Handle, Schedule, Woken};
use crate::handle::{AnyHandle, Saw};
use crate::world::{self, Awaiter, Captured, Counts, Data, Scripted, WORLD};
use lightproc::{LightProc, Panic};
use std::sync::Arc;
use std::task::Waker;

/// What is known of a life when it is over.
#[derive(Debug, PartialEq)]
pub(crate) struct Account {
    pub(crate) counts: Counts,
    pub(crate) saw: Saw,
    /// Allocations to make the process.
    pub(crate) at_birth: isize,
    /// Allocations of the whole life, without those of its panics.
    pub(crate) in_all: isize,
    /// What is left of them.
    pub(crate) blocks_left: isize,
    pub(crate) bytes_left: isize,
    /// Clones of the awaiters' wakers that are left.
    pub(crate) awaiters_left: usize,
}

/// What panics cost in allocations, which is not the process's affair.
pub(crate) struct PanicCost {
    raise: isize,
    resume: isize,
}

/// Returns how many allocations a call makes.
fn made_by(call: impl FnOnce()) -> isize {
    let before = Heap::now();
    call();
    Heap::since(before).made
}

impl PanicCost {
    /// Measures it, and lets everything be allocated that is allocated once.
    pub(crate) fn measure() -> PanicCost {
        let (process, handle) = LightProc::recoverable(async {}, |_| {}, ());
        drop((process, handle));
        let raise = || Panic::catch(|| world::raise("a measurement")).unwrap_err();
        let panic = raise();
        PanicCost {
            raise: made_by(|| drop(raise())),
            resume: made_by(|| drop(Panic::catch(|| panic.resume()))),
        }
    }
}

fn make<S>(case: Case, schedule: S) -> (LightProc, Option<AnyHandle>)
where
    S: Fn(LightProc) + Send + Sync + 'static,
{
    match case.entry {
        Entry::Build => {
            let (process, handle) = LightProc::build(Scripted(case), schedule, Data);
            (process, Some(AnyHandle::Proc(handle)))
        }
        Entry::Recoverable => {
            let (process, handle) = LightProc::recoverable(Scripted(case), schedule, Data);
            (process, Some(AnyHandle::Recoverable(handle)))
        }
        Entry::Detached => (LightProc::detached(Scripted(case), schedule, Data), None),
    }
}

fn make_with_schedule(case: Case) -> (LightProc, Option<AnyHandle>) {
    let (token, number) = (Captured(()), Captured(7_u64));
    match case.schedule {
        Schedule::Nothing => {
            std::mem::forget((token, number));
            make(case, world::enqueue)
        }
        Schedule::Token => {
            std::mem::forget(number);
            let schedule = move |process| {
                let _captured = &token;
                world::enqueue(process);
            };
            assert_eq!(size_of_val(&schedule), 0);
            make(case, schedule)
        }
        Schedule::Number => {
            std::mem::forget(token);
            make(case, move |process| {
                let captured = &number;
                world::enqueue(process);
                assert_eq!(captured.0, 7, "a schedule function was freed while it was called");
            })
        }
    }
}

/// Leads one process from its birth to its end.
struct Life {
    case: Case,
    handle: Option<AnyHandle>,
    awaiters: [Waker; 2],
    saw: Saw,
}

impl Life {
    /// What happens before the first run.
    fn before(&mut self) {
        let Some(mut handle) = self.handle.take() else { return };
        assert!(!handle.is_finished() && !handle.is_terminated() && handle.has_data());
        let [a, b] = &self.awaiters;
        let awaits = |handle: &mut AnyHandle, waker| assert_eq!(handle.poll(waker), Saw::Running);
        match self.case.handle {
            Handle::DroppedFirst => return,
            Handle::AwaitedBefore | Handle::CancelledInThePoll => awaits(&mut handle, a),
            Handle::AwaitedAgain => {
                awaits(&mut handle, a);
                awaits(&mut handle, a);
            }
            Handle::AwaitedByTwo => {
                awaits(&mut handle, a);
                awaits(&mut handle, b);
            }
            Handle::AwaitedThenDropped => return awaits(&mut handle, a),
            Handle::CancelledFirst => {
                handle.cancel();
                awaits(&mut handle, a);
            }
            _ => {}
        }
        self.handle = Some(handle);
    }

    /// The first run, in whose poll the future may use the handle.
    fn first_run(&mut self) {
        if matches!(self.case.handle, Handle::DroppedInThePoll | Handle::CancelledInThePoll) {
            WORLD.with(|world| world.handle.set(self.handle.take()));
        }
        world::next_due().expect("a new process is due").run();
        let unused = WORLD.with(|world| world.handle.take());
        self.handle = self.handle.take().or(unused);
    }

    /// What happens after the first run.
    fn between(&mut self) {
        match self.case.handle {
            Handle::DroppedWhilePending => self.handle = None,
            Handle::CancelledWhilePending => {
                let handle = self.handle.as_mut().expect("it was not used");
                handle.cancel();
                if !handle.is_finished() {
                    assert_eq!(handle.poll(&self.awaiters[0]), Saw::Running);
                }
            }
            _ => {}
        }
    }

    /// Wakes a process that has not ended, with the waker that its last poll has kept.
    fn wake(&self) {
        if world::counts().futures_dropped > 0 {
            return;
        }
        let Some(waker) = WORLD.with(|world| world.waker.take()) else { return };
        match self.case.woken {
            Woken::ByValue => waker.wake(),
            Woken::ByReference => waker.wake_by_ref(),
            Woken::Twice => {
                waker.wake_by_ref();
                waker.wake();
            }
            Woken::LateByValue | Woken::LateByReference | Woken::LateDrop => {
                waker.wake_by_ref();
                WORLD.with(|world| world.waker.set(Some(waker)));
            }
            Woken::Dropped => drop(waker),
            Woken::InThePollByReference | Woken::InThePollByValue | Woken::Never => unreachable!(),
        }
    }

    /// Uses the waker that was kept beyond the end.
    fn late(&self) {
        let Some(waker) = WORLD.with(|world| world.waker.take()) else { return };
        match self.case.woken {
            Woken::LateByValue => waker.wake(),
            Woken::LateByReference => waker.wake_by_ref(),
            _ => drop(waker),
        }
    }

    /// Asks the handle, or drops it unasked.
    fn last_look(&mut self) {
        match (self.case.handle, self.handle.take()) {
            (Handle::Kept, Some(handle)) => {
                self.late();
                drop(handle);
            }
            // As a future, which is one of the two ways to await it.
            (Handle::AwaitedBefore, Some(mut handle)) => {
                self.saw = handle.poll(&self.awaiters[0]);
                let ended = self.saw != Saw::Running;
                assert_eq!(handle.is_terminated(), ended);
                assert_eq!(handle.has_data(), !ended);
                assert_eq!(handle.is_finished(), ended);
            }
            (_, Some(handle)) => self.saw = handle.ask(&self.awaiters[0]),
            (_, None) => {}
        }
    }
}

fn run_all() {
    while let Some(process) = world::next_due() {
        process.run();
    }
}

/// Leads a process through its case.
pub(crate) fn drive(case: Case, cost: &PanicCost) -> Account {
    WORLD.with(|world| world.counts.take());
    let held = [0, 1].map(|number| Arc::new(Awaiter(number)));
    let awaiters = held.clone().map(Waker::from);
    let before = Heap::now();
    let (process, handle) = make_with_schedule(case);
    let at_birth = Heap::since(before).made;
    assert!(process.data::<Data>().is_some() && process.data::<()>().is_none());
    let mut life = Life { case, handle, awaiters, saw: Saw::Unasked };
    process.schedule();
    life.before();
    life.first_run();
    life.between();
    for _ in 0..3 {
        life.wake();
        run_all();
    }
    if let (Handle::CancelledAfter, Some(handle)) = (case.handle, &life.handle) {
        handle.cancel();
        run_all();
    }
    life.last_look();
    run_all();
    life.late();
    run_all();
    let counts = world::counts();
    let used = Heap::since(before);
    let raised = cost.raise * counts.raised.cast_signed();
    let resumes = matches!((case.entry, life.saw), (Entry::Build, Saw::Panic(_)));
    Account {
        counts,
        saw: life.saw,
        at_birth,
        in_all: used.made - raised - cost.resume * isize::from(resumes),
        blocks_left: used.blocks,
        bytes_left: used.bytes,
        // One hold is ours, one the life's.
        awaiters_left: held.iter().map(|awaiter| Arc::strong_count(awaiter) - 2).sum(),
    }
}
