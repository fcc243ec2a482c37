//! The bank as tasks of tokio with unbounded channels.

use super::{ACCOUNTS, OPENING, Payment, check};
use crate::bench::{Amount, Failure, Measured};
use crate::subjects::executors::Tokio;
use std::time::Instant;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

enum Order {
    Pay { to: UnboundedSender<Order>, amount: i64, teller: UnboundedSender<()> },
    Take { amount: i64, receipt: oneshot::Sender<()> },
    Balance(oneshot::Sender<i64>),
}

async fn account(mut orders: UnboundedReceiver<Order>) {
    let mut balance = OPENING;
    while let Some(order) = orders.recv().await {
        match order {
            Order::Pay { to, amount, teller } => {
                balance -= amount;
                let (receipt, received) = oneshot::channel();
                let sent = to.send(Order::Take { amount, receipt });
                if sent.is_err() || received.await.is_err() || teller.send(()).is_err() {
                    break;
                }
            }
            Order::Take { amount, receipt } => {
                balance += amount;
                let _ = receipt.send(());
            }
            Order::Balance(reply) => {
                let _ = reply.send(balance);
            }
        }
    }
}

async fn teller(payments: u32) -> Measured {
    let open = |_| {
        let (orders, received) = unbounded_channel();
        tokio::spawn(account(received));
        orders
    };
    let accounts: Vec<UnboundedSender<Order>> = (0..ACCOUNTS).map(open).collect();
    let payments = super::payments(payments);
    let (teller, mut receipts) = unbounded_channel();
    let start = Instant::now();
    for Payment { payer, payee, amount } in &payments {
        let (to, teller) = (accounts[*payee].clone(), teller.clone());
        accounts[*payer].send(Order::Pay { to, amount: *amount, teller })?;
    }
    for _ in &payments {
        receipts.recv().await.ok_or_else(|| Failure::new("the accounts have gone"))?;
    }
    let took = Amount::from(start.elapsed());
    let mut balances = Vec::new();
    for account in &accounts {
        let (reply, balance) = oneshot::channel();
        account.send(Order::Balance(reply))?;
        balances.push(balance.await?);
    }
    check(&balances, &payments)?;
    Ok(took)
}

pub(super) fn bank(payments: u32) -> Measured {
    Tokio::in_task(teller(payments))
}
