//! A tree as a graph for Graphviz.

use super::Tree;
use super::outline::{LINES, outline};
use std::fmt::Write;

impl Tree {
    /// Returns the tree as a graph in the language of [Graphviz](https://graphviz.org): `dot -Tsvg`. Limited as `Display` is; colours say
    /// what processes do, which is a class in SVG too, and rounded boxes are supervisors.
    pub fn to_dot(&self) -> String {
        let mut text = String::from(
            "graph tree {\n    rankdir=LR\n    charset=\"UTF-8\"\n    node [shape=box fontname=\"Helvetica\" fontsize=11]\n",
        );
        for (index, row) in outline(self, Some(LINES)).iter().enumerate() {
            let (title, detail) = (escaped(&row.what.title()), escaped(&row.what.detail()));
            let look = row.what.look();
            let style = if row.what.is_supervisor() { "filled,rounded" } else { "filled" };
            // Writing to a string does not fail.
            let _ = writeln!(
                text,
                "    n{index} [label=\"{title}\\n{detail}\" class=\"{}\" style=\"{style}\" fillcolor=\"{}\" color=\"{}\"]",
                look.class, look.fill, look.frame
            );
            if let Some(parent) = row.parent {
                let _ = writeln!(text, "    n{parent} -- n{index}");
            }
        }
        text + "}\n"
    }
}

/// Writes what ends a text, begins an escape or an HTML entity so that it is shown.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            '"' | '\\' => escaped.extend(['\\', character]),
            '&' => escaped.push_str("&amp;"),
            _ => escaped.push(character),
        }
    }
    escaped
}
