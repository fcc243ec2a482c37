//! Threads that do whatever they like to the same processes: nothing is lost, dropped twice, or left behind.
//!
//! Models check small cases fully; here the memory is real, and a sanitizer can watch.
#![cfg(not(loom))]

use lightproc::{LightProc, ProcHandle};
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;

const THREADS: u64 = 4;

/// How many acts each thread does.
const ACTS: usize = if cfg!(debug_assertions) { 100_000 } else { 1_000_000 };

/// What all threads share.
#[derive(Default)]
struct World {
    due: Mutex<VecDeque<LightProc>>,
    wakers: Mutex<Vec<Waker>>,
    handles: Mutex<Vec<ProcHandle<Value>>>,
    made: AtomicUsize,
    futures_dropped: AtomicUsize,
    outputs_made: AtomicUsize,
    outputs_dropped: AtomicUsize,
}

/// Numbers that look random enough.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }
}

struct Value(Arc<World>);

impl Drop for Value {
    fn drop(&mut self) {
        self.0.outputs_dropped.fetch_add(1, SeqCst);
    }
}

/// Waits, yields, returns or panics, as the dice fall.
struct Any {
    world: Arc<World>,
    dice: Dice,
    /// In memory of its own, so that a use after the free is seen.
    polls: Box<usize>,
}

impl Future for Any {
    type Output = Value;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Value> {
        *self.polls += 1;
        let world = self.world.clone();
        let keep = |copies: usize| {
            world.wakers.lock().unwrap().extend((0..copies).map(|_| cx.waker().clone()));
        };
        match self.dice.roll(8) {
            0 => {
                self.world.outputs_made.fetch_add(1, SeqCst);
                return Poll::Ready(Value(self.world.clone()));
            }
            1 => std::panic::resume_unwind(Box::new(*self.polls)),
            2 => cx.waker().wake_by_ref(),
            3 => {}
            copies => keep(copies - 3),
        }
        Poll::Pending
    }
}

impl Drop for Any {
    fn drop(&mut self) {
        self.world.futures_dropped.fetch_add(1, SeqCst);
    }
}

fn make(world: &Arc<World>, dice: &mut Dice) {
    let seed = dice.roll(usize::MAX) as u64 | 1;
    let any = Any { world: world.clone(), dice: Dice(seed), polls: Box::new(0) };
    world.made.fetch_add(1, SeqCst);
    let queue = world.clone();
    let schedule = move |process| queue.due.lock().unwrap().push_back(process);
    if dice.roll(3) == 0 {
        LightProc::detached(any, schedule, ()).schedule();
    } else {
        let (process, handle) = LightProc::build(any, schedule, ());
        world.handles.lock().unwrap().push(handle);
        process.schedule();
    }
}

fn pick<T>(from: &Mutex<Vec<T>>, dice: &mut Dice) -> Option<T> {
    let mut from = from.lock().unwrap();
    let length = from.len();
    (length > 0).then(|| from.swap_remove(dice.roll(length)))
}

fn act(world: &Arc<World>, dice: &mut Dice) {
    let due = || world.due.lock().unwrap().pop_front();
    match dice.roll(16) {
        0..2 => make(world, dice),
        2..7 => due().into_iter().for_each(LightProc::run),
        7 => drop(due()),
        8..10 => pick(&world.wakers, dice).into_iter().for_each(Waker::wake),
        10 => pick(&world.wakers, dice).iter().for_each(Waker::wake_by_ref),
        11 => drop(pick(&world.wakers, dice)),
        12 => drop(pick(&world.handles, dice)),
        13 => {
            if let Some(handle) = pick(&world.handles, dice) {
                handle.cancel();
                world.handles.lock().unwrap().push(handle);
            }
        }
        _ => {
            let Some(mut handle) = pick(&world.handles, dice) else { return };
            // Somebody else's waker as the awaiter.
            let awaiter = pick(&world.wakers, dice).unwrap_or_else(|| Waker::noop().clone());
            let mut cx = Context::from_waker(&awaiter);
            let polled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                Pin::new(&mut handle).poll(&mut cx).is_pending()
            }));
            if matches!(polled, Ok(true)) {
                world.handles.lock().unwrap().push(handle);
            }
        }
    }
}

/// Lets go of everything, and runs what becomes due.
fn end(world: &Arc<World>) {
    loop {
        let wakers = std::mem::take(&mut *world.wakers.lock().unwrap());
        let handles = std::mem::take(&mut *world.handles.lock().unwrap());
        let due = std::mem::take(&mut *world.due.lock().unwrap());
        if wakers.is_empty() && handles.is_empty() && due.is_empty() {
            return;
        }
        drop((wakers, handles));
        due.into_iter().for_each(LightProc::run);
    }
}

#[test]
fn whatever_threads_do_to_processes_each_is_dropped_once() {
    let world = Arc::new(World::default());
    let work = |seed: u64| {
        let world = world.clone();
        move || {
            let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
            (0..ACTS).for_each(|_| act(&world, &mut dice));
        }
    };
    let threads: Vec<_> = (1..=THREADS).map(|seed| thread::spawn(work(seed))).collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    end(&world);
    let count = |counter: &AtomicUsize| counter.load(SeqCst);
    assert!(count(&world.outputs_made) > 100, "too little happened to say anything");
    assert_eq!(count(&world.futures_dropped), count(&world.made));
    assert_eq!(count(&world.outputs_dropped), count(&world.outputs_made));
    assert_eq!(Arc::strong_count(&world), 1, "every schedule function is dropped");
}
