//! §18: `#[root]` of the crate `fort`. This whole program is one, without the test harness: it ends when its roots have shown what they do.

use bastion as fort;
use bastion::context;
use bastion::prelude::*;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

static STARTS: AtomicUsize = AtomicUsize::new(0);
static ENDED: Mutex<Vec<BastionId>> = Mutex::new(Vec::new());

/// A panic would only restart the root.
fn require(condition: bool, text: &str) {
    if !condition {
        eprintln!("{text}");
        std::process::exit(1);
    }
}

/// Of its starts three panic and three fail, after which somebody is started again; three end well, of three children.
#[fort::root(redundancy = 3)]
async fn main(ctx: context::BastionContext) -> Result<(), ()> {
    Bastion::init_with(Config::new().hide_backtraces());
    require(ctx.parent().elems().len() == 3, "the group has three children");
    require(ctx.supervisor().is_none(), "it is at the top");
    match STARTS.fetch_add(1, SeqCst) {
        0..3 => panic!("on purpose"),
        3..6 => return Err(()),
        _ => (),
    }
    let mut ended = ENDED.lock().unwrap();
    require(!ended.contains(ctx.current().id()), "whoever has ended well is not started again");
    ended.push(ctx.current().id().clone());
    if ended.len() == 3 {
        require(STARTS.load(SeqCst) == 9, "nobody was started for nothing");
        Bastion::stop();
    }
    Ok(())
}
