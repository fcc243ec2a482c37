//! Timers in great numbers: put in and taken back, fired in order, and waited for at no cost.
#![cfg(not(loom))]

use bastion_executor::{Clock, Executor, Sleep, run, sleep, sleep_until, timeout};
use std::future::pending;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::task::{Context, Wake, Waker};
use std::time::{Duration, Instant};

/// Far more than any of these takes on a busy machine.
const LIMIT: Duration = Duration::from_secs(120);

/// The tests take turns: one of them measures that nothing goes on.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn named(name: &str, workers: usize) -> Executor {
    Executor::builder().workers(workers).name(name).build().unwrap()
}

/// Runs the situation as a process on the executor's only worker.
#[track_caller]
fn check<F>(situation: F) -> F::Output
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    let executor = named("many", 1);
    let result = run(timeout(LIMIT, executor.spawn(situation)));
    let Ok(Some(result)) = result else {
        // Its drop would wait for a worker that never comes back.
        std::mem::forget(executor);
        panic!("it has panicked, or hangs");
    };
    result
}

/// Puts a timer in. False: it is due already.
#[must_use]
fn set(timer: &mut Sleep, waker: &Waker) -> bool {
    Pin::new(timer).poll(&mut Context::from_waker(waker)).is_pending()
}

/// Some order of the numbers below `count`, a power of two, in which neighbours are far apart.
fn shuffled(count: u64) -> impl Iterator<Item = u64> {
    assert!(count.is_power_of_two());
    // Odd, so it reaches each.
    (0..count).map(move |number| number.wrapping_mul(0x9E37_79B9_7F4A_7C15) % count)
}

/// Counts how often it is woken.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

#[test]
fn a_million_timers_that_are_taken_back_fire_never_and_leave_nothing() {
    let _turn = turn();
    const TIMERS: u64 = 1 << 20;
    let never = Arc::<Count>::default();
    let waker = Waker::from(never.clone());
    check(async move {
        let soon = Instant::now() + Duration::from_secs(3600);
        // From one hour on, over all levels of the wheel.
        let timer = |number| sleep_until(soon + Duration::from_micros(number * number));
        let mut timers: Vec<Sleep> = shuffled(TIMERS).map(timer).collect();
        assert!(timers.iter_mut().all(|timer| set(timer, &waker)));
        // Another one is not kept by them, neither in front of them nor behind.
        let start = Instant::now();
        sleep(Duration::from_millis(5)).await;
        assert!(start.elapsed() >= Duration::from_millis(5));
        // Every other one from the front, then the rest from the back.
        let mut number = 0;
        timers.retain(|_| {
            number += 1;
            number % 2 == 0
        });
        while timers.pop().is_some() {}
        sleep(Duration::from_millis(5)).await;
    });
    assert_eq!(never.0.load(SeqCst), 0, "a timer that was taken back has fired");
    assert_eq!(Arc::strong_count(&never), 1, "a timer keeps its waker");
}

/// When each timer was due that has fired, and when it did, in that order.
type Fired = Arc<Mutex<Vec<(Instant, Instant)>>>;

/// Notes that a timer fires, and tells somebody when it was the last.
struct Note {
    due: Instant,
    clock: Clock,
    fired: Fired,
    expected: usize,
    tell: mpsc::Sender<()>,
}

impl Wake for Note {
    fn wake(self: Arc<Self>) {
        let mut fired = self.fired.lock().unwrap();
        fired.push((self.due, self.clock.now()));
        if fired.len() == self.expected {
            self.tell.send(()).unwrap();
        }
    }
}

/// Sets a hundred thousand timers that are due from `start` on, lets the clock go on by `advance`, and returns what has fired.
fn fire(clock: &Clock, start: Duration, advance: impl Fn()) -> Vec<(Instant, Instant)> {
    const TIMERS: usize = 1 << 17;
    let executor = Executor::builder().workers(1).clock(clock.clone()).build().unwrap();
    let (fired, start) = (Fired::default(), clock.now() + start);
    let (tell, told) = mpsc::channel();
    let timers = executor.run(executor.spawn({
        let (fired, clock) = (fired.clone(), clock.clone());
        async move {
            let timer = |number| {
                let due = start + Duration::from_micros(4 * number);
                let (clock, fired, tell) = (clock.clone(), fired.clone(), tell.clone());
                let note = Note { due, clock, fired, expected: TIMERS, tell };
                let mut timer = sleep_until(due);
                let note = Waker::from(Arc::new(note));
                if !set(&mut timer, &note) {
                    note.wake();
                }
                timer
            };
            shuffled(TIMERS as u64).map(timer).collect::<Vec<_>>()
        }
    }));
    advance();
    let all = told.recv_timeout(LIMIT);
    let fired = fired.lock().unwrap().clone();
    assert_eq!((all, fired.len()), (Ok(()), TIMERS));
    assert_eq!(fired.iter().position(|(due, at)| at < due), None, "early");
    drop(timers);
    fired
}

#[test]
fn a_hundred_thousand_timers_that_become_due_at_once_fire_in_order() {
    let _turn = turn();
    let clock = Clock::manual();
    let hour = Duration::from_secs(3600);
    let fired = fire(&clock, hour, || clock.advance(2 * hour));
    assert!(fired.is_sorted_by_key(|(due, _)| *due));
}

#[test]
fn a_hundred_thousand_timers_fire_while_they_are_put_in_and_none_is_early() {
    let _turn = turn();
    // Half a second for them all, which is less than it takes a slow machine to put them in.
    fire(&Clock::machine(), Duration::ZERO, || {});
}

/// The processor time of the threads of this name, and of the monitor, in nanoseconds.
#[cfg(target_os = "linux")]
fn cpu_ns(name: &str) -> u64 {
    let of_thread = |path: std::path::PathBuf| {
        let name_of = std::fs::read_to_string(path.join("comm")).ok()?;
        let is_ours = name_of.starts_with(name) || name_of.starts_with("executor-monito");
        let times = std::fs::read_to_string(path.join("schedstat")).ok().filter(|_| is_ours)?;
        times.split(' ').next()?.parse::<u64>().ok()
    };
    let threads = std::fs::read_dir("/proc/self/task").unwrap();
    threads.filter_map(|thread| of_thread(thread.unwrap().path())).sum()
}

#[cfg(target_os = "linux")]
#[test]
fn ten_thousand_timers_and_ten_thousand_that_wait_cost_nothing() {
    let _turn = turn();
    let executor = named("drowsy", 4);
    let far = |number: u64| sleep(Duration::from_secs(3600 + number));
    let timers: Vec<_> = (0..10_000).map(|number| executor.spawn(far(number))).collect();
    let parked: Vec<_> = (0..10_000).map(|_| executor.spawn(pending::<()>())).collect();
    // The workers come to rest, and then the monitor.
    let settled = (0..100).any(|_| {
        let before = cpu_ns("drowsy");
        run(sleep(Duration::from_millis(100)));
        before == cpu_ns("drowsy")
    });
    let before = cpu_ns("drowsy");
    assert!(settled && before > 0, "they do not come to rest");
    run(sleep(Duration::from_secs(2)));
    assert_eq!(cpu_ns("drowsy"), before, "nanoseconds of processor time for nothing");
    for process in timers.iter().chain(&parked) {
        assert!(!process.is_finished());
        process.cancel();
    }
}
