//! What scenarios are made of: a system on one of the runtimes, children that do as they are told, and a record of what happened.
//!
//! Nobody waits for time to pass in order to force an order: scenarios wait for entries of the records, for answers and for ends.
//! On real time a scenario that takes longer than [`LIMIT`] has failed; in a simulation one that waits for nothing is a deadlock.

use bastion_supervision::plan::{Backoff, ChildState, Counts, ExitReason, RestartType, Strategy};
use bastion_supervision::{
    Address, AskError, Child, ChildInfo, Context, Exit, Reply, Report, Runtime, Sim, Supervisor,
    SupervisorRef, System, child, current_pid,
};
use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

pub(crate) const SECOND: Duration = Duration::from_secs(1);
/// What never passes in a scenario on real time.
pub(crate) const HOUR: Duration = Duration::from_secs(3600);
/// How long a scenario may take on real time.
#[cfg(any(feature = "executor", feature = "tokio"))]
const LIMIT: Duration = Duration::from_secs(60);
/// Under so many orders of execution a scenario is simulated.
const SEEDS: u64 = 12;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What happened, in order. Who waits for an entry is woken by it.
#[derive(Clone, Default)]
pub(crate) struct Record(Arc<Mutex<Entries>>);

#[derive(Default)]
struct Entries {
    all: Vec<String>,
    /// What was looked at already.
    seen: usize,
    waiting: Vec<Waker>,
}

impl Record {
    pub(crate) fn add(&self, entry: impl Into<String>) {
        let waiting = {
            let mut entries = lock(&self.0);
            entries.all.push(entry.into());
            std::mem::take(&mut entries.waiting)
        };
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Waits until `found` says where in the entries not looked at the end of what it waits for is.
    async fn find(&self, found: impl Fn(&[String]) -> Option<usize>) -> usize {
        poll_fn(|task| {
            let mut entries = lock(&self.0);
            if let Some(end) = found(&entries.all[entries.seen..]) {
                return Poll::Ready(entries.seen + end);
            }
            entries.waiting.push(task.waker().clone());
            Poll::Pending
        })
        .await
    }

    /// Waits until there is such an entry among those that were not looked at.
    pub(crate) async fn until(&self, entry: &str) {
        self.find(|new| new.iter().position(|known| known == entry)).await;
    }

    /// Waits until there are so many such entries.
    pub(crate) async fn until_many(&self, entry: &str, count: usize) {
        let enough = |new: &[String]| {
            (new.iter().filter(|known| *known == entry).count() >= count).then_some(0)
        };
        self.find(enough).await;
    }

    /// Waits for such an entry, and looks at all up to it.
    async fn next(&self, entry: &str) {
        let at = self.find(|new| new.iter().position(|known| known == entry)).await;
        lock(&self.0).seen = at + 1;
    }

    /// Looks at what is new.
    pub(crate) fn take(&self) -> Vec<String> {
        let mut entries = lock(&self.0);
        let new = entries.all[entries.seen..].to_vec();
        entries.seen = entries.all.len();
        new
    }

    pub(crate) fn all(&self) -> Vec<String> {
        lock(&self.0).all.clone()
    }
}

/// What a child is told.
pub(crate) enum Do {
    Finish,
    Exit(Exit),
    Panic,
    /// Say that what was is over.
    Healthy,
    Ping(Reply<u32>),
}

/// What a start answers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Start {
    Ok,
    /// The closure panics.
    Panics,
    /// An error comes before the child is ready.
    Fails,
    /// It is not ready before it is asked to stop.
    Hangs,
    /// It declines to run.
    Declines,
}

/// What a child does when it is asked to stop.
#[derive(Clone, Copy)]
pub(crate) enum Stop {
    Obeys,
    Exits(fn() -> Exit),
    Panics,
    /// Nothing.
    Deaf,
}

/// Records the end of a body, however it comes.
pub(crate) struct End(pub(crate) Record, pub(crate) String);

impl Drop for End {
    fn drop(&mut self) {
        self.0.add(&self.1);
    }
}

/// A system on one of the runtimes, and what happened in it.
pub(crate) struct World {
    pub(crate) system: System,
    /// Starts and ends: `+a1`, `-a1`.
    pub(crate) log: Record,
    /// What the system reported: `restarting a`.
    pub(crate) reports: Record,
    /// The same as the system prints it.
    pub(crate) lines: Record,
    /// How many processes a scenario leaves behind on purpose.
    pub(crate) abandoned: AtomicU64,
    pub(crate) runtime: Runtime,
    addresses: Mutex<HashMap<String, Address<Do>>>,
    sim: Option<(Sim, u64)>,
}

impl World {
    fn new(runtime: Runtime, sim: Option<(Sim, u64)>) -> World {
        let (reports, lines) = (Record::default(), Record::default());
        let into = (reports.clone(), lines.clone());
        let hook = move |report: &Report| {
            into.1.add(report.to_string());
            into.0.add(line(report));
        };
        let system = System::with_reports(runtime.clone(), hook);
        let (log, addresses, abandoned) = Default::default();
        World { system, log, reports, lines, abandoned, runtime, addresses, sim }
    }

    /// A child that does as it is told. It is known by its name from now on.
    pub(crate) fn child(&self, name: &str) -> Child<Do> {
        self.played(name, None, Stop::Obeys)
    }

    /// One whose starts answer this, one after another; later ones are well. It is gated.
    pub(crate) fn starts(&self, name: &str, starts: &[Start]) -> Child<Do> {
        self.played(name, Some(starts), Stop::Obeys)
    }

    /// One that does this when it is asked to stop.
    pub(crate) fn stops(&self, name: &str, stop: Stop) -> Child<Do> {
        self.played(name, None, stop)
    }

    fn played(&self, name: &str, starts: Option<&[Start]>, stop: Stop) -> Child<Do> {
        let child = self.unnamed(name, starts, stop);
        child.named(name)
    }

    /// A child without a name in the system, for dynamic supervisors: the name is known here only.
    pub(crate) fn anonymous(&self, name: &str) -> Child<Do> {
        self.unnamed(name, None, Stop::Obeys)
    }

    fn unnamed(&self, name: &str, starts: Option<&[Start]>, stop: Stop) -> Child<Do> {
        let script = Mutex::new(VecDeque::from(starts.unwrap_or_default().to_vec()));
        let (log, known) = (self.log.clone(), name.to_owned());
        let child = child(move |cx: Context<Do>| {
            let incarnation = cx.incarnation();
            log.add(format!("+{known}{incarnation}"));
            let end = End(log.clone(), format!("-{known}{incarnation}"));
            let start = lock(&script).pop_front().unwrap_or(Start::Ok);
            if matches!(start, Start::Panics) {
                panic!("told to, at its start");
            }
            body(cx, start, stop, end)
        });
        lock(&self.addresses).insert(name.to_owned(), child.address());
        if starts.is_some() { child.gated() } else { child }
    }

    /// A supervisor that bears much, and that nobody starts again.
    pub(crate) fn supervisor(&self, name: &str, strategy: Strategy) -> Supervisor {
        let supervisor = Supervisor::new(name).strategy(strategy).intensity(9, HOUR);
        supervisor.restart(RestartType::Temporary)
    }

    /// Starts a supervisor with permanent children of these names.
    pub(crate) async fn workers(&self, supervisor: Supervisor, names: &str) -> SupervisorRef {
        let children = names.split(' ').map(|name| self.child(name));
        self.start(children.fold(supervisor, Supervisor::child)).await
    }

    pub(crate) async fn start(&self, supervisor: Supervisor) -> SupervisorRef {
        self.system.supervise(supervisor).await.expect("it starts")
    }

    /// Starts a dynamic supervisor that bears much, and that nobody starts again.
    pub(crate) async fn pool(&self, name: &str) -> SupervisorRef {
        let pool = Supervisor::dynamic(name).intensity(9, HOUR);
        self.start(pool.restart(RestartType::Temporary)).await
    }

    pub(crate) fn address(&self, name: &str) -> Address<Do> {
        lock(&self.addresses).get(name).cloned().unwrap_or_else(|| panic!("no child {name}"))
    }

    pub(crate) fn tell(&self, name: &str, what: Do) {
        assert!(self.address(name).tell(what).is_ok(), "{name} takes messages");
    }

    /// Has a child end with an error.
    pub(crate) fn crash(&self, name: &str) {
        self.tell(name, Do::Exit(Exit::error("told to")));
    }

    /// Which incarnation answers. What was told before is handled before.
    pub(crate) async fn ping(&self, name: &str) -> Result<u32, AskError> {
        self.address(name).ask_timeout(HOUR, Do::Ping).await
    }

    /// Waits until a process has ended for good.
    pub(crate) async fn ended(&self, name: &str) -> ExitReason {
        self.address(name).ended().await
    }

    /// Waits for a start or an end that was not looked at.
    pub(crate) async fn until(&self, entry: &str) {
        self.log.until(entry).await;
    }

    /// Waits for a report, and forgets those before it.
    pub(crate) async fn told(&self, report: &str) {
        self.reports.next(report).await;
    }

    /// Compares the starts and ends that were not looked at.
    #[track_caller]
    pub(crate) fn check(&self, expected: &str) {
        assert_eq!(self.log.take().join(" "), expected);
    }

    /// Compares them where their order means nothing.
    #[track_caller]
    pub(crate) fn check_unordered(&self, expected: &str) {
        let mut log = self.log.take();
        log.sort();
        assert_eq!(log.join(" "), expected);
    }

    /// The simulation, for scenarios in which time matters.
    pub(crate) fn sim(&self) -> &Sim {
        &self.sim.as_ref().expect("only for scenarios on virtual time").0
    }

    /// Says whether this is the first run of a scenario, for those that take long.
    pub(crate) fn is_first(&self) -> bool {
        self.sim.as_ref().is_none_or(|(_, seed)| *seed == 0)
    }

    /// Virtual time.
    pub(crate) fn now(&self) -> Duration {
        self.sim().now()
    }

    /// Lets virtual time pass.
    pub(crate) async fn sleep(&self, time: Duration) {
        self.sim().sleep(time).await;
    }

    /// Whatever the scenario was: everything ends, in time, and no child had two incarnations at once.
    async fn close(&self) {
        let stopped = self.system.stop(10 * SECOND).await;
        assert_eq!(stopped.abandoned, self.abandoned.load(SeqCst), "left behind");
        let mut alive = HashMap::new();
        let log = self.log.all();
        for entry in &log {
            let (what, incarnation) = entry.split_at(1);
            let name = incarnation.trim_end_matches(char::is_numeric);
            match what {
                "+" => assert_eq!(alive.insert(name, incarnation), None, "two of {name}: {log:?}"),
                "-" => assert_eq!(alive.remove(name), Some(incarnation), "{entry}: {log:?}"),
                _ => {}
            }
        }
        assert!(alive.is_empty(), "outlives its system: {alive:?}");
    }
}

async fn body(mut cx: Context<Do>, start: Start, stop: Stop, end: End) -> Result<(), Exit> {
    let _end = end;
    match start {
        Start::Fails => return Err(Exit::error("told to, at its start")),
        Start::Declines => return Err(Exit::decline()),
        Start::Hangs => {
            cx.stop_signal().requested().await;
            return Ok(());
        }
        Start::Ok | Start::Panics => cx.ready(),
    }
    while let Some(order) = cx.recv().await {
        match order {
            Do::Healthy => cx.healthy(),
            Do::Finish => return Ok(()),
            Do::Exit(exit) => return Err(exit),
            Do::Panic => panic!("told to"),
            Do::Ping(reply) => reply.send(cx.incarnation()),
        }
    }
    match stop {
        Stop::Obeys => Ok(()),
        Stop::Exits(exit) => Err(exit()),
        Stop::Panics => panic!("told to, at its stop"),
        Stop::Deaf => std::future::pending().await,
    }
}

/// Waits an hour for each restart, which on real time never comes.
pub(crate) fn paused() -> Backoff {
    Backoff::linear(HOUR, HOUR)
}

/// Counts of children: specs, active, supervisors, workers.
pub(crate) async fn counts(supervisor: &SupervisorRef) -> [usize; 4] {
    let counts = supervisor.counts().await.expect("it runs");
    [counts.specs, counts.active, counts.supervisors, counts.workers]
}

/// Asks until the counts are these; a supervisor that is about to be started again does not answer yet.
pub(crate) async fn count_to(supervisor: &SupervisorRef, expected: [usize; 4]) {
    let all = |counts: Counts| {
        [counts.specs, counts.active, counts.supervisors, counts.workers] == expected
    };
    while !supervisor.counts().await.is_ok_and(all) {
        yield_now().await;
    }
}

/// Lets others run once.
pub(crate) async fn yield_now() {
    let mut yielded = false;
    poll_fn(|task| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        task.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

pub(crate) async fn info(supervisor: &SupervisorRef, name: &str) -> Option<ChildInfo> {
    let children = supervisor.children().await.expect("it runs");
    children.into_iter().find(|child| child.name.as_deref() == Some(name))
}

/// What a child is doing; `None`: it is unknown.
pub(crate) async fn state(supervisor: &SupervisorRef, name: &str) -> Option<ChildState> {
    info(supervisor, name).await.map(|info| info.state)
}

/// What is reported, in a few words.
fn line(report: &Report) -> String {
    use bastion_supervision::plan::Report as R;
    match report {
        Report::Supervisor { child, report, .. } => {
            let what = match report {
                R::StartFailed { .. } => "start failed",
                R::Restarting { .. } => "restarting",
                R::NotRestarted { .. } => "not restarted",
                R::Exhausted { .. } => "exhausted",
                R::GaveUp { .. } => "gave up",
                R::ForcedKill { .. } => "forced kill",
                R::AutoShutdown { .. } => "auto-shutdown",
                R::UnexpectedEnd { .. } => "unexpected end",
                _ => "other",
            };
            format!("{what} {}", child.as_deref().unwrap_or("unnamed"))
        }
        Report::Crash(crash) => format!("crash {}", crash.name.as_deref().unwrap_or("unnamed")),
        Report::Abandoned { child, .. } => {
            format!("abandoned {}", child.as_deref().unwrap_or("unnamed"))
        }
        Report::DeadLetters { name, count, .. } => {
            format!("dead letters {} {count}", name.as_deref().unwrap_or("unnamed"))
        }
        other => other.to_string(),
    }
}

/// Silences the panics of processes, before any system or executor chains its own hook.
fn quiet() {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let outer = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if current_pid().is_none() {
                outer(info);
            }
        }));
    });
}

async fn play(world: World, scenario: impl AsyncFn(&World)) {
    scenario(&world).await;
    world.close().await;
}

/// Runs a scenario in simulations.
pub(crate) fn on_sim(scenario: impl AsyncFn(&World)) {
    quiet();
    for seed in 0..SEEDS {
        let sim = Sim::new(seed);
        let world = World::new(Runtime::sim(&sim), Some((sim.clone(), seed)));
        let run = AssertUnwindSafe(|| sim.run(play(world, &scenario)));
        if let Err(payload) = catch_unwind(run) {
            eprintln!("seed {seed}");
            resume_unwind(payload);
        }
    }
}

/// Runs a scenario on the project's executor: one of its own, so that a scenario may hold up a worker.
#[cfg(feature = "executor")]
pub(crate) fn on_executor(scenario: impl AsyncFn(&World)) {
    quiet();
    let executor = bastion_executor::Executor::builder().workers(2).build().expect("threads");
    let played = executor.run(async {
        let world = World::new(Runtime::executor(), None);
        bastion_executor::timeout(LIMIT, play(world, scenario)).await
    });
    assert!(played.is_ok(), "not done in {LIMIT:?}");
}

/// Runs a scenario on tokio.
#[cfg(feature = "tokio")]
pub(crate) fn on_tokio(scenario: impl AsyncFn(&World)) {
    quiet();
    let mut tokio = ::tokio::runtime::Builder::new_multi_thread();
    let tokio = tokio.worker_threads(2).enable_time().build().expect("threads");
    let world = World::new(Runtime::tokio(tokio.handle().clone()), None);
    let played =
        tokio.block_on(async { ::tokio::time::timeout(LIMIT, play(world, scenario)).await });
    assert!(played.is_ok(), "not done in {LIMIT:?}");
}
