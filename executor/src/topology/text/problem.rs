//! What can be wrong with a machine's text form.

use std::error::Error;
use std::fmt;

/// What is wrong with a word of a machine's text form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TextProblem {
    /// The text names no level.
    Empty,
    /// The word is not of the form `name:value`.
    NotAPair,
    /// No level or adjustment has this name.
    UnknownName,
    /// The count is not a number from 1 up.
    BadCount,
    /// The list is malformed, or does not fit the machine.
    BadList,
    /// The level or adjustment was given before.
    Repeated,
    /// The level stands inside one that cannot contain it.
    WrongOrder,
    /// The machine would have more than 65536 PUs.
    TooLarge,
    /// No PU is left that may be used.
    NoPu,
}

impl fmt::Display for TextProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "a machine needs at least one level, such as core:4",
            Self::NotAPair => "expected name:value, such as core:4",
            Self::UnknownName => {
                "no such name: the levels are pack, node, l3, l2, core and pu, the adjustments os, \
                 allowed, efficiency, homeless, memory, node-os, distance and parallelism"
            }
            Self::BadCount => "the count must be a number from 1 up",
            Self::BadList => "the list is malformed or does not fit the machine",
            Self::Repeated => "given twice",
            Self::WrongOrder => {
                "out of order: levels go pack, l3, l2, core, pu, with node anywhere before core, \
                 and adjustments come last"
            }
            Self::TooLarge => "a machine has at most 65536 PUs",
            Self::NoPu => "no PU is left that may be used",
        })
    }
}

/// The error of a machine's text form that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseTopologyError {
    word: String,
    problem: TextProblem,
}

impl ParseTopologyError {
    pub(super) fn new(word: &str, problem: TextProblem) -> Self {
        Self { word: word.to_owned(), problem }
    }

    /// Returns the word that is wrong; empty if the text as a whole is.
    pub fn word(&self) -> &str {
        &self.word
    }

    /// Returns what is wrong with it.
    pub fn problem(&self) -> TextProblem {
        self.problem
    }
}

impl fmt::Display for ParseTopologyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.word.is_empty() {
            write!(f, "{}", self.problem)
        } else {
            write!(f, "`{}`: {}", self.word, self.problem)
        }
    }
}

impl Error for ParseTopologyError {}
