//! The distances between nodes as a table.

use super::MARGIN;
use super::canvas::{Canvas, Paint, Rect};
use super::colours;
use crate::picture::Picture;

/// The size of a cell.
const CELL: (u32, u32) = (34, 20);
/// The width of what stands before the rows.
const HEAD: u32 = 84;

/// Returns the width of the table.
pub(super) fn width(picture: &Picture<'_>) -> u32 {
    picture.matrix().map_or(0, |rows| HEAD + rows.len() as u32 * CELL.0)
}

/// Draws the table, the far ones darker, and returns where it ends.
pub(super) fn draw(canvas: &mut Canvas, picture: &Picture<'_>, y: u32) -> u32 {
    let Some(rows) = picture.matrix() else { return y };
    let nodes = picture.topology.nodes();
    let most = rows.iter().flatten().copied().max().unwrap_or(0);
    let ink = Paint::small("#202020");
    let columns = || (MARGIN + HEAD..).step_by(CELL.0 as usize);
    canvas.text((MARGIN, y + 14), &Paint::words(), "distances");
    for (x, node) in columns().zip(nodes) {
        canvas.text((x + CELL.0 / 2, y + 14), &ink, &node.os.to_string());
    }
    let mut y = y + CELL.1;
    for (node, row) in nodes.iter().zip(rows) {
        canvas.text((MARGIN, y + 14), &Paint::words(), &format!("node {}", node.os));
        for (x, distance) in columns().zip(row) {
            let rect = Rect { x: x + 1, y, width: CELL.0 - 2, height: CELL.1 - 2, round: 2 };
            canvas.rect(&rect, &Paint::box_of(&colours::far(*distance, most), "none"));
            canvas.text((x + CELL.0 / 2, y + 13), &ink, &distance.to_string());
        }
        y += CELL.1;
    }
    y
}
