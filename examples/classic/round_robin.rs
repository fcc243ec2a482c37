//! Bastion 0.4: a group of equal children, who are given work in turn by whoever has their references.
//!
//! `cargo run -p examples --example classic_round_robin`

use bastion::prelude::*;
use std::collections::HashMap;

const WORKERS: usize = 4;
const PIECES: usize = 20;

/// Says who did it.
async fn worker(ctx: BastionContext) -> Result<(), ()> {
    loop {
        msg! { ctx.recv().await?,
            piece: usize =!> {
                println!("{} does piece {piece}", ctx.current().id());
                let _ = answer!(ctx, ctx.current().id().clone());
            };
            _: _ => ();
        }
    }
}

/// Gives out the pieces, and counts who has done how many.
async fn share_out(workers: &[ChildRef]) -> Result<HashMap<BastionId, usize>, ()> {
    let mut answers = Vec::new();
    for (piece, worker) in (0..PIECES).zip(workers.iter().cycle()) {
        answers.push(worker.ask_anonymously(piece).map_err(|_| ())?);
    }
    let mut shares = HashMap::new();
    for answer in answers {
        msg! { answer.await?,
            who: BastionId => *shares.entry(who).or_default() += 1;
            _: _ => return Err(());
        }
    }
    Ok(shares)
}

fn main() {
    Bastion::init();
    let workers = Bastion::children(|children| children.with_redundancy(WORKERS).with_exec(worker))
        .expect("the system was not stopped");
    Bastion::start();
    let shares = run!(share_out(workers.elems())).expect("all answer");
    assert_eq!(shares.len(), WORKERS);
    assert!(shares.values().all(|&share| share == PIECES / WORKERS), "{shares:?}");
    println!("each did {}", PIECES / WORKERS);
    Bastion::stop();
    Bastion::block_until_stopped();
}
