//! A set of PUs, and the kernel's way of writing one.

use std::error::Error;
use std::fmt;
use std::str::FromStr;

/// The largest operating system id that is believed; Linux itself stops at 8191.
pub(crate) const MAX_OS_ID: u32 = 65_535;

/// A set of PUs by their operating system ids, sorted and without repetition.
///
/// Reads and writes the kernel's list form: `0-3,8`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CpuSet(Vec<u32>);

impl CpuSet {
    /// Returns the ids, smallest first.
    pub fn as_slice(&self) -> &[u32] {
        &self.0
    }

    /// Returns an iterator over the ids, smallest first.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.0.iter().copied()
    }

    /// Returns true if the PU with this operating system id is in the set.
    pub fn contains(&self, os: u32) -> bool {
        self.0.binary_search(&os).is_ok()
    }

    /// Returns the number of PUs.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns true if the set holds no PU.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl AsRef<[u32]> for CpuSet {
    fn as_ref(&self) -> &[u32] {
        &self.0
    }
}

impl FromIterator<u32> for CpuSet {
    fn from_iter<I: IntoIterator<Item = u32>>(ids: I) -> Self {
        let mut ids: Vec<u32> = ids.into_iter().collect();
        ids.sort_unstable();
        ids.dedup();
        Self(ids)
    }
}

impl From<&[u32]> for CpuSet {
    fn from(ids: &[u32]) -> Self {
        ids.iter().copied().collect()
    }
}

impl fmt::Display for CpuSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, run) in self.0.chunk_by(|a, b| a + 1 == *b).enumerate() {
            let comma = if i == 0 { "" } else { "," };
            match run {
                [only] => write!(f, "{comma}{only}")?,
                [first, .., last] => write!(f, "{comma}{first}-{last}")?,
                [] => {}
            }
        }
        Ok(())
    }
}

impl FromStr for CpuSet {
    type Err = ParseCpuSetError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse_list(text).map(Self::from_iter)
    }
}

/// Reads a list such as `0-3,8` in the order in which it is written; an empty text is an empty list.
pub(super) fn parse_list(text: &str) -> Result<Vec<u32>, ParseCpuSetError> {
    let text = text.trim();
    let mut ids = Vec::new();
    for word in text.split(',').map(str::trim).filter(|_| !text.is_empty()) {
        let bad = || ParseCpuSetError { word: word.to_owned() };
        let number = |text: &str| text.parse().ok().filter(|id| *id <= MAX_OS_ID).ok_or_else(bad);
        match word.split_once('-') {
            None => ids.push(number(word)?),
            Some((first, last)) => {
                let (first, last) = (number(first)?, number(last)?);
                if first > last {
                    return Err(bad());
                }
                ids.extend(first..=last);
            }
        }
        // Written in order, a list cannot be longer than the ids that exist.
        if ids.len() > MAX_OS_ID as usize + 1 {
            return Err(bad());
        }
    }
    Ok(ids)
}

/// The error of a list of PUs that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseCpuSetError {
    word: String,
}

impl ParseCpuSetError {
    /// Returns the part of the list that was not understood.
    pub fn word(&self) -> &str {
        &self.word
    }
}

impl fmt::Display for ParseCpuSetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not an id or a range of ids up to {MAX_OS_ID}", self.word)
    }
}

impl Error for ParseCpuSetError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_and_written() {
        for (text, written) in [
            ("", ""),
            ("0", "0"),
            ("0-1", "0-1"),
            (" 0-3,8 \n", "0-3,8"),
            ("8,0,1,2,3,3", "0-3,8"),
            ("5-5", "5"),
            ("0,2,4-5", "0,2,4-5"),
        ] {
            let set: CpuSet = text.parse().unwrap_or_else(|error| panic!("{text:?}: {error}"));
            assert_eq!(set.to_string(), written, "{text:?}");
        }
    }

    #[test]
    fn broken_lists_name_the_word() {
        for (text, word) in [
            ("0,x", "x"),
            ("3-1", "3-1"),
            ("0,,1", ""),
            ("-1", "-1"),
            ("0-4294967295", "0-4294967295"),
        ] {
            assert_eq!(text.parse::<CpuSet>().unwrap_err().word(), word, "{text:?}");
        }
    }
}
