//! Processes whose messages are values of any type: what they have beyond others.

use super::address::Address;
use super::ask::{Ask, Reply};
use super::context::Context;
use super::recipient::Recipient;
use crate::mailbox::TellError;
use crate::message::{Message, Msg};

/// A process whose messages are values of any type.
impl Address<Msg> {
    /// Sends a value of any type.
    ///
    /// # Errors
    /// As [`Address::tell`].
    pub fn tell_any(&self, value: impl Message) -> Result<(), TellError<Msg>> {
        self.tell(Msg::new(value))
    }

    /// Asks with a value of any type, and waits for the reply, whatever its type, for at most [`ASK_TIMEOUT`](crate::ASK_TIMEOUT).
    ///
    /// # Errors
    /// The future's: see [`AskError`](crate::AskError).
    pub fn ask_any(&self, value: impl Message) -> Ask<Msg> {
        self.ask(|reply| Msg::question(value, reply))
    }

    /// Returns the process as one that accepts values of one type.
    pub fn recipient_any<T: Message>(&self) -> Recipient<T> {
        self.recipient_with(Msg::new, |message| message.downcast().ok())
    }
}

/// Who accepts values of any type.
impl Recipient<Msg> {
    /// Sends a value of any type.
    ///
    /// # Errors
    /// As [`Recipient::tell`].
    pub fn tell_any(&self, value: impl Message) -> Result<(), TellError<Msg>> {
        self.tell(Msg::new(value))
    }

    /// Asks with a value of any type, as [`Address::ask_any`].
    ///
    /// # Errors
    /// The future's: see [`AskError`](crate::AskError).
    pub fn ask_any(&self, value: impl Message) -> Ask<Msg> {
        self.ask(|reply| Msg::question(value, reply))
    }
}

/// The right to answer with a value of any type.
impl Reply<Msg> {
    /// Answers, as [`Reply::send`].
    pub fn send_any(self, value: impl Message) {
        self.send(Msg::new(value));
    }
}

impl Context<Msg> {
    /// Makes a message that is signed by this process: see [`Msg::sender`].
    pub fn signed(&self, value: impl Message) -> Msg {
        Msg::new(value).signed_by(self.address())
    }

    /// Drops a message that the process does not understand: a dead letter. Who asks is told at once, by
    /// [`AskError::NotUnderstood`](crate::AskError::NotUnderstood).
    pub fn refuse(&self, mut message: Msg) {
        message.refuse();
        let sender = message.sender().and_then(|sender| sender.pid());
        self.shared.bury_foreign(message, sender);
    }
}
