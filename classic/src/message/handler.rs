//! [`MessageHandler`]: takes a message apart by closures, where [`msg!`](crate::msg) does it by arms.

use super::{AnswerSender, Kind, Msg, Question};
use crate::envelope::{RefAddr, SignedMessage};
use std::any::Any;
use std::fmt::{self, Debug};

/// Matches a message against types, in the order of the calls: the first that fits is called, and its output is the result.
///
/// A message that none fits, and that no fallback takes, is dropped with the handler.
///
/// # Examples
/// ```
/// use bastion_classic::prelude::*;
/// async fn work(ctx: BastionContext) -> Result<(), ()> {
///     loop {
///         MessageHandler::new(ctx.recv().await?)
///             .on_question(|number: i32, sender| {
///                 let _ = sender.reply(number + 1);
///             })
///             .on_tell(|text: String, from| println!("{from:?} says {text}"))
///             .on_fallback(|unknown, _from| println!("{:?}?", unknown.type_id()));
///     }
/// }
/// ```
pub struct MessageHandler<O> {
    state: State<O>,
}

enum State<O> {
    Matched(O),
    Unmatched(SignedMessage),
}

impl<O> MessageHandler<O> {
    /// Begins with a message that nothing has matched yet.
    pub fn new(msg: SignedMessage) -> Self {
        MessageHandler { state: State::Unmatched(msg) }
    }

    /// Matches a question whose value is a `T`.
    pub fn on_question<T, F>(self, f: F) -> Self
    where
        T: 'static,
        F: FnOnce(T, AnswerSender) -> O,
    {
        self.or_else(|SignedMessage { msg, sign }| match msg.0 {
            Kind::Ask(question) if question.sender.is_some() && question.value.is::<T>() => {
                let Question { value, sender } = *question;
                match (value.downcast(), sender) {
                    (Ok(value), Some(sender)) => Ok(f(value, sender)),
                    (Err(value), sender) => {
                        let question = Kind::Ask(Box::new(Question { value, sender }));
                        Err(SignedMessage::new(Msg(question), sign))
                    }
                    (Ok(_), None) => unreachable!("it was there"),
                }
            }
            other => Err(SignedMessage::new(Msg(other), sign)),
        })
    }

    /// Matches something that was told and is a `T`.
    pub fn on_tell<T, F>(self, f: F) -> Self
    where
        T: Debug + 'static,
        F: FnOnce(T, RefAddr) -> O,
    {
        self.or_else(|SignedMessage { msg, sign }| match msg.0 {
            Kind::Value(value) => match value.downcast() {
                Ok(value) => Ok(f(value, sign)),
                Err(value) => Err(SignedMessage::new(Msg::of(value), sign)),
            },
            other => Err(SignedMessage::new(Msg(other), sign)),
        })
    }

    /// Matches a broadcast of a `T`.
    pub fn on_broadcast<T, F>(self, f: F) -> Self
    where
        T: 'static + Send + Sync,
        F: FnOnce(&T, RefAddr) -> O,
    {
        self.or_else(|signed| match signed.msg.value().downcast_ref::<T>() {
            Some(value) if signed.msg.is_broadcast() => Ok(f(value, signed.sign.clone())),
            _ => Err(signed),
        })
    }

    /// Takes what nothing has matched, and returns the output.
    pub fn on_fallback<F>(self, f: F) -> O
    where
        F: FnOnce(&dyn Any, RefAddr) -> O,
    {
        match self.state {
            State::Matched(output) => output,
            State::Unmatched(SignedMessage { msg, sign }) => f(msg.as_ref(), sign),
        }
    }

    fn or_else(self, f: impl FnOnce(SignedMessage) -> Result<O, SignedMessage>) -> Self {
        let state = match self.state {
            State::Unmatched(signed) => match f(signed) {
                Ok(output) => State::Matched(output),
                Err(signed) => State::Unmatched(signed),
            },
            matched => matched,
        };
        MessageHandler { state }
    }
}

impl<O: Debug> Debug for MessageHandler<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.state {
            State::Matched(output) => f.debug_tuple("Matched").field(output).finish(),
            State::Unmatched(signed) => f.debug_tuple("Unmatched").field(signed).finish(),
        }
    }
}
