//! Attacks on the driver, on real threads: bodies and hooks that block their worker, floods, crashes without end.
//!
//! Guards that a supervisor never waits for ever, whatever its children do, and that every stop tells the truth about them.
//! Blocked workers are released by the test; where a defect would end the program, the test runs in a program of its own.

#![cfg(feature = "executor")]

use bastion_executor::{Executor, sleep, spawn, timeout};
use bastion_supervision::plan::{self, ExitReason, RestartType, Shutdown, Strategy};
use bastion_supervision::{
    Address, AskError, Child, Context, Exit, Reply, Report, Runtime, Sim, Supervisor, System,
    child, current_pid,
};
use std::future::{pending, poll_fn};
use std::pin::pin;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, Once};
use std::task::Poll;
use std::time::{Duration, Instant};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
/// Who has waited this long waits for ever.
const LIMIT: Duration = Duration::from_secs(5);
/// How long a whole scenario may take.
const WATCHDOG: Duration = Duration::from_secs(30);

/// Silences the panics of processes, and makes an executor that is dropped with the test.
fn executor(workers: usize) -> Executor {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        std::panic::set_hook(Box::new(|info| {
            if current_pid().is_none() {
                eprintln!("{info}");
            }
        }));
    });
    Executor::builder().workers(workers).build().unwrap()
}

/// The test's end of a worker that is blocked. Dropped, it releases the worker; so it is made after the executor.
struct Hold {
    entered: Receiver<()>,
    _release: Sender<()>,
}

impl Hold {
    /// Waits until the worker is blocked.
    fn entered(&self) {
        self.entered.recv_timeout(LIMIT).expect("nobody blocks");
    }
}

/// The other end.
#[derive(Clone)]
struct Blocker {
    entered: Sender<()>,
    released: Arc<Mutex<Receiver<()>>>,
}

impl Blocker {
    fn block(&self) {
        let _ = self.entered.send(());
        let _ = self.released.lock().unwrap().recv();
    }
}

fn blocker() -> (Hold, Blocker) {
    let (enter, entered) = channel();
    let (release, released) = channel();
    let blocker = Blocker { entered: enter, released: Arc::new(Mutex::new(released)) };
    (Hold { entered, _release: release }, blocker)
}

/// A child whose first incarnation blocks its worker once it has started.
fn stuck(blocker: Blocker) -> Child<()> {
    let stuck = child(move |cx: Context<()>| {
        let blocker = blocker.clone();
        async move {
            if cx.incarnation() == 1 {
                cx.sleep(MS).await;
                blocker.block();
            }
            cx.stop_signal().requested().await;
            Ok(())
        }
    });
    stuck.named("stuck")
}

/// Runs `scenario` on a thread of its own, which is left behind if it never ends: the test fails, and does not hang.
fn watched(scenario: impl FnOnce() + Send + 'static) {
    let (end, ended) = channel::<()>();
    let thread = std::thread::spawn(move || {
        // Dropped after the scenario's executor, which waits for its workers; also by a panic.
        let _end = end;
        scenario();
    });
    let ended = ended.recv_timeout(WATCHDOG);
    assert_ne!(ended, Err(RecvTimeoutError::Timeout), "the scenario never ends");
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

/// Runs `scenario` in a program of its own, this test's: a defect that ends the program fails one test only.
fn in_a_program_of_its_own(test: &str, scenario: impl FnOnce() + Send + 'static) {
    const INSIDE: &str = "ADVERSARIAL_PROGRAM";
    if std::env::var_os(INSIDE).is_some() {
        return watched(scenario);
    }
    let mut program = Command::new(std::env::current_exe().unwrap());
    let output = program.args(["--exact", test, "--nocapture"]).env(INSIDE, "").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{}: {}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(said.contains("1 passed"), "no test of this name: {said}");
}

#[test]
fn messages_whose_destructors_panic_do_not_end_the_program() {
    watched(|| {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("a destructor panics");
            }
        }
        in_a_program_of_its_own("messages_whose_destructors_panic_do_not_end_the_program", || {
            let sim = Sim::new(1);
            sim.run(async {
                let system = System::new(Runtime::sim(&sim));
                let deaf = child(|cx: Context<Bomb>| async move {
                    cx.stop_signal().requested().await;
                    Ok(())
                });
                let address = system.spawn_child(deaf).unwrap();
                for _ in 0..2 {
                    assert!(address.tell(Bomb).map_err(std::mem::forget).is_ok());
                }
                sim.sleep(SECOND).await;
                system.stop(SECOND).await;
                assert_eq!(system.stats().dead_letters, 2);
            });
        });
    });
}

#[test]
fn a_process_that_floods_itself_can_be_killed() {
    watched(|| {
        let executor = executor(2);
        let release = Arc::new(AtomicBool::new(false));
        let (flooding, flooded) = channel();
        let released = release.clone();
        let flood = child(move |mut cx: Context<()>| {
            let (released, flooding) = (released.clone(), flooding.clone());
            async move {
                let me = cx.address();
                me.tell(())?;
                let mut count = 0_u64;
                while cx.recv().await.is_some() && !released.load(SeqCst) {
                    count += 1;
                    if count == 1000 {
                        flooding.send(())?;
                    }
                    me.tell(())?;
                }
                Ok(())
            }
        });
        let flood = flood.named("flood").shutdown(Shutdown::Brutal).restart(RestartType::Temporary);
        let supervisor = Supervisor::new("s").kill_grace(2 * SECOND).child(flood);
        let stopped = executor.run(async {
            let system = System::new(Runtime::executor());
            let supervised = timeout(LIMIT, system.supervise(supervisor)).await;
            assert!(supervised.is_ok_and(|supervised| supervised.is_ok()));
            flooded.recv_timeout(LIMIT).unwrap();
            system.stop(2 * LIMIT).await
        });
        release.store(true, SeqCst);
        assert_eq!(stopped.abandoned, 0, "it awaits every message, so it yields");
    });
}

#[test]
fn a_child_that_always_crashes_is_restarted_with_pauses() {
    watched(|| {
        let executor = executor(2);
        let starts = Arc::new(AtomicU64::new(0));
        let count = starts.clone();
        let crash = child(move |_: Context<()>| {
            count.fetch_add(1, SeqCst);
            async { Err(Exit::error("always")) }
        });
        executor.run(async {
            let system = System::new(Runtime::executor());
            let _ = system.supervise(Supervisor::new("s").child(crash)).await;
            sleep(SECOND).await;
            system.stop(SECOND).await;
        });
        let starts = starts.load(SeqCst);
        assert!((1..100).contains(&starts), "{starts} starts in one second");
    });
}

#[test]
fn a_restarted_supervisor_does_not_wait_for_a_stuck_child_of_its_predecessor() {
    watched(|| {
        let executor = executor(3);
        let (hold, blocker) = blocker();
        let inner = Supervisor::new("inner").shutdown(Shutdown::Brutal).kill_grace(50 * MS);
        let inner = inner.child(stuck(blocker));
        let outer = Supervisor::new("outer").kill_grace(50 * MS).supervisor(inner);
        executor.run(async {
            let system = System::new(Runtime::executor());
            let outer = system.supervise(outer).await.unwrap();
            hold.entered();
            outer.stop_child("inner").await.unwrap();
            let restarted = timeout(LIMIT, outer.restart_child("inner")).await;
            assert!(restarted.is_ok_and(|restarted| restarted.is_ok()));
            assert_eq!(system.stats().abandoned, 1);
        });
    });
}

#[test]
fn a_stop_counts_a_stuck_child_of_a_nested_supervisor() {
    watched(|| {
        let executor = executor(3);
        let (hold, blocker) = blocker();
        let supervisor = Supervisor::new("s").child(stuck(blocker));
        let stopped = executor.run(async {
            let system = System::new(Runtime::executor());
            system.supervise(supervisor).await.unwrap();
            hold.entered();
            system.stop(200 * MS).await
        });
        assert_eq!(stopped.abandoned, 1, "{stopped:?}");
    });
}

#[test]
fn a_child_that_blocks_in_its_first_poll_does_not_block_its_supervisor() {
    watched(|| {
        let executor = executor(4);
        let (hold, blocker) = blocker();
        let blocking = child(move |_: Context<()>| {
            let blocker = blocker.clone();
            async move {
                blocker.block();
                Ok(())
            }
        });
        let supervisor = Supervisor::new("s").child(blocking);
        executor.run(async {
            let system = System::new(Runtime::executor());
            let supervised = timeout(LIMIT, system.supervise(supervisor)).await;
            assert!(supervised.is_ok_and(|supervised| supervised.is_ok()), "supervise hangs");
            hold.entered();
            let stopped = timeout(LIMIT, system.stop(100 * MS)).await;
            assert_eq!(stopped.map(|stopped| stopped.abandoned), Ok(1));
        });
    });
}

#[test]
fn every_address_is_closed_when_the_system_is_dropped() {
    watched(|| {
        let executor = executor(4);
        let start = Instant::now();
        let mut round = 0;
        while start.elapsed() < 2 * SECOND {
            round += 1;
            executor.run(async {
                let system = System::new(Runtime::executor());
                let children: Vec<_> = (0..8)
                    .map(|_| child(|_: Context<()>| async { Err(Exit::error("always")) }))
                    .collect();
                let addresses: Vec<Address<()>> = children.iter().map(Child::address).collect();
                let supervisor = Supervisor::new("s").unlimited();
                let supervisor = children.into_iter().fold(supervisor, Supervisor::child);
                let _ = system.supervise(supervisor).await;
                for _ in 0..round % 7 {
                    sleep(MS / 20).await;
                }
                // A driver may be in its poll.
                drop(system);
                for address in &addresses {
                    let ended = timeout(LIMIT, address.ended()).await;
                    assert!(ended.is_ok(), "round {round}: {address:?} never ends");
                }
                sleep(MS).await;
                let open = addresses.iter().filter(|address| address.tell(()).is_ok()).count();
                assert_eq!(open, 0, "round {round}: addresses are open again");
            });
        }
    });
}

#[test]
fn an_abandoned_supervisor_that_goes_on_does_no_harm() {
    in_a_program_of_its_own("an_abandoned_supervisor_that_goes_on_does_no_harm", || {
        let executor = executor(4);
        let (hold, blocker) = blocker();
        let (tell_abandoned, abandoned) = channel();
        let (tell_gone_on, gone_on) = channel();
        let blocked = AtomicBool::new(false);
        let hook = move |report: &Report| match report {
            Report::Supervisor { supervisor, report: plan::Report::ForcedKill { .. }, .. }
                if &**supervisor == "inner" && !blocked.swap(true, SeqCst) =>
            {
                blocker.block();
                tell_gone_on.send(()).unwrap();
            }
            Report::Abandoned { .. } => tell_abandoned.send(()).unwrap(),
            _ => {}
        };
        executor.run(async {
            let system = System::with_reports(Runtime::executor(), hook);
            let (outer, crash) = supervisor_with_a_deaf_child();
            system.supervise(outer).await.unwrap();
            crash.tell(()).unwrap();
            hold.entered();
            abandoned.recv_timeout(LIMIT).unwrap();
            drop(hold);
            gone_on.recv_timeout(LIMIT).unwrap();
            for _ in 0..50 {
                let tree = timeout(LIMIT, system.tree()).await.unwrap().to_string();
                assert!(tree.contains("inner"), "{tree}");
                sleep(10 * MS).await;
            }
            assert_eq!(crash.incarnation(), 2);
            system.stop(SECOND).await;
        });
    });
}

/// A supervisor above a child that crashes once when told to, and above "inner", whose child has to be killed.
fn supervisor_with_a_deaf_child() -> (Supervisor, Address<()>) {
    let deaf = child(|_: Context<()>| pending()).shutdown(Shutdown::Timeout(MS));
    let inner = Supervisor::new("inner").shutdown(Shutdown::Timeout(100 * MS)).child(deaf);
    let crash = child(crash_when_told);
    let address = crash.address();
    let outer = Supervisor::new("outer").strategy(Strategy::OneForAll).unlimited();
    (outer.kill_grace(100 * MS).child(crash).supervisor(inner), address)
}

async fn crash_when_told(mut cx: Context<()>) -> Result<(), Exit> {
    match cx.recv().await {
        Some(()) => Err(Exit::error("told to")),
        None => Ok(()),
    }
}

#[test]
fn an_abandoned_incarnation_that_goes_on_takes_no_message_from_its_successor() {
    watched(|| {
        let executor = executor(4);
        let (hold, blocker) = blocker();
        let (tell_gone_on, gone_on) = channel();
        let stuck = child(move |mut cx: Context<Option<Reply<u32>>>| {
            let (blocker, tell_gone_on) = (blocker.clone(), tell_gone_on.clone());
            async move {
                while let Some(question) = cx.recv().await {
                    match question {
                        Some(reply) => reply.send(cx.incarnation()),
                        None => {
                            blocker.block();
                            let mut next = pin!(cx.recv());
                            poll_fn(|task| {
                                let polled = next.as_mut().poll(task);
                                let _ = tell_gone_on.send(());
                                polled
                            })
                            .await;
                        }
                    }
                }
                Ok(())
            }
        });
        let stuck = stuck.shutdown(Shutdown::Timeout(10 * MS));
        let crash = child(crash_when_told);
        let (address, crashing) = (stuck.address(), crash.address());
        let supervisor = Supervisor::new("s").strategy(Strategy::OneForAll).unlimited();
        let supervisor = supervisor.kill_grace(50 * MS).child(stuck).child(crash);
        let answers: [Result<u32, AskError>; 3] = executor.run(async {
            let system = System::new(Runtime::executor());
            system.supervise(supervisor).await.unwrap();
            address.tell(None).unwrap();
            hold.entered();
            crashing.tell(()).unwrap();
            let before = address.ask_timeout(LIMIT, Some).await;
            drop(hold);
            gone_on.recv_timeout(LIMIT).unwrap();
            [before, address.ask(Some).await, address.ask(Some).await]
        });
        assert_eq!(answers, [Ok(2); 3]);
    });
}

#[test]
fn a_process_that_is_killed_in_its_last_poll_receives_nothing_and_ends_as_killed() {
    watched(|| {
        let executor = executor(3);
        let (hold, blocker) = blocker();
        let (tell_received, received) = channel();
        let (tell_crash, crashes) = channel();
        let victim = child(move |mut cx: Context<()>| {
            let (blocker, tell_received) = (blocker.clone(), tell_received.clone());
            async move {
                blocker.block();
                tell_received.send(cx.try_recv())?;
                Ok(())
            }
        });
        let victim = victim.named("victim").shutdown(Shutdown::Brutal);
        let address = victim.address();
        address.tell(()).unwrap();
        let hook = move |report: &Report| {
            if let Report::Crash(crash) = report {
                let _ = tell_crash.send((crash.pid, crash.reason.clone(), crash.queued));
            }
        };
        executor.run(async {
            let system = System::with_reports(Runtime::executor(), hook);
            let supervisor = Supervisor::new("s").kill_grace(2 * LIMIT).child(victim);
            let supervisor = system.supervise(supervisor).await.unwrap();
            hold.entered();
            let mut stop = pin!(supervisor.stop_child("victim"));
            let asked = poll_fn(|task| Poll::Ready(stop.as_mut().poll(task).is_pending())).await;
            assert!(asked, "it stops before it is released");
            // Requests are handled in order: after this answer the victim has been killed.
            supervisor.counts().await.unwrap();
            drop(hold);
            stop.await.unwrap();
            assert_eq!(system.stop(SECOND).await.abandoned, 0);
        });
        assert_eq!(received.recv_timeout(LIMIT), Ok(None), "what waits is the next one's");
        let (pid, reason, queued) = crashes.recv_timeout(LIMIT).expect("a kill is reported");
        assert!(matches!(reason, ExitReason::Killed), "{reason}");
        assert_eq!((pid, queued), (address.pid(), 1));
    });
}

#[test]
fn a_stop_waits_for_a_process_whose_supervisor_was_killed() {
    watched(|| {
        let executor = executor(3);
        let (hold, blocker) = blocker();
        let supervisor = Supervisor::new("s").shutdown(Shutdown::Brutal).child(stuck(blocker));
        let stopped = executor.run(async {
            let system = System::new(Runtime::executor());
            system.supervise(supervisor).await.unwrap();
            hold.entered();
            let stopping = system.clone();
            let releasing = spawn(async move {
                stopping.ended().await;
                sleep(50 * MS).await;
                drop(hold);
            });
            let stopped = system.stop(LIMIT).await;
            releasing.await;
            stopped
        });
        assert_eq!(stopped.abandoned, 0, "{stopped:?}");
    });
}
