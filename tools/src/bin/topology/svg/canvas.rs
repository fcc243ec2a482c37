//! How SVG is written: rectangles, texts, and the page around them. It knows no machine.

use std::fmt::Write;

/// The size of the heading, in pixels.
pub(super) const HEADING: u32 = 16;
/// The size of ordinary text, in pixels.
pub(super) const LINE: u32 = 12;
/// The size of the smallest text, in pixels.
pub(super) const SMALL: u32 = 9;

/// A rectangle with rounded corners, in pixels.
#[derive(Clone, Copy)]
pub(super) struct Rect {
    pub(super) x: u32,
    pub(super) y: u32,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) round: u32,
}

/// What an element looks like: its attributes.
pub(super) struct Paint(String);

impl Paint {
    pub(super) fn box_of(fill: &str, stroke: &str) -> Self {
        Self(format!(r#"fill="{fill}" stroke="{stroke}""#))
    }

    pub(super) fn dashed(self) -> Self {
        Self(self.0 + r#" stroke-dasharray="3 2""#)
    }

    /// A heading, from its place to the right.
    pub(super) fn title() -> Self {
        Self(format!(r##"font-size="{HEADING}" font-weight="bold" fill="#101010""##))
    }

    /// Ordinary text, from its place to the right.
    pub(super) fn words() -> Self {
        Self(format!(r##"font-size="{LINE}" fill="#303030""##))
    }

    /// A small text around its place.
    pub(super) fn small(ink: &str) -> Self {
        Self(format!(r#"font-size="{SMALL}" text-anchor="middle" fill="{ink}""#))
    }

    /// A bold text around its place.
    pub(super) fn strong(ink: &str) -> Self {
        Self(format!(r#"font-size="{LINE}" font-weight="bold" text-anchor="middle" fill="{ink}""#))
    }
}

/// The elements so far.
#[derive(Default)]
pub(super) struct Canvas {
    elements: String,
}

impl Canvas {
    pub(super) fn rect(&mut self, rect: &Rect, paint: &Paint) {
        let Rect { x, y, width, height, round } = rect;
        self.put(format_args!(
            r#"<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="{round}" {}/>"#,
            paint.0
        ));
    }

    pub(super) fn text(&mut self, (x, y): (u32, u32), paint: &Paint, text: &str) {
        let (paint, text) = (&paint.0, escaped(text));
        self.put(format_args!(r#"<text x="{x}" y="{y}" {paint}>{text}</text>"#));
    }

    /// Begins elements that belong together, with what is shown when the pointer rests on them.
    pub(super) fn begin(&mut self, hint: &str) {
        self.put(format_args!("<g><title>{}</title>", escaped(hint)));
    }

    /// Ends them.
    pub(super) fn end(&mut self) {
        self.put(format_args!("</g>"));
    }

    /// Returns the file.
    pub(super) fn page(self, width: u32, height: u32) -> String {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
             height=\"{height}\" font-family=\"system-ui, Helvetica, Arial, sans-serif\">\n\
             <rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n{}</svg>\n",
            self.elements
        )
    }

    fn put(&mut self, element: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.elements, "{element}");
    }
}

/// The width of a character in the widest of the usual fonts, in percent of its size.
const CHARACTER: u32 = 66;

/// Returns how wide a text is.
pub(super) fn text_width(text: &str, size: u32) -> u32 {
    text.chars().count() as u32 * size * CHARACTER / 100
}

/// Returns how many characters there are on a line.
pub(super) fn columns(width: u32, size: u32) -> usize {
    (width * 100 / (size * CHARACTER)) as usize
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_in_xml_is_escaped() {
        assert_eq!(escaped("a < b && c > d"), "a &lt; b &amp;&amp; c &gt; d");
        assert_eq!(escaped("&lt;"), "&amp;lt;");
    }

    #[test]
    fn lines_of_so_many_characters_fit() {
        for width in [640, 641, 999] {
            let columns = columns(width, LINE);
            assert!(text_width(&"x".repeat(columns), LINE) <= width);
            assert!(text_width(&"x".repeat(columns + 2), LINE) > width);
        }
    }
}
