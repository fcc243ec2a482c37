//! The bank as supervised processes.

use super::{ACCOUNTS, OPENING, Payment, check};
use crate::bench::{Amount, Failure, Measured};
use crate::latch::latch;
use crate::subjects::bastion::{once, system};
use bastion_supervision::{Address, Context, Exit, Reply};
use std::time::Instant;

enum Order {
    Pay { to: Address<Order>, amount: i64, teller: Address<()> },
    Take { amount: i64, receipt: Reply<()> },
    Balance(Reply<i64>),
    Close,
}

async fn account(mut cx: Context<Order>) -> Result<(), Exit> {
    let mut balance = OPENING;
    while let Some(order) = cx.recv().await {
        match order {
            Order::Pay { to, amount, teller } => {
                balance -= amount;
                to.ask(|receipt| Order::Take { amount, receipt }).await?;
                teller.tell(())?;
            }
            Order::Take { amount, receipt } => {
                balance += amount;
                receipt.send(());
            }
            Order::Balance(reply) => reply.send(balance),
            Order::Close => break,
        }
    }
    Ok(())
}

async fn teller(mut cx: Context<()>, payments: u32) -> Measured {
    let open = |_| system().spawn_child(once(account));
    let accounts = (0..ACCOUNTS).map(open).collect::<Result<Vec<_>, _>>()?;
    let payments = super::payments(payments);
    let start = Instant::now();
    for Payment { payer, payee, amount } in &payments {
        let to = accounts[*payee].clone();
        let order = Order::Pay { to, amount: *amount, teller: cx.address() };
        accounts[*payer].tell(order)?;
    }
    for _ in &payments {
        cx.recv().await.ok_or_else(|| Failure::new("the teller was stopped"))?;
    }
    let took = Amount::from(start.elapsed());
    let mut balances = Vec::new();
    for account in &accounts {
        balances.push(account.ask(Order::Balance).await?);
        account.tell(Order::Close)?;
    }
    check(&balances, &payments)?;
    Ok(took)
}

pub(super) fn bank(payments: u32) -> Measured {
    let (finish, wait) = latch();
    system().spawn_child(once(move |cx: Context<()>| {
        let finish = finish.clone();
        async move {
            finish.result(teller(cx, payments).await);
            Ok(())
        }
    }))?;
    wait.measured()
}
