//! Group S: what Elixir's dynamic supervisor says beyond OTP's.

use crate::kit::{Do, HOUR, Start, Stop, World, count_to, counts, paused};
use bastion_supervision::plan::{
    AddError, ChildError, ChildState, ExitReason, RestartType, Shutdown, Strategy,
};
use bastion_supervision::{Exit, RequestError, StartChildError, Supervisor, SupervisorRef};
use std::time::Duration;

async fn dynamic(w: &World, restarts: u32) -> SupervisorRef {
    let pool = Supervisor::dynamic("pool").intensity(restarts, HOUR);
    w.start(pool.restart(RestartType::Temporary)).await
}

async fn stop(w: &World) {
    w.system.root().stop_child("pool").await.unwrap();
}

pub(crate) async fn row_217_defaults(w: &World) {
    let pool = w.start(Supervisor::dynamic("pool").restart(RestartType::Temporary)).await;
    for name in ["a", "b"] {
        pool.start_child(w.anonymous(name)).await.unwrap();
    }
    // One-for-one, and OTP's one restart in five seconds.
    w.crash("a");
    assert_eq!((w.ping("a").await, w.ping("b").await), (Ok(2), Ok(1)));
    w.crash("a");
    pool.ended().await;
}

pub(crate) async fn row_218_invalid_options(w: &World) {
    let zero = Supervisor::dynamic("pool").intensity(1, Duration::ZERO);
    let error = w.system.supervise(zero).await.unwrap_err();
    assert!(error.to_string().contains("invalid restart period: 0ns"), "{error}");
    let ordered = Supervisor::dynamic("pool").strategy(Strategy::OneForAll);
    let error = w.system.supervise(ordered).await.unwrap_err();
    assert!(error.to_string().contains("invalid strategy"), "{error}");
    assert_eq!(counts(w.system.root()).await, [1, 1, 1, 0]);
}

pub(crate) async fn row_223_what_a_start_answers(w: &World) {
    let pool = w.pool("pool").await;
    let a = pool.start_child(w.anonymous("a")).await.unwrap();
    assert_eq!(a.incarnation(), 1);
    let error = pool.start_child(w.starts("b", &[Start::Fails])).await.unwrap_err();
    assert!(matches!(error, StartChildError::Failed(ExitReason::Error(_))), "{error}");
    assert_eq!(counts(&pool).await, [1, 1, 0, 1]);
}

pub(crate) async fn row_224_a_start_that_panics(w: &World) {
    let pool = w.pool("pool").await;
    let error = pool.start_child(w.starts("b", &[Start::Panics])).await.unwrap_err();
    let StartChildError::Failed(ExitReason::Panic(panic)) = error else { panic!("{error}") };
    assert_eq!(&*panic.message, "told to, at its start");
    assert!(panic.location.is_some());
    pool.start_child(w.anonymous("a")).await.unwrap();
    assert_eq!(counts(&pool).await, [1, 1, 0, 1]);
}

pub(crate) async fn row_228_a_temporary_child_is_not_restarted(w: &World) {
    let pool = dynamic(w, 0).await;
    for end in [Do::Exit(Exit::shutdown()), Do::Panic, Do::Finish] {
        let a = w.anonymous("a").restart(RestartType::Temporary);
        pool.start_child(a).await.unwrap();
        w.tell("a", end);
        w.ended("a").await;
        assert_eq!(counts(&pool).await, [0, 0, 0, 0]);
        w.check("+a1 -a1");
    }
}

pub(crate) async fn row_229_a_transient_child_is_restarted_unless(w: &World) {
    let pool = w.pool("pool").await;
    let why = || Exit::shutdown_with(std::io::Error::other("x"));
    for end in [Do::Finish, Do::Exit(Exit::shutdown()), Do::Exit(why())] {
        let a = w.anonymous("a").restart(RestartType::Transient);
        pool.start_child(a).await.unwrap();
        w.tell("a", end);
        w.ended("a").await;
        assert_eq!(counts(&pool).await, [0, 0, 0, 0]);
        w.check("+a1 -a1");
    }
    pool.start_child(w.anonymous("a").restart(RestartType::Transient)).await.unwrap();
    w.crash("a");
    assert_eq!(w.ping("a").await, Ok(2));
}

pub(crate) async fn row_230_a_permanent_child_is_restarted(w: &World) {
    let pool = w.pool("pool").await;
    pool.start_child(w.anonymous("a")).await.unwrap();
    let ends = [Do::Finish, Do::Exit(Exit::shutdown()), Do::Panic];
    for (end, incarnation) in ends.into_iter().zip(2..) {
        w.tell("a", end);
        assert_eq!(w.ping("a").await, Ok(incarnation));
    }
    assert_eq!(counts(&pool).await, [1, 1, 0, 1]);
}

pub(crate) async fn row_231_a_restart_that_fails_is_counted(w: &World) {
    let pool = w.pool("pool").await;
    let a = w.starts("a", &[Start::Ok, Start::Fails]).backoff(paused());
    pool.start_child(a).await.unwrap();
    pool.start_child(w.child("b")).await.unwrap();
    w.crash("a");
    w.told("restarting a").await;
    assert_eq!(counts(&pool).await, [2, 1, 0, 2]);
    assert_eq!(pool.children().await.unwrap()[0].state, ChildState::Backoff);
}

pub(crate) async fn row_232_a_restart_that_fails_once(w: &World) {
    let pool = dynamic(w, 2).await;
    pool.start_child(w.starts("a", &[Start::Ok, Start::Fails])).await.unwrap();
    w.crash("a");
    assert_eq!(w.ping("a").await, Ok(3));
    assert_eq!(counts(&pool).await, [1, 1, 0, 1]);
    w.check("+a1 -a1 +a2 -a2 +a3");
}

pub(crate) async fn row_233_a_restart_that_fails_for_ever(w: &World) {
    for restarts in [1, 10] {
        let mut starts = vec![Start::Fails; 20];
        starts[0] = Start::Ok;
        let pool = dynamic(w, restarts).await;
        pool.start_child(w.starts("a", &starts)).await.unwrap();
        w.crash("a");
        assert!(matches!(pool.ended().await, ExitReason::ShutdownWith(_)));
        // One start, and as many attempts as are borne.
        let started = w.log.take().iter().filter(|entry| entry.starts_with('+')).count();
        assert_eq!(started, 1 + restarts as usize);
    }
}

/// Starts temporary children that are stopped this way, stops their supervisor, and compares how they ended.
async fn stopped(w: &World, children: &[(&str, Stop, Shutdown)], reasons: &[&str]) {
    let pool = w.pool("pool").await;
    for (name, stop, shutdown) in children {
        let child = w.stops(name, *stop).shutdown(*shutdown).restart(RestartType::Temporary);
        pool.start_child(child).await.unwrap();
    }
    stop(w).await;
    for ((name, ..), expected) in children.iter().zip(reasons) {
        assert_eq!(w.ended(name).await.to_string(), *expected, "{name}");
    }
    assert!(matches!(pool.ended().await, ExitReason::Shutdown));
}

const OBEYS: Stop = Stop::Obeys;
const LONG: Shutdown = Shutdown::Timeout(HOUR);
const SHORT: Shutdown = Shutdown::Timeout(Duration::from_millis(1));

pub(crate) async fn row_234_brutal_kills(w: &World) {
    let brutal = ["a", "b", "c"].map(|name| (name, OBEYS, Shutdown::Brutal));
    stopped(w, &brutal, &["killed"; 3]).await;
}

pub(crate) async fn row_235_infinity_and_long_timeouts(w: &World) {
    let oops = Stop::Exits(|| Exit::shutdown_with(std::io::Error::other("oops")));
    for shutdown in [Shutdown::Infinity, LONG] {
        let children = [("a", OBEYS, shutdown), ("b", oops, shutdown), ("c", OBEYS, shutdown)];
        stopped(w, &children, &["shutdown", "shutdown: oops", "shutdown"]).await;
    }
}

pub(crate) async fn row_236_a_timeout_that_expires(w: &World) {
    let children = [("a", OBEYS, LONG), ("b", Stop::Deaf, SHORT), ("c", OBEYS, LONG)];
    stopped(w, &children, &["shutdown", "killed", "shutdown"]).await;
}

pub(crate) async fn row_237_a_permanent_child_that_ends_normally_in_the_stop(w: &World) {
    let pool = w.pool("pool").await;
    let normal = Stop::Exits(|| Exit::with(ExitReason::Normal));
    pool.start_child(w.stops("a", normal)).await.unwrap();
    stop(w).await;
    assert!(matches!(w.ended("a").await, ExitReason::Normal));
    assert!(matches!(pool.ended().await, ExitReason::Shutdown));
    w.check("+a1 -a1");
}

pub(crate) async fn row_238_mixed_children(w: &World) {
    let children = [("a", OBEYS, Shutdown::Infinity), ("b", OBEYS, Shutdown::Brutal)];
    stopped(w, &children, &["shutdown", "killed"]).await;
}

pub(crate) async fn row_239_a_child_is_stopped_once(w: &World) {
    let pool = w.pool("pool").await;
    let a = pool.start_child(w.anonymous("a")).await.unwrap().pid().unwrap();
    pool.stop_child(a).await.unwrap();
    let error = pool.stop_child(a).await.unwrap_err();
    assert!(matches!(error, RequestError::Refused(ChildError::NotFound)), "{error}");
}

pub(crate) async fn row_240_a_stop_of_a_child_that_is_being_restarted(w: &World) {
    let pool = w.pool("pool").await;
    let a = pool.start_child(w.child("a").backoff(paused())).await.unwrap();
    w.crash("a");
    w.told("restarting a").await;
    pool.stop_child(a.pid().unwrap()).await.unwrap();
    assert_eq!(counts(&pool).await, [0, 0, 0, 0]);
    w.check("+a1 -a1");
}

pub(crate) async fn row_241_all_are_asked_to_stop_at_once(w: &World) {
    // Those that do not obey cost one timeout, not one each.
    let pool = w.pool("pool").await;
    for name in ["a", "b", "c", "d"] {
        let deaf = w.stops(name, Stop::Deaf).shutdown(Shutdown::Timeout(HOUR));
        pool.start_child(deaf).await.unwrap();
    }
    stop(w).await;
    assert_eq!((w.now(), w.system.stats().forced_kills), (HOUR, 4));
}

pub(crate) async fn row_243_several_dynamic_supervisors_beside_each_other(w: &World) {
    let s = w.supervisor("s", Strategy::OneForOne);
    let (x, y) = (Supervisor::dynamic("x"), Supervisor::dynamic("y"));
    let (first, second) = (x.reference(), y.reference());
    let s = w.start(s.supervisor(x).supervisor(y)).await;
    first.start_child(w.anonymous("a")).await.unwrap();
    assert_eq!((counts(&first).await, counts(&second).await), ([1, 1, 0, 1], [0, 0, 0, 0]));
    count_to(&s, [2, 2, 2, 0]).await;
}

/// A dynamic supervisor that may have so many children.
async fn limited(w: &World, max: u32) -> SupervisorRef {
    let pool = Supervisor::dynamic("pool").max_children(max).intensity(9, HOUR);
    w.start(pool.restart(RestartType::Temporary)).await
}

async fn is_full(w: &World, pool: &SupervisorRef, max: u32) {
    let error = pool.start_child(w.anonymous("one more")).await.unwrap_err();
    let StartChildError::Refused(error) = error else { panic!("{error}") };
    assert_eq!(error, AddError::TooMany { max });
}

pub(crate) async fn row_225_a_limit_of_no_children(w: &World) {
    let pool = limited(w, 0).await;
    is_full(w, &pool, 0).await;
    assert_eq!(counts(&pool).await, [0, 0, 0, 0]);
}

pub(crate) async fn row_226_a_child_in_a_failing_restart_counts(w: &World) {
    let pool = limited(w, 1).await;
    let a = w.starts("a", &[Start::Ok, Start::Fails]).backoff(paused());
    let a = pool.start_child(a).await.unwrap().pid().unwrap();
    w.crash("a");
    w.told("restarting a").await;
    is_full(w, &pool, 1).await;
    pool.stop_child(a).await.unwrap();
    pool.start_child(w.anonymous("b")).await.unwrap();
}

pub(crate) async fn row_227_a_child_that_was_restarted_counts_once(w: &World) {
    let pool = limited(w, 2).await;
    pool.start_child(w.anonymous("a")).await.unwrap();
    w.crash("a");
    assert_eq!(w.ping("a").await, Ok(2));
    pool.start_child(w.anonymous("b")).await.unwrap();
    is_full(w, &pool, 2).await;
}

pub(crate) async fn row_242_a_limit_that_is_lowered(w: &World) {
    let pool = limited(w, 9).await;
    for name in ["a", "b", "c"] {
        pool.start_child(w.anonymous(name)).await.unwrap();
    }
    let settings = pool.settings().await.unwrap();
    pool.change_settings(settings.max_children(Some(2))).await.unwrap();
    assert_eq!(counts(&pool).await, [3, 3, 0, 3], "those that run stay");
    is_full(w, &pool, 2).await;
    w.crash("c");
    assert_eq!(w.ping("c").await, Ok(2), "and are restarted");
    for gone in ["a", "b"] {
        pool.stop_child(w.address(gone).pid().unwrap()).await.unwrap();
    }
    pool.start_child(w.anonymous("d")).await.unwrap();
    is_full(w, &pool, 2).await;
}
