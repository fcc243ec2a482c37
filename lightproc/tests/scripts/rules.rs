//! The rules of the model: what a run, a wake, a drop and a look at the handle do to a process.
//!
//! Each rule of lightproc is written down once more, as it is promised, in the order of what users' code sees of it.

use crate::event::{Event, Ran, Saw};
use crate::model::{Form, Model};
use crate::script::{Id, Mode, Step, When};
use std::collections::VecDeque;

impl Model {
    /// Calls a user's code; returns the last step.
    pub(crate) fn at(&mut self, when: When) -> Step {
        self.events.push(Event::At(when));
        while let Some(step) = self.plans.get_mut(&when).and_then(VecDeque::pop_front) {
            match (step, when) {
                (Step::Do(act), _) => self.act(act),
                (Step::Stop | Step::Ready | Step::Panic, _) => return step,
                (Step::Keep, When::Poll(id)) => {
                    self.processes[id].wakers += 1;
                    self.processes[id].given += 1;
                }
                (Step::WakeByRef, When::Poll(id)) => self.wake(id),
                (Step::Wake, When::Poll(id)) => {
                    self.processes[id].wakers += 1;
                    self.wake_by_value(id);
                }
                _ => {}
            }
        }
        Step::Stop
    }

    /// Calls a user's code where a panic has nowhere to go: its payload is dropped.
    pub(crate) fn contained(&mut self, when: When) {
        if self.at(when) == Step::Panic {
            self.events.push(Event::Payload(when));
        }
    }

    pub(crate) fn schedule(&mut self, id: Id) {
        // The schedule function's captured values are held while it is called.
        let captures = self.processes[id].captures;
        self.processes[id].wakers += usize::from(captures);
        self.at(When::Scheduled(id));
        match self.processes[id].mode {
            Mode::Queue => self.queue.push_back(id),
            Mode::Drop => self.abandon(id),
            Mode::Run => {
                if self.poll(id) == Ran::Woken {
                    self.schedule(id);
                }
            }
        }
        if captures {
            self.drop_waker(id);
        }
    }

    pub(crate) fn poll(&mut self, id: Id) -> Ran {
        if self.processes[id].cancelled {
            self.abandon(id);
            return Ran::Ended;
        }
        self.processes[id].woken = false;
        let first = !std::mem::replace(&mut self.processes[id].started, true);
        if first && self.at(When::Started(id)) == Step::Panic {
            self.panicked(id, When::Started(id));
            return Ran::Ended;
        }
        match self.at(When::Poll(id)) {
            Step::Panic => self.panicked(id, When::Poll(id)),
            Step::Ready => self.returned(id),
            _ => {
                let orphan = self.is_orphan(id);
                let p = &mut self.processes[id];
                if p.woken && !p.cancelled {
                    return Ran::Woken;
                }
                if !p.cancelled && !orphan {
                    p.runner = false;
                    return Ran::Waiting;
                }
                self.abandon(id);
            }
        }
        Ran::Ended
    }

    pub(crate) fn returned(&mut self, id: Id) {
        if self.at(When::FutureDrop(id)) == Step::Panic {
            self.contained(When::OutputDrop(id));
            self.failed(id, When::FutureDrop(id));
        } else {
            self.contained(When::Completed(id));
            self.ended(id, Ok(()));
        }
    }

    pub(crate) fn panicked(&mut self, id: Id, when: When) {
        self.contained(When::FutureDrop(id));
        self.failed(id, when);
    }

    pub(crate) fn failed(&mut self, id: Id, when: When) {
        self.contained(When::Panicked(id));
        self.ended(id, Err(when));
    }

    /// Keeps the outcome for the handle, or drops it.
    pub(crate) fn ended(&mut self, id: Id, outcome: Result<(), When>) {
        if self.processes[id].handle {
            self.processes[id].outcome = Some(outcome);
        } else {
            self.drop_outcome(id, outcome);
        }
        self.finish(id);
    }

    pub(crate) fn drop_outcome(&mut self, id: Id, outcome: Result<(), When>) {
        match outcome {
            Ok(()) => self.contained(When::OutputDrop(id)),
            Err(when) => self.events.push(Event::Payload(when)),
        }
    }

    pub(crate) fn abandon(&mut self, id: Id) {
        self.contained(When::FutureDrop(id));
        self.finish(id);
    }

    pub(crate) fn finish(&mut self, id: Id) {
        let p = &mut self.processes[id];
        p.alive = false;
        p.runner = false;
        if let Some(awaiter) = p.awaiter.take() {
            self.awaiters[awaiter] -= 1;
            self.contained(When::AwaiterWake(awaiter));
        } else {
            self.free_if_unreachable(id);
        }
    }

    pub(crate) fn free_if_unreachable(&mut self, id: Id) {
        let p = &mut self.processes[id];
        if !p.alive && !p.handle && p.wakers == 0 {
            p.freed += 1;
            p.captured += usize::from(p.captures);
            self.contained(When::DataDrop(id));
        }
    }

    /// Nobody can wake the process, reach it by a handle, or run it.
    pub(crate) fn is_orphan(&self, id: Id) -> bool {
        let p = &self.processes[id];
        p.alive && !p.handle && p.wakers == 0
    }

    pub(crate) fn run_last_if_orphan(&mut self, id: Id) {
        if self.is_orphan(id) && !self.processes[id].runner {
            self.processes[id].cancelled = true;
            self.processes[id].runner = true;
            self.schedule(id);
        }
    }

    pub(crate) fn wake(&mut self, id: Id) {
        let p = &mut self.processes[id];
        p.woken = true;
        if p.alive && !std::mem::replace(&mut p.runner, true) {
            self.schedule(id);
        }
    }

    pub(crate) fn wake_by_value(&mut self, id: Id) {
        if self.processes[id].alive {
            self.processes[id].wakers -= 1;
            self.wake(id);
        } else {
            self.drop_waker(id);
        }
    }

    pub(crate) fn drop_waker(&mut self, id: Id) {
        self.processes[id].wakers -= 1;
        self.free_if_unreachable(id);
        self.run_last_if_orphan(id);
    }

    pub(crate) fn cancel(&mut self, id: Id) {
        let p = &mut self.processes[id];
        let reachable = matches!(p.form, Some(Form::Plain | Form::Recoverable));
        if reachable && p.handle && p.alive && !p.cancelled {
            p.cancelled = true;
            // While the handle works, a script does not find it.
            let form = p.form.take();
            self.wake(id);
            self.processes[id].form = form;
        }
    }

    pub(crate) fn drop_handle(&mut self, id: Id) {
        if !self.processes[id].handle {
            return;
        }
        while let Some(awaiter) = self.processes[id].awaiter.take() {
            self.drop_awaiter(awaiter);
        }
        if let Some(outcome) = self.processes[id].outcome.take() {
            self.drop_outcome(id, outcome);
        }
        self.processes[id].handle = false;
        self.free_if_unreachable(id);
        self.run_last_if_orphan(id);
    }

    pub(crate) fn drop_awaiter(&mut self, awaiter: usize) {
        self.awaiters[awaiter] -= 1;
        self.contained(When::AwaiterDrop(awaiter));
    }

    pub(crate) fn await_handle(&mut self, id: Id, awaiter: usize) {
        let Some(form) = self.processes[id].form.take() else { return };
        let saw = self.poll_handle(id, awaiter, form);
        self.events.push(Event::Saw(id, saw));
        self.processes[id].form = Some(form);
        match saw {
            Saw::Value => self.contained(When::OutputDrop(id)),
            Saw::Panic(when) | Saw::Unwound(when) => self.events.push(Event::Payload(when)),
            Saw::Pending | Saw::Nothing | Saw::Refused => {}
        }
    }

    pub(crate) fn poll_handle(&mut self, id: Id, awaiter: usize, form: Form) -> Saw {
        if !self.processes[id].handle {
            return Saw::Refused;
        }
        match self.register(id, awaiter) {
            Ok(true) => return Saw::Pending,
            Ok(false) => {}
            Err(when) => {
                // A panic ends an async function, and with it the handle inside.
                if form == Form::Outcome {
                    self.drop_handle(id);
                }
                return Saw::Unwound(when);
            }
        }
        let outcome = self.processes[id].outcome.take();
        self.processes[id].handle = false;
        self.free_if_unreachable(id);
        match (outcome, form) {
            (Some(Ok(())), _) => Saw::Value,
            (None, _) => Saw::Nothing,
            (Some(Err(when)), Form::Plain) => Saw::Unwound(when),
            (Some(Err(when)), Form::Outcome) => Saw::Panic(when),
            (Some(Err(when)), Form::Recoverable) => {
                self.events.push(Event::Payload(when));
                Saw::Nothing
            }
        }
    }

    /// Puts an awaiter into the slot of a process; says whether it is there, and not if the process has ended.
    pub(crate) fn register(&mut self, id: Id, awaiter: usize) -> Result<bool, When> {
        let p = &mut self.processes[id];
        if !p.alive {
            return Ok(false);
        }
        if p.awaiter == Some(awaiter) {
            return Ok(true);
        }
        if let Some(other) = p.awaiter.take() {
            self.drop_awaiter(other);
        }
        if self.at(When::AwaiterClone(awaiter)) == Step::Panic {
            return Err(When::AwaiterClone(awaiter));
        }
        self.awaiters[awaiter] += 1;
        if self.processes[id].alive {
            self.processes[id].awaiter = Some(awaiter);
            return Ok(true);
        }
        self.drop_awaiter(awaiter);
        Ok(false)
    }
}
