//! What the guest tells, as plain data and as text: one fact a line. The guest writes them, `cargo xtask numa-test`, which
//! includes this file by its path, reads and judges them.
//!
//! It knows no executor and no machine. CPUs and nodes are named as the operating system numbers them.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// What every fact's line begins with: the kernel writes to the same console.
pub(crate) const MARK: &str = "@numa";

/// One thing that was measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fact {
    /// A node of the topology that the executor has discovered.
    Node(Node),
    /// A core of that topology, by its PUs.
    Core(Vec<u32>),
    /// Where a worker is.
    Worker(Worker),
    /// Where the processes ran that one process has spawned.
    Spawned(Spawned),
    /// Something could not be measured; what, in one line.
    Broken(String),
    /// There is no more to tell; how many facts there were, so that lost lines are noticed.
    End(usize),
}

/// A node, as the executor's topology has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    /// Its number.
    pub(crate) os: u32,
    /// Its PUs, those that may be used.
    pub(crate) cpus: Vec<u32>,
    /// The size of its memory in bytes; 0 if unknown.
    pub(crate) mem_bytes: u64,
    /// How far it is to each node, in their order; empty if unknown.
    pub(crate) distance: Vec<u32>,
}

/// Where a worker is, told by a process that it polled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Worker {
    /// The executor, by its placement and number of workers: `per-node/4`.
    pub(crate) executor: String,
    /// The worker's number.
    pub(crate) index: usize,
    /// The PUs that the plan has for it.
    pub(crate) asked: Vec<u32>,
    /// The thread's affinity mask.
    pub(crate) affinity: Vec<u32>,
    /// The PU that the poll ran on.
    pub(crate) cpu: u32,
    /// The node of the page of its stack that the poll is in.
    pub(crate) stack: Option<u32>,
    /// The node of memory that the poll was the first to touch.
    pub(crate) touched: Option<u32>,
    /// What the executor says of it.
    pub(crate) said: Said,
}

/// What an executor says of one of its workers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    /// The node that it belongs to.
    pub(crate) node: Option<u32>,
    /// The PUs that it may run on.
    pub(crate) allowed: Vec<u32>,
    /// The node of its stack.
    pub(crate) stack: Option<u32>,
    /// The node of its own data, its queue among them.
    pub(crate) memory: Option<u32>,
}

/// Where the processes ran that a process on one worker has spawned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spawned {
    /// The executor, as in [`Worker::executor`].
    pub(crate) executor: String,
    /// How they were spawned.
    pub(crate) pattern: Pattern,
    /// The PU that the spawning process was polled on; of [kept](Pattern::Kept) processes one of the node that they belong to.
    pub(crate) home: u32,
    /// How many of them began on each PU; of kept ones, how many polls there were on each.
    pub(crate) ran: BTreeMap<u32, u32>,
}

/// How a process spawns others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pattern {
    /// One at a time, each awaited before the next.
    Chain,
    /// All at once, and none ends before all have begun: each has a worker of its own.
    Fan,
    /// Many more than there are workers, each busy for some milliseconds.
    Load,
    /// Many that belong to a node, polled again and again.
    Kept,
}

impl Pattern {
    const NAMES: [(Pattern, &'static str); 4] = [
        (Pattern::Chain, "chain"),
        (Pattern::Fan, "fan"),
        (Pattern::Load, "load"),
        (Pattern::Kept, "kept"),
    ];
}

/// A line that begins with the mark, and is no fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BadFact(String);

impl fmt::Display for BadFact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a fact: {:?}", self.0)
    }
}

impl std::error::Error for BadFact {}

/// Writes the line, without its newline.
impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{MARK} ")?;
        match self {
            Fact::Node(node) => {
                let (os, cpus, distance) = (node.os, list(&node.cpus), list(&node.distance));
                write!(f, "node os={os} cpus={cpus} mem={} distance={distance}", node.mem_bytes)
            }
            Fact::Core(cpus) => write!(f, "core cpus={}", list(cpus)),
            Fact::Worker(worker) => {
                let Worker { executor, index, asked, affinity, cpu, stack, touched, said } = worker;
                let (asked, affinity) = (list(asked), list(affinity));
                let (stack, touched) = (list(stack), list(touched));
                write!(f, "worker executor={executor} index={index} asked={asked} ")?;
                write!(f, "affinity={affinity} cpu={cpu} stack={stack} touched={touched} {said}")
            }
            Fact::Spawned(Spawned { executor, pattern, home, ran }) => {
                let ran: Vec<_> = ran.iter().map(|(cpu, count)| format!("{cpu}:{count}")).collect();
                let pattern = Pattern::NAMES.iter().find(|(known, _)| known == pattern);
                let pattern = pattern.map_or("", |(_, name)| name);
                let ran = ran.join(",");
                write!(f, "{pattern} executor={executor} home={home} ran={ran}")
            }
            Fact::Broken(what) => write!(f, "broken {}", what.replace('\n', " ")),
            Fact::End(facts) => write!(f, "end facts={facts}"),
        }
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (node, allowed) = (list(&self.node), list(&self.allowed));
        let (stack, memory) = (list(&self.stack), list(&self.memory));
        write!(f, "node={node} allowed={allowed} own-stack={stack} memory={memory}")
    }
}

fn list<'a>(numbers: impl IntoIterator<Item = &'a u32>) -> String {
    numbers.into_iter().map(u32::to_string).collect::<Vec<_>>().join(",")
}

/// Reads a line of the console. `None`: it is somebody else's.
pub(crate) fn read(line: &str) -> Option<Result<Fact, BadFact>> {
    // What the kernel says may stand before it on the same line.
    let (_, text) = line.split_once(MARK)?;
    Some(text.parse())
}

impl FromStr for Fact {
    type Err = BadFact;

    fn from_str(text: &str) -> Result<Fact, BadFact> {
        parse(text.trim()).ok_or_else(|| BadFact(text.trim().to_owned()))
    }
}

fn parse(text: &str) -> Option<Fact> {
    let (kind, rest) = text.split_once(' ')?;
    if kind == "broken" {
        return Some(Fact::Broken(rest.to_owned()));
    }
    let fields: BTreeMap<&str, &str> =
        rest.split_whitespace().map(|word| word.split_once('=')).collect::<Option<_>>()?;
    let text = |name| fields.get(name).copied();
    let number = |name| text(name)?.parse::<u32>().ok();
    let all = |name| numbers(text(name)?);
    let maybe = |name| Some(all(name)?.first().copied());
    let executor = || text("executor").map(str::to_owned);
    Some(match kind {
        "node" => Fact::Node(Node {
            os: number("os")?,
            cpus: all("cpus")?,
            mem_bytes: text("mem")?.parse().ok()?,
            distance: all("distance")?,
        }),
        "core" => Fact::Core(all("cpus")?),
        "worker" => Fact::Worker(Worker {
            executor: executor()?,
            index: text("index")?.parse().ok()?,
            asked: all("asked")?,
            affinity: all("affinity")?,
            cpu: number("cpu")?,
            stack: maybe("stack")?,
            touched: maybe("touched")?,
            said: Said {
                node: maybe("node")?,
                allowed: all("allowed")?,
                stack: maybe("own-stack")?,
                memory: maybe("memory")?,
            },
        }),
        "end" => Fact::End(text("facts")?.parse().ok()?),
        kind => Fact::Spawned(Spawned {
            executor: executor()?,
            pattern: Pattern::NAMES.iter().find(|(_, name)| *name == kind)?.0,
            home: number("home")?,
            ran: counts(text("ran")?)?,
        }),
    })
}

fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').filter(|item| !item.is_empty())
}

fn numbers(text: &str) -> Option<Vec<u32>> {
    items(text).map(|number| number.parse().ok()).collect()
}

fn counts(text: &str) -> Option<BTreeMap<u32, u32>> {
    let count = |item: &str| {
        let (cpu, count) = item.split_once(':')?;
        Some((cpu.parse().ok()?, count.parse().ok()?))
    };
    items(text).map(count).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let worker = Worker {
            executor: "per-node/4".to_owned(),
            index: 3,
            asked: vec![2, 3],
            affinity: vec![2],
            cpu: 2,
            stack: Some(1),
            touched: None,
            said: Said { node: Some(3), allowed: vec![2, 5], stack: Some(4), memory: None },
        };
        let node = Node { os: 2, cpus: vec![], mem_bytes: 1 << 28, distance: vec![10, 21] };
        let spawned = |(pattern, _)| {
            let (executor, ran) = ("compact/2".to_owned(), BTreeMap::from([(0, 7), (3, 1)]));
            Fact::Spawned(Spawned { executor, pattern, home: 1, ran })
        };
        let mut facts = vec![
            Fact::Node(node),
            Fact::Core(vec![0, 4]),
            Fact::Worker(worker),
            Fact::Broken("no such = file".to_owned()),
            Fact::End(8),
        ];
        facts.extend(Pattern::NAMES.map(spawned));
        for fact in facts {
            assert_eq!(read(&format!("noise {fact}")), Some(Ok(fact)));
        }
    }

    #[test]
    fn other_lines_are_left_to_others_and_wrong_ones_are_named() {
        assert_eq!(read("[    0.0] Linux version 6"), None);
        for text in ["", "end", "end facts=", "core", "core cpus=a", "fan home=0 ran=", "x y=1"] {
            assert_eq!(read(&format!("{MARK} {text}")), Some(Err(BadFact(text.to_owned()))));
        }
    }
}
