//! A resource comes back from whoever holds it, however that one ends, and goes to those who wait, in their order.

use bastion_supervision::plan::{ExitReason, RestartType, Shutdown};
use bastion_supervision::{
    Acquire, Address, Child, Context, Exit, Lease, Pid, Reply, Resource, Runtime, Sim, Supervisor,
    SupervisorRef, System, TryAcquireError, child, current_pid,
};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, Once};
use std::task::{Context as Task, Poll, Waker};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// Silences the program's own hook, before any system chains its own to it.
fn quiet() {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| std::panic::set_hook(Box::new(|_| {})));
}

fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Task::from_waker(Waker::noop()))
}

fn ready<F: Future + Unpin>(future: &mut F) -> F::Output {
    match poll(future) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it is not ready"),
    }
}

#[test]
fn those_who_wait_have_it_in_the_order_in_which_they_came() {
    let sim = Sim::new(1);
    sim.run(async {
        let system = System::new(Runtime::sim(&sim));
        let resource = Resource::new("pen", Vec::new());
        let held = resource.try_acquire().unwrap();
        for number in 0..20 {
            let pen = resource.clone();
            let writer = child(move |cx: Context<()>| {
                let pen = pen.clone();
                async move {
                    let mut pen = pen.acquire().await?;
                    cx.sleep(Duration::from_millis(20 - number)).await;
                    pen.push(number);
                    Ok(())
                }
            });
            system.spawn_child(writer.restart(RestartType::Temporary)).unwrap();
            // The next one comes when this one is in the queue.
            sim.sleep(Duration::from_millis(1)).await;
            assert_eq!(resource.waiting() as u64, number + 1);
        }
        drop(held);
        sim.sleep(SECOND).await;
        let pen = resource.acquire().await.unwrap();
        assert_eq!(*pen, (0..20).collect::<Vec<_>>());
        assert_eq!((resource.leases(), resource.waiting()), (22, 0));
        drop(pen);
        system.stop(SECOND).await;
    });
}

#[test]
fn who_stops_waiting_passes_the_turn_on() {
    let resource = Resource::new("r", 7);
    let held = resource.try_acquire().unwrap();
    let mut waiting: Vec<Acquire<i32>> = (0..3).map(|_| resource.acquire()).collect();
    for acquire in &mut waiting {
        assert!(poll(acquire).is_pending());
    }
    drop(waiting.remove(1));
    drop(held);
    // It is the first one's turn, and stays so.
    assert!(poll(&mut waiting[1]).is_pending());
    assert_eq!(resource.try_acquire().unwrap_err(), TryAcquireError::Awaited);
    drop(waiting.remove(0));
    assert_eq!(*ready(&mut waiting[0]).unwrap(), 7);
    assert_eq!(*resource.try_acquire().unwrap(), 7);
}

#[test]
fn the_next_in_the_queue_is_woken_when_the_first_one_goes() {
    let sim = Sim::new(2);
    sim.run(async {
        let resource = Resource::new("r", ());
        let held = resource.try_acquire().unwrap();
        let mut first = resource.acquire();
        assert!(poll(&mut first).is_pending());
        let mut second = pin!(resource.acquire());
        let mut held = Some((held, first));
        // Both go after the second one waits; a simulation would tell of a deadlock if nobody woke it.
        poll_fn(|task| {
            let polled = second.as_mut().poll(task);
            if let Some((held, first)) = held.take() {
                drop(held);
                drop(first);
            }
            polled
        })
        .await
        .unwrap();
    });
}

enum Order {
    Pid(Reply<Pid>),
    Error,
    Panic,
    /// Never looks at its messages again.
    Deafen,
}

/// Holds the resource while it lives, and takes it at once when it starts.
fn holder(resource: &Resource<u32>, early: &Arc<AtomicUsize>) -> Child<Order> {
    let (resource, early) = (resource.clone(), early.clone());
    child(move |mut cx: Context<Order>| {
        let lease = resource.try_acquire();
        early.fetch_add(usize::from(lease.is_ok()), SeqCst);
        async move {
            let mut lease = lease?;
            *lease += 1;
            while let Some(order) = cx.recv().await {
                match order {
                    Order::Pid(reply) => reply.send(current_pid().unwrap()),
                    Order::Error => return Err(Exit::error("told to")),
                    Order::Panic => panic!("told to"),
                    Order::Deafen => std::future::pending().await,
                }
            }
            Ok(())
        }
    })
}

/// A system with one holder, which has taken the resource. Brutal: it is killed instead of asked to stop.
async fn with_holder<F: Future<Output = ()>>(
    sim: &Sim,
    brutal: bool,
    test: impl FnOnce(Resource<u32>, Address<Order>, SupervisorRef, Arc<AtomicUsize>) -> F,
) {
    quiet();
    let system = System::new(Runtime::sim(sim));
    let resource = Resource::new("counter", 0);
    let early = Arc::new(AtomicUsize::new(0));
    let mut holder = holder(&resource, &early);
    if brutal {
        holder = holder.shutdown(Shutdown::Brutal);
    }
    let address = holder.address();
    let top = Supervisor::new("top").unlimited().child(holder);
    let top = system.supervise(top).await.unwrap();
    test(resource, address, top, early).await;
    system.stop(SECOND).await;
}

#[test]
fn what_a_crashed_holder_had_is_back_before_its_next_incarnation_starts() {
    for seed in 0..20 {
        let sim = Sim::new(seed);
        sim.run(with_holder(&sim, false, |resource, address, _, early| async move {
            for crash in 0..10 {
                let pid = address.ask(Order::Pid).await.unwrap();
                assert_eq!(resource.holder(), Some(pid));
                let order = if crash % 2 == 0 { Order::Error } else { Order::Panic };
                address.tell(order).unwrap();
            }
            address.ask(Order::Pid).await.unwrap();
            assert_eq!((address.incarnation(), early.load(SeqCst)), (11, 11));
            assert_eq!(resource.leases(), 11);
        }));
    }
}

#[test]
fn a_stop_and_a_kill_give_it_back() {
    for brutal in [false, true] {
        let sim = Sim::new(5);
        sim.run(with_holder(&sim, brutal, |resource, address, top, early| async move {
            let pid = address.pid().unwrap();
            for incarnation in 1..5 {
                assert_eq!(resource.holder(), Some(pid));
                if brutal {
                    address.tell(Order::Deafen).unwrap();
                }
                top.stop_child(pid).await.unwrap();
                assert_eq!((resource.holder(), resource.is_held()), (None, false));
                top.restart_child(pid).await.unwrap();
                assert_eq!(address.incarnation(), incarnation + 1);
            }
            assert_eq!(early.load(SeqCst), 5);
            top.stop_child(pid).await.unwrap();
            assert_eq!(*resource.acquire().await.unwrap(), 5, "as the last holder left it");
        }));
    }
}

#[test]
fn who_waits_for_one_that_does_not_give_it_back_may_limit_the_time() {
    let sim = Sim::new(6);
    sim.run(with_holder(&sim, false, |resource, address, top, _| async move {
        address.tell(Order::Deafen).unwrap();
        let own = resource.clone();
        let waiter = child(move |cx: Context<()>| {
            let resource = own.clone();
            async move {
                match cx.timeout(60 * SECOND, resource.acquire()).await {
                    None => Err(Exit::shutdown()),
                    Some(_) => Ok(()),
                }
            }
        });
        let waiter = top.spawn_child(waiter.restart(RestartType::Temporary)).unwrap();
        assert!(matches!(waiter.ended().await, ExitReason::Shutdown));
        assert_eq!((resource.waiting(), resource.holder()), (0, address.pid()));
    }));
}

#[test]
fn a_retired_resource_is_lent_no_more_and_all_are_told() {
    let sim = Sim::new(7);
    sim.run(with_holder(&sim, false, |resource, address, top, _| async move {
        let pid = address.pid().unwrap();
        let mut first = resource.acquire();
        assert!(poll(&mut first).is_pending());
        assert_eq!(resource.try_retire(), Err(TryAcquireError::Held { holder: Some(pid) }));
        assert!(!resource.is_retired() && poll(&mut first).is_pending(), "nothing has changed");

        // Two want it; one of them stops waiting before the holder has ended.
        let (mut given_up, mut other) = (Box::pin(resource.retire()), Box::pin(resource.retire()));
        assert!(poll(&mut given_up).is_pending());
        let refused = ready(&mut first).unwrap_err();
        assert_eq!(refused.to_string(), "the resource counter was taken out of use");
        assert!(poll(&mut other).is_pending());
        drop(given_up);
        assert!(resource.is_retired() && resource.holder() == Some(pid));
        assert_eq!(resource.try_acquire().unwrap_err(), TryAcquireError::Retired);
        assert!(resource.acquire().await.is_err());

        let mut late = Box::pin(resource.retire());
        assert!(poll(&mut late).is_pending());
        top.stop_child(pid).await.unwrap();
        assert_eq!(other.await, Some(1));
        assert_eq!(late.await, None);
        assert_eq!(resource.retire().await, None);
        assert_eq!(resource.try_retire(), Err(TryAcquireError::Retired));
        assert!(!resource.is_held());
    }));
}

#[test]
fn what_a_cancelled_retirement_leaves_is_for_the_next() {
    let resource = Resource::new("r", 3);
    let held = resource.try_acquire().unwrap();
    let mut retire = Box::pin(resource.retire());
    assert!(poll(&mut retire).is_pending());
    drop(retire);
    drop(held);
    assert_eq!(resource.try_acquire().unwrap_err(), TryAcquireError::Retired);
    assert_eq!(resource.try_retire(), Ok(3));
}

#[test]
fn a_holder_takes_it_out_or_replaces_it() {
    let sim = Sim::new(8);
    sim.run(async {
        let resource = Resource::new("connection", "broken");
        let mut lease = resource.acquire().await.unwrap();
        *lease = "fresh";
        drop(lease);
        let lease = resource.acquire().await.unwrap();
        assert!(Lease::resource(&lease).is(&resource));
        let mut acquire = pin!(resource.acquire());
        let mut retire = pin!(resource.retire());
        let mut lease = Some(lease);
        // Who waits already is woken and told.
        let refused = poll_fn(|task| {
            let polled = acquire.as_mut().poll(task);
            if let Some(lease) = lease.take() {
                assert!(polled.is_pending() && poll(&mut retire.as_mut()).is_pending());
                assert_eq!(Lease::retire(lease), "fresh");
            }
            polled
        });
        assert_eq!(refused.await.unwrap_err().name(), "connection");
        assert_eq!(retire.await, None);
    });
}

/// Panics when it is dropped, and counts that.
#[derive(Debug)]
struct Bomb(Arc<AtomicUsize>);

impl Drop for Bomb {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
        panic!("in a destructor");
    }
}

#[test]
fn a_value_whose_destructor_panics_harms_nobody() {
    quiet();
    let sim = Sim::new(9);
    sim.run(async {
        let system = System::new(Runtime::sim(&sim));
        let drops = Arc::new(AtomicUsize::new(0));
        drop(Resource::new("handle", Bomb(drops.clone())));
        assert_eq!(drops.load(SeqCst), 1);
        // The last handle goes while its holder's own panic unwinds.
        let kept = Mutex::new(Some(Resource::new("unwinding", Bomb(drops.clone()))));
        let holder = child(move |_: Context<()>| {
            let resource = kept.lock().unwrap().take().unwrap();
            async move {
                let _lease = resource.try_acquire()?;
                drop(resource);
                panic!("the body");
            }
        });
        let holder = system.spawn_child(holder.restart(RestartType::Temporary)).unwrap();
        let ExitReason::Panic(panic) = holder.ended().await else { panic!("another reason") };
        assert_eq!(&*panic.message, "the body");
        assert_eq!(drops.load(SeqCst), 2);
        system.stop(SECOND).await;
    });
}

/// Eight processes on real threads use one thing at a time, crash with it, stop waiting for it.
#[cfg(feature = "executor")]
#[test]
fn no_two_have_it_at_once_on_threads() {
    quiet();
    const USES: u64 = 200;
    let resource = Resource::new("r", (AtomicUsize::new(0), 0_u64));
    let system = System::new(Runtime::executor());
    let user = |number: u64| {
        let resource = resource.clone();
        let uses = Arc::new(Mutex::new(0));
        child(move |cx: Context<()>| {
            let (resource, uses) = (resource.clone(), uses.clone());
            async move {
                loop {
                    let limit = Duration::from_micros(50 * number);
                    let Some(lease) = cx.timeout(limit, resource.acquire()).await else { continue };
                    let mut lease = lease?;
                    assert_eq!(lease.0.fetch_add(1, SeqCst), 0);
                    lease.1 += 1;
                    let done = {
                        let mut uses = uses.lock().unwrap();
                        *uses += 1;
                        *uses
                    };
                    if done % 3 == 0 {
                        cx.sleep(Duration::from_micros(30)).await;
                    }
                    lease.0.fetch_sub(1, SeqCst);
                    if done == USES {
                        return Ok(());
                    }
                    assert!(done % 7 != 0, "a crash with the lease");
                }
            }
        })
    };
    bastion_executor::run(async {
        let top = Supervisor::dynamic("users").unlimited();
        let top = system.supervise(top).await.unwrap();
        let users = (4..12).map(|number| user(number).restart(RestartType::Transient));
        let users: Vec<_> = users.map(|user| top.spawn_child(user).unwrap()).collect();
        for user in users {
            assert!(matches!(user.ended().await, ExitReason::Normal));
        }
        let value = resource.retire().await.unwrap();
        assert_eq!((value.0.into_inner(), value.1), (0, 8 * USES));
        assert_eq!(resource.leases(), 8 * USES);
        system.stop(SECOND).await;
    });
}
