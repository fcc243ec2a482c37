//! The state machine: what it is made of, its events, and the steps that all rooms share.

use super::action::{Action, Finish, Report};
use super::children::{Cause, ChildView, Children, Counts, State};
use super::dependency::Ties;
use super::ending::Ending;
use super::exit::ExitReason;
use super::group::Group;
use super::intensity::Window;
use super::restart::RestartType;
use super::settings::{Order, Settings, SettingsError, Strategy};
use super::shutdown::Shutdown;
use super::time::Time;
use super::timers::Timers;
use super::upkeep::Upkeep;
use crate::pid::{Pid, PidMap};

/// The mind of one supervisor.
///
/// Every event appends what has to be done to `out`, in order. `now` must never go back; if it
/// does, the plan merely sees less time pass. Events about an incarnation that is gone, or about a
/// pid that is not a child, change nothing (conformance row 126).
///
/// Promises, whatever the events:
/// - `Start` of incarnation n+1 comes only after incarnation n ended or was abandoned.
/// - An ordered supervisor starts its children one after another, each when the one before is
///   ready, and stops them in reverse, each when the one before has ended.
/// - Every child leaves with exactly one `Removed`, and after the last of them `Finish` comes,
///   exactly once.
/// - A stop with a deadline ends at the deadline plus [`Settings::kill_grace`] at the latest, if
///   `tick` is called when `next_deadline` says so.
#[derive(Debug)]
pub struct Plan {
    pub(super) settings: Settings,
    pub(super) window: Option<Window>,
    pub(super) children: Children,
    pub(super) timers: Timers,
    pub(super) ties: Ties,
    /// Of children that have a watchdog, or a longest lifetime, and run.
    pub(super) upkeep: PidMap<Upkeep>,
    /// The children's own windows, of those that have failed.
    pub(super) budgets: PidMap<Window>,
    pub(super) phase: Phase,
    /// The start, or the group restart, under way.
    pub(super) group: Option<Group>,
    /// How many declared children are still to become ready.
    pub(super) awaited: usize,
    pub(super) ready: bool,
    /// It ends, and nobody has asked for that.
    pub(super) failed: bool,
    /// The last child has left, and that is not dealt with yet.
    pub(super) emptied: bool,
    /// What the next random number is made from.
    random: u64,
}

/// Where in its life a supervisor is.
#[derive(Debug)]
pub(super) enum Phase {
    /// Children are being declared.
    Declared,
    Started,
    Ending(Ending),
    Finished,
}

impl Plan {
    /// Returns a supervisor without children.
    ///
    /// # Errors
    ///
    /// Settings that contradict themselves: see [`Settings::validate`].
    pub fn new(settings: Settings) -> Result<Plan, SettingsError> {
        settings.validate()?;
        Ok(Plan {
            window: settings.intensity.map(Window::new),
            settings,
            children: Children::default(),
            timers: Timers::default(),
            ties: Ties::default(),
            upkeep: PidMap::default(),
            budgets: PidMap::default(),
            phase: Phase::Declared,
            group: None,
            awaited: 0,
            ready: false,
            failed: false,
            emptied: false,
            random: 0,
        })
    }

    /// Gives the plan the random number that the random parts of delays are made from
    /// ([`Backoff::jitter`](super::Backoff::jitter)): it has none of its own, and does the same
    /// again with the same number.
    pub const fn seed(&mut self, random: u64) {
        self.random = random;
    }

    /// Starts the declared children: in order, each when the one before is ready (row 18); those
    /// of an unordered supervisor all at once.
    ///
    /// If one of them fails to start, those that did are stopped in reverse, and the plan ends with
    /// [`Finish::StartFailed`] (row 17). A second call changes nothing.
    pub fn start(&mut self, now: Time, out: &mut Vec<Action>) {
        if !matches!(self.phase, Phase::Declared) {
            return;
        }
        self.phase = Phase::Started;
        if self.is_ordered() {
            self.group = Some(Group::starting(0));
            // One that is on its way down takes its group with it, now that there is one.
            let pids = self.children.pids().filter(|_| !self.is_one_for_one());
            let down = |pid: &Pid| self.children.get(*pid).is_some_and(|child| child.follows);
            if let Some(first) = pids.filter(down).min_by_key(|&pid| self.children.seq(pid)) {
                self.restart_group(first);
            }
        } else {
            for pid in self.children.pids().collect::<Vec<_>>() {
                if self.children.get(pid).is_some_and(|child| child.state == State::Stopped) {
                    self.launch(pid, out);
                }
            }
        }
        self.conclude(now, out);
    }

    /// An incarnation has finished its initialisation: it is ready.
    pub fn started(&mut self, pid: Pid, incarnation: u32, now: Time, out: &mut Vec<Action>) {
        let Some(state) = self.living(pid, incarnation) else { return };
        if state == State::Starting {
            self.children.set_state(pid, State::Running { since: now });
            self.keep_up(pid, now);
        }
        self.settle(pid);
        self.conclude(now, out);
    }

    /// An incarnation failed in its initialisation, and is gone.
    ///
    /// What follows depends on who wanted the start. A declared child fails the start of the
    /// supervisor (row 17), a child that was just added leaves again (row 15), one whose restart
    /// was asked for rests (row 14). A restart by the supervisor itself is decided upon as an
    /// abnormal end: it is tried again, and counts for the intensity (rows 71, 83, 92).
    pub fn start_failed(
        &mut self,
        pid: Pid,
        incarnation: u32,
        reason: ExitReason,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        if self.living(pid, incarnation).is_some() {
            self.ended(pid, reason, true, now, out);
            self.conclude(now, out);
        }
    }

    /// An incarnation declined to run, and is gone (OTP's start result `ignore`).
    ///
    /// It counts as started, but its child rests; a temporary child leaves, and so does one of an
    /// unordered supervisor (rows 8 to 13, 97).
    pub fn start_ignored(&mut self, pid: Pid, incarnation: u32, now: Time, out: &mut Vec<Action>) {
        let Some(state) = self.living(pid, incarnation) else { return };
        if state == State::Starting && !self.has_to_end(pid) {
            self.put_to_rest(pid, ExitReason::Normal, out);
        } else {
            self.ended(pid, ExitReason::Normal, false, now, out);
        }
        self.conclude(now, out);
    }

    /// An incarnation says that what it failed of is over: its next failure is the first of a row
    /// (row 278), and a trial after a quarantine is passed.
    pub fn healthy(&mut self, pid: Pid, incarnation: u32) {
        if let Some(State::Running { .. }) = self.living(pid, incarnation)
            && let Some(child) = self.children.get_mut(pid)
        {
            child.failures = 0;
            child.half_open = false;
        }
    }

    /// An incarnation has ended.
    ///
    /// An end before the incarnation was ready is a failed start, whatever the reason.
    pub fn exited(
        &mut self,
        pid: Pid,
        incarnation: u32,
        reason: ExitReason,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        if let Some(state) = self.living(pid, incarnation) {
            self.ended(pid, reason, state == State::Starting, now, out);
            self.conclude(now, out);
        }
    }

    /// Ends the supervisor: stops all children, in reverse one after another (row 110), those of
    /// an unordered supervisor in parallel (row 100).
    ///
    /// `deadline` caps the deadline of every child. When it has passed, all that still live are
    /// killed at once; `Finish` comes at the latest [`Settings::kill_grace`] later. A deadline that
    /// has passed already kills without asking.
    ///
    /// A second call with an earlier deadline tightens the stop under way, whatever it was that
    /// caused it; the first reason stands.
    pub fn stop(
        &mut self,
        reason: ExitReason,
        deadline: Option<Time>,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        match self.phase {
            Phase::Declared | Phase::Started => {
                self.end(Finish::Stopped(reason), deadline, now, out);
            }
            Phase::Ending(_) => self.tighten(deadline, now, out),
            Phase::Finished => return,
        }
        self.conclude(now, out);
    }

    /// Time has passed: does what is due, if anything is.
    ///
    /// What follows from it may be due at once: then [`Plan::next_deadline`] is not later than
    /// `now` again.
    pub fn tick(&mut self, now: Time, out: &mut Vec<Action>) {
        self.force_if_due(now, out);
        loop {
            let (children, upkeep) = (&self.children, &self.upkeep);
            let live = |at, pid| is_live(children, upkeep, at, pid);
            let Some(pid) = self.timers.pop_due(now, live) else { break };
            match self.children.get(pid).map(|child| child.state) {
                Some(State::Running { .. }) => self.look_after(pid, now, out),
                Some(State::Backoff { .. }) => self.resume(pid, out),
                Some(State::Stopping { .. }) => self.kill(pid, true, now, out),
                Some(State::Killing { .. }) => self.abandon(pid, now, out),
                _ => {}
            }
        }
        self.conclude(now, out);
    }

    /// Returns when to call [`Plan::tick`] next; `None`: not before another event.
    pub fn next_deadline(&self) -> Option<Time> {
        let forced = match &self.phase {
            Phase::Ending(ending) => ending.next_deadline(),
            _ => None,
        };
        match (self.timers.next(), forced) {
            (Some(timer), Some(forced)) => Some(timer.min(forced)),
            (timer, forced) => timer.or(forced),
        }
    }

    /// Returns whether all children are being taken down, or are: nothing is started any more.
    pub const fn is_ending(&self) -> bool {
        matches!(self.phase, Phase::Ending(_) | Phase::Finished)
    }

    /// Changes the supervisor's own rules, also while children are being restarted: what is under way goes on as it began.
    ///
    /// No child is started or stopped for it, also if there are more children than may be (rows 167, 168, 242). The restarts that were counted stay counted.
    ///
    /// # Errors
    ///
    /// Settings that contradict themselves, or another order. Nothing has changed then.
    pub fn change_settings(&mut self, settings: Settings) -> Result<(), SettingsError> {
        settings.validate()?;
        if settings.order != self.settings.order {
            return Err(SettingsError::OrderIsFixed);
        }
        self.window = match (self.window.take(), settings.intensity) {
            (Some(mut window), Some(intensity)) => {
                window.change(intensity);
                Some(window)
            }
            (_, intensity) => intensity.map(Window::new),
        };
        self.settings = settings;
        Ok(())
    }

    /// Returns the rules of this supervisor.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Returns how many restarts count for the intensity `now`; 0 when any number is borne.
    pub fn recent_restarts(&self, now: Time) -> usize {
        self.window.as_ref().map_or(0, |window| window.count(now))
    }

    /// Returns the child with this id.
    pub fn find(&self, id: &str) -> Option<Pid> {
        self.children.find(id)
    }

    /// Returns what is known about a child.
    pub fn child(&self, pid: Pid) -> Option<ChildView<'_>> {
        self.children.get(pid).map(|child| child.view())
    }

    /// Returns the children in the order of their start (OTP's `which_children` lists them in
    /// reverse).
    pub fn children(&self) -> impl Iterator<Item = ChildView<'_>> {
        self.children.views()
    }

    /// Returns how many children there are, without counting them.
    pub fn counts(&self) -> Counts {
        self.children.counts()
    }

    pub(super) fn is_ordered(&self) -> bool {
        self.settings.order == Order::Ordered
    }

    pub(super) fn is_one_for_one(&self) -> bool {
        self.settings.strategy == Strategy::OneForOne
    }

    /// Returns whether the living incarnation of a child would be stopped in a moment, if it is
    /// not being stopped already: with all others, for a group restart, or to follow another.
    pub(super) fn has_to_end(&self, pid: Pid) -> bool {
        let stops = |group: &Group| self.children.seq(pid).is_some_and(|seq| group.stops(seq));
        matches!(self.phase, Phase::Ending(_))
            || self.group.as_ref().is_some_and(stops)
            || self.children.get(pid).is_some_and(|child| child.follows)
    }

    /// Returns whether the child is one that the start or the group restart under way has still
    /// to start.
    pub(super) fn is_to_start(&self, pid: Pid) -> bool {
        match (&self.phase, &self.group, self.children.seq(pid)) {
            (Phase::Declared, _, Some(_)) => self.is_ordered(),
            (_, Some(group), Some(seq)) => seq >= group.from,
            _ => false,
        }
    }

    /// Returns whether the group restart under way, or the start to come, and nothing else, is to start the child.
    pub(super) fn is_grouped(&self, pid: Pid) -> bool {
        let restarts = match self.phase {
            Phase::Declared => !self.is_one_for_one(),
            _ => self.group.as_ref().is_some_and(|group| group.restarts),
        };
        restarts && self.is_to_start(pid)
    }

    /// Starts the next incarnation of a child of which none lives.
    pub(super) fn launch(&mut self, pid: Pid, out: &mut Vec<Action>) {
        let Some(child) = self.children.get_mut(pid) else { return };
        debug_assert!(!child.state.is_alive(), "two incarnations of {pid}");
        child.incarnation = child.incarnation.wrapping_add(1);
        child.follows = false;
        if child.cause == Cause::Adopted {
            child.cause = Cause::Restart;
        }
        let incarnation = child.incarnation;
        self.children.set_state(pid, State::Starting);
        out.push(Action::Start { pid, incarnation });
    }

    /// Asks a living child to stop, or kills it if that is how it is stopped.
    pub(super) fn ask_to_stop(
        &mut self,
        pid: Pid,
        parent: Option<Time>,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        self.credit_run(pid, now);
        let Some(child) = self.children.get(pid) else { return };
        let spec = &child.spec;
        if spec.shutdown == Shutdown::Brutal {
            return self.kill(pid, false, now, out);
        }
        let times = spec.shutdown.stop_times(spec.kind, now, parent);
        out.push(Action::Stop { pid, incarnation: child.incarnation, deadline: times.told });
        self.children.set_state(pid, State::Stopping { kill: times.kill });
        if let Some(at) = times.kill {
            self.timers.arm(at, pid);
        }
    }

    /// Kills a living child; `forced`: because it did not stop in time.
    pub(super) fn kill(&mut self, pid: Pid, forced: bool, now: Time, out: &mut Vec<Action>) {
        self.credit_run(pid, now);
        let Some(child) = self.children.get(pid) else { return };
        let incarnation = child.incarnation;
        let until = now + self.settings.kill_grace;
        self.children.set_state(pid, State::Killing { until });
        self.timers.arm(until, pid);
        out.push(Action::Kill { pid, incarnation });
        if forced {
            out.push(Action::Report(Report::ForcedKill { pid, incarnation }));
        }
    }

    /// Goes on without a child that did not end although it was killed.
    fn abandon(&mut self, pid: Pid, now: Time, out: &mut Vec<Action>) {
        let Some(child) = self.children.get(pid) else { return };
        out.push(Action::Abandoned { pid, incarnation: child.incarnation });
        self.ended(pid, ExitReason::Killed, false, now, out);
    }

    /// Takes note that a declared child is not waited for any more, and that later starts of the
    /// child are restarts.
    pub(super) fn settle(&mut self, pid: Pid) {
        if let Some(child) = self.children.get_mut(pid) {
            child.cause = Cause::Restart;
            self.awaited -= usize::from(std::mem::take(&mut child.declared));
        }
        self.touch(pid);
    }

    /// Leaves a child of which no incarnation lives in the table, not running; a temporary one,
    /// or one of an unordered supervisor, leaves the table.
    pub(super) fn put_to_rest(&mut self, pid: Pid, reason: ExitReason, out: &mut Vec<Action>) {
        let Some(child) = self.children.get(pid) else { return };
        if child.spec.restart == RestartType::Temporary || !self.is_ordered() {
            return self.remove(pid, reason, out);
        }
        // A request to stop says itself, when it is made, what it holds back.
        let held = if child.asked { child.held } else { self.is_to_start(pid) };
        self.settle(pid);
        if let Some(child) = self.children.get_mut(pid) {
            child.asked = false;
            child.follows = false;
            child.held = held;
        }
        self.children.rest(pid);
        out.push(Action::Stopped { pid });
    }

    /// Takes a child of which no incarnation lives out of the table.
    pub(super) fn remove(&mut self, pid: Pid, reason: ExitReason, out: &mut Vec<Action>) {
        self.settle(pid);
        if let Some(child) = self.children.remove(pid) {
            self.ties.remove(pid, &child.spec);
            self.upkeep.remove(&pid);
            self.budgets.remove(&pid);
            out.push(Action::Removed { pid, reason });
            self.emptied = self.children.len() == 0;
            match (&mut self.group, self.children.compact()) {
                (Some(group), Some(former)) => group.renumber(&former),
                (Some(_), None) => {}
                // Nobody remembers a place.
                (None, _) => self.children.trim(),
            }
        }
    }

    /// Closes an event: goes on with what is under way, sweeps timers, and tells when the start
    /// is complete.
    pub(super) fn conclude(&mut self, now: Time, out: &mut Vec<Action>) {
        self.step(now, out);
        self.follow(now, out);
        let (children, upkeep) = (&self.children, &self.upkeep);
        self.timers.drop_stale(children.len(), |at, pid| is_live(children, upkeep, at, pid));
        if matches!(self.phase, Phase::Started) && self.awaited == 0 && !self.ready {
            self.ready = true;
            out.push(Action::Ready);
        }
        self.end_if_empty(now, out);
    }

    /// Makes one more random number from the one that was given (the step of splitmix64).
    pub(super) const fn draw(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.random ^ (self.random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Returns the state of a child, if this incarnation of it lives.
    fn living(&self, pid: Pid, incarnation: u32) -> Option<State> {
        let child = self.children.get(pid)?;
        (child.incarnation == incarnation && child.state.is_alive()).then_some(child.state)
    }
}

/// Returns whether a timer is still that of its child.
fn is_live(children: &Children, upkeep: &PidMap<Upkeep>, at: Time, pid: Pid) -> bool {
    let Some(child) = children.get(pid) else { return false };
    let due = match child.state {
        State::Running { .. } => upkeep.get(&pid).and_then(Upkeep::due),
        state => state.due(),
    };
    due == Some(at)
}
