//! What is measured, as plain tables: groups of workloads, and for each workload its subjects.
//!
//! Knows neither how rounds are run nor how results are shown.

use std::fmt;
use std::time::Duration;

/// The subject that is this project; the others are its peers.
pub(crate) const OURS: &str = "bastion";

/// The subject that is nobody's: what every implementation must pay. It is shown, and no peer.
pub(crate) const FLOOR: &str = "floor";

/// What one measurement came to, or why there is none.
pub(crate) type Measured = Result<Amount, Failure>;

/// What all the operations of one measurement cost together, in the unit of their workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Amount(pub(crate) u64);

/// Takes a time as its nanoseconds.
impl From<Duration> for Amount {
    fn from(took: Duration) -> Amount {
        Amount(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX))
    }
}

/// What is measured of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Time. It differs from round to round.
    Nanoseconds,
    /// Time, too; but the amount is the figure already: one latency of many, or the time of all operations together.
    Latency,
    /// Memory: the same in every round, so one is enough.
    Bytes,
    /// Instructions that were executed: the same in every round, so one is enough.
    Instructions,
}

impl Unit {
    /// Returns what tables and JSON call it.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Unit::Nanoseconds => "ns/op",
            Unit::Latency => "ns",
            Unit::Bytes => "bytes",
            Unit::Instructions => "instructions",
        }
    }

    /// Returns how many rounds count, of those that were asked for.
    pub(crate) fn rounds(self, asked: u32) -> u32 {
        match self {
            Unit::Nanoseconds | Unit::Latency => asked,
            Unit::Bytes | Unit::Instructions => 1,
        }
    }

    /// Returns among how many operations the amount of one measurement is shared out.
    pub(crate) fn shared_by(self, operations: u32) -> u32 {
        match self {
            Unit::Nanoseconds | Unit::Bytes | Unit::Instructions => operations,
            Unit::Latency => 1,
        }
    }
}

/// A name for several groups.
pub(crate) struct Set {
    /// What it is called on the command line.
    pub(crate) name: &'static str,
    /// The names of its groups.
    pub(crate) groups: &'static [&'static str],
}

/// Workloads that belong together.
pub(crate) struct Group {
    /// What it is called on the command line.
    pub(crate) name: &'static str,
    /// What it asks, in one line.
    pub(crate) about: &'static str,
    /// Its rows.
    pub(crate) workloads: &'static [Workload],
}

/// One question, put to several subjects.
pub(crate) struct Workload {
    /// What it is called, unique in its group.
    pub(crate) name: &'static str,
    /// What is done and how often, in one or two lines.
    pub(crate) about: &'static str,
    /// What is measured of it.
    pub(crate) unit: Unit,
    /// How many operations one measurement does.
    pub(crate) operations: u32,
    /// Who does it; ours is first.
    pub(crate) subjects: &'static [Subject],
}

/// One answer to the question of a workload.
pub(crate) struct Subject {
    /// What it is called.
    pub(crate) name: &'static str,
    /// How it is measured.
    pub(crate) how: How,
}

/// How a subject is measured. The functions are given the number of operations.
#[derive(Clone, Copy)]
pub(crate) enum How {
    /// In this process: its threads sleep when they have nothing to do.
    Here(fn(u32) -> Measured),
    /// In a process of its own, which ends after each measurement: its threads or its statics would disturb the others.
    Alone(fn(u32) -> Measured),
    /// In processes of its own whose instructions are counted: once so many operations, and once twice as many.
    Counted(fn(u32) -> Measured),
    /// Not at all, for this reason.
    Not(&'static str),
}

impl Subject {
    /// Describes a subject that is measured in this process.
    pub(crate) const fn here(name: &'static str, measure: fn(u32) -> Measured) -> Subject {
        Subject { name, how: How::Here(measure) }
    }

    /// Describes a subject that is measured in a process of its own.
    pub(crate) const fn alone(name: &'static str, measure: fn(u32) -> Measured) -> Subject {
        Subject { name, how: How::Alone(measure) }
    }

    /// Describes a subject whose instructions are counted.
    pub(crate) const fn counted(name: &'static str, work: fn(u32) -> Measured) -> Subject {
        Subject { name, how: How::Counted(work) }
    }

    /// Describes a subject that cannot do it.
    pub(crate) const fn not(name: &'static str, reason: &'static str) -> Subject {
        Subject { name, how: How::Not(reason) }
    }
}

/// Why a measurement came to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure(String);

impl Failure {
    /// Says why, in words.
    pub(crate) fn new(text: impl Into<String>) -> Failure {
        Failure(text.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Takes any error as the reason, so that `?` works on whatever the subjects return.
impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Failure {
        Failure(error.to_string())
    }
}
