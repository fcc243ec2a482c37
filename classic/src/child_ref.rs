//! [`ChildRef`]: how others reach a child.

use crate::context::BastionId;
use crate::crowd::{Leave, Post};
use crate::element::Element;
use crate::envelope::{RefAddr, SignedMessage};
use crate::errors::SendError;
use crate::message::{self, Answer, AnswerSender, Message, Msg};
use crate::path::BastionPath;
use bastion_supervision::{Address, SupervisorRef, TellError};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

/// A child of a group. It stays valid when the child is restarted.
///
/// What is sent before the child runs waits for it.
///
/// # Examples
/// ```
/// # use bastion_classic::{platform::Platform, prelude::*};
/// # Platform::simulate(1, async |platform| {
/// let group = platform.spawn(|ctx| async move { ctx.recv().await.map(drop) }).unwrap();
/// let child = &group.elems()[0];
/// child.tell_anonymously("received when it runs").unwrap();
/// platform.start();
/// # });
/// ```
#[derive(Clone)]
pub struct ChildRef(Arc<Cell>);

/// What is known of a child.
pub(crate) struct Cell {
    pub(crate) id: BastionId,
    /// The name of its group.
    pub(crate) name: Arc<str>,
    pub(crate) path: Arc<BastionPath>,
    pub(crate) address: Address<SignedMessage>,
    /// Its group, as an element of the tree, and as a supervisor.
    pub(crate) element: Arc<Element>,
    pub(crate) group: SupervisorRef,
    /// At which start of its group it was started last.
    pub(crate) started_in: AtomicU32,
    /// Of a group whose size changes.
    pub(crate) post: Option<Post>,
}

impl ChildRef {
    pub(crate) fn new(cell: Cell) -> ChildRef {
        ChildRef(Arc::new(cell))
    }

    /// Takes note of a start. True: it is not its first since that of its group, so the child is restarted alone.
    pub(crate) fn is_restarted_alone(&self) -> bool {
        let starts = self.0.element.starts();
        self.0.started_in.swap(starts, SeqCst) == starts
    }

    pub(crate) fn post(&self) -> Option<&Post> {
        self.0.post.as_ref()
    }

    /// Says whether it ends because its group is to be smaller.
    pub(crate) fn leaves(&self) -> bool {
        self.post().is_some_and(Post::leaves)
    }

    /// Has it end when it has handled what waits. False: its mailbox is full.
    pub(crate) fn tell_to_leave(&self) -> bool {
        self.tell(Leave, RefAddr::dead_letters()).map_or_else(|error| error.is_dead(), |()| true)
    }

    pub(crate) fn address(&self) -> &Address<SignedMessage> {
        &self.0.address
    }

    /// Returns the child's id.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// let group = platform.children(|children| children.with_redundancy(2)).unwrap();
    /// assert_ne!(group.elems()[0].id(), group.elems()[1].id());
    /// # });
    /// ```
    pub fn id(&self) -> &BastionId {
        &self.0.id
    }

    /// Returns true: all children are public. Those that were not, in the original, do not exist.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// let group = platform.children(|children| children).unwrap();
    /// assert!(group.elems()[0].is_public());
    /// # });
    /// ```
    pub fn is_public(&self) -> bool {
        true
    }

    /// Sends a message without a signature.
    ///
    /// # Errors
    /// Gives the message back when the child has ended, or its mailbox is full.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// let group = platform.spawn(|ctx| async move { ctx.recv().await.map(drop) }).unwrap();
    /// let child = &group.elems()[0];
    /// assert_eq!(child.tell_anonymously("hello"), Ok(()));
    /// platform.kill();
    /// platform.ended().await;
    /// assert_eq!(child.tell_anonymously("hello"), Err("hello"));
    /// # });
    /// ```
    pub fn tell_anonymously<M: Message>(&self, msg: M) -> Result<(), M> {
        self.tell(msg, RefAddr::dead_letters()).map_err(|error| error.into_message().msg.unsent())
    }

    /// Sends a message without a signature.
    ///
    /// # Errors
    /// [`SendError::Disconnected`] when the child has ended, [`SendError::Full`] when its mailbox is full.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// let group = platform.spawn(|ctx| async move { ctx.recv().await.map(drop) }).unwrap();
    /// let child = &group.elems()[0];
    /// platform.kill();
    /// platform.ended().await;
    /// assert!(matches!(child.try_tell_anonymously("hello"), Err(SendError::Disconnected(_))));
    /// # });
    /// ```
    pub fn try_tell_anonymously<M: Message>(&self, msg: M) -> Result<(), SendError> {
        Ok(self.tell(msg, RefAddr::dead_letters())?)
    }

    /// Asks without a signature.
    ///
    /// # Errors
    /// Gives the question back when the child has ended, or its mailbox is full.
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
    /// let answer = child.ask_anonymously("well?").unwrap().await.unwrap();
    /// assert_eq!(msg! { answer, text: &'static str => text; _: _ => ""; }, "yes");
    /// # });
    /// ```
    pub fn ask_anonymously<M: Message>(&self, msg: M) -> Result<Answer, M> {
        self.ask(msg, RefAddr::dead_letters()).map_err(|error| error.into_message().msg.unsent())
    }

    /// Asks without a signature.
    ///
    /// # Errors
    /// [`SendError::Disconnected`] when the child has ended, [`SendError::Full`] when its mailbox is full.
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
    /// assert!(child.try_ask_anonymously("well?").unwrap().await.is_ok());
    /// platform.kill();
    /// platform.ended().await;
    /// assert!(matches!(child.try_ask_anonymously("well?"), Err(SendError::Disconnected(_))));
    /// # });
    /// ```
    pub fn try_ask_anonymously<M: Message>(&self, msg: M) -> Result<Answer, SendError> {
        Ok(self.ask(msg, RefAddr::dead_letters())?)
    }

    /// Stops the child: it is asked to, and killed if it does not end in a second. It is not restarted.
    ///
    /// # Errors
    /// When it has ended.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// let group = platform.spawn(|ctx| async move { ctx.recv().await.map(drop) }).unwrap();
    /// let child = &group.elems()[0];
    /// platform.start();
    /// let question = child.ask_anonymously("well?").unwrap();
    /// child.stop().unwrap();
    /// assert!(question.await.is_err());
    /// # });
    /// ```
    pub fn stop(&self) -> Result<(), ()> {
        self.living()?.request_stop(&self.0.address).map_err(|_gone| ())
    }

    /// Kills the child: it ends where it waits next. It is not restarted.
    ///
    /// # Errors
    /// When it has ended.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// let group = platform.spawn(|ctx| async move { ctx.recv().await.map(drop) }).unwrap();
    /// let child = &group.elems()[0];
    /// platform.start();
    /// let question = child.ask_anonymously("well?").unwrap();
    /// child.kill().unwrap();
    /// assert!(question.await.is_err());
    /// # });
    /// ```
    pub fn kill(&self) -> Result<(), ()> {
        self.living()?.request_kill(&self.0.address).map_err(|_gone| ())
    }

    /// Returns the child's address, as it stands in what it sends.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// let group = platform.children(|children| children).unwrap();
    /// let child = &group.elems()[0];
    /// assert_eq!(child.addr().path().id(), child.id());
    /// # });
    /// ```
    pub fn addr(&self) -> RefAddr {
        RefAddr::of(self.clone())
    }

    /// Returns where in the tree the child is.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// let group = platform.children(|children| children).unwrap();
    /// let child = &group.elems()[0];
    /// assert_eq!(child.path().to_string(), format!("{}/{}", group.path(), child.id()));
    /// # });
    /// ```
    pub fn path(&self) -> &Arc<BastionPath> {
        &self.0.path
    }

    /// Returns the name of its group.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// let group = platform.children(|children| children.with_name("worker")).unwrap();
    /// assert_eq!(group.elems()[0].name(), "worker");
    /// # });
    /// ```
    pub fn name(&self) -> &str {
        &self.0.name
    }

    pub(crate) fn tell<M: Message>(
        &self,
        msg: M,
        sign: RefAddr,
    ) -> Result<(), TellError<SignedMessage>> {
        self.send(SignedMessage::new(Msg::tell(msg), sign))
    }

    pub(crate) fn ask<M: Message>(
        &self,
        msg: M,
        sign: RefAddr,
    ) -> Result<Answer, TellError<SignedMessage>> {
        let (sender, answer) = message::question(self.addr());
        self.ask_by(msg, sender, sign).map(|()| answer)
    }

    pub(crate) fn ask_by<M: Message>(
        &self,
        msg: M,
        sender: AnswerSender,
        sign: RefAddr,
    ) -> Result<(), TellError<SignedMessage>> {
        self.send(SignedMessage::new(Msg::ask(msg, sender), sign))
    }

    #[inline]
    pub(crate) fn send(&self, message: SignedMessage) -> Result<(), TellError<SignedMessage>> {
        self.0.address.tell(message)
    }

    /// Its supervisor, if it has not ended.
    fn living(&self) -> Result<&SupervisorRef, ()> {
        let ended = self.0.address.has_ended() || self.0.element.has_stopped();
        if ended { Err(()) } else { Ok(&self.0.group) }
    }
}

impl PartialEq for ChildRef {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id()
    }
}

impl Eq for ChildRef {}

impl Hash for ChildRef {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id().hash(state);
    }
}

impl fmt::Debug for ChildRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChildRef").field("name", &self.0.name).field("path", &self.0.path).finish()
    }
}
