//! The goals that this project has set itself for some rows, and whether they are met. Pure.

use crate::bench::{FLOOR, OURS};
use crate::judge;
use crate::rounds::Outcome;

/// A goal for ours in one row.
pub(crate) struct Goal {
    group: &'static str,
    workload: &'static str,
    limit: Limit,
}

/// What ours must not be above, in the unit of the row.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Limit {
    /// This figure.
    AtMost(f64),
    /// So many times the floor.
    TimesFloor(f64),
    /// The floor, and this.
    AboveFloor(f64),
}

const fn goal(group: &'static str, workload: &'static str, limit: Limit) -> Goal {
    Goal { group, workload, limit }
}

const MICROSECOND: f64 = 1_000.0;

/// All goals, for a machine of its own that is about as fast as a desktop of 2020.
const GOALS: &[Goal] = &[
    goal("restart", "error", Limit::AtMost(2.5 * MICROSECOND)),
    goal("restart", "panic", Limit::AtMost(5.0 * MICROSECOND)),
    goal("storm", "some-p99", Limit::AtMost(100.0 * MICROSECOND)),
    goal("supervise", "spawn-all", Limit::TimesFloor(1.2)),
    goal("supervise", "spawn-each", Limit::TimesFloor(1.2)),
    goal("supervise", "one-for-all", Limit::AtMost(50_000.0 * MICROSECOND)),
    goal("supervise", "counts", Limit::AboveFloor(MICROSECOND)),
    goal("supervised-memory", "supervisor", Limit::AtMost(128.0)),
];

impl Goal {
    /// Returns the goal of a row, if it has one.
    pub(crate) fn of(group: &str, workload: &str) -> Option<&'static Goal> {
        GOALS.iter().find(|goal| goal.group == group && goal.workload == workload)
    }

    /// Returns the goal in words.
    pub(crate) fn text(&self, unit: &str) -> String {
        match self.limit {
            Limit::AtMost(most) => format!("at most {most} {unit}"),
            Limit::TimesFloor(times) => format!("at most {times} x floor"),
            Limit::AboveFloor(more) => format!("at most {more} {unit} above the floor"),
        }
    }
}

/// What became of a goal.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Judged {
    /// The goal in words.
    pub(crate) text: String,
    /// What it comes to in this run.
    pub(crate) limit: f64,
    /// Ours divided by that: above 1, it is missed.
    pub(crate) times: f64,
}

impl Judged {
    pub(crate) fn is_met(&self) -> bool {
        self.times <= 1.0
    }

    /// Returns the goal, and how far it is away.
    pub(crate) fn line(&self) -> String {
        let verdict = if self.is_met() { "met" } else { "MISSED" };
        format!("goal: {}: {verdict}, {:.2} of it", self.text, self.times)
    }
}

/// Judges ours in a row; `None` where there is no goal, or ours or the floor that it is about was not measured.
pub(crate) fn judged(
    group: &str,
    workload: &str,
    unit: &str,
    outcomes: &[Outcome],
) -> Option<Judged> {
    let goal = Goal::of(group, workload)?;
    let median = |subject: &str| {
        let outcome = outcomes.iter().find(|outcome| outcome.subject == subject)?;
        Some(judge::summary(outcome)?.median)
    };
    let ours = median(OURS)?;
    let limit = match goal.limit {
        Limit::AtMost(most) => most,
        Limit::TimesFloor(times) => times * median(FLOOR)?,
        Limit::AboveFloor(more) => median(FLOOR)? + more,
    };
    (limit > 0.0).then(|| Judged { text: goal.text(unit), limit, times: ours / limit })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::groups::GROUPS;
    use crate::results::sample;

    fn judge(group: &str, workload: &str, figures: &[(&'static str, f64)]) -> Option<Judged> {
        judged(group, workload, "ns", &sample::row(figures).outcomes)
    }

    #[test]
    fn every_goal_is_for_a_row_that_has_what_it_needs() {
        for Goal { group, workload, limit } in GOALS {
            let rows = GROUPS.iter().filter(|one| one.name == *group).flat_map(|one| one.workloads);
            let row = rows.into_iter().find(|one| one.name == *workload).expect(workload);
            let has = |name: &str| row.subjects.iter().any(|subject| subject.name == name);
            let needs_floor = !matches!(limit, Limit::AtMost(_));
            assert!(has(OURS) && (!needs_floor || has(FLOOR)), "{group}/{workload}");
        }
    }

    #[test]
    fn a_goal_is_met_up_to_its_limit() {
        let met = judge("restart", "error", &[(OURS, 2500.0)]).unwrap();
        assert!(met.is_met());
        assert_eq!(met.line(), "goal: at most 2500 ns: met, 1.00 of it");
        let missed = judge("restart", "error", &[(OURS, 3125.0)]).unwrap();
        assert!(!missed.is_met());
        assert_eq!(missed.line(), "goal: at most 2500 ns: MISSED, 1.25 of it");
    }

    #[test]
    fn a_goal_above_the_floor_needs_the_floor() {
        let figures = [(OURS, 240.0), (FLOOR, 100.0)];
        let times = judge("supervise", "spawn-all", &figures).unwrap();
        assert_eq!((times.limit, times.times), (120.0, 2.0));
        let above = judge("supervise", "counts", &[(OURS, 550.0), (FLOOR, 100.0)]).unwrap();
        assert_eq!((above.limit, above.times), (1100.0, 0.5));
        assert_eq!(judge("supervise", "counts", &figures[..1]), None);
        assert_eq!(judge("supervise", "counts", &figures[1..]), None);
        assert_eq!(judge("spawn", "chained", &figures), None);
    }
}
