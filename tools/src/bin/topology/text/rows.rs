//! The PUs of a box as rows of columns: number, kind, worker. Pure.

use bastion_executor::topology::{Pu, PuKind};

use crate::picture::Picture;
use crate::seats::{Seat, is_loose};
use crate::tree::{Group, Kind};

/// The PUs of a box, core by core.
pub(super) struct Rows {
    rows: Vec<Row>,
    cores: Vec<Column>,
}

/// What a row tells of each PU.
#[derive(Clone, Copy)]
enum Row {
    Number,
    Kind,
    Worker,
}

impl Row {
    fn head(self) -> &'static str {
        match self {
            Self::Number => "PU",
            Self::Kind => "kind",
            Self::Worker => "worker",
        }
    }

    fn cell(self, picture: &Picture<'_>, pu: usize) -> String {
        match (self, &picture.topology.pus()[pu]) {
            (Self::Number, pu) => pu.os.to_string(),
            (Self::Kind, pu) => kind(pu).to_owned(),
            (Self::Worker, _) => sign(picture.seats[pu]),
        }
    }
}

/// A core.
struct Column {
    /// The text of each row.
    cells: Vec<String>,
    /// True if it begins another level 2 cache than the core before it, where cores share those.
    begins_cache: bool,
}

impl Rows {
    pub(super) fn new(picture: &Picture<'_>, bottom: &Group) -> Self {
        // Where all are shared, the line of those who share them has said it.
        let is_shared = bottom.pus.iter().all(|pu| matches!(picture.seats[*pu], Seat::Shared(_)));
        let kind = picture.is_hybrid().then_some(Row::Kind);
        let worker = (!is_shared).then_some(Row::Worker);
        let rows: Vec<Row> = [Some(Row::Number), kind, worker].into_iter().flatten().collect();
        let width = cell_width(picture);
        let cells = |core: &Group, row: &Row| {
            let cell = |&pu: &usize| format!("{:>width$}", row.cell(picture, pu));
            core.pus.iter().map(cell).collect::<Vec<_>>().join(" ")
        };
        let l2 = |core: &Group| core.pus.first().map(|&pu| picture.topology.pus()[pu].l2);
        let mut before = None;
        let column = |core: &Group| {
            let is_new = before.replace(l2(core)).is_some_and(|before| before != l2(core));
            Column {
                cells: rows.iter().map(|row| cells(core, row)).collect(),
                begins_cache: is_new && picture.shares_l2(),
            }
        };
        Self { cores: bottom.children.iter().map(column).collect(), rows }
    }

    /// Returns the lines, each at most so wide unless a single core is wider: first all rows of as many cores as fit, then the next.
    pub(super) fn lines(&self, width: usize) -> Vec<String> {
        let heads = || self.rows.iter().map(|row| row.head());
        let head = heads().map(str::len).max().unwrap_or(0);
        let blank = || heads().map(|name| format!("{name:<head$} ")).collect::<Vec<_>>();
        let (mut lines, mut block, mut is_empty) = (Vec::new(), blank(), true);
        for core in &self.cores {
            let length = |text: Option<&String>| text.map_or(0, |text| text.chars().count());
            let needed = length(block.first()) + 3 + length(core.cells.first());
            if needed > width && !is_empty {
                lines.append(&mut block);
                (block, is_empty) = (blank(), true);
            }
            let separator = match (is_empty, core.begins_cache) {
                (true, _) => " ",
                (false, false) => " │ ",
                (false, true) => " ║ ",
            };
            for (line, cell) in block.iter_mut().zip(&core.cells) {
                line.push_str(separator);
                line.push_str(cell);
            }
            is_empty = false;
        }
        lines.append(&mut block);
        lines
    }
}

/// Says what the signs mean, those that the machine has.
pub(super) fn legend(picture: &Picture<'_>) -> String {
    let has = |is: fn(&Seat) -> bool| picture.seats.iter().any(is);
    let nobody = has(|seat| matches!(seat, Seat::Nobody));
    let several = picture.machine.count(|kind| matches!(kind, Kind::Core(_))) > 1;
    let parts = [
        (several, "│ between cores"),
        (picture.shares_l2(), "║ between level 2 caches"),
        (picture.is_hybrid(), "P performance, E efficiency"),
        (is_loose(picture.plan) && nobody, "* shared"),
        (nobody, "- no worker"),
    ];
    let shown = parts.into_iter().filter(|(is_shown, _)| *is_shown);
    shown.map(|(_, text)| text).collect::<Vec<_>>().join("   ")
}

fn sign(seat: Seat) -> String {
    match seat {
        Seat::Worker(worker) => worker.to_string(),
        Seat::Shared(_) => "*".to_owned(),
        Seat::Nobody => "-".to_owned(),
    }
}

fn kind(pu: &Pu) -> &'static str {
    match pu.kind {
        PuKind::Uniform => "",
        PuKind::Performance => "P",
        PuKind::Efficiency => "E",
    }
}

/// Returns the width of the widest number, so that all cells of the machine have one.
fn cell_width(picture: &Picture<'_>) -> usize {
    let widest = picture.topology.pus().last().map_or(0, |pu| pu.os as usize);
    let workers = if is_loose(picture.plan) { 0 } else { picture.plan.workers.len() - 1 };
    widest.max(workers).to_string().len()
}
