//! The text that is streamed: read from files, cut into lines, and counted in the plain, sequential way that every answer is checked
//! against. It knows nothing of the service.

mod files;

use crate::protocol::MAX_TEXT;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// The most text that is kept in memory.
const MAX_BYTES: usize = 256 * 1024 * 1024;

/// The most lines that are kept.
const MAX_LINES: usize = 4_000_000;

/// After so many notes about files the rest is only counted.
const MAX_NOTES: usize = 20;

/// Lines of text, each with its number of words.
pub(crate) struct Input {
    text: String,
    lines: Vec<(Range<usize>, u64)>,
    files: usize,
}

/// Why there is nothing to stream.
#[derive(Debug)]
pub(crate) enum InputError {
    /// A file or folder was given that does not exist.
    NoSuchFile(PathBuf),
    /// No file had any text.
    NothingUsable,
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchFile(path) => write!(f, "no such file or folder: {}", path.display()),
            Self::NothingUsable => f.write_str("there is no text to stream in the files"),
        }
    }
}

impl std::error::Error for InputError {}

impl Input {
    /// Reads the files given, or the repository's own; see [`files::find`]. `note` gets a line for each one that is left out.
    ///
    /// # Errors
    /// When a file that was given does not exist, or when no text is found.
    pub(crate) fn read(given: &[PathBuf], note: impl Fn(String)) -> Result<Input, InputError> {
        let mut notes = 0;
        let mut limited = |text: String| {
            notes += 1;
            if notes <= MAX_NOTES {
                note(text);
            }
        };
        let mut input = Input { text: String::new(), lines: Vec::new(), files: 0 };
        for path in files::find(given, &mut limited)? {
            match input.read_file(&path) {
                Ok(0) => {}
                Ok(cut) => limited(format!(
                    "{}: lines longer than {MAX_TEXT} bytes: {cut}, sent in pieces",
                    path.display()
                )),
                Err(reason) => limited(format!("{}: {reason}, left out", path.display())),
            }
        }
        if notes > MAX_NOTES {
            note(format!("and {} more like these", notes - MAX_NOTES));
        }
        if input.lines.is_empty() { Err(InputError::NothingUsable) } else { Ok(input) }
    }

    /// Adds the lines of a file, and returns how many were too long for one question.
    fn read_file(&mut self, path: &Path) -> Result<usize, LeftOut> {
        // Looked at before it is opened: opening a pipe would wait for its other end.
        if !fs::metadata(path)?.is_file() {
            return Err(LeftOut::NoFile);
        }
        let mut bytes = Vec::new();
        let room = MAX_BYTES - self.text.len();
        File::open(path)?.take(room as u64 + 1).read_to_end(&mut bytes)?;
        match bytes {
            bytes if bytes.is_empty() => Err(LeftOut::Empty),
            bytes if bytes.len() > room => Err(LeftOut::TooLarge),
            bytes if bytes.contains(&0) => Err(LeftOut::Binary),
            bytes => self.add(&String::from_utf8(bytes).map_err(|_| LeftOut::NotText)?),
        }
    }

    fn add(&mut self, text: &str) -> Result<usize, LeftOut> {
        let pieces = text.len() / MAX_TEXT + text.lines().count();
        if self.lines.len() + pieces > MAX_LINES {
            return Err(LeftOut::TooManyLines);
        }
        let mut cut = 0;
        for line in text.lines() {
            cut += usize::from(line.len() > MAX_TEXT);
            let mut rest = line;
            loop {
                let (piece, after) = rest.split_at(piece_length(rest));
                let start = self.text.len();
                self.text.push_str(piece);
                self.lines.push((start..self.text.len(), count_words(piece)));
                rest = after;
                if rest.is_empty() {
                    break;
                }
            }
        }
        self.files += 1;
        Ok(cut)
    }

    /// Returns how many lines there are; at least one.
    pub(crate) fn len(&self) -> usize {
        self.lines.len()
    }

    /// Returns how many files they came from.
    pub(crate) fn files(&self) -> usize {
        self.files
    }

    /// Returns how many bytes they have in all.
    pub(crate) fn bytes(&self) -> usize {
        self.text.len()
    }

    /// Returns a line.
    pub(crate) fn text(&self, line: usize) -> &str {
        &self.text[self.lines[line].0.clone()]
    }

    /// Returns how many words a line has.
    pub(crate) fn words(&self, line: usize) -> u64 {
        self.lines[line].1
    }

    /// Returns how many words so many lines have in a row, from `start` on and round and round.
    pub(crate) fn words_in_a_row(&self, start: usize, lines: u64) -> u64 {
        let (rounds, rest) = (lines / self.len() as u64, lines % self.len() as u64);
        let whole: u64 = self.lines.iter().map(|line| line.1).sum();
        let begun = self.lines.iter().cycle().skip(start).take(rest as usize);
        rounds * whole + begun.map(|line| line.1).sum::<u64>()
    }
}

/// Why a file is left out.
#[derive(Debug)]
enum LeftOut {
    Unreadable(io::Error),
    NoFile,
    Empty,
    Binary,
    NotText,
    TooLarge,
    TooManyLines,
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => write!(f, "unreadable ({error})"),
            Self::NoFile => f.write_str("not a regular file"),
            Self::Empty => f.write_str("empty"),
            Self::Binary => f.write_str("binary"),
            Self::NotText => f.write_str("not UTF-8"),
            Self::TooLarge => write!(f, "more than {} MiB in all", MAX_BYTES >> 20),
            Self::TooManyLines => write!(f, "more than {MAX_LINES} lines in all"),
        }
    }
}

impl From<io::Error> for LeftOut {
    fn from(error: io::Error) -> Self {
        Self::Unreadable(error)
    }
}

/// How much of a line goes into the next question: all, or what fits, up to a space if there is one, else up to a character.
fn piece_length(line: &str) -> usize {
    if line.len() <= MAX_TEXT {
        return line.len();
    }
    let boundary = (0..=MAX_TEXT).rev().find(|place| line.is_char_boundary(*place));
    let most = boundary.unwrap_or(MAX_TEXT);
    match line[..most].rfind(' ') {
        None | Some(0) => most,
        Some(space) => space,
    }
}

/// Counts words one character after another; on purpose not as the workers do.
fn count_words(text: &str) -> u64 {
    let (mut words, mut inside) = (0, false);
    for character in text.chars() {
        let space = character.is_whitespace();
        words += u64::from(!space && !inside);
        inside = !space;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(text: &str) -> (Input, usize) {
        let mut input = Input { text: String::new(), lines: Vec::new(), files: 0 };
        let cut = input.add(text).expect("it fits");
        (input, cut)
    }

    #[test]
    fn lines_are_counted() {
        let (input, cut) = input("a b\n\n  c\u{3000}d\te \r\nf");
        assert_eq!((input.len(), cut, input.files()), (4, 0, 1));
        let lines: Vec<_> = (0..4).map(|line| (input.text(line), input.words(line))).collect();
        assert_eq!(lines, [("a b", 2), ("", 0), ("  c\u{3000}d\te ", 3), ("f", 1)]);
        for (start, lines, words) in [(0, 0, 0), (0, 4, 6), (2, 1, 3), (2, 3, 6), (3, 9, 13)] {
            assert_eq!(input.words_in_a_row(start, lines), words, "{lines} from {start}");
        }
    }

    #[test]
    fn words_are_what_the_standard_library_takes_for_words() {
        for text in ["", " ", "a", " a  b ", "a\u{a0}b\u{2029}c\u{200b}d", "\u{feff}x\x0by"] {
            assert_eq!(count_words(text), text.split_whitespace().count() as u64, "{text:?}");
        }
    }

    #[test]
    fn long_lines_are_cut_at_a_space_or_between_characters() {
        let words = "word ".repeat(MAX_TEXT);
        let (cut_words, cut) = input(&words);
        assert_eq!(cut, 1);
        assert_eq!(cut_words.words_in_a_row(0, cut_words.len() as u64), MAX_TEXT as u64);

        let unbroken = "é".repeat(MAX_TEXT);
        let (cut_unbroken, _) = input(&unbroken);
        assert_eq!(cut_unbroken.text, unbroken);
        for input in [&cut_words, &cut_unbroken] {
            assert!((0..input.len()).all(|line| input.text(line).len() <= MAX_TEXT));
        }
    }
}
