//! The picture as an SVG: boxes within boxes, coloured by the domain of the workers. Without fonts, scripts and links.
//!
//! `layout` decides where everything is, `canvas` knows how SVG is written; this file puts the page together.

mod boxes;
mod canvas;
mod colours;
mod distances;
mod layout;
mod legend;

#[cfg(test)]
mod tests;

use crate::picture::{Picture, wrap};
use canvas::{Canvas, HEADING, LINE, Paint, columns, text_width};

/// Around the page.
const MARGIN: u32 = 24;
/// The page is not narrower, so that words have room.
const LEAST_WIDTH: u32 = 640;

/// Draws the page.
pub(crate) fn draw(picture: &Picture<'_>) -> String {
    let machine = layout::machine(picture);
    let heading = text_width(&picture.topology.to_string(), HEADING);
    let parts = [LEAST_WIDTH, machine.width, heading, distances::width(picture)];
    let width = parts.into_iter().fold(0, u32::max);
    let mut canvas = Canvas::default();
    let mut y = title(&mut canvas, picture, width, MARGIN) + 12;
    boxes::draw(&mut canvas, picture, &machine, (MARGIN, y));
    y += machine.height + 20;
    y = legend::draw(&mut canvas, picture, width, y) + 12;
    y = distances::draw(&mut canvas, picture, y);
    canvas.page(width + 2 * MARGIN, y + MARGIN)
}

/// Writes what the machine is and what the plan does on it, except the lines of the nodes, which are drawn; returns where it ends.
fn title(canvas: &mut Canvas, picture: &Picture<'_>, width: u32, y: u32) -> u32 {
    let mut y = y + 18;
    canvas.text((MARGIN, y), &Paint::title(), &picture.topology.to_string());
    let explained = picture.plan.explain().to_string();
    let lines: Vec<&str> = explained.lines().collect();
    let of_domains = lines.len().saturating_sub(picture.plan.domains.len());
    let columns = columns(width, LINE);
    for line in lines[..of_domains].iter().skip(1).flat_map(|line| wrap(line, columns)) {
        y += 16;
        canvas.text((MARGIN, y), &Paint::words(), &line);
    }
    y
}
