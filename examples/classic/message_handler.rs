//! Bastion 0.4: messages of several types, told, asked and broadcast, taken apart by a `MessageHandler`.
//!
//! `cargo run -p examples --example classic_message_handler`

use bastion::prelude::*;
use std::sync::mpsc::{Sender, channel};

/// What the child has understood.
#[derive(Debug, PartialEq)]
enum Heard {
    Number(u64),
    Text(String),
    Broadcast(&'static str),
    QuestionForSquare(u64),
    QuestionForLength(String),
    Unknown,
}

/// The closures of a handler all have one output; the first that fits is called.
async fn listener(ctx: BastionContext, heard: Sender<Heard>) -> Result<(), ()> {
    loop {
        let understood = MessageHandler::new(ctx.recv().await?)
            .on_question(|number: u64, sender| {
                sender.reply(number * number).expect("it is waited for");
                Heard::QuestionForSquare(number)
            })
            .on_question(|text: String, sender| {
                sender.reply(text.len()).expect("it is waited for");
                Heard::QuestionForLength(text)
            })
            .on_tell(|number: u64, _from| Heard::Number(number))
            .on_tell(|text: String, from| {
                assert!(!from.is_sender_identified(), "it was told anonymously");
                Heard::Text(text)
            })
            .on_broadcast(|text: &&'static str, _from| Heard::Broadcast(text))
            .on_fallback(|_message, _from| Heard::Unknown);
        println!("{understood:?}");
        heard.send(understood).map_err(|_| ())?;
    }
}

fn main() {
    Bastion::init();
    let (give, heard) = channel();
    let listeners =
        Bastion::spawn(move |ctx| listener(ctx, give.clone())).expect("the system was not stopped");
    let listener = &listeners.elems()[0];
    Bastion::start();

    listener.tell_anonymously(7_u64).expect("it runs");
    listener.tell_anonymously("seven".to_owned()).expect("it runs");
    listener.tell_anonymously(7.0_f64).expect("it runs");
    let square = run!(listener.ask_anonymously(12_u64).expect("it runs")).expect("it answers");
    assert_eq!(msg! { square, square: u64 => square; _: _ => 0; }, 144);
    let length = listener.ask_anonymously("twelve".to_owned()).expect("it runs");
    let length = run!(length).expect("it answers");
    assert_eq!(msg! { length, length: usize => length; _: _ => 0; }, 6);
    listeners.broadcast("that is all").expect("it runs");

    let heard: Vec<Heard> = heard.iter().take(6).collect();
    let expected = [
        Heard::Number(7),
        Heard::Text("seven".to_owned()),
        Heard::Unknown,
        Heard::QuestionForSquare(12),
        Heard::QuestionForLength("twelve".to_owned()),
        Heard::Broadcast("that is all"),
    ];
    assert_eq!(heard, expected);
    Bastion::stop();
    Bastion::block_until_stopped();
}
