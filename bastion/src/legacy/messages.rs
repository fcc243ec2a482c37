//! [`PoisonPill`].

use std::any::Any;

/// The message that ends a process where it calls a hook, whereupon it is started again.
///
/// # Examples
/// ```
/// use bastion::legacy::prelude::*;
/// let process = Bastion::spawn(|context: BastionContext, _msg| context.blocking_hook(), "");
/// process.tx.unwrap().send(PoisonPill::new()).unwrap();
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoisonPill;

impl PoisonPill {
    /// Returns one in a box, as it is sent.
    pub fn new() -> Box<PoisonPill> {
        Box::new(PoisonPill)
    }

    /// Returns it as a value of any type.
    pub fn as_any(&self) -> &dyn Any {
        self
    }
}
