//! What can be known of one process: what it has handled, for how long, how it crashed last.

use bastion_supervision::plan::{Backoff, ChildState};
use bastion_supervision::{
    Address, Branch, Context, Exit, Reply, Runtime, Sim, SupervisorRef, System, Workload, child,
};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn in_sim<T>(measures: bool, body: impl AsyncFnOnce(Sim, System) -> T) -> T {
    let sim = Sim::new(7);
    let inner = sim.clone();
    sim.run(async move {
        let system =
            System::builder(Runtime::sim(&inner)).measure_handlers(measures).history(0).build();
        let result = body(inner, system.clone()).await;
        system.stop(50 * SECOND).await;
        result
    })
}

async fn branch(system: &System, name: &str) -> Branch {
    system.tree().await.find(&format!("root/processes/{name}")).expect("it is there").clone()
}

async fn workload(system: &System, name: &str) -> Workload {
    branch(system, name).await.workload.expect("it is measured")
}

/// What a worker is told to do.
enum Work {
    For(u32),
    Fail(u32),
    /// Takes all that is there, and works for a second.
    Many,
    /// Takes the next question, whatever is before it, and works for a second.
    Question,
    Ask(Reply<()>),
    /// Takes what is there, one by one, for a second each.
    Try,
    Later,
}

async fn work(mut cx: Context<Work>) -> Result<(), Exit> {
    while let Some(work) = cx.recv().await {
        match work {
            Work::For(seconds) => cx.sleep(SECOND * seconds).await,
            Work::Fail(seconds) => {
                cx.sleep(SECOND * seconds).await;
                return Err(Exit::error("told to"));
            }
            Work::Many => {
                cx.recv_many(10).await;
                cx.sleep(SECOND).await;
            }
            Work::Question => {
                cx.recv_matching(|work| matches!(work, Work::Ask(_))).await;
                cx.sleep(SECOND).await;
            }
            Work::Try => {
                while cx.try_recv().is_some() {
                    cx.sleep(SECOND).await;
                }
            }
            Work::Later => drop(cx.send_after(2 * SECOND, Work::For(1))),
            Work::Ask(reply) => reply.send(()),
        }
    }
    Ok(())
}

fn worker(system: &System) -> Address<Work> {
    system.spawn_child(child(work).named("worker").backoff(Backoff::immediate())).unwrap()
}

#[test]
fn messages_and_the_time_that_they_take_are_counted() {
    in_sim(true, async |sim, system| {
        let worker = worker(&system);
        sim.sleep(100 * SECOND).await;
        assert_eq!(workload(&system, "worker").await, Workload::default(), "a wait is no work");
        (1..=3).for_each(|seconds| worker.tell(Work::For(seconds)).unwrap());
        sim.sleep(5 * SECOND).await;
        let during = workload(&system, "worker").await;
        assert_eq!((during.messages, during.busy, during.longest), (3, 3 * SECOND, 2 * SECOND));
        assert_eq!(during.current, Some(2 * SECOND), "it is at the third one");
        sim.sleep(5 * SECOND).await;
        let after = workload(&system, "worker").await;
        assert_eq!((after.messages, after.busy, after.longest), (3, 6 * SECOND, 3 * SECOND));
        assert_eq!(after.current, None);
    });
}

#[test]
fn each_way_to_receive_is_counted() {
    in_sim(true, async |sim, system| {
        let worker = worker(&system);
        // One that asks for several, and three of them.
        worker.tell(Work::Many).unwrap();
        (0..3).for_each(|_| worker.tell(Work::For(9)).unwrap());
        sim.sleep(5 * SECOND).await;
        let many = workload(&system, "worker").await;
        assert_eq!((many.messages, many.busy, many.longest), (4, SECOND, SECOND));
        // A selective receive, and what it has passed over.
        worker.tell(Work::Question).unwrap();
        worker.tell(Work::For(2)).unwrap();
        let question = worker.ask(Work::Ask);
        sim.sleep(5 * SECOND).await;
        drop(question);
        let selective = workload(&system, "worker").await;
        assert_eq!((selective.messages, selective.busy), (7, 4 * SECOND));
        worker.tell(Work::Try).unwrap();
        (0..2).for_each(|_| worker.tell(Work::For(9)).unwrap());
        sim.sleep(5 * SECOND).await;
        let tried = workload(&system, "worker").await;
        assert_eq!((tried.messages, tried.busy, tried.longest), (10, 6 * SECOND, 2 * SECOND));
        // A message of its own timer.
        worker.tell(Work::Later).unwrap();
        sim.sleep(5 * SECOND).await;
        let timed = workload(&system, "worker").await;
        assert_eq!((timed.messages, timed.busy), (12, 7 * SECOND));
    });
}

#[test]
fn a_crash_ends_the_time_and_the_count_goes_on() {
    in_sim(true, async |sim, system| {
        let worker = worker(&system);
        worker.tell(Work::Fail(4)).unwrap();
        worker.tell(Work::For(1)).unwrap();
        sim.sleep(20 * SECOND).await;
        let both = workload(&system, "worker").await;
        assert_eq!((both.messages, both.busy, both.longest), (2, 5 * SECOND, 4 * SECOND));
        let drawn = system.tree().await.to_string();
        assert!(drawn.contains("1 restart, 2 handled in 5s"), "{drawn}");
        worker.tell(Work::For(9)).unwrap();
        sim.sleep(7 * SECOND).await;
        let drawn = system.tree().await.to_string();
        assert!(drawn.contains("3 handled in 5s, at one for 7s"), "{drawn}");
    });
}

#[test]
fn nothing_is_measured_unless_somebody_wants_it() {
    in_sim(false, async |sim, system| {
        let worker = worker(&system);
        worker.tell(Work::For(1)).unwrap();
        sim.sleep(3 * SECOND).await;
        assert_eq!(branch(&system, "worker").await.workload, None);
    });
    in_sim(true, async |_, system| {
        assert_eq!(system.tree().await.root.children()[0].workload, None, "a supervisor");
    });
}

/// The supervisor of `System::spawn_child`.
async fn processes(system: &System) -> SupervisorRef {
    let children = system.root().children().await.unwrap();
    children[0].supervisor.clone().unwrap()
}

#[test]
fn the_last_crash_is_known_while_the_process_is() {
    in_sim(false, async |sim, system| {
        let worker = worker(&system);
        sim.sleep(SECOND).await;
        let fresh = branch(&system, "worker").await;
        assert_eq!((fresh.crashed, fresh.crash), (None, None));
        worker.tell(Work::Fail(2)).unwrap();
        worker.tell(Work::Fail(3)).unwrap();
        sim.sleep(4 * SECOND).await;
        let once = branch(&system, "worker").await;
        assert_eq!((once.crashed, once.incarnation), (Some(3 * SECOND), 2));
        assert_eq!(once.crash.as_deref(), Some("error: told to"));
        sim.sleep(10 * SECOND).await;
        let info = processes(&system).await.child("worker").await.unwrap();
        assert_eq!((info.state, info.incarnation), (ChildState::Running, 3));
        let crash = info.last_crash.unwrap();
        assert_eq!((crash.at, crash.incarnation), (6 * SECOND, 2));
        assert_eq!(crash.reason.to_string(), "error: told to");
    });
}

#[test]
fn a_reason_without_a_text_harms_no_snapshot() {
    #[derive(Debug)]
    struct Mute;
    impl std::fmt::Display for Mute {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            panic!("no text")
        }
    }
    impl std::error::Error for Mute {}
    in_sim(false, async |sim, system| {
        let mute = child(|mut cx: Context<()>| async move {
            cx.recv().await;
            Err(Mute.into())
        });
        let mute = system.spawn_child(mute.named("mute")).unwrap();
        mute.tell(()).unwrap();
        sim.sleep(SECOND).await;
        let text = branch(&system, "mute").await.crash;
        assert_eq!(text.as_deref(), Some("an error whose text cannot be had"));
    });
}

/// An error that has the process's own address would keep it, and with it the error.
#[test]
fn nothing_of_a_crash_stays_after_the_end() {
    #[derive(Debug)]
    #[expect(dead_code, reason = "they are only kept")]
    struct Own(Address<()>, std::sync::Arc<()>);
    impl std::fmt::Display for Own {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("own")
        }
    }
    impl std::error::Error for Own {}
    let witness = std::sync::Arc::new(());
    in_sim(false, async |sim, system| {
        let seen = witness.clone();
        let own = child(move |mut cx: Context<()>| {
            let seen = seen.clone();
            async move {
                match cx.recv().await {
                    Some(()) => Err(Own(cx.address(), seen).into()),
                    None => Ok(()),
                }
            }
        });
        let own = system.spawn_child(own).unwrap();
        own.tell(()).unwrap();
        sim.sleep(SECOND).await;
        assert_eq!(
            std::sync::Arc::strong_count(&witness),
            4,
            "here, the closure, the body, the crash"
        );
    });
    assert_eq!(std::sync::Arc::strong_count(&witness), 1);
}
