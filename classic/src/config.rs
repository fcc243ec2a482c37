//! [`Config`]: what a program says once, before it begins.

use bastion_supervision::current_pid;
use lightproc::Panic;
use std::panic;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

/// What a program can say before it begins.
///
/// # Examples
/// ```
/// use bastion_classic::config::Config;
/// let config = Config::new().hide_backtraces();
/// ```
#[derive(Clone, Debug, Default)]
pub struct Config {
    hides_backtraces: bool,
}

impl Config {
    /// Makes one with the defaults: panics of children are shown.
    ///
    /// # Examples
    /// ```
    /// use bastion_classic::prelude::*;
    /// let config = Config::new(); // What `Bastion::init` takes.
    /// ```
    pub fn new() -> Self {
        Config::default()
    }

    /// Has panics of children and supervisors printed, as the program's panic hook does it. The default.
    ///
    /// # Examples
    /// ```
    /// use bastion_classic::prelude::*;
    /// let config = Config::new().show_backtraces();
    /// ```
    pub fn show_backtraces(mut self) -> Self {
        self.hides_backtraces = false;
        self
    }

    /// Has panics of children and supervisors print nothing. They are reported all the same, and other panics are printed as before.
    ///
    /// # Examples
    /// ```
    /// use bastion_classic::prelude::*;
    /// let config = Config::new().hide_backtraces();
    /// ```
    pub fn hide_backtraces(mut self) -> Self {
        self.hides_backtraces = true;
        self
    }

    /// Has it hold, for the whole program. A system has been made before: its panic hook is the one below.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// Config::new().hide_backtraces().apply();
    /// let group = platform.spawn(|_ctx| async { panic!("and nothing is printed") }).unwrap();
    /// # });
    /// ```
    pub fn apply(&self) {
        static INSTALLED: Once = Once::new();
        static HIDES: AtomicBool = AtomicBool::new(false);
        HIDES.store(self.hides_backtraces, SeqCst);
        if !self.hides_backtraces || INSTALLED.is_completed() {
            return;
        }
        INSTALLED.call_once(|| {
            let outer = panic::take_hook();
            panic::set_hook(Box::new(move |info| {
                if HIDES.load(SeqCst) && current_pid().is_some() {
                    // Where it panicked is in the report.
                    Panic::note(info);
                } else {
                    outer(info);
                }
            }));
        });
    }
}
