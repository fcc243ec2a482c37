//! Bastion 0.4: a distributor: children that share work under a name, found without a reference to any of them.
//!
//! `cargo run -p examples --example classic_distributor`

use bastion::prelude::*;

#[derive(Debug)]
struct Order(&'static str);

#[derive(Clone, Debug)]
struct HowMany;

#[derive(Clone, Debug)]
struct GoHome;

/// Cooks what is ordered, until everybody goes home.
async fn cook(ctx: BastionContext) -> Result<(), ()> {
    let mut cooked = 0_usize;
    loop {
        msg! { ctx.recv().await?,
            order: Order =!> {
                cooked += 1;
                let _ = answer!(ctx, format!("{}, well done", order.0));
            };
            _question: HowMany =!> {
                let _ = answer!(ctx, cooked);
            };
            _go: GoHome => return Ok(());
            _: _ => ();
        }
    }
}

fn main() {
    Bastion::init();
    let kitchen = Distributor::named("kitchen");
    assert!(matches!(kitchen.tell_one(GoHome), Err(SendError::NoDistributor(_))));
    Bastion::children(|children| {
        children.with_redundancy(3).with_distributor(kitchen).with_exec(cook)
    })
    .expect("the system was not stopped");
    Bastion::start();
    wait_until(|| kitchen.ask_everyone(HowMany).is_ok_and(|cooks| cooks.len() == 3));

    // One question, one type of answer: for code that is async, and for code that is not.
    let steak = run!(kitchen.request::<String>(Order("steak")));
    assert_eq!(steak.expect("asked").expect("answered"), "steak, well done");
    for dish in ["egg", "potato", "bread", "soup", "leek"] {
        let answer = kitchen.request_sync::<String>(Order(dish)).recv();
        println!("{}", answer.expect("asked").expect("answered"));
    }

    // Each message goes to the next in turn; or to all.
    let answers = kitchen.ask_everyone(HowMany).expect("they are there");
    let cooked = answers.into_iter().map(|answer| {
        msg! { run!(answer).expect("answered"), cooked: usize => cooked; _: _ => 0; }
    });
    assert_eq!(cooked.collect::<Vec<_>>(), [2, 2, 2]);

    kitchen.tell_everyone(GoHome).expect("they are there");
    wait_until(|| kitchen.tell_one(GoHome).is_err());
    println!("closed: {}", kitchen.tell_one(Order("pie")).expect_err("nobody is there"));
    Bastion::stop();
    Bastion::block_until_stopped();
}

/// Waits for what takes a moment: children join a distributor when they start.
fn wait_until(condition: impl Fn() -> bool) {
    while !condition() {
        std::thread::yield_now();
    }
}
