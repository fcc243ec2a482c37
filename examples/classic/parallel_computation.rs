//! Bastion 0.4: a computation in parts: one group computes, another adds up what is told to it, in whatever order it comes.
//!
//! `cargo run -p examples --example classic_parallel_computation`

use bastion::prelude::*;
use std::ops::Range;

const NUMBERS: u64 = 1_000_000;
const PARTS: u64 = 8;

/// What a part came to.
#[derive(Debug)]
struct Part(u64);

/// The question for the sum of this many parts.
#[derive(Debug)]
struct Sum(u64);

/// Adds up the squares of a range, and tells whoever adds up the parts.
async fn square(ctx: BastionContext, adder: ChildRef) -> Result<(), ()> {
    loop {
        msg! { ctx.recv().await?,
            range: Range<u64> => {
                let part = range.map(|n| n * n % 1_000).sum();
                ctx.tell(&adder.addr(), Part(part)).map_err(|_| ())?;
            };
            _: _ => ();
        }
    }
}

/// Adds up the parts, and answers when all are there.
async fn add(ctx: BastionContext) -> Result<(), ()> {
    msg! { ctx.recv().await?,
        question: Sum =!> {
            let mut sum = 0;
            for _ in 0..question.0 {
                msg! { ctx.recv().await?,
                    part: Part => sum += part.0;
                    _: _ => return Err(());
                }
            }
            answer!(ctx, sum).map_err(|_| ())
        };
        _: _ => Err(());
    }
}

fn main() {
    Bastion::init();
    let adders = Bastion::spawn(add).expect("the system was not stopped");
    let adder = adders.elems()[0].clone();
    let told = adder.clone();
    let squarers = Bastion::children(|children| {
        children.with_redundancy(4).with_exec(move |ctx| square(ctx, told.clone()))
    })
    .expect("the system was not stopped");
    // The question comes first, and the messages wait until the system starts.
    let answer = adder.ask_anonymously(Sum(PARTS)).expect("it has not ended");
    let size = NUMBERS / PARTS;
    for (part, squarer) in (0..PARTS).zip(squarers.elems().iter().cycle()) {
        let range = part * size..(part + 1) * size;
        squarer.tell_anonymously(range).expect("it has not ended");
    }
    Bastion::start();
    let sum = msg! { run!(answer).expect("it answers"), sum: u64 => sum; _: _ => 0; };
    println!("{PARTS} parts come to {sum}");
    assert_eq!(sum, (0..NUMBERS).map(|n| n * n % 1_000).sum());
    Bastion::stop();
    Bastion::block_until_stopped();
}
