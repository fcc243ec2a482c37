//! Where the boxes are. Pure: sizes and places from the picture, in pixels.

use super::canvas::{LINE, text_width};
use crate::picture::{self, Picture};
use crate::seats::is_loose;
use crate::tree::{Group, Kind};

/// Between a box and what is in it.
pub(super) const PADDING: u32 = 6;
/// The height of a line of a label.
pub(super) const LABEL_LINE: u32 = 15;
/// Between boxes.
const GAP: u32 = 8;
/// Between cores, and between their PUs.
const SMALL_GAP: u32 = 3;
/// A label is broken into lines rather than make a box wider than this.
const LABEL_WIDTH: u32 = 100;
/// The width divided by the height that a box should have.
const SHAPE: f64 = 1.7;
/// How much worse a layout is that is all empty, in multiples of a shape that is wrong by the factor e.
const EMPTINESS: f64 = 8.0;
/// More columns than these are not tried.
const MOST_COLUMNS: usize = 64;

/// What a box stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Group(Kind),
    /// Cores that share a level 2 cache.
    SharedL2,
    /// A node without PUs.
    MemoryOnly,
    /// A PU, by index.
    Pu(usize),
}

/// A box with its size, and what is in it with places from its corner.
pub(super) struct Tile {
    pub(super) what: What,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) label: Vec<String>,
    pub(super) inner: Vec<((u32, u32), Tile)>,
}

/// Returns the size of a PU's box: its number and its worker's have room.
pub(super) fn pu_size(picture: &Picture<'_>) -> (u32, u32) {
    let widest = picture.topology.pus().last().map_or(0, |pu| pu.os as usize);
    let workers = if is_loose(picture.plan) { 0 } else { picture.plan.workers.len() };
    (text_width(&widest.max(workers).to_string(), LINE + 1).max(22) + 4, 30)
}

/// Lays the machine out.
pub(super) fn machine(picture: &Picture<'_>) -> Tile {
    let machine = &picture.machine;
    let boxes = machine.children.iter().map(|group| tile(picture, group));
    let bare = picture.memory_only().map(|(name, said)| {
        let label =
            [vec![name], said.into_iter().filter(|said| !said.starts_with("dist")).collect()];
        labelled(What::MemoryOnly, &label.concat(), Vec::new(), GAP)
    });
    labelled(What::Group(Kind::Machine), &[], boxes.chain(bare).collect(), GAP)
}

fn tile(picture: &Picture<'_>, group: &Group) -> Tile {
    let what = What::Group(group.kind);
    if let Kind::Core(_) = group.kind {
        let (width, height) = pu_size(picture);
        let pu = |&pu: &usize| Tile {
            what: What::Pu(pu),
            width,
            height,
            label: Vec::new(),
            inner: Vec::new(),
        };
        return labelled(what, &[], group.pus.iter().map(pu).collect(), SMALL_GAP);
    }
    let (inner, gap) = if group.is_bottom() {
        (cores(picture, group), SMALL_GAP)
    } else {
        (group.children.iter().map(|child| tile(picture, child)).collect(), GAP)
    };
    let shared = picture.shared_by(group).map(|workers| picture::workers(&workers));
    let label = [Some(picture.name(group)), picture.memory(group), shared];
    labelled(what, &label.into_iter().flatten().collect::<Vec<_>>(), inner, gap)
}

/// The cores of a box, those that share a level 2 cache in one of their own.
fn cores(picture: &Picture<'_>, bottom: &Group) -> Vec<Tile> {
    let tiles = |cores: &[Group]| cores.iter().map(|core| tile(picture, core)).collect::<Vec<_>>();
    if !picture.shares_l2() {
        return tiles(&bottom.children);
    }
    let l2 = |core: &Group| core.pus.first().map(|&pu| picture.topology.pus()[pu].l2);
    let shared = bottom.children.chunk_by(|a, b| l2(a) == l2(b));
    shared
        .flat_map(|cores| match cores {
            [only] => vec![tile(picture, only)],
            _ => vec![labelled(What::SharedL2, &[], tiles(cores), SMALL_GAP)],
        })
        .collect()
}

/// Makes a box around others, with a label above them.
fn labelled(what: What, label: &[String], inner: Vec<Tile>, gap: u32) -> Tile {
    let sizes: Vec<_> = inner.iter().map(|tile| (tile.width, tile.height)).collect();
    let (places, (width, height)) = pack(&sizes, gap);
    let label = broken(label, width.max(LABEL_WIDTH));
    let widest = label.iter().map(|line| text_width(line, LINE)).max().unwrap_or(0);
    let padding = match what {
        What::Group(Kind::Machine) => 0,
        What::Group(Kind::Core(_)) => 2,
        _ => PADDING,
    };
    let top = padding + label.len() as u32 * LABEL_LINE;
    let place = |((x, y), tile)| ((x + padding, y + top), tile);
    Tile {
        what,
        width: width.max(widest) + 2 * padding,
        height: height + top + padding,
        label,
        inner: places.into_iter().zip(inner).map(place).collect(),
    }
}

/// Puts the parts of a label on as few lines as their width allows.
fn broken(parts: &[String], width: u32) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in parts {
        match lines.last_mut() {
            Some(line) if text_width(line, LINE) + text_width(part, LINE) + 12 <= width => {
                line.push_str(", ");
                line.push_str(part);
            }
            _ => lines.push(part.clone()),
        }
    }
    lines
}

/// Places boxes in rows, as wide as brings the whole nearest to its shape with little room left over.
fn pack(sizes: &[(u32, u32)], gap: u32) -> (Vec<(u32, u32)>, (u32, u32)) {
    let area: f64 = sizes.iter().map(|size| f64::from(size.0) * f64::from(size.1)).sum();
    let badness = |width: &u32| {
        let (_, (width, height)) = rows(sizes, *width, gap);
        let (width, height) = (f64::from(width.max(1)), f64::from(height.max(1)));
        (width / height / SHAPE).ln().abs() + EMPTINESS * (1.0 - area / (width * height))
    };
    // As wide as the first box, the first two, and so on: where all are alike, that is every number of columns.
    let widths = sizes.iter().scan(0, |end, size| {
        *end += size.0 + gap;
        Some(*end - gap)
    });
    let best = widths.take(MOST_COLUMNS).min_by(|a, b| badness(a).total_cmp(&badness(b)));
    rows(sizes, best.unwrap_or(0), gap)
}

/// Places boxes in rows of at most this width, and returns the size of the whole.
fn rows(sizes: &[(u32, u32)], most: u32, gap: u32) -> (Vec<(u32, u32)>, (u32, u32)) {
    let (mut x, mut y, mut width, mut height) = (0, 0, 0, 0);
    let mut places = Vec::with_capacity(sizes.len());
    for size in sizes {
        if x > 0 && x + size.0 > most {
            (x, y) = (0, height + gap);
        }
        places.push((x, y));
        width = (x + size.0).max(width);
        height = (y + size.1).max(height);
        x += size.0 + gap;
    }
    (places, (width, height))
}
