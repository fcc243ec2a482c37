//! Attacks on the driver, on virtual time: hostile destructors, requests at the worst moment, children of killed supervisors.
//!
//! Guards that whoever waits is told, that what ends is closed, and that foreign code harms nobody else. The one test on real
//! time is that of a runtime that is gone, which a simulation cannot be.

use bastion_supervision::plan::{RestartType, Shutdown};
use bastion_supervision::{
    Address, AskError, Context, Exit, Reply, Report, Runtime, Sim, StartChildError, StopSignal,
    Supervisor, System, child, current_pid,
};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, Once, Weak};
use std::task::{Context as Task, Poll, Wake, Waker};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
/// Who has waited this long waits for ever.
const LONG: Duration = Duration::from_secs(3600);

/// Silences the panics of processes, before any system chains its own hook.
fn quiet() {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        std::panic::set_hook(Box::new(|info| {
            if current_pid().is_none() {
                eprintln!("{info}");
            }
        }));
    });
}

/// Runs a scenario under many seeds: the order of execution must not matter.
fn check<F: Future<Output = ()>>(scenario: impl Fn(Sim, System) -> F) {
    quiet();
    for seed in 0..100 {
        let sim = Sim::new(seed);
        let system = System::new(Runtime::sim(&sim));
        let run = AssertUnwindSafe(|| sim.run(scenario(sim.clone(), system)));
        if let Err(payload) = catch_unwind(run) {
            eprintln!("seed {seed}");
            resume_unwind(payload);
        }
    }
}

/// `None`: not ready within `limit` of virtual time.
async fn within<F: Future>(sim: &Sim, limit: Duration, future: F) -> Option<F::Output> {
    let (mut future, mut timer) = (pin!(future), pin!(sim.sleep(limit)));
    std::future::poll_fn(|task| match future.as_mut().poll(task) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => timer.as_mut().poll(task).map(|()| None),
    })
    .await
}

async fn idle(mut cx: Context<()>) -> Result<(), Exit> {
    while cx.recv().await.is_some() {}
    Ok(())
}

/// Takes a second for each message; the others are in its hands meanwhile.
async fn slow<M: Send + 'static>(mut cx: Context<M>) -> Result<(), Exit> {
    while let Some(message) = cx.recv().await {
        cx.sleep(SECOND).await;
        drop(message);
    }
    Ok(())
}

#[test]
fn messages_in_the_hands_of_a_killed_child_are_dead_letters() {
    check(|sim, system| async move {
        let pool = Supervisor::dynamic("pool").shutdown(Shutdown::Brutal);
        let pool = system.supervise(pool).await.unwrap();
        let slow = pool.spawn_child(child(slow::<u32>)).unwrap();
        (0..10).for_each(|n| slow.tell(n).unwrap());
        sim.sleep(SECOND / 2).await;
        // Message 0 is handled, the others are taken and are not.
        system.root().stop_child("pool").await.unwrap();
        slow.ended().await;
        sim.sleep(SECOND).await;
        assert_eq!((slow.queued(), system.stats().dead_letters), (0, 9));
    });
}

#[test]
fn an_ask_in_the_hands_of_a_killed_child_is_answered() {
    check(|sim, system| async move {
        let pool = Supervisor::dynamic("pool").shutdown(Shutdown::Brutal);
        let pool = system.supervise(pool).await.unwrap();
        let slow = pool.spawn_child(child(slow::<Option<Reply<()>>>)).unwrap();
        slow.tell(None).unwrap();
        let ask = slow.ask_timeout(Duration::MAX, Some);
        sim.sleep(SECOND / 2).await;
        system.root().stop_child("pool").await.unwrap();
        assert_eq!(within(&sim, LONG, ask).await, Some(Err(AskError::NoReply)));
    });
}

#[test]
fn who_waits_for_a_stop_signal_is_told_though_the_process_was_restarted() {
    check(|sim, system| async move {
        let signal = Arc::new(Mutex::new(None::<StopSignal>));
        let into = signal.clone();
        let watched = child(move |mut cx: Context<()>| {
            into.lock().unwrap().get_or_insert(cx.stop_signal());
            async move {
                match cx.recv().await {
                    Some(()) => Err(Exit::error("told to")),
                    None => Ok(()),
                }
            }
        });
        let address = watched.address();
        system.supervise(Supervisor::new("s").unlimited().child(watched)).await.unwrap();
        let signal = signal.lock().unwrap().clone().unwrap();
        let helper = child(move |_: Context<()>| {
            let signal = signal.clone();
            async move {
                signal.requested().await;
                Ok(())
            }
        });
        let helper = system.spawn_child(helper.restart(RestartType::Temporary)).unwrap();
        sim.sleep(SECOND).await;
        address.tell(()).unwrap();
        sim.sleep(SECOND).await;
        assert_eq!(address.incarnation(), 2);
        system.root().stop_child("s").await.unwrap();
        assert!(within(&sim, LONG, helper.ended()).await.is_some(), "the helper was never told");
    });
}

#[test]
fn the_address_of_a_child_that_nobody_takes_is_closed() {
    check(|sim, system| async move {
        system.stop(SECOND).await;
        let (alone, declared) = (child(idle), child(idle));
        let addresses = [alone.address(), declared.address()];
        let refused = system.root().start_child(alone).await;
        assert!(matches!(refused, Err(StartChildError::Gone)));
        let refused = system.supervise(Supervisor::new("s").child(declared)).await;
        assert!(matches!(refused, Err(StartChildError::Gone)));
        for address in addresses {
            assert!(address.tell(()).is_err());
            assert!(within(&sim, LONG, address.ended()).await.is_some());
        }
    });
}

#[test]
fn a_stopped_temporary_child_is_closed_though_a_sibling_failed_to_start() {
    check(|sim, system| async move {
        let failing = child(|cx: Context<()>| {
            assert!(cx.incarnation() != 2, "the second start fails");
            async move {
                if cx.incarnation() == 1 {
                    return Err(Exit::error("the first one ends"));
                }
                cx.stop_signal().requested().await;
                Ok(())
            }
        });
        let temporary = child(idle).named("temporary").restart(RestartType::Temporary);
        let address = temporary.address();
        let late = child(|cx: Context<()>| async move {
            cx.sleep(SECOND).await;
            cx.ready();
            cx.stop_signal().requested().await;
            Ok(())
        });
        let supervisor = Supervisor::new("s").unlimited().child(failing).child(temporary);
        let supervisor = system.supervise(supervisor.child(late.gated())).await.unwrap();
        supervisor.stop_child("temporary").await.unwrap();
        let children = supervisor.children().await.unwrap();
        assert!(children.iter().all(|child| child.name.as_deref() != Some("temporary")));
        assert!(address.tell(()).is_err(), "its supervisor lives, but it is gone for good");
        assert!(within(&sim, LONG, address.ended()).await.is_some());
    });
}

/// Panics when it is dropped.
#[derive(Debug)]
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "a destructor panics");
    }
}

impl fmt::Display for Bomb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bomb")
    }
}

impl std::error::Error for Bomb {}

#[test]
fn an_error_whose_destructor_panics_harms_no_sibling() {
    check(|sim, system| async move {
        let bad = child(|cx: Context<()>| async move {
            if cx.incarnation() == 1 {
                return Err(Exit::from(Bomb));
            }
            cx.stop_signal().requested().await;
            Ok(())
        });
        let good = child(idle);
        let address = good.address();
        let supervisor = Supervisor::new("s").unlimited().child(bad).child(good);
        system.supervise(supervisor).await.unwrap();
        sim.sleep(SECOND).await;
        assert_eq!(address.incarnation(), 1);
        address.tell(()).unwrap();
        system.stop(SECOND).await;
    });
}

#[test]
fn a_closure_whose_captures_panic_when_dropped_harms_no_sibling() {
    check(|sim, system| async move {
        let pool = system.supervise(Supervisor::dynamic("pool").unlimited()).await.unwrap();
        let good = pool.spawn_child(child(idle)).unwrap();
        let bomb = Bomb;
        let bad = child(move |_: Context<()>| {
            let _captured = &bomb;
            async { Ok(()) }
        });
        drop(pool.spawn_child(bad.restart(RestartType::Temporary)).unwrap());
        sim.sleep(SECOND).await;
        good.tell(()).unwrap();
        assert_eq!((good.incarnation(), system.stats().crashes), (1, 0));
    });
}

#[test]
fn a_question_to_a_supervisor_at_rest_is_answered() {
    check(|sim, system| async move {
        let inner = system.supervise(Supervisor::new("inner")).await.unwrap();
        system.root().stop_child("inner").await.unwrap();
        assert!(within(&sim, LONG, inner.counts()).await.is_some());
    });
}

#[test]
fn no_child_runs_under_a_supervisor_at_rest() {
    check(|sim, system| async move {
        let pool = system.supervise(Supervisor::dynamic("pool")).await.unwrap();
        system.root().stop_child("pool").await.unwrap();
        let runs = Arc::new(AtomicUsize::new(0));
        let count = runs.clone();
        let spawned = pool.spawn_child(child(move |cx: Context<()>| {
            let count = count.clone();
            async move {
                loop {
                    count.fetch_add(1, SeqCst);
                    cx.sleep(60 * SECOND).await;
                }
            }
        }));
        sim.sleep(LONG).await;
        assert_eq!(runs.load(SeqCst), 0, "spawn_child said {spawned:?}");
    });
}

#[test]
fn what_a_killed_supervisor_was_told_is_not_counted_as_dead_letters() {
    check(|sim, system| async move {
        let pool = Supervisor::dynamic("pool").restart(RestartType::Temporary);
        let pool = system.supervise(pool.shutdown(Shutdown::Brutal)).await.unwrap();
        for _ in 0..10 {
            pool.spawn_child(child(idle)).unwrap();
        }
        sim.sleep(SECOND).await;
        system.root().stop_child("pool").await.unwrap();
        sim.sleep(SECOND).await;
        assert_eq!(system.stats().dead_letters, 0, "nobody has sent a message");
    });
}

#[test]
fn a_wait_for_an_end_that_is_given_up_leaves_nothing_behind() {
    struct Nothing;
    impl Wake for Nothing {
        fn wake(self: Arc<Self>) {}
    }
    check(|_, system| async move {
        let address = system.spawn_child(child(idle)).unwrap();
        let wait_once = |_| {
            let waker = Arc::new(Nothing);
            let kept = Arc::downgrade(&waker);
            let waker = Waker::from(waker);
            let ended = pin!(address.ended());
            assert!(ended.poll(&mut Task::from_waker(&waker)).is_pending());
            kept
        };
        let kept: Vec<Weak<Nothing>> = (0..100).map(wait_once).collect();
        assert_eq!(kept.iter().filter(|waker| waker.strong_count() > 0).count(), 0);
    });
}

/// A message that holds its receiver's address.
struct Carry(#[expect(dead_code)] Address<Carry>, #[expect(dead_code)] Arc<()>);

#[test]
fn messages_that_hold_their_own_receiver_do_not_outlive_it() {
    check(|sim, system| async move {
        let token = Arc::new(());
        let address = system.spawn_child(child(slow::<Carry>)).unwrap();
        for _ in 0..3 {
            assert!(address.tell(Carry(address.clone(), token.clone())).is_ok());
        }
        sim.sleep(SECOND / 2).await;
        drop((address, system));
        sim.sleep(LONG).await;
        assert_eq!(Arc::strong_count(&token), 1);
    });
}

#[test]
fn a_reply_after_the_timeout_comes_back() {
    check(|_, system| async move {
        let kept = Arc::new(Mutex::new(None));
        let into = kept.clone();
        let keeper = child(move |mut cx: Context<Reply<u32>>| {
            let into = into.clone();
            async move {
                while let Some(reply) = cx.recv().await {
                    *into.lock().unwrap() = Some(reply);
                }
                Ok(())
            }
        });
        let keeper = system.spawn_child(keeper).unwrap();
        // The future of the question still exists when the reply comes.
        let mut ask = pin!(keeper.ask_timeout(SECOND, |reply| reply));
        assert_eq!(ask.as_mut().await, Err(AskError::Timeout(SECOND)));
        assert_eq!(kept.lock().unwrap().take().unwrap().try_send(7), Err(7));
    });
}

#[test]
fn an_ask_before_the_first_start_is_dead_at_once() {
    check(|_, system| async move {
        let described = child(|mut cx: Context<Reply<u32>>| async move {
            while let Some(reply) = cx.recv().await {
                reply.send(1);
            }
            Ok(())
        });
        let address = described.address();
        let ask = pin!(address.ask(|reply| reply));
        let first = ask.poll(&mut Task::from_waker(Waker::noop()));
        assert_eq!(first, Poll::Ready(Err(AskError::Dead)));
        assert_eq!(address.queued(), 0, "what was refused does not wait");
        system.supervise(Supervisor::new("s").child(described)).await.unwrap();
        assert_eq!(address.ask(|reply| reply).await, Ok(1));
    });
}

#[test]
fn the_tree_is_drawn_while_a_supervisor_is_stopped() {
    check(|sim, system| async move {
        system.supervise(Supervisor::new("inner")).await.unwrap();
        let root = system.root().clone();
        let stopper = child(move |_: Context<()>| {
            let root = root.clone();
            async move {
                root.stop_child("inner").await.unwrap();
                Ok(())
            }
        });
        system.spawn_child(stopper.restart(RestartType::Temporary)).unwrap();
        assert!(within(&sim, LONG, system.tree()).await.is_some());
    });
}

#[cfg(feature = "tokio")]
#[test]
fn a_system_whose_runtime_is_gone_can_be_stopped() {
    use tokio::runtime::Builder;
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_time().build().unwrap();
    let system = System::new(Runtime::tokio(runtime.handle().clone()));
    let answering = child(|mut cx: Context<Option<Reply<()>>>| async move {
        while let Some(question) = cx.recv().await {
            question.into_iter().for_each(|reply| reply.send(()));
        }
        Ok(())
    });
    let address = system.spawn_child(answering).unwrap();
    runtime.block_on(address.ask(Some)).unwrap();
    drop(runtime);
    // On a thread of its own, which this one need not wait for.
    let (done, stopped) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(system.stop(SECOND / 100));
        done.send(()).unwrap();
    });
    assert!(stopped.recv_timeout(10 * SECOND).is_ok(), "stop does not return");
    assert!(address.tell(None).is_err(), "the address is open");
}

#[test]
fn a_spawned_child_that_is_not_taken_is_reported_and_closed() {
    quiet();
    for seed in 0..20 {
        let sim = Sim::new(seed);
        let refused = Arc::new(Mutex::new(Vec::new()));
        let into = refused.clone();
        let system = System::with_reports(Runtime::sim(&sim), move |report| {
            if let Report::Refused { child, .. } = report {
                into.lock().unwrap().push(child.clone());
            }
        });
        sim.run(async {
            let first = system.spawn_child(child(idle).named("one")).unwrap();
            let second = system.spawn_child(child(idle).named("one")).unwrap();
            second.ended().await;
            assert!(second.tell(()).is_err());
            assert!(first.tell(()).is_ok());
            system.stop(SECOND).await;
        });
        assert_eq!(*refused.lock().unwrap(), [Some("one".into())]);
    }
}

#[test]
fn a_child_that_is_dropped_instead_of_given_is_closed() {
    check(|_, system| async move {
        let lost = child(idle);
        let nested = child(idle);
        let addresses = [lost.address(), nested.address()];
        addresses[0].tell(()).unwrap();
        drop(lost);
        drop(Supervisor::new("outer").supervisor(Supervisor::new("inner").child(nested)));
        for address in addresses {
            address.ended().await;
            assert!(address.tell(()).is_err());
        }
        system.stop(SECOND).await;
    });
}

#[test]
fn requests_below_a_resting_supervisor_are_refused() {
    for shutdown in [Shutdown::Infinity, Shutdown::Brutal] {
        check(|sim, system| async move {
            let inner = Supervisor::new("inner").child(child(idle));
            let reference = inner.reference();
            let outer = Supervisor::new("outer").shutdown(shutdown).supervisor(inner);
            system.supervise(outer).await.unwrap();
            system.root().stop_child("outer").await.unwrap();
            let answer = within(&sim, LONG, reference.counts()).await;
            assert!(matches!(answer, Some(Err(_))), "{answer:?}");
            assert!(within(&sim, LONG, system.tree()).await.is_some(), "the tree is drawn");
            system.root().restart_child("outer").await.unwrap();
            assert_eq!(reference.counts().await.unwrap().active, 1, "it answers again");
            system.stop(SECOND).await;
        });
    }
}

#[test]
fn a_stop_waits_for_a_child_that_was_spawned_just_before_it() {
    check(|_, system| async move {
        let alive = Arc::new(());
        let held = alive.clone();
        let body = move |mut cx: Context<u8>| {
            let held = held.clone();
            async move {
                while cx.recv().await.is_some() {}
                drop(held);
                Ok(())
            }
        };
        let address = system.spawn_child(child(body)).unwrap();
        for number in 0..2 {
            address.tell(number).unwrap();
        }
        system.stop(SECOND).await;
        address.ended().await;
        assert!(address.tell(2).is_err());
        assert_eq!(Arc::strong_count(&alive), 1, "neither the body nor its closure is left");
    });
}
