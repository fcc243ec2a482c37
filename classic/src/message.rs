//! Messages: [`Msg`], what it can be, and what comes back of a question.
//!
//! The only file that knows how a message is stored.

mod handler;
mod reply;

pub use handler::MessageHandler;
pub use reply::{Answer, AnswerSender};
pub(crate) use reply::{Expecting, Typed, question};

use bastion_mailbox::Value;
use std::any::Any;
use std::fmt::{self, Debug};
use std::sync::Arc;

/// What can be sent: any value that is `Send`, `Sync`, `Debug` and owns what it needs.
///
/// # Examples
/// ```
/// use bastion_classic::prelude::*;
/// #[derive(Debug)]
/// struct Job(u64);
/// fn give(worker: &ChildRef, job: Job) -> Result<(), Job> {
///     worker.tell_anonymously(job)
/// }
/// ```
pub trait Message: Any + Send + Sync + Debug {}

impl<T> Message for T where T: Any + Send + Sync + Debug {}

/// A message of any type: a broadcast, which all receivers share; something that was told; or a question.
///
/// The macro [`msg!`](crate::msg) and [`MessageHandler`] take it apart.
///
/// # Examples
/// ```
/// # use bastion_classic::{platform::Platform, prelude::*};
/// # Platform::simulate(1, async |platform| {
/// # let group = platform.spawn(|ctx| async move {
/// # let question = ctx.recv().await?;
/// ctx.current().tell_anonymously("hello").unwrap();
/// let (message, _sender): (Msg, RefAddr) = ctx.recv().await?.extract();
/// assert_eq!(message.downcast::<&str>().unwrap(), "hello");
/// # answer!(question, ()).map_err(|_| ())
/// # }).unwrap();
/// # platform.start();
/// # assert!(group.elems()[0].ask_anonymously("go").unwrap().await.is_ok());
/// # });
/// ```
pub struct Msg(Kind);

/// Small, since a message is moved several times on its way: four words. A value of up to three lies in it.
enum Kind {
    /// A broadcast, if it is shared; else it was told.
    Value(Value),
    Ask(Box<Question>),
}

struct Question {
    value: Value,
    /// The right to answer, until it is taken.
    sender: Option<AnswerSender>,
}

impl Msg {
    #[inline]
    pub(crate) fn of(value: Value) -> Msg {
        Msg(Kind::Value(value))
    }

    #[inline]
    pub(crate) fn tell(value: impl Message) -> Msg {
        Msg::of(Value::new(value))
    }

    pub(crate) fn ask(value: impl Message, sender: AnswerSender) -> Msg {
        Msg(Kind::Ask(Box::new(Question { value: Value::new(value), sender: Some(sender) })))
    }

    /// Returns another one with the same value, when it is shared.
    pub(crate) fn share(&self) -> Option<Msg> {
        match &self.0 {
            Kind::Value(value) => value.share().map(Msg::of),
            Kind::Ask(_) => None,
        }
    }

    /// Returns the value of a message that was not sent.
    ///
    /// # Panics
    /// When it is of another type, or shared.
    pub(crate) fn unsent<M: Message>(self) -> M {
        self.downcast().expect("it is what was to be sent")
    }

    #[inline]
    fn value(&self) -> &Value {
        match &self.0 {
            Kind::Value(value) => value,
            Kind::Ask(question) => &question.value,
        }
    }

    /// Says whether it went to all.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// # let group = platform.spawn(|ctx| async move {
    /// # let question = ctx.recv().await?;
    /// ctx.parent().broadcast(7_u32).unwrap();
    /// let (message, _) = ctx.recv().await?.extract();
    /// assert!(message.is_broadcast());
    /// # answer!(question, ()).map_err(|_| ())
    /// # }).unwrap();
    /// # platform.start();
    /// # assert!(group.elems()[0].ask_anonymously("go").unwrap().await.is_ok());
    /// # });
    /// ```
    #[doc(hidden)]
    #[inline]
    pub fn is_broadcast(&self) -> bool {
        matches!(&self.0, Kind::Value(value) if value.is_shared())
    }

    /// Says whether it was told, and wants no answer.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// # let group = platform.spawn(|ctx| async move {
    /// # let question = ctx.recv().await?;
    /// ctx.current().tell_anonymously(7_u32).unwrap();
    /// let (message, _) = ctx.recv().await?.extract();
    /// assert!(message.is_tell());
    /// # answer!(question, ()).map_err(|_| ())
    /// # }).unwrap();
    /// # platform.start();
    /// # assert!(group.elems()[0].ask_anonymously("go").unwrap().await.is_ok());
    /// # });
    /// ```
    #[doc(hidden)]
    pub fn is_tell(&self) -> bool {
        matches!(&self.0, Kind::Value(value) if !value.is_shared())
    }

    /// Says whether it is a question.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// # let group = platform.spawn(|ctx| async move {
    /// # let question = ctx.recv().await?;
    /// ctx.current().tell_anonymously(7_u32).unwrap();
    /// let (message, _) = ctx.recv().await?.extract();
    /// assert!(!message.is_ask());
    /// # answer!(question, ()).map_err(|_| ())
    /// # }).unwrap();
    /// # platform.start();
    /// # assert!(group.elems()[0].ask_anonymously("go").unwrap().await.is_ok());
    /// # });
    /// ```
    #[doc(hidden)]
    pub fn is_ask(&self) -> bool {
        matches!(self.0, Kind::Ask(_))
    }

    /// Takes the right to answer, of a question whose right was not taken yet.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// # let group = platform.spawn(|ctx| async move {
    /// # let question = ctx.recv().await?;
    /// let answer = ctx.ask(&ctx.signature(), 7_u32).unwrap();
    /// let (mut message, _) = ctx.recv().await?.extract();
    /// message.take_sender().unwrap().reply("yes").unwrap();
    /// assert!(answer.await.is_ok());
    /// # answer!(question, ()).map_err(|_| ())
    /// # }).unwrap();
    /// # platform.start();
    /// # assert!(group.elems()[0].ask_anonymously("go").unwrap().await.is_ok());
    /// # });
    /// ```
    #[doc(hidden)]
    #[inline]
    pub fn take_sender(&mut self) -> Option<AnswerSender> {
        match &mut self.0 {
            Kind::Ask(question) => question.sender.take(),
            Kind::Value(_) => None,
        }
    }

    /// Says whether the value is of this type.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// # let group = platform.spawn(|ctx| async move {
    /// # let question = ctx.recv().await?;
    /// ctx.current().tell_anonymously(7_u32).unwrap();
    /// let (message, _) = ctx.recv().await?.extract();
    /// assert!(message.is::<u32>() && !message.is::<u64>());
    /// # answer!(question, ()).map_err(|_| ())
    /// # }).unwrap();
    /// # platform.start();
    /// # assert!(group.elems()[0].ask_anonymously("go").unwrap().await.is_ok());
    /// # });
    /// ```
    #[doc(hidden)]
    #[inline]
    pub fn is<M: Message>(&self) -> bool {
        self.value().is::<M>()
    }

    /// Returns the value, if it is of this type and not shared.
    ///
    /// # Errors
    /// Gives the message back when it is a broadcast, or of another type.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// # let group = platform.spawn(|ctx| async move {
    /// # let question = ctx.recv().await?;
    /// ctx.current().tell_anonymously(7_u32).unwrap();
    /// let (message, _) = ctx.recv().await?.extract();
    /// let message = message.downcast::<u64>().unwrap_err();
    /// assert_eq!(message.downcast::<u32>().unwrap(), 7);
    /// # answer!(question, ()).map_err(|_| ())
    /// # }).unwrap();
    /// # platform.start();
    /// # assert!(group.elems()[0].ask_anonymously("go").unwrap().await.is_ok());
    /// # });
    /// ```
    #[doc(hidden)]
    #[inline]
    pub fn downcast<M: Message>(self) -> Result<M, Self> {
        match self.0 {
            Kind::Value(value) => value.downcast().map_err(Msg::of),
            Kind::Ask(question) if question.value.is::<M>() => {
                question.value.downcast().map_err(Msg::of)
            }
            question => Err(Msg(question)),
        }
    }

    /// Returns the shared value, if it is a broadcast of this type.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// # let group = platform.spawn(|ctx| async move {
    /// # let question = ctx.recv().await?;
    /// ctx.parent().broadcast(7_u32).unwrap();
    /// let (message, _) = ctx.recv().await?.extract();
    /// assert_eq!(*message.downcast_ref::<u32>().unwrap(), 7);
    /// # answer!(question, ()).map_err(|_| ())
    /// # }).unwrap();
    /// # platform.start();
    /// # assert!(group.elems()[0].ask_anonymously("go").unwrap().await.is_ok());
    /// # });
    /// ```
    #[doc(hidden)]
    pub fn downcast_ref<M: Message>(&self) -> Option<Arc<M>> {
        match &self.0 {
            Kind::Value(value) => value.share()?.downcast_arc().ok(),
            Kind::Ask(_) => None,
        }
    }
}

impl AsRef<dyn Any> for Msg {
    fn as_ref(&self) -> &(dyn Any + 'static) {
        self.value().as_any()
    }
}

impl Debug for Msg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.0 {
            Kind::Value(value) if value.is_shared() => "Broadcast",
            Kind::Value(_) => "Tell",
            Kind::Ask(_) => "Ask",
        };
        write!(f, "{kind}({})", self.value().type_name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_small() {
        assert_eq!(size_of::<Msg>(), 4 * size_of::<usize>());
        assert_eq!(size_of::<crate::envelope::SignedMessage>(), 5 * size_of::<usize>());
    }
}
