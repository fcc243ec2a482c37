//! The paths and methods of lightproc 0.3, over today's types.
//!
//! Nothing here is a second mechanism: the modules re-export, `stack` and `state` look at what is there. What a program of 0.3 sees
//! differently is told in the README, "Coming from 0.3".

mod handle_state;
pub mod proc_state;

use crate::ProcStack;
pub(crate) use handle_state::HandleState;

/// `LightProc`, where lightproc 0.3 had it.
///
/// # Examples
/// ```
/// use lightproc::prelude::*;
///
/// // ... future that does work
/// let future = async {
///     println!("Doing some work");
/// };
///
/// // ... basic schedule function with no waker logic
/// fn schedule_function(proc: LightProc) {}
///
/// // ... process stack with a lifecycle callback
/// let proc_stack = ProcStack::default().with_after_panic(|s: &mut EmptyProcState| {
///     println!("After panic started!");
/// });
///
/// // ... creating a recoverable process
/// let panic_recoverable = LightProc::recoverable(future, schedule_function, proc_stack);
/// ```
pub mod lightproc {
    pub use crate::proc::LightProc;
}

/// `ProcHandle`, where lightproc 0.3 had it.
pub mod proc_handle {
    pub use super::handle_state::HandleState;
    pub use crate::handle::ProcHandle;
}

/// `ProcStack`, where lightproc 0.3 had it.
///
/// # Examples
/// ```
/// use lightproc::proc_stack::ProcStack;
/// use lightproc::proc_state::EmptyProcState;
///
/// let stack = ProcStack::default()
///     .with_pid(123)
///     .with_before_start(|s: &mut EmptyProcState| println!("Before start"))
///     .with_after_complete(|s: &mut EmptyProcState| println!("After complete"))
///     .with_after_panic(|s: &mut EmptyProcState| println!("After panic"));
/// assert_eq!(stack.get_pid(), 123);
/// ```
pub mod proc_stack {
    pub use crate::stack::ProcStack;
}

/// `RecoverableHandle`, where lightproc 0.3 had it.
pub mod recoverable_handle {
    pub use crate::handle::RecoverableHandle;
}

/// All names of lightproc 0.3 at once.
///
/// # Examples
/// A queue and a thread that runs what is in it, as the examples of 0.3 have it:
/// ```
/// use lightproc::prelude::*;
/// use std::sync::mpsc;
/// use std::sync::{Arc, Mutex};
///
/// let (queue, due) = mpsc::channel::<LightProc>();
/// std::thread::spawn(move || {
///     for proc in due {
///         proc.run();
///     }
/// });
///
/// let amount = Arc::new(Mutex::new(0));
/// let stack = ProcStack::default()
///     .with_pid(1)
///     .with_state(amount.clone())
///     .with_before_start(|s: &mut Arc<Mutex<i32>>| *s.lock().unwrap() += 1)
///     .with_after_complete(|s: &mut Arc<Mutex<i32>>| *s.lock().unwrap() += 2)
///     .with_after_panic(|s: &mut Arc<Mutex<i32>>| *s.lock().unwrap() += 3);
/// let (proc, handle) =
///     LightProc::recoverable(async { panic!("Panic here!") }, move |t| queue.send(t).unwrap(), stack);
/// proc.schedule();
///
/// assert_eq!(futures_lite::future::block_on::<Option<()>>(handle), None);
/// // 1 before the start, 3 after the panic. (It was 6: 0.3 ran `after_complete`, too.)
/// assert_eq!(*amount.lock().unwrap(), 4);
/// ```
pub mod prelude {
    pub use super::lightproc::*;
    pub use super::proc_handle::*;
    pub use super::proc_stack::*;
    pub use super::proc_state::*;
    pub use super::recoverable_handle::*;
}

/// What a process without a stack, or a handle without a process, is told.
const NO_STACK: &str = "the process has no ProcStack, or its handle was ready before";

impl crate::LightProc {
    /// Returns the stack that the process was made with.
    ///
    /// # Panics
    /// When its data neither are nor hold a [`ProcStack`]; [`data`](crate::LightProc::data) asks.
    ///
    /// # Examples
    /// ```
    /// use lightproc::prelude::*;
    /// let (proc, handle) = LightProc::build(async {}, drop, ProcStack::default().with_pid(7));
    /// assert_eq!((proc.stack().get_pid(), handle.stack().get_pid()), (7, 7));
    /// ```
    pub fn stack(&self) -> &ProcStack {
        self.data().expect(NO_STACK)
    }
}

impl<T> crate::ProcHandle<T> {
    /// Returns the stack that the process was made with.
    ///
    /// # Panics
    /// When its data neither are nor hold a [`ProcStack`], or the handle was ready before, with which the process is gone;
    /// [`data`](crate::ProcHandle::data) asks.
    pub fn stack(&self) -> &ProcStack {
        self.data().expect(NO_STACK)
    }

    /// Returns how the process is at this moment.
    ///
    /// # Examples
    /// ```
    /// use lightproc::prelude::*;
    /// let (proc, handle) = LightProc::build(async {}, drop, ProcStack::default());
    /// assert!(handle.state().is_scheduled() && handle.state().is_pending());
    /// proc.run();
    /// assert!(handle.state().is_completed() && !handle.state().is_closed());
    /// ```
    pub fn state(&self) -> HandleState {
        self.facts().unwrap_or(HandleState::READY)
    }
}

impl<T> crate::RecoverableHandle<T> {
    /// Returns the stack that the process was made with.
    ///
    /// # Panics
    /// As [`ProcHandle::stack`](crate::ProcHandle::stack) does.
    pub fn stack(&self) -> &ProcStack {
        self.data().expect(NO_STACK)
    }

    /// Returns how the process is at this moment; see [`ProcHandle::state`](crate::ProcHandle::state).
    pub fn state(&self) -> HandleState {
        self.facts().unwrap_or(HandleState::READY)
    }
}
