//! What the boxes and colours mean.

use super::MARGIN;
use super::boxes::seat_box;
use super::canvas::{Canvas, LINE, Paint, Rect, text_width};
use super::{colours, layout};
use crate::picture::{self, Picture, count};
use crate::seats::{Seat, workers_of};

/// The most characters of a list of workers.
const LIST: usize = 40;

/// Draws the legend within this width, with PUs of the size that they have above, and returns where it ends.
pub(super) fn draw(canvas: &mut Canvas, picture: &Picture<'_>, width: u32, y: u32) -> u32 {
    let cell = layout::pu_size(picture);
    let mut flow = Flow { x: MARGIN, y, width, row: cell.1 + 6 };
    let words = Paint::words();
    for (seat, meaning) in sorts(picture) {
        let (x, y) = flow.next(cell.0 + 6 + text_width(meaning, LINE));
        let rect = Rect { x, y, width: cell.0, height: cell.1, round: 4 };
        seat_box(canvas, picture, seat, rect, "PU");
        canvas.text((x + cell.0 + 6, y + cell.1 / 2 + 4), &words, meaning);
    }
    let notes = [
        (picture.is_hybrid(), "round: efficiency core"),
        (picture.shares_l2(), "dashed around cores: level 2 cache"),
    ];
    for (_, note) in notes.into_iter().filter(|(is_shown, _)| *is_shown) {
        let (x, y) = flow.next(text_width(note, LINE));
        canvas.text((x, y + cell.1 / 2 + 4), &words, note);
    }
    flow = Flow { x: MARGIN, y: flow.y + flow.row, width, row: 20 };
    for (index, domain) in picture.plan.domains.iter().enumerate() {
        let workers = workers_of(picture.plan, index);
        let listed = picture::workers(&workers);
        let all = if listed.len() <= LIST { listed } else { count(workers.len(), "worker") };
        let said = format!("{}: {all}", picture.domain(domain));
        let (x, y) = flow.next(18 + text_width(&said, LINE));
        let [_, _, strong] = colours::of_domain(index);
        let rect = Rect { x, y: y + 2, width: 12, height: 12, round: 2 };
        canvas.rect(&rect, &Paint::box_of(&strong, &strong));
        canvas.text((x + 18, y + 12), &words, &said);
    }
    flow.y + flow.row
}

/// Returns one of each sort of PU that there is, with what it means.
fn sorts(picture: &Picture<'_>) -> impl Iterator<Item = (Seat, &'static str)> {
    let one = |is: fn(&Seat) -> bool| picture.seats.iter().copied().find(is);
    let sorts = [
        (one(|seat| matches!(seat, Seat::Worker(_))), "a PU and its worker"),
        (one(|seat| matches!(seat, Seat::Shared(_))), "a PU for all workers of its colour"),
        (one(|seat| matches!(seat, Seat::Nobody)), "a PU without a worker"),
    ];
    sorts.into_iter().filter_map(|(seat, meaning)| Some((seat?, meaning)))
}

/// Places things side by side, and in a new row where the page ends.
struct Flow {
    x: u32,
    y: u32,
    width: u32,
    row: u32,
}

impl Flow {
    fn next(&mut self, width: u32) -> (u32, u32) {
        if self.x > MARGIN && self.x + width > MARGIN + self.width {
            (self.x, self.y) = (MARGIN, self.y + self.row);
        }
        let place = (self.x, self.y);
        self.x += width + 20;
        place
    }
}
