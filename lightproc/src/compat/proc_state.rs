//! What lightproc 0.3 has around the state of a stack. [`ProcStack`](crate::ProcStack) takes any state that is `Send`, and finds it
//! again by its type.
//!
//! # Examples
//! ```
//! use lightproc::proc_state::AsAny;
//!
//! #[derive(Clone)]
//! pub struct SharedState {
//!     name: String,
//!     id: u64,
//! }
//!
//! let mut s = SharedState { name: "Riemann".to_string(), id: 123 };
//! assert_eq!(s.as_any().downcast_ref::<SharedState>().unwrap().id, 123);
//! ```

use std::any::Any;
use std::fmt;
use std::sync::{Arc, Mutex};

/// What can be the state of a process in lightproc 0.3. Everything that threads can share is.
pub trait State: Send + Sync + AsAny + 'static {}

impl<T: Send + Sync + 'static> State for T {}

impl fmt::Debug for dyn State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "State :: {:?}", self.type_id())
    }
}

/// A state that is shared and locked, without its type.
pub type ProcState = Arc<Mutex<dyn State>>;

/// Whatever can be asked for its type.
pub trait AsAny {
    /// Returns it as what can be asked.
    fn as_any(&mut self) -> &mut dyn Any;
}

impl<T: Any> AsAny for T {
    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
}

/// What the hooks get of a stack that was given no state, as `()`, which [`crate::EmptyProcState`] is.
pub type EmptyProcState = Box<EmptyState>;

/// No state.
#[derive(Debug)]
pub struct EmptyState;
