//! What is printed at the end of a run of several checks: a table, and the line that counts.
//!
//! It knows nothing of what is checked.

use std::fmt;
use std::process::ExitCode;
use std::time::Duration;

/// How a check ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Everything that it checks is as it should be.
    Passed,
    /// Something is not; what, in a few words.
    Failed(String),
    /// It was not run, for this reason.
    Skipped(String),
}

impl Outcome {
    /// Ends a command that is this one check: with what is wrong, and exit code 1.
    pub(crate) fn end(self) -> ExitCode {
        match self {
            Outcome::Passed => ExitCode::SUCCESS,
            Outcome::Failed(reason) | Outcome::Skipped(reason) => {
                eprintln!("error: {reason}");
                ExitCode::FAILURE
            }
        }
    }
}

/// One check that was looked at.
#[derive(Debug)]
pub(crate) struct Row {
    /// What was checked.
    pub(crate) name: String,
    /// How it ended.
    pub(crate) outcome: Outcome,
    /// How long it took.
    pub(crate) time: Duration,
}

/// The summary of a run, printed by its `Display`.
#[derive(Debug)]
pub(crate) struct Report<'a>(pub(crate) &'a [Row]);

impl Report<'_> {
    /// Returns how many steps failed.
    pub(crate) fn failed(&self) -> usize {
        self.count(|outcome| matches!(outcome, Outcome::Failed(_)))
    }

    fn count(&self, counted: fn(&Outcome) -> bool) -> usize {
        self.0.iter().filter(|row| counted(&row.outcome)).count()
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passed => f.write_str("ok"),
            Self::Failed(reason) => write!(f, "FAILED: {reason}"),
            Self::Skipped(reason) => write!(f, "skipped: {reason}"),
        }
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let results: Vec<String> = self.0.iter().map(|row| row.outcome.to_string()).collect();
        let width = results.iter().map(|text| text.chars().count()).max().unwrap_or(0).max(6);
        let names = self.0.iter().map(|row| row.name.chars().count()).max().unwrap_or(0).max(9);
        writeln!(f, "{:<names$} {:<width$} {:>8}", "step", "result", "seconds")?;
        for (row, result) in self.0.iter().zip(&results) {
            let seconds = row.time.as_secs_f64();
            writeln!(f, "{:<names$} {result:<width$} {seconds:>8.1}", row.name)?;
        }
        let total: Duration = self.0.iter().map(|row| row.time).sum();
        writeln!(f, "{:<names$} {:<width$} {:>8.1}\n", "all", "", total.as_secs_f64())?;
        let passed = self.count(|outcome| *outcome == Outcome::Passed);
        let skipped = self.count(|outcome| matches!(outcome, Outcome::Skipped(_)));
        write!(f, "{passed} passed, {} failed", self.failed())?;
        if skipped > 0 {
            write!(f, ", {skipped} skipped")?;
        }
        writeln!(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, outcome: Outcome, seconds: u64) -> Row {
        Row { name: name.to_owned(), outcome, time: Duration::from_secs(seconds) }
    }

    #[test]
    fn the_table_is_aligned_and_the_last_line_counts() {
        let rows = [
            row("fmt", Outcome::Passed, 1),
            row("tests", Outcome::Failed("exit code 101".into()), 62),
            row("loom", Outcome::Skipped("no tests".into()), 0),
        ];
        let expected = "\
step      result                 seconds
fmt       ok                         1.0
tests     FAILED: exit code 101     62.0
loom      skipped: no tests          0.0
all                                 63.0

1 passed, 1 failed, 1 skipped
";
        assert_eq!(Report(&rows).to_string(), expected);
        assert_eq!(Report(&rows).failed(), 1);
    }

    #[test]
    fn a_long_name_widens_its_column() {
        let rows = [row("valgrind executor/timers", Outcome::Passed, 1)];
        let expected = "valgrind executor/timers ok          1.0";
        assert_eq!(Report(&rows).to_string().lines().nth(1), Some(expected));
    }

    #[test]
    fn nothing_skipped_is_not_mentioned() {
        let rows = [row("fmt", Outcome::Passed, 1)];
        assert_eq!(Report(&rows).to_string().lines().last(), Some("1 passed, 0 failed"));
    }
}
