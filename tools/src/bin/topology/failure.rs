//! Why nothing, or not all, could be shown.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;

use bastion_executor::BuildError;
use bastion_executor::placement::{PlacementError, UnknownName};

use crate::machine::MachineError;

/// The error of a run of this program.
#[derive(Debug)]
pub(crate) enum Failure {
    /// There is no machine to draw.
    Machine(MachineError),
    /// The executor does not know this policy or preference.
    Name(UnknownName),
    /// The machine cannot be used as wanted.
    Placement(PlacementError),
    /// `--check` of this machine, which is another one.
    Elsewhere(String),
    /// The drawing could not be written.
    Write(PathBuf, io::Error),
    /// The executor could not be started.
    Executor(BuildError),
}

impl Failure {
    /// Returns the exit code: 2 if the arguments are to be changed.
    pub(crate) fn code(&self) -> u8 {
        if matches!(self, Self::Executor(_)) { 1 } else { 2 }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Machine(error) => error.fmt(f),
            Self::Name(error) => error.fmt(f),
            Self::Placement(error) => error.fmt(f),
            Self::Elsewhere(machine) => write!(f, "--check: {machine} is not this machine"),
            Self::Write(path, error) => write!(f, "cannot write {}: {error}", path.display()),
            Self::Executor(error) => error.fmt(f),
        }
    }
}

impl Error for Failure {}

macro_rules! from {
    ($($error:ident => $failure:ident)*) => {$(
        impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::$failure(error)
            }
        }
    )*};
}

from!(MachineError => Machine UnknownName => Name PlacementError => Placement BuildError => Executor);
