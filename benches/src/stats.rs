//! Figures of a subject over the rounds: pure functions over plain data.

use crate::bench::Amount;

/// What the rounds of one subject came to, per operation, in the unit of the workload.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Summary {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
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
    let (low, high) = (sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2]);
    Some(Summary { median: (low + high) / 2.0, min, max, runs: sorted.len() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_median_is_the_middle_or_between_the_two() {
        assert_eq!(summary(&[]), None);
        assert_eq!(summary(&[7.0]), Some(Summary { median: 7.0, min: 7.0, max: 7.0, runs: 1 }));
        assert_eq!(
            summary(&[9.0, 1.0, 2.0]),
            Some(Summary { median: 2.0, min: 1.0, max: 9.0, runs: 3 })
        );
        assert_eq!(summary(&[4.0, 1.0, 2.0, 9.0]).map(|summary| summary.median), Some(3.0));
    }

    #[test]
    fn an_amount_is_shared_out_among_the_operations() {
        assert_eq!(per_operation(Duration::from_micros(3).into(), 2), 1500.0);
        assert_eq!(per_operation(Amount(3), 0), 3.0);
    }
}
