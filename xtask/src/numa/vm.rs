//! Runs a machine: reads its console, and ends it when it takes too long or the user wants it to end.
//!
//! It knows no qemu: a machine is a command that writes lines.

use std::io::{self, BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// How often it is looked whether the machine is to be ended.
const GLANCE: Duration = Duration::from_millis(50);

/// A machine that is not there any more.
#[derive(Debug)]
pub(super) struct Ended {
    /// What it has written, line by line.
    pub(super) console: Vec<String>,
    /// How it ended.
    pub(super) how: How,
}

/// How a machine ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum How {
    /// By itself.
    Exited(ExitStatus),
    /// It was ended because it took too long.
    TimedOut,
    /// It was ended because the user wanted that.
    Interrupted,
}

/// Runs a machine until it ends, at most for `limit`, and not on when `interrupted` is set.
///
/// # Errors
/// When it cannot be started, or not waited for.
pub(super) fn run(
    mut command: Command,
    limit: Duration,
    interrupted: &AtomicBool,
) -> io::Result<Ended> {
    let deadline = Instant::now() + limit;
    let (reader, writer) = io::pipe()?;
    let outputs = (writer.try_clone()?, writer);
    command.stdin(Stdio::null()).stdout(outputs.0).stderr(outputs.1);
    let mut child = Guard(command.spawn()?);
    // It holds the writing ends too: they must go before the reader can see the end.
    drop(command);
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(reader).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    let mut console = Vec::new();
    let how = loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match lines.recv_timeout(GLANCE.min(left)) {
            Ok(line) => console.push(line),
            // It has closed its console: it is about to end, if it is not hung.
            Err(RecvTimeoutError::Disconnected) => {
                if let Some(status) = child.0.try_wait()? {
                    break How::Exited(status);
                }
                thread::sleep(GLANCE.min(left));
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
        if interrupted.load(Relaxed) {
            break How::Interrupted;
        }
        if Instant::now() >= deadline {
            break How::TimedOut;
        }
    };
    Ok(Ended { console, how })
}

/// A program that does not outlive its guard.
struct Guard(Child);

impl Drop for Guard {
    fn drop(&mut self) {
        // If it has ended already, there is nothing to kill.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(20);

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    fn run_shell(script: &str, limit: Duration, interrupted: bool) -> Ended {
        run(shell(script), limit, &AtomicBool::new(interrupted)).expect("the shell runs")
    }

    #[test]
    fn the_console_is_both_outputs_line_by_line() {
        let ended = run_shell("printf 'a\\r\\nb'; echo >&2; echo c; exit 3", LONG, false);
        assert_eq!(ended.console, ["a", "b", "c"]);
        assert!(matches!(ended.how, How::Exited(status) if status.code() == Some(3)));
    }

    #[test]
    fn a_machine_that_hangs_is_ended_and_what_it_wrote_is_kept() {
        let begin = Instant::now();
        let ended = run_shell("echo a; exec sleep 30", Duration::from_millis(500), false);
        assert_eq!((ended.console, ended.how), (vec!["a".to_owned()], How::TimedOut));
        // Also one that has closed its console.
        let ended = run_shell("exec sleep 30 >&- 2>&-", Duration::from_millis(100), false);
        assert_eq!(ended.how, How::TimedOut);
        assert!(begin.elapsed() < LONG);
    }

    #[test]
    fn the_user_ends_a_machine() {
        let begin = Instant::now();
        assert_eq!(run_shell("exec sleep 30", LONG, true).how, How::Interrupted);
        assert!(begin.elapsed() < LONG);
    }
}
