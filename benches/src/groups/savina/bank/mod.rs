//! Bank transaction: a teller has accounts pay each other. The one that pays awaits the other's receipt while it handles its order,
//! and does nothing else meanwhile, which every library does in its own way.

mod on_actix;
mod on_ractor;
mod on_tokio;
mod ours;

use crate::bench::{Failure, OURS, Subject, Unit, Workload};

pub(super) const ROW: Workload = Workload {
    name: "bank",
    about: "1,000 accounts pay each other 50,000 times; the payer awaits the other's receipt",
    unit: Unit::Nanoseconds,
    operations: 50_000,
    subjects: &[
        Subject::here(OURS, ours::bank),
        Subject::here("tokio-mpsc", on_tokio::bank),
        Subject::here("actix", on_actix::bank),
        Subject::here("ractor", on_ractor::bank),
    ],
};

const ACCOUNTS: usize = 1_000;

/// What every account has at the beginning.
const OPENING: i64 = 1_000;

/// One account pays another.
#[derive(Clone, Copy)]
struct Payment {
    payer: usize,
    payee: usize,
    amount: i64,
}

/// Returns so many payments by chance, the same each time. The payee's number is higher than the payer's: two that waited for each other
/// would wait for ever.
fn payments(count: u32) -> Vec<Payment> {
    let mut chance = fastrand::Rng::with_seed(7);
    let mut payment = || {
        let payer = chance.usize(..ACCOUNTS - 1);
        Payment { payer, payee: chance.usize(payer + 1..ACCOUNTS), amount: chance.i64(1..100) }
    };
    (0..count).map(|_| payment()).collect()
}

/// Checks what the accounts have at the end.
///
/// # Errors
/// When it is not what the payments come to.
fn check(balances: &[i64], payments: &[Payment]) -> Result<(), Failure> {
    let mut expected = [OPENING; ACCOUNTS];
    for Payment { payer, payee, amount } in payments {
        expected[*payer] -= amount;
        expected[*payee] += amount;
    }
    if balances == expected { Ok(()) } else { Err(Failure::new("wrong balances")) }
}
