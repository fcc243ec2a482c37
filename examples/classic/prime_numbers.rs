//! Bastion 0.4: a question that takes long is answered by a thread, while the child that received it hears the next.
//!
//! `cargo run -p examples --example classic_prime_numbers`

use bastion::prelude::*;
use std::thread;

/// How many questions are asked before the first answer is waited for.
const AT_ONCE: u32 = 4;

/// The question for the smallest prime number of so many digits.
#[derive(Debug)]
struct FirstOf {
    digits: u32,
}

fn is_prime(n: u64) -> bool {
    n >= 2
        && (2..)
            .take_while(|divisor| divisor * divisor <= n)
            .all(|divisor| !n.is_multiple_of(divisor))
}

/// Hands each question, with the right to answer it, to a thread.
async fn prime_numbers(ctx: BastionContext) -> Result<(), ()> {
    loop {
        MessageHandler::new(ctx.recv().await?)
            .on_question(|question: FirstOf, sender| {
                thread::spawn(move || {
                    let prime = (10_u64.pow(question.digits - 1)..).find(|&n| is_prime(n));
                    // Who has asked may have gone meanwhile.
                    let _ = sender.reply(prime);
                });
            })
            .on_fallback(|_, _| ());
    }
}

fn main() {
    Bastion::init();
    let group = Bastion::spawn(prime_numbers).expect("the system was not stopped");
    Bastion::start();
    let ask = |digits| group.elems()[0].ask_anonymously(FirstOf { digits }).expect("it runs");
    let answers: Vec<Answer> = (9..9 + AT_ONCE).map(ask).collect();
    let mut primes = Vec::new();
    for answer in answers {
        let answer = run!(answer).expect("it answers");
        let prime = msg! { answer, prime: Option<u64> => prime; _: _ => None; };
        println!("{prime:?}");
        primes.extend(prime);
    }
    assert_eq!(primes, [100_000_007, 1_000_000_007, 10_000_000_019, 100_000_000_003]);
    Bastion::stop();
    Bastion::block_until_stopped();
}
