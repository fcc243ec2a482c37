//! Whom a push wakes, by who sleeps and who searches. Nobody runs here.

use super::*;

/// Workers on three nodes, each of two caches with two cores of two threads: eight workers a node. Node 0 is nearest to node 1, node 1 to
/// node 2, and node 2 to node 1.
fn idle() -> Idle {
    let seat = |worker: usize| Seat { domain: worker / 8, core: Some((worker / 2, worker / 4)) };
    let seats: Vec<Seat> = (0..24).map(seat).collect();
    Idle::new(&seats, &[vec![1, 2], vec![2, 0], vec![1, 0]])
}

impl Idle {
    /// Has a worker announce that it sleeps.
    fn lay_down(&self, worker: usize) {
        let domain = self.domain_of(worker);
        lock(&domain.sleepers).push(worker);
        domain.word.fetch_add(SLEEPING, SeqCst);
        self.asleep.fetch_add(1, SeqCst);
    }

    /// Who has been woken since this was asked.
    fn woken(&self) -> Vec<usize> {
        (0..self.places.len()).filter(|worker| self.is_woken(*worker)).collect()
    }
}

/// Checks whom a push in node 0 wakes, by worker 0 there, where so much waits.
fn check(asleep: &[usize], searching: &[usize], waiting: usize, expected: &[usize]) {
    let idle = idle();
    searching.iter().for_each(|worker| assert!(idle.start_searching(*worker)));
    asleep.iter().for_each(|worker| idle.lay_down(*worker));
    let has_woken = idle.notify(0, Some(0), || waiting);
    let case = format!("{asleep:?} sleep, {searching:?} search, {waiting} wait");
    assert_eq!((has_woken, idle.woken()), (!expected.is_empty(), expected.to_vec()), "{case}");
    assert_eq!(idle.sleeping(), asleep.len() - expected.len(), "{case}");
}

#[test]
fn the_most_welcome_of_the_node_is_woken() {
    check(&[1, 2, 3, 4, 5, 6], &[], 1, &[3]);
    check(&[3, 2, 6], &[], 1, &[2]);
    // The other thread of its own core before another cache.
    check(&[1, 4, 6], &[], 1, &[1]);
    check(&[4, 6, 5], &[], 1, &[5]);
    check(&[], &[], 1, &[]);
}

#[test]
fn one_who_searches_in_the_node_is_enough() {
    check(&[1, 2, 3, 9], &[5], 100, &[]);
}

#[test]
fn other_nodes_are_woken_only_if_all_of_the_own_are_busy_the_nearest_first() {
    check(&[7, 9, 17], &[], 100, &[7]);
    check(&[17, 9, 10], &[], 1, &[10]);
    check(&[17, 18], &[], 1, &[18]);
}

#[test]
fn where_somebody_is_on_the_way_the_next_node_is_woken_only_for_more_than_those_can_do() {
    check(&[9, 10, 17], &[8], 3, &[]);
    check(&[9, 10, 17], &[8], 4, &[17]);
    check(&[17], &[8], 1, &[]);
    check(&[17], &[8], 2, &[17]);
    check(&[], &[8, 16], 100, &[]);
}

#[test]
fn who_passes_work_on_that_is_not_its_own_finds_a_sleeper_behind_busy_nodes() {
    let idle = idle();
    idle.lay_down(3);
    // From node 2: node 1 is busy.
    assert!(idle.notify(2, Some(16), || 0));
    assert_eq!(idle.woken(), [3]);
}

#[test]
fn what_only_one_node_may_do_wakes_no_other() {
    let idle = idle();
    idle.lay_down(9);
    assert!(!idle.notify_only(0, Some(0)));
    idle.lay_down(4);
    assert!(idle.notify_only(0, Some(0)));
    assert_eq!(idle.woken(), [4]);
}

#[test]
fn at_most_half_of_a_node_searches() {
    let idle = idle();
    assert!((8..12).all(|worker| idle.start_searching(worker)));
    assert!(!idle.start_searching(12) && idle.start_searching(0));
    assert!(!idle.stop_searching(8) && idle.start_searching(12));
    let last = [9, 10, 11, 12].map(|worker| idle.stop_searching(worker));
    assert_eq!(last, [false, false, false, true]);
}
