//! What a request for workers can get wrong.

use super::{Cores, MAX_WORKERS};
use std::error::Error;
use std::fmt;

/// The error of a request for workers that the machine cannot fulfil.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlacementError {
    /// Not even one worker was asked for.
    NoWorkers,
    /// More workers than [`MAX_WORKERS`].
    TooManyWorkers {
        /// The workers asked for.
        workers: usize,
    },
    /// Each worker is to have a PU of its own, and there are not enough.
    MoreWorkersThanPus {
        /// The workers asked for.
        workers: usize,
        /// The PUs there are.
        pus: usize,
        /// The first PU that would be used twice.
        pu: u32,
    },
    /// Workers were asked for, but the explicit list of PUs is empty.
    NoPus,
    /// The wanted cores are all reserved for others.
    NothingLeft {
        /// The cores wanted.
        cores: Cores,
        /// How many are reserved on each node.
        reserve_cores: usize,
    },
    /// A PU was asked for that does not exist or may not be used.
    NotAllowed {
        /// The PU.
        pu: u32,
    },
    /// A PU was asked for twice.
    Repeated {
        /// The PU.
        pu: u32,
    },
}

impl fmt::Display for PlacementError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoWorkers => f.write_str("at least one worker is needed"),
            Self::TooManyWorkers { workers } => {
                write!(f, "{workers} workers are more than {MAX_WORKERS}")
            }
            Self::MoreWorkersThanPus { workers, pus, pu } => {
                write!(f, "{workers} workers for {pus} PUs: PU {pu} would be used twice")
            }
            Self::NoPus => f.write_str("the list of PUs is empty"),
            Self::NothingLeft { cores, reserve_cores } => {
                let kind = match cores {
                    Cores::Any => "",
                    Cores::Performance => "performance ",
                    Cores::Efficiency => "efficiency ",
                };
                write!(f, "no {kind}core is left where {reserve_cores} are reserved on each node")
            }
            Self::NotAllowed { pu } => write!(f, "PU {pu} does not exist or may not be used"),
            Self::Repeated { pu } => write!(f, "PU {pu} is given twice"),
        }
    }
}

impl Error for PlacementError {}

/// A text that names none of the things that it should; what there is stands in the documentation of the type that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownName {
    what: &'static str,
    text: String,
}

impl UnknownName {
    pub(super) fn new(what: &'static str, text: &str) -> Self {
        Self { what, text: text.to_owned() }
    }
}

impl fmt::Display for UnknownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no {} {:?}", self.what, self.text)
    }
}

impl Error for UnknownName {}
