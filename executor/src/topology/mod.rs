//! The machine as the executor sees it: PUs, cores, caches, packages and NUMA nodes, as plain data.
//!
//! A [`Topology`] comes from one of four sources: libhwloc, the files of sysfs, a flat count, or a
//! text such as `pack:2 node:2 l3:1 core:4 pu:2`. All four end in the same normal form: only PUs that
//! may be used, dense indices, no empty groups. This module knows no policy (see
//! [`placement`](crate::placement)) and binds nothing (see [`affinity`](crate::affinity)).

#[cfg(feature = "serde")]
mod checked;
mod cpuset;
mod discover;
mod error;
mod flat;
#[cfg(hwloc_found)]
mod hwloc;
mod normalise;
mod sysfs;
mod text;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

pub(crate) use cpuset::MAX_OS_ID;
pub use cpuset::{CpuSet, ParseCpuSetError};
pub use error::TopologyError;
pub use text::{ParseTopologyError, TextProblem};

/// A processing unit: what runs one thread at a time, a hardware thread of a core.
///
/// All fields but `os` are indices into the lists of the [`Topology`] that holds the PU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Pu {
    /// The operating system's number, the one that binding uses.
    pub os: u32,
    /// The core, in [`Topology::cores`].
    pub core: usize,
    /// The position among the PUs of the core that may be used, 0 for the first.
    pub smt_rank: usize,
    /// The level 2 cache, in [`Topology::l2s`]; the core, where the cache is not known.
    pub l2: usize,
    /// The last level cache, in [`Topology::llcs`]; the package's part in the node, where no cache
    /// is known.
    pub llc: usize,
    /// The package, in [`Topology::packages`].
    pub package: usize,
    /// The home node, whose memory this PU touches first, in [`Topology::nodes`]. A PU may have none.
    pub node: Option<usize>,
    /// The kind of core.
    pub kind: PuKind,
}

/// The kind of core that a PU belongs to, on machines that mix them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum PuKind {
    /// All cores of the machine are alike.
    #[default]
    Uniform,
    /// One of the fast cores of a hybrid machine.
    Performance,
    /// One of the frugal cores of a hybrid machine.
    Efficiency,
}

/// A NUMA node: a piece of memory and the PUs that are closest to it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Node {
    /// The operating system's number.
    pub os: u32,
    /// The PUs that may be used and whose home this is; empty for a node of memory only.
    pub cpus: CpuSet,
    /// The size of the memory in bytes, where it is known.
    pub mem_bytes: Option<u64>,
}

/// Where a [`Topology`] was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum Source {
    /// libhwloc.
    Hwloc,
    /// The files of sysfs.
    Sysfs,
    /// A count of PUs, nothing else.
    Flat,
    /// A text.
    Text,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Source::Hwloc => "hwloc",
            Source::Sysfs => "sysfs",
            Source::Flat => "flat",
            Source::Text => "text",
        })
    }
}

/// A machine, or the part of one that this process may use.
///
/// With the feature `serde` it can be written down and read again. What is read is checked, and is not taken for this machine, whoever
/// has written it.
///
/// # Examples
///
/// ```
/// use bastion_executor::topology::Topology;
///
/// let machine: Topology = "pack:2 node:2 l3:1 core:4 pu:2".parse().unwrap();
/// assert_eq!(machine.pus().len(), 32);
/// assert_eq!(machine.to_string(), "32 PUs, 16 cores, 4 LLCs, 4 nodes, 2 packages (text)");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "checked::Unchecked"))]
pub struct Topology {
    // Kept by `normalise`: never empty, sorted by `os`, every index in range.
    pus: Vec<Pu>,
    cores: Vec<CpuSet>,
    l2s: Vec<CpuSet>,
    llcs: Vec<CpuSet>,
    packages: Vec<CpuSet>,
    nodes: Vec<Node>,
    // Square, as long as `nodes`.
    distance: Option<Vec<Vec<u32>>>,
    parallelism: Option<usize>,
    source: Source,
    #[cfg_attr(feature = "serde", serde(skip))]
    this_machine: bool,
}

impl Topology {
    /// Reads this machine: through libhwloc where the crate was built with it, else from sysfs, else
    /// as a flat count.
    ///
    /// Only PUs in the calling thread's affinity mask are kept, which includes what a cgroup's cpuset
    /// allows. A source that fails is skipped with one line of tracing. libhwloc moves the thread that
    /// calls it from PU to PU, so it is called on a thread of its own; call this before the workers
    /// exist all the same. libhwloc's environment (`HWLOC_SYNTHETIC`, `HWLOC_XMLFILE`) is honoured:
    /// [`is_this_machine`](Self::is_this_machine) then returns false.
    pub fn discover() -> Topology {
        discover::discover()
    }

    /// As [`discover`](Topology::discover), but what was found before is taken as long as the thread is granted the same.
    pub(crate) fn known() -> Arc<Topology> {
        discover::known()
    }

    /// Reads a tree laid out as Linux lays out `/sys`.
    ///
    /// A missing file means that the machine does not say; a PU that is offline is left out. For
    /// `/sys` itself, only PUs in the calling thread's affinity mask are kept.
    ///
    /// # Errors
    ///
    /// A file whose content is not understood, a tree without PUs, or no PU that may be used.
    pub fn from_sysfs(root: &Path) -> Result<Topology, TopologyError> {
        discover::from_sysfs(root)
    }

    /// Describes `pus` equal PUs, each a core of its own, on one node: what is known when nothing is.
    /// Zero counts as one; ids stop at 65535.
    pub fn flat(pus: usize) -> Topology {
        flat::flat(pus)
    }

    /// Returns the part of the machine that these PUs make; ids that it does not have mean nothing.
    ///
    /// Positions among the PUs of a core are counted anew. Nodes stay, with their memory and distances, also those that lose all
    /// their PUs.
    ///
    /// # Errors
    ///
    /// [`TopologyError::NoPu`] if none of the PUs is part of the machine.
    ///
    /// # Examples
    ///
    /// ```
    /// use bastion_executor::topology::{CpuSet, Topology};
    ///
    /// let machine: Topology = "node:2 core:2 pu:2".parse()?;
    /// let part = machine.restricted_to(&"1-3".parse::<CpuSet>()?)?;
    /// assert_eq!(part.to_string(), "3 PUs, 2 cores, 1 LLC, 2 nodes (1 without PUs) (text)");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn restricted_to(&self, pus: &CpuSet) -> Result<Topology, TopologyError> {
        normalise::normalise(self.into(), Some(pus))
    }

    /// Returns the PUs that may be used, in the order of their operating system ids; never empty.
    pub fn pus(&self) -> &[Pu] {
        &self.pus
    }

    /// Returns the PUs of each core.
    pub fn cores(&self) -> &[CpuSet] {
        &self.cores
    }

    /// Returns the PUs that share each level 2 cache.
    pub fn l2s(&self) -> &[CpuSet] {
        &self.l2s
    }

    /// Returns the PUs that share each last level cache.
    pub fn llcs(&self) -> &[CpuSet] {
        &self.llcs
    }

    /// Returns the PUs of each package.
    pub fn packages(&self) -> &[CpuSet] {
        &self.packages
    }

    /// Returns the NUMA nodes, in the order of their operating system ids; never empty.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Returns the distances between nodes as the firmware gives them (ACPI SLIT: 10 is local), by
    /// index in [`nodes`](Self::nodes).
    pub fn distance(&self) -> Option<&[Vec<u32>]> {
        self.distance.as_deref()
    }

    /// Returns the PUs that may be used, as a set.
    pub fn allowed(&self) -> CpuSet {
        self.pus.iter().map(|pu| pu.os).collect()
    }

    /// Returns how many threads the process may run at once, where that was asked
    /// ([`std::thread::available_parallelism`]): less than the PUs under a CPU quota.
    pub fn parallelism(&self) -> Option<usize> {
        self.parallelism
    }

    /// Returns where this was read from.
    pub fn source(&self) -> Source {
        self.source
    }

    /// Returns true if this describes the machine that the process runs on, so that binding to its
    /// PUs means something. False also where the ids of the PUs are only guessed.
    pub fn is_this_machine(&self) -> bool {
        self.this_machine
    }

    /// Takes a described machine for this one, so that workers are bound to PUs that may not be there.
    #[cfg(test)]
    pub(crate) fn taken_for_this_machine(mut self) -> Topology {
        self.this_machine = true;
        self
    }
}

/// Writes a summary of one line: `2 PUs, 2 cores, 1 LLC, 1 node (hwloc)`.
impl fmt::Display for Topology {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = |n: usize| if n == 1 { "" } else { "s" };
        let (pus, cores, llcs) = (self.pus.len(), self.cores.len(), self.llcs.len());
        let (nodes, packages) = (self.nodes.len(), self.packages.len());
        write!(f, "{pus} PU{}, {cores} core{}, ", plural(pus), plural(cores))?;
        write!(f, "{llcs} LLC{}, {nodes} node{}", plural(llcs), plural(nodes))?;
        let bare = self.nodes.iter().filter(|node| node.cpus.is_empty()).count();
        if bare > 0 {
            write!(f, " ({bare} without PUs)")?;
        }
        if packages > 1 {
            write!(f, ", {packages} packages")?;
        }
        if let Some(quota) = self.parallelism.filter(|quota| *quota < pus) {
            write!(f, ", {quota} at a time")?;
        }
        let whose = match self.source {
            Source::Hwloc | Source::Sysfs if !self.this_machine => ", not this machine",
            _ => "",
        };
        write!(f, " ({}{whose})", self.source)
    }
}
