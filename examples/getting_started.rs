//! The first program: a counter that crashes, is restarted by its supervisor, and answers.

#![forbid(unsafe_code)]

use bastion::typed::*;
use std::time::Duration;

enum Count {
    Add(u64),
    Crash,
    Total(Reply<u64>),
}

async fn counter(mut cx: Context<Count>) -> Result<(), Exit> {
    let mut total = 0;
    while let Some(message) = cx.recv().await {
        match message {
            Count::Add(number) => total += number,
            Count::Crash => return Err(Exit::error("told to crash")),
            Count::Total(reply) => reply.send(total),
        }
    }
    Ok(())
}

#[bastion::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let counter = child(counter).named("counter");
    let address = counter.address();
    let store = Supervisor::new("store").intensity(3, Duration::from_secs(10)).child(counter);
    Bastion::supervise(store).await?;

    address.tell(Count::Add(2))?;
    assert_eq!(address.ask(Count::Total).await?, 2);

    address.tell(Count::Crash)?; // The process ends, and its total with it.
    address.tell(Count::Add(40))?; // The message waits for the next incarnation.
    assert_eq!(address.ask(Count::Total).await?, 40);
    assert_eq!(address.incarnation(), 2);

    print!("{}", Bastion::tree().await);
    Ok(())
}
