// The flags of the chaos demonstration, defined once for the two programs that read them: the
// example itself (`mod args;`) and `cargo xtask demo`, which includes this file by its path, checks
// the flags before anything is built, and hands them on in the form of `ChaosArgs::to_args`.
// It knows nothing about the service: only names, defaults and limits.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// What the demonstration runs on, for how long, and how roughly it treats its processes.
#[derive(clap::Args, Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChaosArgs {
    /// Text files, or folders of text, to stream [default: the repository's own .md and .rs files]
    ///
    /// A file that is empty, binary or unreadable is named in one line and left out; a file that
    /// does not exist ends the program with exit code 2.
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    /// How long crashes are injected, in seconds (1 to 86400)
    #[arg(long, value_name = "N", default_value_t = 10)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) seconds: u64,

    /// Time between two injected panics of a random worker: 5ms, 1s, 250us, or a number of ms
    #[arg(long, value_name = "D", default_value = "5ms", value_parser = parse_interval)]
    pub(crate) crash_every: Duration,

    /// Time between two killed connections: 250ms, 1s, 900us, or a number of ms
    #[arg(long, value_name = "D", default_value = "250ms", value_parser = parse_interval)]
    pub(crate) kill_every: Duration,

    /// Clients that send at the same time, each over its own socket (1 to 256)
    #[arg(long, value_name = "N", default_value_t = 4)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) clients: u16,

    /// Counting workers in the supervised pool (1 to 1024)
    #[arg(long, value_name = "N", default_value_t = 8)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) workers: u16,

    /// Fixes the sequence of chaos decisions: which worker and which connection fails next
    ///
    /// Two runs with one seed choose the same victims in the same order. The moments still depend
    /// on the machine.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,

    /// TCP port on 127.0.0.1; 0 takes any free one
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) port: u16,

    /// Print the result as one JSON object, the last line on standard output
    #[arg(long)]
    pub(crate) json: bool,
}

impl ChaosArgs {
    /// Returns the first file or folder given that does not exist.
    #[allow(
        dead_code,
        reason = "one of the two programs that share this file asks, the other reads"
    )]
    pub(crate) fn missing(&self) -> Option<&PathBuf> {
        self.files.iter().find(|path| !path.exists())
    }

    /// Writes the arguments back in canonical form: every flag by its long name, then the files.
    ///
    /// Parsing the result gives an equal value, whatever the files are called.
    #[allow(dead_code, reason = "only the program that hands the arguments on calls it")]
    pub(crate) fn to_args(&self) -> Vec<OsString> {
        let mut args: Vec<OsString> = Vec::new();
        let mut flag = |name: &str, value: String| {
            args.push(name.into());
            args.push(value.into());
        };
        flag("--seconds", self.seconds.to_string());
        flag("--crash-every", interval_text(self.crash_every));
        flag("--kill-every", interval_text(self.kill_every));
        flag("--clients", self.clients.to_string());
        flag("--workers", self.workers.to_string());
        flag("--seed", self.seed.to_string());
        flag("--port", self.port.to_string());
        if self.json {
            args.push("--json".into());
        }
        if !self.files.is_empty() {
            args.push("--".into());
            args.extend(self.files.iter().map(|file| file.clone().into_os_string()));
        }
        args
    }
}

/// The longest interval that is accepted: one day.
const LONGEST: Duration = Duration::from_secs(86_400);

/// Says why a text is not an interval of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IntervalError {
    /// There is no whole number at the start.
    NotANumber,
    /// What follows the number is none of the known units.
    UnknownUnit,
    /// The interval has no length.
    Zero,
    /// The interval is longer than a day.
    TooLong,
}

impl fmt::Display for IntervalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotANumber => "expected a whole number and a unit, as in 5ms, 1s or 250us",
            Self::UnknownUnit => "unknown unit: use us, ms or s (a bare number counts in ms)",
            Self::Zero => "must be longer than zero",
            Self::TooLong => "must not be longer than a day (86400s)",
        })
    }
}

impl std::error::Error for IntervalError {}

/// Reads `5ms`, `1s`, `250us`, or a bare number of milliseconds.
///
/// # Errors
/// An [`IntervalError`] when the text is not such an interval, is zero, or is longer than a day.
pub(crate) fn parse_interval(text: &str) -> Result<Duration, IntervalError> {
    let digits_end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(digits_end);
    if digits.is_empty() {
        return Err(IntervalError::NotANumber);
    }
    let micros_per_unit: u64 = match unit {
        "us" => 1,
        "" | "ms" => 1_000,
        "s" => 1_000_000,
        _ if unit.starts_with('.') => return Err(IntervalError::NotANumber),
        _ => return Err(IntervalError::UnknownUnit),
    };
    // Only digits are left, so the one way to fail is a number that does not fit.
    let number = u64::from_str(digits).map_err(|_| IntervalError::TooLong)?;
    let micros = number.checked_mul(micros_per_unit).ok_or(IntervalError::TooLong)?;
    match Duration::from_micros(micros) {
        Duration::ZERO => Err(IntervalError::Zero),
        interval if interval > LONGEST => Err(IntervalError::TooLong),
        interval => Ok(interval),
    }
}

/// Writes an interval so that [`parse_interval`] reads it back unchanged.
#[allow(dead_code, reason = "only `ChaosArgs::to_args` needs it")]
fn interval_text(interval: Duration) -> String {
    let micros = interval.as_micros();
    if micros.is_multiple_of(1_000) {
        format!("{}ms", micros / 1_000)
    } else {
        format!("{micros}us")
    }
}
