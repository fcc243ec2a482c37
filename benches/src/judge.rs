//! What figures mean beside others: ratios, ranks, changes. Pure functions over plain data.

use crate::bench::{FLOOR, OURS};
use crate::rounds::{Figures, Outcome};
use crate::stats::Summary;

/// A smaller change is not worth a word, however steady the figures are.
const LEAST_CHANGE: f64 = 0.05;

/// A row's figure of ours, beside the best peer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Standing {
    pub(crate) peer: &'static str,
    /// Ours divided by the peer's: below one, ours is better.
    pub(crate) ratio: f64,
}

/// How a figure has changed since an earlier run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Change {
    pub(crate) was: f64,
    pub(crate) percent: f64,
    pub(crate) verdict: Verdict,
}

/// What a change is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The rounds of the two runs overlap, or it is too small.
    Noise,
    Better,
    Worse,
}

/// Returns the figures of an outcome that has some.
pub(crate) fn summary(outcome: &Outcome) -> Option<Summary> {
    match outcome.figures {
        Figures::Measured(summary) => Some(summary),
        _ => None,
    }
}

fn of(outcomes: &[Outcome], subject: &str) -> Option<Summary> {
    outcomes.iter().find(|outcome| outcome.subject == subject).and_then(summary)
}

/// Divides an outcome by ours; not ours by itself.
pub(crate) fn by_ours(outcome: &Outcome, outcomes: &[Outcome]) -> Option<f64> {
    by(outcome, outcomes, OURS)
}

/// Divides an outcome by the floor; not the floor by itself.
pub(crate) fn by_floor(outcome: &Outcome, outcomes: &[Outcome]) -> Option<f64> {
    by(outcome, outcomes, FLOOR)
}

fn by(outcome: &Outcome, outcomes: &[Outcome], whom: &str) -> Option<f64> {
    let whole = of(outcomes, whom).filter(|_| outcome.subject != whom)?;
    // A floor of nothing, of which nothing is a multiple.
    (whole.median > 0.0).then_some(summary(outcome)?.median / whole.median)
}

/// Says whether a peer pays less than ours. The floor is no peer.
pub(crate) fn is_better(outcome: &Outcome, outcomes: &[Outcome]) -> bool {
    outcome.subject != FLOOR && by_ours(outcome, outcomes).is_some_and(|ratio| ratio < 1.0)
}

/// Compares ours with the best peer of a row; `None` where one of them is missing.
pub(crate) fn standing(outcomes: &[Outcome]) -> Option<Standing> {
    let ours = of(outcomes, OURS)?;
    let peers = outcomes.iter().filter(|outcome| ![OURS, FLOOR].contains(&outcome.subject));
    let figures = peers.filter_map(|peer| Some((peer.subject, summary(peer)?.median)));
    let (peer, best) = figures.min_by(|(_, one), (_, other)| one.total_cmp(other))?;
    (best > 0.0).then_some(Standing { peer, ratio: ours.median / best })
}

/// Compares a figure with that of an earlier run. A change counts when every round of one run is beyond every round of the other.
///
/// Rejected: when the middle halves do not touch. Between runs of the same program on a busy machine that was so for every fifth
/// row, and this for every twentieth.
pub(crate) fn change(now: Summary, was: Summary) -> Option<Change> {
    if was.median <= 0.0 {
        return None;
    }
    let by = now.median / was.median - 1.0;
    let verdict = if by > LEAST_CHANGE && now.min > was.max {
        Verdict::Worse
    } else if by < -LEAST_CHANGE && now.max < was.min {
        Verdict::Better
    } else {
        Verdict::Noise
    };
    Some(Change { was: was.median, percent: by * 100.0, verdict })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(q1: f64, median: f64, q3: f64) -> Summary {
        Summary { median, min: q1 / 2.0, max: q3 * 2.0, q1, q3, runs: 5 }
    }

    fn measured(subject: &'static str, median: f64) -> Outcome {
        let figures = Figures::Measured(figures(median * 0.9, median, median * 1.1));
        Outcome { subject, figures }
    }

    #[test]
    fn ratios_are_to_the_other_only() {
        let row = [measured(OURS, 100.0), measured("slow", 250.0), measured(FLOOR, 40.0)];
        assert_eq!(row.each_ref().map(|one| by_ours(one, &row)), [None, Some(2.5), Some(0.4)]);
        assert_eq!(row.each_ref().map(|one| by_floor(one, &row)), [Some(2.5), Some(6.25), None]);
        assert_eq!(by_floor(&row[0], &row[..2]), None);
        let nothing = [measured(OURS, 100.0), measured(FLOOR, 0.0)];
        assert_eq!(by_floor(&nothing[0], &nothing), None);
    }

    #[test]
    fn the_best_peer_is_neither_ours_nor_the_floor() {
        let row = [measured(OURS, 100.0), measured("a", 250.0), measured("b", 80.0)];
        assert_eq!(standing(&row), Some(Standing { peer: "b", ratio: 1.25 }));
        assert_eq!(row.each_ref().map(|one| is_better(one, &row)), [false, false, true]);
        let floored = [measured(OURS, 100.0), measured(FLOOR, 10.0)];
        assert_eq!(standing(&floored), None);
        assert!(!is_better(&floored[1], &floored));
        assert_eq!(standing(&row[1..]), None);
    }

    #[test]
    fn a_change_is_beyond_both_spreads_and_not_tiny() {
        let from_to = |min, median, max| Summary { min, max, ..figures(median, median, median) };
        let verdict = |now, was| change(now, was).map(|change| change.verdict);
        let was = from_to(95.0, 100.0, 105.0);
        assert_eq!(verdict(from_to(106.0, 110.0, 112.0), was), Some(Verdict::Worse));
        assert_eq!(verdict(from_to(104.0, 110.0, 112.0), was), Some(Verdict::Noise));
        assert_eq!(verdict(from_to(80.0, 90.0, 94.0), was), Some(Verdict::Better));
        assert_eq!(verdict(from_to(80.0, 90.0, 96.0), was), Some(Verdict::Noise));
        let steady = from_to(100.0, 100.0, 100.0);
        assert_eq!(verdict(from_to(104.0, 104.0, 104.0), steady), Some(Verdict::Noise));
        assert_eq!(verdict(from_to(106.0, 106.0, 106.0), steady), Some(Verdict::Worse));
        assert_eq!(verdict(was, from_to(0.0, 0.0, 0.0)), None);
    }
}
