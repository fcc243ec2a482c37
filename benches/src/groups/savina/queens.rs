//! N-queens, first N solutions: a master hands boards out, workers put the next queen on, or search the rest alone.

use crate::bench::{Measured, Workload};
use crate::latch::{Finish, latch};
use crate::subjects::actors::{Act, Library, Next};

/// The board: so many rows, columns and queens.
const SIZE: usize = 12;
const WORKERS: usize = 20;
/// From so many queens on a worker searches alone.
const ALONE_FROM: usize = 4;

pub(super) const ROW: Workload = on_libraries!(
    "queens",
    "the first 14,200 ways (all) to put 12 queens; 20 actors, alone from the fifth queen on; a message for each",
    14_200,
    queens
);

/// The columns of the queens in the first rows.
#[derive(Clone, Copy, Default)]
struct Board {
    columns: [u8; SIZE],
    queens: usize,
}

impl Board {
    /// Returns the boards with one queen more.
    fn next(self) -> impl Iterator<Item = Board> {
        let safe = move |column: u8| {
            self.columns[..self.queens].iter().rev().zip(1..).all(|(other, distance)| {
                let apart = other.abs_diff(column);
                apart != 0 && apart != distance
            })
        };
        (0..SIZE as u8).filter(move |column| safe(*column)).map(move |column| {
            let mut next = self;
            next.columns[next.queens] = column;
            next.queens += 1;
            next
        })
    }

    /// Calls for each way to put the other queens.
    fn solve(self, found: &mut impl FnMut()) {
        if self.queens == SIZE {
            found();
        } else {
            self.next().for_each(|board| board.solve(found));
        }
    }
}

#[derive(Clone)]
struct Worker<L: Library>(L::Address<Master<L>>);

enum Work {
    Board(Board),
    Stop,
}

impl<L: Library> Act<L> for Worker<L> {
    type Message = Work;

    fn handle(&mut self, work: Work) -> Next {
        let Worker(master) = self;
        match work {
            Work::Board(board) if board.queens >= ALONE_FROM => {
                board.solve(&mut || L::tell(master, Report::Solution));
                L::tell(master, Report::Done);
            }
            Work::Board(board) => {
                board.next().for_each(|board| L::tell(master, Report::More(board)));
                L::tell(master, Report::Done);
            }
            Work::Stop => return Next::Stop,
        }
        Next::Receive
    }
}

#[derive(Clone)]
struct Master<L: Library> {
    workers: Vec<L::Address<Worker<L>>>,
    turn: usize,
    /// How many boards are being worked on.
    out: u32,
    found: u32,
    solutions: u32,
    finish: Finish,
}

enum Report<L: Library> {
    Start(Vec<L::Address<Worker<L>>>),
    More(Board),
    Solution,
    Done,
}

impl<L: Library> Master<L> {
    fn hand_out(&mut self, board: Board) {
        self.out += 1;
        self.turn = (self.turn + 1) % WORKERS;
        L::tell(&self.workers[self.turn], Work::Board(board));
    }
}

impl<L: Library> Act<L> for Master<L> {
    type Message = Report<L>;

    fn handle(&mut self, report: Report<L>) -> Next {
        match report {
            Report::Start(workers) => {
                self.workers = workers;
                self.hand_out(Board::default());
            }
            Report::More(board) => self.hand_out(board),
            Report::Solution => self.found += 1,
            Report::Done => self.out -= 1,
        }
        let over = self.out == 0;
        if over {
            self.finish.now_if(self.found == self.solutions, "a wrong number of solutions");
            self.workers.iter().for_each(|worker| L::tell(worker, Work::Stop));
        }
        Next::stop_if(over)
    }
}

fn queens<L: Library>(solutions: u32) -> Measured {
    let (finish, mut wait) = latch();
    let master = Master::<L> { workers: Vec::new(), turn: 0, out: 0, found: 0, solutions, finish };
    let master = L::spawn(master)?;
    let worker = |_| L::spawn(Worker::<L>(master.clone()));
    let workers = (0..WORKERS).map(worker).collect::<Result<Vec<_>, _>>()?;
    wait.start();
    L::tell(&master, Report::Start(workers));
    wait.measured()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_solution_is_found() {
        let mut found = 0;
        Board::default().solve(&mut || found += 1);
        assert_eq!(found, ROW.operations);
    }
}
