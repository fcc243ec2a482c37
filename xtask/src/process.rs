//! Runs other programs: streaming, captured, bounded in time, or in the place of this one.
//!
//! It knows nothing of what the programs are for.

use std::fmt;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// How long a program that was asked to end may take before it is killed.
const GRACE: Duration = Duration::from_secs(5);

/// Says why a program did not run to its end.
#[derive(Debug)]
#[non_exhaustive]
pub(crate) enum RunError {
    /// It is not installed.
    NotFound(String),
    /// It could not be started.
    NotStarted(String, io::Error),
    /// It was ended because it took longer than allowed.
    TimedOut(Duration),
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound(program) => write!(f, "`{program}` is not installed"),
            Self::NotStarted(program, error) => write!(f, "`{program}` did not start: {error}"),
            Self::TimedOut(limit) => write!(f, "killed after {} s", limit.as_secs()),
        }
    }
}

impl std::error::Error for RunError {}

/// How a captured program ended, and what it wrote to both of its outputs.
#[derive(Debug)]
pub(crate) struct Captured {
    /// Its exit status.
    pub(crate) status: ExitStatus,
    /// Its output and its errors, interleaved as they were written.
    pub(crate) output: String,
}

/// Returns a command for the cargo that runs this program.
pub(crate) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Returns the folder of the workspace that this program belongs to.
pub(crate) fn root() -> PathBuf {
    let own = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    own.parent().map_or_else(|| own.clone(), Path::to_path_buf)
}

/// Writes to standard output; a reader that has gone away (`| head`) is no error.
pub(crate) fn print(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
}

/// Runs a program with its output on the terminal and returns how it ended.
///
/// # Errors
/// When it cannot be started, or, with a limit, when it was killed for taking longer.
pub(crate) fn stream(
    command: &mut Command,
    limit: Option<Duration>,
) -> Result<ExitStatus, RunError> {
    let mut child = start(command)?;
    let ended = match limit {
        None => child.wait(),
        Some(limit) => match wait_until(&mut child, Instant::now() + limit) {
            Ok(Some(status)) => Ok(status),
            Ok(None) => {
                stop(&mut child, Elevation::Own);
                return Err(RunError::TimedOut(limit));
            }
            Err(error) => Err(error),
        },
    };
    ended.map_err(|error| RunError::NotStarted(name(command), error))
}

/// Whose rights are needed to end a program that takes too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Elevation {
    /// The program runs with this program's rights.
    Own,
    /// The program was started through `sudo`.
    Sudo,
}

/// Runs a program without terminal input, collects its output, and ends it after `limit`.
///
/// # Errors
/// When it cannot be started, or was ended for taking longer.
pub(crate) fn capture(
    mut command: Command,
    limit: Duration,
    elevation: Elevation,
) -> Result<Captured, RunError> {
    let program = name(&command);
    let not_started = |error| RunError::NotStarted(program.clone(), error);
    let (mut reader, writer) = io::pipe().map_err(not_started)?;
    command.stdin(Stdio::null()).stdout(writer.try_clone().map_err(not_started)?).stderr(writer);
    let mut child = start(&mut command)?;
    // The command holds the writing ends too: they must go before the reader can see the end.
    drop(command);
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // An error here only means less text for a message.
        let _ = reader.read_to_end(&mut bytes);
        let _ = sender.send(bytes);
    });
    match wait_until(&mut child, Instant::now() + limit).map_err(not_started)? {
        Some(status) => {
            // Something that the program left behind may keep the pipe open: do not wait for that.
            let bytes = receiver.recv_timeout(Duration::from_secs(1)).unwrap_or_default();
            Ok(Captured { status, output: String::from_utf8_lossy(&bytes).into_owned() })
        }
        None => {
            stop(&mut child, elevation);
            Err(RunError::TimedOut(limit))
        }
    }
}

/// Tells whether a program can be started and ends with success within five seconds.
pub(crate) fn succeeds(program: &str, args: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(args);
    capture(command, Duration::from_secs(5), Elevation::Own).is_ok_and(|run| run.status.success())
}

/// Lets a program take the place of this one, and returns its exit code where that cannot be.
///
/// On Unix the process itself becomes the other program, so that Ctrl-C and every other signal
/// reach it and nothing else. Elsewhere this process waits, deaf to Ctrl-C, until the other one,
/// which gets the same Ctrl-C from the console, has stopped in order.
pub(crate) fn hand_over(command: &mut Command) -> ExitCode {
    let error = match replace(command) {
        Ok(code) => return code,
        Err(error) => error,
    };
    eprintln!("error: {}", start_error(command, error));
    ExitCode::FAILURE
}

#[cfg(unix)]
fn replace(command: &mut Command) -> io::Result<ExitCode> {
    Err(std::os::unix::process::CommandExt::exec(command))
}

#[cfg(not(unix))]
fn replace(command: &mut Command) -> io::Result<ExitCode> {
    ctrlc::set_handler(|| {}).map_err(io::Error::other)?;
    Ok(exit_code(command.status()?))
}

/// Returns the exit code that stands for the status of another program: 1 where it has none.
#[cfg(not(unix))]
fn exit_code(status: ExitStatus) -> ExitCode {
    status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from)
}

fn name(command: &Command) -> String {
    let path = Path::new(command.get_program());
    path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

fn start_error(command: &Command, error: io::Error) -> RunError {
    match error.kind() {
        io::ErrorKind::NotFound => RunError::NotFound(name(command)),
        _ => RunError::NotStarted(name(command), error),
    }
}

fn start(command: &mut Command) -> Result<Child, RunError> {
    command.spawn().map_err(|error| start_error(command, error))
}

/// Waits for the end of a child, at most until the deadline.
fn wait_until(child: &mut Child, deadline: Instant) -> io::Result<Option<ExitStatus>> {
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(None);
        }
        thread::sleep(pause.min(left));
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

/// Asks a child to end, kills it when it does not, and waits until it is gone.
fn stop(child: &mut Child, elevation: Elevation) {
    signal(child, "TERM", elevation);
    if let Ok(Some(_)) = wait_until(child, Instant::now() + GRACE) {
        return;
    }
    signal(child, "KILL", elevation);
    let _ = child.kill();
    let _ = wait_until(child, Instant::now() + GRACE);
}

/// Sends a signal through the shell, which needs no `unsafe` and can go through `sudo`.
fn signal(child: &Child, signal: &str, elevation: Elevation) {
    let kill = format!("kill -s {signal} {}", child.id());
    let mut command = match elevation {
        Elevation::Own => Command::new("sh"),
        Elevation::Sudo => {
            let mut sudo = Command::new("sudo");
            sudo.args(["-n", "sh"]);
            sudo
        }
    };
    command.args(["-c", &kill]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // Where there is no shell, the caller's own kill is all there is.
    let _ = command.status();
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    const LIMIT: Duration = Duration::from_secs(20);

    #[test]
    fn both_outputs_are_captured_with_the_status() {
        let run = capture(shell("echo out; echo err >&2; exit 3"), LIMIT, Elevation::Own)
            .expect("the shell runs");
        assert_eq!(run.output, "out\nerr\n");
        assert_eq!(run.status.code(), Some(3));
    }

    #[test]
    fn a_program_over_its_time_is_ended() {
        let begin = Instant::now();
        let limit = Duration::from_millis(50);
        let error = capture(shell("exec sleep 30"), limit, Elevation::Own).expect_err("too slow");
        assert!(matches!(error, RunError::TimedOut(_)), "{error}");
        let error = stream(&mut shell("exec sleep 30"), Some(limit)).expect_err("too slow");
        assert!(matches!(error, RunError::TimedOut(_)), "{error}");
        assert!(begin.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn a_leftover_that_holds_the_pipe_is_not_waited_for() {
        let begin = Instant::now();
        capture(shell("sleep 30 & exit 0"), LIMIT, Elevation::Own).expect("the shell runs");
        assert!(begin.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn a_missing_program_is_named() {
        let command = Command::new("no-such-program-anywhere");
        let error = capture(command, LIMIT, Elevation::Own).expect_err("it does not exist");
        assert_eq!(error.to_string(), "`no-such-program-anywhere` is not installed");
    }
}
