//! Who of a domain searches and who sleeps, and whom a push wakes: the decision.

use super::rules::{Rules, Sleepers, Trust};
use super::seats::Seat;
use std::cmp::Reverse;

/// The idle state of one domain.
#[derive(Clone, Debug, Default)]
pub(super) struct Idle {
    /// How many search, with those that are being woken.
    pub(super) searching: usize,
    /// Who sleeps, the last at the end.
    pub(super) sleepers: Vec<usize>,
    /// How many look into other domains.
    pub(super) remote_thieves: usize,
}

impl Idle {
    /// Says whether all workers of the domain have something to do.
    pub(super) fn is_busy(&self) -> bool {
        self.searching == 0 && self.sleepers.is_empty()
    }

    /// Returns which of the sleepers to wake for work that becomes visible `here`, as a place in the list. `busy` says how many threads
    /// of a core are busy.
    pub(super) fn nearest(
        &self,
        here: &Seat,
        seats: &[Seat],
        busy: &[usize],
        rules: &Rules,
    ) -> Option<usize> {
        let rank = |place: &usize| {
            let seat = &seats[self.sleepers[*place]];
            rank(here, seat, busy[seat.core] > 0, rules.sleepers)
        };
        (0..self.sleepers.len()).min_by_key(|place| (rank(place), Reverse(*place)))
    }
}

/// Returns how gladly a sleeper is woken: the less the better.
fn rank(here: &Seat, sleeper: &Seat, beside_busy: bool, by: Sleepers) -> u8 {
    let is_known = here.bound && sleeper.bound;
    let near = is_known && here.llc == sleeper.llc;
    let sibling = is_known && here.core == sleeper.core;
    let place =
        |order: [(bool, u8); 4]| order.iter().find(|(is_so, _)| *is_so).map_or(4, |one| one.1);
    match by {
        Sleepers::Last => 0,
        Sleepers::Near => place([(sibling, 1), (near, 0), (true, 2), (true, 2)]),
        Sleepers::NearIdle => {
            place([(near && !beside_busy, 0), (sibling, 1), (near, 2), (!beside_busy, 3)])
        }
        Sleepers::IdleCore => {
            place([(near && !beside_busy, 0), (!beside_busy, 1), (sibling, 2), (near, 3)])
        }
    }
}

/// Returns the domain where a push wakes a sleeper when all workers of its own are busy and so much waits there. None: all are busy
/// everywhere, or who searches already is enough.
pub(super) fn beyond(
    others: &[usize],
    domains: &[Idle],
    mut waiting: usize,
    rules: &Rules,
) -> Option<usize> {
    for other in others {
        let idle = &domains[*other];
        let able = idle.searching + idle.sleepers.len();
        match rules.trust {
            Trust::ForAsMany if idle.searching > 0 && waiting <= able => return None,
            Trust::ForAsMany if idle.searching > 0 => {
                waiting -= able;
                continue;
            }
            Trust::Content if idle.searching > 0 => return None,
            Trust::NextDomain if idle.searching > 0 => continue,
            _ => {}
        }
        if !idle.sleepers.is_empty() {
            return Some(*other);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::rules::{BASTION, named};
    use super::*;

    fn seat(core: usize, llc: usize) -> Seat {
        Seat { core, l2: core, llc, node: 0, domain: 0, bound: true }
    }

    #[test]
    fn the_nearest_idle_core_is_woken_first() {
        // Two threads a core, two cores a cache: the waker is the first one.
        let seats = std::array::from_fn::<Seat, 8, _>(|pu| seat(pu / 2, pu / 4));
        let woken = |sleepers: &[usize], busy: [usize; 4], rules: &Rules| {
            let idle = Idle { sleepers: sleepers.to_vec(), ..Idle::default() };
            idle.nearest(&seats[0], &seats, &busy, rules).map(|place| idle.sleepers[place])
        };
        let rules = ["idle-near", "idle-core", "last-sleeper"].map(|name| named(name).unwrap());
        let by_all = |sleepers: &[usize], busy: [usize; 4]| {
            [BASTION, rules[0], rules[1], rules[2]]
                .map(|rules| woken(sleepers, busy, &rules).unwrap())
        };
        assert_eq!(by_all(&[1, 2, 3, 4], [1, 0, 0, 0]), [3, 3, 3, 4], "the last of equals");
        assert_eq!(by_all(&[1, 2, 4], [1, 1, 0, 0]), [2, 1, 4, 4]);
        assert_eq!(by_all(&[1, 4, 6], [1, 1, 0, 1]), [1, 1, 4, 6], "the sibling");
        assert_eq!(by_all(&[4, 2, 6], [1, 1, 0, 1]), [2, 2, 4, 6]);
        assert_eq!(by_all(&[1, 6], [1, 1, 0, 1]), [1, 1, 1, 6]);
        assert_eq!(by_all(&[4, 6], [1, 1, 0, 1]), [6, 4, 4, 6]);
        assert_eq!(woken(&[], [1; 4], &BASTION), None);
        let anywhere = seats.map(|seat| Seat { bound: false, ..seat });
        let idle = Idle { sleepers: vec![2, 1, 4], ..Idle::default() };
        assert_eq!(idle.nearest(&anywhere[0], &anywhere, &[1, 0, 0, 0], &BASTION), Some(2));
    }

    #[test]
    fn a_push_goes_beyond_its_domain_by_the_distance() {
        let domain = |searching, sleepers: &[usize]| Idle {
            searching,
            sleepers: sleepers.to_vec(),
            remote_thieves: 0,
        };
        let domains = [domain(0, &[]), domain(0, &[]), domain(0, &[5]), domain(1, &[7])];
        let [next, content, no_trust] =
            ["next-domain", "content", "no-trust"].map(|name| named(name).unwrap());
        for rules in [BASTION, content, no_trust] {
            assert_eq!(beyond(&[1, 2, 3], &domains, 1, &rules), Some(2), "the nearest");
            assert_eq!(beyond(&[1], &domains, 9, &rules), None);
        }
        // Two are idle where somebody searches.
        for (waiting, ours) in [(0, None), (2, None), (3, Some(2))] {
            let rules = [BASTION, next, content, no_trust];
            let by_all = rules.map(|rules| beyond(&[1, 3, 2], &domains, waiting, &rules));
            assert_eq!(by_all, [ours, Some(2), None, Some(3)], "{waiting} wait");
        }
        assert_eq!(beyond(&[1, 3], &domains, 9, &BASTION), None);
        assert!(domains[1].is_busy() && !domains[2].is_busy() && !domains[3].is_busy());
    }
}
