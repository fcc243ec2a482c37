//! When the plan has to be woken: a heap of points in time. Knows no clock.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::time::Time;
use crate::pid::Pid;

/// How many entries more than children are borne before stale ones are swept out.
const SLACK: usize = 64;

/// The timers of all children, at most one live timer for each.
///
/// Nothing is ever searched in the heap. An entry is live as long as its child's state still names
/// that time; entries that are not are stale, and are dropped when they come to the top, or all at
/// once when they outnumber the children.
#[derive(Debug, Default)]
pub(super) struct Timers {
    heap: BinaryHeap<Reverse<(Time, Pid)>>,
}

impl Timers {
    /// Adds a timer.
    pub(super) fn arm(&mut self, at: Time, pid: Pid) {
        self.heap.push(Reverse((at, pid)));
    }

    /// Returns the earliest timer. Exact only after [`Timers::drop_stale`].
    pub(super) fn next(&self) -> Option<Time> {
        self.heap.peek().map(|&Reverse((at, _))| at)
    }

    /// Takes the earliest live timer that is due.
    pub(super) fn pop_due(
        &mut self,
        now: Time,
        is_live: impl Fn(Time, Pid) -> bool,
    ) -> Option<Pid> {
        while let Some(&Reverse((at, pid))) = self.heap.peek() {
            let live = is_live(at, pid);
            if live && at > now {
                return None;
            }
            self.heap.pop();
            if live {
                return Some(pid);
            }
        }
        None
    }

    /// Drops stale timers, so that [`Timers::next`] is a live one and the heap stays in
    /// proportion to the number of `children`.
    pub(super) fn drop_stale(&mut self, children: usize, is_live: impl Fn(Time, Pid) -> bool) {
        if self.heap.len() > 2 * children + SLACK {
            self.heap.retain(|&Reverse((at, pid))| is_live(at, pid));
        }
        while self.heap.peek().is_some_and(|&Reverse((at, pid))| !is_live(at, pid)) {
            self.heap.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn at(seconds: u64) -> Time {
        Time::from_duration(Duration::from_secs(seconds))
    }

    #[test]
    fn stale_timers_neither_fire_nor_show_nor_pile_up() {
        let mut timers = Timers::default();
        let live = |time: Time, _| time.as_duration().as_secs().is_multiple_of(2);
        for second in [1, 3, 4, 2, 9] {
            timers.arm(at(second), Pid::new(0, 0));
        }
        timers.drop_stale(1, live);
        assert_eq!(timers.next(), Some(at(2)));
        assert_eq!(timers.pop_due(at(1), live), None);
        assert_eq!(timers.pop_due(at(3), live), Some(Pid::new(0, 0)));
        assert_eq!(timers.pop_due(at(3), live), None);
        for second in 0..1000 {
            timers.arm(at(2 * second + 101), Pid::new(0, 0));
        }
        timers.drop_stale(1, live);
        assert_eq!(timers.heap.len(), 1);
        assert_eq!(timers.next(), Some(at(4)));
    }
}
