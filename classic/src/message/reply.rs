//! [`Answer`] and [`AnswerSender`]: the two ends of a question.

use super::{Message, Msg};
use crate::envelope::{RefAddr, SignedMessage};
use crate::errors::SendError;
use bastion_mailbox::{Value, oneshot};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// What takes the reply. When it is dropped, whoever asked knows that there is none.
pub(crate) trait Replies: Send + Sync {
    /// Gives the value back when nobody waits for it any more.
    fn reply(self: Box<Self>, value: Value) -> Result<(), Value>;
}

/// The right to answer a question.
///
/// Dropping it tells whoever asked, at once, that there will be no answer.
///
/// # Examples
/// ```
/// use bastion_classic::prelude::*;
/// async fn work(ctx: BastionContext) -> Result<(), ()> {
///     MessageHandler::new(ctx.recv().await?)
///         .on_question(|n: u64, sender: AnswerSender| drop(sender.reply(n + 1)));
///     Ok(())
/// }
/// ```
pub struct AnswerSender {
    to: To,
    /// Who is asked: the reply bears its signature.
    from: RefAddr,
}

enum To {
    /// An [`Answer`].
    Answer(oneshot::Sender<SignedMessage>),
    Other(Box<dyn Replies>),
}

/// Makes the two ends of a question to `to`.
pub(crate) fn question(to: RefAddr) -> (AnswerSender, Answer) {
    let (sender, receiver) = oneshot::channel();
    (AnswerSender { to: To::Answer(sender), from: to }, Answer(receiver))
}

impl AnswerSender {
    /// One whose reply goes elsewhere than to an [`Answer`].
    pub(crate) fn to(replies: impl Replies + 'static, from: RefAddr) -> AnswerSender {
        AnswerSender { to: To::Other(Box::new(replies)), from }
    }

    /// Answers. The reply is received as something that was told, signed by the one who was asked.
    ///
    /// # Errors
    /// Gives the value back when whoever asked has dropped the [`Answer`].
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// # let group = platform.spawn(|ctx| async move {
    /// # let question = ctx.recv().await?;
    /// let answer = ctx.ask(&ctx.signature(), "well?").unwrap();
    /// let (mut message, _) = ctx.recv().await?.extract();
    /// let sender = message.take_sender().unwrap();
    /// drop(answer);
    /// assert_eq!(sender.reply("too late"), Err("too late"));
    /// # answer!(question, ()).map_err(|_| ())
    /// # }).unwrap();
    /// # platform.start();
    /// # assert!(group.elems()[0].ask_anonymously("go").unwrap().await.is_ok());
    /// # });
    /// ```
    pub fn reply<M: Message>(self, msg: M) -> Result<(), M> {
        match self.to {
            To::Answer(sender) => sender
                .send(SignedMessage::new(Msg::tell(msg), self.from))
                .map_err(|unsent| unsent.msg.unsent()),
            To::Other(replies) => {
                replies.reply(Value::new(msg)).map_err(|unsent| Msg::of(unsent).unsent())
            }
        }
    }
}

impl fmt::Debug for AnswerSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnswerSender").field("from", &self.from).finish_non_exhaustive()
    }
}

/// The answer to a question, in the future: the reply, or `Err(())` when there will be none, because the one who was asked has dropped
/// the question or has ended.
///
/// There is no limit of time.
///
/// # Cancel safety
/// Dropping it tells the one who was asked that nobody waits.
///
/// # Examples
/// ```
/// # use bastion_classic::{platform::Platform, prelude::*};
/// # Platform::simulate(1, async |platform| {
/// let group = platform.spawn(|ctx| async move {
///     let question = ctx.recv().await?;
///     answer!(question, "yes").map_err(|_| ())
/// });
/// let child = group.unwrap().elems()[0].clone();
/// platform.start();
/// let answer: Answer = child.ask_anonymously("well?").unwrap();
/// assert_eq!(msg! { answer.await.unwrap(), text: &'static str => text; _: _ => ""; }, "yes");
/// # });
/// ```
#[derive(Debug)]
pub struct Answer(oneshot::Receiver<SignedMessage>);

impl Future for Answer {
    type Output = Result<SignedMessage, ()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx).map(|answer| answer.ok_or(()))
    }
}

/// Somewhere that takes one value of a type, and says whether it did.
pub(crate) trait Typed<R>: Send + Sync {
    /// Gives it back when nobody waits for it.
    fn take(self, value: Result<R, SendError>) -> Result<(), Result<R, SendError>>;
}

/// Takes replies of one type; another one is an error to whoever waits.
pub(crate) struct Expecting<S, R>(pub(crate) S, pub(crate) std::marker::PhantomData<fn() -> R>);

impl<R: Message, S: Typed<R>> Replies for Expecting<S, R> {
    fn reply(self: Box<Self>, value: Value) -> Result<(), Value> {
        match value.downcast::<R>() {
            Ok(value) => match self.0.take(Ok(value)) {
                Err(Ok(unsent)) => Err(Value::new(unsent)),
                _ => Ok(()),
            },
            Err(value) => {
                let wrong = anyhow::anyhow!("received a message with the wrong type");
                self.0.take(Err(SendError::Other(wrong))).map_err(|_| value)
            }
        }
    }
}
