//! Machines written as text: `pack:2 node:2 l3:1 core:4 pu:2`.
//!
//! This is how policies are tested on machines that nobody has at hand, and how a plan is made for a machine before it is there. Each word `level:count` says
//! how many of a level are in each one of the level before it. Words after the levels adjust the
//! result; their lists name PUs in the kernel's form (`0-3,8`):
//!
//! - `os:LIST` numbers the PUs in the order in which the levels make them (`os:0,2,1,3`);
//! - `allowed:LIST` keeps only these PUs;
//! - `efficiency:LIST` makes these PUs efficiency cores, and the others performance cores;
//! - `homeless:LIST` takes their home node from these PUs;
//! - `memory:96G,96G,512G` gives the size of each node in bytes, or with `K`, `M`, `G`, `T` in powers of 1024; sizes beyond the
//!   nodes that the levels make are nodes of memory only, such as HBM or CXL;
//! - `node-os:0,8,33` numbers the nodes, in the order in which the levels make them, those of memory only last;
//! - `distance:10,21/21,10` gives the distances between nodes in that order, row by row;
//! - `parallelism:2` is how many threads may run at once, as under a CPU quota.

mod build;
mod problem;

use std::str::FromStr;

use super::cpuset::{MAX_OS_ID, parse_list};
use super::{CpuSet, Topology};

pub use problem::{ParseTopologyError, TextProblem};

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
    homeless: Option<(&'a str, CpuSet)>,
    memory: Option<(&'a str, Vec<u64>)>,
    node_os: Option<(&'a str, Vec<u32>)>,
    distance: Option<(&'a str, Vec<Vec<u32>>)>,
    parallelism: Option<usize>,
    /// An adjustment was given, so no level may follow.
    adjusted: bool,
}

impl<'a> Spec<'a> {
    fn add(&mut self, word: &'a str) -> Result<(), TextProblem> {
        let (name, value) = word.split_once(':').ok_or(TextProblem::NotAPair)?;
        let list = || parse_list(value).map_err(|_| TextProblem::BadList);
        let count = || value.parse().ok().filter(|n| *n > 0).ok_or(TextProblem::BadCount);
        let set = || list().map(CpuSet::from_iter);
        if let Some(level) = Level::named(name) {
            self.check_level(level)?;
            self.levels.push((level, count()?));
            return self.pus().map(|_| ());
        }
        self.adjusted = true;
        match name {
            "os" => once(&mut self.os, (word, list()?)),
            "allowed" => once(&mut self.allowed, (word, set()?)),
            "efficiency" => once(&mut self.efficiency, (word, set()?)),
            "homeless" => once(&mut self.homeless, (word, set()?)),
            "memory" => once(&mut self.memory, (word, sizes(value)?)),
            "node-os" => once(&mut self.node_os, (word, list()?)),
            "distance" => once(&mut self.distance, (word, matrix(value)?)),
            "parallelism" => once(&mut self.parallelism, count()?),
            _ => Err(TextProblem::UnknownName),
        }
    }

    /// Checks that the level may follow the words so far.
    fn check_level(&self, level: Level) -> Result<(), TextProblem> {
        let mut before = self.levels.iter().map(|(level, _)| *level);
        if before.clone().any(|other| other == level) {
            return Err(TextProblem::Repeated);
        }
        // `Node` sorts last, so that no chain level is out of order after it.
        let inside = |other| match level {
            Level::Node => matches!(other, Level::Core | Level::Pu),
            _ => other != Level::Node && other > level,
        };
        if self.adjusted || before.any(inside) { Err(TextProblem::WrongOrder) } else { Ok(()) }
    }

    fn pus(&self) -> Result<usize, TextProblem> {
        let most = MAX_OS_ID as usize + 1;
        let product = self.levels.iter().try_fold(1_usize, |n, (_, count)| n.checked_mul(*count));
        product.filter(|n| *n <= most).ok_or(TextProblem::TooLarge)
    }
}

fn once<T>(slot: &mut Option<T>, value: T) -> Result<(), TextProblem> {
    if slot.replace(value).is_some() { Err(TextProblem::Repeated) } else { Ok(()) }
}

fn sizes(text: &str) -> Result<Vec<u64>, TextProblem> {
    let size = |size: &str| {
        let size = size.trim();
        let unit = size.find(['K', 'M', 'G', 'T']).unwrap_or(size.len());
        let (number, unit) = size.split_at(unit);
        let power = ["", "K", "M", "G", "T"].into_iter().position(|other| other == unit)?;
        number.parse::<u64>().ok()?.checked_mul(1 << (10 * power))
    };
    text.split(',').map(size).collect::<Option<_>>().ok_or(TextProblem::BadList)
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
            spec.add(word).map_err(|problem| ParseTopologyError::new(word, problem))?;
        }
        if spec.levels.is_empty() {
            return Err(ParseTopologyError::new("", TextProblem::Empty));
        }
        spec.build()
    }
}
