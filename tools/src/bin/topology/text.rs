//! The picture as lines for a terminal: a tree of boxes, and under each cache its PUs with their workers.
//!
//! It knows how lines are put together; what stands in them is decided in `entry` and `rows`. It prints nothing.

mod entry;
mod rows;

#[cfg(test)]
mod tests;

use crate::picture::{Picture, wrap};
use entry::{Detail, Entry};

/// The most columns of a line.
const WIDTH: usize = 100;

/// The most lines of the tree: a machine that needs more is shown in less detail.
const MOST_LINES: usize = 48;

/// By how much the rest of a broken line is set off.
const INDENT: usize = 2;

/// Draws the machine, and says what the signs mean.
pub(crate) fn draw(picture: &Picture<'_>) -> String {
    let mut lines = Vec::new();
    for detail in Detail::ALL {
        let machine = entry::machine(picture, detail);
        lines.clear();
        let names = widest_name(&machine);
        put(&mut lines, &machine, names, ["", ""]);
        if lines.len() <= MOST_LINES {
            let legend = Some(rows::legend(picture)).filter(|legend| !legend.is_empty());
            let legend = legend.filter(|_| detail == Detail::Pus);
            lines.extend(legend.into_iter().flat_map(|legend| [String::new(), legend]));
            break;
        }
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// Breaks the lines that are too long, and sets off what was broken.
pub(crate) fn fold(text: &str) -> String {
    let broken = text.lines().flat_map(|line| {
        let parts = wrap(line, WIDTH - 4).into_iter().enumerate();
        parts.map(|(index, part)| format!("{}{part}\n", if index == 0 { "" } else { "    " }))
    });
    broken.collect()
}

/// Returns the width of the widest name that stands before PUs, so that all PUs begin in one column.
fn widest_name(entry: &Entry) -> usize {
    let own = if entry.is_inline() { entry.name.chars().count() } else { 0 };
    entry.children.iter().map(widest_name).fold(own, usize::max)
}

/// Writes an entry and what is in it. The prefixes are those of its first line and of all below it.
fn put(lines: &mut Vec<String>, entry: &Entry, names: usize, [first, below]: [&str; 2]) {
    let width = |prefix: &str| WIDTH.saturating_sub(prefix.chars().count());
    let (mut prefix, margin) = if entry.is_inline() {
        (format!("{first}{:<names$}  ", entry.name), format!("{below}{:names$}  ", ""))
    } else {
        let indent = if entry.children.is_empty() { "  " } else { "│ " };
        for (index, part) in wrap(&entry.head(), width(first) - INDENT).iter().enumerate() {
            let broken = format!("{below}{indent}");
            lines.push(format!("{}{part}", if index == 0 { first } else { &broken }));
        }
        (below.to_owned(), below.to_owned())
    };
    for row in entry.rows.iter().flat_map(|rows| rows.lines(width(&margin))) {
        lines.push(format!("{prefix}{row}"));
        prefix.clone_from(&margin);
    }
    for (index, child) in entry.children.iter().enumerate() {
        let is_last = index + 1 == entry.children.len();
        let [branch, trunk] = if is_last { ["└─ ", "   "] } else { ["├─ ", "│  "] };
        put(lines, child, names, [&format!("{below}{branch}"), &format!("{below}{trunk}")]);
    }
}
