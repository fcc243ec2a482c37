//! The feature `magazines`: freed processes are used again, also across threads; what is kept is bounded, and goes back
//! when the thread ends.
#![cfg(all(feature = "magazines", not(loom)))]

use lightproc::LightProc;
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::sync_channel;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

/// Counts, for the whole program, the allocations of [`SIZE`] bytes.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What a process that carries [`CARRIED`] bytes takes: a size that nothing else in this program has.
const SIZE: usize = 464;
const CARRIED: usize = SIZE - 16;

static MADE: AtomicUsize = AtomicUsize::new(0);
static LIVE: AtomicIsize = AtomicIsize::new(0);

// SAFETY: every call is handed to the system's allocator unchanged; counting changes two atomics.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.size() == SIZE {
            MADE.fetch_add(1, SeqCst);
            LIVE.fetch_add(1, SeqCst);
        }
        // SAFETY: the caller's promise about the layout is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        if layout.size() == SIZE {
            LIVE.fetch_sub(1, SeqCst);
        }
        // SAFETY: the caller's promise is passed on; `start` came from the system's allocator, by `alloc`.
        unsafe { System.dealloc(start, layout) }
    }
}

/// The counts are the program's, so its tests take turns.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A future that carries a mark in each byte, and ends the test if one was overwritten.
struct Marked<const N: usize>([u8; N]);

impl<const N: usize> Future for Marked<N> {
    type Output = ();

    fn poll(self: std::pin::Pin<&mut Self>, _: &mut std::task::Context<'_>) -> std::task::Poll<()> {
        assert!(self.0.iter().all(|byte| *byte == self.0[0]), "a block was given out twice");
        std::task::Poll::Ready(())
    }
}

fn process<const N: usize>(mark: u8) -> LightProc {
    LightProc::detached(Marked([mark; N]), LightProc::run, ())
}

#[test]
fn a_thread_uses_its_freed_processes_again() {
    let _turn = turn();
    process::<CARRIED>(0).run();
    let made = MADE.load(SeqCst);
    for round in 0..1000 {
        process::<CARRIED>(round as u8).run();
    }
    assert_eq!(MADE.load(SeqCst), made);
}

#[test]
fn what_one_thread_makes_and_another_frees_comes_back() {
    let _turn = turn();
    let (give, take) = sync_channel::<LightProc>(100);
    let before = MADE.load(SeqCst);
    let runner = thread::spawn(move || take.into_iter().for_each(LightProc::run));
    for round in 0..100_000 {
        give.send(process::<CARRIED>(round as u8)).unwrap();
    }
    drop(give);
    runner.join().unwrap();
    let made = MADE.load(SeqCst) - before;
    // 102 in flight and five magazines of eight are needed; a thread that looks at the depot a moment too early adds one.
    assert!(made < 1000, "{made} allocations for 100,000 processes");
}

#[test]
fn what_is_kept_is_bounded_and_goes_back_when_the_thread_ends() {
    let _turn = turn();
    let before = LIVE.load(SeqCst);
    let kept = thread::spawn(move || {
        let many: Vec<LightProc> = (0..100_000).map(|_| process::<CARRIED>(1)).collect();
        many.into_iter().for_each(LightProc::run);
        LIVE.load(SeqCst) - before
    });
    let kept = kept.join().unwrap();
    assert!(kept <= (2 + 64) * 8, "{kept} blocks kept of 100,000");
    let left = LIVE.load(SeqCst) - before;
    assert!(
        left <= 64 * 8,
        "{left} blocks kept after the thread has ended: only the depot keeps some"
    );
}

#[test]
fn blocks_of_every_size_hold_what_is_written_into_them() {
    let _turn = turn();
    let (give, take) = sync_channel::<LightProc>(64);
    let runner = thread::spawn(move || {
        let mut held = Vec::new();
        for (number, process) in take.into_iter().enumerate() {
            held.push(process);
            // Out of order, so that lists are taken from and given to in turn.
            if number % 3 == 0 {
                held.swap_remove(number % held.len()).run();
            }
        }
        held.into_iter().for_each(LightProc::run);
    });
    for round in 0..20_000 {
        let make = [
            process::<0>,
            process::<1>,
            process::<31>,
            process::<64>,
            process::<200>,
            process::<496>,
            process::<497>,
            process::<4000>,
        ];
        give.send(make[round % make.len()](round as u8)).unwrap();
        if round % 5 == 0 {
            make[round % 7](round as u8).run();
        }
    }
    drop(give);
    runner.join().unwrap();
}

#[test]
fn futures_that_want_more_alignment_have_it() {
    #[repr(align(64))]
    struct Aligned(u8);
    let make = |number| {
        let aligned = Aligned(number);
        let misplaced = move || (&raw const aligned).addr() % 64 + usize::from(aligned.0 - number);
        LightProc::build(async move { misplaced() }, LightProc::run, ())
    };
    // Many at once: one or two of them may be well placed by chance.
    let (processes, handles): (Vec<_>, Vec<_>) = (0..32).map(make).unzip();
    processes.into_iter().for_each(LightProc::run);
    for handle in handles {
        assert_eq!(futures_lite::future::block_on(handle), Some(0));
    }
}
