//! The cooperative budget: how much a process may do in one poll before it lets others run.
//!
//! Whatever is always ready (a socket with data, a mailbox that is never empty) would keep its process in one poll for ever. Each
//! operation of ours spends one unit; when none is left it is pending, having woken its process, which runs again behind
//! the others. The rule is tokio's. Knows no worker: the worker fills the purse before a poll.

use crate::sync::thread_local;
use std::cell::Cell;
use std::task::{Context, Poll};

/// What one poll may spend, as in tokio.
const PER_POLL: u32 = 128;

/// On threads that poll nobody else there is no limit.
const UNLIMITED: u32 = u32::MAX;

thread_local! {
    static LEFT: Cell<u32> = const { Cell::new(UNLIMITED) };
}

/// Fills the purse for the next poll of a process. By the worker.
#[inline]
pub(crate) fn refill() {
    let _ = LEFT.try_with(|left| left.set(PER_POLL));
}

/// Lifts the limit while `f` runs: it polls something on its own account, which nobody would poll again.
pub(crate) fn unlimited<R>(f: impl FnOnce() -> R) -> R {
    struct Restore(u32);
    impl Drop for Restore {
        fn drop(&mut self) {
            let _ = LEFT.try_with(|left| left.set(self.0));
        }
    }
    let _restore = Restore(LEFT.try_with(|left| left.replace(UNLIMITED)).unwrap_or(UNLIMITED));
    f()
}

/// Says whether nothing is left for this poll.
pub(crate) fn is_spent() -> bool {
    LEFT.try_with(Cell::get) == Ok(0)
}

/// Spends one unit of what the running process may do in this poll. Pending, and the process woken, when nothing is left: return
/// `Pending` then, and spend again at the next poll.
///
/// For primitives of your own that can be ready many times in a row. The executor's timers and sockets call it themselves. The
/// budget is 128 for each poll of a process, and unlimited outside of a process.
///
/// # Examples
/// ```
/// use bastion_executor::{poll_budget, run, spawn};
/// use std::future::poll_fn;
/// // Always ready, and yet not for ever in one poll.
/// let always = spawn(async {
///     for _ in 0..1_000 {
///         poll_fn(poll_budget).await;
///     }
/// });
/// assert!(run(always).is_some());
/// ```
#[inline]
pub fn poll_budget(cx: &mut Context<'_>) -> Poll<()> {
    let spent = LEFT.try_with(|left| match left.get() {
        0 => false,
        UNLIMITED => true,
        some => {
            left.set(some - 1);
            true
        }
    });
    if spent.unwrap_or(true) {
        return Poll::Ready(());
    }
    cx.waker().wake_by_ref();
    Poll::Pending
}
