//! What is written of a machine, and how much: the boxes that are shown, with the words at them. Pure.

use bastion_executor::topology::CpuSet;

use super::rows::Rows;
use crate::picture::{self, Picture};
use crate::tree::{Group, Kind};

/// Boxes that share a line.
type Chain<'a> = Vec<&'a Group>;

/// How much is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Detail {
    /// Every PU.
    Pus,
    /// So many levels of boxes.
    Levels(usize),
    /// The outermost boxes, those that are alike and side by side as one.
    Alike,
}

impl Detail {
    /// From the most to the least.
    pub(super) const ALL: [Detail; 6] = [
        Detail::Pus,
        Detail::Levels(3),
        Detail::Levels(2),
        Detail::Levels(1),
        Detail::Alike,
        Detail::Levels(0),
    ];
}

/// A box as it is written: a line, then its PUs or the boxes within.
pub(super) struct Entry {
    pub(super) name: String,
    /// What there is to say of it, in order.
    said: Vec<String>,
    pub(super) rows: Option<Rows>,
    pub(super) children: Vec<Entry>,
}

impl Entry {
    fn leaf(name: String, said: Vec<String>) -> Self {
        Self { name, said, rows: None, children: Vec::new() }
    }

    /// Returns the line of its own.
    pub(super) fn head(&self) -> String {
        format!("{}: {}", self.name, self.said.join(", "))
    }

    /// Returns true if it has no line of its own: its name stands before its PUs.
    pub(super) fn is_inline(&self) -> bool {
        self.rows.is_some() && self.said.is_empty()
    }
}

/// Returns what is written of the whole machine.
pub(super) fn machine(picture: &Picture<'_>, detail: Detail) -> Entry {
    let machine = &picture.machine;
    let mut children = match detail {
        Detail::Levels(0) => Vec::new(),
        Detail::Alike => alike(picture),
        _ => machine.children.iter().map(|group| entry(picture, group, detail)).collect(),
    };
    let words = if children.is_empty() { summary } else { heading };
    let said = words(picture, &[machine]);
    children.extend(picture.memory_only().map(|(name, said)| Entry::leaf(name, said)));
    Entry { name: picture.name(machine), said, rows: None, children }
}

fn entry(picture: &Picture<'_>, group: &Group, detail: Detail) -> Entry {
    let chain = chain(group, detail);
    let last = chain[chain.len() - 1];
    let name = name(picture, &chain);
    let inner = match detail {
        Detail::Levels(levels) => Detail::Levels(levels - 1),
        other => other,
    };
    if last.is_bottom() && detail == Detail::Pus {
        let rows = Some(Rows::new(picture, last));
        return Entry { rows, ..Entry::leaf(name, particulars(picture, &chain)) };
    }
    if last.is_bottom() || inner == Detail::Levels(0) {
        return Entry::leaf(name, summary(picture, &chain));
    }
    let children = last.children.iter().map(|child| entry(picture, child, inner)).collect();
    Entry { children, ..Entry::leaf(name, heading(picture, &chain)) }
}

/// Returns the boxes that share a line: each but the first is the only one in the one before it. A box whose PUs are shown is on its own.
fn chain(group: &Group, detail: Detail) -> Chain<'_> {
    let mut chain = vec![group];
    let mut last = group;
    while let ([only], false) = (&last.children[..], last.is_bottom()) {
        if detail == Detail::Pus && only.is_bottom() {
            break;
        }
        chain.push(only);
        last = only;
    }
    chain
}

/// Returns the outermost boxes, and one for each row of boxes that are alike.
fn alike(picture: &Picture<'_>) -> Vec<Entry> {
    let boxes = picture.machine.children.iter();
    let chains: Vec<_> = boxes.map(|group| chain(group, Detail::Alike)).collect();
    let of_each = |chain: &Chain<'_>| {
        let memory = chain.iter().filter_map(|group| picture.memory(group));
        let all: Vec<String> = [counts(chain)].into_iter().chain(memory).collect();
        (chain.len(), workers_in(picture, chain).len(), all.join(", "))
    };
    let runs = chains.chunk_by(|a, b| of_each(a) == of_each(b));
    let entry = |run: &[Chain<'_>]| {
        let (first, last) = (&run[0], &run[run.len() - 1]);
        if run.len() == 1 {
            return Entry::leaf(name(picture, first), summary(picture, first));
        }
        let pus = run.iter().flat_map(|chain| picture.numbers(chain[0]).as_slice().to_vec());
        let workers = run.iter().flat_map(|chain| workers_in(picture, chain).as_slice().to_vec());
        let (pus, workers): (CpuSet, CpuSet) = (pus.collect(), workers.collect());
        let (.., each) = of_each(first);
        let workers = (!workers.is_empty()).then(|| picture::workers(&workers));
        let said = [format!("each {each}"), format!("PUs {pus}")].into_iter().chain(workers);
        let name = format!("{} to {}", name(picture, first), name(picture, last));
        Entry::leaf(name, said.collect())
    };
    runs.map(entry).collect()
}

/// Returns the workers that have or share the PUs of boxes that share a line.
fn workers_in(picture: &Picture<'_>, chain: &Chain<'_>) -> CpuSet {
    let shared = chain.iter().find_map(|group| picture.shared_by(group));
    shared.unwrap_or_else(|| picture.bound_in(chain[0]))
}

fn name(picture: &Picture<'_>, chain: &[&Group]) -> String {
    chain.iter().map(|group| picture.name(group)).collect::<Vec<_>>().join(", ")
}

/// Tells one kind of box from the others.
type Is = fn(Kind) -> bool;

/// Says what is in boxes that are not shown: `16 PUs, 8 cores, 2 LLCs`.
fn counts(chain: &[&Group]) -> String {
    let group = chain[chain.len() - 1];
    let kinds: [(&str, Is); 4] = [
        ("core", |kind| matches!(kind, Kind::Core(_))),
        ("LLC", |kind| matches!(kind, Kind::Llc(_))),
        ("node", |kind| matches!(kind, Kind::Node(_))),
        ("package", |kind| matches!(kind, Kind::Package(_))),
    ];
    let within = kinds.map(|(what, is)| (group.count(is), what));
    let several = within.into_iter().filter(|(count, what)| *count > 1 || *what == "core");
    let parts = [(group.pus.len(), "PU")].into_iter().chain(several);
    parts.map(|(count, what)| picture::count(count, what)).collect::<Vec<_>>().join(", ")
}

/// Everything that there is to say where nothing below is shown.
fn summary(picture: &Picture<'_>, chain: &[&Group]) -> Vec<String> {
    let bound = picture.bound_in(chain[0]);
    let bound = (!bound.is_empty()).then(|| picture::workers(&bound));
    let said = [counts(chain), listed(picture, chain)].into_iter().chain(bound);
    said.chain(particulars(picture, chain)).collect()
}

/// What there is to say where the boxes within are shown.
fn heading(picture: &Picture<'_>, chain: &[&Group]) -> Vec<String> {
    [vec![listed(picture, chain)], particulars(picture, chain)].concat()
}

fn listed(picture: &Picture<'_>, chain: &[&Group]) -> String {
    let pus = picture.numbers(chain[0]);
    format!("PU{} {pus}", if pus.len() == 1 { "" } else { "s" })
}

/// What only some boxes have: memory, workers that share them, distances.
fn particulars(picture: &Picture<'_>, chain: &[&Group]) -> Vec<String> {
    let memory = chain.iter().filter_map(|group| picture.memory(group));
    let shared = chain.iter().filter_map(|group| picture.shared_by(group));
    let shared = shared.map(|all| format!("shared by {}", picture::workers(&all)));
    let distances = chain.iter().filter_map(|group| picture.distances(group));
    memory.chain(shared).chain(distances).collect()
}
