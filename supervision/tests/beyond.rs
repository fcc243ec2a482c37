//! What goes beyond OTP, done to real processes on virtual time, and watchdogs on real threads.

use bastion_supervision::plan::{
    AddError, ChildError, ChildSpec, ChildState, Intensity, Quarantine, RestartPolicy, Settings,
    SettingsError, Strategy,
};
use bastion_supervision::{
    Address, ChangeError, Child, Context, Exit, Reply, RequestError, Runtime, Sim, StartChildError,
    Supervisor, SupervisorRef, System, child,
};
use std::future::pending;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

enum Order {
    Fail,
    /// Takes so long.
    Work(Duration),
    /// Never comes back to the mailbox, though it yields.
    Hang,
    /// Never comes back to the mailbox, and says that it makes progress.
    Toil,
    Incarnation(Reply<u32>),
}

async fn body(mut cx: Context<Order>) -> Result<(), Exit> {
    while let Some(order) = cx.recv().await {
        match order {
            Order::Fail => return Err(Exit::error("told to")),
            Order::Work(time) => cx.sleep(time).await,
            Order::Hang => pending().await,
            Order::Toil => loop {
                cx.progress();
                cx.sleep(SECOND / 10).await;
            },
            Order::Incarnation(reply) => reply.send(cx.incarnation()),
        }
    }
    Ok(())
}

fn worker(name: &'static str) -> Child<Order> {
    child(body).named(name)
}

/// Runs a scenario under several seeds.
fn scenario<F: Future<Output = ()>>(f: impl Fn(Sim, System) -> F) {
    for seed in 0..10 {
        let sim = Sim::new(seed);
        sim.run(f(sim.clone(), System::new(Runtime::sim(&sim))));
    }
}

async fn incarnation(address: &Address<Order>) -> u32 {
    address.ask(Order::Incarnation).await.unwrap()
}

async fn state(supervisor: &SupervisorRef, name: &str) -> ChildState {
    supervisor.child(name).await.unwrap().state
}

/// Starts these children under a supervisor with these rules, and returns their addresses.
async fn start<const N: usize>(
    system: &System,
    supervisor: Supervisor,
    children: [Child<Order>; N],
) -> (SupervisorRef, [Address<Order>; N]) {
    let addresses = children.each_ref().map(Child::address);
    let supervisor = children.into_iter().fold(supervisor, Supervisor::child);
    (system.supervise(supervisor).await.unwrap(), addresses)
}

#[test]
fn a_process_that_makes_no_progress_is_restarted() {
    scenario(|sim, system| async move {
        let guarded = worker("a").watchdog(SECOND);
        let (_, [a]) = start(&system, Supervisor::new("s"), [guarded]).await;
        // Waiting for a message is fine, for however long.
        sim.sleep(60 * SECOND).await;
        a.tell(Order::Work(SECOND * 9 / 10)).unwrap();
        a.tell(Order::Work(SECOND * 9 / 10)).unwrap();
        a.tell(Order::Toil).unwrap();
        sim.sleep(60 * SECOND).await;
        assert_eq!((a.incarnation(), system.stats().crashes), (1, 0));
    });
    scenario(|sim, system| async move {
        let guarded = worker("a").watchdog(SECOND);
        let (_, [a]) = start(&system, Supervisor::new("s"), [guarded]).await;
        sim.sleep(SECOND / 2).await;
        a.tell(Order::Hang).unwrap();
        sim.sleep(SECOND).await;
        assert_eq!(a.incarnation(), 1, "found out too early");
        sim.sleep(SECOND).await;
        assert_eq!(incarnation(&a).await, 2);
    });
}

#[test]
fn a_process_that_gave_up_waiting_for_a_message_is_watched_again() {
    scenario(|sim, system| async move {
        let hangs = child(|mut cx: Context<()>| async move {
            let clock = cx.sleep(SECOND / 2);
            let mut clock = std::pin::pin!(clock);
            {
                let mut message = std::pin::pin!(cx.recv());
                std::future::poll_fn(|task| {
                    assert!(message.as_mut().poll(task).is_pending());
                    clock.as_mut().poll(task)
                })
                .await;
            }
            pending().await
        });
        let hangs = hangs.named("hangs").watchdog(SECOND);
        let address = hangs.address();
        system.supervise(Supervisor::new("s").unlimited().child(hangs)).await.unwrap();
        sim.sleep(3 * SECOND).await;
        assert_eq!(address.incarnation(), 2);
    });
}

#[test]
fn a_worker_that_never_receives_has_to_say_that_it_makes_progress() {
    scenario(|sim, system| async move {
        let idle = child(|_: Context<()>| pending()).named("idle").watchdog(SECOND);
        let address = idle.address();
        system.supervise(Supervisor::new("s").unlimited().child(idle)).await.unwrap();
        sim.sleep(SECOND * 11 / 10).await;
        assert_eq!(address.incarnation(), 2);
    });
}

#[test]
fn a_worker_without_a_mailbox_says_so_too() {
    use bastion_supervision::{progress, worker};
    scenario(|sim, system| async move {
        let body = move |says_so: bool| {
            let sim = sim.clone();
            move |_| {
                let sim = sim.clone();
                async move {
                    loop {
                        sim.sleep(SECOND / 2).await;
                        says_so.then(progress);
                    }
                }
            }
        };
        let (busy, stuck) = (worker("busy", body(true)), worker("stuck", body(false)));
        let (busy, stuck) = (busy.watchdog(SECOND), stuck.watchdog(SECOND));
        let addresses = (busy.address(), stuck.address());
        let supervisor = Supervisor::new("s").unlimited().add_worker(busy).add_worker(stuck);
        system.supervise(supervisor).await.unwrap();
        let clock = child(|cx: Context<()>| async move {
            cx.sleep(10 * SECOND).await;
            Ok(())
        });
        let clock = clock.restart(bastion_supervision::plan::RestartType::Temporary);
        system.spawn_child(clock).unwrap().ended().await;
        assert_eq!(addresses.0.incarnation(), 1);
        assert!(addresses.1.incarnation() > 5, "{}", addresses.1.incarnation());
        system.stop(SECOND).await;
    });
}

#[test]
fn those_that_depend_on_a_child_are_restarted_with_it() {
    scenario(|_, system| async move {
        let children = [
            worker("db"),
            worker("other"),
            worker("cache").depends_on("db"),
            worker("web").depends_on("cache"),
        ];
        let (_, [db, other, cache, web]) = start(&system, Supervisor::new("s"), children).await;
        db.tell(Order::Fail).unwrap();
        assert_eq!(incarnation(&db).await, 2);
        assert_eq!(incarnation(&web).await, 2);
        assert_eq!(incarnation(&cache).await, 2);
        assert_eq!(incarnation(&other).await, 1);
        assert_eq!(system.stats().restarts, 1, "one failure counts once");
        assert!(system.stop(SECOND).await.forced.is_empty());
    });
}

#[test]
fn a_dependency_that_is_not_there_is_a_wrong_description() {
    scenario(|_, system| async move {
        let supervisor = Supervisor::new("s").child(worker("web").depends_on("db"));
        let refused = system.supervise(supervisor).await.unwrap_err();
        let text = refused.to_string();
        assert!(text.contains("there is no sibling \"db\" to depend on"), "{text}");
        let pool = system.supervise(Supervisor::dynamic("pool")).await.unwrap();
        let refused = pool.start_child(worker("web").depends_on("db")).await.unwrap_err();
        let expected = AddError::DependencyWithoutOrder;
        assert!(matches!(refused, StartChildError::Refused(error) if error == expected));
    });
}

#[test]
fn a_child_in_quarantine_is_tried_again_and_its_siblings_do_not_notice() {
    scenario(|sim, system| async move {
        let rule = Quarantine::new(10 * SECOND, SECOND);
        let children = [worker("a").quarantine(rule), worker("b")];
        let (s, [a, b]) = start(&system, Supervisor::new("s"), children).await;
        a.tell(Order::Fail).unwrap();
        a.tell(Order::Fail).unwrap();
        sim.sleep(SECOND).await;
        assert_eq!(state(&s, "a").await, ChildState::Quarantined);
        assert_eq!(incarnation(&b).await, 1);
        // What is told meanwhile waits.
        let question = a.ask_timeout(60 * SECOND, Order::Incarnation);
        assert_eq!(question.await, Ok(3));
        assert_eq!(sim.now(), 10 * SECOND);
        assert!(!system.stop(SECOND).await.forced.contains(&"a".to_owned()));
    });
}

#[test]
fn a_childs_own_budget_ends_it_alone() {
    scenario(|_, system| async move {
        let budget = RestartPolicy::Within(Intensity::new(2, 10 * SECOND));
        let children = [worker("a").policy(budget), worker("b")];
        let (s, [a, b]) = start(&system, Supervisor::new("s").unlimited(), children).await;
        for _ in 0..3 {
            a.tell(Order::Fail).unwrap();
        }
        a.ended().await;
        assert_eq!(a.incarnation(), 3);
        assert_eq!(incarnation(&b).await, 1);
        assert_eq!(s.counts().await.unwrap().specs, 1);
    });
}

#[test]
fn a_lifetime_ends_gracefully_and_is_no_failure() {
    scenario(|sim, system| async move {
        let (_, [a]) =
            start(&system, Supervisor::new("s"), [worker("a").max_lifetime(10 * SECOND)]).await;
        sim.sleep(SECOND * 899 / 100).await;
        assert_eq!(a.incarnation(), 1);
        for second in [11, 21, 31] {
            sim.sleep((second * SECOND).saturating_sub(sim.now())).await;
            assert!(a.incarnation() >= 2);
        }
        assert_eq!(incarnation(&a).await, 4);
        assert_eq!((system.stats().restarts, system.stats().crashes), (0, 0));
    });
}

#[test]
fn a_restart_can_be_asked_for_now_and_later() {
    scenario(|sim, system| async move {
        let (s, [a, b]) =
            start(&system, Supervisor::new("s"), [worker("a"), worker("b").depends_on("a")]).await;
        s.recycle_child("a", Duration::ZERO).await.unwrap();
        assert_eq!(a.incarnation(), 2);
        assert_eq!((incarnation(&a).await, incarnation(&b).await), (2, 2));
        s.recycle_child("b", SECOND).await.unwrap();
        sim.sleep(SECOND / 2).await;
        assert_eq!(incarnation(&b).await, 2);
        sim.sleep(SECOND).await;
        assert_eq!((incarnation(&a).await, incarnation(&b).await), (2, 3));
        s.stop_child("b").await.unwrap();
        for (name, expected) in [("b", ChildError::NotRunning), ("c", ChildError::NotFound)] {
            let refused = s.recycle_child(name, SECOND).await;
            assert!(matches!(refused, Err(RequestError::Refused(error)) if error == expected));
        }
    });
}

#[test]
fn one_child_more_than_may_be_is_refused() {
    scenario(|_, system| async move {
        let pool = system.supervise(Supervisor::dynamic("pool").max_children(1)).await.unwrap();
        let first = pool.start_child(child(body)).await.unwrap();
        let refused = pool.start_child(child(body)).await.unwrap_err();
        assert!(matches!(refused, StartChildError::Refused(AddError::TooMany { max: 1 })));
        // One that was spawned runs, and is killed again.
        let spawned = pool.spawn_child(child(body)).unwrap();
        spawned.ended().await;
        pool.stop_child(first.pid().unwrap()).await.unwrap();
        pool.start_child(child(body)).await.unwrap();
    });
}

#[test]
fn the_rules_of_a_supervisor_change_while_it_runs() {
    scenario(|_, system| async move {
        let (s, [a, b]) =
            start(&system, Supervisor::new("s").unlimited(), [worker("a"), worker("b")]).await;
        a.tell(Order::Fail).unwrap();
        assert_eq!((incarnation(&a).await, incarnation(&b).await), (2, 1));
        let settings = s.settings().await.unwrap();
        s.change_settings(settings.clone().strategy(Strategy::OneForAll)).await.unwrap();
        a.tell(Order::Fail).unwrap();
        assert_eq!((incarnation(&a).await, incarnation(&b).await), (3, 2));
        let wrong = settings.intensity(Some(Intensity::new(1, Duration::ZERO)));
        let refused = s.change_settings(wrong).await;
        let zero = SettingsError::InvalidPeriod(Duration::ZERO);
        assert_eq!(refused, Err(ChangeError::Refused(zero)));
        assert_eq!(s.settings().await.unwrap().strategy, Strategy::OneForAll);
        system.stop(SECOND).await;
        assert_eq!(s.change_settings(Settings::default()).await, Err(ChangeError::Gone));
    });
}

#[test]
fn row_147_the_rules_of_a_child_can_be_read() {
    scenario(|_, system| async move {
        let (s, [_a]) = start(&system, Supervisor::new("s"), [worker("a").watchdog(SECOND)]).await;
        let expected = ChildSpec::worker().id("a").watchdog(SECOND);
        assert_eq!(s.child_spec("a").await.unwrap(), expected);
        let unknown = s.child_spec("b").await.unwrap_err();
        assert!(matches!(unknown, RequestError::Refused(ChildError::NotFound)));
        let unknown = s.child("b").await.unwrap_err();
        assert!(matches!(unknown, RequestError::Refused(ChildError::NotFound)));
        let pool = system.supervise(Supervisor::dynamic("pool")).await.unwrap();
        let pid = pool.start_child(child(body)).await.unwrap().pid().unwrap();
        assert_eq!(pool.child_spec(pid).await.unwrap(), ChildSpec::worker());
        assert_eq!(pool.child(pid).await.unwrap().pid, pid);
    });
}

#[test]
fn a_nested_supervisor_has_lifetimes_and_dependencies_too() {
    scenario(|sim, system| async move {
        let inner = worker("inner");
        let address = inner.address();
        let nested = Supervisor::new("nested").depends_on("db").child(inner);
        let db = worker("db");
        let db_address = db.address();
        let outer = Supervisor::new("outer").child(db).supervisor(nested);
        let outer = system.supervise(outer).await.unwrap();
        db_address.tell(Order::Fail).unwrap();
        assert_eq!((incarnation(&db_address).await, incarnation(&address).await), (2, 2));
        // Until nothing moves: the nested supervisor has said that it is ready.
        sim.sleep(SECOND).await;
        outer.recycle_child("nested", Duration::ZERO).await.unwrap();
        assert_eq!(incarnation(&address).await, 3);
    });
}

/// A body that blocks its thread cannot be killed: it is abandoned, and a new incarnation takes over.
#[cfg(feature = "executor")]
#[test]
fn a_process_that_blocks_its_thread_is_found_out_and_replaced() {
    use std::sync::{Arc, Mutex, mpsc};
    let (release, wait) = mpsc::channel::<()>();
    let wait = Arc::new(Mutex::new(wait));
    let executor = bastion_executor::Executor::builder().workers(3).build().unwrap();
    executor.run(async {
        let system = System::new(Runtime::executor());
        let blocks = child(move |mut cx: Context<Order>| {
            let wait = wait.clone();
            async move {
                if cx.incarnation() == 1 {
                    let _ = wait.lock().unwrap().recv();
                }
                while let Some(order) = cx.recv().await {
                    if let Order::Incarnation(reply) = order {
                        reply.send(cx.incarnation());
                    }
                }
                Ok(())
            }
        });
        let blocks = blocks.named("blocks").watchdog(SECOND / 50);
        let supervisor = Supervisor::new("s").kill_grace(SECOND / 50);
        let (_, [address]) = start(&system, supervisor, [blocks]).await;
        assert_eq!(address.ask_timeout(60 * SECOND, Order::Incarnation).await, Ok(2));
        assert_eq!(system.stats().abandoned, 1);
        drop(release);
        system.stop(SECOND).await;
    });
}

/// What an abandoned incarnation does in the end is not the process's any more.
#[cfg(feature = "executor")]
#[test]
fn an_abandoned_incarnation_that_crashes_late_says_nothing_of_the_process() {
    use bastion_supervision::Report;
    use std::sync::{Arc, Mutex, mpsc};
    let (release, wait) = mpsc::channel::<()>();
    let wait = Arc::new(Mutex::new(wait));
    let (tell_crashed, crashed) = mpsc::channel();
    let (tell_entered, entered) = mpsc::channel();
    let executor = bastion_executor::Executor::builder().workers(3).build().unwrap();
    executor.run(async {
        let hook = move |report: &Report| {
            if let Report::Crash(crash) = report {
                tell_crashed.send(crash.incarnation).unwrap();
            }
        };
        let system = System::builder(Runtime::executor()).measure_handlers(true).on_report(hook);
        let system = system.build();
        let blocks = child(move |mut cx: Context<Order>| {
            let (wait, tell_entered) = (wait.clone(), tell_entered.clone());
            async move {
                let order = cx.recv().await;
                if cx.incarnation() == 1 {
                    tell_entered.send(()).unwrap();
                    let _ = wait.lock().unwrap().recv();
                    std::panic::resume_unwind(Box::new("late"));
                }
                if let Some(Order::Incarnation(reply)) = order {
                    reply.send(cx.incarnation());
                }
                pending().await
            }
        });
        let blocks = blocks.named("blocks").watchdog(SECOND / 50);
        let supervisor = Supervisor::new("s").kill_grace(SECOND / 50);
        let (_, [address]) = start(&system, supervisor, [blocks]).await;
        address.tell(Order::Fail).unwrap();
        // What came at the same time, it would have in its hands.
        entered.recv_timeout(60 * SECOND).unwrap();
        assert_eq!(address.ask_timeout(60 * SECOND, Order::Incarnation).await, Ok(2));
        drop(release);
        assert_eq!(crashed.recv_timeout(60 * SECOND), Ok(1));
        let tree = system.tree().await;
        let blocks = tree.find("root/s/blocks").unwrap();
        assert_eq!((blocks.incarnation, &blocks.crash), (2, &None));
        assert!(blocks.workload.unwrap().current.is_some(), "it still has the question");
        system.stop(SECOND).await;
    });
}

#[test]
fn a_child_is_named_by_its_address_even_before_it_has_a_pid() {
    let sim = Sim::new(1);
    sim.run(async {
        let (system, other) = (System::new(Runtime::sim(&sim)), System::new(Runtime::sim(&sim)));
        let idle = |mut cx: Context<()>| async move {
            while cx.recv().await.is_some() {}
            Ok::<(), Exit>(())
        };
        let group = Supervisor::dynamic("group");
        let [early, second, first, stranger] = [(); 4].map(|()| child(idle));
        let (address, strange) = (early.address(), stranger.address());
        let second_address = second.address();
        let group = group.child(early).child(second);
        group.reference().request_stop(&address).unwrap();
        assert_eq!(address.pid(), None);
        let group = system.supervise(group).await.unwrap();
        other.supervise(Supervisor::dynamic("group").child(first).child(stranger)).await.unwrap();
        // Pids are a system's own: one is not mistaken for another with the same.
        assert_eq!(second_address.pid(), strange.pid());
        let refused = group.stop_child(&strange).await;
        assert!(matches!(refused, Err(RequestError::Refused(ChildError::NotFound))), "{refused:?}");
        let late = group.spawn_child(child(idle)).unwrap();
        group.stop_child(&late).await.unwrap();
        assert!(address.has_ended() && late.has_ended() && !second_address.has_ended());
    });
}
