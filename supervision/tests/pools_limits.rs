//! What pools do against too much: a time to live, a circuit breaker, a rate limit.

mod pools_support;

use bastion_supervision::plan::Backoff;
use bastion_supervision::{
    Context, Discarded, Exit, Overflow, Pool, PoolAddress, PoolAskError, Refusal, Reply, Report,
    Route, Sim, System, Undelivered, child,
};
use pools_support::{SECOND, Work, in_sim, working};
use std::sync::{Arc, Mutex};

#[test]
fn what_has_waited_too_long_is_thrown_away_instead_of_being_handled() {
    for route in [Route::round_robin(), Route::shared_queue()] {
        in_sim(17, async |sim, system| {
            let (pool, done) = working(&sim, "pool");
            let thrown = Arc::new(Mutex::new(Vec::new()));
            let told = thrown.clone();
            let pool = pool.route(route).time_to_live(3 * SECOND);
            let pool = pool.on_discard(move |work, why| told.lock().unwrap().push((work.1, why)));
            let (pool, address) = pool.build();
            system.supervise(pool).await.unwrap();
            let mut letters = system.dead_letters(10);
            (0..6).for_each(|number| address.tell((1, number)).unwrap());
            sim.sleep(20 * SECOND).await;
            assert_eq!(done.numbers(), [0, 1, 2, 3], "as old as it may be is not too old");
            let expired = [(4, Discarded::Expired), (5, Discarded::Expired)];
            assert_eq!(*thrown.lock().unwrap(), expired);
            assert_eq!(system.stats().dead_letters, 2);
            let letter = letters.try_recv().unwrap();
            assert!(matches!(letter.reason, Undelivered::Discarded(Discarded::Expired)));
            assert_eq!((letter.count, letter.name.as_deref()), (2, Some("pool")));
            assert!(letters.try_recv().is_none());
        });
    }
}

/// The numbers in the reports of dead letters.
fn reported(system: &System) -> Vec<usize> {
    let counts = system.history().records.into_iter().filter_map(|record| match record.report {
        Report::DeadLetters { count, .. } => Some(count),
        _ => None,
    });
    counts.collect()
}

#[test]
fn what_a_pool_throws_away_is_counted_as_what_a_full_mailbox_drops() {
    let thrown_away = in_sim(18, async |sim, system| {
        let (pool, _) = working(&sim, "pool");
        let (pool, address) = pool.time_to_live(SECOND).build();
        system.supervise(pool).await.unwrap();
        (0..13).for_each(|number| address.tell((2, number)).unwrap());
        sim.sleep(20 * SECOND).await;
        assert_eq!(reported(&system), [1, 1, 2, 4], "at each doubling");
        system.stop(SECOND).await;
        (system.stats().dead_letters, reported(&system))
    });
    let dropped = in_sim(18, async |sim, system| {
        let slow = child(|mut cx: Context<Work>| async move {
            while let Some((seconds, _)) = cx.recv().await {
                cx.sleep(seconds as u32 * SECOND).await;
            }
            Ok(())
        });
        let slow = slow.mailbox_capacity(1).overflow(Overflow::DropNewest);
        let address = system.spawn_child(slow).unwrap();
        (0..13).for_each(|number| address.tell((2, number)).unwrap());
        sim.sleep(20 * SECOND).await;
        system.stop(SECOND).await;
        (system.stats().dead_letters, reported(&system))
    });
    assert_eq!(thrown_away, dropped);
    assert_eq!(dropped, (12, vec![1, 1, 2, 4, 4]));
}

#[test]
fn rules_of_a_workers_mailbox_are_not_for_what_is_sent_to_the_pool() {
    in_sim(19, async |sim, system| {
        let (pool, done) = working(&sim, "pool");
        let pool = pool.worker(|worker| {
            let worker = worker.mailbox_capacity(1).overflow(Overflow::DropNewest);
            worker.priority(|work| work.1 as u8).coalesce_by(|work| Some(work.0))
        });
        let (pool, address) = pool.build();
        (0..5).for_each(|number| address.tell((1, number)).unwrap());
        system.supervise(pool).await.unwrap();
        sim.sleep(10 * SECOND).await;
        let done: Vec<u32> = done.0.lock().unwrap().iter().map(|done| done.1).collect();
        assert_eq!(done, [0, 1, 2, 3, 4], "each of them, in their order");
        assert_eq!(system.stats().dead_letters, 0);
    });
}

/// A question that is answered, or that is not, or the worker crashes over it.
enum Question {
    Answer(Reply<u32>),
    Drop(Reply<u32>),
    Keep(Reply<u32>),
    Crash,
    CrashOver(Reply<u32>),
    PanicOver(Reply<u32>),
}

fn answering() -> Pool<Question> {
    let pool = Pool::new("answering", |mut cx: Context<Question>| async move {
        let mut kept = Vec::new();
        while let Some(question) = cx.recv().await {
            match question {
                Question::Answer(reply) => reply.send(1),
                Question::Drop(reply) => drop(reply),
                Question::Keep(reply) => kept.push(reply),
                Question::Crash => return Err(Exit::error("told to")),
                Question::CrashOver(_reply) => return Err(Exit::error("told to")),
                Question::PanicOver(_reply) => panic!("told to"),
            }
        }
        Ok(())
    });
    pool.worker(|worker| worker.backoff(Backoff::immediate()))
}

fn open_for(seconds: u64) -> Refusal {
    Refusal::BreakerOpen { retry_after: seconds as u32 * SECOND }
}

async fn in_breaker(
    sim: &Sim,
    system: &System,
    failures: u32,
) -> (PoolAddress<Question>, impl Fn(u64) -> std::pin::Pin<Box<dyn Future<Output = ()>>>) {
    let (pool, address) = answering().circuit_breaker(failures, 10 * SECOND).build();
    system.supervise(pool.unlimited()).await.unwrap();
    let sim = sim.clone();
    let sleep = move |seconds: u64| {
        let sleep = sim.sleep(seconds as u32 * SECOND);
        Box::pin(sleep) as std::pin::Pin<Box<dyn Future<Output = ()>>>
    };
    (address, sleep)
}

#[test]
fn a_breaker_opens_at_failures_in_a_row_and_closes_by_a_trial_that_passes() {
    in_sim(18, async |sim, system| {
        let (address, sleep) = in_breaker(&sim, &system, 3).await;
        for _ in 0..2 {
            address.ask(Question::Drop).await.unwrap_err();
            address.ask(Question::CrashOver).await.unwrap_err();
            assert_eq!(address.ask(Question::Answer).await, Ok(1));
        }
        address.ask(Question::PanicOver).await.unwrap_err();
        address.ask(Question::CrashOver).await.unwrap_err();
        sleep(1).await;
        let limit = SECOND / 2;
        address.ask_timeout(limit, Question::Keep).await.unwrap_err();
        let refused = Err(PoolAskError::Refused(open_for(10)));
        assert_eq!(address.ask(Question::Answer).await, refused);
        let told = address.tell(Question::Crash).unwrap_err();
        assert_eq!(told.refusal, open_for(10));
        assert!(matches!(told.message, Question::Crash));
        assert!(address.send(Question::Crash).await.is_err(), "nor does anybody wait");
        sleep(10).await;
        // One trial, and the others are refused meanwhile.
        let trial = address.ask(Question::Answer);
        assert!(address.ask(Question::Answer).await.is_err());
        assert_eq!(trial.await, Ok(1));
        assert_eq!(address.ask(Question::Answer).await, Ok(1));
    });
}

#[test]
fn a_trial_that_nobody_waits_for_any_more_or_was_not_sent_leaves_its_turn() {
    in_sim(19, async |sim, system| {
        let (address, sleep) = in_breaker(&sim, &system, 1).await;
        address.ask(Question::Drop).await.unwrap_err();
        sleep(10).await;
        drop(address.ask(Question::Answer));
        let panics = std::panic::AssertUnwindSafe(|| {
            drop(address.ask::<u32>(|_| panic!("in the question")));
        });
        assert!(std::panic::catch_unwind(panics).is_err());
        assert_eq!(address.ask(Question::Answer).await, Ok(1));
        address.ask(Question::Drop).await.unwrap_err();
        sleep(10).await;
        address.ask(Question::Drop).await.unwrap_err();
        assert_eq!(
            address.ask(Question::Answer).await,
            Err(PoolAskError::Refused(open_for(10))),
            "the trial has failed"
        );
    });
}

#[test]
fn a_crash_counts_once_whoever_sees_it() {
    in_sim(20, async |sim, system| {
        let (address, sleep) = in_breaker(&sim, &system, 2).await;
        address.ask(Question::CrashOver).await.unwrap_err();
        sleep(1).await;
        assert_eq!(address.ask(Question::Answer).await, Ok(1), "one failure only");
        for _ in 0..2 {
            address.tell(Question::Crash).unwrap();
            sleep(1).await;
        }
        assert!(matches!(
            address.tell(Question::Crash).unwrap_err().refusal,
            Refusal::BreakerOpen { .. }
        ));
    });
}

#[cfg(feature = "rate-limit")]
#[test]
fn a_rate_limit_refuses_what_is_too_much_and_lets_senders_wait() {
    in_sim(21, async |sim, system| {
        let (pool, done) = working(&sim, "pool");
        let (pool, address) = pool.rate_limit(10, SECOND).build();
        system.supervise(pool).await.unwrap();
        let accepted = (0..30).filter(|number| address.tell((0, *number)).is_ok()).count();
        assert_eq!(accepted, 10, "all that a second has, at once");
        let refused = address.tell((0, 99)).unwrap_err();
        let retry_after = SECOND / 10;
        assert_eq!(refused.refusal, Refusal::RateLimited { retry_after });
        for number in 100..120 {
            address.send((0, number)).await.unwrap();
        }
        assert_eq!(sim.now(), 2 * SECOND);
        sim.sleep(10 * SECOND).await;
        let again = (0..30).filter(|number| address.tell((0, *number)).is_ok()).count();
        assert_eq!(again, 10, "what was not used does not add up");
        sim.sleep(SECOND).await;
        assert_eq!(done.count(), 40);
    });
}
