//! Bastion 0.4 with the crate `fort`: a `main` whose children are the program.
//!
//! `cargo run -p examples --example classic_root`

use bastion as fort;
use bastion::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};

static STARTS: AtomicUsize = AtomicUsize::new(0);

/// Two children run it. Both crash once, are started again, and the last of them stops the program.
#[fort::root(redundancy = 2)]
async fn main(ctx: BastionContext) -> Result<(), ()> {
    Bastion::init_with(Config::new().hide_backtraces());
    let start = STARTS.fetch_add(1, Ordering::SeqCst) + 1;
    println!("start {start}: child {}", ctx.current().id());
    assert_eq!(ctx.parent().elems().len(), 2);
    match start {
        1 => panic!("on purpose"),
        2 => Err(()),
        3 => Ok(()),
        _ => {
            Bastion::stop();
            Ok(())
        }
    }
}
