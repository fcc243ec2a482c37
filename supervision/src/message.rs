//! [`Msg`]: a message of any type, for processes that do not say what they receive.

use crate::process::Reply;
use std::any::{Any, type_name};
use std::fmt;

/// What can be sent to a process that takes [`Msg`]s: any value that is `Send` and `Sync` and owns what it needs.
pub trait Message: Any + Send + Sync {}

impl<T: Any + Send + Sync> Message for T {}

/// A message of any type, maybe a question.
///
/// # Examples
/// ```
/// use bastion_supervision::Msg;
/// let message = Msg::new(7_u32);
/// let message = message.downcast::<String>().unwrap_err();
/// assert_eq!(message.downcast::<u32>().unwrap(), 7);
/// ```
pub struct Msg {
    value: Box<dyn Any + Send + Sync>,
    type_name: &'static str,
    reply: Option<Reply<Msg>>,
}

impl Msg {
    /// Makes a message that wants no answer.
    pub fn new<T: Message>(value: T) -> Msg {
        Msg { value: Box::new(value), type_name: type_name::<T>(), reply: None }
    }

    pub(crate) fn question<T: Message>(value: T, reply: Reply<Msg>) -> Msg {
        Msg { reply: Some(reply), ..Msg::new(value) }
    }

    /// Says whether the value is a `T`.
    pub fn is<T: Message>(&self) -> bool {
        self.value.is::<T>()
    }

    /// Returns the name of the value's type, for people to read: see [`std::any::type_name`].
    pub fn type_name(&self) -> &'static str {
        self.type_name
    }

    /// Says whether the sender waits for an answer.
    pub fn is_question(&self) -> bool {
        self.reply.is_some()
    }

    /// Returns the value, when it is a `T`. A question loses its reply by this: see [`Msg::split`].
    ///
    /// # Errors
    /// Gives the message back when its value is of another type.
    pub fn downcast<T: Message>(self) -> Result<T, Msg> {
        self.split().map(|(value, _)| value)
    }

    /// Returns the value and, when the message is a question, the reply.
    ///
    /// # Errors
    /// Gives the message back when its value is of another type.
    pub fn split<T: Message>(self) -> Result<(T, Option<Reply<Msg>>), Msg> {
        let Msg { value, type_name, reply } = self;
        match value.downcast() {
            Ok(value) => Ok((*value, reply)),
            Err(value) => Err(Msg { value, type_name, reply }),
        }
    }

    /// Answers the question; does nothing when the message is none.
    pub fn answer(self, value: impl Message) {
        if let Some(reply) = self.reply {
            reply.send(Msg::new(value));
        }
    }
}

impl fmt::Debug for Msg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.is_question() { "question" } else { "message" };
        write!(f, "Msg({kind} of type {})", self.type_name)
    }
}
