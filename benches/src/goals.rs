//! The goals that this project has set itself for some rows, and whether they are met. Pure.

use crate::bench::{FLOOR, OURS};
use crate::judge;
use crate::rounds::Outcome;

/// A goal for ours in one row, or in every row of a group.
pub(crate) struct Goal {
    group: &'static str,
    workload: &'static str,
    limit: Limit,
}

/// Stands for every workload of a group.
const EVERY: &str = "*";

/// What ours must not be above, in the unit of the row.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Limit {
    /// This figure.
    AtMost(f64),
    /// So many times the floor.
    TimesFloor(f64),
    /// The floor, and this.
    AboveFloor(f64),
    /// The best peer's figure, divided by this.
    OverBest(f64),
    /// The better figure of these peers, divided by this.
    Over(&'static [&'static str], f64),
}

const fn goal(group: &'static str, workload: &'static str, limit: Limit) -> Goal {
    Goal { group, workload, limit }
}

const MICROSECOND: f64 = 1_000.0;

/// What the actors of libraries that are about actors first have to be behind.
const HEAVY: &[&str] = &["ractor", "kameo"];

/// 700 MiB for a million.
const OF_A_MILLION: f64 = 734.0;

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
    goal("tell", "one-sender", Limit::AtMost(45.0)),
    goal("tell", "eight-senders", Limit::AtMost(70.0)),
    goal("tell", EVERY, Limit::OverBest(1.5)),
    goal("tell", EVERY, Limit::Over(HEAVY, 5.0)),
    goal("ask", "round-trip", Limit::AtMost(250.0)),
    goal("ask", EVERY, Limit::OverBest(1.5)),
    goal("ask", EVERY, Limit::Over(HEAVY, 5.0)),
    goal("dynamic", EVERY, Limit::TimesFloor(1.25)),
    goal("classic", EVERY, Limit::TimesFloor(1.25)),
    goal("ring", "hop", Limit::AtMost(90.0)),
    goal("ring", EVERY, Limit::OverBest(1.5)),
    goal("ring", EVERY, Limit::Over(HEAVY, 5.0)),
    goal("lifecycle", "spawn-ask-stop", Limit::AtMost(800.0)),
    goal("lifecycle", EVERY, Limit::OverBest(1.5)),
    goal("lifecycle", EVERY, Limit::Over(HEAVY, 5.0)),
    goal("actor-memory", "idle", Limit::AtMost(600.0)),
    goal("actor-memory", EVERY, Limit::OverBest(1.5)),
    goal("actor-memory", EVERY, Limit::Over(HEAVY, 5.0)),
    goal("savina", EVERY, Limit::OverBest(1.5)),
    goal("savina", EVERY, Limit::Over(&["ractor"], 5.0)),
    goal("million", "start", Limit::AtMost(2.0 * MICROSECOND)),
    goal("million", "stop", Limit::AtMost(2.0 * MICROSECOND)),
    goal("million", "bytes", Limit::AtMost(OF_A_MILLION)),
];

impl Goal {
    /// Returns the goals of a row.
    pub(crate) fn of(group: &str, workload: &str) -> impl Iterator<Item = &'static Goal> {
        let is_of = move |goal: &&Goal| {
            goal.group == group && (goal.workload == EVERY || goal.workload == workload)
        };
        GOALS.iter().filter(is_of)
    }

    /// Returns the goal in words.
    pub(crate) fn text(&self, unit: &str) -> String {
        match self.limit {
            Limit::AtMost(most) => format!("at most {most} {unit}"),
            Limit::TimesFloor(times) => format!("at most {times} x floor"),
            Limit::AboveFloor(more) => format!("at most {more} {unit} above the floor"),
            Limit::OverBest(times) => format!("{times} x as good as the best peer"),
            Limit::Over(peers, times) => format!("{times} x as good as {}", peers.join(" and ")),
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

/// Judges ours in a row, goal by goal. Left out is a goal about what was not measured, and all are where ours was not.
pub(crate) fn judged(group: &str, workload: &str, unit: &str, outcomes: &[Outcome]) -> Vec<Judged> {
    let median = |subject: &str| {
        let outcome = outcomes.iter().find(|outcome| outcome.subject == subject)?;
        Some(judge::summary(outcome)?.median)
    };
    let Some(ours) = median(OURS) else { return Vec::new() };
    let judge = |goal: &Goal| {
        let limit = match goal.limit {
            Limit::AtMost(most) => most,
            Limit::TimesFloor(times) => times * median(FLOOR)?,
            Limit::AboveFloor(more) => median(FLOOR)? + more,
            Limit::OverBest(times) => ours / judge::standing(outcomes)?.ratio / times,
            Limit::Over(peers, times) => {
                let figures = peers.iter().filter_map(|peer| median(peer));
                figures.min_by(f64::total_cmp)? / times
            }
        };
        (limit > 0.0).then(|| Judged { text: goal.text(unit), limit, times: ours / limit })
    };
    Goal::of(group, workload).filter_map(judge).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::Workload;
    use crate::groups::GROUPS;
    use crate::results::sample;

    fn judge(group: &str, workload: &str, figures: &[(&'static str, f64)]) -> Option<Judged> {
        judged(group, workload, "ns", &sample::row(figures).outcomes).into_iter().next()
    }

    #[test]
    fn every_goal_is_for_rows_that_have_what_it_needs() {
        for goal in GOALS {
            let group = GROUPS.iter().find(|group| group.name == goal.group).expect(goal.group);
            let rows = group.workloads.iter();
            let rows: Vec<&Workload> =
                rows.filter(|row| [EVERY, row.name].contains(&goal.workload)).collect();
            assert!(!rows.is_empty(), "{}/{}", goal.group, goal.workload);
            for row in rows {
                let has = |name: &str| row.subjects.iter().any(|subject| subject.name == name);
                let has_others = match goal.limit {
                    Limit::AtMost(_) => true,
                    Limit::TimesFloor(_) | Limit::AboveFloor(_) => has(FLOOR),
                    Limit::OverBest(_) => row.subjects.len() > 1,
                    Limit::Over(peers, _) => peers.iter().any(|peer| has(peer)),
                };
                assert!(has(OURS) && has_others, "{}/{}", goal.group, row.name);
            }
        }
    }

    #[test]
    fn peers_are_to_be_so_many_times_behind() {
        let figures = [(OURS, 50.0), ("tokio-mpsc", 60.0), ("actix", 300.0), ("ractor", 240.0)];
        let goals = judged("savina", "big", "ns", &sample::row(&figures).outcomes);
        let found: Vec<(f64, String)> =
            goals.iter().map(|goal| (goal.limit, goal.line())).collect();
        let best = "goal: 1.5 x as good as the best peer: MISSED, 1.25 of it";
        let heavy = "goal: 5 x as good as ractor: MISSED, 1.04 of it";
        assert_eq!(found, [(40.0, best.to_owned()), (48.0, heavy.to_owned())]);
        let alone = judged("savina", "big", "ns", &sample::row(&figures[..1]).outcomes);
        assert_eq!(alone, []);
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
