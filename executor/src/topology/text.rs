//! Machines written as text: `pack:2 node:2 l3:1 core:4 pu:2`.
//!
//! This is how policies are tested on machines that nobody has at hand. Each word `level:count` says
//! how many of a level are in each one of the level before it. Words after the levels adjust the
//! result; their lists name PUs in the kernel's form (`0-3,8`):
//!
//! - `os:LIST` numbers the PUs in the order in which the levels make them (`os:0,2,1,3`);
//! - `allowed:LIST` keeps only these PUs;
//! - `efficiency:LIST` makes these PUs efficiency cores, and the others performance cores;
//! - `distance:10,21/21,10` gives the distances between nodes, row by row;
//! - `parallelism:2` is how many threads may run at once, as under a CPU quota.

use std::error::Error;
use std::fmt;
use std::str::FromStr;

use super::cpuset::{MAX_OS_ID, parse_list};
use super::normalise::{Raw, RawNode, RawPu, normalise};
use super::{CpuSet, PuKind, Source, Topology};

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
                 allowed, efficiency, distance and parallelism"
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

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Pack,
    L3,
    L2,
    Core,
    Pu,
    // Outside the order: a node may hold packages or be held by them.
    Node,
}

impl Level {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "pack" => Self::Pack,
            "node" => Self::Node,
            "l3" => Self::L3,
            "l2" => Self::L2,
            "core" => Self::Core,
            "pu" => Self::Pu,
            _ => return None,
        })
    }
}

/// The words of the text, each checked alone; the words are kept for the errors found later.
#[derive(Default)]
struct Spec<'a> {
    levels: Vec<(Level, usize)>,
    os: Option<(&'a str, Vec<u32>)>,
    allowed: Option<(&'a str, CpuSet)>,
    efficiency: Option<(&'a str, CpuSet)>,
    distance: Option<(&'a str, Vec<Vec<u32>>)>,
    parallelism: Option<usize>,
}

impl<'a> Spec<'a> {
    fn add(&mut self, word: &'a str) -> Result<(), TextProblem> {
        let (name, value) = word.split_once(':').ok_or(TextProblem::NotAPair)?;
        let list = || parse_list(value).map_err(|_| TextProblem::BadList);
        let count = || value.parse().ok().filter(|n| *n > 0).ok_or(TextProblem::BadCount);
        match name {
            "os" => once(&mut self.os, (word, list()?)),
            "allowed" => once(&mut self.allowed, (word, list()?.into_iter().collect())),
            "efficiency" => once(&mut self.efficiency, (word, list()?.into_iter().collect())),
            "distance" => once(&mut self.distance, (word, matrix(value)?)),
            "parallelism" => once(&mut self.parallelism, count()?),
            _ => {
                let level = Level::named(name).ok_or(TextProblem::UnknownName)?;
                self.check_level(level)?;
                self.levels.push((level, count()?));
                self.pus().map(|_| ())
            }
        }
    }

    /// Checks that the level may follow the words so far.
    fn check_level(&self, level: Level) -> Result<(), TextProblem> {
        let adjusted = self.os.is_some()
            || self.allowed.is_some()
            || self.efficiency.is_some()
            || self.distance.is_some()
            || self.parallelism.is_some();
        let mut before = self.levels.iter().map(|(level, _)| *level);
        if before.clone().any(|other| other == level) {
            return Err(TextProblem::Repeated);
        }
        // `Node` sorts last, so that no chain level is out of order after it.
        let inside = |other| match level {
            Level::Node => matches!(other, Level::Core | Level::Pu),
            _ => other != Level::Node && other > level,
        };
        if adjusted || before.any(inside) { Err(TextProblem::WrongOrder) } else { Ok(()) }
    }

    fn pus(&self) -> Result<usize, TextProblem> {
        let most = MAX_OS_ID as usize + 1;
        let product = self.levels.iter().try_fold(1_usize, |n, (_, count)| n.checked_mul(*count));
        product.filter(|n| *n <= most).ok_or(TextProblem::TooLarge)
    }

    /// The number of the object of this level that holds the `pu`th PU, if the level was given.
    fn object(&self, level: Level, pu: usize) -> Option<usize> {
        let position = self.levels.iter().position(|(other, _)| *other == level)?;
        let below: usize = self.levels[position + 1..].iter().map(|(_, count)| count).product();
        Some(pu / below)
    }

    fn build(&self) -> Result<Topology, ParseTopologyError> {
        let problem = |word: &str, problem| ParseTopologyError { word: word.to_owned(), problem };
        let pus = self.pus().map_err(|kind| problem("", kind))?;
        let mut ids: Vec<u32> = (0..=MAX_OS_ID).take(pus).collect();
        if let Some((word, os)) = &self.os {
            let distinct: CpuSet = os.iter().copied().collect();
            if os.len() != pus || distinct.len() != pus {
                return Err(problem(word, TextProblem::BadList));
            }
            ids.clone_from(os);
        }
        let known: CpuSet = ids.iter().copied().collect();
        for (word, set) in [&self.allowed, &self.efficiency].into_iter().flatten() {
            if set.iter().any(|os| !known.contains(os)) {
                return Err(problem(word, TextProblem::BadList));
            }
        }
        let mut raw = Raw::new(Source::Text);
        raw.parallelism = self.parallelism;
        raw.pus = ids.iter().enumerate().map(|(pu, os)| self.pu(pu, *os)).collect();
        let last = raw.pus.iter().filter_map(|pu| pu.node).max().unwrap_or(0);
        raw.nodes = (0..=last).map(|os| RawNode { os, mem_bytes: None }).collect();
        if let Some((word, rows)) = &self.distance {
            if rows.len() != raw.nodes.len() || rows.iter().any(|row| row.len() != rows.len()) {
                return Err(problem(word, TextProblem::BadList));
            }
            raw.distance = Some(rows.clone());
        }
        let allowed = self.allowed.as_ref();
        normalise(raw, allowed.map(|(_, set)| set))
            .map_err(|_| problem(allowed.map_or("", |(word, _)| word), TextProblem::NoPu))
    }

    fn pu(&self, pu: usize, os: u32) -> RawPu {
        let object = |level| self.object(level, pu).map(|object| object as u64);
        let efficient = self.efficiency.as_ref().map(|(_, set)| set.contains(os));
        let l2 = object(Level::L2);
        RawPu {
            os,
            // Without a core level, the PUs of whatever holds them are one core.
            core: object(Level::Core).unwrap_or(self.holder(pu)),
            l2,
            llc: object(Level::L3).or(l2),
            package: object(Level::Pack).unwrap_or(0),
            node: Some(self.object(Level::Node, pu).unwrap_or(0) as u32),
            kind: match efficient {
                None => PuKind::Uniform,
                Some(true) => PuKind::Efficiency,
                Some(false) => PuKind::Performance,
            },
        }
    }

    fn holder(&self, pu: usize) -> u64 {
        let threads = self.levels.iter().find(|(level, _)| *level == Level::Pu);
        (pu / threads.map_or(1, |(_, count)| *count)) as u64
    }
}

fn once<T>(slot: &mut Option<T>, value: T) -> Result<(), TextProblem> {
    if slot.replace(value).is_some() { Err(TextProblem::Repeated) } else { Ok(()) }
}

fn matrix(text: &str) -> Result<Vec<Vec<u32>>, TextProblem> {
    let row = |row: &str| row.split(',').map(|n| n.trim().parse()).collect::<Result<Vec<u32>, _>>();
    text.split('/').map(row).collect::<Result<_, _>>().map_err(|_| TextProblem::BadList)
}

impl FromStr for Topology {
    type Err = ParseTopologyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut spec = Spec::default();
        for word in text.split_whitespace() {
            spec.add(word)
                .map_err(|problem| ParseTopologyError { word: word.to_owned(), problem })?;
        }
        if spec.levels.is_empty() {
            return Err(ParseTopologyError { word: String::new(), problem: TextProblem::Empty });
        }
        spec.build()
    }
}
