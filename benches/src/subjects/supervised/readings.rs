//! One measurement that fills several rows: what it tells beyond the row that asked is kept for the others.
//!
//! The rows are measured one after another with the same number of rounds, so each takes the figures of the same measurements.
//! A row that is measured without the others measures for itself.

use crate::bench::{Amount, Failure, Measured};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

/// Who measured, what, and how many of it.
type Key = (&'static str, &'static str, u32);

/// The figures that were not asked for yet, by the place of their row.
static KEPT: Mutex<BTreeMap<(Key, usize), VecDeque<u64>>> = Mutex::new(BTreeMap::new());

/// Returns the figure `which` of the next measurement: one that was made for another row, or one that is made now.
pub(crate) fn take<const N: usize>(
    key: Key,
    which: usize,
    measure: impl FnOnce() -> Result<[u64; N], Failure>,
) -> Measured {
    let lock = || KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let kept = lock().get_mut(&(key, which)).and_then(VecDeque::pop_front);
    if let Some(figure) = kept {
        return Ok(Amount(figure));
    }
    let figures = measure()?;
    let mut kept = lock();
    for (other, figure) in figures.into_iter().enumerate().filter(|(other, _)| *other != which) {
        kept.entry((key, other)).or_default().push_back(figure);
    }
    Ok(Amount(figures[which]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_takes_the_figures_of_the_same_measurements() {
        let key = ("a test", "of rows", 1);
        let measured = |first: u64| move || Ok([first, first + 1]);
        let never = || -> Result<[u64; 2], Failure> { Err(Failure::new("measured again")) };
        assert_eq!(take(key, 0, measured(10)), Ok(Amount(10)));
        assert_eq!(take(key, 0, measured(20)), Ok(Amount(20)));
        assert_eq!(take(key, 1, never), Ok(Amount(11)));
        assert_eq!(take(key, 1, never), Ok(Amount(21)));
        assert_eq!(take(key, 1, measured(30)), Ok(Amount(31)));
        assert_eq!(take(key, 0, never), Ok(Amount(30)));
        assert!(take(key, 0, never).is_err());
    }
}
