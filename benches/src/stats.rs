//! Figures of a subject over the rounds: pure functions over plain data.

use crate::bench::Amount;

/// What the rounds of one subject came to, per operation, in the unit of the workload.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Summary {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    /// A quarter of the rounds is below.
    pub(crate) q1: f64,
    /// A quarter of the rounds is above.
    pub(crate) q3: f64,
    pub(crate) runs: usize,
}

/// Returns the share of one operation.
pub(crate) fn per_operation(amount: Amount, operations: u32) -> f64 {
    amount.0 as f64 / f64::from(operations.max(1))
}

/// Sums the samples up; `None` when there are none.
pub(crate) fn summary(samples: &[f64]) -> Option<Summary> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (min, max) = (*sorted.first()?, *sorted.last()?);
    let [q1, median, q3] = [1, 2, 3].map(|quarters| at_quarter(&sorted, quarters));
    Some(Summary { median, min, max, q1, q3, runs: sorted.len() })
}

/// Returns what is so many quarters up the sorted samples, or between the two that are nearest.
fn at_quarter(sorted: &[f64], quarters: usize) -> f64 {
    let place = (sorted.len() - 1) * quarters;
    let (below, part) = (place / 4, (place % 4) as f64 / 4.0);
    let above = sorted[(below + 1).min(sorted.len() - 1)];
    sorted[below] + (above - sorted[below]) * part
}

/// Returns the mean of ratios, or of figures of different sizes; `None` when there are none or one is not positive.
pub(crate) fn geometric_mean(figures: &[f64]) -> Option<f64> {
    if figures.is_empty() || figures.iter().any(|figure| *figure <= 0.0) {
        return None;
    }
    let logs: f64 = figures.iter().map(|figure| figure.ln()).sum();
    Some((logs / figures.len() as f64).exp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_median_and_the_quarters_are_samples_or_between_two() {
        assert_eq!(summary(&[]), None);
        let figures = |samples: &[f64]| {
            let Summary { median, min, max, q1, q3, runs } = summary(samples)?;
            Some((min, q1, median, q3, max, runs))
        };
        assert_eq!(figures(&[7.0]), Some((7.0, 7.0, 7.0, 7.0, 7.0, 1)));
        assert_eq!(figures(&[9.0, 1.0, 2.0]), Some((1.0, 1.5, 2.0, 5.5, 9.0, 3)));
        assert_eq!(figures(&[4.0, 1.0, 2.0, 9.0]), Some((1.0, 1.75, 3.0, 5.25, 9.0, 4)));
        assert_eq!(figures(&[5.0, 4.0, 3.0, 2.0, 1.0]), Some((1.0, 2.0, 3.0, 4.0, 5.0, 5)));
    }

    #[test]
    fn an_amount_is_shared_out_among_the_operations() {
        assert_eq!(per_operation(Duration::from_micros(3).into(), 2), 1500.0);
        assert_eq!(per_operation(Amount(3), 0), 3.0);
    }

    #[test]
    fn the_mean_of_ratios_takes_half_and_double_as_one() {
        assert_eq!(geometric_mean(&[0.5, 2.0]), Some(1.0));
        assert_eq!(geometric_mean(&[]), None);
        assert_eq!(geometric_mean(&[1.0, 0.0]), None);
    }
}
