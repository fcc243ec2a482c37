//! Tells code from comments and literals, well enough for the rules.
//!
//! It is no parser: it knows where comments, strings and characters begin and end, and what a word
//! is. Macro bodies count as code.

/// Returns the text with everything blanked out that is not code, line for line, byte for byte.
///
/// Quotes stay, so that a string remains visible as an empty one.
pub(super) fn only(text: &str) -> String {
    let mut scanner = Scanner { text: text.as_bytes(), at: 0, out: Vec::new() };
    while scanner.at < scanner.text.len() {
        scanner.step();
    }
    // Only ASCII was copied.
    String::from_utf8(scanner.out).unwrap_or_default()
}

/// Returns the line, counted from 1, of each place where the word stands alone in the text.
pub(super) fn lines_with_word(text: &str, word: &str) -> Vec<usize> {
    places_of_word(text, word).map(|place| line_of(text, place)).collect()
}

/// Returns each place where the word stands alone: nothing beside it continues it.
pub(super) fn places_of_word<'a>(
    text: &'a str,
    word: &'a str,
) -> impl Iterator<Item = usize> + use<'a> {
    let is_part = |byte: Option<&u8>| byte.is_some_and(|byte| is_word(*byte));
    let (bytes, own) = (text.as_bytes(), word.as_bytes());
    text.match_indices(word).map(|(place, _)| place).filter(move |&place| {
        let before = place.checked_sub(1).and_then(|index| bytes.get(index));
        let continued_left = is_part(own.first()) && is_part(before);
        let continued_right = is_part(own.last()) && is_part(bytes.get(place + own.len()));
        !continued_left && !continued_right
    })
}

/// Returns the line, counted from 1, of a place in a text.
pub(super) fn line_of(text: &str, place: usize) -> usize {
    1 + text.as_bytes()[..place].iter().filter(|byte| **byte == b'\n').count()
}

fn is_word(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric() || !byte.is_ascii()
}

/// Goes through a text once, from left to right.
struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
    out: Vec<u8>,
}

impl Scanner<'_> {
    /// Moves past one comment, literal or byte of code.
    fn step(&mut self) {
        let rest = &self.text[self.at..];
        match rest[0] {
            b'/' if rest.starts_with(b"//") => self.blank(line_comment(rest)),
            b'/' if rest.starts_with(b"/*") => self.blank(block_comment(rest)),
            b'"' => self.literal(1, string(&rest[1..]), 1),
            b'r' if self.begins_raw() => self.raw_string(),
            b'\'' => match character(&rest[1..]) {
                Some(length) => self.literal(1, length, 1),
                None => self.keep(1),
            },
            _ => self.keep(1),
        }
    }

    /// Copies code.
    fn keep(&mut self, count: usize) {
        let end = (self.at + count).min(self.text.len());
        let copied = self.text[self.at..end].iter();
        self.out.extend(copied.map(|byte| if byte.is_ascii() { *byte } else { b' ' }));
        self.at = end;
    }

    /// Blanks out what is no code, except the ends of lines.
    fn blank(&mut self, count: usize) {
        let end = (self.at + count).min(self.text.len());
        let blanked = self.text[self.at..end].iter();
        self.out.extend(blanked.map(|byte| if *byte == b'\n' { b'\n' } else { b' ' }));
        self.at = end;
    }

    fn literal(&mut self, open: usize, content: usize, close: usize) {
        self.keep(open);
        self.blank(content);
        self.keep(close);
    }

    /// Tells whether the `r` here begins a raw string: it ends no word, or only a `b` or `c`.
    fn begins_raw(&self) -> bool {
        let hashes = self.hashes();
        if self.text.get(self.at + 1 + hashes) != Some(&b'"') {
            return false;
        }
        let before = &self.text[..self.at];
        let prefix = matches!(before.last(), Some(b'b' | b'c'));
        let word = &before[..before.len() - usize::from(prefix)];
        !word.last().is_some_and(|byte| is_word(*byte))
    }

    fn hashes(&self) -> usize {
        self.text[self.at + 1..].iter().take_while(|byte| **byte == b'#').count()
    }

    fn raw_string(&mut self) {
        let hashes = self.hashes();
        let open = hashes + 2;
        let content = &self.text[self.at + open..];
        let end = [&b"\""[..], &b"#".repeat(hashes)].concat();
        let length = content.windows(end.len()).position(|window| window == end);
        self.literal(open, length.unwrap_or(content.len()), end.len());
    }
}

fn line_comment(rest: &[u8]) -> usize {
    rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len())
}

/// Returns the length of a block comment, with the ones inside it.
fn block_comment(rest: &[u8]) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        if rest[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                break;
            }
        } else {
            at += 1;
        }
    }
    at
}

/// Returns the length of what is inside a string.
fn string(content: &[u8]) -> usize {
    let mut at = 0;
    while at < content.len() && content[at] != b'"' {
        at += if content[at] == b'\\' { 2 } else { 1 };
    }
    at.min(content.len())
}

/// Returns the length of what is inside a character literal, or nothing for a lifetime.
fn character(content: &[u8]) -> Option<usize> {
    match content.first()? {
        b'\\' => {
            let escaped = content.iter().skip(2).position(|byte| *byte == b'\'')?;
            Some(escaped + 2)
        }
        first => {
            let length = match first {
                0x00..=0x7f => 1,
                0x80..=0xdf => 2,
                0xe0..=0xef => 3,
                _ => 4,
            };
            (content.get(length) == Some(&b'\'')).then_some(length)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_blanked_out() {
        for (text, expected) in [
            ("a // b\nc", "a     \nc"),
            ("a /* b /* c */ d */ e", "a                   e"),
            ("a /* b\nc */ d", "a     \n     d"),
            (r#"f("a\"b", 'c', '\'')"#, r#"f("    ", ' ', '  ')"#),
            (r##"x(r#"a"b"#, br"c\", r#fn)"##, r##"x(r#"   "#, br"  ", r#fn)"##),
            ("for<'a> &'a str 'b: loop", "for<'a> &'a str 'b: loop"),
            ("'é' '\"' \"//\" '\\u{41}' b", "'  ' ' ' \"  \" '      ' b"),
            ("bar\"x\" // \"\ny", "bar\" \"     \ny"),
            ("\"never closed", "\"            "),
            ("/* never closed", "               "),
            ("'\\", "'\\"),
        ] {
            assert_eq!(only(text), expected, "{text}");
            assert_eq!(only(text).len(), text.len(), "{text}");
        }
    }

    #[test]
    fn words_stand_alone() {
        let text = "unsafe { a_unsafe }\nunsafe_code(unsafe)\nXunsafe";
        assert_eq!(lines_with_word(text, "unsafe"), [1, 2]);
        assert_eq!(lines_with_word("a todo! todo!()", "todo!"), [1, 1]);
        assert_eq!(lines_with_word("thread::sleep\n::thread::sleeper", "thread::sleep"), [1]);
    }
}
