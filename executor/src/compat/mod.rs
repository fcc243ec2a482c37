//! The paths and functions of bastion-executor 0.4, over today's.
//!
//! What took a future and a `ProcStack` there takes them here: `stacked` is how a process carries its stack. Nothing of it is used
//! elsewhere in the executor, but for `cores`, which is part of the module `placement`. What a program of 0.4 sees differently is told in
//! the README, "Coming from 0.4".

pub mod blocking;
pub(crate) mod cores;
pub mod load_balancer;
pub mod pool;
pub mod run;
pub mod sleepers;
mod stacked;

/// Queues to steal from: what crossbeam-deque has, of which bastion-executor 0.4 had a copy.
///
/// What only the copy had: `worker_run_queue_size` and `run_queue_size` are `len`, and `steal_batch_and_pop_with_amount` is
/// `steal_batch_with_limit_and_pop`.
///
/// # Examples
/// ```
/// use bastion_executor::run_queue::{Steal, Worker};
/// let worker = Worker::new_fifo();
/// worker.push(7);
/// assert_eq!(worker.stealer().steal(), Steal::Success(7));
/// ```
pub mod run_queue {
    pub use crossbeam_deque::{Injector, Steal, Stealer, Worker};
}

/// The stack of the process that runs.
pub mod worker {
    pub use super::stacked::current;
    use std::time::Duration;

    /// How long a worker of bastion-executor 0.4 slept between two attempts to steal.
    #[deprecated(note = "a worker without work sleeps until it is woken")]
    pub const THREAD_PARK_TIMEOUT: Duration = Duration::from_millis(1);
}

/// What most programs of bastion-executor 0.4 use.
///
/// # Examples
/// ```
/// use bastion_executor::prelude::*;
/// use lightproc::proc_stack::ProcStack;
/// use lightproc::proc_state::EmptyProcState;
///
/// let pid = 1;
/// let stack = ProcStack::default()
///     .with_pid(pid)
///     .with_after_panic(move |_s: &mut EmptyProcState| println!("after panic {}", pid));
///
/// let handle = spawn(
///     async {
///         panic!("test");
///     },
///     stack,
/// );
///
/// let pid = 2;
/// let stack = ProcStack::default().with_pid(pid);
///
/// run(
///     async {
///         handle.await;
///     },
///     stack.clone(),
/// );
/// ```
pub mod prelude {
    pub use super::blocking::*;
    pub use super::pool::*;
    pub use super::run::*;
}
