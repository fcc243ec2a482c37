//! Every place where a user's code may panic: where the panic goes, and that all else happens as if it had not.
//!
//! The table has 17958 cases: 13 parts of a process that panic (the poll is one of its six ends), alone and in pairs, with
//! every end of the process, every life of its handle, every entry, and a waker that is kept beyond the end or not.
//! `case` has the dimensions, `world` the parts, `drive` leads a process through a case while a sibling waits in the same
//! queue, `expected` has the rules. Beside the table: `schedule`, functions that panic though they must not; `reentry`,
//! awaiters that run what they await; `destructors`, whoever frees the process, and whatever else drops.
//!
//! # What ends the program
//! A destructor that panics during an unwinding does, by Rust's own rule; no process can hold it back:
//! - two of the fields of one value: of a future, of an output, of the data, of a payload;
//! - what a poll or a hook has on its stack, when the poll or the hook panics;
//! - the data or the schedule function, when the making of the future has panicked in the constructor;
//! - a handle, a waker or a `LightProc` that is dropped by an unwinding and must schedule the process, when the schedule
//!   function panics;
//! - a panic hook that panics.
//!
//! A destructor that panics during an unwinding but *inside* a process does not: a handle that is dropped so holds back
//! whatever the output's destructor does.
// Allocations are counted, which the feature `magazines` makes fewer.
#![cfg(not(any(loom, feature = "magazines")))]

#[path = "../lifecycle/alloc.rs"]
mod alloc;
mod case;
mod destructors;
mod drive;
mod expected;
mod reentry;
mod schedule;
mod world;

#[test]
fn every_panic_ends_one_process_at_most() {
    // What is allocated once for all processes is none of theirs.
    drop(lightproc::LightProc::recoverable(async {}, |_| {}, ()));
    let checked = case::for_each(|case| {
        assert_eq!(drive::drive(case), expected::expected(case), "{case:?}");
    });
    assert_eq!(checked, 17958, "the head comment says how many there are");
}
