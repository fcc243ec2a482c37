//! The driver: the body of a supervisor. It tells the plan what happened, and does what the plan says.

use super::builder::Blueprint;
use super::command::{Command, Signal};
use super::entry::Entry;
use super::error::{InvalidSupervisor, SupervisorError};
use crate::child::{self, AnyChild};
use crate::exit::Exit;
use crate::pid::{Pid, PidMap};
use crate::place::Place;
use crate::plan::{self, Action, ExitReason, Finish, Plan, Time};
use crate::process::{Context, Life, Shared, guard};
use crate::report::Report;
use crate::runtime::Timer;
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Task, Poll};

/// After so many events in a row a supervisor lets others run.
const EVENTS_IN_A_ROW: u32 = 128;

/// Drives one incarnation of a supervisor to its end.
pub(crate) async fn drive(cx: Context<Command>, blueprint: Arc<Blueprint>) -> Result<(), Exit> {
    let mut driver = Driver::new(cx, blueprint)?;
    loop {
        if let Some(finish) = driver.perform() {
            return driver.finished(finish);
        }
        let event = poll_fn(|task| driver.poll_event(task)).await;
        driver.at = driver.cx.env().now();
        match event {
            Event::Signal(signal) => driver.signal(signal),
            Event::Command(command) => driver.command(command),
            Event::Stop(deadline) => driver.stop(deadline),
            Event::Tick => {}
        }
        if driver.plan.next_deadline().is_some_and(|due| due <= driver.at) {
            driver.plan.tick(driver.at, &mut driver.actions);
        }
    }
}

enum Event {
    Signal(Signal),
    Command(Command),
    Stop(Option<Time>),
    Tick,
}

pub(super) struct Driver {
    pub(super) plan: Plan,
    pub(super) actions: Vec<Action>,
    pub(super) table: PidMap<Entry>,
    pub(super) cx: Context<Command>,
    me: Arc<Shared<Command>>,
    blueprint: Arc<Blueprint>,
    /// The stop request that the plan has been told of.
    stopping: Option<Option<Time>>,
    timer: Option<(Time, Timer)>,
    /// What was heard of the children and not handled yet.
    signals: VecDeque<Signal>,
    in_a_row: u32,
    /// When the event that is being handled was seen.
    at: Time,
}

impl Driver {
    fn new(cx: Context<Command>, blueprint: Arc<Blueprint>) -> Result<Driver, Exit> {
        let invalid = |error: Arc<dyn std::error::Error + Send + Sync>| {
            let supervisor = blueprint.name.clone();
            Exit::from(SupervisorError::Invalid { supervisor, error })
        };
        if blueprint.name.is_empty() {
            return Err(invalid(Arc::new(InvalidSupervisor::EmptyName)));
        }
        blueprint.observers().tell(Some(cx.env()), |observer| observer.starting());
        let mut plan =
            Plan::new(blueprint.settings(cx.env())).map_err(|error| invalid(Arc::new(error)))?;
        plan.seed(cx.env().runtime().random());
        let now = cx.env().now();
        let mut driver = Driver {
            plan,
            actions: Vec::new(),
            table: PidMap::default(),
            me: cx.address().shared,
            cx,
            blueprint: blueprint.clone(),
            stopping: None,
            timer: None,
            signals: VecDeque::new(),
            in_a_row: 0,
            at: now,
        };
        for child in &blueprint.children {
            let pid = driver.insert(child, true);
            Driver::claim(child);
            let (spec, last) = (child.spec().clone(), child.start.process().core().incarnation());
            let added = driver.plan.add_known(pid, spec, last, now, &mut driver.actions);
            added.map_err(|error| invalid(Arc::new(error)))?;
        }
        driver.plan.start(now, &mut driver.actions);
        Ok(driver)
    }

    pub(super) fn now(&self) -> Time {
        self.at
    }

    pub(super) fn name(&self) -> &Arc<str> {
        &self.blueprint.name
    }

    /// Puts a child into the table and gives it its pid.
    pub(super) fn insert(&mut self, child: &AnyChild, declared: bool) -> Pid {
        let pid = self.settle(child);
        self.table.entry(pid).or_insert_with(|| Entry::new(child, declared));
        pid
    }

    /// Gives a child its pid, and, if it is a supervisor, its place: from then on it can be asked to spawn children, before it is started.
    pub(super) fn settle(&self, child: &AnyChild) -> Pid {
        child.start.set_place(self.place_of(child));
        child.start.set_above(&self.me);
        // Its own surroundings are those of its supervisor; what is below has this one's.
        let below = self.me.core.env().expect("a supervisor that runs is settled");
        child.start.settle(below)
    }

    /// Gives a child its names, so that others find it before it is started. If it does not get one, its start will, or says why it fails.
    pub(super) fn claim(child: &AnyChild) {
        let _ = child.start.claim(child.names());
    }

    /// Where a child runs: where it says, else where this supervisor does.
    fn place_of(&self, child: &AnyChild) -> Place {
        child.place().cloned().unwrap_or_else(|| self.me.place())
    }

    fn poll_event(&mut self, task: &mut Task<'_>) -> Poll<Event> {
        if self.cx.is_killed() {
            // The next poll drops it. What waits in the mailbox is the next incarnation's.
            return Poll::Pending;
        }
        if let Some(deadline) = self.new_stop_request() {
            return Poll::Ready(Event::Stop(deadline));
        }
        if self.in_a_row >= EVENTS_IN_A_ROW {
            self.in_a_row = 0;
            task.waker().wake_by_ref();
            return Poll::Pending;
        }
        if let Some(signal) = self.next_signal() {
            self.in_a_row += 1;
            return Poll::Ready(Event::Signal(signal));
        }
        if let Poll::Ready(command) = self.cx.poll_message(task) {
            self.in_a_row += 1;
            // Whoever sent it may have spawned a child before, which is then known when it is answered.
            return Poll::Ready(match self.next_signal() {
                None => Event::Command(command),
                Some(signal) => {
                    self.cx.unreceive(command);
                    Event::Signal(signal)
                }
            });
        }
        self.in_a_row = 0;
        // What came before the waker was left in the mailbox.
        self.me.begin_to_wait(self.plan.is_at_ease());
        if let Some(deadline) = self.new_stop_request() {
            return Poll::Ready(Event::Stop(deadline));
        }
        if let Some(signal) = self.next_signal() {
            return Poll::Ready(Event::Signal(signal));
        }
        self.poll_timer(task).map(|()| Event::Tick)
    }

    fn next_signal(&mut self) -> Option<Signal> {
        if self.signals.is_empty() {
            self.me.take_signals(&mut self.signals, false);
        }
        self.signals.pop_front()
    }

    /// The deadline of a stop request that the plan has not been told of.
    fn new_stop_request(&mut self) -> Option<Option<Time>> {
        let request = self.cx.stop_request()?;
        (self.stopping.replace(request) != Some(request)).then_some(request)
    }

    fn poll_timer(&mut self, task: &mut Task<'_>) -> Poll<()> {
        let Some(deadline) = self.plan.next_deadline() else {
            self.timer = None;
            return Poll::Pending;
        };
        // One that is over too early is replaced then: deadlines are put off more often than they are reached.
        let usable = self.timer.take().filter(|(at, _)| *at <= deadline);
        let new = || (deadline, self.cx.env().runtime().timer(deadline));
        let (at, mut timer) = usable.unwrap_or_else(new);
        let over = Pin::new(&mut timer).poll(task);
        if over.is_pending() {
            self.timer = Some((at, timer));
        }
        over
    }

    fn stop(&mut self, deadline: Option<Time>) {
        // Who arrived before is stopped with the others, and not refused.
        self.me.take_signals(&mut self.signals, true);
        for signal in std::mem::take(&mut self.signals) {
            match signal {
                Signal::Arrived(child) => self.adopt(child),
                other => self.signals.push_back(other),
            }
        }
        let now = self.now();
        self.plan.stop(ExitReason::Shutdown, deadline, now, &mut self.actions);
    }

    /// Does what the plan says, until it says nothing more. `Some`: no child is left.
    fn perform(&mut self) -> Option<Finish> {
        while !self.actions.is_empty() {
            let mut actions = std::mem::take(&mut self.actions);
            for action in actions.drain(..) {
                if let Some(finish) = self.act(action) {
                    return Some(finish);
                }
            }
            if self.actions.is_empty() {
                // The buffer is used again.
                self.actions = actions;
                break;
            }
        }
        None
    }

    fn act(&mut self, action: Action) -> Option<Finish> {
        match action {
            Action::Start { pid, incarnation } => self.start(pid, incarnation),
            Action::Stop { pid, deadline, .. } => {
                self.note_return(pid);
                self.with_life(pid, |entry, life| {
                    life.request_stop(deadline);
                    entry.start.process().wake();
                });
            }
            Action::Kill { pid, .. } => {
                self.note_return(pid);
                self.with_life(pid, |_, life| life.kill());
            }
            Action::Watch { pid, incarnation } => self.watch(pid, incarnation),
            Action::Stopped { pid } => self.stopped(pid),
            Action::Removed { pid, reason } => self.removed(pid, reason),
            Action::Abandoned { pid, .. } => self.abandoned(pid),
            Action::Report(report) => self.report(report),
            Action::Ready => self.ready(),
            Action::Finish(finish) => return Some(finish),
        }
        None
    }

    fn ready(&self) {
        self.blueprint.observers().tell(Some(self.cx.env()), |observer| observer.started());
        self.cx.ready();
    }

    /// Tells a child that is about to be stopped whether that is only for a restart.
    fn note_return(&self, pid: Pid) {
        if self.plan.comes_back(pid, self.cx.is_coming_back()) {
            self.with_life(pid, |_, life| life.set_coming_back());
        }
    }

    /// Looks whether a child makes progress.
    fn watch(&mut self, pid: Pid, incarnation: u32) {
        let mut progress = true;
        self.with_life(pid, |_, life| progress = life.made_progress());
        if !progress {
            let now = self.now();
            self.plan.silent(pid, incarnation, now, &mut self.actions);
        }
    }

    fn with_life(&self, pid: Pid, f: impl FnOnce(&Entry, &Life)) {
        if let Some(entry) = self.table.get(&pid)
            && let Some(life) = &entry.life
        {
            f(entry, life);
        }
    }

    fn start(&mut self, pid: Pid, incarnation: u32) {
        let Some(entry) = self.table.get_mut(&pid) else { return };
        let life = Arc::new(Life::new(self.me.clone(), pid, incarnation));
        entry.life = Some(life.clone());
        let process = entry.start.process();
        process.core().begin(&life, self.at);
        process.open();
        child::claim(&entry.start, entry.names(), &life);
        let place = entry.place().cloned().unwrap_or_else(|| self.me.place());
        entry.start.clone().spawn(life, entry.is_gated(), place);
    }

    fn stopped(&mut self, pid: Pid) {
        if let Some(entry) = self.table.get(&pid) {
            entry.start.rest(true);
        }
        self.at_rest(pid, None);
    }

    /// A declared child that leaves because all do keeps its address: the supervisor may be restarted.
    fn removed(&mut self, pid: Pid, reason: ExitReason) {
        self.at_rest(pid, Some(&reason));
        let Some(entry) = self.table.remove(&pid) else { return };
        if entry.is_declared() && self.plan.is_ending() {
            entry.start.rest(false);
        } else {
            child::close(&entry.start, &reason);
        }
        // What the start closure has captured is foreign.
        guard::contain(|| drop(entry));
    }

    fn abandoned(&mut self, pid: Pid) {
        self.with_life(pid, |entry, life| {
            let core = entry.start.process().core();
            core.leave(life, &ExitReason::Killed);
            let (supervisor, child) = (self.blueprint.name.clone(), core.name().cloned());
            let incarnation = life.incarnation();
            self.cx.env().report(Report::Abandoned { supervisor, pid, child, incarnation });
        });
    }

    pub(super) fn report(&mut self, report: plan::Report) {
        let pid = report.pid();
        if let plan::Report::StartFailed { reason, .. } = &report {
            self.start_failed(pid, reason);
        }
        let child =
            self.table.get(&pid).and_then(|entry| entry.start.process().core().name().cloned());
        let supervisor = self.blueprint.name.clone();
        let path = self.me.path().unwrap_or(&supervisor).clone();
        let report = Report::Supervisor { supervisor, path, child, report };
        self.cx.env().report_at(report, self.at);
    }

    fn finished(&mut self, finish: Finish) -> Result<(), Exit> {
        match finish {
            Finish::Stopped(ExitReason::Normal) => Ok(()),
            Finish::Stopped(reason) => Err(Exit::with(reason)),
            finish => {
                let gave_up = matches!(finish, Finish::GaveUp { .. });
                let gave_up = gave_up && !self.blueprint.gives_up_with_error();
                let supervisor = self.blueprint.name.clone();
                let error = SupervisorError::Finished { supervisor, finish };
                Err(if gave_up { Exit::shutdown_with(error) } else { Exit::from(error) })
            }
        }
    }
}

/// Ends a child for good that was never in the table.
pub(super) fn end_for_good(child: AnyChild, reason: &ExitReason) {
    child::close(&child.start, reason);
    // What the start closure has captured is foreign.
    guard::contain(|| drop(child));
}

/// No child outlives its supervisor: when this one is killed, its children are.
impl Drop for Driver {
    fn drop(&mut self) {
        // Who has arrived is among them, heard of or not. Other signals are of incarnations that are over.
        self.me.take_signals(&mut self.signals, true);
        self.signals.drain(..).for_each(|signal| guard::contain(|| drop(signal)));
        for (_, entry) in self.table.drain() {
            if let Some(life) = &entry.life {
                life.kill();
                self.cx.env().orphan(life);
            }
            if entry.is_declared() {
                entry.start.rest(false);
            } else {
                child::close(&entry.start, &ExitReason::Killed);
            }
            guard::contain(|| drop(entry));
        }
        if !self.plan.has_failed() && !self.cx.is_coming_back() {
            self.blueprint.observers().tell(Some(self.cx.env()), |observer| observer.stopped());
        }
    }
}
