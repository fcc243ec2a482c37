//! The rounds of one workload: all subjects in turn, so that whatever the machine does to one it does to all.

use crate::bench::{Amount, Failure, How, Measured, Subject, Unit};
use crate::select::Row;
use crate::stats::{self, Summary};
use crate::subjects::erlang;
use crate::{alone, counted, memory};
use indicatif::ProgressBar;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

/// Between two measurements everybody's threads go to sleep.
const SETTLE: Duration = Duration::from_millis(2);

/// What the rounds of one subject came to.
pub(crate) struct Outcome {
    pub(crate) subject: &'static str,
    pub(crate) figures: Figures,
}

/// The figures of a subject, or why there are none.
pub(crate) enum Figures {
    Measured(Summary),
    /// It cannot do it.
    Not(&'static str),
    /// It went wrong.
    Failed(Failure),
    /// It was interrupted before the first round.
    Interrupted,
}

/// One subject on its way through the rounds.
struct Lane {
    subject: &'static str,
    how: How,
    unit: Unit,
    path: String,
    samples: Vec<f64>,
    failed: Option<Failure>,
}

/// How many measurements a row needs.
pub(crate) fn steps(row: &Row, runs: u32) -> u64 {
    row.subjects.len() as u64 * (u64::from(row.workload.unit.rounds(runs)) + 1)
}

/// Measures a row: one round to warm up, then `runs` rounds, or one if all are the same. When `stop` is set, the current measurement is the last one.
pub(crate) fn measure(row: &Row, runs: u32, stop: &AtomicBool, bar: &ProgressBar) -> Vec<Outcome> {
    let missing = missing(row.workload.unit);
    let lane = |subject: &&'static Subject| Lane {
        subject: subject.name,
        how: missing.or_else(|| refused(subject)).map_or(subject.how, How::Not),
        unit: row.workload.unit,
        path: row.path(subject),
        samples: Vec::new(),
        failed: None,
    };
    let mut lanes: Vec<Lane> = row.subjects.iter().map(lane).collect();
    for round in 0..=row.workload.unit.rounds(runs) as usize {
        // Nobody is always measured after the same other.
        for turn in 0..lanes.len() {
            let index = (turn + round) % lanes.len();
            if stop.load(Relaxed) {
                return lanes.into_iter().map(Lane::outcome).collect();
            }
            lanes[index].step(row.workload.operations, round > 0, bar);
        }
    }
    lanes.into_iter().map(Lane::outcome).collect()
}

/// Says why this machine cannot measure such a unit, if it cannot.
fn missing(unit: Unit) -> Option<&'static str> {
    match unit {
        Unit::Nanoseconds | Unit::Latency => None,
        Unit::Bytes => memory::missing(),
        Unit::Instructions => counted::missing(),
    }
}

/// Says why a subject cannot be measured on this machine, or with so many workers, if it cannot.
fn refused(subject: &Subject) -> Option<&'static str> {
    alone::refused(subject).or_else(|| erlang::refused(subject))
}

impl Lane {
    fn step(&mut self, operations: u32, counts: bool, bar: &ProgressBar) {
        if matches!(self.how, How::Not(_)) {
            bar.inc(1);
            return;
        }
        bar.set_message(self.path.clone());
        if self.failed.is_none() {
            thread::sleep(SETTLE);
            match self.once(operations, counts) {
                Ok(all) if counts => {
                    let shared = self.unit.shared_by(operations);
                    self.samples.push(stats::per_operation(all, shared));
                }
                Ok(_) => {}
                Err(failure) => self.failed = Some(failure),
            }
        }
        bar.inc(1);
    }

    fn once(&self, operations: u32, counts: bool) -> Measured {
        match self.how {
            How::Here(measure) => measure(operations),
            // It warms itself up, or need not: there is nothing left of it in this process.
            How::Alone(_) | How::Counted(_) if !counts => Ok(Amount(0)),
            How::Alone(_) => alone::measure(&self.path, self.unit),
            How::Counted(_) => counted::measure(&self.path, operations),
            How::Not(reason) => Err(Failure::new(reason)),
        }
    }

    fn outcome(self) -> Outcome {
        let figures = match (self.how, self.failed, stats::summary(&self.samples)) {
            (How::Not(reason), _, _) => Figures::Not(reason),
            (_, Some(failure), _) => Figures::Failed(failure),
            (_, None, Some(summary)) => Figures::Measured(summary),
            (_, None, None) => Figures::Interrupted,
        };
        Outcome { subject: self.subject, figures }
    }
}
