//! [`Handling`]: a message is matched against types, one after another; and what becomes of one that none of them is.

use super::{Message, Msg};
use crate::process::{Context, Reply};
use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// A message that is being matched: the first function that it suits is called with its value, the others are not.
///
/// Made by [`Msg::handle`]. It ends with [`otherwise`](Handling::otherwise), [`or_refuse`](Handling::or_refuse) or
/// [`or_error`](Handling::or_error), which say what becomes of a message that suits none. All functions return the same type. Where
/// something has to be awaited, match the types one by one: [`Msg::downcast`], [`Msg::split`].
///
/// # Examples
/// ```
/// use bastion_supervision::{AskError, Context, Exit, Msg, Runtime, Sim, System, child};
/// use std::sync::Arc;
/// struct News(String);
/// async fn reader(mut cx: Context<Msg>) -> Result<(), Exit> {
///     let (mut total, mut read) = (0, Vec::new());
///     while let Some(message) = cx.recv().await {
///         message
///             .handle()
///             .on(|number: u32| total += number)
///             .on_question(|(): (), reply| reply.send_any(total))
///             .on_shared(|news: Arc<News>| read.push(news.0.len()))
///             .or_refuse(&cx);
///     }
///     Ok(())
/// }
/// let sim = Sim::new(1);
/// sim.run(async {
///     let system = System::new(Runtime::sim(&sim));
///     let reader = system.spawn_child(child(reader)).unwrap();
///     reader.tell_any(7_u32).unwrap();
///     assert_eq!(reader.ask_any(()).await.unwrap().downcast::<u32>().unwrap(), 7);
///     assert_eq!(reader.ask_any("what?").await.unwrap_err(), AskError::NotUnderstood);
///     assert_eq!(system.stats().dead_letters, 1);
/// });
/// ```
#[must_use = "what becomes of a message that suits none is not said yet"]
pub struct Handling<O>(Result<O, Msg>);

impl<O> Handling<O> {
    pub(super) fn new(message: Msg) -> Handling<O> {
        Handling(Err(message))
    }

    /// Calls `f` with the value of a message that wants no answer.
    #[inline]
    pub fn on<T: Message>(self, f: impl FnOnce(T) -> O) -> Handling<O> {
        self.when(
            |message| !message.is_question() && message.is::<T>(),
            |message| message.downcast().map(f),
        )
    }

    /// Calls `f` with the value of a question, and the reply. When the reply is dropped, who asks is told.
    pub fn on_question<T: Message>(self, f: impl FnOnce(T, Reply<Msg>) -> O) -> Handling<O> {
        self.when(
            |message| message.is_question() && message.is::<T>(),
            |mut message| match message.take_reply() {
                Some(reply) => message.downcast().map(|value| f(value, reply)),
                None => Err(message),
            },
        )
    }

    /// Calls `f` with a value that is [shared](Msg::shared).
    pub fn on_shared<T: Message>(self, f: impl FnOnce(Arc<T>) -> O) -> Handling<O> {
        self.when(
            |message| message.is_shared() && message.is::<T>(),
            |message| message.downcast_arc().map(f),
        )
    }

    /// Does something with a message that suits; any other stays where it is.
    #[inline]
    fn when(
        self,
        suits: impl FnOnce(&Msg) -> bool,
        f: impl FnOnce(Msg) -> Result<O, Msg>,
    ) -> Handling<O> {
        match self.0 {
            Err(message) if suits(&message) => Handling(f(message)),
            _ => self,
        }
    }

    /// Calls `f` with a message that suits nothing before.
    pub fn otherwise(self, f: impl FnOnce(Msg) -> O) -> O {
        self.0.unwrap_or_else(f)
    }

    /// Makes a message that suits nothing before a dead letter of this process; who asks is told at once: see [`Context::refuse`].
    pub fn or_refuse(self, context: &Context<Msg>) -> Option<O> {
        self.0.map_err(|message| context.refuse(message)).ok()
    }

    /// Returns what the function has returned that was called.
    ///
    /// # Errors
    /// [`NotUnderstood`] when the message suits nothing before. It is dropped, and who asks is told at once. For processes that had rather
    /// crash, as Erlang's do.
    pub fn or_error(self) -> Result<O, NotUnderstood> {
        self.0.map_err(|mut message| {
            message.refuse();
            NotUnderstood { type_name: message.type_name() }
        })
    }
}

impl<O: fmt::Debug> fmt::Debug for Handling<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Ok(output) => f.debug_tuple("Handled").field(output).finish(),
            Err(message) => f.debug_tuple("Open").field(message).finish(),
        }
    }
}

/// A process has received a message of a type that it does not understand.
///
/// It does not have the message: that might keep who asks, or the process itself, for as long as the report of a crash is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotUnderstood {
    /// The name of the type, for people to read.
    pub type_name: &'static str,
}

impl fmt::Display for NotUnderstood {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a message of type {} is not understood", self.type_name)
    }
}

impl Error for NotUnderstood {}
