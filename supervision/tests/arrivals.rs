//! Children that are spawned: their supervisor hears of them later, and that makes no difference to anybody.

use bastion_supervision::plan::{AutoShutdown, ChildState, ExitReason, RestartType, Shutdown};
use bastion_supervision::{
    Address, Context, Exit, Runtime, Sim, Supervisor, SupervisorRef, System, child,
};
use std::sync::Once;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// Silences the program's own hook, before any system chains its own to it.
fn quiet() {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| std::panic::set_hook(Box::new(|_| {})));
}

/// Runs a scenario under several orders: with a supervisor that waits, ordered or not.
fn check<Fut>(scenario: impl Fn(Sim, System, SupervisorRef) -> Fut)
where
    Fut: Future<Output = ()>,
{
    quiet();
    for seed in 0..20 {
        let sim = Sim::new(seed);
        sim.run(async {
            let system = System::new(Runtime::sim(&sim));
            let supervisor =
                if seed % 2 == 0 { Supervisor::new("s") } else { Supervisor::dynamic("s") };
            let supervisor = system.supervise(supervisor).await.unwrap();
            sim.sleep(SECOND).await;
            scenario(sim.clone(), system, supervisor).await;
        });
    }
}

/// Waits until it is asked to stop, and takes its time.
async fn slow(cx: Context<()>) -> Result<(), Exit> {
    cx.stop_signal().requested().await;
    cx.sleep(SECOND).await;
    Ok(())
}

/// Fails when it is told something.
async fn fragile(mut cx: Context<()>) -> Result<(), Exit> {
    match cx.recv().await {
        Some(()) => Err(Exit::error("told to")),
        None => Ok(()),
    }
}

fn spawn(supervisor: &SupervisorRef) -> Address<()> {
    supervisor.spawn_child(child(slow).restart(RestartType::Temporary)).unwrap()
}

#[test]
fn one_that_is_asked_about_is_known_and_since_when_it_runs() {
    check(|sim, system, s| async move {
        let first = spawn(&s);
        let since = system.now();
        sim.sleep(5 * SECOND).await;
        let second = spawn(&s);
        let children = s.children().await.unwrap();
        let pids: Vec<_> = children.iter().map(|child| Some(child.pid)).collect();
        assert_eq!(pids, [first.pid(), second.pid()]);
        assert_eq!(children[0].since, Some(since));
        assert_eq!(children[0].state, ChildState::Running);
        let third = spawn(&s);
        s.stop_child(third.pid().unwrap()).await.unwrap();
        assert!(matches!(third.ended().await, ExitReason::Shutdown));
        system.stop(10 * SECOND).await;
    });
}

#[test]
fn what_is_asked_while_the_supervisor_is_busy_is_answered_with_the_child() {
    check(|_, system, s| async move {
        for count in 1..100 {
            let (before, _) = (s.counts(), spawn(&s));
            let (before, after) = (before.await.unwrap(), s.counts().await.unwrap());
            assert!(before.specs <= count);
            assert_eq!(after.specs, count);
        }
        system.stop(200 * SECOND).await;
    });
}

#[test]
fn one_that_was_not_heard_of_is_stopped_with_the_others() {
    check(|sim, system, s| async move {
        let children = [spawn(&s), spawn(&s)];
        sim.sleep(SECOND).await;
        let late = spawn(&s);
        let stopped = system.stop(10 * SECOND).await;
        assert!(stopped.forced.is_empty(), "{stopped:?}");
        for child in children.iter().chain([&late]) {
            assert!(matches!(child.ended().await, ExitReason::Shutdown));
        }
    });
}

#[test]
fn one_that_was_not_heard_of_does_not_outlive_its_supervisor() {
    check(|sim, system, s| async move {
        let inner = Supervisor::dynamic("inner").shutdown(Shutdown::Brutal);
        let inner = s.start_supervisor(inner).await.unwrap();
        let orphan = spawn(&inner);
        sim.sleep(SECOND).await;
        // Killed, and started again.
        s.recycle_child(inner.pid().unwrap(), Duration::ZERO).await.unwrap();
        assert_eq!(inner.counts().await.unwrap().specs, 0);
        assert!(matches!(orphan.ended().await, ExitReason::Killed));
        let orphan = spawn(&inner);
        s.stop_child(inner.pid().unwrap()).await.unwrap();
        assert!(matches!(orphan.ended().await, ExitReason::Killed));
        system.stop(10 * SECOND).await;
    });
}

#[test]
fn one_that_fails_unheard_of_is_restarted() {
    check(|sim, system, s| async move {
        let address = s.spawn_child(child(fragile)).unwrap();
        sim.sleep(SECOND).await;
        address.tell(()).unwrap();
        sim.sleep(SECOND).await;
        assert_eq!(address.incarnation(), 2);
        assert_eq!(s.counts().await.unwrap().active, 1);
        system.stop(10 * SECOND).await;
    });
}

#[test]
fn one_that_is_gone_unheard_of_leaves_nothing() {
    check(|sim, system, s| async move {
        let short = |_: Context<()>| async { Ok(()) };
        let address = s.spawn_child(child(short).restart(RestartType::Temporary)).unwrap();
        assert!(matches!(address.ended().await, ExitReason::Normal));
        assert!(address.tell(()).is_err());
        // Nor one that ends after its supervisor has heard of it.
        let heard_of = s.spawn_child(child(fragile).restart(RestartType::Temporary)).unwrap();
        assert_eq!(s.counts().await.unwrap().specs, 1);
        heard_of.tell(()).unwrap();
        sim.sleep(SECOND).await;
        assert_eq!(s.counts().await.unwrap().specs, 0);
        assert!(heard_of.has_ended());
        system.stop(10 * SECOND).await;
    });
}

#[test]
fn one_that_is_gone_unheard_of_may_be_the_last_one() {
    check(|sim, system, s| async move {
        let group = Supervisor::new("group").auto_shutdown(AutoShutdown::WhenEmpty);
        let group = s.start_supervisor(group.restart(RestartType::Temporary)).await.unwrap();
        sim.sleep(SECOND).await;
        let short = |_: Context<()>| async { Ok(()) };
        group.spawn_child(child(short).restart(RestartType::Temporary)).unwrap();
        assert!(matches!(group.ended().await, ExitReason::Shutdown));
        system.stop(10 * SECOND).await;
    });
}
