//! [`Losses`]: counts what is thrown away, and says when that is to be reported.

use std::sync::atomic::{
    AtomicU64,
    Ordering::{Relaxed, SeqCst},
    fence,
};

/// Messages of one place that were thrown away. They are reported at the first one, whenever their number has doubled, and at the end:
/// a flood is told in a few words, and still in time.
#[derive(Default)]
pub(crate) struct Losses {
    count: AtomicU64,
    reported: AtomicU64,
}

impl Losses {
    /// Counts one more. True: what was not reported yet is to be, unless there is nobody to tell.
    ///
    /// Either who counts one sees afterwards that the place is closed, or who has closed it, and calls [`at_the_end`](Losses::at_the_end), sees this one.
    pub(crate) fn add(&self) -> bool {
        let count = self.count.fetch_add(1, Relaxed) + 1;
        fence(SeqCst);
        count.is_power_of_two()
    }

    /// Returns how many were not reported yet; they are from now on.
    pub(crate) fn unreported(&self) -> usize {
        let count = self.count.load(Relaxed);
        count.saturating_sub(self.reported.fetch_max(count, Relaxed)) as usize
    }

    /// The same, by who has closed the place.
    pub(crate) fn at_the_end(&self) -> usize {
        fence(SeqCst);
        self.unreported()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_lost_is_reported_once_and_at_each_doubling() {
        let losses = Losses::default();
        let due: Vec<bool> = (0..5).map(|_| losses.add()).collect();
        assert_eq!(due, [true, true, false, true, false]);
        assert_eq!((losses.unreported(), losses.unreported()), (5, 0));
        losses.add();
        assert_eq!(losses.at_the_end(), 1);
    }
}
