//! An account as a process, without an enum, a loop or a `match`: `#[bastion::actor]` makes them of its methods.
//!
//! Deposits are told; withdrawals are asked for, and may be refused; interest comes every hour of the bank's time, which is virtual; and an
//! order that makes no sense ends the process: its supervisor starts it again, and what waits is handled by the next incarnation.

#![forbid(unsafe_code)]

use bastion::Sim;
use bastion::typed::*;
use std::time::Duration;

/// Pence.
type Amount = u64;

#[derive(Debug, PartialEq, Eq)]
enum Refused {
    /// So much is there.
    TooLittle(Amount),
    /// The other account is no more.
    Closed,
}

#[derive(Default)]
struct Account {
    balance: Amount,
}

#[bastion::actor]
impl Account {
    /// Adds to the balance.
    fn deposit(&mut self, amount: Amount) {
        self.balance += amount;
    }

    /// Takes from the balance, as far as it reaches.
    fn withdraw(&mut self, amount: Amount) -> Result<Amount, Refused> {
        let rest = self.balance.checked_sub(amount);
        self.balance = rest.ok_or(Refused::TooLittle(self.balance))?;
        Ok(amount)
    }

    /// Moves money to another account. If that one is closed, the money stays.
    fn transfer(&mut self, amount: Amount, to: Address<AccountMessage>) -> Result<Amount, Refused> {
        self.withdraw(amount)?;
        if to.deposit(amount).is_err() {
            self.balance += amount;
            return Err(Refused::Closed);
        }
        Ok(amount)
    }

    /// Prints a statement. That takes a second, and meanwhile this account does nothing else.
    async fn statement(&self, cx: &Context<AccountMessage>) -> String {
        cx.sleep(Duration::from_secs(1)).await;
        format!("{}: {} pence", cx.address().name().unwrap_or("?"), self.balance)
    }

    /// Says the balance.
    fn balance(&self) -> Amount {
        self.balance
    }

    /// Adds a hundredth every hour, from now on.
    fn bear_interest(&mut self, cx: &mut Context<AccountMessage>) {
        let hour = Duration::from_secs(3600);
        cx.send_every(hour, || AccountMessage::Interest);
    }

    /// What comes every hour.
    fn interest(&mut self) {
        self.balance += self.balance / 100;
    }

    /// Sets the balance as an auditor says. One that is not possible ends the process.
    fn correct(&mut self, balance: Amount) -> Result<(), Exit> {
        if balance > 1_000_000_000_000 {
            return Err(Exit::error(format!("{balance} pence do not exist")));
        }
        self.balance = balance;
        Ok(())
    }
}

const LIMIT: Duration = Duration::from_secs(5);

fn main() {
    without_a_process();
    let sim = Sim::new(7);
    sim.run(async {
        let system = System::new(bastion::Runtime::sim(&sim));
        bank(&system, &sim).await.expect("the bank works");
        system.stop(LIMIT).await;
    });
}

/// The methods are methods: the state is tested as any other.
fn without_a_process() {
    let mut account = Account::default();
    account.deposit(500);
    assert_eq!(account.withdraw(700), Err(Refused::TooLittle(500)));
    assert_eq!(account.withdraw(200), Ok(200));
    assert_eq!(account.balance(), 300);
}

async fn bank(system: &System, sim: &Sim) -> Result<(), Box<dyn std::error::Error>> {
    let account = |name: &str| Account::child(Account::default).named(name);
    let (ann, bob) = (system.spawn_child(account("ann"))?, system.spawn_child(account("bob"))?);

    ann.deposit(1_000)?;
    assert_eq!(ann.withdraw(5_000).await?, Err(Refused::TooLittle(1_000)));
    assert_eq!(ann.transfer(400, bob.clone()).await?, Ok(400));
    println!("{}, {}", ann.statement().await?, bob.statement().await?);
    assert_eq!((ann.balance().await?, bob.balance().await?), (600, 400));

    // The message is there too, for what a method of the address does not say: to wait for room, or another limit.
    bob.send(AccountMessage::Deposit(100)).await?;
    assert_eq!(bob.ask_timeout(LIMIT, AccountMessage::Balance).await?, 500);

    bob.bear_interest()?;
    sim.sleep(Duration::from_secs(2 * 3600 + 1)).await;
    println!("after two hours: {}", bob.statement().await?);
    assert_eq!(bob.balance().await?, 510);

    // What is behind the order waits for the next incarnation, which begins with an account of its own.
    ann.correct(u64::MAX)?;
    ann.deposit(50)?;
    println!("after a restart: {}", ann.statement().await?);
    assert_eq!((ann.balance().await?, ann.incarnation()), (50, 2));

    let closed = account("closed").address(); // Given to nobody, so it has ended.
    assert_eq!(ann.transfer(20, closed).await?, Err(Refused::Closed));
    assert_eq!(ann.balance().await?, 50);
    Ok(())
}
