//! [`ProcStack`]: the process data that most users want: a pid, a state, and hooks that may change the state.
//!
//! One use of [`Hooks`]; a process that needs something else brings its own type.

use crate::compat::proc_state::EmptyState;
use crate::hooks::Hooks;
use std::any::{Any, TypeId, type_name};
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

type State = Arc<Mutex<dyn Any + Send>>;
type Hook = Arc<dyn Fn(Option<&State>) + Send + Sync>;

/// The pid of a stack that was given none.
const NO_PID: usize = 0xDEAD_BEEF;

/// The state of a stack that was given none, for hooks that need no state.
pub type EmptyProcState = ();

/// A process's pid, its state, and hooks before its start, after its completion and after its panic, each run once.
///
/// It takes two words in the process. Clones share the state and the hooks, and have a pid of their own. A hook has the
/// state locked: it must not ask a clone for the [`state`](ProcStack::state), which would wait for ever. A state that
/// a panicking hook has left stays as it is, and the later hooks get it.
///
/// # Examples
/// ```
/// use lightproc::ProcStack;
/// let stack = ProcStack::default()
///     .with_pid(7)
///     .with_state(1_u64)
///     .with_before_start(|count: &mut u64| *count += 1);
/// assert_eq!(stack.get_pid(), 7);
/// assert_eq!(stack.get_state::<u64>(), 1);
/// assert_eq!(stack.state::<String>(), None);
/// ```
#[must_use = "the builder methods return the changed stack"]
pub struct ProcStack {
    /// The pid, for whoever has a use for one: this crate has none. Default: `0xDEADBEEF`.
    pub pid: AtomicUsize,
    /// What a stack has beside its pid; `None` while it has nothing.
    parts: Option<Arc<Parts>>,
}

#[derive(Clone, Default)]
struct Parts {
    /// The type that the state has, or that the first hook expects it to have.
    state_type: Option<(TypeId, &'static str)>,
    state: Option<State>,
    before_start: Option<Hook>,
    after_complete: Option<Hook>,
    after_panic: Option<Hook>,
}

impl ProcStack {
    /// Sets the pid.
    pub fn with_pid(mut self, pid: usize) -> Self {
        self.pid = AtomicUsize::new(pid);
        self
    }

    /// Sets the state, which the hooks may change. Default: `()`.
    ///
    /// # Panics
    /// When a hook was set before that expects a state of another type.
    pub fn with_state<S: Any + Send>(mut self, state: S) -> Self {
        let parts = self.parts();
        parts.expect_state::<S>();
        parts.state = Some(Arc::new(Mutex::new(state)));
        self
    }

    /// Sets the hook that runs once, before the first poll.
    ///
    /// # Panics
    /// When the state, or the state of another hook, is of another type. When the process starts and has no state.
    pub fn with_before_start<C, S: Any>(mut self, hook: C) -> Self
    where
        C: Fn(&mut S) + Send + Sync + 'static,
    {
        let parts = self.parts();
        parts.before_start = Some(parts.typed(hook));
        self
    }

    /// Sets the hook that runs once, after the process has returned; not after a panic.
    ///
    /// # Panics
    /// As for [`with_before_start`](ProcStack::with_before_start).
    pub fn with_after_complete<C, S: Any>(mut self, hook: C) -> Self
    where
        C: Fn(&mut S) + Send + Sync + 'static,
    {
        let parts = self.parts();
        parts.after_complete = Some(parts.typed(hook));
        self
    }

    /// Sets the hook that runs once, after a panic, whether or not somebody awaits the handle.
    ///
    /// # Panics
    /// As for [`with_before_start`](ProcStack::with_before_start).
    pub fn with_after_panic<C, S: Any>(mut self, hook: C) -> Self
    where
        C: Fn(&mut S) + Send + Sync + 'static,
    {
        let parts = self.parts();
        parts.after_panic = Some(parts.typed(hook));
        self
    }

    /// Returns the pid.
    pub fn get_pid(&self) -> usize {
        self.pid.load(Relaxed)
    }

    /// Returns a copy of the state.
    ///
    /// # Panics
    /// When the state is not an `S`; see [`state`](ProcStack::state).
    pub fn get_state<S: Any + Copy>(&self) -> S {
        let Some(state) = self.state::<S>() else {
            let parts = self.parts.as_deref();
            let found = parts.and_then(|parts| parts.state_type).map_or("()", |(_, name)| name);
            panic!("the state of a ProcStack is `{found}`, not `{}`", type_name::<S>());
        };
        state
    }

    /// Returns a copy of the state; `None` when it is not an `S`. A stack that was given no state has a `()`.
    pub fn state<S: Any + Clone>(&self) -> Option<S> {
        match self.parts.as_deref().and_then(|parts| parts.state.as_ref()) {
            Some(state) => {
                let state = state.lock().unwrap_or_else(PoisonError::into_inner);
                (*state).downcast_ref::<S>().cloned()
            }
            None => (&() as &dyn Any).downcast_ref::<S>().cloned(),
        }
    }

    fn parts(&mut self) -> &mut Parts {
        Arc::make_mut(self.parts.get_or_insert_default())
    }
}

impl Parts {
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
            let Some(state) = state else { return with_no_state(&hook) };
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            match state.downcast_mut::<S>() {
                Some(state) => hook(state),
                None => unreachable!("{} was expected when the hook was set", type_name::<S>()),
            }
        })
    }
}

/// Calls a hook of a stack that was given no state: with `()`, or with what was the empty state in lightproc 0.3.
fn with_no_state<S: Any>(hook: &impl Fn(&mut S)) {
    let empty: [&mut dyn Any; 3] = [&mut (), &mut EmptyState, &mut Box::new(EmptyState)];
    match empty.into_iter().find_map(|empty| empty.downcast_mut::<S>()) {
        Some(empty) => hook(empty),
        None => {
            panic!("a hook of a ProcStack expects a `{}`: give it with_state", type_name::<S>())
        }
    }
}

impl Hooks for ProcStack {
    fn before_start(&self) {
        self.call(|parts| parts.before_start.as_ref());
    }

    fn after_complete(&self) {
        self.call(|parts| parts.after_complete.as_ref());
    }

    fn after_panic(&self) {
        self.call(|parts| parts.after_panic.as_ref());
    }

    fn stack(&self) -> Option<&ProcStack> {
        Some(self)
    }
}

impl ProcStack {
    #[inline]
    fn call(&self, hook: impl Fn(&Parts) -> Option<&Hook>) {
        if let Some(parts) = &self.parts
            && let Some(hook) = hook(parts)
        {
            hook(parts.state.as_ref());
        }
    }
}

impl Default for ProcStack {
    fn default() -> Self {
        ProcStack { pid: AtomicUsize::new(NO_PID), parts: None }
    }
}

impl Clone for ProcStack {
    fn clone(&self) -> Self {
        ProcStack { pid: AtomicUsize::new(self.get_pid()), parts: self.parts.clone() }
    }
}

impl fmt::Debug for ProcStack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = self.parts.as_deref();
        let has = |hook: fn(&Parts) -> bool| parts.is_some_and(hook);
        f.debug_struct("ProcStack")
            .field("pid", &self.get_pid())
            .field(
                "state",
                &parts.and_then(|parts| parts.state_type).map_or("()", |(_, name)| name),
            )
            .field("before_start", &has(|parts| parts.before_start.is_some()))
            .field("after_complete", &has(|parts| parts.after_complete.is_some()))
            .field("after_panic", &has(|parts| parts.after_panic.is_some()))
            .finish()
    }
}
