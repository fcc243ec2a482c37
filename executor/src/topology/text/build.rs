//! From the words of a machine's text form to the machine.

use super::super::normalise::{Raw, RawNode, RawPu, normalise};
use super::super::{CpuSet, MAX_OS_ID, PuKind, Source, Topology};
use super::{Level, ParseTopologyError, Spec, TextProblem};

impl Spec<'_> {
    /// Checks the words against each other and makes the machine.
    pub(super) fn build(&self) -> Result<Topology, ParseTopologyError> {
        let ids = self.ids()?;
        let known: CpuSet = ids.iter().copied().collect();
        for (word, set) in [&self.allowed, &self.efficiency, &self.homeless].into_iter().flatten() {
            if set.iter().any(|os| !known.contains(os)) {
                return Err(ParseTopologyError::new(word, TextProblem::BadList));
            }
        }
        let mut raw = Raw::new(Source::Text);
        raw.parallelism = self.parallelism;
        raw.nodes = self.nodes(ids.len())?;
        raw.pus = ids.iter().enumerate().map(|(pu, os)| self.pu(pu, *os, &raw.nodes)).collect();
        if let Some((word, rows)) = &self.distance {
            if rows.len() != raw.nodes.len() || rows.iter().any(|row| row.len() != rows.len()) {
                return Err(ParseTopologyError::new(word, TextProblem::BadList));
            }
            raw.distance = Some(rows.clone());
        }
        let (word, allowed) = match &self.allowed {
            Some((word, set)) => (*word, Some(set)),
            None => ("", None),
        };
        normalise(raw, allowed).map_err(|_| ParseTopologyError::new(word, TextProblem::NoPu))
    }

    /// The operating system ids of the PUs, in the order in which the levels make them.
    fn ids(&self) -> Result<Vec<u32>, ParseTopologyError> {
        let pus = self.pus().map_err(|problem| ParseTopologyError::new("", problem))?;
        let Some((word, os)) = &self.os else { return Ok((0..=MAX_OS_ID).take(pus).collect()) };
        numbers(word, os, pus)
    }

    /// The nodes that the levels make, then those of memory only.
    fn nodes(&self, pus: usize) -> Result<Vec<RawNode>, ParseTopologyError> {
        let with_pus = self.object(Level::Node, pus - 1).unwrap_or(0) + 1;
        let sizes = self.memory.as_ref().map_or(&[][..], |(_, sizes)| sizes);
        if let Some((word, _)) = self.memory.as_ref().filter(|_| sizes.len() < with_pus) {
            return Err(ParseTopologyError::new(word, TextProblem::BadList));
        }
        let count = with_pus.max(sizes.len());
        let os = match &self.node_os {
            Some((word, os)) => numbers(word, os, count)?,
            None => (0..=MAX_OS_ID).take(count).collect(),
        };
        let node = |(index, os)| RawNode { os, mem_bytes: sizes.get(index).copied() };
        Ok(os.into_iter().enumerate().map(node).collect())
    }

    fn pu(&self, pu: usize, os: u32, nodes: &[RawNode]) -> RawPu {
        let object = |level| self.object(level, pu).map(|object| object as u64);
        let is_in = |set: &Option<(&str, CpuSet)>| set.as_ref().map(|(_, set)| set.contains(os));
        let node = self.object(Level::Node, pu).unwrap_or(0);
        let l2 = object(Level::L2);
        RawPu {
            os,
            // Without a core level, the PUs of whatever holds them are one core.
            core: object(Level::Core).unwrap_or(self.holder(pu)),
            l2,
            llc: object(Level::L3).or(l2),
            package: object(Level::Pack).unwrap_or(0),
            node: (is_in(&self.homeless) != Some(true)).then(|| nodes[node].os),
            kind: match is_in(&self.efficiency) {
                None => PuKind::Uniform,
                Some(true) => PuKind::Efficiency,
                Some(false) => PuKind::Performance,
            },
        }
    }

    /// The number of the object of this level that holds the `pu`th PU, if the level was given.
    fn object(&self, level: Level, pu: usize) -> Option<usize> {
        let position = self.levels.iter().position(|(other, _)| *other == level)?;
        let below: usize = self.levels[position + 1..].iter().map(|(_, count)| count).product();
        Some(pu / below)
    }

    fn holder(&self, pu: usize) -> u64 {
        let threads = self.levels.iter().find(|(level, _)| *level == Level::Pu);
        (pu / threads.map_or(1, |(_, count)| *count)) as u64
    }
}

/// Checks that a list gives each of so many things a number of its own.
fn numbers(word: &str, list: &[u32], count: usize) -> Result<Vec<u32>, ParseTopologyError> {
    let distinct: CpuSet = list.iter().copied().collect();
    if list.len() != count || distinct.len() != count {
        return Err(ParseTopologyError::new(word, TextProblem::BadList));
    }
    Ok(list.to_vec())
}
