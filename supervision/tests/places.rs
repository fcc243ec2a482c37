//! Where processes run: what is said of one holds in each of its incarnations, what is said of a supervisor for all below it.
#![cfg(feature = "executor")]

use bastion_executor::Executor;
use bastion_supervision::plan::{ExitReason, Finish, RestartType};
use bastion_supervision::{
    Child, Context, Exit, Place, PlaceError, Reply, Runtime, Sim, StartChildError, Supervisor,
    SupervisorError, System, child,
};
use std::time::Duration;

enum Question {
    Where(Reply<String>),
    Crash,
}

/// Says on which thread it runs.
fn guide() -> Child<Question> {
    child(|mut cx: Context<Question>| async move {
        while let Some(question) = cx.recv().await {
            match question {
                Question::Where(reply) => reply.send(thread()),
                Question::Crash => return Err(Exit::error("told to")),
            }
        }
        Ok(())
    })
}

fn thread() -> String {
    std::thread::current().name().unwrap_or_default().to_owned()
}

/// An executor with the workers `w-0` and `w-1` on node 0, `w-2` and `w-3` on node 1.
fn two_nodes() -> Executor {
    let machine = "node:2 core:2".parse().unwrap();
    Executor::builder().topology(machine).name("w").build().unwrap()
}

const NODES: [&[&str]; 2] = [&["w-0", "w-1"], &["w-2", "w-3"]];

/// Runs a test in a system on that executor.
fn on_two_nodes<F: Future<Output = ()>>(test: impl FnOnce(System) -> F) {
    two_nodes().run(async {
        let system = System::new(Runtime::executor());
        test(system.clone()).await;
        assert!(system.stop(Duration::from_secs(5)).await.forced.is_empty());
    });
}

async fn ask(guide: &bastion_supervision::Address<Question>) -> String {
    guide.ask(Question::Where).await.unwrap()
}

#[test]
fn everything_below_a_supervisor_is_where_it_is() {
    on_two_nodes(|system| async move {
        let (declared, below) = (guide(), guide());
        let (elsewhere, far) = (guide().on(Place::Node(0)), guide());
        let mut guides = vec![declared.address(), below.address()];
        let mut others = vec![elsewhere.address(), far.address()];
        let nested = Supervisor::new("nested").child(below);
        let sent_away = Supervisor::new("sent away").on(Place::Node(0)).child(far);
        let pool = Supervisor::dynamic("pool");
        let pool_ref = pool.reference();
        let top = Supervisor::new("top").on(Place::Node(1)).unlimited();
        let top = top.child(declared).supervisor(nested).child(elsewhere).supervisor(sent_away);
        let top = system.supervise(top.supervisor(pool)).await.unwrap();
        guides.push(top.start_child(guide()).await.unwrap());
        guides.push(pool_ref.spawn_child(guide()).unwrap());
        others.push(pool_ref.spawn_child(guide().on(Place::Node(0))).unwrap());
        for _ in 0..50 {
            for guide in &guides {
                assert!(NODES[1].contains(&&*ask(guide).await));
            }
            for other in &others {
                assert!(NODES[0].contains(&&*ask(other).await));
            }
            // And so are their next incarnations.
            guides[0].tell(Question::Crash).unwrap();
            others[0].tell(Question::Crash).unwrap();
        }
        for guide in [&guides[0], &others[0]] {
            ask(guide).await;
        }
        assert_eq!(system.stats().restarts, 100);
    });
}

#[test]
fn a_supervisor_that_is_not_started_yet_has_its_place() {
    on_two_nodes(|system| async move {
        let pool = Supervisor::dynamic("pool");
        let pool_ref = pool.reference();
        let (tell, told) = std::sync::mpsc::channel();
        let early = child(move |_: Context<()>| {
            // The pool is started behind this one, and takes children already.
            let tell = tell.clone();
            let says = child(move |_: Context<()>| {
                tell.send(thread()).unwrap();
                async { Ok(()) }
            });
            pool_ref.spawn_child(says.restart(RestartType::Temporary)).unwrap();
            async { Ok(()) }
        });
        let early = early.on(Place::Node(0)).restart(RestartType::Temporary);
        let top = Supervisor::new("top").on(Place::Node(1)).child(early).supervisor(pool);
        system.supervise(top).await.unwrap();
        assert!(NODES[1].contains(&&*told.recv().unwrap()));
    });
}

#[test]
fn one_with_a_thread_of_its_own_has_a_new_one_after_each_restart() {
    on_two_nodes(|system| async move {
        let top = Supervisor::new("top").unlimited();
        let guide = guide().on(Place::Thread);
        let address = guide.address();
        system.supervise(top.child(guide)).await.unwrap();
        for _ in 0..20 {
            assert_eq!(ask(&address).await, "w-own");
            address.tell(Question::Crash).unwrap();
        }
    });
}

/// The place that a failed start names.
fn refused(error: &StartChildError) -> (Place, String) {
    let StartChildError::Failed(reason) = error else { panic!("{error}") };
    let ExitReason::Error(failure) = reason else { panic!("{reason}") };
    let finished = failure.downcast_ref::<SupervisorError>().expect("a supervisor's end");
    let SupervisorError::Finished { finish: Finish::StartFailed { reason, .. }, .. } = finished
    else {
        panic!("{finished}")
    };
    let ExitReason::Error(failure) = reason else { panic!("{reason}") };
    let error = failure.downcast_ref::<PlaceError>().expect("a place that is not there");
    (error.place().clone(), error.to_string())
}

#[test]
fn a_place_that_is_not_there_fails_the_start() {
    on_two_nodes(|system| async move {
        let top = Supervisor::new("top").child(guide()).child(guide().on(Place::Node(2)));
        let (place, text) = refused(&system.supervise(top).await.unwrap_err());
        assert_eq!(place, Place::Node(2));
        let expected = "a process cannot run on node 2: no worker belongs to node 2, only to 0, 1";
        assert_eq!(text, expected);
        // One that is spawned ends with the reason.
        let lost = guide().on(Place::Node(2)).restart(RestartType::Temporary);
        let lost = system.spawn_child(lost).unwrap();
        let reason = lost.ended().await;
        assert!(reason.to_string().contains("no worker belongs to node 2"), "{reason}");
    });
}

#[cfg(feature = "tokio")]
#[test]
fn tokio_has_threads_of_their_own_and_no_nodes() {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(2).enable_time().build().unwrap();
    runtime.block_on(async {
        let system = System::new(Runtime::tokio(runtime.handle().clone()));
        let guide = guide().on(Place::Thread);
        let address = guide.address();
        let top = Supervisor::new("top").unlimited().child(guide);
        system.supervise(top).await.unwrap();
        for _ in 0..10 {
            assert_eq!(ask(&address).await, "bastion-own");
            address.tell(Question::Crash).unwrap();
        }
        for place in [Place::Node(0), Place::pinned([0])] {
            let top = Supervisor::new("other").child(self::guide()).on(place.clone());
            let error = system.supervise(top).await.unwrap_err();
            let StartChildError::Failed(ExitReason::Error(failure)) = &error else {
                panic!("{error}")
            };
            let error = failure.downcast_ref::<PlaceError>().expect("no such place");
            assert_eq!(error.place(), &place);
        }
        assert!(system.stop(Duration::from_secs(5)).await.forced.is_empty());
    });
}

#[test]
fn a_simulation_has_one_thread_for_all() {
    let sim = Sim::new(7);
    sim.run(async {
        let system = System::new(Runtime::sim(&sim));
        for place in [Place::Node(9), Place::Thread, Place::pinned([70_000])] {
            let guide = system.spawn_child(guide().on(place)).unwrap();
            assert_eq!(ask(&guide).await, thread());
        }
        system.stop(Duration::from_secs(5)).await;
    });
}
