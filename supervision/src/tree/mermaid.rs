//! A tree as a Mermaid flowchart.

use super::Tree;
use super::look::{ALL, Look};
use super::outline::{LINES, outline};
use std::fmt::Write;

impl Tree {
    /// Returns the tree as a flowchart of [Mermaid](https://mermaid.js.org), which many pages for text show as a picture. Limited as
    /// `Display` is; colours say what processes do, and rounded boxes are supervisors.
    pub fn to_mermaid(&self) -> String {
        let mut text = String::from("flowchart LR\n");
        for (index, row) in outline(self, Some(LINES)).iter().enumerate() {
            let (title, detail) = (escaped(&row.what.title()), escaped(&row.what.detail()));
            let (open, close) = if row.what.is_supervisor() { ("([", "])") } else { ("[", "]") };
            let class = row.what.look().class;
            // Writing to a string does not fail.
            let _ = writeln!(text, "    n{index}{open}\"{title}<br/>{detail}\"{close}:::{class}");
            if let Some(parent) = row.parent {
                let _ = writeln!(text, "    n{parent} --- n{index}");
            }
        }
        for Look { class, fill, frame, .. } in ALL {
            let _ = writeln!(text, "    classDef {class} fill:{fill},stroke:{frame},color:#212529");
        }
        text
    }
}

/// Writes whatever could mean something to Mermaid, Markdown or HTML as a number.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        if character.is_alphanumeric() || matches!(character, ' ' | ',' | '.' | '-' | '_' | '/') {
            escaped.push(character);
        } else {
            let _ = write!(escaped, "#{};", u32::from(character));
        }
    }
    escaped
}
