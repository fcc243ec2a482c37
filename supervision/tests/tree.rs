//! Snapshots of the tree, on virtual time: what is in them, that they end, and how they are drawn.
//!
//! Guards that a snapshot is what the supervisors know, that it ends whatever supervisors do, and that no name breaks a picture.

use bastion_supervision::plan::{
    AutoShutdown, Backoff, ChildKind, ChildState, Intensity, Order, RestartType, Shutdown, Strategy,
};
use bastion_supervision::{
    Address, Branch, Child, Context, Exit, Runtime, Sim, Supervisor, System, Tree, child,
    current_pid,
};
use std::future::{Future, pending, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Once};
use std::task::Poll;
use std::time::Duration;

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

/// Silences the panics of processes.
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

/// Runs a scenario under several seeds: the order of execution must not matter.
fn check<F: Future<Output = ()>>(scenario: impl Fn(Sim, System) -> F) {
    quiet();
    for seed in 0..50 {
        let sim = Sim::new(seed);
        let system = System::new(Runtime::sim(&sim));
        sim.run(scenario(sim.clone(), system));
    }
}

/// A child that ignores its messages, and fails on the first one if it is told to.
fn idle(fails: bool) -> Child<()> {
    child(move |mut cx: Context<()>| async move {
        if fails && cx.recv().await.is_some() {
            return Err(Exit::error("told to"));
        }
        cx.stop_signal().requested().await;
        Ok(())
    })
}

/// Takes a snapshot, which must not take longer than its limit.
async fn taken(sim: &Sim, system: &System) -> Tree {
    let before = sim.now();
    let tree = system.tree_within(SECOND).await;
    assert!(sim.now() <= before + SECOND, "it took {:?}", sim.now() - before);
    tree
}

fn state(tree: &Tree, path: &str) -> (ChildState, bool) {
    let branch = tree.find(path).unwrap_or_else(|| panic!("no {path} in\n{tree}"));
    (branch.state, branch.unknown)
}

#[test]
fn a_snapshot_is_what_the_supervisors_know() {
    check(|sim, system| async move {
        let failing = idle(true).named("failing");
        let address = failing.address();
        let batch = Supervisor::new("batch")
            .strategy(Strategy::RestForOne)
            .intensity(3, 10 * SECOND)
            .auto_shutdown(AutoShutdown::AllSignificant)
            .restart(RestartType::Transient)
            .child(failing)
            .child(idle(false).named("last").restart(RestartType::Temporary).significant(true));
        sim.sleep(SECOND).await;
        system.supervise(batch).await.unwrap();
        sim.sleep(2 * SECOND).await;
        address.tell(()).unwrap();
        sim.sleep(3 * SECOND).await;
        let worker = system.spawn_child(idle(false)).unwrap();
        (0..3).for_each(|_| worker.tell(()).unwrap());

        let tree = taken(&sim, &system).await;
        assert_eq!(tree.taken, 6 * SECOND);
        assert_eq!(tree.taken, system.now());
        let totals = tree.totals;
        assert_eq!((totals.supervisors, totals.workers, totals.running), (3, 2, 5), "{tree}");
        assert_eq!((totals.restarts, totals.deepest, totals.unknown), (1, 2, 0));
        let root = &tree.root;
        assert_eq!((root.name.as_deref(), root.uptime), (Some("root"), Some(6 * SECOND)));
        let batch = tree.find("root/batch").unwrap();
        assert_eq!((batch.kind, batch.restart), (ChildKind::Supervisor, RestartType::Transient));
        assert_eq!((batch.uptime, batch.incarnation), (Some(5 * SECOND), 1));
        let rules = batch.supervision.as_ref().unwrap();
        assert_eq!((rules.strategy, rules.order), (Strategy::RestForOne, Order::Ordered));
        assert_eq!(rules.intensity, Some(Intensity::new(3, 10 * SECOND)));
        assert_eq!(rules.recent_restarts, 1);
        assert_eq!(rules.auto_shutdown, AutoShutdown::AllSignificant);
        let failing = tree.find("root/batch/failing").unwrap();
        assert_eq!((failing.incarnation, failing.restarts), (2, 1));
        assert_eq!(failing.uptime, Some(3 * SECOND));
        assert_eq!(Some(failing.pid), address.pid());
        assert!(tree.find("root/batch/last").is_none(), "a temporary one does not come back");
        let path = format!("root/processes/{}", worker.pid().unwrap());
        let worker = tree.find(&path).unwrap();
        assert_eq!((worker.queued, worker.significant), (3, false));
        sim.sleep(10 * SECOND).await;
        let tree = taken(&sim, &system).await;
        let batch = tree.find("root/batch").unwrap().supervision.as_ref().unwrap();
        assert_eq!(batch.recent_restarts, 0, "the window has rolled on");
    });
}

#[test]
fn what_a_child_is_doing_is_told() {
    check(|sim, system| async move {
        let deaf = child(|_: Context<()>| pending());
        let failing = idle(true).named("backoff").backoff(Backoff::linear(HOUR, HOUR));
        let address = failing.address();
        let supervisor = Supervisor::new("s")
            .unlimited()
            .child(failing)
            .child(idle(false).named("rests"))
            .child(deaf.named("deaf"))
            .child(idle(false).named("significant").restart(RestartType::Transient));
        let supervisor = system.supervise(supervisor).await.unwrap();
        let starter = supervisor.clone();
        let starting = child(move |_: Context<()>| {
            let (starter, gated) = (starter.clone(), idle(false).named("gated").gated());
            async move {
                let _ = starter.start_child(gated).await;
                pending().await
            }
        });
        system.spawn_child(starting).unwrap();
        supervisor.stop_child("rests").await.unwrap();
        address.tell(()).unwrap();
        let stopper = supervisor.clone();
        let stopping = child(move |_: Context<()>| {
            let stopper = stopper.clone();
            async move {
                stopper.stop_child("deaf").await.unwrap();
                Ok(())
            }
        });
        system.spawn_child(stopping).unwrap();
        sim.sleep(SECOND).await;
        let tree = taken(&sim, &system).await;
        let expected = [
            ("backoff", ChildState::Backoff),
            ("rests", ChildState::Stopped),
            ("deaf", ChildState::Stopping),
            ("significant", ChildState::Running),
            ("gated", ChildState::Starting),
        ];
        for (name, expected) in expected {
            let branch = tree.find(&format!("root/s/{name}")).unwrap();
            assert_eq!(branch.state, expected, "{name}");
            assert_eq!(branch.uptime.is_some(), expected == ChildState::Running, "{name}");
        }
    });
}

/// A supervisor that gives up at once when its child fails, and the child.
fn giving_up(name: &'static str) -> (Supervisor, Address<()>) {
    let failing = idle(true).named("failing").restart(RestartType::Permanent);
    let address = failing.address();
    let supervisor = Supervisor::new(name)
        .intensity(0, SECOND)
        .backoff(Backoff::linear(HOUR, HOUR))
        .child(failing);
    (supervisor, address)
}

#[test]
fn it_ends_whatever_a_supervisor_below_is_doing() {
    check(|sim, system| async move {
        // One that rests, one that waits for its restart, one that is being started, one that is being stopped.
        let (broken, crash) = giving_up("backoff");
        let outer = Supervisor::new("outer")
            .unlimited()
            .supervisor(Supervisor::new("rests").child(idle(false)))
            .supervisor(broken)
            .supervisor(Supervisor::new("stops").child(child(|_: Context<()>| pending())));
        let outer = system.supervise(outer).await.unwrap();
        outer.stop_child("rests").await.unwrap();
        crash.tell(()).unwrap();
        let (starter, stopper) = (outer.clone(), outer.clone());
        let asking = child(move |_: Context<()>| {
            let starter = starter.clone();
            async move {
                let starts = Supervisor::new("starts").child(idle(false).named("never").gated());
                let _ = starter.start_supervisor(starts).await;
                pending().await
            }
        });
        let stopping = child(move |_: Context<()>| {
            let stopper = stopper.clone();
            async move {
                stopper.stop_child("stops").await.unwrap();
                Ok(())
            }
        });
        system.spawn_child(asking).unwrap();
        system.spawn_child(stopping).unwrap();
        sim.sleep(SECOND).await;
        let before = sim.now();
        let tree = system.tree().await;
        assert_eq!(sim.now(), before, "nobody had to be waited for\n{tree}");
        assert_eq!(state(&tree, "root/outer/rests"), (ChildState::Stopped, false));
        assert_eq!(state(&tree, "root/outer/backoff"), (ChildState::Backoff, false));
        assert_eq!(state(&tree, "root/outer/starts"), (ChildState::Starting, false));
        assert_eq!(state(&tree, "root/outer/starts/never"), (ChildState::Starting, false));
        assert_eq!(state(&tree, "root/outer/stops"), (ChildState::Stopping, false));
        assert_eq!(tree.find("root/outer/stops").unwrap().children().len(), 1);
        system.stop(SECOND).await;
        let ended = system.tree().await;
        assert_eq!(ended.root.state, ChildState::Stopped);
        assert!(ended.root.children().is_empty() && !ended.root.unknown);
    });
}

#[test]
fn one_that_ends_while_it_is_asked_is_unknown_and_its_siblings_are_not() {
    quiet();
    let mut unknown = 0;
    for seed in 0..200 {
        let sim = Sim::new(seed);
        let system = System::new(Runtime::sim(&sim));
        sim.run(async {
            let (broken, crash) = giving_up("broken");
            system.supervise(broken).await.unwrap();
            system.supervise(Supervisor::new("sound").child(idle(false))).await.unwrap();
            crash.tell(()).unwrap();
            let tree = taken(&sim, &system).await;
            assert_eq!(tree.find("root/sound").unwrap().children().len(), 1);
            let broken = tree.find("root/broken").unwrap();
            assert_eq!(tree.totals.unknown, usize::from(broken.unknown));
            assert!(!broken.unknown || broken.children().is_empty());
            unknown += tree.totals.unknown;
        });
    }
    assert!(unknown > 0, "no seed has it end while it is asked");
}

#[test]
fn a_killed_supervisor_that_is_asked_does_not_hold_the_snapshot_up() {
    check(|sim, system| async move {
        let deaf = child(|_: Context<()>| pending());
        let inner = Supervisor::new("inner").shutdown(Shutdown::Timeout(10 * MS)).child(deaf);
        system.supervise(inner).await.unwrap();
        let root = system.root().clone();
        let stopping = child(move |_: Context<()>| {
            let root = root.clone();
            async move {
                root.stop_child("inner").await.unwrap();
                Ok(())
            }
        });
        system.spawn_child(stopping).unwrap();
        for _ in 0..20 {
            taken(&sim, &system).await;
            sim.sleep(MS).await;
        }
    });
}

#[test]
fn a_snapshot_that_is_given_up_leaves_nothing_behind() {
    quiet();
    let token = Arc::new(());
    for polls in 1..8 {
        let sim = Sim::new(polls);
        let system = System::new(Runtime::sim(&sim));
        let held = token.clone();
        sim.run(async {
            let body = move |cx: Context<()>| {
                let held = held.clone();
                async move {
                    cx.stop_signal().requested().await;
                    drop(held);
                    Ok(())
                }
            };
            let inner = Supervisor::new("inner").child(child(body));
            system.supervise(Supervisor::new("outer").supervisor(inner)).await.unwrap();
            let mut tree = Some(Box::pin(system.tree()));
            let mut left = polls;
            poll_fn(|task| {
                left -= 1;
                let ready = tree.as_mut().is_none_or(|tree| pin!(tree).poll(task).is_ready());
                if ready || left == 0 {
                    tree = None;
                    return Poll::Ready(());
                }
                task.waker().wake_by_ref();
                Poll::Pending
            })
            .await;
            system.stop(SECOND).await;
        });
        drop((system, sim));
        assert_eq!(Arc::strong_count(&token), 1, "after {polls} polls");
    }
}

#[test]
fn below_the_fortieth_level_nobody_is_asked() {
    quiet();
    let sim = Sim::new(1);
    let system = System::new(Runtime::sim(&sim));
    sim.run(async {
        let deepest = Supervisor::new("s").child(idle(false));
        let deep = (0..44).fold(deepest, |inner, _| Supervisor::new("s").supervisor(inner));
        system.supervise(deep).await.unwrap();
        let before = sim.now();
        let tree = system.tree().await;
        assert_eq!(sim.now(), before, "those that are too deep are not waited for");
        assert_eq!((tree.totals.deepest, tree.totals.unknown), (40, 1));
        let mut branch: &Branch = tree.find("root/s").unwrap();
        while let [child] = branch.children() {
            branch = child;
        }
        assert!(branch.unknown && branch.supervision.is_none());
    });
}
