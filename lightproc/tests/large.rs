//! Large futures: made where they will live, on stacks that could not hold them.
#![cfg(not(loom))]

use lightproc::{InPlace, LightProc, Panic};
use std::cell::Cell;
use std::hint::black_box;
use std::thread;

const KIB: usize = 1 << 10;

/// The size of the future.
const LARGE: usize = 2048 * KIB;

/// What the rest of a test needs: its frames, and the runtime's.
const SMALL: usize = 128 * KIB;

async fn large(seed: u8) -> u8 {
    let block = [seed; LARGE];
    futures_lite::future::yield_now().await;
    black_box(&block)[LARGE - 1]
}

/// Runs a test on a stack that has room for so many bytes of futures.
fn with_room_for(bytes: usize, test: fn() -> Option<u8>) {
    let test = thread::Builder::new().stack_size(SMALL + bytes).spawn(test);
    assert_eq!(test.unwrap().join().unwrap(), Some(7));
}

fn outcome(process: LightProc, handle: lightproc::ProcHandle<u8>) -> Option<u8> {
    process.run();
    futures_lite::future::block_on(handle)
}

/// The room that an unoptimised build needs for its copies; an optimised one makes none.
const fn unoptimised(copies: usize) -> usize {
    if cfg!(debug_assertions) { copies * LARGE } else { 0 }
}

#[test]
fn a_future_made_in_place_does_not_go_through_the_stack() {
    with_room_for(unoptimised(2), || {
        let (process, handle) = LightProc::build(InPlace(|| large(7)), LightProc::run, ());
        outcome(process, handle)
    });
}

#[test]
fn a_future_given_by_value_goes_straight_to_its_place() {
    with_room_for(unoptimised(4), || {
        let (process, handle) = LightProc::build(large(7), LightProc::run, ());
        outcome(process, handle)
    });
}

#[test]
fn a_panic_while_the_future_is_made_leaks_nothing() {
    struct Counted<'a>(&'a Cell<usize>);
    impl Drop for Counted<'_> {
        fn drop(&mut self) {
            self.0.set(self.0.get() + 1);
        }
    }
    std::panic::set_hook(Box::new(|_| {}));
    let dropped = Cell::new(0);
    let made = Panic::catch(|| {
        let captured = Counted(&dropped);
        let make = || -> std::future::Ready<()> {
            let _captured = &captured;
            panic!("no future")
        };
        LightProc::build(InPlace(make), LightProc::run, ())
    });
    assert_eq!(made.unwrap_err().message(), Some("no future"));
    assert_eq!(dropped.get(), 1);
}
