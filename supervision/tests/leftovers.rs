//! What is left in memory when systems, supervisors and runtimes end: nothing, on every runtime and in whichever order they end.
//!
//! Guards against references in a circle. A token is held by everything that foreign code can put into a system: start closures,
//! bodies, messages, errors; and by the report hook, which goes with what all processes of a system share.

use bastion_supervision::plan::{Backoff, RestartType, Shutdown, Strategy};
use bastion_supervision::{
    Address, Child, Context, Exit, Reply, Runtime, Sim, Supervisor, SupervisorRef, System, child,
    current_pid,
};
use std::fmt;
use std::future::pending;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Once};
use std::time::Duration;

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
/// What is held for this long is held for ever.
const LIMIT: Duration = Duration::from_secs(10);

/// The last one to be dropped hangs up.
type Token = Arc<Sender<()>>;

fn token() -> (Token, Receiver<()>) {
    let (token, freed) = channel();
    (Arc::new(token), freed)
}

/// Drops the test's own token, and waits until nobody else has one.
fn assert_free(token: Token, freed: &Receiver<()>, what: &str) {
    drop(token);
    let freed = freed.recv_timeout(LIMIT);
    assert_eq!(freed, Err(RecvTimeoutError::Disconnected), "{what}: tokens are held");
}

enum Job {
    Keep(#[expect(dead_code)] Token),
    Fail(Token),
    /// Wait for the end of another process.
    Watch(Address<Job>),
    /// Ask it, and wait for an answer that never comes.
    Ask(Address<Job>),
    Question(#[expect(dead_code)] Token, #[expect(dead_code)] Reply<Token>),
}

/// An error that holds a token.
#[derive(Debug)]
struct Failure(#[expect(dead_code)] Token);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("told to")
    }
}

impl std::error::Error for Failure {}

/// A child that keeps whatever it gets.
fn worker(token: &Token) -> Child<Job> {
    let token = token.clone();
    child(move |mut cx: Context<Job>| {
        let token = token.clone();
        async move {
            let mut kept = Vec::new();
            while let Some(job) = cx.recv().await {
                match job {
                    Job::Fail(token) => return Err(Failure(token).into()),
                    Job::Watch(address) => drop(address.ended().await),
                    Job::Ask(address) => {
                        let question = |reply| Job::Question(token.clone(), reply);
                        let _ = address.ask_timeout(Duration::MAX, question).await;
                    }
                    kept_for_long => kept.push(kept_for_long),
                }
            }
            Ok(())
        }
    })
    .shutdown(Shutdown::Timeout(5 * MS))
}

/// A child that does not look at its messages, nor at a request to stop.
fn deaf(token: &Token) -> Child<Job> {
    let token = token.clone();
    child(move |cx: Context<Job>| {
        let token = token.clone();
        async move {
            let _held = (cx, token);
            pending().await
        }
    })
    .shutdown(Shutdown::Timeout(MS))
}

fn failing(token: &Token) -> Child<Job> {
    let token = token.clone();
    let failing = child(move |_: Context<Job>| {
        let failure = Failure(token.clone());
        async { Err(Exit::from(failure)) }
    });
    failing.backoff(Backoff::storm_guard())
}

/// A child whose body cannot be dropped without a panic.
fn bomb() -> Child<Job> {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("a destructor panics");
        }
    }
    child(|cx: Context<Job>| async move {
        let _bomb = Bomb;
        cx.stop_signal().requested().await;
        Ok(())
    })
}

/// Silences the panics of processes, and makes a system.
fn system(runtime: Runtime, token: &Token) -> System {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        std::panic::set_hook(Box::new(|info| {
            if current_pid().is_none() {
                eprintln!("{info}");
            }
        }));
    });
    let token = token.clone();
    System::with_reports(runtime, move |_| {
        let _held = &token;
    })
}

/// What a test goes on with.
struct World {
    supervisor: SupervisorRef,
    /// It fails when it is told to, and everything under the supervisor is restarted.
    first: Address<Job>,
    pool: SupervisorRef,
}

/// Fills a system with processes in every state: they wait for messages, for each other, for an answer, for their restart; they
/// are deaf, with messages that wait; they have just been spawned.
async fn fill(system: &System, token: &Token) -> World {
    let (first, second, deaf_one) = (worker(token), worker(token), deaf(token));
    let addresses = [first.address(), second.address(), deaf_one.address()];
    let pool = Supervisor::dynamic("pool").unlimited().shutdown(Shutdown::Brutal);
    let pool_ref = pool.reference();
    let nested = Supervisor::new("nested").shutdown(Shutdown::Brutal).child(deaf_one);
    let supervisor = Supervisor::new("s").strategy(Strategy::OneForAll).unlimited();
    let supervisor = supervisor.child(first).child(second).supervisor(pool).supervisor(nested);
    let supervisor = system.supervise(supervisor).await.unwrap();
    let [first, second, deaf_one] = addresses;
    let tell = |address: &Address<Job>, job| assert!(address.tell(job).is_ok());
    tell(&second, Job::Watch(first.clone()));
    tell(&deaf_one, Job::Keep(token.clone()));
    let [asks, watches, fails] = [(); 3].map(|()| system.spawn_child(worker(token)).unwrap());
    tell(&asks, Job::Ask(deaf_one.clone()));
    tell(&watches, Job::Watch(watches.clone()));
    tell(&fails, Job::Fail(token.clone()));
    let _ = system.spawn_child(failing(token)).unwrap();
    for _ in 0..3 {
        tell(&first, Job::Keep(token.clone()));
        tell(&pool_ref.spawn_child(deaf(token)).unwrap(), Job::Keep(token.clone()));
        let _ = pool_ref.spawn_child(worker(token).restart(RestartType::Temporary)).unwrap();
    }
    World { supervisor, first, pool: pool_ref }
}

#[derive(Clone, Copy, Debug)]
enum End {
    DroppedBeforeItRuns,
    Dropped,
    /// While its supervisors are restarted.
    DroppedInARestart,
    Stopped,
}

const ENDS: [End; 4] =
    [End::DroppedBeforeItRuns, End::Dropped, End::DroppedInARestart, End::Stopped];

async fn make_and_end(runtime: Runtime, end: End, token: &Token) {
    let system = system(runtime, token);
    if let End::DroppedBeforeItRuns = end {
        let _ = system.spawn_child(worker(token)).unwrap();
        return;
    }
    let world = fill(&system, token).await;
    match end {
        End::DroppedInARestart => assert!(world.first.tell(Job::Fail(token.clone())).is_ok()),
        End::Stopped => drop(system.stop(SECOND).await),
        End::Dropped | End::DroppedBeforeItRuns => {}
    }
}

/// Restarts a supervisor many times, with children that were added to it, and looks whether what it held becomes more.
async fn restart_for_long(runtime: Runtime, token: &Token, sleep: impl AsyncFn(Duration)) {
    let system = system(runtime, token);
    let World { supervisor, first, pool } = fill(&system, token).await;
    for round in 1..=200 {
        for _ in 0..5 {
            // It may be at rest, between two incarnations.
            let _ = pool.spawn_child(deaf(token));
        }
        assert!(first.tell(Job::Fail(token.clone())).is_ok());
        while first.incarnation() <= round || supervisor.counts().await.unwrap().active < 4 {
            sleep(MS / 10).await;
        }
    }
    // What was killed leaves at once, but not at the same moment.
    sleep(20 * MS).await;
    let held = Arc::strong_count(token);
    assert!(held < 200, "{held} tokens are held");
}

#[test]
fn a_system_in_a_simulation_leaves_nothing() {
    for seed in 0..20 {
        for end in ENDS {
            let (sim, (token, freed)) = (Sim::new(seed), token());
            sim.run(make_and_end(Runtime::sim(&sim), end, &token));
            sim.run(sim.sleep(SECOND));
            assert_free(token, &freed, &format!("seed {seed}: {end:?}"));
        }
        let (sim, (token, freed)) = (Sim::new(seed), token());
        sim.run(restart_for_long(Runtime::sim(&sim), &token, |time| sim.sleep(time)));
        sim.run(sim.sleep(SECOND));
        assert_free(token, &freed, &format!("seed {seed}"));
    }
}

#[cfg(feature = "executor")]
#[test]
fn a_system_on_the_executor_leaves_nothing() {
    use bastion_executor::{Executor, sleep};
    let executor = Executor::builder().workers(2).build().unwrap();
    for end in ENDS {
        let (token, freed) = token();
        executor.run(async { make_and_end(Runtime::executor(), end, &token).await });
        assert_free(token, &freed, &format!("{end:?}"));
    }
    let (token, freed) = token();
    executor.run(async { restart_for_long(Runtime::executor(), &token, sleep).await });
    assert_free(token, &freed, "restarts");
}

#[cfg(feature = "tokio")]
#[test]
fn a_system_on_tokio_leaves_nothing() {
    let tokio = tokio();
    let runtime = || Runtime::tokio(tokio.handle().clone());
    for end in ENDS {
        let (token, freed) = token();
        tokio.block_on(make_and_end(runtime(), end, &token));
        assert_free(token, &freed, &format!("{end:?}"));
    }
    let (token, freed) = token();
    tokio.block_on(restart_for_long(runtime(), &token, tokio::time::sleep));
    assert_free(token, &freed, "restarts");
}

#[cfg(feature = "tokio")]
fn tokio() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_time().build().unwrap()
}

#[test]
fn a_simulation_that_is_dropped_in_the_middle_leaves_nothing() {
    for seed in 0..20 {
        for (system_first, polled) in [(true, true), (false, true), (true, false), (false, false)] {
            let (sim, (token, freed)) = (Sim::new(seed), token());
            let system = system(Runtime::sim(&sim), &token);
            if polled {
                sim.run(fill(&system, &token));
                // A process may have a handle of its own system.
                let owned = system.clone();
                let _ = system.spawn_child(child(move |cx: Context<Job>| {
                    let _held = &owned;
                    async move {
                        cx.stop_signal().requested().await;
                        Ok(())
                    }
                }));
                let _ = system.spawn_child(bomb()).unwrap();
                sim.run(sim.sleep(SECOND));
            }
            let address = system.spawn_child(worker(&token)).unwrap();
            if system_first {
                drop(system);
                drop(sim);
            } else {
                drop(sim);
                assert!(system.has_ended(), "nobody could run it");
                assert!(system.spawn_child(worker(&token)).is_err());
                drop(system);
            }
            assert!(address.tell(Job::Keep(token.clone())).is_err());
            drop(address);
            assert_free(token, &freed, &format!("seed {seed}: {system_first} {polled}"));
        }
    }
}

#[test]
fn who_waits_outside_is_told_when_a_simulation_is_dropped() {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};
    let (sim, (token, _freed)) = (Sim::new(1), token());
    let system = system(Runtime::sim(&sim), &token);
    let World { supervisor, first, .. } = sim.run(fill(&system, &token));
    let (mut end, mut ask) = (pin!(first.ended()), pin!(supervisor.counts()));
    let mut task = Context::from_waker(Waker::noop());
    assert!(end.as_mut().poll(&mut task).is_pending());
    assert!(ask.as_mut().poll(&mut task).is_pending());
    drop(sim);
    assert!(matches!(end.poll(&mut task), Poll::Ready(reason) if reason.is_abnormal()));
    assert!(matches!(ask.poll(&mut task), Poll::Ready(Err(_))));
}

#[cfg(feature = "executor")]
#[test]
fn an_executor_that_is_dropped_before_or_after_its_system_leaves_nothing() {
    use bastion_executor::Executor;
    for system_first in [true, false] {
        let (token, freed) = token();
        let executor = Executor::builder().workers(2).build().unwrap();
        let system = executor.run(async {
            let system = system(Runtime::executor(), &token);
            fill(&system, &token).await;
            system
        });
        if system_first {
            drop(system);
            drop(executor);
        } else {
            drop(executor);
            drop(system);
        }
        assert_free(token, &freed, &format!("{system_first}"));
    }
}

#[cfg(feature = "tokio")]
#[test]
fn a_tokio_runtime_that_is_dropped_before_or_after_its_system_leaves_nothing() {
    for system_first in [true, false] {
        let (tokio, (token, freed)) = (tokio(), token());
        let system = system(Runtime::tokio(tokio.handle().clone()), &token);
        tokio.block_on(fill(&system, &token));
        if system_first {
            drop(system);
            drop(tokio);
        } else {
            drop(tokio);
            drop(system);
        }
        assert_free(token, &freed, &format!("{system_first}"));
    }
}
