//! [`Which`]: a child of a supervisor, named in a request.

use crate::pid::Pid;
use crate::process::{Address, Core, Process};
use std::fmt;
use std::sync::Arc;

/// A child of a supervisor, named in a request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Which {
    /// By its pid.
    Pid(Pid),
    /// By its name.
    Name(Arc<str>),
    /// By its address, which it has before it has a pid.
    Process(AnyAddress),
}

/// The address of a process, whatever it receives.
#[derive(Clone)]
pub struct AnyAddress(Arc<dyn Process>);

impl AnyAddress {
    pub(super) fn core(&self) -> &Core {
        self.0.core()
    }
}

impl PartialEq for AnyAddress {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.core(), other.core())
    }
}

impl Eq for AnyAddress {}

impl fmt::Debug for AnyAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AnyAddress({})", self.core())
    }
}

impl From<Pid> for Which {
    fn from(pid: Pid) -> Self {
        Which::Pid(pid)
    }
}

impl<M: Send + 'static> From<&Address<M>> for Which {
    fn from(address: &Address<M>) -> Self {
        Which::Process(AnyAddress(address.shared.clone()))
    }
}

impl From<&str> for Which {
    fn from(name: &str) -> Self {
        Which::Name(name.into())
    }
}

impl From<String> for Which {
    fn from(name: String) -> Self {
        Which::Name(name.into())
    }
}

impl From<Arc<str>> for Which {
    fn from(name: Arc<str>) -> Self {
        Which::Name(name)
    }
}
