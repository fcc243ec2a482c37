//! One measurement of one configuration: a process of its own, told its settings by its environment.

use super::settings::Settings;
use crate::alone;
use crate::stats;
use std::ffi::OsString;
use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};
use std::{env, fmt, io};

/// How often a process that has closed its output is asked whether it has ended.
const LOOK: Duration = Duration::from_micros(200);

/// What is measured.
pub(super) enum Load {
    /// Workloads of this program, with their operations: the geometric mean of their times for an operation.
    Named(Vec<(String, u32)>),
    /// A program of the user's: its time from start to end, or the last number that it prints.
    Program { command: Vec<OsString>, printed: bool },
}

/// Why a search goes no further.
#[derive(Debug)]
pub(super) enum Halt {
    /// By Ctrl-C.
    Interrupted,
    /// By a measurement of these settings, which came to nothing.
    Failed(Settings, TrialError),
}

/// Why a measurement came to nothing. Each names the program.
#[derive(Debug)]
#[non_exhaustive]
pub(super) enum TrialError {
    /// It could not be started.
    NotStarted { program: String, error: io::Error },
    /// It ended badly, and said so.
    Failed { program: String, status: ExitStatus, said: String },
    /// It did not end in time, and was ended.
    TimedOut { program: String, limit: Duration },
    /// It printed no number.
    NoNumber { program: String },
}

impl fmt::Display for TrialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TrialError::NotStarted { program, error } => {
                write!(f, "`{program}` did not start: {error}")
            }
            TrialError::Failed { program, status, said } if said.is_empty() => {
                write!(f, "`{program}` failed: {status}")
            }
            TrialError::Failed { program, status, said } => {
                write!(f, "`{program}` failed: {status}: {said}")
            }
            TrialError::TimedOut { program, limit } => {
                write!(f, "`{program}` did not end within {limit:?} and was killed")
            }
            TrialError::NoNumber { program } => {
                write!(f, "`{program}` printed no number above zero")
            }
        }
    }
}

impl std::error::Error for TrialError {}

impl Load {
    /// Returns what the figures are of.
    pub(super) fn unit(&self) -> &'static str {
        match self {
            Load::Named(_) => "ns/op",
            Load::Program { printed: false, .. } => "ms",
            Load::Program { printed: true, .. } => "printed",
        }
    }

    /// Measures once.
    ///
    /// # Errors
    /// Any [`TrialError`].
    pub(super) fn measure(&self, settings: &Settings, limit: Duration) -> Result<f64, TrialError> {
        match self {
            Load::Named(parts) => {
                let part = |(path, operations): &(String, u32)| {
                    let own = env::current_exe().unwrap_or_default();
                    let mut command = Command::new(own);
                    command.args([alone::ARGUMENT, path]);
                    let run = run(command, path, settings, limit)?;
                    let amount = number(&run.output, path)?;
                    Ok(amount / f64::from((*operations).max(1)))
                };
                let figures = parts.iter().map(part).collect::<Result<Vec<f64>, TrialError>>()?;
                let program = parts.iter().map(|(path, _)| path.as_str()).collect();
                stats::geometric_mean(&figures).ok_or(TrialError::NoNumber { program })
            }
            Load::Program { command, printed } => {
                let Some((program, args)) = command.split_first() else {
                    return Err(TrialError::NoNumber { program: String::new() });
                };
                let name = program.to_string_lossy().into_owned();
                let mut command = Command::new(program);
                command.args(args);
                let run = run(command, &name, settings, limit)?;
                if *printed { number(&run.output, &name) } else { Ok(run.took.as_secs_f64() * 1e3) }
            }
        }
    }
}

/// What a process came to.
struct Run {
    took: Duration,
    output: String,
}

fn run(
    mut command: Command,
    program: &str,
    settings: &Settings,
    limit: Duration,
) -> Result<Run, TrialError> {
    let program = || program.to_owned();
    let not_started = |error| TrialError::NotStarted { program: program(), error };
    command.envs(settings.variables());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let start = Instant::now();
    let mut child = command.spawn().map_err(not_started)?;
    let errors = child.stderr.take().map(collect);
    let output = child.stdout.take().map(collect);
    let Some((status, output)) = wait(&mut child, output, start + limit) else {
        let _ = child.kill();
        let _ = child.wait();
        return Err(TrialError::TimedOut { program: program(), limit });
    };
    let took = start.elapsed();
    if !status.success() {
        // What still holds the pipe is not the program itself: nobody waits for it.
        let said = errors.and_then(|errors| errors.recv_timeout(Duration::from_millis(100)).ok());
        let said = said.unwrap_or_default().lines().last().unwrap_or_default().to_owned();
        return Err(TrialError::Failed { program: program(), status, said });
    }
    Ok(Run { took, output })
}

/// Reads to the end on a thread of its own, so that the process never waits for its reader.
fn collect(mut from: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // An error only means less text.
        let _ = from.read_to_end(&mut bytes);
        let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    receiver
}

/// Waits for the end of the output, which is the end of most programs, and then for that of the process. `None` when it is late.
fn wait(
    child: &mut Child,
    output: Option<Receiver<String>>,
    until: Instant,
) -> Option<(ExitStatus, String)> {
    let text = output?.recv_timeout(until.saturating_duration_since(Instant::now())).ok()?;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some((status, text)),
            Ok(None) if Instant::now() < until => thread::sleep(LOOK),
            Ok(None) | Err(_) => return None,
        }
    }
}

/// Returns the last word of a program that is a number above zero.
fn number(output: &str, program: &str) -> Result<f64, TrialError> {
    let numbers = output.split_whitespace().rev().filter_map(|word| word.parse::<f64>().ok());
    let mut usable = numbers.filter(|number| number.is_finite() && *number > 0.0);
    usable.next().ok_or_else(|| TrialError::NoNumber { program: program.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use bastion_executor::Topology;

    fn shell(script: &str, printed: bool, limit: Duration) -> Result<f64, String> {
        let command = ["sh", "-c", script].map(OsString::from).to_vec();
        let settings = Settings { workers: 7, ..Settings::default_on(&Topology::flat(2)) };
        let load = Load::Program { command, printed };
        load.measure(&settings, limit).map_err(|error| error.to_string())
    }

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn a_number_is_the_last_that_can_be_a_figure() {
        assert_eq!(number("5 requests in 12.5 ms\n", "p").ok(), Some(12.5));
        assert_eq!(number("3\n0\nnan", "p").ok(), Some(3.0));
        let error = number("none", "p").unwrap_err().to_string();
        assert_eq!(error, "`p` printed no number above zero");
    }

    #[cfg(unix)]
    #[test]
    fn a_program_is_told_its_settings() {
        assert_eq!(shell("echo workers $BASTION_WORKERS", true, LONG), Ok(7.0));
        assert_eq!(shell("echo slice $BASTION_TIME_SLICE_US", true, LONG), Ok(100.0));
        assert!(shell("exit 0", false, LONG).is_ok_and(|took| took > 0.0));
    }

    #[cfg(unix)]
    #[test]
    fn a_program_that_fails_or_does_not_end_is_named() {
        let failed = shell("echo a >&2; echo no luck >&2; exit 3", false, LONG);
        assert_eq!(failed, Err("`sh` failed: exit status: 3: no luck".to_owned()));
        // Nobody ever writes to that.
        let endless = shell("exec tail -f /dev/null", false, Duration::from_millis(50));
        assert_eq!(endless, Err("`sh` did not end within 50ms and was killed".to_owned()));
        let missing = Load::Program { command: vec!["no-such-program".into()], printed: false };
        let settings = Settings::default_on(&Topology::flat(2));
        let error = missing.measure(&settings, LONG).unwrap_err().to_string();
        assert!(error.starts_with("`no-such-program` did not start: "), "{error}");
    }
}
