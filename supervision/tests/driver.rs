//! The driver, on virtual time: what the plan decides happens to real processes.

use bastion_supervision::plan::{Backoff, ChildState, ExitReason, RestartType, Shutdown, Strategy};
use bastion_supervision::{
    Address, AskError, Child, Context, Exit, Gone, Reply, RequestError, Runtime, Sim,
    StartChildError, Supervisor, System, TellError, child,
};
use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// What happened, in order.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn add(&self, entry: impl Into<String>) {
        self.0.lock().unwrap().push(entry.into());
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

enum Order {
    Panic,
    Fail,
    Finish,
    Ping(Reply<u32>),
}

/// Logs the end of a body, however it comes.
struct LogEnd(Log, &'static str);

impl Drop for LogEnd {
    fn drop(&mut self) {
        self.0.add(format!("-{}", self.1));
    }
}

/// A child that logs its starts and ends, and does as it is told.
fn scripted(log: &Log, name: &'static str) -> Child<Order> {
    let log = log.clone();
    child(move |mut cx: Context<Order>| {
        log.add(format!("+{name}{}", cx.incarnation()));
        let end = LogEnd(log.clone(), name);
        async move {
            let _end = end;
            while let Some(order) = cx.recv().await {
                match order {
                    Order::Panic => panic!("told to"),
                    Order::Fail => return Err(Exit::error("told to")),
                    Order::Finish => return Ok(()),
                    Order::Ping(reply) => reply.send(cx.incarnation()),
                }
            }
            Ok(())
        }
    })
    .named(name)
}

/// Runs a scenario under several seeds: the order of execution must not matter.
fn scenario<F: Future<Output = ()>>(f: impl Fn(Sim, System, Log) -> F) {
    std::panic::set_hook(Box::new(|_| {}));
    for seed in 0..20 {
        let sim = Sim::new(seed);
        let system = System::new(Runtime::sim(&sim));
        let outer =
            std::panic::AssertUnwindSafe(|| sim.run(f(sim.clone(), system, Log::default())));
        if let Err(payload) = std::panic::catch_unwind(outer) {
            let text = payload.downcast_ref::<String>().cloned();
            let text = text.or(payload.downcast_ref::<&str>().map(|text| text.to_string()));
            eprintln!("seed {seed}: {}", text.unwrap_or_default());
            std::panic::resume_unwind(payload);
        }
    }
}

async fn ping(address: &Address<Order>) -> Result<u32, AskError> {
    address.ask(Order::Ping).await
}

#[test]
fn a_crash_restarts_by_strategy_and_keeps_addresses() {
    let expected: [(Strategy, &[&str]); 3] = [
        (Strategy::OneForOne, &["-b", "+b2"]),
        (Strategy::OneForAll, &["-b", "-c", "-a", "+a2", "+b2", "+c2"]),
        (Strategy::RestForOne, &["-b", "-c", "+b2", "+c2"]),
    ];
    for (strategy, expected) in expected {
        for order in [|| Order::Panic, || Order::Fail] {
            scenario(|_, system, log| async move {
                let children = ["a", "b", "c"].map(|name| scripted(&log, name));
                let addresses = children.each_ref().map(Child::address);
                let supervisor = Supervisor::new("s").strategy(strategy).intensity(9, SECOND);
                let supervisor = children.into_iter().fold(supervisor, Supervisor::child);
                system.supervise(supervisor).await.unwrap();
                assert_eq!(log.take(), ["+a1", "+b1", "+c1"]);
                addresses[1].tell(order()).unwrap();
                assert_eq!(ping(&addresses[1]).await, Ok(2), "the queued question survives");
                assert!(ping(&addresses[2]).await.is_ok());
                assert_eq!(log.take(), expected, "{strategy:?}");
                let stopped = system.stop(SECOND).await;
                assert_eq!(log.take(), ["-c", "-b", "-a"], "a stop is in reverse order");
                assert_eq!(stopped.forced, [""; 0]);
            });
        }
    }
}

#[test]
fn a_supervisor_that_gives_up_is_restarted_by_its_own() {
    scenario(|_, system, log| async move {
        let leaf = scripted(&log, "leaf");
        let address = leaf.address();
        let inner = Supervisor::new("inner").intensity(1, SECOND).child(leaf);
        let outer = Supervisor::new("outer").intensity(5, SECOND).supervisor(inner);
        let outer = system.supervise(outer).await.unwrap();
        address.tell(Order::Panic).unwrap();
        assert_eq!(ping(&address).await, Ok(2));
        address.tell(Order::Panic).unwrap();
        assert_eq!(ping(&address).await, Ok(3), "escalated, and the address still holds");
        let inner = outer.children().await.unwrap().remove(0);
        assert_eq!((inner.incarnation, inner.restarts), (2, 1));
        system.stop(SECOND).await;
        assert!(matches!(address.tell(Order::Finish), Err(TellError::Dead(Order::Finish))));
    });
}

#[test]
fn the_root_of_a_failing_tree_reports_and_ends() {
    scenario(|_, system, log| async move {
        let leaf = scripted(&log, "leaf");
        let address = leaf.address();
        let supervisor = Supervisor::new("s").restart(RestartType::Temporary).child(leaf);
        let supervisor = system.supervise(supervisor).await.unwrap();
        for _ in 0..2 {
            address.tell(Order::Panic).unwrap();
        }
        let reason = supervisor.ended().await;
        assert!(matches!(reason, ExitReason::ShutdownWith(_)), "{reason}");
        assert!(reason.to_string().contains("gave up after 2 failures"), "{reason}");
        assert_eq!(supervisor.counts().await, Err(Gone));
        assert_eq!(ping(&address).await, Err(AskError::Dead));
        system.stop(SECOND).await;
    });
}

#[test]
fn a_failed_start_undoes_what_was_started() {
    scenario(|_, system, log| async move {
        let bad = child(|_: Context<()>| async { Ok(()) }).named("bad").gated();
        let supervisor = Supervisor::new("s").child(scripted(&log, "a")).child(bad);
        let error = system.supervise(supervisor).await.unwrap_err();
        assert!(matches!(error, StartChildError::Failed(_)), "{error}");
        assert_eq!(log.take(), ["+a1", "-a"]);
        assert_eq!(system.root().counts().await.unwrap().specs, 1, "nothing is left of it");
        system.stop(SECOND).await;
    });
}

#[test]
fn what_is_told_before_the_first_start_waits_for_it() {
    scenario(|_, system, log| async move {
        let early = scripted(&log, "early").restart(RestartType::Temporary);
        let address = early.address();
        address.tell(Order::Finish).unwrap();
        system.supervise(Supervisor::new("s").child(early)).await.unwrap();
        assert!(matches!(address.ended().await, ExitReason::Normal));
        assert_eq!(log.take(), ["+early1", "-early"]);
        system.stop(SECOND).await;
    });
}

#[test]
fn a_start_is_gated_by_readiness() {
    scenario(|sim, system, log| async move {
        let slow_log = log.clone();
        let slow = child(move |cx: Context<()>| {
            let log = slow_log.clone();
            async move {
                cx.sleep(SECOND).await;
                log.add("ready");
                cx.ready();
                cx.stop_signal().requested().await;
                Ok(())
            }
        });
        let supervisor =
            Supervisor::new("s").child(slow.named("slow").gated()).child(scripted(&log, "next"));
        system.supervise(supervisor).await.unwrap();
        assert_eq!(log.take(), ["ready", "+next1"]);
        assert_eq!(sim.now(), SECOND);
        system.stop(SECOND).await;
    });
}

#[test]
fn a_stop_during_a_start_undoes_it_and_answers_whoever_waits() {
    scenario(|sim, system, log| async move {
        let never_ready = child(|cx: Context<()>| async move {
            cx.stop_signal().requested().await;
            Ok(())
        });
        let never_ready = never_ready.named("never ready").gated();
        let supervisor = Supervisor::new("s")
            .child(scripted(&log, "before"))
            .child(never_ready)
            .child(scripted(&log, "after"));
        let stopper = system.clone();
        let stop = child(move |cx: Context<()>| {
            let system = stopper.clone();
            async move {
                cx.sleep(SECOND).await;
                // Asks for the stop of everything, this process included, and does not wait for it.
                let mut stop = std::pin::pin!(system.stop(10 * SECOND));
                std::future::poll_fn(|task| {
                    let _ = stop.as_mut().poll(task);
                    std::task::Poll::Ready(())
                })
                .await;
                Ok(())
            }
        });
        system.spawn_child(stop.restart(RestartType::Temporary)).unwrap();
        let started = system.supervise(supervisor).await;
        assert!(started.is_err(), "{started:?}");
        system.ended().await;
        assert_eq!(log.take(), ["+before1", "-before"], "in reverse, and nothing after it");
        assert_eq!(sim.now(), SECOND, "at once: nobody has to be killed");
    });
}

#[test]
fn a_child_that_ignores_its_stop_is_killed_in_time_and_named() {
    scenario(|sim, system, log| async move {
        let deaf =
            child(|_: Context<()>| pending()).named("deaf").shutdown(Shutdown::Timeout(2 * SECOND));
        let address = deaf.address();
        let inner = Supervisor::new("inner").child(deaf).child(scripted(&log, "good"));
        let outer = Supervisor::new("outer").supervisor(inner);
        system.supervise(outer).await.unwrap();
        let stopped = system.stop(10 * SECOND).await;
        assert_eq!(stopped.forced, ["deaf"]);
        assert_eq!(sim.now(), 2 * SECOND, "its own time, not the system's");
        assert_eq!(log.take(), ["+good1", "-good"]);
        assert!(address.tell(()).is_err());
    });
}

#[test]
fn a_systems_deadline_caps_those_below() {
    scenario(|sim, system, _| async move {
        let deaf = child(|_: Context<()>| pending()).named("deaf").shutdown(Shutdown::Infinity);
        let inner = Supervisor::new("inner").child(deaf);
        system.supervise(Supervisor::new("outer").supervisor(inner)).await.unwrap();
        let stopped = system.stop(SECOND).await;
        assert_eq!(stopped.forced, ["deaf"]);
        assert!(sim.now() <= SECOND, "{:?}", sim.now());
    });
}

#[test]
fn dynamic_children_stop_in_parallel() {
    scenario(|sim, system, _| async move {
        let pool = system.supervise(Supervisor::dynamic("pool").unlimited()).await.unwrap();
        for _ in 0..100 {
            let slow = child(|cx: Context<()>| async move {
                cx.stop_signal().requested().await;
                cx.sleep(SECOND).await;
                Ok(())
            });
            pool.spawn_child(slow).unwrap();
        }
        assert_eq!(pool.counts().await.unwrap().active, 100);
        system.stop(10 * SECOND).await;
        assert_eq!(sim.now(), SECOND);
        assert_eq!(system.stats().forced_kills, 0);
    });
}

#[test]
fn a_spawned_child_that_ends_at_once_is_known_before_it_is_gone() {
    scenario(|_, system, log| async move {
        let address =
            system.spawn_child(scripted(&log, "once").restart(RestartType::Temporary)).unwrap();
        address.tell(Order::Finish).unwrap();
        assert!(matches!(address.ended().await, ExitReason::Normal));
        assert!(address.tell(Order::Finish).is_err());
        assert_eq!(log.take(), ["+once1", "-once"]);
        system.stop(SECOND).await;
        assert_eq!(system.spawn_child(scripted(&log, "late")).unwrap_err(), Gone);
        assert_eq!(log.take(), [""; 0], "it never ran");
    });
}

#[test]
fn requests_about_one_child() {
    scenario(|_, system, log| async move {
        let s = system.supervise(Supervisor::new("s").child(scripted(&log, "a"))).await.unwrap();
        assert!(matches!(s.restart_child("a").await, Err(RequestError::Refused(_))), "it runs");
        assert!(matches!(s.delete_child("a").await, Err(RequestError::Refused(_))), "it runs");
        s.stop_child("a").await.unwrap();
        s.stop_child("a").await.unwrap();
        assert_eq!(log.take(), ["+a1", "-a"]);
        s.restart_child("a").await.unwrap();
        assert_eq!(log.take(), ["+a2"]);
        let double = s.start_child(scripted(&log, "a")).await.unwrap_err();
        assert!(matches!(double, StartChildError::Refused(_)), "{double}");
        s.stop_child("a").await.unwrap();
        s.delete_child("a").await.unwrap();
        assert!(
            matches!(s.stop_child("a").await, Err(RequestError::Refused(_))),
            "it is forgotten"
        );
        let b = s.start_child(scripted(&log, "b")).await.unwrap();
        assert_eq!(ping(&b).await, Ok(1));
        s.stop_child(b.pid().unwrap()).await.unwrap();
        system.stop(SECOND).await;
    });
}

#[test]
fn backoff_is_waited_for_and_a_stop_does_not_wait_for_it() {
    scenario(|sim, system, log| async move {
        let backoff = Backoff::linear(SECOND, 60 * SECOND).healthy_after(60 * SECOND);
        let slow = scripted(&log, "slow").backoff(backoff);
        let address = slow.address();
        let supervisor = Supervisor::new("s").unlimited().child(slow);
        let supervisor = system.supervise(supervisor).await.unwrap();
        address.tell(Order::Fail).unwrap();
        assert_eq!(ping(&address).await, Ok(2));
        assert_eq!(sim.now(), SECOND);
        address.tell(Order::Fail).unwrap();
        while supervisor.counts().await.unwrap().active == 1 {}
        system.stop(SECOND).await;
        assert_eq!(sim.now(), SECOND);
    });
}

#[test]
fn a_spawned_child_that_always_fails_is_restarted_with_pauses() {
    scenario(|sim, system, _| async move {
        let starts = Arc::new(Mutex::new(Vec::new()));
        let (into, clock) = (starts.clone(), sim.clone());
        let failing = child(move |cx: Context<()>| {
            let mut starts = into.lock().unwrap();
            starts.push(clock.now());
            // Without pauses it would fail for ever, and no time would pass.
            let fails = starts.len() < 1000;
            async move {
                if fails {
                    return Err(Exit::error("always"));
                }
                cx.stop_signal().requested().await;
                Ok(())
            }
        });
        system.spawn_child(failing).unwrap();
        sim.sleep(10 * SECOND).await;
        system.stop(SECOND).await;
        let starts = starts.lock().unwrap();
        assert!((10..40).contains(&starts.len()), "{} starts in ten seconds", starts.len());
        assert_eq!(starts[1], starts[0], "a single failure costs no delay");
    });
}

#[test]
fn a_killed_supervisor_takes_its_children_with_it_and_two_incarnations_never_meet() {
    scenario(|_, system, log| async move {
        let a = scripted(&log, "a");
        let address = a.address();
        let inner = Supervisor::new("inner").child(a).shutdown(Shutdown::Brutal);
        let outer = Supervisor::new("outer").supervisor(inner);
        let outer = system.supervise(outer).await.unwrap();
        outer.stop_child("inner").await.unwrap();
        outer.restart_child("inner").await.unwrap();
        assert_eq!(ping(&address).await, Ok(2));
        assert_eq!(log.take(), ["+a1", "-a", "+a2"]);
        system.stop(SECOND).await;
    });
}

#[test]
fn a_process_can_limit_what_it_waits_for() {
    scenario(|sim, system, log| async move {
        let waits = log.clone();
        let body = move |cx: Context<()>| {
            let log = waits.clone();
            async move {
                assert_eq!(cx.timeout(SECOND, pending::<()>()).await, None);
                assert_eq!(cx.timeout(SECOND, async { 1 }).await, Some(1));
                log.add("waited");
                Err(Exit::shutdown())
            }
        };
        let process = system.spawn_child(child(body).restart(RestartType::Temporary)).unwrap();
        assert!(matches!(process.ended().await, ExitReason::Shutdown));
        assert_eq!((log.take(), sim.now()), (vec!["waited".to_owned()], SECOND));
        system.stop(SECOND).await;
    });
}

#[test]
fn a_supervisor_can_be_referred_to_before_it_is_started() {
    scenario(|_, system, log| async move {
        let supervisor = Supervisor::new("s").child(scripted(&log, "a"));
        let reference = supervisor.reference();
        assert_eq!(reference.counts().await, Err(Gone), "it has no system yet");
        assert_eq!(system.supervise(supervisor).await.unwrap(), reference);
        assert_eq!(reference.counts().await.unwrap().active, 1);
        system.stop(SECOND).await;
    });
}

#[test]
fn a_wrong_description_is_refused() {
    scenario(|_, system, log| async move {
        let twice = Supervisor::new("s").child(scripted(&log, "a")).child(scripted(&log, "a"));
        let error = system.supervise(twice).await.unwrap_err();
        assert!(error.to_string().contains("described wrongly"), "{error}");
        let zero = Supervisor::new("s").intensity(1, Duration::ZERO);
        let error = system.supervise(zero).await.unwrap_err();
        assert!(error.to_string().contains("period"), "{error}");
        assert_eq!(log.take(), [""; 0]);
        system.stop(SECOND).await;
    });
}

#[test]
fn dropping_the_system_kills_everything() {
    scenario(|sim, system, log| async move {
        let address = system.spawn_child(scripted(&log, "a")).unwrap();
        ping(&address).await.unwrap();
        drop(system);
        address.ended().await;
        sim.sleep(SECOND).await;
        assert_eq!(log.take(), ["+a1", "-a"]);
    });
}

#[test]
fn the_tree_is_drawn_from_the_supervisors_tables() {
    scenario(|_, system, log| async move {
        let inner = Supervisor::new("inner").child(scripted(&log, "a")).child(scripted(&log, "b"));
        system.supervise(Supervisor::new("outer").supervisor(inner)).await.unwrap();
        let tree = system.tree().await.to_string();
        let shape: Vec<&str> = tree.lines().map(|line| line.split(" <").next().unwrap()).collect();
        let expected =
            ["root", "├─ processes", "└─ outer", "   └─ inner", "      ├─ a", "      └─ b"];
        assert_eq!(shape, expected);
        system.stop(SECOND).await;
        let ended = system.tree().await;
        assert!(ended.root.state == ChildState::Stopped && ended.root.children().is_empty());
    });
}
