//! Questions: their limits of time, where they may be waited for, and what is left of them.

use bastion_supervision::plan::RestartType;
use bastion_supervision::{
    Address, Ask, AskError, Child, Context, Reply, Runtime, Sim, System, child,
};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context as Task, Poll, Wake, Waker};
use std::time::Duration;

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

enum Order {
    /// Answer at once.
    Echo(Reply<()>),
    /// Never answer.
    Keep(#[expect(dead_code)] Reply<()>),
}

fn answers() -> Child<Order> {
    child(|mut cx: Context<Order>| async move {
        let mut kept = Vec::new();
        while let Some(order) = cx.recv().await {
            match order {
                Order::Echo(reply) => reply.send(()),
                keep => kept.push(keep),
            }
        }
        Ok(())
    })
}

/// Runs a body in a process of a simulation, beside one that answers, and returns what it returns.
fn check<T, Fut>(body: impl Fn(Sim, Address<Order>) -> Fut + Send + Sync + 'static) -> T
where
    T: Send + 'static,
    Fut: Future<Output = T> + Send + 'static,
{
    let sim = Sim::new(5);
    sim.run(async {
        let system = System::new(Runtime::sim(&sim));
        let other = system.spawn_child(answers()).unwrap();
        let result = Arc::new(Mutex::new(None));
        let body = child({
            let (body, inner, result) = (Arc::new(body), sim.clone(), result.clone());
            move |_: Context<()>| {
                let (body, inner) = (body.clone(), inner.clone());
                let (other, result) = (other.clone(), result.clone());
                async move {
                    *result.lock().unwrap() = Some(body(inner, other).await);
                    Ok(())
                }
            }
        });
        let asks = system.spawn_child(body.restart(RestartType::Temporary)).unwrap();
        asks.ended().await;
        result.lock().unwrap().take().expect("the body has ended well")
    })
}

fn timeout(limit: Duration) -> Result<(), AskError> {
    Err(AskError::Timeout(limit))
}

#[test]
fn a_limit_is_exact_whatever_was_asked_before() {
    check(|sim, other| async move {
        let mut expected = Duration::ZERO;
        // What was answered has left the alarm set: later than the next limit is over, or earlier.
        for (before, limit) in [(5, 1), (1, 5), (2, 2), (60, 3), (3, 60)] {
            other.ask_timeout(before * SECOND, Order::Echo).await.unwrap();
            let limit = limit * SECOND;
            assert_eq!(other.ask_timeout(limit, Order::Keep).await, timeout(limit));
            expected += limit;
            assert_eq!(sim.now(), expected);
        }
        assert_eq!(other.ask_timeout(Duration::ZERO, Order::Keep).await, timeout(Duration::ZERO));
        assert_eq!(sim.now(), expected);
    });
}

/// Waits for all, whoever was woken; notes when each was ready.
async fn all(sim: Sim, asks: Vec<Ask<()>>) -> Vec<(Duration, Result<(), AskError>)> {
    let mut asks: Vec<_> = asks.into_iter().map(|ask| (ask, None)).collect();
    poll_fn(|task| {
        for (ask, ready) in asks.iter_mut().filter(|(_, ready)| ready.is_none()) {
            if let Poll::Ready(answer) = Pin::new(ask).poll(task) {
                *ready = Some((sim.now(), answer));
            }
        }
        if asks.iter().all(|(_, ready)| ready.is_some()) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    asks.into_iter().filter_map(|(_, ready)| ready).collect()
}

#[test]
fn many_at_once_have_each_their_own_limit() {
    check(|sim, other| async move {
        let limits = [7, 3, 9, 3, 1, 8].map(|limit| limit * SECOND);
        let asks = limits.map(|limit| other.ask_timeout(limit, Order::Keep));
        let expected: Vec<_> = limits.map(|limit| (limit, timeout(limit))).into();
        assert_eq!(all(sim, asks.into()).await, expected);
    });
}

/// Polls a future only when its own waker was woken, as sets of futures do.
async fn by_its_own_waker<F: Future + Unpin>(mut future: F) -> F::Output {
    struct Own(AtomicBool, Mutex<Option<Waker>>);
    impl Wake for Own {
        fn wake(self: Arc<Self>) {
            self.0.store(true, SeqCst);
            if let Some(outer) = self.1.lock().unwrap().take() {
                outer.wake();
            }
        }
    }
    let own = Arc::new(Own(AtomicBool::new(true), Mutex::new(None)));
    poll_fn(|task| {
        *own.1.lock().unwrap() = Some(task.waker().clone());
        if !own.0.swap(false, SeqCst) {
            return Poll::Pending;
        }
        Pin::new(&mut future).poll(&mut Task::from_waker(&Waker::from(own.clone())))
    })
    .await
}

#[test]
fn one_that_is_polled_by_another_waker_is_woken_by_that() {
    check(|sim, other| async move {
        other.ask(Order::Echo).await.unwrap();
        let ask = other.ask_timeout(SECOND, Order::Keep);
        assert_eq!(by_its_own_waker(ask).await, timeout(SECOND));
        assert_eq!(sim.now(), SECOND);
        by_its_own_waker(other.ask(Order::Echo)).await.unwrap();
    });
}

#[test]
fn one_that_is_begun_in_a_process_and_waited_for_elsewhere_keeps_its_limit() {
    let sim = Sim::new(0);
    sim.run(async {
        let system = System::new(Runtime::sim(&sim));
        let other = system.spawn_child(answers()).unwrap();
        let (begun, inner) = (Arc::new(Mutex::new(None)), sim.clone());
        let begins = child({
            let begun = begun.clone();
            move |_: Context<()>| {
                let (begun, other, sim) = (begun.clone(), other.clone(), inner.clone());
                async move {
                    let mut ask = other.ask_timeout(3 * SECOND, Order::Keep);
                    poll_fn(|task| {
                        assert!(Pin::new(&mut ask).poll(task).is_pending());
                        Poll::Ready(())
                    })
                    .await;
                    sim.sleep(SECOND).await;
                    *begun.lock().unwrap() = Some(ask);
                    Ok(())
                }
            }
        });
        let begins = system.spawn_child(begins.restart(RestartType::Temporary)).unwrap();
        begins.ended().await;
        let ask = begun.lock().unwrap().take().unwrap();
        assert_eq!(ask.await, timeout(3 * SECOND));
        assert_eq!(sim.now(), 3 * SECOND);
    });
}

#[test]
fn a_reply_that_comes_too_late_goes_back_to_who_gives_it() {
    let sim = Sim::new(0);
    sim.run(async {
        let system = System::new(Runtime::sim(&sim));
        let (sender, kept) = std::sync::mpsc::channel();
        let keeps = child(move |mut cx: Context<Reply<Box<u32>>>| {
            let sender = sender.clone();
            async move {
                while let Some(reply) = cx.recv().await {
                    sender.send(reply).unwrap();
                }
                Ok(())
            }
        });
        let keeps = system.spawn_child(keeps).unwrap();
        let mut ask = pin!(keeps.ask_timeout(MS, |reply| reply));
        assert_eq!(ask.as_mut().await, Err(AskError::Timeout(MS)));
        let reply = kept.recv().unwrap();
        assert!(!reply.is_wanted());
        assert_eq!(reply.try_send(Box::new(7)), Err(Box::new(7)));
        // Asked again it says the same; it does not wait.
        assert_eq!(ask.await, Err(AskError::Timeout(MS)));
    });
}
