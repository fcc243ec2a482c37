//! The clock that all timers share: what a waker does cannot stop it, and no timer is forgotten.
#![cfg(not(loom))]

use bastion_executor::{
    Executor, MissedTicks, interval, interval_at, run, sleep, sleep_until, timeout,
};
use std::future::poll_fn;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

/// Far more than any of these takes on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

/// How often a race is tried.
const ROUNDS: u64 = 2000;

/// Runs the situation on a thread of its own, so that a clock that stands still is a failure and not a test that never ends.
///
/// One at a time: there is one clock, and another test's timer would wind up one that was forgotten.
fn check(situation: impl FnOnce() + Send + 'static) {
    static CLOCK: Mutex<()> = Mutex::new(());
    let _turn = CLOCK.lock().unwrap_or_else(PoisonError::into_inner);
    let (done, is_done) = mpsc::channel();
    let thread = thread::spawn(move || {
        situation();
        done.send(()).unwrap();
    });
    match is_done.recv_timeout(LIMIT) {
        Err(RecvTimeoutError::Timeout) => panic!("the clock stands still"),
        Ok(()) | Err(RecvTimeoutError::Disconnected) => {
            thread.join().unwrap_or_else(|panic| resume_unwind(panic));
        }
    }
}

/// Says that timers still fire.
fn goes_on() {
    run(sleep(Duration::from_millis(5)));
}

/// Sets a timer that calls this waker.
fn set(sleep: &mut bastion_executor::Sleep, waker: Arc<impl Wake + Send + Sync + 'static>) {
    let waker = Waker::from(waker);
    assert!(Pin::new(sleep).poll(&mut Context::from_waker(&waker)).is_pending());
}

/// A panic whose payload panics when it is dropped, with the next smaller one. Without the panic hook, which would only
/// make noise.
struct Bomb(usize);

impl Drop for Bomb {
    fn drop(&mut self) {
        if let Some(rest) = self.0.checked_sub(1) {
            resume_unwind(Box::new(Bomb(rest)));
        }
    }
}

/// A waker that panics when it is woken.
struct Panics {
    depth: usize,
    woken: Mutex<Sender<()>>,
}

impl Wake for Panics {
    fn wake(self: Arc<Self>) {
        self.woken.lock().unwrap().send(()).unwrap();
        resume_unwind(Box::new(Bomb(self.depth)));
    }
}

/// A waker that is dropped as it is woken, and panics then.
struct Fragile(Mutex<Sender<()>>);

impl Wake for Fragile {
    fn wake(self: Arc<Self>) {}
}

impl Drop for Fragile {
    fn drop(&mut self) {
        self.0.lock().unwrap().send(()).unwrap();
        resume_unwind(Box::new("a destructor"));
    }
}

#[test]
fn the_clock_survives_wakers_and_payloads_that_panic() {
    check(|| {
        for depth in 0..3 {
            let (woken, is_woken) = mpsc::channel();
            let mut timer = sleep(Duration::from_millis(5));
            set(&mut timer, Arc::new(Panics { depth, woken: Mutex::new(woken) }));
            is_woken.recv().unwrap();
            goes_on();
        }
    });
}

#[test]
fn the_clock_survives_wakers_whose_destructor_panics() {
    check(|| {
        let (dropped, is_dropped) = mpsc::channel();
        let mut timer = sleep(Duration::from_millis(5));
        set(&mut timer, Arc::new(Fragile(Mutex::new(dropped))));
        is_dropped.recv().unwrap();
        goes_on();
    });
}

/// After the executor's end a wake drops the future. Not on the clock's thread: the destructor may need the clock.
#[test]
fn the_clock_survives_destructors_that_sleep_and_panic() {
    struct Sleeps;
    impl Drop for Sleeps {
        fn drop(&mut self) {
            run(sleep(Duration::from_millis(1)));
            resume_unwind(Box::new("a destructor"));
        }
    }
    check(|| {
        let executor = Executor::builder().workers(1).build().unwrap();
        let (set, is_set) = mpsc::channel();
        let handle = executor.spawn(async move {
            let _guard = Sleeps;
            let mut timer = sleep(Duration::from_millis(200));
            poll_fn(|cx| {
                let polled = Pin::new(&mut timer).poll(cx);
                let _ = set.send(());
                polled
            })
            .await;
        });
        is_set.recv().unwrap();
        drop(executor);
        run(handle);
        goes_on();
    });
}

/// A waker that tells.
struct Tells(Mutex<Sender<()>>);

impl Wake for Tells {
    fn wake(self: Arc<Self>) {
        // Nobody listens to the first task any more.
        let _ = self.0.lock().unwrap().send(());
    }
}

fn teller() -> (Arc<Tells>, mpsc::Receiver<()>) {
    let (tell, told) = mpsc::channel();
    (Arc::new(Tells(Mutex::new(tell))), told)
}

/// Sets far timers and takes them back, so that whoever has looked at the clock waits before it can set its own.
fn crowd(stop: &AtomicBool) {
    while !stop.load(SeqCst) {
        let mut far = sleep(Duration::from_secs(7200));
        set_or_late(&mut far, teller().0);
    }
}

/// The second task looks at the clock before the deadline, and is written down after the timer has fired for the first.
/// That takes luck: the crowd helps, and there are many tries.
#[test]
fn a_sleep_that_moves_to_another_task_as_it_fires_wakes_that_one() {
    check(|| {
        // No timer of the crowd is ever the earliest one, which would have the clock look at all of them.
        let mut floor = sleep(Duration::from_secs(3600));
        set(&mut floor, teller().0);
        let stop = Arc::new(AtomicBool::new(false));
        let threads = [0; 4].map(|_| {
            let stop = stop.clone();
            thread::spawn(move || crowd(&stop))
        });
        for round in 0..ROUNDS {
            let deadline = Instant::now() + Duration::from_micros(300);
            let mut moves = sleep_until(deadline);
            if !set_or_late(&mut moves, teller().0) {
                continue;
            }
            let (second, told) = teller();
            let moment = deadline - Duration::from_nanos(round % 64 * 2000);
            while Instant::now() < moment {
                std::hint::spin_loop();
            }
            if set_or_late(&mut moves, second) {
                told.recv_timeout(LIMIT / 3)
                    .unwrap_or_else(|_| panic!("never woken, round {round}"));
            }
        }
        stop.store(true, SeqCst);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

/// Sets a timer unless its time has come already.
fn set_or_late(
    sleep: &mut bastion_executor::Sleep,
    waker: Arc<impl Wake + Send + Sync + 'static>,
) -> bool {
    let waker = Waker::from(waker);
    Pin::new(sleep).poll(&mut Context::from_waker(&waker)).is_pending()
}

#[test]
fn ten_thousand_timers_fire_once_each_and_none_early() {
    check(|| {
        let executor = Executor::builder().workers(2).build().unwrap();
        let fired = Arc::new(AtomicUsize::new(0));
        let handles: Vec<_> = (0..10_000)
            .map(|n| {
                let fired = fired.clone();
                executor.spawn(async move {
                    let (start, length) = (Instant::now(), Duration::from_millis(n % 97));
                    timeout(Duration::from_secs(3600), sleep(length)).await.unwrap();
                    assert!(start.elapsed() >= length, "early");
                    fired.fetch_add(1, SeqCst);
                })
            })
            .collect();
        executor.run(async {
            for handle in handles {
                assert!(handle.await.is_some());
            }
        });
        assert_eq!(fired.load(SeqCst), 10_000);
    });
}

#[test]
fn an_interval_ticks_at_its_start_and_after_each_period() {
    check(|| {
        run(async {
            let start = Instant::now();
            let mut ticks = interval(Duration::from_millis(3));
            let first = ticks.tick().await;
            assert!(first >= start && first <= Instant::now());
            for number in 1..4 {
                let due = ticks.tick().await;
                assert_eq!(due - first, number * ticks.period());
                assert!(Instant::now() >= due, "no tick is early");
            }
        });
    });
}

#[test]
fn ticks_that_were_missed_come_at_once_or_not_at_all() {
    check(|| {
        let hour = Duration::from_secs(3600);
        let Some(start) = Instant::now().checked_sub(3 * hour + hour / 2) else { return };
        let at_once = |missed| {
            let mut ticks = interval_at(start, hour).missed_ticks(missed);
            let mut cx = Context::from_waker(Waker::noop());
            (0..10).take_while(|_| ticks.poll_tick(&mut cx).is_ready()).count()
        };
        assert_eq!(at_once(MissedTicks::Burst), 4);
        assert_eq!(at_once(MissedTicks::Delay), 1);
        assert_eq!(at_once(MissedTicks::Skip), 1);
    });
}

#[test]
fn a_tick_that_is_given_up_is_not_taken_and_a_reset_starts_anew() {
    check(|| {
        run(async {
            let hour = Duration::from_secs(3600);
            let mut ticks = interval(hour);
            let first = ticks.tick().await;
            assert!(timeout(Duration::from_millis(1), ticks.tick()).await.is_err());
            let mut ticks = interval_at(first, Duration::from_millis(1));
            assert!(timeout(Duration::ZERO, ticks.tick()).await.is_ok());
            let before = Instant::now();
            ticks.reset();
            assert!(ticks.tick().await >= before + ticks.period());
        });
    });
}
