//! [`SignedMessage`] and [`RefAddr`]: a message, and who has sent it.

use crate::child_ref::ChildRef;
use crate::message::Msg;
use crate::path::BastionPath;
use std::fmt;
use std::sync::{Arc, OnceLock};

/// A message with the address of its sender.
#[derive(Debug)]
pub struct SignedMessage {
    pub(crate) msg: Msg,
    pub(crate) sign: RefAddr,
}

impl SignedMessage {
    pub(crate) fn new(msg: Msg, sign: RefAddr) -> SignedMessage {
        SignedMessage { msg, sign }
    }

    /// Returns the message and the sender's address.
    #[doc(hidden)]
    pub fn extract(self) -> (Msg, RefAddr) {
        (self.msg, self.sign)
    }

    /// Returns the sender's address, by which a child can be told something, or asked:
    /// see [`BastionContext::tell`](crate::context::BastionContext::tell).
    pub fn signature(&self) -> &RefAddr {
        &self.sign
    }
}

/// The address of a child, or of nobody: that of the sender of what was sent anonymously.
#[derive(Clone)]
pub struct RefAddr(Option<ChildRef>);

impl RefAddr {
    pub(crate) fn of(child: ChildRef) -> RefAddr {
        RefAddr(Some(child))
    }

    pub(crate) fn dead_letters() -> RefAddr {
        RefAddr(None)
    }

    /// The child, if it is one's.
    pub(crate) fn child(&self) -> Option<&ChildRef> {
        self.0.as_ref()
    }

    /// Returns where in the tree the sender is.
    pub fn path(&self) -> &Arc<BastionPath> {
        static NOBODY: OnceLock<Arc<BastionPath>> = OnceLock::new();
        match &self.0 {
            Some(child) => child.path(),
            None => NOBODY.get_or_init(BastionPath::dead_letters),
        }
    }

    /// Says whether the sender can be written to: false for what was sent anonymously.
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
