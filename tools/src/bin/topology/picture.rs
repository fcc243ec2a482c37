//! What is drawn: the boxes, what each PU is for, and the words that stand at the boxes. Pure.
//!
//! It knows nothing of lines and places: the text and the SVG draw the same picture.

use std::mem;

use bastion_executor::placement::{Domain, Placement, Plan};
use bastion_executor::topology::{CpuSet, Node, PuKind, Topology};

use crate::seats::{self, Seat};
use crate::tree::{self, Group, Kind};

/// A machine with its workers.
pub(crate) struct Picture<'a> {
    pub(crate) topology: &'a Topology,
    pub(crate) plan: &'a Plan,
    pub(crate) machine: Group,
    /// By index in [`Topology::pus`].
    pub(crate) seats: Vec<Seat>,
}

impl<'a> Picture<'a> {
    pub(crate) fn new(topology: &'a Topology, plan: &'a Plan) -> Self {
        let (machine, seats) = (tree::tree(topology), seats::seats(topology, plan));
        Self { topology, plan, machine, seats }
    }

    /// Returns what a box is called. Nodes have the operating system's numbers, the rest are counted.
    pub(crate) fn name(&self, group: &Group) -> String {
        let name = match group.kind {
            Kind::Machine => "machine".to_owned(),
            Kind::Package(index) => format!("package {index}"),
            Kind::Node(Some(index)) => format!("node {}", self.topology.nodes()[index].os),
            Kind::Node(None) => "no node".to_owned(),
            Kind::Llc(index) => format!("LLC {index}"),
            Kind::Core(index) => format!("core {index}"),
        };
        if group.whole { name } else { name + " (part)" }
    }

    /// Returns what a domain is called.
    pub(crate) fn domain(&self, domain: &Domain) -> String {
        match (domain.node, &self.plan.policy) {
            (Some(node), _) => format!("node {node}"),
            (None, Placement::Unbound) => "anywhere".to_owned(),
            (None, _) => "no node".to_owned(),
        }
    }

    /// Returns the size of the memory of a box, where it is a node's and known.
    pub(crate) fn memory(&self, group: &Group) -> Option<String> {
        let Kind::Node(Some(index)) = group.kind else { return None };
        self.topology.nodes()[index].mem_bytes.map(bytes)
    }

    /// Returns the distances of a box to all nodes, where it is a node and they are known.
    pub(crate) fn distances(&self, group: &Group) -> Option<String> {
        let Kind::Node(Some(index)) = group.kind else { return None };
        self.row(index)
    }

    /// Returns the workers that share the PUs of a box.
    pub(crate) fn shared_by(&self, group: &Group) -> Option<CpuSet> {
        let node = match (&self.plan.policy, group.kind) {
            (Placement::Unbound, Kind::Machine) => {
                return Some((0..).take(self.plan.workers.len()).collect());
            }
            (Placement::PerNode, Kind::Node(index)) => {
                index.map(|index| self.topology.nodes()[index].os)
            }
            _ => return None,
        };
        let domain = self.plan.domains.iter().position(|domain| domain.node == node)?;
        Some(seats::workers_of(self.plan, domain))
    }

    /// Returns the workers that have a PU of a box each.
    pub(crate) fn bound_in(&self, group: &Group) -> CpuSet {
        let worker = |pu: &usize| match self.seats[*pu] {
            Seat::Worker(worker) => u32::try_from(worker).ok(),
            _ => None,
        };
        group.pus.iter().filter_map(worker).collect()
    }

    /// Returns the operating system's numbers of the PUs of a box.
    pub(crate) fn numbers(&self, group: &Group) -> CpuSet {
        group.pus.iter().map(|&pu| self.topology.pus()[pu].os).collect()
    }

    /// Returns the nodes that are in no box, because they have no PUs: the name, and what there is to say.
    pub(crate) fn memory_only(&self) -> impl Iterator<Item = (String, Vec<String>)> + '_ {
        let nodes = self.topology.nodes().iter().enumerate();
        nodes.filter(|(_, node)| node.cpus.is_empty()).map(|(index, node): (usize, &Node)| {
            let size = node.mem_bytes.map(bytes);
            let said = size.into_iter().chain(["no PUs".to_owned()]).chain(self.row(index));
            (format!("node {}", node.os), said.collect())
        })
    }

    /// Returns true if the machine has more than one kind of core.
    pub(crate) fn is_hybrid(&self) -> bool {
        self.topology.pus().iter().any(|pu| pu.kind != PuKind::Uniform)
    }

    /// Returns true if some cores share a level 2 cache, and not all do that share the last level one.
    pub(crate) fn shares_l2(&self) -> bool {
        let (l2s, llcs) = (self.topology.l2s().len(), self.topology.llcs().len());
        llcs < l2s && l2s < self.topology.cores().len()
    }

    /// Returns the distances between nodes, where they tell anything.
    pub(crate) fn matrix(&self) -> Option<&[Vec<u32>]> {
        self.topology.distance().filter(|rows| rows.len() > 1)
    }

    fn row(&self, index: usize) -> Option<String> {
        let row: Vec<String> = self.matrix()?[index].iter().map(ToString::to_string).collect();
        Some(format!("distances {}", row.join(" ")))
    }
}

/// Writes `1 PU`, `2 PUs`.
pub(crate) fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// Writes `worker 3`, `workers 0-3,8`.
pub(crate) fn workers(numbers: &CpuSet) -> String {
    format!("worker{} {numbers}", if numbers.len() == 1 { "" } else { "s" })
}

/// Writes a size of memory in the largest unit that leaves at least one.
fn bytes(bytes: u64) -> String {
    let units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
    let power = (1..units.len()).rev().find(|power| bytes >> (10 * power) > 0).unwrap_or(0);
    let scaled = bytes as f64 / (1_u64 << (10 * power)) as f64;
    // Tenths only where they tell something.
    let digits = usize::from(scaled < 100.0 && (scaled * 10.0).round() % 10.0 != 0.0);
    format!("{scaled:.digits$} {}", units[power])
}

/// Breaks a text into lines of at most so many characters: behind commas and semicolons, and in what is too long then, behind spaces. A
/// longer word stays whole.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let length = |text: &str| text.trim_end().chars().count();
    let clauses = text.split_inclusive([',', ';']);
    let pieces = clauses.flat_map(|clause| {
        let all: Vec<&str> = match length(clause) {
            fits if fits <= width => vec![clause],
            _ => clause.split_inclusive(' ').collect(),
        };
        all
    });
    let (mut lines, mut line) = (Vec::new(), String::new());
    for piece in pieces {
        if !line.is_empty() && line.chars().count() + length(piece) > width {
            lines.push(mem::take(&mut line));
        }
        line.push_str(if line.is_empty() { piece.trim_start() } else { piece });
    }
    lines.push(line);
    lines.into_iter().map(|line| line.trim_end().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_the_unit_that_suits_them() {
        for (size, expected) in [
            (0, "0 bytes"),
            (1023, "1023 bytes"),
            (1536, "1.5 KiB"),
            (96 << 30, "96 GiB"),
            ((96 << 30) - (400 << 20), "95.6 GiB"),
            ((400 << 30) + (400 << 20), "400 GiB"),
            (2 << 40, "2 TiB"),
        ] {
            assert_eq!(bytes(size), expected);
        }
    }

    #[test]
    fn lines_are_broken_where_clauses_end() {
        for (text, width, expected) in [
            ("one, two, three", 8, &["one,", "two,", "three"][..]),
            ("one, two, three", 9, &["one, two,", "three"]),
            ("PUs 0,2,4,6; x", 8, &["PUs 0,2,", "4,6; x"]),
            ("a (1), b (2), c (3)", 13, &["a (1), b (2),", "c (3)"]),
            ("one two three", 7, &["one two", "three"]),
            ("unbreakable", 3, &["unbreakable"]),
            ("", 3, &[""]),
        ] {
            assert_eq!(wrap(text, width), expected, "{text}");
        }
    }
}
