//! Which NUMA node an address lies on: the kernel's page map tells the frame of physical memory, its zones whose that is.
//!
//! So nothing `unsafe` is called; reading frame numbers takes root's rights, which the first program of a machine has.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;

/// In an entry of the page map: there is a page, and its frame number is in the low bits.
const PRESENT: u64 = 1 << 63;
const FRAME: u64 = (1 << 55) - 1;

/// Part of a node's physical memory, in frames.
#[derive(Debug, PartialEq, Eq)]
struct Zone {
    node: u32,
    start: u64,
    frames: u64,
}

/// Returns the node of the page that holds a value; `None` if the kernel does not tell, as it does not without root's rights.
pub(crate) fn node_of<T>(value: &T) -> io::Result<Option<u32>> {
    // Something that was written is on a page that exists.
    let address = std::ptr::from_ref(std::hint::black_box(value)).addr() as u64;
    let page = rustix::param::page_size() as u64;
    let mut entry = [0; 8];
    File::open("/proc/self/pagemap")?.read_exact_at(&mut entry, address / page * 8)?;
    let entry = u64::from_ne_bytes(entry);
    let frame = entry & FRAME;
    if entry & PRESENT == 0 || frame == 0 {
        return Ok(None);
    }
    let zones = zones(&fs::read_to_string("/proc/zoneinfo")?);
    Ok(zones.iter().find(|zone| zone.holds(frame)).map(|zone| zone.node))
}

impl Zone {
    fn holds(&self, frame: u64) -> bool {
        (self.start..self.start + self.frames).contains(&frame)
    }
}

/// Reads the lines `Node 0, zone Normal`, `spanned 262144` and, behind it, `start_pfn: 1048576`.
fn zones(text: &str) -> Vec<Zone> {
    let mut zones = Vec::new();
    let (mut node, mut frames) = (None, 0);
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["Node", number, "zone", _] => node = number.trim_end_matches(',').parse().ok(),
            ["spanned", number] => frames = number.parse().unwrap_or(0),
            ["start_pfn:", number] => {
                let zone = node.zip(number.parse().ok());
                zones.extend(zone.map(|(node, start)| Zone { node, start, frames }));
            }
            _ => {}
        }
    }
    zones
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_read_with_their_node() {
        let text = "Node 0, zone    DMA32\n  per-node stats\n      nr_inactive_anon 1\n  pages free 7\n\
                    \x20       spanned  1044480\n        present  126835\n  start_pfn:           4096\n\
                    Node 1, zone   Normal\n        spanned  131072\n  start_pfn:           131072\n";
        let zone = |node, start, frames| Zone { node, start, frames };
        assert_eq!(zones(text), [zone(0, 4096, 1_044_480), zone(1, 131_072, 131_072)]);
        assert!(zones(text)[1].holds(131_072) && !zones(text)[1].holds(262_144));
    }

    #[test]
    fn the_node_of_a_value_is_known_or_not_told() {
        let known = node_of(&7_u64).expect("the kernel has a page map");
        assert!(known.is_none_or(|node| node < 1024), "{known:?}");
    }
}
