//! [`Msg`]: a message of any type, for processes that do not say what they receive; and how one is matched (`handling`).

mod handling;

pub use self::handling::{Handling, NotUnderstood};

use crate::process::{Address, AskError, Recipient, Reply};
use bastion_mailbox::Value;
use std::any::Any;
use std::fmt;
use std::sync::Arc;

/// What can be sent to a process that takes [`Msg`]s: any value that is `Send` and `Sync` and owns what it needs.
pub trait Message: Any + Send + Sync {}

impl<T: Any + Send + Sync> Message for T {}

/// A message of any type; maybe a question, maybe signed by who has sent it.
///
/// A value of up to three words lies in the message itself, a larger one in a box. One that many are to see is [shared](Msg::shared):
/// it is not copied, they look at it.
///
/// # Examples
/// ```
/// use bastion_supervision::Msg;
/// let message = Msg::new(7_u32);
/// let message = message.downcast::<String>().unwrap_err();
/// assert_eq!(message.downcast::<u32>().unwrap(), 7);
/// ```
///
/// A reply goes to the sender, whoever that is:
/// ```
/// use bastion_supervision::plan::RestartType;
/// use bastion_supervision::{Context, Exit, Msg, Runtime, Sim, System, child};
/// async fn doubles(mut cx: Context<Msg>) -> Result<(), Exit> {
///     while let Some(message) = cx.recv().await {
///         let sender = message.sender();
///         if let (Some(sender), Ok(number)) = (sender, message.downcast::<u32>()) {
///             sender.tell_any(2 * number)?;
///         }
///     }
///     Ok(())
/// }
/// let sim = Sim::new(1);
/// sim.run(async {
///     let system = System::new(Runtime::sim(&sim));
///     let doubles = system.spawn_child(child(doubles)).unwrap();
///     let asks = child(move |mut cx: Context<Msg>| {
///         let doubles = doubles.clone();
///         async move {
///             doubles.tell(cx.signed(21_u32))?;
///             let answer = cx.recv().await.and_then(|answer| answer.downcast::<u32>().ok());
///             assert_eq!(answer, Some(42));
///             Ok(())
///         }
///     });
///     let asks = system.spawn_child(asks.restart(RestartType::Temporary)).unwrap();
///     assert!(!asks.ended().await.is_abnormal());
/// });
/// ```
pub struct Msg(Inner);

/// A message is moved several times on its way, so it is small: both forms are five words, since the second one has its place where a value
/// has none. What is sent most is the first: a box that one thread makes and another one frees costs more than all else of a message.
enum Inner {
    Light { value: Value, sender: Option<Address<Msg>> },
    Full(Box<Full>),
}

/// A question, or a message for which another process's messages have to be converted.
struct Full {
    value: Value,
    reply: Option<Reply<Msg>>,
    sender: Option<Recipient<Msg>>,
}

impl Msg {
    /// Makes a message that wants no answer.
    #[inline]
    pub fn new<T: Message>(value: T) -> Msg {
        Msg::light(Value::new(value))
    }

    /// Makes a message whose value others have too, or will have: see [`Msg::try_clone`] and [`Names::broadcast`](crate::Names::broadcast).
    ///
    /// # Examples
    /// ```
    /// use bastion_supervision::Msg;
    /// use std::sync::Arc;
    /// let news = Msg::shared(Arc::new("rain".to_owned()));
    /// let again = news.try_clone().unwrap();
    /// assert_eq!(news.downcast_ref::<String>().unwrap(), "rain");
    /// // Whoever wants to keep it has a reference. Nobody takes it out.
    /// let again = again.downcast::<String>().unwrap_err();
    /// assert_eq!(*again.downcast_arc::<String>().unwrap(), "rain");
    /// ```
    pub fn shared<T: Message>(value: Arc<T>) -> Msg {
        Msg::light(Value::shared(value))
    }

    #[inline]
    fn light(value: Value) -> Msg {
        Msg(Inner::Light { value, sender: None })
    }

    /// Makes a question: who has it answers by the reply. Mostly made by [`Address::ask_any`](crate::Address::ask_any); this is for
    /// questions that are signed too.
    ///
    /// # Examples
    /// ```
    /// use bastion_supervision::{Address, Ask, Context, Msg};
    /// fn ask(cx: &Context<Msg>, other: &Address<Msg>) -> Ask<Msg> {
    ///     other.ask(|reply| Msg::question("how are you?", reply).signed_by(cx.address()))
    /// }
    /// ```
    pub fn question<T: Message>(value: T, reply: Reply<Msg>) -> Msg {
        Msg::new(value).asking(reply)
    }

    /// Signs the message: whoever receives it can [reply](Msg::sender) to that process. A process of [`Msg`]s signs its own by
    /// [`Context::signed`](crate::Context::signed).
    #[inline]
    pub fn signed_by(self, sender: Address<Msg>) -> Msg {
        match self.0 {
            Inner::Light { value, .. } => Msg(Inner::Light { value, sender: Some(sender) }),
            Inner::Full(full) => Msg(Inner::Full(full)).reply_to(sender.into()),
        }
    }

    /// Signs the message by a process that receives other messages, and accepts those of any type.
    pub fn reply_to(self, sender: Recipient<Msg>) -> Msg {
        let mut full = self.into_full();
        full.sender = Some(sender);
        Msg(Inner::Full(full))
    }

    fn asking(self, reply: Reply<Msg>) -> Msg {
        let mut full = self.into_full();
        full.reply = Some(reply);
        Msg(Inner::Full(full))
    }

    fn into_full(self) -> Box<Full> {
        match self.0 {
            Inner::Light { value, sender } => {
                Box::new(Full { value, reply: None, sender: sender.map(Recipient::from) })
            }
            Inner::Full(full) => full,
        }
    }

    #[inline]
    fn value(&self) -> &Value {
        match &self.0 {
            Inner::Light { value, .. } => value,
            Inner::Full(full) => &full.value,
        }
    }

    /// Returns who has signed the message. It says so itself: nothing proves it.
    pub fn sender(&self) -> Option<Recipient<Msg>> {
        match &self.0 {
            Inner::Light { sender, .. } => sender.as_ref().map(Address::recipient),
            Inner::Full(full) => full.sender.clone(),
        }
    }

    /// Says whether the value is a `T`, owned or shared.
    #[inline]
    pub fn is<T: Message>(&self) -> bool {
        self.value().is::<T>()
    }

    /// Says whether the sender waits for an answer.
    #[inline]
    pub fn is_question(&self) -> bool {
        matches!(&self.0, Inner::Full(full) if full.reply.is_some())
    }

    /// Says whether the value is shared: then it can be looked at, and not be moved out.
    #[inline]
    pub fn is_shared(&self) -> bool {
        self.value().is_shared()
    }

    /// Returns the name of the value's type, for people to read: see [`std::any::type_name`].
    pub fn type_name(&self) -> &'static str {
        self.value().type_name()
    }

    /// Looks at the value, whatever its type.
    pub fn as_any(&self) -> &(dyn Any + Send + Sync) {
        self.value().as_any()
    }

    /// Looks at the value, if it is a `T`, owned or shared.
    #[inline]
    pub fn downcast_ref<T: Message>(&self) -> Option<&T> {
        self.value().downcast_ref()
    }

    /// Returns the value, when it is a `T`, and not shared. A question loses its reply by this: see [`Msg::split`].
    ///
    /// # Errors
    /// Gives the message back otherwise.
    #[inline]
    pub fn downcast<T: Message>(self) -> Result<T, Msg> {
        match self.0 {
            Inner::Light { value, sender } => {
                value.downcast().map_err(|value| Msg(Inner::Light { value, sender }))
            }
            Inner::Full(full) => full.take_out(Value::downcast).map(|taken| taken.0),
        }
    }

    /// Returns a reference to the value, when it is a `T`. One that was not shared is from now on. A question loses its reply by this:
    /// see [`Msg::take_reply`].
    ///
    /// # Errors
    /// Gives the message back when its value is of another type.
    pub fn downcast_arc<T: Message>(self) -> Result<Arc<T>, Msg> {
        match self.0 {
            Inner::Light { value, sender } => {
                value.downcast_arc().map_err(|value| Msg(Inner::Light { value, sender }))
            }
            Inner::Full(full) => full.take_out(Value::downcast_arc).map(|taken| taken.0),
        }
    }

    /// Returns the value, as [`Msg::downcast`], and, when the message is a question, the reply.
    ///
    /// # Errors
    /// Gives the message back when its value is shared or of another type.
    pub fn split<T: Message>(self) -> Result<(T, Option<Reply<Msg>>), Msg> {
        match self.0 {
            Inner::Light { .. } => self.downcast().map(|value| (value, None)),
            Inner::Full(full) => full.take_out(Value::downcast),
        }
    }

    /// Takes the reply out: the message is no question any more.
    #[inline]
    pub fn take_reply(&mut self) -> Option<Reply<Msg>> {
        match &mut self.0 {
            Inner::Light { .. } => None,
            Inner::Full(full) => full.reply.take(),
        }
    }

    /// Answers the question; does nothing when the message is none.
    pub fn answer(mut self, value: impl Message) {
        if let Some(reply) = self.take_reply() {
            reply.send(Msg::new(value));
        }
    }

    /// Matches the message by its type, and by whether it is a question: see [`Handling`].
    #[inline]
    pub fn handle<O>(self) -> Handling<O> {
        Handling::new(self)
    }

    /// Makes another message of the same shared value, with the same sender. `None`: the value is not shared, or the message a
    /// question, which has one reply.
    pub fn try_clone(&self) -> Option<Msg> {
        let value = self.value().share()?;
        match &self.0 {
            Inner::Light { sender, .. } => {
                Some(Msg(Inner::Light { value, sender: sender.clone() }))
            }
            Inner::Full(full) if full.reply.is_some() => None,
            Inner::Full(full) => {
                let sender = full.sender.clone();
                Some(Msg(Inner::Full(Box::new(Full { value, reply: None, sender }))))
            }
        }
    }

    /// Makes it a message of which there may be more. A question is answered by this: nobody has understood it.
    pub(crate) fn into_shared(mut self) -> Msg {
        self.refuse();
        Msg(match self.0 {
            Inner::Light { value, sender } => Inner::Light { value: value.into_shared(), sender },
            Inner::Full(full) => {
                let Full { value, reply, sender } = *full;
                Inner::Full(Box::new(Full { value: value.into_shared(), reply, sender }))
            }
        })
    }

    /// Answers a question: it was not understood.
    pub(crate) fn refuse(&mut self) {
        if let Some(reply) = self.take_reply() {
            reply.refuse(AskError::NotUnderstood);
        }
    }
}

impl Full {
    /// Returns the value, if `take` takes it, and the reply.
    fn take_out<T>(
        mut self: Box<Self>,
        take: impl FnOnce(Value) -> Result<T, Value>,
    ) -> Result<(T, Option<Reply<Msg>>), Msg> {
        match take(self.value) {
            Ok(value) => Ok((value, self.reply)),
            Err(value) => {
                // Its box again.
                self.value = value;
                Err(Msg(Inner::Full(self)))
            }
        }
    }
}

impl fmt::Debug for Msg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.is_question() { "question" } else { "message" };
        write!(f, "Msg({kind} of type {}", self.type_name())?;
        if let Some(sender) = self.sender() {
            write!(f, " from {sender:?}")?;
        }
        f.write_str(")")
    }
}
