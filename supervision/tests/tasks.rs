//! Tasks when everything stops, and what is taken back after a selective receive has passed over it.

use bastion_supervision::plan::{ExitReason, RestartType};
use bastion_supervision::{Context, Down, ExitSignal, Runtime, Sim, Supervisor, System, child};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_task_that_ends_well_during_a_stop_takes_nobody_along() {
    let sim = Sim::new(5);
    sim.run(async {
        let system = System::new(Runtime::sim(&sim));
        let record = Arc::new(Mutex::new(Vec::new()));
        let (heard, clock) = (record.clone(), sim.clone());
        let caller = child(move |cx: Context<()>| {
            let (heard, clock) = (heard.clone(), clock.clone());
            async move {
                let task = cx.spawn_task(async move {
                    clock.sleep(SECOND).await;
                    Ok(7)
                })?;
                let result = format!("{:?}", task.await.ok());
                heard.lock().unwrap().push(result);
                cx.stop_signal().requested().await;
                heard.lock().unwrap().push("cleaned up".to_owned());
                Ok(())
            }
        });
        let s = Supervisor::new("s").child(caller.named("caller")).restart(RestartType::Temporary);
        let s = system.supervise(s).await.unwrap();
        sim.sleep(SECOND / 2).await;
        // The task, the youngest, is asked first, and goes on to its end.
        system.root().stop_child("s").await.unwrap();
        s.ended().await;
        assert_eq!(*record.lock().unwrap(), ["Some(7)", "cleaned up"]);
        system.stop(SECOND).await;
    });
}

enum Hear {
    Down(Down),
    Exit(ExitSignal),
    Go,
}

#[test]
fn what_was_passed_over_of_a_monitor_or_a_link_is_taken_back_with_it() {
    let sim = Sim::new(5);
    sim.run(async {
        let system = System::new(Runtime::sim(&sim));
        let ends = |name: &str| {
            let child = child(|cx: Context<()>| async move {
                cx.stop_signal().requested().await;
                Ok(())
            });
            child.named(name).restart(RestartType::Temporary)
        };
        let one = system.spawn_child(ends("one")).unwrap();
        let two = system.spawn_child(ends("two")).unwrap();
        let (first, second) = (one.clone(), two.clone());
        let watcher = child(move |mut cx: Context<Hear>| {
            let (first, second) = (first.clone(), second.clone());
            async move {
                cx.trap_exit(Hear::Exit);
                cx.link(&first);
                let monitor = cx.monitor(&second, Hear::Down);
                assert!(cx.recv_matching(|message| matches!(message, Hear::Go)).await.is_some());
                cx.unlink(&first);
                assert_eq!(cx.demonitor(monitor), Ok(true));
                match cx.try_recv() {
                    None => Ok(()),
                    Some(Hear::Down(down)) => panic!("{down:?}"),
                    Some(Hear::Exit(signal)) => panic!("{signal:?}"),
                    Some(Hear::Go) => panic!("twice"),
                }
            }
        });
        let watcher = system.spawn_child(watcher.restart(RestartType::Temporary)).unwrap();
        sim.sleep(SECOND).await;
        one.exit(ExitReason::Killed);
        two.exit(ExitReason::Killed);
        sim.sleep(SECOND).await;
        assert!(watcher.tell(Hear::Go).is_ok());
        assert_eq!(watcher.ended().await.to_string(), "normal");
        system.stop(SECOND).await;
    });
}
