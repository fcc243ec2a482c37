//! What processes are made of: [`Message`]s, [`BastionClosure`]s, and [`BastionChildren`], which describes some.

use super::context::{BastionContext, Receiver, Sender};
use std::any::Any;
use std::fmt::{self, Debug};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What may go from thread to thread, and be cloned: all that is `Send`, `Sync`, `Clone` and `'static`.
pub trait Shell: Send + Sync + Any {}

impl<T: Send + Sync + Clone + Any> Shell for T {}

/// What can be sent: every [`Shell`] that is `Debug`.
///
/// # Examples
/// ```
/// use bastion::legacy::prelude::*;
/// let message: Box<dyn Message> = Box::new(String::from("hello"));
/// assert_eq!(message.as_any().downcast_ref::<String>().unwrap(), "hello");
/// ```
pub trait Message: Shell + Debug {
    /// Returns it as a value of any type.
    fn as_any(&self) -> &dyn Any;

    #[doc(hidden)]
    fn cloned_message(&self) -> Box<dyn Message>;
}

impl<T: Shell + Clone + Debug> Message for T {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn cloned_message(&self) -> Box<dyn Message> {
        Box::new(self.clone())
    }
}

/// What a process can run.
pub trait BastionClosure: Fn(BastionContext, Box<dyn Message>) + Shell {
    #[doc(hidden)]
    fn cloned_closure(&self) -> Box<dyn BastionClosure>;
}

impl<T> BastionClosure for T
where
    T: Fn(BastionContext, Box<dyn Message>) + Shell + Clone,
{
    fn cloned_closure(&self) -> Box<dyn BastionClosure> {
        Box::new(self.clone())
    }
}

/// Processes that run the same: how many, what, and the message that each of them is given.
pub struct BastionChildren {
    /// Theirs together.
    pub id: String,
    /// How many there are.
    pub redundancy: i32,
    /// Reaches all of them. `None` before they run.
    pub tx: Option<Sender>,
    /// Always `None`: what a process is sent, it receives itself, by its [`BastionContext`].
    pub rx: Option<Receiver>,
    /// What they run.
    pub thunk: Box<dyn BastionClosure>,
    /// What each of them is given at each of its starts.
    pub msg: Box<dyn Message>,
}

impl BastionChildren {
    pub(super) fn new(thunk: impl BastionClosure, msg: impl Message, scale: i32) -> Self {
        BastionChildren {
            redundancy: scale,
            thunk: Box::new(thunk),
            msg: Box::new(msg),
            ..BastionChildren::default()
        }
    }
}

/// Returns a text that nothing else has for its id.
pub(super) fn unique_id() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Relaxed).to_string()
}

impl Clone for BastionChildren {
    fn clone(&self) -> Self {
        BastionChildren {
            id: self.id.clone(),
            redundancy: self.redundancy,
            tx: self.tx.clone(),
            rx: self.rx.clone(),
            // Of the closure, not of its box.
            thunk: (*self.thunk).cloned_closure(),
            msg: (*self.msg).cloned_message(),
        }
    }
}

/// One that ends at once.
impl Default for BastionChildren {
    fn default() -> Self {
        BastionChildren {
            id: unique_id(),
            redundancy: 1,
            tx: None,
            rx: None,
            thunk: Box::new(|_: BastionContext, _: Box<dyn Message>| {}),
            msg: Box::new(String::from("default")),
        }
    }
}

impl PartialEq for BastionChildren {
    fn eq(&self, other: &Self) -> bool {
        (&self.id, self.redundancy) == (&other.id, other.redundancy)
    }
}

impl Debug for BastionChildren {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BastionChildren")
            .field("id", &self.id)
            .field("redundancy", &self.redundancy)
            .finish_non_exhaustive()
    }
}
