//! The machine that the arguments name, and how long it took to read it.

use std::error::Error;
use std::fmt;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use bastion_executor::topology::{ParseTopologyError, Source as Taken, Topology, TopologyError};
use tracing_subscriber::util::SubscriberInitExt;

use crate::args::{Source, TopologyArgs};

/// How often a machine is read, to tell how long that takes.
const READS: usize = 5;

/// A machine.
pub(crate) struct Machine {
    pub(crate) topology: Topology,
    /// How long reading it took, the median; none where there was nothing to read.
    pub(crate) time: Option<Duration>,
}

/// Why there is no machine to draw.
#[derive(Debug)]
pub(crate) enum MachineError {
    /// The text describes none.
    Text(ParseTopologyError),
    /// The folder could not be read as a machine.
    Read(PathBuf, TopologyError),
    /// libhwloc was asked for, and this was taken in its place.
    NoHwloc(Taken),
}

impl fmt::Display for MachineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(error) => write!(f, "--synthetic: {error}"),
            // Other errors name the file.
            Self::Read(folder, error @ TopologyError::NoPu) => {
                write!(f, "{}: {error}", folder.display())
            }
            Self::Read(_, error) => error.fmt(f),
            Self::NoHwloc(taken) => write!(
                f,
                "libhwloc 2 was not there when this was built, or fails: --source auto takes {taken}"
            ),
        }
    }
}

impl Error for MachineError {}

/// Reads the machine.
///
/// # Errors
/// The text or the source is unusable.
pub(crate) fn read(args: &TopologyArgs) -> Result<Machine, MachineError> {
    if let Some(text) = &args.synthetic {
        let topology = text.parse().map_err(MachineError::Text)?;
        return Ok(Machine { topology, time: None });
    }
    match &args.source {
        Source::Flat(pus) => {
            let here = || thread::available_parallelism().map_or(1, usize::from);
            let topology = Topology::flat(pus.map_or_else(here, |pus| pus as usize));
            Ok(Machine { topology, time: None })
        }
        Source::Sysfs(folder) => {
            let folder = folder.as_deref().unwrap_or(Path::new("/sys"));
            timed(|| {
                Topology::from_sysfs(folder)
                    .map_err(|error| MachineError::Read(folder.to_owned(), error))
            })
        }
        Source::Auto => timed(|| Ok(Topology::discover())),
        Source::Hwloc => timed(|| {
            let topology = Topology::discover();
            match topology.source() {
                Taken::Hwloc => Ok(topology),
                taken => Err(MachineError::NoHwloc(taken)),
            }
        }),
    }
}

/// Reads a machine several times; what the executor has to report about it is reported once.
fn timed(read: impl Fn() -> Result<Topology, MachineError>) -> Result<Machine, MachineError> {
    let reports = tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .without_time()
        .set_default();
    let topology = read()?;
    drop(reports);
    let mut times = Vec::with_capacity(READS);
    for _ in 0..READS {
        let begin = Instant::now();
        read()?;
        times.push(begin.elapsed());
    }
    times.sort();
    Ok(Machine { topology, time: Some(times[READS / 2]) })
}
