//! Bastion 0.2: processes are closures that may block, and messages are matched by `receive!` (feature `legacy`).
//!
//! `cargo run -p examples --example classic_legacy`

use bastion::legacy::prelude::*;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

static HEARD: Mutex<Vec<String>> = Mutex::new(Vec::new());
static STARTS: AtomicUsize = AtomicUsize::new(0);

/// Notes what is heard; the program ends when all is.
fn note(text: String) {
    println!("{text}");
    let mut heard = HEARD.lock().expect("nobody panics here");
    heard.push(text);
    if heard.len() == 3 {
        Bastion::force_shutdown();
    }
}

/// Takes the message that its process was started with.
fn receiver(context: BastionContext, msg: Box<dyn Message>) {
    receive! { msg,
        String => |text| note(format!("the text {text}")),
        i32 => |number| note(format!("the number {number}")),
        _ => panic!("nobody sends this")
    }
    context.hook();
}

fn main() {
    Bastion::platform();
    Bastion::spawn(receiver, "hello".to_owned());
    Bastion::supervisor("numbers", "examples").children(receiver, 7_i32, 1).launch();
    // It crashes at its first start, and is started again with the same message.
    Bastion::spawn(
        |_context: BastionContext, msg: Box<dyn Message>| {
            assert_ne!(STARTS.fetch_add(1, Ordering::SeqCst), 0, "the first start, on purpose");
            receive! { msg,
                char => |letter| note(format!("the letter {letter}, after a crash")),
                _ => panic!("nobody sends this")
            }
        },
        'x',
    );
    Bastion::start();
    let mut heard = HEARD.lock().expect("nobody panics there").clone();
    heard.sort();
    assert_eq!(heard, ["the letter x, after a crash", "the number 7", "the text hello"]);
}
