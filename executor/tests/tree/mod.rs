//! Directories laid out as Linux lays out `/sys`, also for any machine that is described otherwise.
#![allow(dead_code, reason = "the readers of the tests need one form each")]

use std::fs;
use std::path::{Path, PathBuf};

use bastion_executor::topology::{CpuSet, Node, Pu, PuKind, Topology};
use tempfile::TempDir;

pub(crate) const CPU: &str = "devices/system/cpu";
pub(crate) const NODE: &str = "devices/system/node";

/// The form in which the tree of a described machine holds sets. Linux has both; each reader wants one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sets {
    /// As our reader wants them.
    Lists,
    /// As libhwloc wants them.
    Masks,
}

/// A tree under construction.
pub(crate) struct Tree(TempDir);

impl Tree {
    pub(crate) fn new() -> Self {
        // In memory where there is such a place: on a disk so many small files take most of a test's time.
        let directory = TempDir::new_in("/dev/shm").or_else(|_| TempDir::new());
        Self(directory.expect("a directory for the fixture"))
    }

    /// Returns the directory that stands for `/`.
    pub(crate) fn root(&self) -> &Path {
        self.0.path()
    }

    /// Returns the directory that stands for `/sys`.
    pub(crate) fn sys(&self) -> PathBuf {
        self.root().join("sys")
    }

    pub(crate) fn file(&self, path: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.sys().join(path);
        if fs::write(&path, &content).is_err() {
            fs::create_dir_all(path.parent().expect("files lie in a directory")).unwrap();
            fs::write(path, content).unwrap();
        }
        self
    }

    /// Writes what Linux would say of a machine, as far as it is read.
    pub(crate) fn of(topology: &Topology, sets: Sets) -> Self {
        let tree = Self::new();
        for name in ["online", "possible"] {
            tree.file(&format!("{CPU}/{name}"), format!("{}\n", topology.allowed()));
        }
        topology.pus().iter().for_each(|pu| tree.pu(topology, pu, sets));
        tree.kinds(topology);
        let nodes: CpuSet = topology.nodes().iter().map(|node| node.os).collect();
        tree.file(&format!("{NODE}/online"), format!("{nodes}\n"));
        for (index, node) in topology.nodes().iter().enumerate() {
            tree.node_of(node, sets);
            if let Some(rows) = topology.distance() {
                let row: Vec<String> = rows[index].iter().map(ToString::to_string).collect();
                let path = format!("{NODE}/node{}/distance", node.os);
                tree.file(&path, format!("{}\n", row.join(" ")));
            }
        }
        tree
    }

    fn pu(&self, topology: &Topology, pu: &Pu, sets: Sets) {
        let own = format!("{CPU}/cpu{}", pu.os);
        let (core, package) = (&topology.cores()[pu.core], &topology.packages()[pu.package]);
        for (name, set) in [("core_cpus", core), ("package_cpus", package)] {
            let list = if sets == Sets::Lists { "_list" } else { "" };
            self.set(&format!("{own}/topology/{name}{list}"), set, sets);
        }
        for (level, set) in [(2, &topology.l2s()[pu.l2]), (3, &topology.llcs()[pu.llc])] {
            let cache = format!("{own}/cache/index{level}");
            self.file(&format!("{cache}/level"), format!("{level}\n"));
            self.file(&format!("{cache}/type"), "Unified\n");
            let name = if sets == Sets::Lists { "shared_cpu_list" } else { "shared_cpu_map" };
            self.set(&format!("{cache}/{name}"), set, sets);
        }
    }

    /// Tells the kinds of cores as Intel's kernels do where cores have threads, else by capacities, as on ARM.
    fn kinds(&self, topology: &Topology) {
        let of = |kind| topology.pus().iter().filter(move |pu| pu.kind == kind).map(|pu| pu.os);
        let sets =
            [PuKind::Performance, PuKind::Efficiency].map(|kind| CpuSet::from_iter(of(kind)));
        let [fast, frugal] = &sets;
        if frugal.is_empty() {
            return;
        }
        if topology.pus().iter().any(|pu| pu.smt_rank > 0) {
            self.file("devices/cpu_core/cpus", format!("{fast}\n"));
            self.file("devices/cpu_atom/cpus", format!("{frugal}\n"));
            return;
        }
        for (set, capacity) in [(fast, "1024\n"), (frugal, "446\n")] {
            for os in set.iter() {
                self.file(&format!("{CPU}/cpu{os}/cpu_capacity"), capacity);
            }
        }
    }

    fn node_of(&self, node: &Node, sets: Sets) {
        let (own, os) = (format!("{NODE}/node{}", node.os), node.os);
        let name = if sets == Sets::Lists { "cpulist" } else { "cpumap" };
        self.set(&format!("{own}/{name}"), &node.cpus, sets);
        if let Some(bytes) = node.mem_bytes {
            let line = format!("Node {os} MemTotal:       {} kB\n", bytes / 1024);
            self.file(&format!("{own}/meminfo"), line);
        }
    }

    fn set(&self, path: &str, set: &CpuSet, sets: Sets) -> &Self {
        if sets == Sets::Lists {
            return self.file(path, format!("{set}\n"));
        }
        let last = set.as_slice().last().map_or(0, |last| *last as usize);
        let mut words = vec![0_u32; last / 32 + 1];
        set.iter().for_each(|os| words[os as usize / 32] |= 1 << (os % 32));
        let words: Vec<String> = words.iter().rev().map(|word| format!("{word:08x}")).collect();
        self.file(path, format!("{}\n", words.join(",")))
    }
}
