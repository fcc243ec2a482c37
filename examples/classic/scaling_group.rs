//! Bastion 0.4: a group that grows while more work comes than its children get done, and shrinks when there is none.
//!
//! `cargo run -p examples --example classic_scaling_group`

use bastion::executor::sleep;
use bastion::prelude::*;
use std::time::Duration;

const TICK: Duration = Duration::from_millis(20);
const LEAST: usize = 2;
const MOST: usize = 8;

/// Takes a while for each piece of work.
async fn worker(ctx: BastionContext) -> Result<(), ()> {
    loop {
        msg! { ctx.recv().await?,
            piece: usize =!> {
                sleep(TICK / 4).await;
                let _ = answer!(ctx, piece);
            };
            _: _ => ();
        }
    }
}

/// Gives the children more than they get done, until there are as many as there may be.
async fn grow(group: &ChildrenRef) -> Vec<Answer> {
    let mut answers = Vec::new();
    while group.elems().len() < MOST {
        for child in group.elems() {
            // Who leaves at this moment refuses.
            answers.extend((0..10).filter_map(|piece: usize| child.ask_anonymously(piece).ok()));
        }
        sleep(TICK).await;
    }
    answers
}

/// Waits until there are as few children as there may be.
async fn shrink(group: &ChildrenRef) {
    while group.elems().len() > LEAST {
        sleep(TICK).await;
    }
}

fn main() {
    let resizer = OptimalSizeExploringResizer::default()
        .with_lower_bound(LEAST as u64)
        .with_upper_bound(UpperBound::Limit(MOST as u64))
        .with_upscale_strategy(UpscaleStrategy::MailboxSizeThreshold(3))
        .with_upscale_rate(1.0)
        .with_downscale_threshold(0.5)
        .with_downscale_rate(0.5);
    Bastion::init();
    let group = Bastion::children(|children| {
        children.with_resizer(resizer).with_heartbeat_tick(TICK).with_exec(worker)
    })
    .expect("the system was not stopped");
    assert_eq!(group.elems().len(), LEAST);
    Bastion::start();

    let answers = run!(grow(&group));
    println!("{MOST} children, {} pieces to do", answers.len());
    run!(shrink(&group));
    println!("{LEAST} children");
    for answer in answers {
        run!(answer).expect("who leaves does first what it was given");
    }
    Bastion::stop();
    Bastion::block_until_stopped();
}
