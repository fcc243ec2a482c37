//! Random trees under random crashes, kills, stops and restarts, on the real executor.
//!
//! Guards what holds in every interleaving: never two incarnations at once, incarnation numbers that rise, no message twice or
//! out of order from one sender, an answer to every request and question; after the end of the system no address that accepts
//! messages, no message that waits, no body that lives. `STRESS_SECS` sets how long it runs (3), `STRESS_SEED` its first seed
//! (1). A failure prints its seed; threads are not seeded, so the same one may have to be run several times.

#![cfg(feature = "executor")]

use bastion_executor::{Executor, sleep, spawn, timeout};
use bastion_supervision::plan::{Backoff, ChildState, RestartType, Shutdown, Strategy};
use bastion_supervision::{
    Address, Child, ChildInfo, Context, Exit, Reply, Runtime, Supervisor, SupervisorRef, System,
    child, current_pid,
};
use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
/// Who has waited this long waits for ever.
const LIMIT: Duration = Duration::from_secs(10);
const ACTORS: u64 = 6;
/// How long the actors of one round act.
const ACT: Duration = Duration::from_millis(700);
/// More supervisors are not added.
const SUPERVISORS: usize = 30;

/// What one round has found wrong, and the bodies that live.
#[derive(Default)]
struct Ledger {
    findings: Mutex<Vec<String>>,
    bodies: AtomicI64,
}

impl Ledger {
    fn find(&self, finding: impl Into<String>) {
        self.findings.lock().unwrap().push(finding.into());
    }

    async fn answered<F: Future>(&self, what: &str, question: F) -> Option<F::Output> {
        let answer = timeout(LIMIT, question).await.ok();
        if answer.is_none() {
            self.find(format!("{what}: no answer"));
        }
        answer
    }
}

enum Job {
    /// The sender's number, and the message's: it rises.
    Note(u64, u64),
    Panic,
    Fail,
    Finish,
    Wait,
    Answer(Reply<u32>),
    Ignore(Reply<u32>),
}

/// What is known of a process over its incarnations.
#[derive(Default)]
struct Watch {
    name: String,
    alive: AtomicI64,
    last: AtomicU32,
    /// The last message of each sender.
    seen: Mutex<HashMap<u64, u64>>,
}

/// One incarnation, as long as it exists.
struct Body {
    watch: Arc<Watch>,
    ledger: Arc<Ledger>,
}

impl Body {
    fn enter(watch: &Arc<Watch>, ledger: &Arc<Ledger>, incarnation: u32) -> Body {
        ledger.bodies.fetch_add(1, SeqCst);
        if watch.alive.fetch_add(1, SeqCst) != 0 {
            ledger.find(format!("{}: two incarnations at once", watch.name));
        }
        let before = watch.last.swap(incarnation, SeqCst);
        if before >= incarnation {
            ledger.find(format!("{}: incarnation {incarnation} after {before}", watch.name));
        }
        Body { watch: watch.clone(), ledger: ledger.clone() }
    }

    fn note(&self, sender: u64, number: u64) {
        let before = self.watch.seen.lock().unwrap().insert(sender, number);
        if before.is_some_and(|before| before >= number) {
            let name = &self.watch.name;
            self.ledger.find(format!("{name}: sender {sender}'s {number} after {before:?}"));
        }
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        self.watch.alive.fetch_sub(1, SeqCst);
        self.ledger.bodies.fetch_sub(1, SeqCst);
    }
}

async fn work(mut cx: Context<Job>, body: Body, slow_start: bool) -> Result<(), Exit> {
    if slow_start {
        cx.sleep(Duration::from_micros(200)).await;
    }
    cx.ready();
    while let Some(job) = cx.recv().await {
        match job {
            Job::Note(sender, number) => body.note(sender, number),
            Job::Panic => panic!("told to"),
            Job::Fail => return Err(Exit::error("told to")),
            Job::Finish => return Ok(()),
            Job::Wait => cx.sleep(MS).await,
            Job::Answer(reply) => reply.send(cx.incarnation()),
            Job::Ignore(reply) => drop(reply),
        }
    }
    if cx.incarnation() % 16 == 7 {
        // Deaf to its stop.
        std::future::pending::<()>().await;
    }
    Ok(())
}

fn worker(name: String, ledger: &Arc<Ledger>, rng: &mut fastrand::Rng) -> Child<Job> {
    use RestartType::{Permanent, Temporary, Transient};
    let watch = Arc::new(Watch { name, ..Watch::default() });
    let ledger = ledger.clone();
    let (slow_start, bad_start) = (rng.u8(..4) == 0, rng.u8(..8) == 0);
    let worker = child(move |cx: Context<Job>| {
        let body = Body::enter(&watch, &ledger, cx.incarnation());
        assert!(!bad_start || cx.incarnation() % 5 != 2, "a bad start");
        work(cx, body, slow_start)
    });
    let shutdowns = [Shutdown::Brutal, Shutdown::Timeout(5 * MS), Shutdown::Timeout(50 * MS)];
    let mut worker = worker
        .restart(pick(rng, &[Permanent, Permanent, Transient, Temporary]))
        .shutdown(pick(rng, &shutdowns));
    if rng.bool() {
        worker = worker.backoff(Backoff::storm_guard());
    }
    if slow_start { worker.gated() } else { worker }
}

/// A random tree; the addresses of its workers go to `workers`.
fn tree(
    depth: u32,
    path: &str,
    ledger: &Arc<Ledger>,
    rng: &mut fastrand::Rng,
    workers: &mut Vec<Address<Job>>,
) -> Supervisor {
    let strategies = [Strategy::OneForOne, Strategy::OneForAll, Strategy::RestForOne];
    let shutdowns = [Shutdown::Brutal, Shutdown::Timeout(20 * MS), Shutdown::Infinity];
    let mut supervisor = Supervisor::new(path)
        .unlimited()
        .kill_grace(5 * SECOND)
        .strategy(pick(rng, &strategies))
        .shutdown(pick(rng, &shutdowns));
    if rng.bool() {
        let intensity = rng.u32(1..20);
        supervisor = supervisor.intensity(intensity, 100 * MS).backoff(Backoff::storm_guard());
    }
    for index in 0..rng.u32(1..4) {
        supervisor = if depth > 0 && rng.bool() {
            let path = format!("{path}.s{index}");
            supervisor.supervisor(tree(depth - 1, &path, ledger, rng, workers))
        } else {
            let child = worker(format!("{path}.w{index}"), ledger, rng);
            workers.push(child.address());
            supervisor.child(child.named(format!("w{index}")))
        };
    }
    if depth > 0 {
        let pool = Supervisor::dynamic(format!("{path}.pool")).unlimited();
        supervisor = supervisor.supervisor(pool.shutdown(Shutdown::Brutal));
    }
    supervisor
}

fn pick<T: Copy>(rng: &mut fastrand::Rng, from: &[T]) -> T {
    from[rng.usize(..from.len())]
}

/// What the actors of one round act on.
struct World {
    system: System,
    ledger: Arc<Ledger>,
    workers: Mutex<Vec<Address<Job>>>,
    operations: AtomicI64,
}

/// One of those who disturb a world.
struct Actor {
    world: Arc<World>,
    number: u64,
    rng: fastrand::Rng,
    /// Rises with everything that it does.
    count: u64,
}

impl Actor {
    async fn act(mut self) {
        let end = Instant::now() + ACT;
        while Instant::now() < end {
            self.count += 1;
            self.world.operations.fetch_add(1, SeqCst);
            let choice = self.rng.u8(..16);
            match choice {
                0..=6 | 12.. => self.send(choice).await,
                7..=9 => self.change_a_child().await,
                10 => self.add_a_worker().await,
                11 => self.add_a_supervisor().await,
            }
            if self.rng.u8(..3) == 0 {
                sleep(Duration::from_micros(self.rng.u64(..300))).await;
            }
        }
    }

    async fn send(&mut self, choice: u8) {
        let workers = self.world.workers.lock().unwrap().len();
        let chosen = self.rng.usize(..workers);
        let address = self.world.workers.lock().unwrap()[chosen].clone();
        let (limit, ledger) = (200 * MS, &self.world.ledger);
        // Whether it still takes the message, or answers, is its own affair.
        match choice {
            0 => drop(address.tell(Job::Panic)),
            1 => drop(address.tell(Job::Fail)),
            2 => drop(address.tell(Job::Finish)),
            3 => drop(address.tell(Job::Wait)),
            4 | 5 => drop(ledger.answered("ask", address.ask_timeout(limit, Job::Answer)).await),
            6 => drop(ledger.answered("ask", address.ask_timeout(limit, Job::Ignore)).await),
            _ => {
                for _ in 0..8 {
                    self.count += 1;
                    drop(address.tell(Job::Note(self.number, self.count)));
                }
            }
        }
    }

    async fn change_a_child(&mut self) {
        let ledger = self.world.ledger.clone();
        let supervisors = self.supervisors().await;
        let supervisor = &supervisors[self.rng.usize(..supervisors.len())];
        let mut children = children(supervisor, &ledger).await;
        children.retain(|child| child.name.as_deref() != Some("processes"));
        if children.is_empty() {
            return;
        }
        let child = &children[self.rng.usize(..children.len())];
        let of = format!("of {:?} ({:?}) under {}", child.name, child.state, supervisor.name());
        // A refusal is an answer.
        let _ = ledger.answered(&format!("stop {of}"), supervisor.stop_child(child.pid)).await;
        if self.rng.u8(..8) > 0 {
            let restarted = supervisor.restart_child(child.pid);
            let _ = ledger.answered(&format!("restart {of}"), restarted).await;
        }
    }

    async fn add_a_worker(&mut self) {
        let ledger = self.world.ledger.clone();
        let supervisors = self.supervisors().await;
        let supervisor = &supervisors[self.rng.usize(..supervisors.len())];
        let name = format!("added.{}.{}", self.number, self.count);
        let child = worker(name, &ledger, &mut self.rng);
        let address = child.address();
        if supervisor.name().ends_with("pool") || self.rng.bool() {
            let _ = supervisor.spawn_child(child);
        } else {
            let what = format!("start of a child under {}", supervisor.name());
            let _ = ledger.answered(&what, supervisor.start_child(child)).await;
        }
        // Taken or not: it ends one day.
        self.world.workers.lock().unwrap().push(address);
    }

    async fn add_a_supervisor(&mut self) {
        let ledger = self.world.ledger.clone();
        let supervisors = self.supervisors().await;
        if supervisors.len() >= SUPERVISORS {
            return;
        }
        let supervisor = &supervisors[self.rng.usize(..supervisors.len())];
        let (path, mut workers) = (format!("n{}.{}", self.number, self.count), Vec::new());
        let nested = tree(1, &path, &ledger, &mut self.rng, &mut workers);
        let what = format!("start of a supervisor under {}", supervisor.name());
        let _ = ledger.answered(&what, supervisor.start_supervisor(nested)).await;
        self.world.workers.lock().unwrap().extend(workers);
    }

    /// The root and all supervisors that run.
    async fn supervisors(&self) -> Vec<SupervisorRef> {
        let mut found = vec![self.world.system.root().clone()];
        let mut looked_at = 0;
        while looked_at < found.len() {
            let children = children(&found[looked_at], &self.world.ledger).await;
            let running = children.into_iter().filter(|child| child.state == ChildState::Running);
            found.extend(running.filter_map(|child| child.supervisor));
            looked_at += 1;
        }
        found
    }
}

async fn children(supervisor: &SupervisorRef, ledger: &Ledger) -> Vec<ChildInfo> {
    let what = format!("children of {}", supervisor.name());
    let children = ledger.answered(&what, supervisor.children()).await;
    children.and_then(Result::ok).unwrap_or_default()
}

/// Makes a world, lets the actors loose on it, ends it, and says how much they did.
async fn round(seed: u64, ledger: &Arc<Ledger>) -> i64 {
    let mut rng = fastrand::Rng::with_seed(seed);
    let system = System::new(Runtime::executor());
    let mut workers = Vec::new();
    for name in ["t0", "t1"] {
        let tree = tree(2, name, ledger, &mut rng, &mut workers);
        let _ = ledger.answered("supervise", system.supervise(tree)).await;
    }
    let (operations, workers) = (AtomicI64::new(0), Mutex::new(workers));
    let world = Arc::new(World { system, ledger: ledger.clone(), workers, operations });
    let actors = (0..ACTORS).map(|number| {
        let rng = fastrand::Rng::with_seed(seed.wrapping_mul(1000).wrapping_add(number));
        spawn(Actor { world: world.clone(), number, rng, count: 0 }.act())
    });
    for actor in actors.collect::<Vec<_>>() {
        // `None`: it panicked.
        if timeout(6 * LIMIT, actor).await != Ok(Some(())) {
            ledger.find("an actor panicked, or hangs");
        }
    }
    let Some(world) = Arc::into_inner(world) else { return 0 };
    end(world.system, &world.workers.into_inner().unwrap(), rng.u8(..4) == 0, ledger).await;
    world.operations.into_inner()
}

/// Ends a system, by its stop or by its drop, and looks at what is left.
async fn end(system: System, workers: &[Address<Job>], by_drop: bool, ledger: &Ledger) {
    if by_drop {
        drop(system);
    } else {
        let stopped = ledger.answered("stop", system.stop(2 * SECOND)).await;
        if let Some(stopped) = stopped.filter(|stopped| stopped.abandoned > 0) {
            ledger.find(format!("{stopped:?}"));
        }
        let bodies = ledger.bodies.load(SeqCst);
        if bodies != 0 {
            ledger.find(format!("{bodies} bodies live when stop returns"));
        }
    }
    for address in workers {
        if ledger.answered(&format!("the end of {address:?}"), address.ended()).await.is_none() {
            return;
        }
    }
    // Time for a driver that is in its poll to do harm.
    sleep(20 * MS).await;
    let open = workers.iter().filter(|address| address.tell(Job::Wait).is_ok()).count();
    let queued: usize = workers.iter().map(Address::queued).sum();
    let left = (open, queued, ledger.bodies.load(SeqCst));
    if left != (0, 0, 0) {
        ledger.find(format!("left of {}: (open, messages, bodies) = {left:?}", workers.len()));
    }
}

fn setting(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|error| panic!("{name}: {error}")),
        Err(_) => default,
    }
}

#[test]
fn no_promise_breaks_under_random_crashes_stops_and_restarts() {
    let print = |info: &std::panic::PanicHookInfo<'_>| {
        if current_pid().is_none() {
            eprintln!("{info}");
        }
    };
    std::panic::set_hook(Box::new(print));
    let length = Duration::from_secs(setting("STRESS_SECS", 3));
    let first = setting("STRESS_SEED", 1);
    let executor = Executor::builder().workers(4).build().unwrap();
    let start = Instant::now();
    let (mut seed, mut operations) = (first, 0);
    while start.elapsed() < length {
        let ledger = Arc::default();
        operations += executor.run(round(seed, &ledger));
        let findings = ledger.findings.lock().unwrap();
        assert!(findings.is_empty(), "seed {seed}: {findings:#?}");
        seed = seed.wrapping_add(1);
    }
    println!("{operations} operations, seeds {first}..{seed}");
}
