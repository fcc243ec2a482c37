//! The boxes of the machine, each in the colour of its domain.

use bastion_executor::topology::PuKind;

use super::canvas::{Canvas, Paint, Rect};
use super::colours;
use super::layout::{self, Tile, What};
use crate::picture::Picture;
use crate::seats::Seat;
use crate::tree::Kind;

/// The radius of the corners of a frugal core's PU.
const ROUND: u32 = 12;

/// Draws a box and what is in it.
pub(super) fn draw(canvas: &mut Canvas, picture: &Picture<'_>, tile: &Tile, at: (u32, u32)) {
    let rect = Rect { x: at.0, y: at.1, width: tile.width, height: tile.height, round: 4 };
    match tile.what {
        What::Pu(pu) => return pu_box(canvas, picture, pu, rect),
        What::Group(kind) => canvas.rect(&rect, &group_paint(picture, kind)),
        What::SharedL2 => canvas.rect(&rect, &Paint::box_of("none", "#9a9a9a").dashed()),
        What::MemoryOnly => canvas.rect(&rect, &Paint::box_of("#f4f4f4", "#9a9a9a")),
    }
    for (line, text) in (1..).zip(&tile.label) {
        let place = (at.0 + layout::PADDING, at.1 + 2 + line * layout::LABEL_LINE);
        canvas.text(place, &Paint::words(), text);
    }
    for (place, inner) in &tile.inner {
        draw(canvas, picture, inner, (at.0 + place.0, at.1 + place.1));
    }
}

fn group_paint(picture: &Picture<'_>, kind: Kind) -> Paint {
    match kind {
        Kind::Machine => Paint::box_of("none", "none"),
        Kind::Package(_) => Paint::box_of("#f1f1ee", "#8a8a84"),
        Kind::Llc(_) => Paint::box_of("#ffffff", "#b4b4b4"),
        Kind::Core(_) => Paint::box_of("#eeeeee", "#d0d0d0"),
        Kind::Node(index) => {
            let node = index.map(|index| picture.topology.nodes()[index].os);
            let domain = picture.plan.domains.iter().position(|domain| domain.node == node);
            let [tint, _, strong] = domain.map_or_else(colours::grey, colours::of_domain);
            Paint::box_of(&tint, &strong)
        }
    }
}

/// Draws a PU: its number above its worker.
fn pu_box(canvas: &mut Canvas, picture: &Picture<'_>, pu: usize, mut rect: Rect) {
    let seat = picture.seats[pu];
    let pu = &picture.topology.pus()[pu];
    if pu.kind == PuKind::Efficiency {
        rect.round = ROUND;
    }
    let said = match seat {
        Seat::Worker(worker) => format!("worker {worker}"),
        Seat::Shared(_) => "shared by workers".to_owned(),
        Seat::Nobody => "no worker".to_owned(),
    };
    canvas.begin(&format!("PU {}, core {}, LLC {}: {said}", pu.os, pu.core, pu.llc));
    seat_box(canvas, picture, seat, rect, &pu.os.to_string());
    canvas.end();
}

/// Draws a PU of the sort that a seat is.
pub(super) fn seat_box(
    canvas: &mut Canvas,
    picture: &Picture<'_>,
    seat: Seat,
    rect: Rect,
    number: &str,
) {
    let (fill, stroke, ink, sign) = match seat {
        Seat::Worker(worker) => {
            let [_, _, strong] = colours::of_domain(picture.plan.workers[worker].domain);
            (strong.clone(), strong, "#ffffff", worker.to_string())
        }
        Seat::Shared(domain) => {
            let [_, middle, strong] = colours::of_domain(domain);
            (middle, strong, "#303030", "*".to_owned())
        }
        Seat::Nobody => ("#ffffff".to_owned(), "#9a9a9a".to_owned(), "#606060", "-".to_owned()),
    };
    let paint = Paint::box_of(&fill, &stroke);
    canvas.rect(&rect, &if seat == Seat::Nobody { paint.dashed() } else { paint });
    let middle = rect.x + rect.width / 2;
    canvas.text((middle, rect.y + 11), &Paint::small(ink), number);
    canvas.text((middle, rect.y + rect.height - 6), &Paint::strong(ink), &sign);
}
