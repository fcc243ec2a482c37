//! The bank as actors of ractor.

use super::{ACCOUNTS, OPENING, Payment, check};
use crate::bench::{Amount, Failure, Measured};
use crate::subjects::executors::Tokio;
use ractor::rpc::CallResult;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use std::time::Instant;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

enum Order {
    Pay { to: ActorRef<Order>, amount: i64, teller: UnboundedSender<()> },
    Take { amount: i64, receipt: RpcReplyPort<()> },
    Balance(RpcReplyPort<i64>),
}

struct Account;

impl Actor for Account {
    type Msg = Order;
    type State = i64;
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<Order>, (): ()) -> Result<i64, ActorProcessingErr> {
        Ok(OPENING)
    }

    async fn handle(
        &self,
        _: ActorRef<Order>,
        order: Order,
        balance: &mut i64,
    ) -> Result<(), ActorProcessingErr> {
        match order {
            Order::Pay { to, amount, teller } => {
                *balance -= amount;
                let take = |receipt| Order::Take { amount, receipt };
                let CallResult::Success(()) = to.call(take, None).await? else {
                    return Err("no receipt".into());
                };
                teller.send(())?;
            }
            Order::Take { amount, receipt } => {
                *balance += amount;
                receipt.send(())?;
            }
            Order::Balance(reply) => reply.send(*balance)?,
        }
        Ok(())
    }
}

/// The teller is a task: what the actors send to it goes through a channel, as an actor's messages do.
async fn teller(payments: u32) -> Measured {
    let mut accounts = Vec::new();
    for _ in 0..ACCOUNTS {
        accounts.push(Account::spawn(None, Account, ()).await?.0);
    }
    let payments = super::payments(payments);
    let (teller, mut receipts) = unbounded_channel();
    let start = Instant::now();
    for Payment { payer, payee, amount } in &payments {
        let (to, teller) = (accounts[*payee].clone(), teller.clone());
        accounts[*payer].cast(Order::Pay { to, amount: *amount, teller })?;
    }
    for _ in &payments {
        receipts.recv().await.ok_or_else(|| Failure::new("the accounts have gone"))?;
    }
    let took = Amount::from(start.elapsed());
    let mut balances = Vec::new();
    for account in &accounts {
        let CallResult::Success(balance) = account.call(Order::Balance, None).await? else {
            return Err(Failure::new("an account does not answer"));
        };
        balances.push(balance);
        account.stop(None);
    }
    check(&balances, &payments)?;
    Ok(took)
}

pub(super) fn bank(payments: u32) -> Measured {
    Tokio::in_task(teller(payments))
}
