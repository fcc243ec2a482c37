//! Why a machine could not be read.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// The error of a source that could not say what the machine looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TopologyError {
    /// A file or directory could not be read.
    Read {
        /// The file or directory.
        path: PathBuf,
        /// What went wrong.
        kind: io::ErrorKind,
    },
    /// A file holds something that is not understood.
    Content {
        /// The file.
        path: PathBuf,
        /// Its content, or the beginning of it.
        text: String,
    },
    /// No PU is left once those that may not be used are taken away.
    NoPu,
    /// What was written down as a topology is none: this part of it contradicts the rest.
    Inconsistent(&'static str),
    /// libhwloc gave no topology, or one that contradicts itself.
    Hwloc(&'static str),
}

impl TopologyError {
    pub(super) fn content(path: &Path, text: &str) -> Self {
        Self::Content { path: path.to_owned(), text: text.chars().take(80).collect() }
    }
}

impl fmt::Display for TopologyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read { path, kind } => write!(f, "cannot read {}: {kind}", path.display()),
            Self::Content { path, text } => {
                write!(f, "{} is not understood: {text:?}", path.display())
            }
            Self::NoPu => f.write_str("no PU that may be used was found"),
            Self::Inconsistent(part) => write!(f, "the {part} do not fit the rest of the machine"),
            Self::Hwloc(why) => write!(f, "libhwloc: {why}"),
        }
    }
}

impl Error for TopologyError {}
