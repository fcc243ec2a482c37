//! What happens when: events in the order of virtual time, and at the same time in the order in which they were noted down.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Something that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Event {
    /// The next thing comes from outside.
    Arrival(usize),
    /// A worker has done a poll, unless it has been slowed down or sped up since: then its turn has another number.
    Polled { worker: usize, turn: u64 },
    /// A worker that searches has looked.
    Looked(usize),
    /// A worker that was woken runs.
    Awake(usize),
}

#[derive(Debug, Default)]
pub(super) struct Calendar {
    events: BinaryHeap<Reverse<(u64, u64, Event)>>,
    noted: u64,
    pub(super) now: u64,
}

impl Calendar {
    pub(super) fn note(&mut self, after_ns: u64, event: Event) {
        self.noted += 1;
        self.events.push(Reverse((self.now + after_ns, self.noted, event)));
    }

    /// Goes on to the next event.
    pub(super) fn next(&mut self) -> Option<Event> {
        let Reverse((at, _, event)) = self.events.pop()?;
        self.now = at;
        Some(event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_by_time_and_then_as_they_were_noted() {
        let mut calendar = Calendar::default();
        for (after, worker) in [(5, 0), (3, 2), (5, 1), (0, 3)] {
            calendar.note(after, Event::Awake(worker));
        }
        let mut order = Vec::new();
        while let Some(event) = calendar.next() {
            order.push((calendar.now, event));
        }
        let expected = [(0, 3), (3, 2), (5, 0), (5, 1)].map(|(at, one)| (at, Event::Awake(one)));
        assert_eq!(order, expected);
    }
}
