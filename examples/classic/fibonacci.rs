//! Bastion 0.4: a child that obeys commands, and replies to whoever has signed them.
//!
//! `cargo run -p examples --example classic_fibonacci`

use bastion::prelude::*;
use std::sync::mpsc::channel;

#[derive(Debug)]
enum Command {
    /// Tell me the next number.
    Next,
    /// Leave out this many.
    Skip(usize),
    /// Begin again.
    Restart,
}

#[derive(Debug, PartialEq)]
struct Number(u64);

/// Keeps its place in the Fibonacci numbers.
async fn fibonacci(ctx: BastionContext) -> Result<(), ()> {
    let start = (0_u64, 1_u64);
    let (mut this, mut next) = start;
    loop {
        msg! { ctx.recv().await?,
            command: Command => match command {
                Command::Next => {
                    ctx.tell(&signature!(), Number(this)).map_err(|_| ())?;
                    (this, next) = (next, this + next);
                }
                Command::Skip(count) => {
                    for _ in 0..count {
                        (this, next) = (next, this + next);
                    }
                }
                Command::Restart => (this, next) = start,
            };
            _: _ => ();
        }
    }
}

/// Gives commands, and receives the numbers as messages of its own.
async fn commander(ctx: BastionContext, fibonacci: RefAddr) -> Result<Vec<Number>, ()> {
    use Command::{Next, Restart, Skip};
    for command in [Next, Next, Next, Skip(5), Next, Restart, Skip(90), Next] {
        ctx.tell(&fibonacci, command).map_err(|_| ())?;
    }
    let mut numbers = Vec::new();
    while numbers.len() < 5 {
        msg! { ctx.recv().await?,
            number: Number => numbers.push(number);
            _: _ => return Err(());
        }
    }
    Ok(numbers)
}

fn main() {
    Bastion::init();
    let group = Bastion::spawn(fibonacci).expect("the system was not stopped");
    let address = group.elems()[0].addr();
    let (give, numbers) = channel();
    Bastion::spawn(move |ctx| {
        let (give, address) = (give.clone(), address.clone());
        async move { give.send(commander(ctx, address).await?).map_err(|_| ()) }
    })
    .expect("the system was not stopped");
    Bastion::start();
    let numbers = numbers.recv().expect("they come");
    println!("{numbers:?}");
    assert_eq!(numbers, [0, 1, 1, 21, 2_880_067_194_370_816_120].map(Number));
    Bastion::stop();
    Bastion::block_until_stopped();
}
