//! Ten thousand questions that are given up at random moments leave nothing behind: no question, answer or reply, no waker, no timer.

use bastion_supervision::plan::RestartType;
use bastion_supervision::{Address, Child, Context, Reply, Runtime, Sim, System, child};
use std::future::{Future, pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

const ASKERS: u64 = 8;
const EACH: u32 = 1_250;

/// Everything that goes to and fro holds one.
type Token = Arc<()>;

struct Question {
    token: Token,
    reply: Reply<Token>,
}

/// Up to so many microseconds.
fn a_while(random: &mut fastrand::Rng, most: u64) -> Duration {
    Duration::from_micros(random.u64(..=most))
}

/// Answers at once, later, too late, or not at all.
fn answers(seed: u64) -> Child<Question> {
    child(move |mut cx: Context<Question>| async move {
        let (mut random, mut kept) = (fastrand::Rng::with_seed(seed), Vec::new());
        while let Some(Question { token, reply }) = cx.recv().await {
            match random.u32(..8) {
                0..4 => reply.send(token),
                4 => kept.push((token, reply)),
                5 => drop(reply),
                6 => {
                    let wait = a_while(&mut random, 20);
                    cx.sleep(wait).await;
                    let wanted = reply.is_wanted();
                    let sent = reply.try_send(token);
                    assert!(wanted || sent.is_err());
                }
                _ if kept.is_empty() => {}
                _ => {
                    let which = random.usize(..kept.len());
                    let (token, reply) = kept.swap_remove(which);
                    let _ = reply.try_send(token);
                }
            }
        }
        Ok(())
    })
}

/// Asks, and gives most questions up: before the first poll, after it, after a while, or when the time is over.
fn asks(seed: u64, other: Address<Question>, token: Token) -> Child<()> {
    child(move |cx: Context<()>| {
        let (other, token) = (other.clone(), token.clone());
        async move {
            let mut random = fastrand::Rng::with_seed(seed);
            for _ in 0..EACH {
                let limit = match random.u32(..4) {
                    0 => Duration::MAX,
                    _ => a_while(&mut random, 40),
                };
                let question = |reply| Question { token: token.clone(), reply };
                let mut ask = pin!(other.ask_timeout(limit, question));
                let patience = a_while(&mut random, 40);
                match random.u32(..4) {
                    0 => {}
                    1 => {
                        poll_fn(|task| Poll::Ready(ask.as_mut().poll(task).is_ready())).await;
                    }
                    2 => drop(cx.timeout(patience, ask).await),
                    _ if limit == Duration::MAX => drop(cx.timeout(patience, ask).await),
                    _ => drop(ask.await),
                }
            }
            Ok(())
        }
    })
}

/// Has them ask, ends them and those they asked, and checks that all tokens are gone.
async fn check(runtime: Runtime, seed: u64) {
    let (token, system) = (Token::new(()), System::new(runtime));
    let other = system.spawn_child(answers(seed)).unwrap();
    let askers: Vec<_> = (1..=ASKERS)
        .map(|number| asks(seed ^ (number << 32), other.clone(), token.clone()))
        .map(|asks| system.spawn_child(asks.restart(RestartType::Temporary)).unwrap())
        .collect();
    for asker in &askers {
        assert!(!asker.ended().await.is_abnormal());
    }
    system.stop(Duration::from_secs(5)).await;
    drop(askers);
    assert_eq!(Arc::strong_count(&token), 1, "seed {seed}");
}

#[test]
fn in_a_simulation() {
    for seed in 0..10 {
        let sim = Sim::new(seed);
        sim.run(check(Runtime::sim(&sim), seed));
        // A timer that was left would let the time go on.
        let now = sim.now();
        let deadlock = catch_unwind(AssertUnwindSafe(|| sim.run(pending::<()>())));
        assert!(deadlock.is_err());
        assert_eq!(sim.now(), now, "seed {seed}");
    }
}

#[test]
#[cfg(feature = "executor")]
fn on_threads() {
    for seed in 0..3 {
        let executor = bastion_executor::Executor::builder().workers(4).build().unwrap();
        executor.run(async { check(Runtime::executor(), seed).await });
    }
}

#[test]
#[cfg(feature = "tokio")]
fn on_tokio() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_time().build().unwrap();
    let handle = runtime.handle().clone();
    runtime.block_on(check(Runtime::tokio(handle), 7));
}
