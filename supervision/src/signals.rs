//! The signals by which a system asks a program to end: [`termination`], [`System::stop_on_signal`].
//!
//! The program has one handler, which `ctrlc` calls on a thread of its own. It counts the signals; everything else waits for a count.

use crate::process::guard;
use crate::sync::lock;
use crate::system::{Stopped, System};
use crate::waiters::{Waiters, wait};
use std::error::Error;
use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::{LazyLock, Mutex};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// How much later another signal is one more. Who stops a group of programs may send several at once.
const ONCE_MORE: Duration = Duration::from_millis(300);

/// What a stop may still take after the second signal: time in which each supervisor kills its children, and names them.
const HURRY: Duration = Duration::from_millis(100);

/// The signal that ends a program which is being stopped.
const LAST: u32 = 3;

/// The exit code that shells give to a program that Ctrl-C has ended.
const LAST_CODE: i32 = 130;

/// Waits for the first signal that asks the program to end: SIGINT (Ctrl-C), SIGTERM or SIGHUP; on Windows Ctrl-C, Ctrl-Break and the
/// closing of the console.
///
/// From the first call on, these signals do not end the program by themselves. Several within 300 milliseconds count as one. A signal
/// that the program was started to ignore (by `nohup`, or as a job in the background of a script) is heeded too, on Linux; elsewhere
/// that cannot be told from a handler.
///
/// # Errors
/// When the program handles these signals already, otherwise than through this; or when the system refuses.
///
/// # Examples
/// ```no_run
/// use bastion_supervision::{SignalError, termination};
///
/// async fn serve(stop: impl Future<Output = ()>) {
///     stop.await;
/// }
///
/// async fn until_a_signal() -> Result<(), SignalError> {
///     serve(termination()?).await;
///     Ok(())
/// }
/// ```
pub fn termination() -> Result<Termination, SignalError> {
    install()?;
    Ok(Termination { signals: 1, wait: None })
}

/// The future of [`termination`]: ready when the program has been asked to end, and from then on.
///
/// # Cancel safety
/// Nothing is lost: a clone, or another call of [`termination`], knows of the signals that have come.
#[must_use = "futures do nothing unless polled"]
pub struct Termination {
    /// How many signals it waits for.
    signals: u32,
    wait: Option<Pin<Box<dyn Future<Output = ()> + Send + Sync>>>,
}

impl Termination {
    /// Says whether the signal has come.
    pub fn is_requested(&self) -> bool {
        lock(&HEARD).signals >= self.signals
    }

    /// Waits for one signal more than this does.
    pub fn again(&self) -> Termination {
        Termination { signals: self.signals.saturating_add(1), wait: None }
    }
}

impl Future for Termination {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let signals = self.signals;
        let waiting = self.wait.get_or_insert_with(|| {
            Box::pin(wait(&HEARD, move |heard| match heard.signals >= signals {
                true => Ok(()),
                false => Err(&mut heard.waiters),
            }))
        });
        waiting.as_mut().poll(cx)
    }
}

impl Clone for Termination {
    fn clone(&self) -> Self {
        Termination { signals: self.signals, wait: None }
    }
}

impl fmt::Debug for Termination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Termination").field("is_requested", &self.is_requested()).finish()
    }
}

impl System {
    /// Waits until the program is asked to end, by a signal as for [`termination`], and stops everything in order, within `limit`.
    ///
    /// A second signal cuts the limit: within a tenth of a second everything that still runs is killed. A third one ends the program at
    /// once with exit code 130, whoever hangs. If the system is stopped by somebody else, that is waited for.
    ///
    /// The signals are heeded from the first poll on; after a call of [`termination`], from that call on.
    ///
    /// # Errors
    /// Those of [`termination`]; the system is not stopped then.
    ///
    /// # Examples
    /// ```no_run
    /// use bastion_supervision::{Runtime, SignalError, System};
    /// use std::time::Duration;
    ///
    /// async fn serve() -> Result<(), SignalError> {
    ///     let system = System::new(Runtime::executor());
    ///     // … start supervisors …
    ///     let stopped = system.stop_on_signal(Duration::from_secs(30)).await?;
    ///     println!("killed: {:?}", stopped.forced);
    ///     Ok(())
    /// }
    /// ```
    pub async fn stop_on_signal(&self, limit: Duration) -> Result<Stopped, SignalError> {
        let first = termination()?;
        let mut second = first.again();
        lock(&HEARD).exits = true;
        first_of(&mut pin!(self.ended()), first).await;
        let mut stop = pin!(self.stop(limit));
        if let Some(stopped) = first_of(&mut stop, &mut second).await {
            return Ok(stopped);
        }
        self.ask_to_stop(HURRY);
        Ok(stop.await)
    }
}

/// Waits for one of two futures, and returns what the first one said, if it was that one.
async fn first_of<F>(mut first: F, mut other: impl Future<Output = ()> + Unpin) -> Option<F::Output>
where
    F: Future + Unpin,
{
    poll_fn(|task| match Pin::new(&mut first).poll(task) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Pin::new(&mut other).poll(task).map(|()| None),
    })
    .await
}

/// Why a program cannot wait for signals.
#[derive(Debug)]
#[non_exhaustive]
pub enum SignalError {
    /// Another part of the program has a handler for one of them. Its handler stays.
    Taken,
    /// The system refuses.
    System(io::Error),
}

impl fmt::Display for SignalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SignalError::Taken => f.write_str("another part of the program handles the signals"),
            SignalError::System(_) => f.write_str("the signals cannot be handled"),
        }
    }
}

impl Error for SignalError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            SignalError::Taken => None,
            SignalError::System(error) => Some(error),
        }
    }
}

static HEARD: LazyLock<Mutex<Heard>> = LazyLock::new(Mutex::default);

/// What the program has heard.
#[derive(Default)]
struct Heard {
    signals: u32,
    /// When the last one came that was counted.
    last: Option<Instant>,
    /// A system is stopped by signals, so that the last one ends the program.
    exits: bool,
    waiters: Waiters,
}

impl Heard {
    /// Counts a signal, unless it came with the one before.
    fn hear(&mut self, now: Instant) -> bool {
        if self.last.is_some_and(|last| now.saturating_duration_since(last) < ONCE_MORE) {
            return false;
        }
        self.last = Some(now);
        self.signals = self.signals.saturating_add(1);
        true
    }
}

fn on_signal() {
    let mut heard = lock(&HEARD);
    if !heard.hear(Instant::now()) {
        return;
    }
    let ends = heard.exits && heard.signals >= LAST;
    let waiters = heard.waiters.take();
    drop(heard);
    if ends {
        std::process::exit(LAST_CODE);
    }
    // A panic would end the thread, and with it all hearing.
    waiters.for_each(|waiter| guard::contain(|| waiter.wake()));
}

/// Installs the handler, once a program.
fn install() -> Result<(), SignalError> {
    static INSTALLED: Mutex<bool> = Mutex::new(false);
    // Held while `ctrlc` works, which calls nobody: so no second call takes the first one's handler for somebody else's.
    let mut installed = lock(&INSTALLED);
    if !*installed {
        let result = match ctrlc::try_set_handler(on_signal) {
            // It takes a signal that is ignored for one that is handled.
            Err(ctrlc::Error::MultipleHandlers) if nobody_handles() => {
                ctrlc::set_handler(on_signal)
            }
            result => result,
        };
        result.map_err(|error| match error {
            ctrlc::Error::MultipleHandlers => SignalError::Taken,
            ctrlc::Error::System(error) => SignalError::System(error),
            error @ ctrlc::Error::NoSuchSignal(_) => SignalError::System(io::Error::other(error)),
        })?;
        *installed = true;
    }
    Ok(())
}

/// Says whether it is certain that no handler of the signals exists.
fn nobody_handles() -> bool {
    let status = std::fs::read_to_string("/proc/self/status");
    status.is_ok_and(|status| handles(&status) == Some(false))
}

/// Reads from a process's status on Linux whether one of the signals is handled: `proc_pid_status(5)`, `SigCgt`.
fn handles(status: &str) -> Option<bool> {
    /// SIGHUP, SIGINT and SIGTERM have the numbers 1, 2 and 15 on all machines. The first signal is the lowest bit.
    const SIGNALS: u128 = 0x4003;
    let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:"))?;
    let caught = u128::from_str_radix(mask.trim(), 16).ok()?;
    Some(caught & SIGNALS != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_that_come_together_count_as_one() {
        let (mut heard, begin) = (Heard::default(), Instant::now());
        let counted = [0, 10, 299, 300, 599, 1000, 1001, 5000]
            .map(|ms| heard.hear(begin + Duration::from_millis(ms)));
        assert_eq!(counted, [true, false, false, true, false, true, false, true]);
        assert_eq!(heard.signals, 4);
    }

    #[test]
    fn handled_signals_are_read_from_the_status() {
        let status =
            |mask| handles(&format!("Name:\tx\nSigIgn:\t0000000000000007\nSigCgt:\t{mask}\n"));
        for (mask, handled) in [
            ("0000000000000000", Some(false)),
            ("0000000000000001", Some(true)),
            ("0000000000000002", Some(true)),
            ("0000000000004000", Some(true)),
            ("ffffffffffffbffc", Some(false)),
            ("none", None),
        ] {
            assert_eq!(status(mask), handled, "{mask}");
        }
        assert_eq!(handles("Name:\tx\n"), None);
    }
}
