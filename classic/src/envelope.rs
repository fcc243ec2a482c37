//! [`SignedMessage`] and [`RefAddr`]: a message, and who has sent it.

use crate::child_ref::ChildRef;
use crate::message::Msg;
use crate::path::BastionPath;
use std::fmt;
use std::sync::{Arc, OnceLock};

/// A message with the address of its sender.
///
/// # Examples
/// ```
/// # use bastion_classic::{platform::Platform, prelude::*};
/// # Platform::simulate(1, async |platform| {
/// # let group = platform.spawn(|ctx| async move {
/// # let question = ctx.recv().await?;
/// ctx.current().tell_anonymously("hello").unwrap();
/// let message: SignedMessage = ctx.recv().await?;
/// assert!(!message.signature().is_sender_identified());
/// # answer!(question, ()).map_err(|_| ())
/// # }).unwrap();
/// # platform.start();
/// # assert!(group.elems()[0].ask_anonymously("go").unwrap().await.is_ok());
/// # });
/// ```
#[derive(Debug)]
pub struct SignedMessage {
    pub(crate) msg: Msg,
    pub(crate) sign: RefAddr,
}

impl SignedMessage {
    #[inline]
    pub(crate) fn new(msg: Msg, sign: RefAddr) -> SignedMessage {
        SignedMessage { msg, sign }
    }

    /// Returns the message and the sender's address.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// # let group = platform.spawn(|ctx| async move {
    /// # let question = ctx.recv().await?;
    /// ctx.current().tell_anonymously("hello").unwrap();
    /// let (message, _sender) = ctx.recv().await?.extract();
    /// assert_eq!(message.downcast::<&str>().unwrap(), "hello");
    /// # answer!(question, ()).map_err(|_| ())
    /// # }).unwrap();
    /// # platform.start();
    /// # assert!(group.elems()[0].ask_anonymously("go").unwrap().await.is_ok());
    /// # });
    /// ```
    #[doc(hidden)]
    #[inline]
    pub fn extract(self) -> (Msg, RefAddr) {
        (self.msg, self.sign)
    }

    /// Returns the sender's address, by which a child can be told something, or asked:
    /// see [`BastionContext::tell`](crate::context::BastionContext::tell).
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// # let group = platform.spawn(|ctx| async move {
    /// # let question = ctx.recv().await?;
    /// ctx.tell(&ctx.signature(), "hello").unwrap();
    /// let message = ctx.recv().await?;
    /// ctx.tell(message.signature(), "hello to you").unwrap();
    /// # answer!(question, ()).map_err(|_| ())
    /// # }).unwrap();
    /// # platform.start();
    /// # assert!(group.elems()[0].ask_anonymously("go").unwrap().await.is_ok());
    /// # });
    /// ```
    pub fn signature(&self) -> &RefAddr {
        &self.sign
    }
}

/// The address of a child, or of nobody: that of the sender of what was sent anonymously.
///
/// # Examples
/// ```
/// # use bastion_classic::{platform::Platform, prelude::*};
/// # Platform::simulate(1, async |platform| {
/// # let group = platform.spawn(|ctx| async move {
/// # let question = ctx.recv().await?;
/// let own: RefAddr = ctx.signature();
/// ctx.tell(&own, "to myself").unwrap();
/// # answer!(question, ()).map_err(|_| ())
/// # }).unwrap();
/// # platform.start();
/// # assert!(group.elems()[0].ask_anonymously("go").unwrap().await.is_ok());
/// # });
/// ```
#[derive(Clone)]
pub struct RefAddr(Option<ChildRef>);

impl RefAddr {
    pub(crate) fn of(child: ChildRef) -> RefAddr {
        RefAddr(Some(child))
    }

    #[inline]
    pub(crate) fn dead_letters() -> RefAddr {
        RefAddr(None)
    }

    /// The child, if it is one's.
    pub(crate) fn child(&self) -> Option<&ChildRef> {
        self.0.as_ref()
    }

    /// Returns where in the tree the sender is.
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
    pub fn path(&self) -> &Arc<BastionPath> {
        static NOBODY: OnceLock<Arc<BastionPath>> = OnceLock::new();
        match &self.0 {
            Some(child) => child.path(),
            None => NOBODY.get_or_init(BastionPath::dead_letters),
        }
    }

    /// Says whether the sender can be written to: false for what was sent anonymously.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// # let group = platform.spawn(|ctx| async move {
    /// # let question = ctx.recv().await?;
    /// ctx.current().tell_anonymously("hello").unwrap();
    /// assert!(!ctx.recv().await?.signature().is_sender_identified());
    /// ctx.tell(&ctx.signature(), "hello").unwrap();
    /// assert!(ctx.recv().await?.signature().is_sender_identified());
    /// # answer!(question, ()).map_err(|_| ())
    /// # }).unwrap();
    /// # platform.start();
    /// # assert!(group.elems()[0].ask_anonymously("go").unwrap().await.is_ok());
    /// # });
    /// ```
    pub fn is_sender_identified(&self) -> bool {
        self.0.is_some()
    }
}

impl fmt::Debug for RefAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(child) => f.debug_tuple("RefAddr").field(child.path()).finish(),
            None => f.write_str("RefAddr(dead letters)"),
        }
    }
}
