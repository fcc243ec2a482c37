//! A limit on how long a future may take.

use crate::budget;
use crate::timer::sleep;
use pin_utils::pin_mut;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

/// The time was over before the future was ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Elapsed(pub Duration);

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not ready within {:?}", self.0)
    }
}

impl std::error::Error for Elapsed {}

/// Waits for a future, but not longer than `limit` from now. The future is polled first, so one that is ready wins.
///
/// # Errors
/// [`Elapsed`] when the time was over first.
///
/// # Cancel safety
/// Dropping it drops the future; what that one has not handed out yet is lost.
///
/// # Examples
/// ```
/// use bastion_executor::{run, timeout};
/// use std::time::Duration;
/// let never = std::future::pending::<()>();
/// assert!(run(timeout(Duration::from_millis(1), never)).is_err());
/// ```
pub fn timeout<F: Future>(
    limit: Duration,
    future: F,
) -> impl Future<Output = Result<F::Output, Elapsed>> {
    let mut sleep = sleep(limit);
    async move {
        pin_mut!(future);
        poll_fn(|cx| {
            let had_some = !budget::is_spent();
            if let Poll::Ready(output) = future.as_mut().poll(cx) {
                return Poll::Ready(Ok(output));
            }
            let mut look = || Pin::new(&mut sleep).poll(cx);
            // A future that spends the whole budget in each poll would leave nothing for the look, ever. Where there was nothing
            // from the start the look is not free: a loop of timeouts is one that must end, too.
            let over =
                if had_some && budget::is_spent() { budget::unlimited(look) } else { look() };
            over.map(|()| Err(Elapsed(limit)))
        })
        .await
    }
}
