//! The machine as Linux describes it in `/sys`, or in any directory laid out like it.
//!
//! A missing file means "not known" and takes a plain default; a file that holds something else than
//! it should is an error that names it. Real kernels leave files out, end lists in NUL, number cores
//! and nodes with gaps and disagree on names; all of that is normal input.

mod memory;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::cpuset::MAX_OS_ID;
use super::normalise::{Raw, RawPu};
use super::{CpuSet, PuKind, Source, TopologyError};

pub(super) use memory::read_memory;

/// Reads the tree at `root`, which is laid out as `/sys`.
pub(super) fn read(root: &Path) -> Result<Raw, TopologyError> {
    let cpus = root.join("devices/system/cpu");
    // Other files may be missing; without this folder it is no such tree.
    fs::read_dir(&cpus)
        .map_err(|error| TopologyError::Read { path: cpus.clone(), kind: error.kind() })?;
    let mut raw = Raw::new(Source::Sysfs);
    for os in online(&cpus)?.iter() {
        raw.pus.push(read_pu(&cpus.join(format!("cpu{os}")), os)?);
    }
    read_kinds(root, &mut raw.pus)?;
    if let Some(memory) = read_memory(root)? {
        memory.apply(&mut raw);
    }
    Ok(raw)
}

/// Returns the PUs that are online.
fn online(cpus: &Path) -> Result<CpuSet, TopologyError> {
    if let Some(online) = list(&cpus.join("online"))? {
        return Ok(online);
    }
    let mut found = Vec::new();
    for (os, path) in numbered(cpus, "cpu")? {
        // The first PU often has no such file, because it cannot be taken offline.
        let state = path.join("online");
        match text(&state)?.as_deref() {
            None | Some("1") => found.push(os),
            Some("0") => {}
            Some(other) => return Err(TopologyError::content(&state, other)),
        }
    }
    Ok(CpuSet::from_iter(found))
}

fn read_pu(cpu: &Path, os: u32) -> Result<RawPu, TopologyError> {
    let topology = cpu.join("topology");
    // Newer kernels have the first name, older ones the second. A set stands for its smallest PU.
    let group = |names: [&str; 2]| -> Result<Option<u64>, TopologyError> {
        for name in names {
            if let Some(smallest) = list(&topology.join(name))?.and_then(|set| set.iter().next()) {
                return Ok(Some(u64::from(smallest)));
            }
        }
        Ok(None)
    };
    let core = group(["core_cpus_list", "thread_siblings_list"])?;
    let package = group(["package_cpus_list", "core_siblings_list"])?;
    let mut pu = RawPu::alone(os, package.unwrap_or(0));
    pu.core = core.unwrap_or(pu.core);

    let mut highest = 0;
    for (_, index) in numbered(&cpu.join("cache"), "index")? {
        if text(&index.join("type"))?.as_deref() == Some("Instruction") {
            continue;
        }
        let Some(level) = number(&index.join("level"))? else { continue };
        let Some(shared) = list(&index.join("shared_cpu_list"))? else { continue };
        let Some(smallest) = shared.iter().next() else { continue };
        let key = u64::from(smallest);
        if level == 2 {
            pu.l2 = Some(key);
        }
        if level >= 2 && level > highest {
            highest = level;
            pu.llc = Some(key);
        }
    }
    Ok(pu)
}

/// Tells performance from efficiency cores, where the kernel does.
pub(super) fn read_kinds(root: &Path, pus: &mut [RawPu]) -> Result<(), TopologyError> {
    let atom = list(&root.join("devices/cpu_atom/cpus"))?;
    if let Some(atom) = atom {
        for pu in pus {
            let efficient = atom.contains(pu.os);
            pu.kind = if efficient { PuKind::Efficiency } else { PuKind::Performance };
        }
        return Ok(());
    }
    let cpus = root.join("devices/system/cpu");
    let mut capacities = Vec::with_capacity(pus.len());
    for pu in pus.iter() {
        match number(&cpus.join(format!("cpu{}/cpu_capacity", pu.os)))? {
            Some(capacity) => capacities.push(capacity),
            None => return Ok(()),
        }
    }
    // Equal cores may differ by a few percent in what they boost to: only a gap makes a kind.
    let most = capacities.iter().copied().max().unwrap_or(0);
    let efficient = |capacity: u64| capacity.saturating_mul(4) < most.saturating_mul(3);
    if capacities.iter().any(|capacity| efficient(*capacity)) {
        for (pu, capacity) in pus.iter_mut().zip(capacities) {
            pu.kind = if efficient(capacity) { PuKind::Efficiency } else { PuKind::Performance };
        }
    }
    Ok(())
}

/// Returns the content of a file without surrounding white space and NULs; none if it is not there.
fn text(path: &Path) -> Result<Option<String>, TopologyError> {
    match fs::read(path) {
        Ok(bytes) => {
            let text = String::from_utf8_lossy(&bytes);
            Ok(Some(text.trim_matches(|c: char| c.is_whitespace() || c == '\0').to_owned()))
        }
        Err(error) if absent(error.kind()) => Ok(None),
        Err(error) => Err(TopologyError::Read { path: path.to_owned(), kind: error.kind() }),
    }
}

/// A PU that goes offline takes its files with it, sometimes while they are being read.
fn absent(kind: io::ErrorKind) -> bool {
    matches!(kind, io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn list(path: &Path) -> Result<Option<CpuSet>, TopologyError> {
    let Some(text) = text(path)? else { return Ok(None) };
    text.parse().map(Some).map_err(|_| TopologyError::content(path, &text))
}

fn number(path: &Path) -> Result<Option<u64>, TopologyError> {
    let Some(text) = text(path)? else { return Ok(None) };
    let number = text.parse::<u32>().map_err(|_| TopologyError::content(path, &text))?;
    Ok(Some(u64::from(number)))
}

/// Returns the entries of a directory that are called `prefix` and a number, smallest number first;
/// none if the directory is not there.
fn numbered(directory: &Path, prefix: &str) -> Result<Vec<(u32, PathBuf)>, TopologyError> {
    let error =
        |error: io::Error| TopologyError::Read { path: directory.to_owned(), kind: error.kind() };
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(cause) if absent(cause.kind()) => return Ok(Vec::new()),
        Err(cause) => return Err(error(cause)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(error)?;
        let name = entry.file_name();
        let digits = name.to_str().and_then(|name| name.strip_prefix(prefix));
        let number = digits.and_then(|digits| digits.parse().ok());
        if let Some(number) = number.filter(|number| *number <= MAX_OS_ID) {
            found.push((number, entry.path()));
        }
    }
    found.sort();
    Ok(found)
}
