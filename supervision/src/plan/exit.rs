//! Why a process ended. Knows nothing about what follows from it: that is `restart`.

use std::error::Error;
use std::fmt;
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// The reason for which a process ended.
///
/// OTP's reasons, with its two kinds of failure told apart: an error that the body returned, and
/// a panic that was caught.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ExitReason {
    /// The process did what it had to do (`normal`).
    Normal,
    /// The process was asked to stop, and did (`shutdown`).
    Shutdown,
    /// The process was asked to stop, and says why or with which result (`{shutdown, Term}`).
    ShutdownWith(Failure),
    /// The process was killed: it had no say in it (`killed`).
    Killed,
    /// The process returned an error.
    Error(Failure),
    /// The process panicked.
    Panic(PanicReport),
    /// The process declined to run, before it was ready (`ignore`): that is no failure.
    Declined,
    /// The process could not initialise itself: it never ran.
    InitFailed(Failure),
    /// There is no such process (`noproc`).
    NoProcess,
}

/// An error of a process's own, shared by all who are told of it.
///
/// It dereferences to the error: `failure.downcast_ref::<MyError>()`. Whoever happens to drop it
/// last is safe from a destructor that panics.
#[derive(Clone)]
pub struct Failure(Option<Arc<dyn Error + Send + Sync>>);

impl Failure {
    /// Takes an error, or a text.
    pub fn new(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(Some(Arc::from(error.into())))
    }
}

impl Deref for Failure {
    type Target = dyn Error + Send + Sync;

    fn deref(&self) -> &Self::Target {
        self.0.as_deref().expect("present until it is dropped")
    }
}

impl Drop for Failure {
    fn drop(&mut self) {
        let error = self.0.take();
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(error))) {
            // Its own destructor may panic too: it is leaked.
            std::mem::forget(payload);
        }
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}

/// The three cases that OTP's restart types tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExitClass {
    /// The process ended on its own, with success.
    Normal,
    /// The process ended because it was asked to.
    Shutdown,
    /// Everything else: an error, a panic, a kill, a start that failed.
    Abnormal,
}

impl ExitReason {
    /// Returns the class by which restart types judge this reason.
    pub const fn class(&self) -> ExitClass {
        match self {
            Self::Normal | Self::Declined => ExitClass::Normal,
            Self::Shutdown | Self::ShutdownWith(_) => ExitClass::Shutdown,
            Self::Killed
            | Self::Error(_)
            | Self::Panic(_)
            | Self::InitFailed(_)
            | Self::NoProcess => ExitClass::Abnormal,
        }
    }

    /// Returns whether a transient child that ends for this reason is restarted.
    pub const fn is_abnormal(&self) -> bool {
        matches!(self.class(), ExitClass::Abnormal)
    }
}

/// Formats the reason for a log line.
///
/// The text of an error is written by that error's own `Display`, which may panic: whoever logs
/// reasons of foreign processes has to contain that.
impl fmt::Display for ExitReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Normal => f.write_str("normal"),
            Self::Shutdown => f.write_str("shutdown"),
            Self::ShutdownWith(value) => write!(f, "shutdown: {value}"),
            Self::Killed => f.write_str("killed"),
            Self::Error(error) => write!(f, "error: {error}"),
            Self::Panic(report) => fmt::Display::fmt(report, f),
            Self::Declined => f.write_str("declined to run"),
            Self::InitFailed(error) => write!(f, "failed to initialise: {error}"),
            Self::NoProcess => f.write_str("no such process"),
        }
    }
}

/// What is known about a panic.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PanicReport {
    /// The panic's message.
    pub message: Arc<str>,
    /// Where it panicked, as `file:line:column`, when known.
    pub location: Option<Arc<str>>,
}

impl fmt::Display for PanicReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.location {
            Some(location) => write!(f, "panicked at {location}: {}", self.message),
            None => write!(f, "panicked: {}", self.message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_a_class_and_a_text() {
        let error = Failure::new("x");
        let report = |location: Option<&str>| PanicReport {
            message: Arc::from("boom"),
            location: location.map(Arc::from),
        };
        let cases = [
            (ExitReason::Normal, ExitClass::Normal, "normal"),
            (ExitReason::Declined, ExitClass::Normal, "declined to run"),
            (ExitReason::Shutdown, ExitClass::Shutdown, "shutdown"),
            (ExitReason::ShutdownWith(error.clone()), ExitClass::Shutdown, "shutdown: x"),
            (ExitReason::Killed, ExitClass::Abnormal, "killed"),
            (ExitReason::Error(error.clone()), ExitClass::Abnormal, "error: x"),
            (ExitReason::InitFailed(error), ExitClass::Abnormal, "failed to initialise: x"),
            (ExitReason::Panic(report(None)), ExitClass::Abnormal, "panicked: boom"),
            (
                ExitReason::Panic(report(Some("a.rs:1:2"))),
                ExitClass::Abnormal,
                "panicked at a.rs:1:2: boom",
            ),
            (ExitReason::NoProcess, ExitClass::Abnormal, "no such process"),
        ];
        for (reason, class, text) in cases {
            assert_eq!(reason.class(), class, "{reason}");
            assert_eq!(reason.is_abnormal(), class == ExitClass::Abnormal, "{reason}");
            assert_eq!(reason.to_string(), text);
        }
    }

    #[test]
    fn a_failure_is_the_error_and_drops_without_a_panic() {
        #[derive(Debug)]
        struct Bomb;
        impl fmt::Display for Bomb {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bomb")
            }
        }
        impl Error for Bomb {}
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("destructor");
            }
        }
        let failure = Failure::new(Bomb);
        assert!(failure.downcast_ref::<Bomb>().is_some());
        assert_eq!(failure.to_string(), "bomb");
        drop(failure.clone());
        drop(failure);
    }
}
