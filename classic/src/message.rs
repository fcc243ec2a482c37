//! Messages: [`Msg`], what it can be, and what comes back of a question.
//!
//! The only file that knows how a message is stored.

mod handler;
mod reply;

pub use handler::MessageHandler;
pub use reply::{Answer, AnswerSender};
pub(crate) use reply::{Expecting, Typed, question};

use std::any::Any;
use std::fmt::{self, Debug};
use std::sync::Arc;

/// What can be sent: any value that is `Send`, `Sync`, `Debug` and owns what it needs.
pub trait Message: Any + Send + Sync + Debug {}

impl<T> Message for T where T: Any + Send + Sync + Debug {}

/// A message of any type: a broadcast, which all receivers share; something that was told; or a question.
///
/// The macro [`msg!`](crate::msg) and [`MessageHandler`] take it apart.
pub struct Msg(Kind);

enum Kind {
    Broadcast(Arc<dyn Message>),
    Tell(Box<dyn Message>),
    /// The right to answer is there until it is taken.
    Ask(Box<dyn Message>, Option<AnswerSender>),
}

impl Msg {
    pub(crate) fn broadcast(value: Arc<dyn Message>) -> Msg {
        Msg(Kind::Broadcast(value))
    }

    pub(crate) fn tell(value: impl Message) -> Msg {
        Msg(Kind::Tell(Box::new(value)))
    }

    pub(crate) fn told(value: Box<dyn Message>) -> Msg {
        Msg(Kind::Tell(value))
    }

    pub(crate) fn ask(value: impl Message, sender: AnswerSender) -> Msg {
        Msg(Kind::Ask(Box::new(value), Some(sender)))
    }

    /// Returns another one with the same value, when it is shared.
    pub(crate) fn share(&self) -> Option<Msg> {
        match &self.0 {
            Kind::Broadcast(value) => Some(Msg::broadcast(value.clone())),
            Kind::Tell(_) | Kind::Ask(..) => None,
        }
    }

    /// Returns the value of a message that was not sent.
    ///
    /// # Panics
    /// When it is of another type, or shared.
    pub(crate) fn unsent<M: Message>(self) -> M {
        self.downcast().expect("it is what was to be sent")
    }

    fn value(&self) -> &dyn Message {
        match &self.0 {
            Kind::Broadcast(value) => &**value,
            Kind::Tell(value) | Kind::Ask(value, _) => &**value,
        }
    }

    /// Says whether it went to all.
    #[doc(hidden)]
    pub fn is_broadcast(&self) -> bool {
        matches!(self.0, Kind::Broadcast(_))
    }

    /// Says whether it was told, and wants no answer.
    #[doc(hidden)]
    pub fn is_tell(&self) -> bool {
        matches!(self.0, Kind::Tell(_))
    }

    /// Says whether it is a question.
    #[doc(hidden)]
    pub fn is_ask(&self) -> bool {
        matches!(self.0, Kind::Ask(..))
    }

    /// Takes the right to answer, of a question whose right was not taken yet.
    #[doc(hidden)]
    pub fn take_sender(&mut self) -> Option<AnswerSender> {
        match &mut self.0 {
            Kind::Ask(_, sender) => sender.take(),
            Kind::Broadcast(_) | Kind::Tell(_) => None,
        }
    }

    /// Says whether the value is of this type.
    #[doc(hidden)]
    pub fn is<M: Message>(&self) -> bool {
        self.as_ref().is::<M>()
    }

    /// Returns the value, if it is of this type and not shared.
    ///
    /// # Errors
    /// Gives the message back when it is a broadcast, or of another type.
    #[doc(hidden)]
    pub fn downcast<M: Message>(self) -> Result<M, Self> {
        if !self.is::<M>() {
            return Err(self);
        }
        match self.0 {
            Kind::Tell(value) | Kind::Ask(value, _) => {
                let value: Box<dyn Any> = value;
                Ok(*value.downcast().expect("it is of this type"))
            }
            Kind::Broadcast(_) => Err(self),
        }
    }

    /// Returns the shared value, if it is a broadcast of this type.
    #[doc(hidden)]
    pub fn downcast_ref<M: Message>(&self) -> Option<Arc<M>> {
        match &self.0 {
            Kind::Broadcast(value) => {
                let value: Arc<dyn Any + Send + Sync> = value.clone();
                value.downcast().ok()
            }
            Kind::Tell(_) | Kind::Ask(..) => None,
        }
    }
}

impl AsRef<dyn Any> for Msg {
    fn as_ref(&self) -> &(dyn Any + 'static) {
        self.value()
    }
}

impl Debug for Msg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.0 {
            Kind::Broadcast(_) => "Broadcast",
            Kind::Tell(_) => "Tell",
            Kind::Ask(..) => "Ask",
        };
        f.debug_tuple(kind).field(&self.value()).finish()
    }
}
