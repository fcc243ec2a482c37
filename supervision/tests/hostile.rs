//! Hostile closures, values and times: each ends its own process at most.

use bastion_supervision::plan::{ExitReason, RestartType};
use bastion_supervision::{Address, Child, Context, Overflow, Reply, Runtime, Sim, System, child};
use futures_core::Stream;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Once};
use std::task::{Context as Task, Poll, Wake, Waker};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// Panics when it is dropped.
struct Bomb(&'static str);

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "the drop of {}", self.0);
    }
}

struct BadStream;

impl Stream for BadStream {
    type Item = u32;

    fn poll_next(self: Pin<&mut Self>, _: &mut Task<'_>) -> Poll<Option<u32>> {
        panic!("a stream")
    }
}

struct BadWaker;

impl Wake for BadWaker {
    fn wake(self: Arc<Self>) {
        panic!("a waker")
    }
}

impl BadWaker {
    /// Polls a future that has to wait.
    fn poll(future: Pin<&mut impl Future>) {
        let waker = Waker::from(Arc::new(BadWaker));
        assert!(future.poll(&mut Task::from_waker(&waker)).is_pending());
    }
}

fn quiet() {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let outer = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let is_meant = ["of a", "the drop of", "a stream", "a waker"];
            let text = info.to_string();
            if !is_meant.iter().any(|part| text.contains(part)) {
                outer(info);
            }
        }));
    });
}

fn waiting<M: Send + 'static>() -> Child<M> {
    let body = |cx: Context<M>| async move {
        cx.stop_signal().requested().await;
        Ok(())
    };
    child(body).restart(RestartType::Temporary)
}

#[test]
fn a_panic_in_any_closure_of_a_process_ends_that_process_alone() {
    quiet();
    let sim = Sim::new(1);
    sim.run(async {
        let system = System::new(Runtime::sim(&sim));
        let ended: Address<()> = system.spawn_child(waiting()).unwrap();
        ended.exit(ExitReason::Killed);
        ended.ended().await;
        for way in 0..6 {
            let other = ended.clone();
            let body = move |mut cx: Context<u32>| {
                let other = other.clone();
                async move {
                    match way {
                        0 => {
                            cx.monitor(&other, |_| panic!("of an end"));
                        }
                        1 => {
                            cx.trap_exit(|_| panic!("of an exit"));
                            cx.link(&other);
                        }
                        2 => {
                            cx.send_every(SECOND, || panic!("of a timer"));
                        }
                        3 => {
                            cx.attach(BadStream, |item| item);
                        }
                        4 => {
                            cx.send_after(SECOND, 1);
                            cx.recv_matching(|_| panic!("of a choice")).await;
                        }
                        _ => {
                            let task = cx.spawn_task(async { panic!("of a task") });
                            let _: Result<(), _> = task?.await;
                        }
                    }
                    cx.recv().await;
                    Ok(())
                }
            };
            let process = system.spawn_child(child(body).restart(RestartType::Temporary)).unwrap();
            let reason = process.ended().await;
            assert!(matches!(reason, ExitReason::Panic(_)), "way {way}: {reason}");
        }
        let fine: Address<u8> = system.spawn_child(waiting()).unwrap();
        assert!(!fine.has_ended());
        assert!(system.stop(5 * SECOND).await.forced.is_empty());
    });
}

#[test]
fn messages_and_values_whose_destructors_panic_harm_nobody() {
    quiet();
    let sim = Sim::new(1);
    sim.run(async {
        let system = System::new(Runtime::sim(&sim));
        for rule in [Overflow::DropOldest, Overflow::DropNewest] {
            let full = waiting::<Bomb>().mailbox_capacity(1).overflow(rule);
            let full = system.spawn_child(full).unwrap();
            for _ in 0..5 {
                assert!(full.tell(Bomb("a message")).is_ok());
            }
            full.exit(ExitReason::Killed);
            full.ended().await;
        }
        assert_eq!(system.stats().dead_letters, 10);
        let named: Address<()> = system.spawn_child(waiting()).unwrap();
        system.names().register_with("name", &named, Bomb("a value")).unwrap();
        named.exit(ExitReason::Killed);
        assert_eq!(named.ended().await.to_string(), "killed");
        assert_eq!(system.names().pid("name"), None);
        system.stop(5 * SECOND).await;
    });
}

#[test]
fn times_at_their_limits_neither_panic_nor_come_early() {
    let sim = Sim::new(1);
    sim.run(async {
        let system = System::new(Runtime::sim(&sim));
        let body = |mut cx: Context<u32>| async move {
            cx.send_after(Duration::MAX, 1);
            cx.send_every(Duration::MAX, || 2);
            let tiny = cx.send_every(Duration::from_nanos(1), || 3);
            assert_eq!(cx.recv().await, Some(3));
            assert!(cx.cancel(tiny));
            cx.send_after(Duration::ZERO, 4);
            assert_eq!(cx.recv_timeout(Duration::MAX).await, Ok(Some(4)));
            assert!(cx.recv_timeout(SECOND).await.is_err());
            assert!(cx.recv_timeout(Duration::ZERO).await.is_err());
            Ok(())
        };
        let process = system.spawn_child(child(body).restart(RestartType::Temporary)).unwrap();
        assert_eq!(process.ended().await.to_string(), "normal");
        system.stop(5 * SECOND).await;
    });
}

#[test]
fn a_very_long_chain_of_links_ends_with_its_first_process() {
    const MANY: usize = if cfg!(debug_assertions) { 20_000 } else { 100_000 };
    let sim = Sim::new(1);
    sim.run(async {
        let system = System::new(Runtime::sim(&sim));
        let mut chain: Vec<Address<u32>> = vec![system.spawn_child(waiting()).unwrap()];
        let first = chain[0].clone();
        for _ in 1..MANY {
            // All watch the first one too.
            let (before, first) = (chain[chain.len() - 1].clone(), first.clone());
            let body = move |mut cx: Context<u32>| {
                cx.link(&before);
                cx.monitor(&first, |_| 1);
                async move {
                    cx.stop_signal().requested().await;
                    Ok(())
                }
            };
            chain.push(system.spawn_child(child(body).restart(RestartType::Temporary)).unwrap());
        }
        sim.sleep(SECOND).await;
        first.exit(ExitReason::Killed);
        for process in &chain {
            assert_eq!(process.ended().await.to_string(), "killed");
        }
        system.stop(5 * SECOND).await;
    });
}

#[test]
fn a_sender_whose_waker_panics_harms_neither_the_receiver_nor_other_senders() {
    quiet();
    for ends in [false, true] {
        let sim = Sim::new(1);
        sim.run(async {
            let system = System::new(Runtime::sim(&sim));
            let slow = child(move |mut cx: Context<u32>| async move {
                cx.sleep(SECOND).await;
                while !ends && cx.recv().await.is_some() {}
                Ok(())
            });
            let slow = slow.mailbox_capacity(1).restart(RestartType::Temporary);
            let slow = system.spawn_child(slow).unwrap();
            slow.tell(1).unwrap();
            let mut bad = pin!(slow.send(2));
            BadWaker::poll(bad.as_mut());
            let target = slow.clone();
            let good = child(move |_: Context<()>| {
                let target = target.clone();
                async move { Ok(target.send(3).await?) }
            });
            let good = system.spawn_child(good.restart(RestartType::Temporary)).unwrap();
            sim.sleep(2 * SECOND).await;
            // It was its turn.
            assert_eq!(bad.await.is_ok(), !ends);
            let sent = if ends { "error: the process has ended" } else { "normal" };
            assert_eq!(good.ended().await.to_string(), sent);
            system.stop(SECOND).await;
            assert_eq!(slow.ended().await.to_string(), if ends { "normal" } else { "shutdown" });
            assert_eq!(system.stats().crashes, u64::from(ends));
        });
    }
}

#[test]
fn a_receiver_whose_waker_panics_does_not_harm_who_stops_it() {
    quiet();
    let sim = Sim::new(1);
    sim.run(async {
        let system = System::new(Runtime::sim(&sim));
        let odd = child(|mut cx: Context<()>| async move {
            let stop = cx.stop_signal();
            let mut next = Box::pin(cx.recv());
            BadWaker::poll(next.as_mut());
            stop.requested().await;
            drop(next);
            poll_fn(|task| {
                assert!(pin!(cx.recv()).poll(task).is_ready());
                Poll::Ready(Ok(()))
            })
            .await
        });
        let odd = system.spawn_child(odd).unwrap();
        sim.sleep(SECOND).await;
        let stopped = system.stop(SECOND).await;
        assert!(stopped.forced.is_empty(), "{:?}", stopped.forced);
        assert_eq!(odd.ended().await.to_string(), "shutdown");
        assert_eq!(system.stats().crashes, 0);
    });
}

#[test]
fn a_receiver_and_an_asker_whose_wakers_panic_do_not_harm_who_sends() {
    quiet();
    let sim = Sim::new(1);
    sim.run(async {
        let system = System::new(Runtime::sim(&sim));
        let later = sim.clone();
        let odd = child(move |mut cx: Context<Reply<u8>>| {
            let later = later.clone();
            async move {
                let mut next = Box::pin(cx.recv());
                BadWaker::poll(next.as_mut());
                later.sleep(2 * SECOND).await;
                next.await.unwrap().send(1);
                Ok(())
            }
        });
        let odd = system.spawn_child(odd.restart(RestartType::Temporary)).unwrap();
        sim.sleep(SECOND).await;
        let mut answer = Box::pin(odd.ask(|reply| reply));
        BadWaker::poll(answer.as_mut());
        assert_eq!(odd.ended().await.to_string(), "normal");
        assert_eq!(answer.await, Ok(1));
    });
}
