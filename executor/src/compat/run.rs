//! Running a future with a stack on the calling thread.

use super::stacked;
use lightproc::{Hooks, Panic, ProcStack};
use std::future::Future;
use std::sync::Arc;

/// Runs a future with a stack on the calling thread, which waits for it, as [`run`](crate::run()) without a stack does.
///
/// The stack's hooks run as those of a process do: `before_start` first; `after_complete` after it has returned, or `after_panic` after
/// it, or `before_start`, has panicked. Panics of the last two are dropped.
///
/// # Panics
/// With the panic of the future or of `before_start`.
///
/// # Examples
/// ```
/// use bastion_executor::prelude::*;
/// use lightproc::prelude::*;
/// let mut sum = 0;
///
/// run(
///     async {
///         (0..10_000).for_each(|_| {
///             sum += 1;
///         });
///     },
///     ProcStack::default(),
/// );
/// assert_eq!(sum, 10_000);
/// ```
pub fn run<F, T>(future: F, stack: ProcStack) -> T
where
    F: Future<Output = T>,
{
    let stack = Arc::new(stack);
    let entered = stacked::enter(stack.clone());
    let ran = Panic::catch(|| {
        stack.before_start();
        crate::runtime::run(future)
    });
    drop(entered);
    // As in a process, a panic of these hooks has nowhere to go.
    match ran {
        Ok(output) => {
            drop(Panic::catch(|| stack.after_complete()));
            output
        }
        Err(panic) => {
            drop(Panic::catch(|| stack.after_panic()));
            panic.resume()
        }
    }
}
