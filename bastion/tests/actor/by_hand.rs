//! A counter whose messages are written without the attribute.

use bastion::{Context, Exit};
use std::time::Duration;

/// A count.
pub struct Counter {
    /// What was added.
    pub total: u64,
}

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

/// A message to a process whose state is a `Counter`.
pub enum CounterMessage {
    /// Adds.
    Add(u64),
    /// Says the total.
    Total(::bastion::Reply<u64>),
    /// Takes away. A process that has not so much ends.
    Take(u64),
    /// Adds in a second.
    AddLater(u64),
}

#[allow(dead_code)]
impl Counter {
    /// Describes a process that handles its messages with a state that `start` makes, anew for every incarnation.
    pub fn child(
        start: impl ::core::ops::Fn() -> Self + ::core::marker::Send + ::core::marker::Sync + 'static,
    ) -> ::bastion::Child<CounterMessage> {
        ::bastion::child(move |mut cx| {
            let mut state = start();
            async move { state.run(&mut cx).await }
        })
    }

    /// Handles messages until the process is asked to stop, or one of them ends it.
    pub async fn run(
        &mut self,
        cx: &mut ::bastion::Context<CounterMessage>,
    ) -> ::core::result::Result<(), ::bastion::Exit> {
        while let ::core::option::Option::Some(message) = cx.recv().await {
            self.handle(message, cx).await?;
        }
        ::core::result::Result::Ok(())
    }

    /// Handles one message. An error is to end the process.
    pub async fn handle(
        &mut self,
        message: CounterMessage,
        cx: &mut ::bastion::Context<CounterMessage>,
    ) -> ::core::result::Result<(), ::bastion::Exit> {
        match message {
            CounterMessage::Add(n) => self.add(n),
            CounterMessage::Total(reply) => reply.send(self.total().await),
            CounterMessage::Take(n) => self.take(n)?,
            CounterMessage::AddLater(n) => self.add_later(n, cx),
        }
        ::core::result::Result::Ok(())
    }
}

/// The messages to a process whose state is a `Counter`, as methods of its address.
#[allow(dead_code)]
pub trait CounterAddress {
    /// Adds.
    fn add(&self, n: u64) -> ::core::result::Result<(), ::bastion::TellError<CounterMessage>>;
    /// Says the total.
    fn total(&self) -> ::bastion::Ask<u64>;
    /// Takes away. A process that has not so much ends.
    fn take(&self, n: u64) -> ::core::result::Result<(), ::bastion::TellError<CounterMessage>>;
    /// Adds in a second.
    fn add_later(&self, n: u64)
    -> ::core::result::Result<(), ::bastion::TellError<CounterMessage>>;
}

impl CounterAddress for ::bastion::Address<CounterMessage> {
    fn add(&self, n: u64) -> ::core::result::Result<(), ::bastion::TellError<CounterMessage>> {
        self.tell(CounterMessage::Add(n))
    }
    fn total(&self) -> ::bastion::Ask<u64> {
        self.ask(CounterMessage::Total)
    }
    fn take(&self, n: u64) -> ::core::result::Result<(), ::bastion::TellError<CounterMessage>> {
        self.tell(CounterMessage::Take(n))
    }
    fn add_later(
        &self,
        n: u64,
    ) -> ::core::result::Result<(), ::bastion::TellError<CounterMessage>> {
        self.tell(CounterMessage::AddLater(n))
    }
}
