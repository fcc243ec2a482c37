//! The memory that this process has, as the system sees it. Linux only.

use crate::bench::Failure;
use std::fs;

/// It walks the page tables, so it is exact; `/proc/self/statm` lags behind by some pages.
const FILE: &str = "/proc/self/smaps_rollup";

/// Says why no memory can be measured here, if it cannot.
pub(crate) fn missing() -> Option<&'static str> {
    resident_bytes().is_err().then_some("the system does not tell a process's resident memory")
}

/// Returns the resident bytes of this process.
///
/// # Errors
/// When the system does not tell.
pub(crate) fn resident_bytes() -> Result<u64, Failure> {
    parse(&fs::read_to_string(FILE)?).ok_or_else(|| Failure::new(format!("{FILE} lacks Rss")))
}

/// Reads the line `Rss:  123 kB`.
fn parse(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("Rss:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_resident_line_is_found() {
        assert_eq!(parse("555-7ff ---p [rollup]\nRss:     1296 kB\nPss: 9 kB\n"), Some(1_327_104));
        assert_eq!(parse("Pss: 9 kB\n"), None);
    }
}
