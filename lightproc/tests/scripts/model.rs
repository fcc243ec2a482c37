//! The model: processes as rows of plain values, one thread, nothing clever.
//!
//! Knows no pointer and no state word. What happens to a process is in `rules.rs`.

use crate::event::{Event, Handle, Ran, Sight};
use crate::script::{AWAITERS, Act, End, First, Id, Kind, Mode, Op, Step, When};
use std::collections::{HashMap, VecDeque};

/// In which form the handle is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Form {
    Plain,
    Recoverable,
    Outcome,
}

/// One process.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) captures: bool,
    pub(crate) mode: Mode,
    /// The future has not ended.
    pub(crate) alive: bool,
    pub(crate) started: bool,
    pub(crate) cancelled: bool,
    /// Somebody has the `LightProc`: it is queued or running.
    pub(crate) runner: bool,
    /// It was woken since its last poll began.
    pub(crate) woken: bool,
    /// A handle exists and may still give an outcome.
    pub(crate) handle: bool,
    /// Where a script finds the handle, also one that has given its outcome.
    pub(crate) form: Option<Form>,
    /// What waits for the handle: the output, or the panic of that moment.
    pub(crate) outcome: Option<Result<(), When>>,
    pub(crate) awaiter: Option<usize>,
    /// All wakers that exist, and those of them that a script finds.
    pub(crate) wakers: usize,
    pub(crate) given: usize,
    pub(crate) captured: usize,
    pub(crate) freed: usize,
}

/// All processes of a script.
#[derive(Debug, Default)]
pub(crate) struct Model {
    pub(crate) processes: Vec<Process>,
    pub(crate) queue: VecDeque<Id>,
    pub(crate) plans: HashMap<When, VecDeque<Step>>,
    pub(crate) awaiters: [isize; AWAITERS],
    pub(crate) events: Vec<Event>,
}

impl Model {
    /// Carries out one operation.
    pub(crate) fn perform(&mut self, op: Op) {
        match op {
            Op::Spawn { kind, captures, mode, first } => self.spawn(kind, captures, mode, first),
            Op::Do(act) => self.act(act),
            Op::Plan(when, step) => self.plans.entry(when).or_default().push_back(step),
        }
    }

    /// Forgets what users' code would still do.
    pub(crate) fn calm(&mut self) {
        self.plans.clear();
    }

    /// Returns what there is to see, with the events since the last look.
    pub(crate) fn look(&mut self) -> Sight {
        let mut sight = Sight {
            events: std::mem::take(&mut self.events),
            queue: self.queue.iter().copied().collect(),
            awaiters: self.awaiters,
            ..Sight::default()
        };
        for (id, p) in self.processes.iter().enumerate() {
            sight.wakers[id] = p.given;
            sight.captured[id] = p.captured;
            sight.handles[id] = p.form.map(|form| Handle {
                finished: form != Form::Outcome && !(p.alive && p.handle),
                terminated: form != Form::Outcome && !p.handle,
                data: (form != Form::Outcome && p.handle).then_some(id),
            });
        }
        sight
    }

    /// Returns the processes that were not freed exactly once.
    pub(crate) fn left(&self) -> Vec<Id> {
        (0..self.processes.len()).filter(|id| self.processes[*id].freed != 1).collect()
    }

    fn spawn(&mut self, kind: Kind, captures: bool, mode: Mode, first: First) {
        let form = match kind {
            Kind::Plain => Some(Form::Plain),
            Kind::Recoverable => Some(Form::Recoverable),
            Kind::Detached => None,
        };
        let id = self.processes.len();
        self.processes.push(Process {
            captures,
            mode,
            alive: true,
            started: false,
            cancelled: false,
            runner: true,
            woken: false,
            handle: form.is_some(),
            form,
            outcome: None,
            awaiter: None,
            wakers: 0,
            given: 0,
            captured: 0,
            freed: 0,
        });
        match first {
            First::Scheduled => self.schedule(id),
            First::Queued => self.queue.push_back(id),
            First::Dropped => self.abandon(id),
        }
    }

    pub(crate) fn act(&mut self, act: Act) {
        match act {
            Act::Run(end) => {
                if let Some(id) = self.due(end)
                    && self.poll(id) == Ran::Woken
                {
                    self.schedule(id);
                }
            }
            Act::Poll(end) => {
                if let Some(id) = self.due(end) {
                    let ran = self.poll(id);
                    self.events.push(Event::Ran(id, ran));
                    if ran == Ran::Woken {
                        self.queue.push_back(id);
                    }
                }
            }
            Act::DropDue(end) => {
                if let Some(id) = self.due(end) {
                    self.abandon(id);
                }
            }
            Act::CancelDue(End::Oldest) => self.cancel_due(self.queue.front().copied()),
            Act::CancelDue(End::Newest) => self.cancel_due(self.queue.back().copied()),
            Act::CloneWaker(id) => {
                if self.processes[id].given > 0 {
                    self.processes[id].given += 1;
                    self.processes[id].wakers += 1;
                }
            }
            Act::Wake(id) => {
                if self.take_waker(id) {
                    self.wake_by_value(id);
                }
            }
            Act::WakeByRef(id) => {
                if self.take_waker(id) {
                    self.wake(id);
                    self.processes[id].given += 1;
                }
            }
            Act::DropWaker(id) => {
                if self.take_waker(id) {
                    self.drop_waker(id);
                }
            }
            Act::Await(id, awaiter) => self.await_handle(id, awaiter),
            Act::Outcome(id) => {
                let form = &mut self.processes[id].form;
                if *form == Some(Form::Recoverable) {
                    *form = Some(Form::Outcome);
                }
            }
            Act::Cancel(id) => self.cancel(id),
            Act::DropHandle(id) => {
                if self.processes[id].form.take().is_some() {
                    self.drop_handle(id);
                }
            }
        }
    }

    fn due(&mut self, end: End) -> Option<Id> {
        match end {
            End::Oldest => self.queue.pop_front(),
            End::Newest => self.queue.pop_back(),
        }
    }

    fn cancel_due(&mut self, id: Option<Id>) {
        if let Some(id) = id {
            self.processes[id].cancelled = true;
        }
    }

    fn take_waker(&mut self, id: Id) -> bool {
        let given = &mut self.processes[id].given;
        let taken = *given > 0;
        *given -= usize::from(taken);
        taken
    }
}
