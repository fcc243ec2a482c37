//! What a run came to, group by group, and what it is compared with.

use crate::bench::{Group, OURS, Unit};
use crate::goals::{self, Judged};
use crate::judge::{self, Change, Verdict};
use crate::rounds::Outcome;
use crate::saved::Saved;
use crate::select::Row;
use crate::stats::Summary;

/// A run so far.
#[derive(Default)]
pub(crate) struct Results<'a> {
    pub(crate) groups: Vec<GroupResults<'a>>,
    /// What it is compared with.
    pub(crate) against: Option<Saved>,
}

/// What the rows of a group came to.
pub(crate) struct GroupResults<'a> {
    pub(crate) group: &'static Group,
    pub(crate) rows: Vec<RowResults<'a>>,
}

/// What the subjects of a row came to.
pub(crate) struct RowResults<'a> {
    pub(crate) row: &'a Row,
    pub(crate) outcomes: Vec<Outcome>,
}

impl RowResults<'_> {
    /// Returns a subject's name in all groups.
    pub(crate) fn path(&self, outcome: &Outcome) -> String {
        format!("{}/{}/{}", self.row.group.name, self.row.workload.name, outcome.subject)
    }

    /// Judges ours by the goals of the row.
    pub(crate) fn goals(&self) -> Vec<Judged> {
        let (group, workload) = (self.row.group, self.row.workload);
        goals::judged(group.name, workload.name, workload.unit.label(), &self.outcomes)
    }

    /// Compares a subject with its earlier figures, if there are some.
    pub(crate) fn change(&self, outcome: &Outcome, against: Option<&Saved>) -> Option<Change> {
        let was = against?.figures(&self.path(outcome))?;
        judge::change(judge::summary(outcome)?, was)
    }
}

impl Results<'_> {
    /// Returns all figures, with their path and unit.
    pub(crate) fn figures(&self) -> impl Iterator<Item = (String, Unit, Summary)> {
        let rows = self.groups.iter().flat_map(|group| &group.rows);
        rows.flat_map(|row| {
            let unit = row.row.workload.unit;
            row.outcomes.iter().filter_map(move |outcome| {
                Some((row.path(outcome), unit, judge::summary(outcome)?))
            })
        })
    }

    /// Returns the goals of the rows that were measured, by the name of the row.
    pub(crate) fn goals(&self) -> impl Iterator<Item = (String, Judged)> {
        let rows = self.groups.iter().flat_map(|group| &group.rows);
        rows.flat_map(|row| {
            let name = format!("{}/{}", row.row.group.name, row.row.workload.name);
            row.goals().into_iter().map(move |goal| (name.clone(), goal))
        })
    }

    /// Returns the rows in which ours is worse than it was, with how much.
    pub(crate) fn regressions(&self) -> Vec<(String, Change)> {
        let rows = self.groups.iter().flat_map(|group| &group.rows);
        rows.filter_map(|row| {
            let ours = row.outcomes.iter().find(|outcome| outcome.subject == OURS)?;
            let change = row.change(ours, self.against.as_ref())?;
            (change.verdict == Verdict::Worse).then(|| (row.path(ours), change))
        })
        .collect()
    }

    /// Returns by how many percent the others have changed, in the median, though their code has not.
    pub(crate) fn drift(&self) -> Option<f64> {
        let rows = self.groups.iter().flat_map(|group| &group.rows);
        let changes: Vec<f64> = rows
            .filter(|row| matches!(row.row.workload.unit, Unit::Nanoseconds | Unit::Latency))
            .flat_map(|row| row.outcomes.iter().map(move |outcome| (row, outcome)))
            .filter(|(_, outcome)| outcome.subject != OURS)
            .filter_map(|(row, outcome)| Some(row.change(outcome, self.against.as_ref())?.percent))
            .collect();
        Some(crate::stats::summary(&changes)?.median)
    }
}

/// Small results for tests.
#[cfg(test)]
pub(crate) mod sample {
    use super::*;
    use crate::bench::Workload;
    use crate::rounds::Figures;

    pub(crate) const GROUP: Group = Group { name: "g", about: "a <group>", workloads: &[WORKLOAD] };
    pub(crate) const WORKLOAD: Workload =
        Workload { name: "w", about: "", unit: Unit::Nanoseconds, operations: 1, subjects: &[] };

    static ROW: Row = Row { group: &GROUP, workload: &WORKLOAD, subjects: Vec::new() };

    pub(crate) fn figures(median: f64) -> Summary {
        Summary {
            median,
            min: median / 2.0,
            max: median * 2.0,
            q1: median * 0.75,
            q3: median * 1.25,
            runs: 3,
        }
    }

    pub(crate) fn row(subjects: &[(&'static str, f64)]) -> RowResults<'static> {
        let outcome = |(subject, median): &(&'static str, f64)| Outcome {
            subject,
            figures: Figures::Measured(figures(*median)),
        };
        RowResults { row: &ROW, outcomes: subjects.iter().map(outcome).collect() }
    }

    /// A row of ours alone, for which there is a goal of 2500.
    pub(crate) fn row_with_goal(ours: f64) -> RowResults<'static> {
        const AIMED: Workload = Workload { name: "error", ..WORKLOAD };
        const RESTART: Group = Group { name: "restart", about: "", workloads: &[AIMED] };
        static ROW: Row = Row { group: &RESTART, workload: &AIMED, subjects: Vec::new() };
        RowResults { row: &ROW, ..row(&[(OURS, ours)]) }
    }

    pub(crate) fn results(subjects: &[(&'static str, f64)]) -> Results<'static> {
        let groups = vec![GroupResults { group: &GROUP, rows: vec![row(subjects)] }];
        Results { groups, against: None }
    }

    /// As if such a run had been kept.
    pub(crate) fn saved(subjects: &[(&'static str, f64)]) -> Saved {
        let figures =
            subjects.iter().map(|(name, median)| (format!("g/w/{name}"), figures(*median)));
        Saved::new("base", figures.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regressions_are_ours_and_drift_is_the_others() {
        let mut results = sample::results(&[(OURS, 300.0), ("tokio", 110.0), ("floor", 30.0)]);
        assert_eq!((results.regressions().len(), results.drift()), (0, None));
        results.against = Some(sample::saved(&[(OURS, 50.0), ("tokio", 100.0), ("floor", 20.0)]));
        let regressions = results.regressions();
        assert_eq!(regressions.len(), 1);
        assert_eq!((regressions[0].0.as_str(), regressions[0].1.percent), ("g/w/bastion", 500.0));
        // Between 10 and 50.
        assert_eq!(results.drift().map(f64::round), Some(30.0));
    }
}
