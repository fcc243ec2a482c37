//! A counter whose messages are made by the attribute.

use bastion::{Context, Exit};
use std::time::Duration;

/// A count.
pub struct Counter {
    /// What was added.
    pub total: u64,
}

#[bastion::actor]
impl Counter {
    /// Adds.
    pub fn add(&mut self, n: u64) {
        self.total += n;
    }

    /// Says the total.
    pub async fn total(&mut self) -> u64 {
        self.total
    }

    /// Takes away. A process that has not so much ends.
    pub fn take(&mut self, n: u64) -> Result<(), Exit> {
        let rest = self.total.checked_sub(n);
        self.total = rest.ok_or_else(|| Exit::error("too little is there"))?;
        Ok(())
    }

    /// Adds in a second.
    pub fn add_later(&mut self, n: u64, cx: &mut Context<CounterMessage>) {
        cx.send_after(Duration::from_secs(1), CounterMessage::Add(n));
    }
}
