//! The words on the wire, between clients and service. Pure: knows no sockets.
//!
//! Lines of UTF-8 over TCP, each ended by `\n`; a client may send many before it reads an answer.
//!
//! ```text
//! client   <id> <text>\n     a question: how many words has the text?
//! service  <id> <count>\n    the answer
//! service  <id> ?\n          not answered (the worker crashed, or took too long): ask again
//! service  ! <reason>\n      the question cannot be understood; the service closes the connection
//! ```
//!
//! The id is a number of 64 bits that the client chooses; it has at most one question of an id on its way. The text is anything
//! without `\n`, also nothing. A question has at most [`MAX_LINE`] bytes; a longer one is not understood.

use std::fmt;
use std::str;

/// The most bytes of a line, without the `\n`.
pub(crate) const MAX_LINE: usize = 64 * 1024;

/// The most bytes of a text, so that it fits into a line with any id.
pub(crate) const MAX_TEXT: usize = MAX_LINE - "18446744073709551615 ".len();

/// The most bytes of an answer that is one, with its `\n`.
pub(crate) const MAX_ANSWER: usize = 128;

/// Why a line is no question, or no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Malformed {
    /// It is longer than [`MAX_LINE`].
    TooLong,
    /// It does not begin with a number of 64 bits and a space.
    NoId,
    /// It is not UTF-8.
    NotText,
    /// It is neither a count nor a question mark.
    NoCount,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "the line is longer than 65536 bytes",
            Self::NoId => "the line does not begin with a number and a space",
            Self::NotText => "the line is not UTF-8",
            Self::NoCount => "the line has neither a count nor a question mark",
        })
    }
}

impl std::error::Error for Malformed {}

/// Writes a question.
pub(crate) fn write_question(out: &mut Vec<u8>, id: u64, text: &str) {
    out.extend_from_slice(format!("{id} ").as_bytes());
    out.extend_from_slice(text.as_bytes());
    out.push(b'\n');
}

/// Reads a question, without its `\n`: the id and the text.
pub(crate) fn read_question(line: &[u8]) -> Result<(u64, &str), Malformed> {
    let line = str::from_utf8(line).map_err(|_| Malformed::NotText)?;
    split_id(line)
}

/// Writes an answer; none: ask again.
pub(crate) fn write_answer(out: &mut Vec<u8>, id: u64, count: Option<u64>) {
    let answer = match count {
        Some(count) => format!("{id} {count}\n"),
        None => format!("{id} ?\n"),
    };
    out.extend_from_slice(answer.as_bytes());
}

/// Reads an answer, without its `\n`: the id, and the count unless the question is to be asked again.
pub(crate) fn read_answer(line: &[u8]) -> Result<(u64, Option<u64>), Malformed> {
    let line = str::from_utf8(line).map_err(|_| Malformed::NotText)?;
    let (id, count) = split_id(line)?;
    match count {
        "?" => Ok((id, None)),
        count => Ok((id, Some(count.parse().map_err(|_| Malformed::NoCount)?))),
    }
}

/// Writes why the connection is closed.
pub(crate) fn write_refusal(out: &mut Vec<u8>, reason: Malformed) {
    out.extend_from_slice(format!("! {reason}\n").as_bytes());
}

fn split_id(line: &str) -> Result<(u64, &str), Malformed> {
    let (id, rest) = line.split_once(' ').ok_or(Malformed::NoId)?;
    Ok((id.parse().map_err(|_| Malformed::NoId)?, rest))
}

/// Cuts what arrives into lines. It never holds more than one line and what came with it, [`MAX_LINE`] bytes in all.
pub(crate) struct LineBuffer {
    bytes: Vec<u8>,
    /// What has arrived and was not taken yet is `bytes[start..end]`.
    start: usize,
    end: usize,
    /// No line ends before this.
    searched: usize,
}

impl LineBuffer {
    pub(crate) fn new() -> Self {
        Self { bytes: vec![0; MAX_LINE + 1], start: 0, end: 0, searched: 0 }
    }

    /// Returns the room for what arrives next. Never empty, as long as [`Self::next_line`] gave all lines and no error.
    pub(crate) fn room(&mut self) -> &mut [u8] {
        if self.start > 0 {
            self.bytes.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.searched -= self.start;
            self.start = 0;
        }
        &mut self.bytes[self.end..]
    }

    /// Takes note that so many bytes have arrived in the room.
    pub(crate) fn arrived(&mut self, bytes: usize) {
        self.end += bytes;
    }

    /// Takes the next line, without its `\n`, if it has arrived as a whole.
    pub(crate) fn next_line(&mut self) -> Result<Option<&[u8]>, Malformed> {
        let mut unsearched = self.bytes[self.searched..self.end].iter();
        let Some(length) = unsearched.position(|byte| *byte == b'\n') else {
            self.searched = self.end;
            let too_long = self.end - self.start > MAX_LINE;
            return if too_long { Err(Malformed::TooLong) } else { Ok(None) };
        };
        let line = self.start..self.searched + length;
        self.start = line.end + 1;
        self.searched = self.start;
        Ok(Some(&self.bytes[line]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_come_back() {
        for (id, text) in [(0, ""), (u64::MAX, "a  b\tc\r"), (7, " é\u{2028}x"), (1, "? 7")] {
            let mut out = Vec::new();
            write_question(&mut out, id, text);
            assert_eq!(out.pop(), Some(b'\n'));
            assert_eq!(read_question(&out), Ok((id, text)));
        }
    }

    #[test]
    fn answers_come_back() {
        for (id, count) in [(0, Some(0)), (u64::MAX, Some(u64::MAX)), (3, None)] {
            let mut out = Vec::new();
            write_answer(&mut out, id, count);
            assert!(out.len() <= MAX_ANSWER);
            assert_eq!(out.pop(), Some(b'\n'));
            assert_eq!(read_answer(&out), Ok((id, count)));
        }
    }

    #[test]
    fn nonsense_is_refused() {
        use Malformed::{NoCount, NoId, NotText};
        for (line, question, answer) in [
            (&b""[..], NoId, NoId),
            (b"7", NoId, NoId),
            (b"x 7", NoId, NoId),
            (b"-1 7", NoId, NoId),
            (b"18446744073709551616 7", NoId, NoId),
            (b"7 \xff", NotText, NotText),
        ] {
            assert_eq!(read_question(line), Err(question), "{line:?}");
            assert_eq!(read_answer(line), Err(answer), "{line:?}");
        }
        assert_eq!(read_answer(b"7 x"), Err(NoCount));
        assert_eq!(read_answer(b"! the line is not UTF-8"), Err(NoId));
    }

    /// Feeds a stream in pieces of `piece` bytes and returns its lines, and whether one was too long.
    fn lines(stream: &[u8], piece: usize) -> (Vec<Vec<u8>>, bool) {
        let (mut buffer, mut lines, mut rest) = (LineBuffer::new(), Vec::new(), stream);
        loop {
            loop {
                match buffer.next_line() {
                    Ok(Some(line)) => lines.push(line.to_vec()),
                    Ok(None) => break,
                    Err(_) => return (lines, true),
                }
            }
            if rest.is_empty() {
                return (lines, false);
            }
            let room = buffer.room();
            let size = piece.min(rest.len()).min(room.len());
            room[..size].copy_from_slice(&rest[..size]);
            buffer.arrived(size);
            rest = &rest[size..];
        }
    }

    #[test]
    fn a_stream_is_cut_into_lines_however_it_arrives() {
        let longest = [vec![b'x'; MAX_LINE], b"\n".to_vec()].concat();
        let stream = [b"a\n\nbc\n", &longest[..], b"d\nunfinished"].concat();
        for piece in [1, 2, 7, 1000, MAX_LINE, usize::MAX] {
            let (found, too_long) = lines(&stream, piece);
            assert!(!too_long);
            let expected = [&b"a"[..], b"", b"bc", &longest[..MAX_LINE], b"d"];
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn a_line_that_is_too_long_is_noticed() {
        let stream = [&b"a\n"[..], &vec![b'x'; MAX_LINE + 1]].concat();
        for piece in [1000, usize::MAX] {
            assert_eq!(lines(&stream, piece), (vec![b"a".to_vec()], true));
        }
    }
}
