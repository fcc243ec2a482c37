//! The bank as actors of actix, spread over the arbiters.

use super::{ACCOUNTS, OPENING, Payment, check};
use crate::bench::{Amount, Failure, Measured};
use crate::latch::latch;
use crate::subjects::actix::arbiter;
use actix::{Actor, ActorFutureExt, Addr, AtomicResponse, Context, Handler, Message, WrapFuture};
use std::time::Instant;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

struct Account(i64);

impl Actor for Account {
    type Context = Context<Account>;
}

struct Pay {
    to: Addr<Account>,
    amount: i64,
    teller: UnboundedSender<()>,
}

impl Message for Pay {
    type Result = ();
}

/// While it awaits the receipt it handles nothing else.
impl Handler<Pay> for Account {
    type Result = AtomicResponse<Account, ()>;

    fn handle(
        &mut self,
        Pay { to, amount, teller }: Pay,
        _: &mut Context<Account>,
    ) -> Self::Result {
        self.0 -= amount;
        let received = to.send(Take(amount)).into_actor(self);
        AtomicResponse::new(Box::pin(received.map(move |receipt, _, _| {
            if receipt.is_ok() {
                let _ = teller.send(());
            }
        })))
    }
}

struct Take(i64);

impl Message for Take {
    type Result = ();
}

impl Handler<Take> for Account {
    type Result = ();

    fn handle(&mut self, Take(amount): Take, _: &mut Context<Account>) {
        self.0 += amount;
    }
}

struct Balance;

impl Message for Balance {
    type Result = i64;
}

impl Handler<Balance> for Account {
    type Result = i64;

    fn handle(&mut self, _: Balance, _: &mut Context<Account>) -> i64 {
        self.0
    }
}

/// The teller is a future on an arbiter: what the actors send to it goes through a channel.
async fn teller(payments: u32) -> Measured {
    let open = |number| Account::start_in_arbiter(arbiter(number), |_| Account(OPENING));
    let accounts: Vec<Addr<Account>> = (0..ACCOUNTS as u32).map(open).collect();
    let payments = super::payments(payments);
    let (teller, mut receipts) = unbounded_channel();
    let start = Instant::now();
    for Payment { payer, payee, amount } in &payments {
        let (to, teller) = (accounts[*payee].clone(), teller.clone());
        accounts[*payer].do_send(Pay { to, amount: *amount, teller });
    }
    for _ in &payments {
        receipts.recv().await.ok_or_else(|| Failure::new("the accounts have gone"))?;
    }
    let took = Amount::from(start.elapsed());
    let mut balances = Vec::new();
    for account in &accounts {
        balances.push(account.send(Balance).await?);
    }
    check(&balances, &payments)?;
    Ok(took)
}

pub(super) fn bank(payments: u32) -> Measured {
    let (finish, wait) = latch();
    arbiter(0).spawn(async move { finish.result(teller(payments).await) });
    wait.measured()
}
