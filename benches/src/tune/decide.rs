//! Whether one configuration is better than another: pure functions over samples.

use crate::stats;

/// A smaller gain is not worth a setting that somebody must know of.
const LEAST_GAIN: f64 = 0.02;

/// How rarely chance alone may give such a result.
const MOST_CHANCE: f64 = 0.01;

/// What rounds of two configurations in turn came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Decision {
    /// The part by which the challenger's figure is smaller, in the median of the rounds.
    pub(super) gain: f64,
    /// In how many rounds it was smaller.
    pub(super) wins: usize,
    pub(super) rounds: usize,
    /// How probable so many wins or more are if both are equally good.
    pub(super) chance: f64,
}

impl Decision {
    /// Says whether the challenger is better, beyond the noise.
    pub(super) fn is_better(self) -> bool {
        self.gain >= LEAST_GAIN && self.chance <= MOST_CHANCE
    }
}

/// Compares the figures of two configurations, round by round: the incumbent's, the challenger's. `None` without rounds.
///
/// What the machine does to a round it does to both, so only which of the two was smaller counts, not by how much: a sign test.
pub(super) fn decide(rounds: &[(f64, f64)]) -> Option<Decision> {
    let gains: Vec<f64> = rounds
        .iter()
        .filter(|(incumbent, _)| *incumbent > 0.0)
        .map(|(incumbent, challenger)| 1.0 - challenger / incumbent)
        .collect();
    let wins = gains.iter().filter(|gain| **gain > 0.0).count();
    let gain = stats::summary(&gains)?.median;
    Some(Decision { gain, wins, rounds: gains.len(), chance: chance(wins, gains.len()) })
}

/// Returns how probable at least so many heads are in so many throws of a coin.
fn chance(heads: usize, throws: usize) -> f64 {
    let mut ways = 1.0;
    let mut sum = 0.0;
    for many in 0..=throws {
        if many >= heads {
            sum += ways;
        }
        ways *= (throws - many) as f64 / (many + 1) as f64;
    }
    sum / 2_f64.powi(i32::try_from(throws).unwrap_or(i32::MAX))
}

/// Returns which candidates go on: the better half by their median, at least one, in their old order. Who has no sample is worst.
pub(super) fn better_half(samples: &[&[f64]]) -> Vec<usize> {
    let median = |index: usize| {
        stats::summary(samples[index]).map_or(f64::INFINITY, |summary| summary.median)
    };
    let mut places: Vec<usize> = (0..samples.len()).collect();
    places.sort_by(|one, other| median(*one).total_cmp(&median(*other)));
    places.truncate((samples.len() / 2).max(1));
    places.sort_unstable();
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(ratios: &[f64]) -> Decision {
        let rounds: Vec<(f64, f64)> = ratios.iter().map(|ratio| (50.0, 50.0 * ratio)).collect();
        decide(&rounds).expect("there are rounds")
    }

    #[test]
    fn chance_is_that_of_a_coin() {
        assert_eq!([0, 1, 2, 3].map(|heads| chance(heads, 3)), [1.0, 0.875, 0.5, 0.125]);
        assert_eq!(chance(0, 0), 1.0);
        assert!((chance(10, 11) - 12.0 / 2048.0).abs() < 1e-12);
    }

    #[test]
    fn better_is_more_often_and_by_enough() {
        assert!(of(&[0.9; 11]).is_better());
        assert!(!of(&[0.99; 11]).is_better(), "too little to be worth it");
        assert!(!of(&[0.9; 6]).is_better(), "six rounds can be chance");
        let ten_of_eleven = of(&[0.9, 0.8, 0.9, 0.9, 1.5, 0.9, 0.7, 0.9, 0.9, 0.9, 0.9]);
        assert!(ten_of_eleven.is_better());
        assert_eq!((ten_of_eleven.wins, ten_of_eleven.rounds), (10, 11));
        assert!((ten_of_eleven.gain - 0.1).abs() < 1e-12);
        let eight = of(&[0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 1.1, 1.1, 1.1]);
        assert!(!eight.is_better(), "much, but not often enough");
        assert!(!of(&[1.2; 11]).is_better());
        assert_eq!(decide(&[]), None);
    }

    #[test]
    fn the_same_for_both_is_no_win() {
        let same = of(&[1.0; 11]);
        assert_eq!((same.wins, same.gain, same.chance), (0, 0.0, 1.0));
    }

    #[test]
    fn the_better_half_goes_on() {
        let samples: [&[f64]; 5] = [&[5.0, 5.0], &[1.0, 9.0, 1.0], &[], &[2.0], &[7.0]];
        assert_eq!(better_half(&samples), [1, 3]);
        assert_eq!(better_half(&samples[..1]), [0]);
        assert_eq!(better_half(&[&[], &[3.0]]), [1]);
    }
}
