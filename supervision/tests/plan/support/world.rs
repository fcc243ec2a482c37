//! A world for random events: children that answer when they please, and judges of every action.

use std::collections::BTreeMap;
use std::time::Duration;

use bastion_supervision::pid::Pid;
use bastion_supervision::plan::{
    Action, ChildError, ChildKind, ChildSpec, ChildState, ChildView, ExitReason, Order, Plan,
    Report, Settings, Shutdown, Strategy, Time,
};

/// How much earlier than its kill a nested supervisor is told to be done, at most.
const MARGIN: Duration = Duration::from_millis(50);

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Life {
    None,
    Starting,
    Running,
}

/// A child as its own driver sees it.
#[derive(Debug)]
pub(crate) struct Kid {
    spec: ChildSpec,
    pub(crate) incarnation: u32,
    pub(crate) life: Life,
    adopted: bool,
    declared: bool,
    /// The deadlines that it was told; `Some(None)`: to stop some time.
    asked: Option<Option<Time>>,
    killed: Option<Time>,
    /// It was said to rest since its last start.
    rests: bool,
    /// Its last start was asked for, or will be.
    wanted: bool,
    /// A stop was asked for, and is not complete.
    pub(crate) unfinished: bool,
    /// It makes no progress.
    pub(crate) quiet: bool,
    /// It was found out without progress, and is to be killed for that.
    stuck: bool,
}

impl Kid {
    pub(crate) fn is_told(&self) -> bool {
        self.asked.is_some() || self.killed.is_some()
    }

    /// Returns whether a group restart may have begun before it came.
    fn is_newcomer(&self) -> bool {
        self.adopted && self.incarnation == 1
    }

    /// Returns when it must be gone at the latest.
    fn bound(&self, grace: Duration) -> Option<Time> {
        match (self.killed, self.asked) {
            (Some(at), _) => Some(at + grace),
            (None, Some(Some(told))) if self.spec.kind == ChildKind::Supervisor => {
                Some(told + MARGIN + grace)
            }
            (None, Some(Some(told))) => Some(told + grace),
            _ => None,
        }
    }
}

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) plan: Plan,
    settings: Settings,
    pub(crate) now: Time,
    pub(crate) kids: BTreeMap<Pid, Kid>,
    started: bool,
    ready: bool,
    pub(crate) finished: bool,
    /// The deadline of the supervisor's stop.
    pub(crate) deadline: Option<Time>,
    next: u32,
    /// The strategy has changed: what is under way may be in the order of the former one.
    changed: bool,
}

impl World {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            plan: Plan::new(settings.clone()).expect("valid settings"),
            settings,
            now: Time::ZERO,
            kids: BTreeMap::new(),
            started: false,
            ready: false,
            finished: false,
            deadline: None,
            next: 0,
            changed: false,
        }
    }

    /// Makes one call, and judges what it brings.
    pub(crate) fn call<R>(
        &mut self,
        f: impl FnOnce(&mut Plan, Time, &mut Vec<Action>) -> R,
    ) -> (R, usize) {
        let (mut out, over) = (Vec::new(), self.finished);
        let result = f(&mut self.plan, self.now, &mut out);
        assert!(!over || out.is_empty(), "after the end: {out:?}");
        for action in &out {
            assert!(!self.finished, "after the end: {action:?}");
            self.judge(action);
        }
        self.judge_tables();
        for action in &out {
            if let Action::Watch { pid, incarnation } = *action
                && self.kids.get(&pid).is_some_and(|kid| kid.quiet)
            {
                let mut more = Vec::new();
                self.plan.silent(pid, incarnation, self.now, &mut more);
                more.iter().for_each(|action| self.judge(action));
                self.judge_tables();
            }
        }
        (result, out.len())
    }

    /// Changes the rules.
    pub(crate) fn change(&mut self, settings: Settings) {
        let (result, actions) = self.call(|plan, _, _| plan.change_settings(settings.clone()));
        assert_eq!(actions, 0, "a change of rules does nothing");
        if result.is_ok() {
            self.changed |= settings.strategy != self.settings.strategy;
            self.settings = settings;
        }
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Those that depend on a child.
    fn dependants(&self, pid: Pid) -> impl Iterator<Item = (&Pid, &Kid)> {
        let id = self.kids[&pid].spec.id.clone().expect("an id");
        self.kids.iter().filter(move |(_, kid)| kid.spec.depends_on.contains(&id))
    }

    fn has_ties(&self) -> bool {
        self.settings.strategy == Strategy::OneForOne && !self.changed
    }

    fn judge(&mut self, action: &Action) {
        match *action {
            Action::Start { pid, incarnation } => self.judge_start(pid, incarnation),
            Action::Stop { pid, incarnation, deadline } => {
                self.judge_order_of_stop(pid);
                let kid = self.kid(pid);
                assert_eq!(incarnation, kid.incarnation, "stop of a wrong incarnation");
                assert!(kid.life != Life::None && kid.killed.is_none(), "stop of {kid:?}");
                if let Some(Some(old)) = kid.asked {
                    assert!(deadline.is_some_and(|at| at < old + MARGIN), "not tightened: {kid:?}");
                }
                kid.asked = Some(deadline);
            }
            Action::Kill { pid, incarnation } => {
                self.judge_order_of_stop(pid);
                let now = self.now;
                let late = self.deadline.is_some_and(|at| at <= now);
                let kid = self.kid(pid);
                assert_eq!(incarnation, kid.incarnation, "kill of a wrong incarnation");
                assert!(kid.life != Life::None && kid.killed.is_none(), "kill of {kid:?}");
                let overdue = matches!(kid.asked, Some(Some(told)) if told <= now);
                let brutal = kid.spec.shutdown == Shutdown::Brutal;
                assert!(overdue || late || brutal || kid.stuck, "{kid:?}");
                kid.killed = Some(now);
            }
            Action::Stopped { pid } => {
                assert!(self.settings.order == Order::Ordered, "dynamic children do not rest");
                let kid = self.kid(pid);
                assert_eq!(kid.life, Life::None, "it rests, and lives");
                kid.rests = true;
                kid.unfinished = false;
            }
            Action::Removed { pid, .. } => {
                let kid = self.kids.remove(&pid).expect("removed once");
                assert_eq!(kid.life, Life::None, "it is gone, and lives");
            }
            Action::Abandoned { pid, incarnation } => {
                let (now, grace) = (self.now, self.settings.kill_grace);
                let kid = self.kid(pid);
                assert_eq!(incarnation, kid.incarnation);
                assert!(kid.killed.is_some_and(|at| at + grace <= now), "too early: {kid:?}");
                kid.life = Life::None;
            }
            Action::Ready => {
                assert!(self.started && !self.ready, "ready twice, or before the start");
                self.ready = true;
            }
            Action::Finish(_) => {
                assert!(self.kids.is_empty(), "left behind: {:?}", self.kids);
                self.finished = true;
            }
            Action::Watch { pid, incarnation } => {
                let kid = self.kid(pid);
                assert_eq!(incarnation, kid.incarnation, "a look at a wrong incarnation");
                assert!(kid.life == Life::Running && !kid.is_told(), "a look at {kid:?}");
                assert!(kid.spec.watchdog.is_some(), "a look at {kid:?}");
            }
            Action::Report(Report::Stuck { pid, .. }) => self.kid(pid).stuck = true,
            Action::Report(_) => {}
        }
    }

    /// Who depends on others starts when they are ready; who is needed, when those are gone that need it.
    fn judge_ties(&self, pid: Pid) {
        let kid = &self.kids[&pid];
        for id in &kid.spec.depends_on {
            let other = self.kids.values().find(|other| other.spec.id.as_ref() == Some(id));
            let comes = |other: &Kid| other.life == Life::Starting && !other.is_told();
            let starts = other.is_some_and(comes);
            assert!(!starts, "{pid} starts before {id} is ready");
        }
        for (other, dependant) in
            self.dependants(pid).filter(|_| !kid.wanted && kid.incarnation > 1)
        {
            let lives = dependant.life != Life::None && !dependant.is_newcomer();
            assert!(!lives, "{pid} starts again, and {other}, which needs it, lives");
        }
    }

    fn judge_start(&mut self, pid: Pid, incarnation: u32) {
        if self.has_ties() {
            self.judge_ties(pid);
        }
        let this = &self.kids[&pid];
        let ordered = self.settings.order == Order::Ordered;
        let grouped = ordered && self.settings.strategy != Strategy::OneForOne && !self.changed;
        // Who was asked for starts out of turn.
        for (other, kid) in self.kids.iter().filter(|_| !this.wanted) {
            let starts = kid.life == Life::Starting && !kid.wanted && !kid.is_told();
            if *other < pid && starts {
                // Who depends on others starts when these are ready, not when it is its turn.
                let tied = self.has_ties()
                    && !(this.spec.depends_on.is_empty() && kid.spec.depends_on.is_empty());
                let boot = ordered && this.declared && incarnation == 1 && kid.incarnation == 1;
                let boot = boot && !tied;
                assert!(!grouped && (!boot || self.changed), "{pid} starts, {other} is not ready");
            }
            if *other > pid && kid.life != Life::None && !kid.is_newcomer() {
                assert!(!grouped, "{pid} starts, {other} behind it lives");
            }
        }
        let kid = self.kid(pid);
        assert_eq!(kid.life, Life::None, "two incarnations");
        assert_eq!(incarnation, kid.incarnation + 1, "an incarnation is missing");
        kid.incarnation = incarnation;
        kid.life = Life::Starting;
        kid.asked = None;
        kid.killed = None;
        kid.stuck = false;
        kid.rests = false;
    }

    /// Who is asked to stop, not by name and for the first time, is the last that lives.
    fn judge_order_of_stop(&self, pid: Pid) {
        let kid = &self.kids[&pid];
        let late = self.deadline.is_some_and(|at| at <= self.now);
        if self.settings.order == Order::Unordered || kid.is_told() || kid.unfinished || late {
            return;
        }
        if kid.stuck || self.changed {
            return;
        }
        if self.has_ties() && !self.plan.is_ending() {
            // It follows another, or its time is over.
            for (other, kid) in self.dependants(pid) {
                assert!(
                    kid.life == Life::None,
                    "{pid} goes down, and {other}, which needs it, lives"
                );
            }
            return;
        }
        for (other, kid) in self.kids.range(pid..).skip(1) {
            let gone = kid.life == Life::None || kid.is_newcomer();
            assert!(gone, "{pid} stops before {other}");
        }
    }

    /// What the plan tells about its children is the truth.
    fn judge_tables(&self) {
        let views: Vec<_> = self.plan.children().map(|child| child.pid).collect();
        assert_eq!(views, self.kids.keys().copied().collect::<Vec<_>>(), "who is there, in order");
        let (mut active, mut supervisors) = (0, 0);
        for child in self.plan.children() {
            let kid = &self.kids[&child.pid];
            let state = match kid.life {
                Life::None => matches!(
                    child.state,
                    ChildState::Stopped | ChildState::Backoff | ChildState::Quarantined
                ),
                _ if kid.is_told() => child.state == ChildState::Stopping,
                Life::Starting => child.state == ChildState::Starting,
                Life::Running => child.state == ChildState::Running,
            };
            assert!(state, "{:?} of {kid:?}", child.state);
            assert_eq!(child.incarnation, kid.incarnation);
            let id = child.spec.id.as_deref().expect("an id");
            assert_eq!(self.plan.find(id), Some(child.pid));
            active +=
                usize::from(matches!(child.state, ChildState::Running | ChildState::Stopping));
            supervisors += usize::from(child.spec.kind == ChildKind::Supervisor);
            let bound = kid.bound(self.settings.kill_grace).filter(|_| kid.life != Life::None);
            if let Some(bound) = bound {
                let next = self.plan.next_deadline();
                assert!(next.is_some_and(|at| at <= bound), "nobody looks after {kid:?}");
            }
        }
        let counts = self.plan.counts();
        assert_eq!(counts.specs, self.kids.len());
        assert_eq!(counts.active, active);
        assert_eq!(counts.supervisors, supervisors);
        assert_eq!(counts.workers + counts.supervisors, counts.specs);
        let pending = self.deadline.is_some() && !self.finished;
        assert!(!pending || self.plan.next_deadline().is_some(), "nobody waits for the deadline");
    }

    pub(crate) fn kid(&mut self, pid: Pid) -> &mut Kid {
        self.kids.get_mut(&pid).unwrap_or_else(|| panic!("{pid} is gone"))
    }

    pub(crate) fn start(&mut self) {
        self.started = true;
        self.call(|plan, now, out| plan.start(now, out));
    }

    pub(crate) fn add(&mut self, spec: ChildSpec, adopt: bool) {
        let pid = Pid::new(self.next, 0);
        let spec = spec.id(format!("c{}", self.next));
        self.next += 1;
        let kid = Kid {
            spec: spec.clone(),
            incarnation: u32::from(adopt),
            life: if adopt { Life::Running } else { Life::None },
            adopted: adopt,
            declared: !self.started && !adopt,
            asked: None,
            killed: None,
            rests: false,
            wanted: false,
            unfinished: false,
            quiet: false,
            stuck: false,
        };
        self.kids.insert(pid, kid);
        let (mut out, now) = (Vec::new(), self.now);
        let result = if adopt {
            self.plan.adopt(pid, spec, now, &mut out)
        } else {
            self.plan.add(pid, spec, now, &mut out)
        };
        if result.is_err() {
            assert!(out.is_empty(), "refused, and done: {out:?}");
            self.kids.remove(&pid);
        }
        for action in &out {
            self.judge(action);
        }
        self.judge_tables();
    }

    pub(crate) fn stop_child(&mut self, pid: Pid) {
        self.kid(pid).unfinished = true;
        let (result, _) = self.call(|plan, now, out| plan.stop_child(pid, now, out));
        assert_eq!(result, Ok(()));
        let Some(kid) = self.kids.get_mut(&pid) else { return };
        if kid.unfinished && !(kid.life != Life::None && kid.is_told()) {
            // Only a supervisor that stops them all anyway need not care.
            kid.unfinished = false;
            let mut out = Vec::new();
            let answer = self.plan.restart_child(pid, self.now, &mut out);
            assert_eq!(answer, Err(ChildError::Stopping), "accepted, and forgotten");
        }
    }

    pub(crate) fn restart_child(&mut self, pid: Pid) {
        let wanted = std::mem::replace(&mut self.kid(pid).wanted, true);
        let (result, actions) = self.call(|plan, now, out| plan.restart_child(pid, now, out));
        if result.is_err() {
            assert_eq!(actions, 0, "refused, and done");
            self.kid(pid).wanted = wanted;
        }
    }

    pub(crate) fn started(&mut self, pid: Pid) {
        let kid = self.kid(pid);
        let incarnation = kid.incarnation;
        kid.wanted = false;
        kid.life = Life::Running;
        self.call(|plan, now, out| plan.started(pid, incarnation, now, out));
    }

    pub(crate) fn start_failed(&mut self, pid: Pid, reason: ExitReason) {
        let incarnation = self.gone(pid);
        self.call(|plan, now, out| plan.start_failed(pid, incarnation, reason, now, out));
    }

    pub(crate) fn start_ignored(&mut self, pid: Pid) {
        let incarnation = self.gone(pid);
        self.call(|plan, now, out| plan.start_ignored(pid, incarnation, now, out));
    }

    pub(crate) fn exited(&mut self, pid: Pid, reason: ExitReason) {
        let incarnation = self.gone(pid);
        self.call(|plan, now, out| plan.exited(pid, incarnation, reason, now, out));
    }

    fn gone(&mut self, pid: Pid) -> u32 {
        let kid = self.kid(pid);
        kid.wanted = false;
        kid.life = Life::None;
        kid.incarnation
    }

    pub(crate) fn stop(&mut self, time: Option<Duration>) {
        let deadline = time.map(|time| self.now + time);
        self.deadline = match (self.deadline, deadline) {
            (Some(old), Some(new)) => Some(old.min(new)),
            (old, new) => old.or(new),
        };
        self.call(|plan, now, out| plan.stop(ExitReason::Shutdown, deadline, now, out));
    }

    /// Lets time pass, ticking when the plan wants it, and sees that nobody is late.
    pub(crate) fn wait(&mut self, time: Duration) {
        let end = self.now + time;
        let mut ticks = 0;
        while let Some(at) = self.plan.next_deadline().filter(|&at| at <= end) {
            ticks = if at > self.now { 0 } else { ticks + 1 };
            assert!(ticks <= 3 * self.kids.len() + 1, "ticks do not do what is due");
            self.now = self.now.max(at);
            self.call(|plan, now, out| plan.tick(now, out));
            let late = |kid: &Kid| {
                kid.life != Life::None
                    && kid.bound(self.settings.kill_grace).is_some_and(|at| at <= self.now)
            };
            let again = self.plan.next_deadline().is_some_and(|at| at <= self.now);
            assert!(again || !self.kids.values().any(late), "somebody is late");
        }
        self.now = end;
    }

    /// Everybody answers now, until there is nothing more to be done.
    pub(crate) fn settle(&mut self) {
        for _ in 0..10_000 {
            let waits = |kid: &Kid| kid.is_told() || kid.life == Life::Starting;
            let next = self.kids.iter().find(|(_, kid)| kid.life != Life::None && waits(kid));
            match next.map(|(&pid, kid)| (pid, kid.is_told())) {
                Some((pid, true)) => self.exited(pid, ExitReason::Shutdown),
                Some((pid, false)) => self.started(pid),
                // What is still due then is the upkeep of those that run.
                None if self.plan.children().all(|child| self.is_fine(&child)) => return,
                None => match self.plan.next_deadline() {
                    Some(at) => self.wait(at.since(self.now)),
                    None => return,
                },
            }
        }
        panic!("it never comes to rest: {:?}", self.plan);
    }

    /// It runs, or was said to rest.
    fn is_fine(&self, child: &ChildView<'_>) -> bool {
        match child.state {
            ChildState::Running => true,
            ChildState::Stopped => self.kids[&child.pid].rests,
            _ => false,
        }
    }

    /// When nothing more is to be done, everybody runs, or was said to rest.
    pub(crate) fn judge_rest(&self) {
        for child in self.plan.children() {
            let kid = &self.kids[&child.pid];
            assert!(self.is_fine(&child), "forgotten: {:?} {kid:?}", child.state);
            assert!(!kid.unfinished, "a stop without an answer: {kid:?}");
        }
        assert!(self.finished || self.ready, "neither ready nor at its end");
    }
}
