//! A driver for tests: scripted children, virtual time, and a log that reads like the actions.

pub(crate) mod world;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bastion_supervision::pid::Pid;
use bastion_supervision::plan::{
    Action, AddError, ChildError, ChildSpec, ChildState, ExitReason, Failure, Finish, Intensity,
    Order, PanicReport, Plan, Report, RestartType, Settings, Strategy, Time,
};

/// What a child's start answers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Start {
    Ready,
    Fails,
    Ignores,
    /// Nothing, until the test calls `ready` or `fail`.
    Hangs,
}

/// What a child does when it is asked to stop.
#[derive(Clone, Debug)]
pub(crate) enum Stop {
    Obeys,
    Ends(ExitReason),
    /// Nothing: it lives until it is killed, or the test ends it.
    Hangs,
}

/// The scripted part of one child.
#[derive(Debug)]
struct Script {
    starts: VecDeque<Start>,
    stop: Stop,
    dies: bool,
    /// It makes no progress.
    silent: bool,
}

/// A plan with the children that it drives.
#[derive(Debug)]
pub(crate) struct Sup {
    pub(crate) plan: Plan,
    names: Vec<String>,
    scripts: HashMap<Pid, Script>,
    incarnations: HashMap<Pid, u32>,
    now: Time,
    next_start: Option<Start>,
    /// What starts answer whose child has no script of its own; then they are ready.
    pub(crate) starts: VecDeque<Start>,
    log: Vec<String>,
    reports: Vec<String>,
    /// Whether `stop` actions show their deadlines in milliseconds.
    pub(crate) deadlines: bool,
}

/// Returns a worker's spec with this id.
pub(crate) fn worker(id: &str) -> ChildSpec {
    ChildSpec::worker().id(id)
}

/// Returns an anonymous worker's spec, for dynamic children.
pub(crate) fn dynamic(restart: RestartType) -> ChildSpec {
    ChildSpec::worker().restart(restart)
}

/// Returns settings with this strategy and at most `max` restarts in 10 s.
pub(crate) fn settings(strategy: Strategy, max: u32) -> Settings {
    let intensity = Intensity::new(max, Duration::from_secs(10));
    Settings::default().strategy(strategy).intensity(Some(intensity))
}

/// Returns settings of a dynamic supervisor with at most `max` restarts in 10 s.
pub(crate) fn unordered(max: u32) -> Settings {
    settings(Strategy::OneForOne, max).order(Order::Unordered)
}

pub(crate) const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

pub(crate) fn error(text: &str) -> ExitReason {
    ExitReason::Error(Failure::new(text))
}

pub(crate) fn shutdown_with(text: &str) -> ExitReason {
    ExitReason::ShutdownWith(Failure::new(text))
}

pub(crate) fn panic() -> ExitReason {
    ExitReason::Panic(PanicReport { message: Arc::from("boom"), location: None })
}

impl Sup {
    /// Returns a supervisor with these children declared, not started.
    pub(crate) fn declared(settings: Settings, specs: impl IntoIterator<Item = ChildSpec>) -> Self {
        let mut sup = Self {
            plan: Plan::new(settings).expect("settings"),
            names: Vec::new(),
            scripts: HashMap::new(),
            incarnations: HashMap::new(),
            now: Time::ZERO,
            next_start: None,
            starts: VecDeque::new(),
            log: Vec::new(),
            reports: Vec::new(),
            deadlines: false,
        };
        for spec in specs {
            sup.add(spec).expect("a free id");
        }
        sup
    }

    /// Returns a running supervisor with these children, all ready.
    pub(crate) fn running(settings: Settings, specs: impl IntoIterator<Item = ChildSpec>) -> Self {
        let mut sup = Self::declared(settings, specs);
        sup.start();
        assert_eq!(sup.log.last().map(String::as_str), Some("ready"));
        sup.log.clear();
        sup
    }

    /// Returns a running supervisor with permanent workers of these names.
    pub(crate) fn workers(settings: Settings, names: &str) -> Self {
        Self::running(settings, names.split(' ').map(worker))
    }

    /// The next starts of a child answer this; later ones are ready again.
    pub(crate) fn on_start(&mut self, name: &str, answers: &[Start]) {
        self.script(name).starts.extend(answers);
    }

    /// The first start of the next child that is added answers this.
    pub(crate) fn next_start(&mut self, answer: Start) {
        self.next_start = Some(answer);
    }

    pub(crate) fn on_stop(&mut self, name: &str, answer: Stop) {
        self.script(name).stop = answer;
    }

    /// The child does not even end when it is killed.
    pub(crate) fn never_yields(&mut self, name: &str) {
        self.on_stop(name, Stop::Hangs);
        self.script(name).dies = false;
    }

    /// The child makes no progress any more, or makes some again.
    pub(crate) fn silent(&mut self, name: &str, silent: bool) {
        self.script(name).silent = silent;
    }

    fn script(&mut self, name: &str) -> &mut Script {
        let pid = self.pid(name);
        self.scripts.get_mut(&pid).expect("a script")
    }

    /// Returns the newest child of this name.
    #[track_caller]
    pub(crate) fn pid(&self, name: &str) -> Pid {
        let slot = self.names.iter().rposition(|known| known == name);
        let slot = slot.unwrap_or_else(|| panic!("no child {name}"));
        Pid::new(u32::try_from(slot).expect("few children"), 0)
    }

    pub(crate) fn incarnation(&self, name: &str) -> u32 {
        self.incarnations[&self.pid(name)]
    }

    fn next_pid(&mut self, spec: &ChildSpec) -> Pid {
        let slot = u32::try_from(self.names.len()).expect("few children");
        let pid = Pid::new(slot, 0);
        self.names.push(spec.id.as_deref().map_or_else(|| format!("d{slot}"), str::to_owned));
        let starts = self.next_start.take().into_iter().collect();
        let script = Script { starts, stop: Stop::Obeys, dies: true, silent: false };
        self.scripts.insert(pid, script);
        pid
    }

    fn call<R>(&mut self, f: impl FnOnce(&mut Plan, Time, &mut Vec<Action>) -> R) -> R {
        let mut out = Vec::new();
        let result = f(&mut self.plan, self.now, &mut out);
        let mut queue = VecDeque::from(out);
        while let Some(action) = queue.pop_front() {
            self.write(&action);
            let mut out = Vec::new();
            self.answer(action, &mut out);
            queue.extend(out);
        }
        result
    }

    fn answer(&mut self, action: Action, out: &mut Vec<Action>) {
        let now = self.now;
        match action {
            Action::Start { pid, incarnation } => {
                self.incarnations.insert(pid, incarnation);
                let script = self.scripts.get_mut(&pid).expect("a script");
                let answer = script.starts.pop_front().or_else(|| self.starts.pop_front());
                match answer.unwrap_or(Start::Ready) {
                    Start::Ready => self.plan.started(pid, incarnation, now, out),
                    Start::Fails => {
                        self.plan.start_failed(pid, incarnation, error("init"), now, out);
                    }
                    Start::Ignores => self.plan.start_ignored(pid, incarnation, now, out),
                    Start::Hangs => {}
                }
            }
            Action::Stop { pid, incarnation, .. } => match &self.scripts[&pid].stop {
                Stop::Obeys => self.plan.exited(pid, incarnation, ExitReason::Shutdown, now, out),
                Stop::Ends(reason) => self.plan.exited(pid, incarnation, reason.clone(), now, out),
                Stop::Hangs => {}
            },
            Action::Watch { pid, incarnation } if self.scripts[&pid].silent => {
                self.plan.silent(pid, incarnation, now, out);
            }
            Action::Kill { pid, incarnation } if self.scripts[&pid].dies => {
                self.plan.exited(pid, incarnation, ExitReason::Killed, now, out);
            }
            _ => {}
        }
    }

    pub(crate) fn start(&mut self) {
        self.call(|plan, now, out| plan.start(now, out));
    }

    pub(crate) fn add(&mut self, spec: ChildSpec) -> Result<(), AddError> {
        let pid = self.next_pid(&spec);
        let result = self.call(|plan, now, out| plan.add(pid, spec, now, out));
        if result.is_err() {
            self.names.pop();
        }
        result
    }

    pub(crate) fn adopt(&mut self, spec: ChildSpec) -> Result<(), AddError> {
        let pid = self.next_pid(&spec);
        self.incarnations.insert(pid, 1);
        self.call(|plan, now, out| plan.adopt(pid, spec, now, out))
    }

    /// A hanging start becomes ready.
    pub(crate) fn ready(&mut self, name: &str) {
        let (pid, incarnation) = (self.pid(name), self.incarnation(name));
        self.call(|plan, now, out| plan.started(pid, incarnation, now, out));
    }

    /// A hanging start fails.
    pub(crate) fn fail(&mut self, name: &str) {
        let (pid, incarnation) = (self.pid(name), self.incarnation(name));
        self.call(|plan, now, out| plan.start_failed(pid, incarnation, error("late"), now, out));
    }

    /// The child's last incarnation declines to run.
    pub(crate) fn ignore(&mut self, name: &str) {
        let (pid, incarnation) = (self.pid(name), self.incarnation(name));
        self.call(|plan, now, out| plan.start_ignored(pid, incarnation, now, out));
    }

    /// The child's last incarnation ends.
    pub(crate) fn exit(&mut self, name: &str, reason: ExitReason) {
        let (pid, incarnation) = (self.pid(name), self.incarnation(name));
        self.call(|plan, now, out| plan.exited(pid, incarnation, reason, now, out));
    }

    pub(crate) fn crash(&mut self, name: &str) {
        self.exit(name, error("x"));
    }

    pub(crate) fn stop_child(&mut self, name: &str) -> Result<(), ChildError> {
        let pid = self.pid(name);
        self.call(|plan, now, out| plan.stop_child(pid, now, out))
    }

    pub(crate) fn restart_child(&mut self, name: &str) -> Result<(), ChildError> {
        let pid = self.pid(name);
        self.call(|plan, now, out| plan.restart_child(pid, now, out))
    }

    pub(crate) fn delete_child(&mut self, name: &str) -> Result<(), ChildError> {
        let pid = self.pid(name);
        self.call(|plan, now, out| plan.delete_child(pid, now, out))
    }

    pub(crate) fn recycle_child(&mut self, name: &str, after: Duration) -> Result<(), ChildError> {
        let pid = self.pid(name);
        self.call(|plan, now, out| plan.recycle_child(pid, after, now, out))
    }

    pub(crate) fn stop(&mut self) {
        self.call(|plan, now, out| plan.stop(ExitReason::Shutdown, None, now, out));
    }

    /// Stops the supervisor, giving it so long.
    pub(crate) fn stop_within(&mut self, time: Duration) {
        self.call(|plan, now, out| plan.stop(ExitReason::Shutdown, Some(now + time), now, out));
    }

    /// Lets time pass, ticking when the plan wants it.
    pub(crate) fn wait(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.plan.next_deadline().filter(|&at| at <= end) {
            self.now = self.now.max(at);
            self.call(|plan, now, out| plan.tick(now, out));
        }
        self.now = end;
    }

    pub(crate) fn now(&self) -> Time {
        self.now
    }

    /// Returns in how many milliseconds the plan wants to be woken.
    pub(crate) fn due_ms(&self) -> Option<u128> {
        self.plan.next_deadline().map(|at| at.since(self.now).as_millis())
    }

    /// Takes the actions since the last call, reports left out.
    pub(crate) fn take_log(&mut self) -> Vec<String> {
        std::mem::take(&mut self.log)
    }

    /// Compares the actions since the last call, reports left out.
    #[track_caller]
    pub(crate) fn check(&mut self, expected: &str) {
        assert_eq!(self.take_log().join(", "), expected);
    }

    /// Compares the reports since the last call.
    #[track_caller]
    pub(crate) fn check_reports(&mut self, expected: &str) {
        assert_eq!(std::mem::take(&mut self.reports).join(", "), expected);
    }

    /// Compares the children: id, state, incarnation.
    #[track_caller]
    pub(crate) fn check_children(&self, expected: &str) {
        let children = self.plan.children().map(|child| {
            let state = match child.state {
                ChildState::Stopped => "stopped",
                ChildState::Starting => "starting",
                ChildState::Running => "running",
                ChildState::Backoff => "backoff",
                ChildState::Quarantined => "quarantined",
                ChildState::Stopping => "stopping",
            };
            format!("{}.{} {state}", self.name(child.pid), child.incarnation)
        });
        assert_eq!(children.collect::<Vec<_>>().join(", "), expected);
    }

    /// Compares the counts: specs, active, supervisors, workers.
    #[track_caller]
    pub(crate) fn check_counts(&self, expected: [usize; 4]) {
        let counts = self.plan.counts();
        let counts = [counts.specs, counts.active, counts.supervisors, counts.workers];
        assert_eq!(counts, expected);
    }

    pub(crate) fn name(&self, pid: Pid) -> &str {
        &self.names[pid.slot() as usize]
    }

    fn write(&mut self, action: &Action) {
        let name = |pid: &Pid| self.name(*pid).to_owned();
        let line = match action {
            Action::Start { pid, incarnation: 1 } => format!("start {}", name(pid)),
            Action::Start { pid, incarnation } => format!("start {}.{incarnation}", name(pid)),
            Action::Stop { pid, deadline, .. } if self.deadlines => match deadline {
                Some(at) => format!("stop {} by {}", name(pid), at.as_duration().as_millis()),
                None => format!("stop {} some time", name(pid)),
            },
            Action::Stop { pid, .. } => format!("stop {}", name(pid)),
            Action::Kill { pid, .. } => format!("kill {}", name(pid)),
            Action::Stopped { pid } => format!("stopped {}", name(pid)),
            Action::Removed { pid, reason } => format!("removed {} ({reason})", name(pid)),
            Action::Abandoned { pid, .. } => format!("abandoned {}", name(pid)),
            Action::Watch { pid, .. } => format!("watch {}", name(pid)),
            Action::Ready => "ready".to_owned(),
            Action::Finish(Finish::Stopped(reason)) => format!("finish ({reason})"),
            Action::Finish(Finish::StartFailed { pid, reason, .. }) => {
                format!("start failed: {} ({reason})", name(pid))
            }
            Action::Finish(Finish::GaveUp { pid, restarts, .. }) => {
                format!("gave up: {} after {restarts}", name(pid))
            }
            Action::Report(report) => {
                let line = self.report(report);
                return self.reports.push(line);
            }
        };
        self.log.push(line);
    }

    fn report(&self, report: &Report) -> String {
        match report {
            Report::StartFailed { pid, reason, .. } => {
                format!("start failed {} ({reason})", self.name(*pid))
            }
            Report::Restarting { pid, incarnation, reason, delay } => {
                let delay = delay.as_millis();
                format!("restarting {}.{incarnation} ({reason}) in {delay}", self.name(*pid))
            }
            Report::NotRestarted { pid, reason, .. } => {
                format!("not restarted {} ({reason})", self.name(*pid))
            }
            Report::Exhausted { pid, restarts, .. } => {
                format!("exhausted {} after {restarts}", self.name(*pid))
            }
            Report::GaveUp { pid, restarts, .. } => {
                format!("gave up {} after {restarts}", self.name(*pid))
            }
            Report::AutoShutdown { pid, .. } => format!("auto-shutdown by {}", self.name(*pid)),
            Report::Quarantined { pid, reason, cool_down, .. } => {
                format!("quarantined {} ({reason}) for {}", self.name(*pid), cool_down.as_millis())
            }
            Report::Stuck { pid, .. } => format!("stuck {}", self.name(*pid)),
            Report::Recycled { pid, .. } => format!("recycled {}", self.name(*pid)),
            Report::ForcedKill { pid, .. } => format!("forced kill {}", self.name(*pid)),
            Report::UnexpectedEnd { pid, reason, .. } => {
                format!("unexpected end {} ({reason})", self.name(*pid))
            }
            _ => format!("{report:?}"),
        }
    }
}
