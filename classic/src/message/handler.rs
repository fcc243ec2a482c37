//! [`MessageHandler`]: takes a message apart by closures, where [`msg!`](crate::msg) does it by arms.

use super::{AnswerSender, Kind, Msg};
use crate::envelope::{RefAddr, SignedMessage};
use std::any::Any;
use std::fmt::{self, Debug};
use std::sync::Arc;

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
    pub fn on_question<T: 'static, F>(self, f: F) -> Self
    where
        F: FnOnce(T, AnswerSender) -> O,
    {
        self.or_else(|signed| match signed.msg.0 {
            Kind::Ask(value, Some(sender)) => match downcast(value) {
                Ok(value) => Ok(f(value, sender)),
                Err(value) => Err(signed_again(Kind::Ask(value, Some(sender)), signed.sign)),
            },
            other => Err(signed_again(other, signed.sign)),
        })
    }

    /// Matches something that was told and is a `T`.
    pub fn on_tell<T: Debug + 'static, F>(self, f: F) -> Self
    where
        F: FnOnce(T, RefAddr) -> O,
    {
        self.or_else(|signed| match signed.msg.0 {
            Kind::Tell(value) => match downcast(value) {
                Ok(value) => Ok(f(value, signed.sign)),
                Err(value) => Err(signed_again(Kind::Tell(value), signed.sign)),
            },
            other => Err(signed_again(other, signed.sign)),
        })
    }

    /// Matches a broadcast of a `T`.
    pub fn on_broadcast<T: 'static + Send + Sync, F>(self, f: F) -> Self
    where
        F: FnOnce(&T, RefAddr) -> O,
    {
        self.or_else(|signed| match &signed.msg.0 {
            Kind::Broadcast(value) => {
                let value: Arc<dyn Any + Send + Sync> = value.clone();
                match value.downcast::<T>() {
                    Ok(value) => Ok(f(&value, signed.sign)),
                    Err(_) => Err(signed),
                }
            }
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

fn signed_again(kind: Kind, sign: RefAddr) -> SignedMessage {
    SignedMessage::new(Msg(kind), sign)
}

fn downcast<T: 'static>(value: Box<dyn super::Message>) -> Result<T, Box<dyn super::Message>> {
    if !(&*value as &dyn Any).is::<T>() {
        return Err(value);
    }
    let any: Box<dyn Any> = value;
    Ok(*any.downcast().expect("it is of this type"))
}

impl<O: Debug> Debug for MessageHandler<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.state {
            State::Matched(output) => f.debug_tuple("Matched").field(output).finish(),
            State::Unmatched(signed) => f.debug_tuple("Unmatched").field(signed).finish(),
        }
    }
}
