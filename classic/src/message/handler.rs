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
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// # let group = platform.spawn(|ctx| async move {
    /// # let question = ctx.recv().await?;
    /// ctx.current().tell_anonymously(7_u32).unwrap();
    /// let handler = MessageHandler::new(ctx.recv().await?);
    /// let seen = handler.on_tell(|n: u32, _| n).on_fallback(|_, _| 0);
    /// assert_eq!(seen, 7);
    /// # answer!(question, ()).map_err(|_| ())
    /// # }).unwrap();
    /// # platform.start();
    /// # assert!(group.elems()[0].ask_anonymously("go").unwrap().await.is_ok());
    /// # });
    /// ```
    pub fn new(msg: SignedMessage) -> Self {
        MessageHandler { state: State::Unmatched(msg) }
    }

    /// Matches a question whose value is a `T`.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// # let group = platform.spawn(|ctx| async move {
    /// # let question = ctx.recv().await?;
    /// let answer = ctx.ask(&ctx.signature(), 7_u32).unwrap();
    /// MessageHandler::new(ctx.recv().await?)
    ///     .on_question(|n: u32, sender| sender.reply(n + 1).unwrap())
    ///     .on_fallback(|_, _| ());
    /// assert_eq!(msg! { answer.await?, n: u32 => n; _: _ => 0; }, 8);
    /// # answer!(question, ()).map_err(|_| ())
    /// # }).unwrap();
    /// # platform.start();
    /// # assert!(group.elems()[0].ask_anonymously("go").unwrap().await.is_ok());
    /// # });
    /// ```
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
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// # let group = platform.spawn(|ctx| async move {
    /// # let question = ctx.recv().await?;
    /// ctx.current().tell_anonymously(7_u32).unwrap();
    /// let handler = MessageHandler::new(ctx.recv().await?);
    /// let seen = handler.on_tell(|text: &str, _| text.len()).on_tell(|n: u32, _| n as usize);
    /// assert_eq!(seen.on_fallback(|_, _| 0), 7);
    /// # answer!(question, ()).map_err(|_| ())
    /// # }).unwrap();
    /// # platform.start();
    /// # assert!(group.elems()[0].ask_anonymously("go").unwrap().await.is_ok());
    /// # });
    /// ```
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
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// # let group = platform.spawn(|ctx| async move {
    /// # let question = ctx.recv().await?;
    /// ctx.parent().broadcast("to all").unwrap();
    /// let handler = MessageHandler::new(ctx.recv().await?);
    /// let length = handler.on_broadcast(|text: &&str, _| text.len()).on_fallback(|_, _| 0);
    /// assert_eq!(length, 6);
    /// # answer!(question, ()).map_err(|_| ())
    /// # }).unwrap();
    /// # platform.start();
    /// # assert!(group.elems()[0].ask_anonymously("go").unwrap().await.is_ok());
    /// # });
    /// ```
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
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// # let group = platform.spawn(|ctx| async move {
    /// # let question = ctx.recv().await?;
    /// ctx.current().tell_anonymously(7_u32).unwrap();
    /// let handler = MessageHandler::new(ctx.recv().await?);
    /// let is_a_number = handler.on_fallback(|value, _sender| value.is::<u32>());
    /// assert!(is_a_number);
    /// # answer!(question, ()).map_err(|_| ())
    /// # }).unwrap();
    /// # platform.start();
    /// # assert!(group.elems()[0].ask_anonymously("go").unwrap().await.is_ok());
    /// # });
    /// ```
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
