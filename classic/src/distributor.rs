//! [`Distributor`]: a name for children that share work.

use crate::child_ref::ChildRef;
use crate::dispatcher::{Recipient, RoundRobinHandler};
use crate::envelope::{RefAddr, SignedMessage};
use crate::errors::SendError;
use crate::message::{Answer, AnswerSender, Expecting, Message, Typed};
use crate::sync::lock;
use anyhow::Result as AnyResult;
use bastion_supervision::TellError;
use futures_channel::oneshot;
use std::collections::HashMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::ptr;
use std::sync::{Arc, LazyLock, Mutex, mpsc};

/// The children of one name, whichever groups they are of: each message goes to one of them, in turn, or to all.
///
/// A child is a member while it runs, if its group was made
/// [`with_distributor`](crate::children::Children::with_distributor), and else from [`subscribe`](Distributor::subscribe) to
/// [`unsubscribe`](Distributor::unsubscribe). Names are those of the program, and never forgotten; equal names are the same distributor.
///
/// # Examples
/// ```
/// use bastion_classic::prelude::*;
/// let staff = Distributor::named("staff");
/// assert_eq!(staff, Distributor::named("staff"));
/// assert!(matches!(staff.tell_one("hello"), Err(SendError::NoDistributor(name)) if name == "staff"));
/// ```
#[derive(Clone, Copy)]
pub struct Distributor(&'static Entry);

struct Entry {
    name: String,
    /// Nobody, or who is there: registered by a group that is to have members, or by members.
    recipients: Mutex<Option<Arc<RoundRobinHandler>>>,
}

static NAMES: LazyLock<Mutex<HashMap<&'static str, Distributor>>> = LazyLock::new(Mutex::default);

impl Distributor {
    /// Returns the distributor of this name.
    ///
    /// # Examples
    /// ```
    /// use bastion_classic::prelude::*;
    /// assert_eq!(Distributor::named("staff"), Distributor::named(String::from("staff")));
    /// ```
    pub fn named(name: impl AsRef<str>) -> Self {
        let (name, mut names) = (name.as_ref(), lock(&NAMES));
        if let Some(known) = names.get(name) {
            return *known;
        }
        let entry = Entry { name: name.to_owned(), recipients: Mutex::new(None) };
        let entry: &'static Entry = Box::leak(Box::new(entry));
        names.insert(&entry.name, Distributor(entry));
        Distributor(entry)
    }

    pub(crate) fn name(self) -> &'static str {
        &self.0.name
    }

    /// Asks the one whose turn it is. Members that have ended are passed by.
    ///
    /// # Errors
    /// [`SendError::NoDistributor`], [`SendError::EmptyRecipient`]; [`SendError::Disconnected`] when all members have ended,
    /// [`SendError::Full`] when the member's mailbox is full.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// let staff = Distributor::named("staff of ask_one");
    /// let group = platform.children(|children| {
    ///     children.with_distributor(staff).with_redundancy(2).with_exec(|ctx| async move {
    ///         loop {
    ///             msg! { ctx.recv().await?,
    ///                 _question: &'static str =!> answer!(ctx, 42).unwrap();
    ///                 _: _ => ();
    ///             }
    ///         }
    ///     })
    /// });
    /// platform.start();
    /// # group.unwrap().elems()[0].ask_anonymously("are you there?").unwrap().await.unwrap();
    /// let answer = staff.ask_one("what is the answer?").unwrap().await.unwrap();
    /// assert_eq!(msg! { answer, n: i32 => n; _: _ => 0; }, 42);
    /// # });
    /// ```
    pub fn ask_one(&self, question: impl Message) -> Result<Answer, SendError> {
        self.one(question, |child, question| child.ask(question, RefAddr::dead_letters()))
    }

    /// Asks all members, each with a copy.
    ///
    /// # Errors
    /// As for [`tell_everyone`](Distributor::tell_everyone).
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// let staff = Distributor::named("staff of ask_everyone");
    /// let group = platform.children(|children| {
    ///     children.with_distributor(staff).with_redundancy(2).with_exec(|ctx| async move {
    ///         loop {
    ///             msg! { ctx.recv().await?,
    ///                 _question: &'static str =!> answer!(ctx, 42).unwrap();
    ///                 _: _ => ();
    ///             }
    ///         }
    ///     })
    /// });
    /// platform.start();
    /// # group.unwrap().elems()[0].ask_anonymously("are you there?").unwrap().await.unwrap();
    /// for answer in staff.ask_everyone("what is the answer?").unwrap() {
    ///     assert_eq!(msg! { answer.await.unwrap(), n: i32 => n; _: _ => 0; }, 42);
    /// }
    /// # });
    /// ```
    pub fn ask_everyone(&self, question: impl Message + Clone) -> Result<Vec<Answer>, SendError> {
        self.everyone(|child| child.ask(question.clone(), RefAddr::dead_letters()))
    }

    /// Tells the one whose turn it is. Members that have ended are passed by.
    ///
    /// # Errors
    /// As for [`ask_one`](Distributor::ask_one).
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// let staff = Distributor::named("staff of tell_one");
    /// let group = platform.children(|children| {
    ///     children.with_distributor(staff).with_redundancy(2).with_exec(|ctx| async move {
    ///         loop {
    ///             msg! { ctx.recv().await?,
    ///                 _question: &'static str =!> answer!(ctx, 42).unwrap();
    ///                 _: _ => ();
    ///             }
    ///         }
    ///     })
    /// });
    /// platform.start();
    /// # group.unwrap().elems()[0].ask_anonymously("are you there?").unwrap().await.unwrap();
    /// assert!(staff.tell_one("hello").is_ok());
    /// # });
    /// ```
    pub fn tell_one(&self, message: impl Message) -> Result<(), SendError> {
        self.one(message, |child, message| child.tell(message, RefAddr::dead_letters()))
    }

    /// Tells all members, each by a copy. The length of the result is their number.
    ///
    /// # Errors
    /// [`SendError::NoDistributor`], [`SendError::EmptyRecipient`]; that of the first member that did not accept it, though the others did.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// let staff = Distributor::named("staff of tell_everyone");
    /// let group = platform.children(|children| {
    ///     children.with_distributor(staff).with_redundancy(2).with_exec(|ctx| async move {
    ///         loop {
    ///             msg! { ctx.recv().await?,
    ///                 _question: &'static str =!> answer!(ctx, 42).unwrap();
    ///                 _: _ => ();
    ///             }
    ///         }
    ///     })
    /// });
    /// platform.start();
    /// # group.unwrap().elems()[0].ask_anonymously("are you there?").unwrap().await.unwrap();
    /// assert!(staff.tell_everyone("hello").is_ok());
    /// # });
    /// ```
    pub fn tell_everyone(&self, message: impl Message + Clone) -> Result<Vec<()>, SendError> {
        self.everyone(|child| child.tell(message.clone(), RefAddr::dead_letters()))
    }

    /// Asks the one whose turn it is, and expects a reply of one type. The receiver is cancelled when there is none.
    ///
    /// # Errors
    /// What is received: as for [`ask_one`](Distributor::ask_one), and [`SendError::Other`] when the reply is of another type.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// let staff = Distributor::named("staff of request");
    /// let group = platform.children(|children| {
    ///     children.with_distributor(staff).with_redundancy(2).with_exec(|ctx| async move {
    ///         loop {
    ///             msg! { ctx.recv().await?,
    ///                 _question: &'static str =!> answer!(ctx, 42).unwrap();
    ///                 _: _ => ();
    ///             }
    ///         }
    ///     })
    /// });
    /// platform.start();
    /// # group.unwrap().elems()[0].ask_anonymously("are you there?").unwrap().await.unwrap();
    /// let answer = staff.request::<i32>("what is the answer?").await;
    /// assert_eq!(answer.unwrap().unwrap(), 42);
    /// # });
    /// ```
    pub fn request<R: Message>(
        &self,
        question: impl Message,
    ) -> oneshot::Receiver<Result<R, SendError>> {
        let (sender, receiver) = oneshot::channel();
        self.expect(question, sender);
        receiver
    }

    /// The same for code that is not async.
    ///
    /// # Errors
    /// What is received: see [`request`](Distributor::request).
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// let nobody = Distributor::named("staff of request_sync");
    /// let answer = nobody.request_sync::<i32>("what is the answer?").recv().unwrap();
    /// assert!(matches!(answer, Err(SendError::NoDistributor(_))));
    /// # });
    /// ```
    pub fn request_sync<R: Message>(
        &self,
        question: impl Message,
    ) -> mpsc::Receiver<Result<R, SendError>> {
        let (sender, receiver) = mpsc::channel();
        self.expect(question, sender);
        receiver
    }

    /// Makes a child a member.
    ///
    /// # Errors
    /// None; the type is that of bastion 0.4.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// let staff = Distributor::named("staff of subscribe");
    /// let group = platform.children(|children| children).unwrap();
    /// let child = &group.elems()[0];
    /// staff.subscribe(child.clone()).unwrap();
    /// assert!(staff.tell_one("hello").is_ok());
    /// # });
    /// ```
    pub fn subscribe(&self, child_ref: ChildRef) -> AnyResult<()> {
        self.with_members(|members| members.register(child_ref));
        Ok(())
    }

    /// Lets a child go. With the last one the distributor ends, until there is a member again.
    ///
    /// # Errors
    /// When the distributor has no members.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// let staff = Distributor::named("staff of unsubscribe");
    /// let group = platform.children(|children| children).unwrap();
    /// let child = &group.elems()[0];
    /// staff.subscribe(child.clone()).unwrap();
    /// staff.unsubscribe(child.clone()).unwrap();
    /// assert!(matches!(staff.tell_one("hello"), Err(SendError::NoDistributor(_))));
    /// # });
    /// ```
    pub fn unsubscribe(&self, child_ref: ChildRef) -> AnyResult<()> {
        let mut recipients = lock(&self.0.recipients);
        let Some(members) = &*recipients else {
            return Err(SendError::from(*self).into());
        };
        members.remove(&child_ref);
        if members.count() == 0 {
            *recipients = None;
        }
        Ok(())
    }

    /// Takes note that there will be members.
    pub(crate) fn open(&self) {
        self.with_members(|_| ());
    }

    fn with_members(&self, f: impl FnOnce(&RoundRobinHandler)) {
        let mut recipients = lock(&self.0.recipients);
        f(recipients.get_or_insert_default());
    }

    fn members(&self) -> Result<Arc<RoundRobinHandler>, SendError> {
        lock(&self.0.recipients).clone().ok_or_else(|| SendError::from(*self))
    }

    /// Sends to the one whose turn it is, or to the next one that lives.
    fn one<M: Message, T>(
        &self,
        message: M,
        send: impl Fn(&ChildRef, M) -> Result<T, TellError<SignedMessage>>,
    ) -> Result<T, SendError> {
        let members = self.members()?;
        let mut left = members.count();
        let mut message = message;
        loop {
            let child = members.next().ok_or(SendError::EmptyRecipient)?;
            left = left.saturating_sub(1);
            match send(&child, message) {
                Ok(sent) => return Ok(sent),
                Err(TellError::Dead(unsent)) if left > 0 => message = unsent.msg.unsent(),
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn everyone<T>(
        &self,
        send: impl Fn(&ChildRef) -> Result<T, TellError<SignedMessage>>,
    ) -> Result<Vec<T>, SendError> {
        let members = self.members()?.all();
        if members.is_empty() {
            return Err(SendError::EmptyRecipient);
        }
        let sent: Vec<_> = members.iter().map(send).collect();
        sent.into_iter().map(|sent| Ok(sent?)).collect()
    }

    fn expect<R: Message>(&self, question: impl Message, sender: impl Typed<R> + 'static) {
        let sender = Once(Arc::new(Mutex::new(Some(sender))));
        let asked = self.one(question, |child, question| {
            let replies = Expecting(sender.clone(), PhantomData::<fn() -> R>);
            let sender = AnswerSender::to(replies, child.addr());
            child.ask_by(question, sender, RefAddr::dead_letters())
        });
        if let Err(error) = asked {
            let _ = sender.take(Err(error));
        }
    }
}

impl PartialEq for Distributor {
    fn eq(&self, other: &Self) -> bool {
        ptr::eq(self.0, other.0)
    }
}

impl Eq for Distributor {}

impl Hash for Distributor {
    fn hash<H: Hasher>(&self, state: &mut H) {
        ptr::hash(self.0, state);
    }
}

impl fmt::Debug for Distributor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Distributor").field(&self.name()).finish()
    }
}

/// Takes the first value: of several members that are tried, one may reply.
struct Once<S>(Arc<Mutex<Option<S>>>);

impl<S> Clone for Once<S> {
    fn clone(&self) -> Self {
        Once(self.0.clone())
    }
}

impl<R: Send, S: Typed<R>> Typed<R> for Once<S> {
    fn take(self, value: Result<R, SendError>) -> Result<(), Result<R, SendError>> {
        let sender = lock(&self.0).take();
        match sender {
            Some(sender) => sender.take(value),
            None => Err(value),
        }
    }
}

impl<R: Send> Typed<R> for oneshot::Sender<Result<R, SendError>> {
    fn take(self, value: Result<R, SendError>) -> Result<(), Result<R, SendError>> {
        self.send(value)
    }
}

impl<R: Send> Typed<R> for mpsc::Sender<Result<R, SendError>> {
    fn take(self, value: Result<R, SendError>) -> Result<(), Result<R, SendError>> {
        self.send(value).map_err(|unsent| unsent.0)
    }
}
