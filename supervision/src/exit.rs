//! [`Exit`]: the error with which a process ends itself.

use crate::plan::{ExitReason, Failure};
use std::error::Error;
use std::fmt;

/// The error with which the body of a process ends it.
///
/// Any error turns into one with `?`. Not an error itself, so that this conversion can exist.
///
/// # Examples
/// ```
/// use bastion_supervision::Exit;
/// fn parse(text: &str) -> Result<u32, Exit> {
///     Ok(text.parse()?)
/// }
/// assert_eq!(parse("x").unwrap_err().to_string(), "error: invalid digit found in string");
/// ```
#[derive(Debug, Clone)]
pub struct Exit(ExitReason);

impl Exit {
    /// Ends with an error that is only a text.
    pub fn error(text: impl Into<String>) -> Exit {
        Exit(ExitReason::Error(Failure::new(text.into())))
    }

    /// Ends with an error that is boxed already; `?` cannot convert one.
    pub fn boxed(error: Box<dyn Error + Send + Sync>) -> Exit {
        Exit(ExitReason::Error(Failure::new(error)))
    }

    /// Ends as if asked to: a transient process is not restarted.
    pub fn shutdown() -> Exit {
        Exit(ExitReason::Shutdown)
    }

    /// Ends as if asked to, and tells why; OTP's `{shutdown, Term}`.
    pub fn shutdown_with(value: impl Error + Send + Sync + 'static) -> Exit {
        Exit(ExitReason::ShutdownWith(Failure::new(value)))
    }

    /// Declines to run, in the initialisation of a [gated](crate::Child::gated) child: there is nothing to do, for example because a feature is
    /// switched off. That is no failure: the start is complete, and the child rests; a temporary one, or one of a dynamic supervisor, is
    /// gone. After the child was ready it is a normal end. OTP's `ignore`.
    ///
    /// # Examples
    /// ```
    /// use bastion_supervision::{child, Context, Exit};
    /// async fn metrics(cx: Context<()>) -> Result<(), Exit> {
    ///     if std::env::var_os("METRICS").is_none() {
    ///         return Err(Exit::decline());
    ///     }
    ///     cx.ready();
    ///     cx.stop_signal().requested().await;
    ///     Ok(())
    /// }
    /// let metrics = child(metrics).named("metrics").gated();
    /// ```
    pub fn decline() -> Exit {
        Exit(ExitReason::Declined)
    }

    /// Ends with a reason that is known already.
    pub fn with(reason: ExitReason) -> Exit {
        Exit(reason)
    }

    /// Returns the reason.
    pub fn reason(&self) -> &ExitReason {
        &self.0
    }

    pub(crate) fn into_reason(self) -> ExitReason {
        self.0
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for Exit {
    fn from(error: E) -> Self {
        Exit(ExitReason::Error(Failure::new(error)))
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
