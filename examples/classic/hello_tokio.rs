//! Bastion 0.4: a library that is built on tokio, in children of a program with `#[tokio::main]` (feature `tokio-runtime`).
//!
//! `cargo run -p examples --example classic_hello_tokio`

use bastion::prelude::*;
use std::time::{Duration, Instant};

const NAP: Duration = Duration::from_millis(20);

/// Sleeps by tokio's clock before it answers.
async fn greeter(ctx: BastionContext) -> Result<(), ()> {
    loop {
        msg! { ctx.recv().await?,
            name: &'static str =!> {
                tokio::time::sleep(NAP).await;
                let _ = answer!(ctx, format!("Hello, {name}!"));
            };
            _: _ => ();
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), SendError> {
    Bastion::init();
    let greeters = Bastion::children(|children| children.with_redundancy(4).with_exec(greeter))
        .expect("the system was not stopped");
    Bastion::start();

    let begin = Instant::now();
    let names = ["tokio", "mio", "hyper", "axum"];
    let mut answers = Vec::new();
    for (greeter, name) in greeters.elems().iter().zip(names) {
        answers.push((name, greeter.try_ask_anonymously(name)?));
    }
    for (name, answer) in answers {
        let answer = answer.await.expect("it answers");
        let greeting = msg! { answer, greeting: String => greeting; _: _ => String::new(); };
        println!("{greeting}");
        assert_eq!(greeting, format!("Hello, {name}!"));
    }
    assert!(begin.elapsed() >= NAP);
    Bastion::stop();
    Bastion::block_until_stopped();
    Ok(())
}
