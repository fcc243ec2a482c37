//! Typed addresses: a counter that is told numbers and asked for its total; and recipients, for those who need not know that it is a counter.
//!
//! A sensor has readings for anybody who takes numbers: a counter, or a process that takes anything. What it is given is a
//! `Recipient<u64>`. Whoever asks to be informed says where to, by a recipient in the message: that is the signature of a typed message.

#![forbid(unsafe_code)]

use bastion::Msg;
use bastion::plan::RestartType;
use bastion::typed::*;

enum Count {
    Add(u64),
    Total(Reply<u64>),
    /// Who is told, once, when the total has reached the limit.
    Inform {
        limit: u64,
        who: Recipient<u64>,
    },
}

async fn counter(mut cx: Context<Count>) -> Result<(), Exit> {
    let (mut total, mut informed) = (0, Vec::new());
    while let Some(message) = cx.recv().await {
        match message {
            Count::Add(number) => total += number,
            Count::Total(reply) => reply.send(total),
            Count::Inform { limit, who } => informed.push((limit, who)),
        }
        for (_, who) in informed.extract_if(.., |(limit, _)| total >= *limit) {
            who.tell(total)?;
        }
    }
    Ok(())
}

/// The counter as one that takes numbers, and the way back for numbers that it refuses.
fn numbers(counter: &Address<Count>) -> Recipient<u64> {
    counter.recipient_with(Count::Add, |message| match message {
        Count::Add(number) => Some(number),
        _ => None,
    })
}

/// Knows nothing of counters.
async fn sensor(cx: Context<()>, readings: Vec<Recipient<u64>>) -> Result<(), Exit> {
    for reading in 1..=10 {
        for recipient in &readings {
            recipient.send(reading).await?;
        }
    }
    cx.stop_signal().requested().await;
    Ok(())
}

/// Takes anything, and shows the largest number of ten.
async fn display(mut cx: Context<Msg>) -> Result<(), Exit> {
    let (mut seen, mut largest) = (0, 0);
    while let Some(message) = cx.recv().await {
        let shown = message
            .handle()
            .on(|number: u64| {
                (seen, largest) = (seen + 1, largest.max(number));
                seen == 10
            })
            .or_refuse(&cx);
        if shown == Some(true) {
            println!("the largest reading is {largest}");
            assert_eq!(largest, 10);
            return Ok(());
        }
    }
    Ok(())
}

#[bastion::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let counter =
        Bastion::spawn_child(child(counter).named("counter").restart(RestartType::Temporary))?;
    let display =
        Bastion::spawn_child(child(display).named("display").restart(RestartType::Temporary))?;

    // A process of numbers, which needs no conversion.
    let alarm = child(|mut cx: Context<u64>| async move {
        if let Some(total) = cx.recv().await {
            println!("the total has reached {total}");
            assert!(total >= 30);
        }
        Ok(())
    });
    let alarm = Bastion::spawn_child(alarm.named("alarm").restart(RestartType::Temporary))?;
    counter.tell(Count::Inform { limit: 30, who: alarm.recipient() })?;

    let readings = vec![numbers(&counter), display.recipient_any()];
    assert_eq!(readings[0].name(), Some("counter"));
    Bastion::spawn_child(child(move |cx| sensor(cx, readings.clone())).named("sensor"))?;
    assert!(!alarm.ended().await.is_abnormal());
    assert!(!display.ended().await.is_abnormal());

    let total = counter.ask(Count::Total).await?;
    println!("the total is {total}");
    assert_eq!(total, 55);

    // A number that is refused is a number again.
    counter.exit(bastion::plan::ExitReason::Killed);
    counter.ended().await;
    let refused = numbers(&counter).tell(7);
    println!("the counter has ended: {refused:?}");
    assert!(matches!(refused, Err(TellError::Dead(7))));
    Ok(())
}
