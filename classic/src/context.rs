//! [`BastionContext`]: what the body of a child is given. And [`BastionId`].

use crate::child_ref::ChildRef;
use crate::children_ref::ChildrenRef;
use crate::crowd::Leave;
use crate::dispatcher::{BroadcastTarget, DispatcherType, NotificationType};
use crate::envelope::{RefAddr, SignedMessage};
use crate::errors::ReceiveError;
use crate::inbox::Inbox;
use crate::message::{Answer, Message, Msg};
use crate::supervisor::SupervisorRef;
use bastion_mailbox::Value;
use bastion_supervision::{Context, Runtime};
use std::fmt;
use std::future::{Future, pending, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::task::Poll;
use std::time::Duration;
use uuid::Uuid;

/// The id of an element of the tree: a random UUID.
///
/// # Examples
/// ```
/// # use bastion_classic::{platform::Platform, prelude::*};
/// # Platform::simulate(1, async |platform| {
/// let group = platform.children(|children| children).unwrap();
/// assert_eq!(group.id().to_string().len(), 36);
/// # });
/// ```
#[derive(Clone, Debug, Hash, PartialEq, Eq)]
pub struct BastionId(Uuid);

/// The id of nobody.
///
/// # Examples
/// ```
/// use bastion_classic::prelude::*;
/// assert_eq!(NIL_ID.to_string(), "00000000-0000-0000-0000-000000000000");
/// ```
pub const NIL_ID: BastionId = BastionId(Uuid::nil());

impl BastionId {
    pub(crate) fn new() -> BastionId {
        let random = fastrand::u128(..).to_ne_bytes();
        BastionId(uuid::Builder::from_random_bytes(random).into_uuid())
    }
}

impl fmt::Display for BastionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How often a child that was asked to stop hears of it when it receives. Whoever goes on after that waits until it is killed, instead of
/// keeping its thread busy.
const REFUSALS: u32 = 64;

/// What the body of a child is given: its messages, itself, and those around it.
///
/// It can be shared, and used from any task or thread, also by several at once.
///
/// # Examples
/// ```
/// use bastion_classic::prelude::*;
/// async fn echo(ctx: BastionContext) -> Result<(), ()> {
///     loop {
///         msg! { ctx.recv().await?,
///             text: &'static str =!> {
///                 let _ = answer!(ctx, text);
///             };
///             _: _ => ();
///         }
///     }
/// }
/// ```
pub struct BastionContext {
    child: ChildRef,
    group: ChildrenRef,
    runtime: Runtime,
    inbox: Inbox<SignedMessage>,
    refusals: AtomicU32,
}

impl BastionContext {
    pub(crate) fn new(
        child: ChildRef,
        group: ChildrenRef,
        runtime: Runtime,
        context: Context<SignedMessage>,
    ) -> BastionContext {
        let (inbox, refusals) = (Inbox::new(context), AtomicU32::new(0));
        BastionContext { child, group, runtime, inbox, refusals }
    }

    /// Returns the child itself.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// # let group = platform.spawn(|ctx| async move {
    /// # let question = ctx.recv().await?;
    /// ctx.current().tell_anonymously("to myself").unwrap();
    /// assert!(ctx.recv().await.is_ok());
    /// # answer!(question, ()).map_err(|_| ())
    /// # }).unwrap();
    /// # platform.start();
    /// # assert!(group.elems()[0].ask_anonymously("go").unwrap().await.is_ok());
    /// # });
    /// ```
    pub fn current(&self) -> &ChildRef {
        &self.child
    }

    /// Returns the child's group.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// # let group = platform.spawn(|ctx| async move {
    /// # let question = ctx.recv().await?;
    /// assert!(ctx.parent().elems().contains(ctx.current()));
    /// # answer!(question, ()).map_err(|_| ())
    /// # }).unwrap();
    /// # platform.start();
    /// # assert!(group.elems()[0].ask_anonymously("go").unwrap().await.is_ok());
    /// # });
    /// ```
    pub fn parent(&self) -> &ChildrenRef {
        &self.group
    }

    /// Returns the supervisor of the child's group; `None` for a group that was made by `Bastion::children` or `Bastion::spawn`.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// # let group = platform.spawn(|ctx| async move {
    /// # let question = ctx.recv().await?;
    /// assert!(ctx.supervisor().is_none()); // It was made by `spawn`.
    /// # answer!(question, ()).map_err(|_| ())
    /// # }).unwrap();
    /// # platform.start();
    /// # assert!(group.elems()[0].ask_anonymously("go").unwrap().await.is_ok());
    /// # });
    /// ```
    pub fn supervisor(&self) -> Option<&SupervisorRef> {
        self.group.supervisor()
    }

    /// Returns the next message, if one waits. Others run before it says that none does.
    ///
    /// # Cancel safety
    /// No message is lost when the future is dropped.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// # let group = platform.spawn(|ctx| async move {
    /// # let question = ctx.recv().await?;
    /// assert!(ctx.try_recv().await.is_none());
    /// # answer!(question, ()).map_err(|_| ())
    /// # }).unwrap();
    /// # platform.start();
    /// # assert!(group.elems()[0].ask_anonymously("go").unwrap().await.is_ok());
    /// # });
    /// ```
    pub async fn try_recv(&self) -> Option<SignedMessage> {
        if let Some(message) = self.next() {
            return Some(message);
        }
        yield_now().await;
        self.next()
    }

    fn next(&self) -> Option<SignedMessage> {
        let message = self.inbox.try_recv()?;
        self.stays(&message).then_some(message).or_else(|| self.inbox.try_recv())
    }

    /// Says whether a message is not the one by which the child leaves its group.
    fn stays(&self, message: &SignedMessage) -> bool {
        let Some(post) = self.child.post() else { return true };
        post.set_in_hands(self.inbox.in_hands());
        let leaves = message.msg.is::<Leave>();
        if leaves {
            post.leave();
        }
        !leaves
    }

    /// Waits for the next message, and puts it in its place; none: the child is asked to stop, or leaves its group.
    async fn receive(&self, place: &mut Option<SignedMessage>) {
        let Some(post) = self.child.post() else { return self.inbox.recv(place).await };
        if !post.leaves() {
            let waits = post.wait();
            self.inbox.recv(place).await;
            drop(waits);
            if place.as_ref().is_none_or(|message| self.stays(message)) {
                return;
            }
        }
        // What has come since.
        *place = self.inbox.try_recv();
    }

    /// Waits for the next message.
    ///
    /// # Errors
    /// `Err(())`: the child is asked to stop, or its body has ended and this is called elsewhere. Whoever goes on calling waits, after 64 times,
    /// until the child is killed.
    ///
    /// # Cancel safety
    /// No message is lost when the future is dropped.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// # let group = platform.spawn(|ctx| async move {
    /// # let question = ctx.recv().await?;
    /// ctx.current().tell_anonymously("hello").unwrap();
    /// let text = msg! { ctx.recv().await?, text: &'static str => text; _: _ => ""; };
    /// assert_eq!(text, "hello");
    /// # answer!(question, ()).map_err(|_| ())
    /// # }).unwrap();
    /// # platform.start();
    /// # assert!(group.elems()[0].ask_anonymously("go").unwrap().await.is_ok());
    /// # });
    /// ```
    pub async fn recv(&self) -> Result<SignedMessage, ()> {
        let mut place = None;
        self.receive(&mut place).await;
        match place {
            Some(message) => Ok(message),
            None => self.refused(()).await,
        }
    }

    /// Waits for the next message, at most so long.
    ///
    /// # Errors
    /// [`ReceiveError::Timeout`] when none has come in this time, [`ReceiveError::Other`] when the child is asked to stop: see
    /// [`recv`](Self::recv).
    ///
    /// # Cancel safety
    /// No message is lost when the future is dropped, nor when the time is over.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// # let group = platform.spawn(|ctx| async move {
    /// # let question = ctx.recv().await?;
    /// let limit = std::time::Duration::from_secs(1);
    /// assert!(matches!(ctx.try_recv_timeout(limit).await, Err(ReceiveError::Timeout(_))));
    /// # answer!(question, ()).map_err(|_| ())
    /// # }).unwrap();
    /// # platform.start();
    /// # assert!(group.elems()[0].ask_anonymously("go").unwrap().await.is_ok());
    /// # });
    /// ```
    pub async fn try_recv_timeout(&self, timeout: Duration) -> Result<SignedMessage, ReceiveError> {
        let mut place = None;
        let received = within(self.receive(&mut place), self.runtime.sleep(timeout)).await;
        match (received, place) {
            (Some(()), Some(message)) => Ok(message),
            (Some(()), None) => self.refused(ReceiveError::Other).await,
            (None, _) => Err(ReceiveError::Timeout(timeout)),
        }
    }

    /// Waits for an answer, at most so long; an [`Answer`] itself has no limit of time.
    ///
    /// # Errors
    /// [`ReceiveError::Timeout`] when it has not come in this time, [`ReceiveError::Other`] when it will not come.
    ///
    /// # Cancel safety
    /// When it is dropped, or the time is over, whoever was asked learns that nobody waits.
    ///
    /// # Examples
    /// ```
    /// use bastion_classic::prelude::*;
    /// use std::time::Duration;
    /// async fn doubled(ctx: &BastionContext, by: &ChildRef, number: u64) -> Option<u64> {
    ///     let answer = ctx.ask(&by.addr(), number).ok()?;
    ///     let answer = ctx.answer_timeout(answer, Duration::from_secs(5)).await.ok()?;
    ///     msg! { answer, doubled: u64 => Some(doubled); _: _ => None; }
    /// }
    /// ```
    pub async fn answer_timeout(
        &self,
        answer: Answer,
        timeout: Duration,
    ) -> Result<SignedMessage, ReceiveError> {
        let answered = within(answer, self.runtime.sleep(timeout)).await;
        answered.ok_or(ReceiveError::Timeout(timeout))?.map_err(|()| ReceiveError::Other)
    }

    async fn refused<T, E>(&self, error: E) -> Result<T, E> {
        if self.refusals.fetch_add(1, Relaxed) >= REFUSALS {
            pending::<()>().await;
        }
        Err(error)
    }

    /// Returns the child's own address, with which it signs.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// # let group = platform.spawn(|ctx| async move {
    /// # let question = ctx.recv().await?;
    /// assert_eq!(ctx.signature().path().id(), ctx.current().id());
    /// # answer!(question, ()).map_err(|_| ())
    /// # }).unwrap();
    /// # platform.start();
    /// # assert!(group.elems()[0].ask_anonymously("go").unwrap().await.is_ok());
    /// # });
    /// ```
    pub fn signature(&self) -> RefAddr {
        self.child.addr()
    }

    /// Sends a message that is signed by this child. What is sent to the sender of an anonymous message goes to the dead letters.
    ///
    /// # Errors
    /// Gives the message back when the receiver has ended, or its mailbox is full.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// # let group = platform.spawn(|ctx| async move {
    /// # let question = ctx.recv().await?;
    /// ctx.tell(&ctx.signature(), "to myself").unwrap();
    /// assert!(ctx.recv().await?.signature().is_sender_identified());
    /// # answer!(question, ()).map_err(|_| ())
    /// # }).unwrap();
    /// # platform.start();
    /// # assert!(group.elems()[0].ask_anonymously("go").unwrap().await.is_ok());
    /// # });
    /// ```
    pub fn tell<M: Message>(&self, to: &RefAddr, msg: M) -> Result<(), M> {
        match to.child() {
            Some(child) => {
                child.tell(msg, self.signature()).map_err(|error| error.into_message().msg.unsent())
            }
            None => {
                self.child.address().dead_letter(msg);
                Ok(())
            }
        }
    }

    /// Asks, signed by this child. A question to the sender of an anonymous message has no answer.
    ///
    /// # Errors
    /// Gives the question back when the receiver has ended, or its mailbox is full.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// # let group = platform.spawn(|ctx| async move {
    /// # let question = ctx.recv().await?;
    /// let answer = ctx.ask(&ctx.signature(), "what do I say?").unwrap();
    /// answer!(ctx.recv().await?, "this").unwrap();
    /// assert_eq!(msg! { answer.await?, text: &'static str => text; _: _ => ""; }, "this");
    /// # answer!(question, ()).map_err(|_| ())
    /// # }).unwrap();
    /// # platform.start();
    /// # assert!(group.elems()[0].ask_anonymously("go").unwrap().await.is_ok());
    /// # });
    /// ```
    pub fn ask<M: Message>(&self, to: &RefAddr, msg: M) -> Result<Answer, M> {
        match to.child() {
            Some(child) => {
                child.ask(msg, self.signature()).map_err(|error| error.into_message().msg.unsent())
            }
            None => {
                self.child.address().dead_letter(msg);
                Ok(crate::message::question(RefAddr::dead_letters()).1)
            }
        }
    }

    /// Has the handlers of these dispatchers notified, as by this child. Dispatchers that no group has are passed by.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// # let group = platform.spawn(|ctx| async move {
    /// # let question = ctx.recv().await?;
    /// ctx.notify(&[DispatcherType::Anonymous], NotificationType::Register);
    /// # answer!(question, ()).map_err(|_| ())
    /// # }).unwrap();
    /// # platform.start();
    /// # assert!(group.elems()[0].ask_anonymously("go").unwrap().await.is_ok());
    /// # });
    /// ```
    pub fn notify(&self, dispatchers: &[DispatcherType], notification_type: NotificationType) {
        for dispatcher in dispatchers {
            if let Some(dispatcher) = self.group.hub().dispatchers().find(dispatcher) {
                dispatcher.notify(&self.child, notification_type.clone());
            }
        }
    }

    /// Gives a message to the dispatchers of the target: each of them passes it on as its handler does, the default one to one of its members, in turn.
    /// It is received as something that was told, of the type `Arc<SignedMessage>`, in which the message is a broadcast. Without such a dispatcher it is a dead letter.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// # let group = platform.spawn(|ctx| async move {
    /// # let question = ctx.recv().await?;
    /// ctx.broadcast_message(BroadcastTarget::All, "news");
    /// ctx.broadcast_message(BroadcastTarget::Group("readers".to_owned()), "news");
    /// # answer!(question, ()).map_err(|_| ())
    /// # }).unwrap();
    /// # platform.start();
    /// # assert!(group.elems()[0].ask_anonymously("go").unwrap().await.is_ok());
    /// # });
    /// ```
    pub fn broadcast_message<M: Message>(&self, target: BroadcastTarget, message: M) {
        let dispatchers = self.group.hub().dispatchers().targets(target);
        if dispatchers.is_empty() {
            return self.child.address().dead_letter(message);
        }
        let message = Msg::of(Value::shared(Arc::new(message)));
        for dispatcher in dispatchers {
            let Some(message) = message.share() else { return };
            let signed = SignedMessage::new(message, self.signature());
            dispatcher.broadcast_message(&Arc::new(signed));
        }
    }
}

/// Returns the output of a future, if it comes before a timer.
async fn within<F: Future>(future: F, timer: impl Future<Output = ()>) -> Option<F::Output> {
    let (mut future, mut timer) = (pin!(future), pin!(timer));
    poll_fn(|task| match future.as_mut().poll(task) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => timer.as_mut().poll(task).map(|()| None),
    })
    .await
}

/// Lets others run.
async fn yield_now() {
    let mut yielded = false;
    poll_fn(|task| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        task.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

impl fmt::Debug for BastionContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BastionContext").field("child", &self.child).finish_non_exhaustive()
    }
}
