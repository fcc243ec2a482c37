//! Large futures: spawned from stacks that could not hold them.
#![cfg(not(loom))]

use bastion_executor::{Executor, InPlace, RecoverableHandle, run, yield_now};
use std::hint::black_box;
use std::thread;

/// The size of the future.
const LARGE: usize = 2 << 20;

/// What the rest of a spawn needs.
const SMALL: usize = 128 << 10;

async fn large(seed: u8) -> u8 {
    let block = [seed; LARGE];
    yield_now().await;
    black_box(&block)[LARGE - 1]
}

/// Spawns on a stack with room for so many copies, in an unoptimised and in an optimised build.
fn check(unoptimised: usize, optimised: usize, spawn: fn(&Executor) -> RecoverableHandle<u8>) {
    let executor = Executor::builder().workers(1).build().unwrap();
    let copies = if cfg!(debug_assertions) { unoptimised } else { optimised };
    let handle = thread::scope(|scope| {
        let stack = thread::Builder::new().stack_size(SMALL + copies * LARGE);
        stack.spawn_scoped(scope, || spawn(&executor)).unwrap().join().unwrap()
    });
    assert_eq!(run(handle), Some(7));
}

#[test]
fn a_future_made_in_place_does_not_go_through_the_stack() {
    check(2, 0, |executor| executor.spawn(InPlace(|| large(7))));
}

#[test]
fn a_future_given_by_value_stays_where_its_maker_put_it() {
    check(12, 1, |executor| executor.spawn(large(7)));
}
