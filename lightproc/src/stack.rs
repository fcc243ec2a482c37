//! [`ProcStack`]: the process data that most users want: a pid, a state, and hooks that may change the state.
//!
//! One use of [`Hooks`]; a process that needs something else brings its own type.

use crate::hooks::Hooks;
use std::any::{Any, TypeId, type_name};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

type Hook = Arc<dyn Fn(&mut dyn Any) + Send + Sync>;

/// A process's pid, its state, and hooks before its start, after its completion and after its panic.
///
/// Clones share the state. A hook has it locked: it must not ask a clone for [`state`](ProcStack::state), which would wait for ever.
///
/// # Examples
/// ```
/// use lightproc::ProcStack;
/// let stack = ProcStack::default()
///     .with_pid(7)
///     .with_state(1_u64)
///     .with_before_start(|count: &mut u64| *count += 1);
/// assert_eq!(stack.pid(), 7);
/// assert_eq!(stack.state::<u64>(), Some(1));
/// assert_eq!(stack.state::<String>(), None);
/// ```
#[derive(Clone, Default)]
pub struct ProcStack {
    pid: usize,
    /// The type that the state has, or that the first hook expects it to have.
    state_type: Option<(TypeId, &'static str)>,
    state: Option<Arc<Mutex<dyn Any + Send>>>,
    before_start: Option<Hook>,
    after_complete: Option<Hook>,
    after_panic: Option<Hook>,
}

impl ProcStack {
    /// Sets the pid. Default: 0.
    pub fn with_pid(mut self, pid: usize) -> Self {
        self.pid = pid;
        self
    }

    /// Sets the state, which the hooks may change.
    ///
    /// # Panics
    /// When a hook was set before that expects a state of another type.
    pub fn with_state<S: Any + Send>(mut self, state: S) -> Self {
        self.expect_state::<S>();
        self.state = Some(Arc::new(Mutex::new(state)));
        self
    }

    /// Sets the hook that runs once, before the first poll.
    ///
    /// # Panics
    /// When the state, or the state of another hook, is of another type.
    pub fn with_before_start<S: Any, C>(mut self, hook: C) -> Self
    where
        C: Fn(&mut S) + Send + Sync + 'static,
    {
        self.before_start = Some(self.typed(hook));
        self
    }

    /// Sets the hook that runs once, after the process has returned; not after a panic.
    ///
    /// # Panics
    /// When the state, or the state of another hook, is of another type.
    pub fn with_after_complete<S: Any, C>(mut self, hook: C) -> Self
    where
        C: Fn(&mut S) + Send + Sync + 'static,
    {
        self.after_complete = Some(self.typed(hook));
        self
    }

    /// Sets the hook that runs once, after a panic, whether or not somebody awaits the handle.
    ///
    /// # Panics
    /// When the state, or the state of another hook, is of another type.
    pub fn with_after_panic<S: Any, C>(mut self, hook: C) -> Self
    where
        C: Fn(&mut S) + Send + Sync + 'static,
    {
        self.after_panic = Some(self.typed(hook));
        self
    }

    /// Returns the pid.
    pub fn pid(&self) -> usize {
        self.pid
    }

    /// Returns a copy of the state; `None` when there is none, or when it is not an `S`.
    pub fn state<S: Any + Clone>(&self) -> Option<S> {
        let state = self.state.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        (*state).downcast_ref::<S>().cloned()
    }

    fn expect_state<S: Any>(&mut self) {
        let expected = (TypeId::of::<S>(), type_name::<S>());
        let set = *self.state_type.get_or_insert(expected);
        assert!(
            set.0 == expected.0,
            "the state of a ProcStack is `{}`, but a hook or with_state gave `{}`",
            set.1,
            expected.1
        );
    }

    fn typed<S: Any>(&mut self, hook: impl Fn(&mut S) + Send + Sync + 'static) -> Hook {
        self.expect_state::<S>();
        Arc::new(move |state| {
            if let Some(state) = state.downcast_mut::<S>() {
                hook(state);
            }
        })
    }

    /// Calls a hook with the state; without a state there is nothing that the hook could be given.
    fn call(&self, hook: &Option<Hook>) {
        if let (Some(hook), Some(state)) = (hook, &self.state) {
            // A hook that panicked leaves the state as it was then; later hooks still run.
            hook(&mut *state.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }
}

impl Hooks for ProcStack {
    fn before_start(&self) {
        self.call(&self.before_start);
    }

    fn after_complete(&self) {
        self.call(&self.after_complete);
    }

    fn after_panic(&self) {
        self.call(&self.after_panic);
    }
}

impl fmt::Debug for ProcStack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state_type.map(|(_, name)| name);
        f.debug_struct("ProcStack")
            .field("pid", &self.pid)
            .field("state", &state)
            .finish_non_exhaustive()
    }
}
