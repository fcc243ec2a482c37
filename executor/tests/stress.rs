//! Random processes on executors that come and go, on real threads.
//!
//! Guards what holds in every interleaving: each process ends, with its own result, or cancelled, or panicked, only where that was asked
//! for; each future and each output is dropped once. `STRESS_SECS` sets how long it runs (3), `STRESS_SEED` its first seed (1). A
//! failure prints its seed; threads are not seeded, so the same one may have to be run several times.
#![cfg(not(loom))]

use bastion_executor::{
    Executor, Outcome, Place, RecoverableHandle, run, sleep, spawn, spawn_blocking, spawn_detached,
    spawn_on, timeout, yield_now,
};
use std::future::{pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};
use std::{mem, thread};

/// Who has waited this long waits for ever.
const LIMIT: Duration = Duration::from_secs(30);
/// How many threads act from outside.
const ACTORS: u64 = 3;
/// How long the actors of one round act.
const ACT: Duration = Duration::from_millis(150);
/// A process spawns no deeper than this.
const DEPTH: u32 = 3;
/// Machines to place workers on, where nothing is bound.
const MACHINES: [&str; 5] = [
    "core:4",
    "node:2 core:1",
    "node:2 core:3 allowed:0,3-5",
    "node:4 core:2",
    "node:4 core:2 distance:10,16,21,31/16,10,31,21/21,31,10,16/31,21,16,10",
];

/// What one round has found wrong, and what lives.
#[derive(Default)]
struct Ledger {
    findings: Mutex<Vec<String>>,
    /// Futures and outputs.
    alive: AtomicI64,
    processes: AtomicU64,
}

impl Ledger {
    fn find(&self, finding: impl Into<String>) {
        self.findings.lock().unwrap().push(finding.into());
    }
}

/// One executor, as its processes know it.
#[derive(Clone)]
struct World {
    ledger: Arc<Ledger>,
    /// The executor is being dropped: a process may be cancelled at any moment.
    closing: Arc<AtomicBool>,
    /// Somebody else who wakes, twice.
    wakers: mpsc::Sender<Waker>,
}

/// Part of a future, or of an output.
struct Part(Arc<Ledger>);

impl Part {
    fn of(world: &World) -> Part {
        world.ledger.alive.fetch_add(1, SeqCst);
        Part(world.ledger.clone())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // Dropped twice, the number never comes back to nought.
        self.0.alive.fetch_sub(1, SeqCst);
    }
}

/// What a process answers: its own seed.
struct Answer(u64, #[allow(dead_code, reason = "it counts")] Part);

type Body = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// What a process does is a matter of its seed.
fn body(world: &World, seed: u64, depth: u32) -> Body {
    world.ledger.processes.fetch_add(1, SeqCst);
    let (part, world) = (Part::of(world), world.clone());
    Box::pin(async move {
        let _part = part;
        let mut rng = fastrand::Rng::with_seed(seed);
        for _ in 0..rng.u32(0..6) {
            step(&world, &mut rng, depth).await;
        }
        Answer(seed, Part::of(&world))
    })
}

async fn step(world: &World, rng: &mut fastrand::Rng, depth: u32) {
    let short = Duration::from_micros(rng.u64(0..400));
    match rng.u8(..16) {
        0 | 1 => yield_now().await,
        2 => sleep(short).await,
        3 => assert!(timeout(short, pending::<()>()).await.is_err()),
        4 => drop(timeout(short, sleep(2 * short)).await),
        // Its timer is taken back.
        5 => assert!(timeout(LIMIT, yield_now()).await.is_ok()),
        6 => woken_by_another(world).await,
        7 => panicking_waker(rng).await,
        8 => blocking(world, rng, depth).await,
        // In the middle of a poll: the worker waits here.
        9 => run(sleep(short)),
        10 => sockets(rng).await,
        _ if depth < DEPTH => child(world, rng, depth + 1).await,
        _ => {}
    }
}

/// Spawns a process and has it end in one way or another.
async fn child(world: &World, rng: &mut fastrand::Rng, depth: u32) {
    let seed = rng.u64(..);
    let process = body(world, seed, depth);
    match rng.u8(..8) {
        0..=3 => await_answer(world, seed, spawn_somewhere(rng, process)).await,
        4 => {
            let handle = spawn_somewhere(rng, process);
            if rng.bool() {
                yield_now().await;
            }
            handle.cancel();
            match handle.await {
                Some(Answer(answer, _)) if answer != seed => world.ledger.find("a wrong answer"),
                _ => {}
            }
        }
        5 => panics(world, rng, process).await,
        6 => spawn(process).detach(),
        _ => spawn_detached(process),
    }
}

/// Spawns a process at a place; anywhere, where there is no such one.
fn spawn_somewhere<F>(rng: &mut fastrand::Rng, process: F) -> RecoverableHandle<F::Output>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    spawn_on(place(rng), process).unwrap_or_else(|refused| spawn(refused.future))
}

fn place(rng: &mut fastrand::Rng) -> Place {
    match rng.u8(..32) {
        0 => Place::Thread,
        1..16 => Place::Node(rng.u32(..5)),
        _ => Place::Anywhere,
    }
}

async fn await_answer(world: &World, seed: u64, mut handle: RecoverableHandle<Answer>) {
    match handle.outcome().await {
        Outcome::Completed(Answer(answer, _)) if answer == seed => {}
        Outcome::Cancelled if world.closing.load(SeqCst) => {}
        Outcome::Completed(_) => world.ledger.find("a wrong answer"),
        Outcome::Cancelled => world.ledger.find("cancelled by nobody"),
        Outcome::Panicked(panic) => {
            world.ledger.find(format!("panicked: {:?}", panic.message()));
        }
    }
}

/// Panics in its destructor, unless it panics already, and spawns there.
struct Wild(World, u64);

impl Drop for Wild {
    fn drop(&mut self) {
        spawn_detached(body(&self.0, self.1, DEPTH));
        if !thread::panicking() {
            resume_unwind(Box::new("told to"));
        }
    }
}

/// Spawns a process that panics, in itself or in a destructor.
async fn panics(world: &World, rng: &mut fastrand::Rng, inner: Body) {
    let (wild, cancel) = (rng.bool().then(|| Wild(world.clone(), rng.u64(..))), rng.bool());
    let process = async move {
        let _wild = wild;
        inner.await;
        resume_unwind(Box::new("told to"))
    };
    let mut handle = spawn_somewhere(rng, process);
    if cancel {
        handle.cancel();
    }
    match handle.outcome().await {
        Outcome::Completed(()) => world.ledger.find("a panic is lost"),
        Outcome::Cancelled if !cancel && !world.closing.load(SeqCst) => {
            world.ledger.find("one that panics was cancelled by nobody");
        }
        Outcome::Cancelled => {}
        Outcome::Panicked(panic) if panic.message() == Some("told to") => {}
        Outcome::Panicked(panic) => world.ledger.find(format!("{:?}", panic.message())),
    }
}

/// Waits until another thread has woken this process; the second wake comes when it likes.
async fn woken_by_another(world: &World) {
    let mut asked = false;
    poll_fn(|cx| {
        if mem::replace(&mut asked, true) {
            return Poll::Ready(());
        }
        world.wakers.send(cx.waker().clone()).expect("the waking thread lives as long as a world");
        Poll::Pending
    })
    .await;
}

struct Panics;

impl Wake for Panics {
    fn wake(self: Arc<Self>) {
        resume_unwind(Box::new("told to"));
    }
}

/// Leaves a timer that panics when it wakes, between others.
async fn panicking_waker(rng: &mut fastrand::Rng) {
    let time = Duration::from_micros(rng.u64(0..200));
    let (mut wild, waker) = (sleep(time), Waker::from(Arc::new(Panics)));
    // Ready at once is as good.
    let _ = Pin::new(&mut wild).poll(&mut Context::from_waker(&waker));
    sleep(time).await;
}

/// Has a blocking job spawn and wait.
async fn blocking(world: &World, rng: &mut fastrand::Rng, depth: u32) {
    let (seed, inside) = (rng.u64(..), world.clone());
    let inner = (rng.bool() && depth < DEPTH).then(|| body(world, seed, depth + 1));
    let panics = rng.u8(..8) == 0;
    let job = spawn_blocking(move || {
        if let Some(inner) = inner {
            let handle = spawn(inner);
            run(await_answer(&inside, seed, handle));
        }
        if panics {
            resume_unwind(Box::new("told to"));
        }
        Answer(seed, Part::of(&inside))
    });
    match job.await {
        Some(Answer(answer, _)) if panics || answer != seed => {
            world.ledger.find("a wrong answer of a blocking job");
        }
        None if !panics => world.ledger.find("a blocking job is lost"),
        _ => {}
    }
}

#[cfg(all(feature = "io", unix))]
async fn sockets(rng: &mut fastrand::Rng) {
    use bastion_executor::io::Async;
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;
    let (near, far) = UnixStream::pair().expect("a pair");
    let (near, far) = (Async::new(near).expect("watched"), Async::new(far).expect("watched"));
    let (count, echo_ends) = (rng.usize(1..4), rng.bool());
    spawn_detached(async move {
        let mut byte = [0];
        for _ in 0..if echo_ends { count - 1 } else { count } {
            let read = far.read_with(|mut far| far.read(&mut byte)).await;
            // Its peer may be gone, or cancelled.
            if read.is_err() || far.write_with(|mut far| far.write(&byte)).await.is_err() {
                return;
            }
        }
    });
    for number in 0..count as u8 {
        let mut byte = [number];
        let written = near.write_with(|mut near| near.write(&byte)).await;
        if written.is_err()
            || matches!(near.read_with(|mut near| near.read(&mut byte)).await, Ok(0) | Err(_))
        {
            return;
        }
        assert_eq!(byte, [number]);
    }
}

#[cfg(not(all(feature = "io", unix)))]
async fn sockets(_: &mut fastrand::Rng) {}

fn executor(rng: &mut fastrand::Rng) -> Executor {
    let slice = Duration::from_micros(rng.u64(1..200));
    let builder = Executor::builder().workers(rng.usize(1..5)).time_slice(slice);
    let builder = match rng.usize(..=MACHINES.len()).checked_sub(1) {
        Some(machine) => builder.topology(MACHINES[machine].parse().expect("a machine")),
        None => builder,
    };
    let spin = Duration::from_micros(if rng.u8(..4) == 0 { 50 } else { 0 });
    builder.lifo_chain(rng.u32(0..5)).spin(spin).build().expect("threads")
}

/// One of those who act from outside, on an executor that they share and on their own ones.
struct Actor<'a> {
    world: &'a World,
    shared: &'a Executor,
    rng: fastrand::Rng,
    waits: Vec<(u64, RecoverableHandle<Answer>)>,
}

impl Actor<'_> {
    fn act(mut self) {
        let end = Instant::now() + ACT;
        while Instant::now() < end {
            match self.rng.u8(..8) {
                0..=2 => self.spawn(),
                3 => self.shared.spawn_detached(body(self.world, self.rng.u64(..), 0)),
                4 => {
                    let seed = self.rng.u64(..);
                    let Answer(answer, _) = self.shared.run(body(self.world, seed, 0));
                    assert_eq!(answer, seed);
                }
                5 => self.scope(),
                6 => self.own_executor(),
                _ => self.catch_up(),
            }
        }
        if self.rng.bool() {
            self.catch_up();
        }
    }

    fn spawn(&mut self) {
        for _ in 0..self.rng.u32(1..20) {
            let (seed, place) = (self.rng.u64(..), place(&mut self.rng));
            let spawned = self.shared.spawn_on(place, body(self.world, seed, 0));
            let spawned = spawned.unwrap_or_else(|refused| self.shared.spawn(refused.future));
            self.waits.push((seed, spawned));
        }
    }

    fn catch_up(&mut self) {
        for (seed, handle) in mem::take(&mut self.waits) {
            self.shared.run(await_answer(self.world, seed, handle));
        }
    }

    /// Has processes borrow from this frame.
    fn scope(&mut self) {
        let (sum, world) = (AtomicU64::new(0), self.world);
        let seeds: Vec<u64> = (0..4).map(|_| self.rng.u64(..1000)).collect();
        self.shared.scope(|scope| {
            for seed in &seeds {
                scope.spawn(async {
                    let Answer(answer, _) = body(world, *seed, DEPTH - 1).await;
                    sum.fetch_add(answer, SeqCst);
                });
            }
        });
        assert_eq!(sum.into_inner(), seeds.iter().sum());
    }

    /// Makes an executor, and drops it at any moment.
    fn own_executor(&mut self) {
        let executor = executor(&mut self.rng);
        let world = World { closing: Arc::default(), ..self.world.clone() };
        let seeds: Vec<u64> = (0..self.rng.u64(0..20)).map(|_| self.rng.u64(..)).collect();
        let rng = &mut self.rng;
        let spawned = |seed: &u64| {
            let spawned = executor.spawn_on(place(rng), body(&world, *seed, 0));
            (*seed, spawned.unwrap_or_else(|refused| executor.spawn(refused.future)))
        };
        let mut waits: Vec<_> = seeds.iter().map(spawned).collect();
        for (seed, handle) in waits.drain(..self.rng.usize(..=waits.len())) {
            executor.run(await_answer(&world, seed, handle));
        }
        world.closing.store(true, SeqCst);
        let itself = self.rng.u8(..4) == 0;
        if itself {
            drop_inside(executor, place(&mut self.rng))
        } else {
            drop(executor)
        }
        for (seed, handle) in waits {
            run(await_answer(&world, seed, handle));
        }
    }
}

/// Has one of its own processes drop the executor, and waits for that.
fn drop_inside(executor: Executor, place: Place) {
    let (give, given) = mpsc::channel::<Executor>();
    let (tell, told) = mpsc::channel();
    let drops = async move {
        drop(given.recv());
        tell.send(()).expect("it is waited for");
        yield_now().await;
    };
    let process = executor.spawn_on(place, drops);
    let process = process.unwrap_or_else(|refused| executor.spawn(refused.future));
    give.send(executor).expect("the process waits");
    told.recv().expect("it goes on behind the drop");
    assert!(run(process).is_none(), "a process of an executor that is no more goes on");
}

/// Lets the actors loose on an executor, drops it, and returns how many processes there were.
fn round(seed: u64, ledger: &Arc<Ledger>) -> u64 {
    let mut rng = fastrand::Rng::with_seed(seed);
    let (wakers, given) = mpsc::channel::<Waker>();
    let waking = thread::spawn(move || {
        for waker in given {
            waker.wake_by_ref();
            waker.wake();
        }
    });
    let world = World { ledger: ledger.clone(), closing: Arc::default(), wakers };
    let shared = executor(&mut rng);
    thread::scope(|scope| {
        for number in 0..ACTORS {
            let rng = fastrand::Rng::with_seed(seed.wrapping_mul(1000).wrapping_add(number));
            let actor = Actor { world: &world, shared: &shared, rng, waits: Vec::new() };
            scope.spawn(move || {
                if catch_unwind(AssertUnwindSafe(|| actor.act())).is_err() {
                    ledger.find("an actor has panicked");
                }
            });
        }
    });
    world.closing.store(true, SeqCst);
    drop(shared);
    drop(world);
    // What somebody wakes yet is dropped then; the last one has the last sender.
    waking.join().expect("wakers that do not panic");
    let start = Instant::now();
    while ledger.alive.load(SeqCst) != 0 && start.elapsed() < LIMIT {
        thread::yield_now();
    }
    let alive = ledger.alive.load(SeqCst);
    if alive != 0 {
        ledger.find(format!("{alive} futures and outputs live on"));
    }
    ledger.processes.load(SeqCst)
}

fn setting(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|error| panic!("{name}: {error}")),
        Err(_) => default,
    }
}

#[test]
fn every_process_ends_as_it_should_while_executors_come_and_go() {
    let length = Duration::from_secs(setting("STRESS_SECS", 3));
    let first = setting("STRESS_SEED", 1);
    let start = Instant::now();
    let (mut seed, mut processes) = (first, 0);
    while start.elapsed() < length {
        let ledger = Arc::<Ledger>::default();
        let (done, is_done) = mpsc::channel();
        let acting = ledger.clone();
        // On a thread of its own, so that what hangs is a failure and not a test that never ends.
        thread::spawn(move || done.send(round(seed, &acting)));
        let done = is_done.recv_timeout(2 * LIMIT);
        let findings = ledger.findings.lock().unwrap();
        assert!(done.is_ok() && findings.is_empty(), "seed {seed}: {done:?}, {findings:#?}");
        processes += done.unwrap_or_default();
        seed = seed.wrapping_add(1);
    }
    println!("{processes} processes, seeds {first}..{seed}");
}
