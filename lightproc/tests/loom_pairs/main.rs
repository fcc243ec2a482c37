//! Pairs and threes of what can happen to a process at once, under every interleaving.
//!
//! `loom.rs` has the plain protocol; here every drop is counted, and every access is watched.
//!
//! `RUSTFLAGS="--cfg loom" LOOM_MAX_PREEMPTIONS=3 cargo test --release -p lightproc --test loom_pairs`
#![cfg(loom)]

mod handles;
mod limits;
mod matrix;
mod model;
mod news;
mod schedules;
mod wakes;
