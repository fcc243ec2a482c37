//! A stop that is under way has its limit cut by another one: on virtual time, so that the limits are exact.

use bastion_supervision::plan::Shutdown;
use bastion_supervision::{Child, Context, Runtime, Sim, Supervisor, System, child};
use std::future::Future;
use std::pin::pin;
use std::task::{Context as Task, Waker};
use std::time::Duration;

/// A process that never stops by itself.
fn deaf() -> Child<()> {
    let deaf = child(|_: Context<()>| std::future::pending());
    deaf.named("deaf").shutdown(Shutdown::Infinity)
}

/// Stops a system with these limits, the second time after a pause. Returns how long that took from then on.
fn stopped_after(first: Duration, pause: Duration, second: Duration) -> Duration {
    let sim = Sim::new(1);
    sim.run(async {
        let system = System::new(Runtime::sim(&sim));
        let nested = Supervisor::new("nested").child(deaf());
        system.supervise(Supervisor::new("top").supervisor(nested)).await.unwrap();
        let mut stop = pin!(system.stop(first));
        assert!(stop.as_mut().poll(&mut Task::from_waker(Waker::noop())).is_pending());
        if !pause.is_zero() {
            sim.sleep(pause).await;
        }
        let begin = sim.now();
        let again = system.stop(second).await;
        let took = sim.now() - begin;
        // By name, though it is below others: each supervisor had the time to say so.
        assert_eq!((&*again.forced, again.abandoned), (&["deaf".to_owned()][..], 0));
        assert_eq!(stop.await, again, "both wait for one end");
        took
    })
}

#[test]
fn of_two_limits_of_a_stop_the_earlier_one_holds() {
    let (hour, second) = (Duration::from_secs(3600), Duration::from_secs(1));
    let limit = Duration::from_millis(100);
    let cut = stopped_after(hour, second, limit);
    assert!(cut <= limit && cut > Duration::ZERO, "{cut:?}");
    let kept = stopped_after(hour, second, 2 * hour);
    assert!(kept <= hour && kept > hour / 2, "{kept:?}");
    // Also when the root hears of both at once.
    let kept = stopped_after(limit, Duration::ZERO, hour);
    assert!(kept <= limit, "{kept:?}");
}
