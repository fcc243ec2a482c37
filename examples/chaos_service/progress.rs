//! The line that says how it goes, on a terminal; nothing elsewhere.

use crate::ledger::Ledger;
use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// How long the rate looks back at least.
const RATE_WINDOW: Duration = Duration::from_millis(500);

/// The progress of one run, drawn on standard error.
pub(crate) struct Progress {
    bar: ProgressBar,
    begin: Instant,
    /// When the rate was taken the last time, and how many lines there were.
    rated: (Instant, u64),
    rate: f64,
}

impl Progress {
    /// Starts it; `visible` is whether it is drawn if standard error is a terminal.
    pub(crate) fn new(length: Duration, visible: bool) -> Self {
        let target =
            if visible { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(length.as_millis() as u64), target);
        // The template is checked by the test below.
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(style);
        }
        let now = Instant::now();
        Self { bar, begin: now, rated: (now, 0), rate: 0.0 }
    }

    /// Draws what the ledger says now.
    pub(crate) fn draw(&mut self, ledger: &Ledger) {
        let now = Instant::now();
        let count = |counter: &AtomicU64| counter.load(Relaxed);
        let answered = count(&ledger.answered);
        let since = now - self.rated.0;
        if since >= RATE_WINDOW {
            self.rate = (answered - self.rated.1) as f64 / since.as_secs_f64();
            self.rated = (now, answered);
        }
        let elapsed = now - self.begin;
        self.bar.set_message(format!(
            "{:.1} s  {} lines  {}/s  {} crashes  {} restarts  {} kills",
            elapsed.as_secs_f64(),
            HumanCount(answered),
            HumanCount(self.rate as u64),
            HumanCount(count(&ledger.crashes)),
            HumanCount(count(&ledger.restarts)),
            HumanCount(count(&ledger.kills)),
        ));
        self.bar.set_position(elapsed.as_millis() as u64);
    }

    /// Takes the line away.
    pub(crate) fn finish(self) {
        self.bar.finish_and_clear();
    }
}

const TEMPLATE: &str = "{bar:10} {wide_msg}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_understood() {
        assert!(ProgressStyle::with_template(TEMPLATE).is_ok());
    }
}
