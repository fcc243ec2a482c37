//! Where spawned processes should run: on their parent's node while it has room, then on the nearest ones.

use super::{Executor, Rule, problem};
use crate::numa::facts::{Pattern, Spawned};

/// So many chains, and so many fans, in a hundred may have gone elsewhere. An emulated processor may stand still for longer than the
/// executor waits before it gives what lies behind a long poll to whoever is awake.
const STRAYS_PERCENT: usize = 10;

/// The rules, in the order in which they are told.
pub(super) const RULES: &[Rule] = &[
    ("spawning was watched on every node with workers", watched),
    ("processes one after the other stay on their node", chains),
    ("processes stay on their node while it has room", fans_with_room),
    ("beyond that the nearest nodes help first", fans_without_room),
    ("under load all nodes help", loads),
    ("processes that belong to a node never leave it", kept),
];

fn watched(executor: &Executor<'_>) -> Option<String> {
    let workers = executor.workers_by_node();
    let unseen = (0..workers.len()).filter(|node| workers[*node] > 0).find_map(|node| {
        let of_node = |spawned: &&&Spawned| home(executor, spawned) == Some(node);
        let patterns = [Pattern::Chain, Pattern::Fan, Pattern::Load, Pattern::Kept];
        let seen = |pattern| {
            executor.spawned.iter().filter(of_node).any(|spawned| spawned.pattern == pattern)
        };
        let missing = patterns.into_iter().find(|pattern| !seen(*pattern))?;
        Some(format!("node {node}: no {missing:?}"))
    });
    unseen.or_else(|| workers.iter().all(|count| *count == 0).then(|| "no workers".to_owned()))
}

fn chains(executor: &Executor<'_>) -> Option<String> {
    let (wrong, all) = look(executor, Pattern::Chain, |_| true, |spawning| spawning.stayed());
    beyond_strays(&wrong, all)
}

fn fans_with_room(executor: &Executor<'_>) -> Option<String> {
    let stayed = |spawning: &Spawning<'_>| spawning.stayed();
    let (wrong, all) = look(executor, Pattern::Fan, |spawning| spawning.has_room(), stayed);
    beyond_strays(&wrong, all)
}

fn fans_without_room(executor: &Executor<'_>) -> Option<String> {
    let nearest_first = |spawning: &Spawning<'_>| spawning.nearest_first(executor.machine.distance);
    let (wrong, all) = look(executor, Pattern::Fan, |spawning| !spawning.has_room(), nearest_first);
    beyond_strays(&wrong, all)
}

fn beyond_strays(wrong: &[String], all: usize) -> Option<String> {
    if wrong.len() * 100 > all * STRAYS_PERCENT { problem(wrong, all) } else { None }
}

fn loads(executor: &Executor<'_>) -> Option<String> {
    let all_helped = |Spawning { workers, ran, .. }: &Spawning<'_>| {
        workers.iter().zip(*ran).all(|(workers, ran)| *workers == 0 || *ran > 0)
    };
    let (wrong, all) = look(executor, Pattern::Load, |_| true, all_helped);
    problem(&wrong, all)
}

fn kept(executor: &Executor<'_>) -> Option<String> {
    let (wrong, all) = look(executor, Pattern::Kept, |_| true, |spawning| spawning.stayed());
    problem(&wrong, all)
}

/// One time that processes were spawned.
struct Spawning<'a> {
    /// The node of their parent.
    home: usize,
    /// How many workers each node has.
    workers: &'a [usize],
    /// How many of the processes began on each node.
    ran: &'a [usize],
}

impl Spawning<'_> {
    fn has_room(&self) -> bool {
        sum(self.ran) <= self.workers[self.home]
    }

    fn stayed(&self) -> bool {
        sum(self.ran) == self.ran[self.home]
    }

    /// Says whether each node that helps is the nearest with room to one without: the parent's, or another that helps.
    fn nearest_first(&self, distance: &[&[u32]]) -> bool {
        let nodes = 0..self.ran.len();
        let is_full = |node: usize| self.ran[node] == self.workers[node];
        // Nothing is nearer to a node than itself, so it is full too.
        let is_nearest = |helper: usize, of: usize| {
            let is_nearer = |node: &usize| distance[of][*node] < distance[of][helper];
            nodes.clone().filter(is_nearer).all(is_full)
        };
        let helps =
            |of: usize, helper: usize| of != helper && self.ran[of] > 0 && is_nearest(helper, of);
        let mut helpers = nodes.clone().filter(|node| *node != self.home && self.ran[*node] > 0);
        helpers.all(|helper| nodes.clone().any(|of| helps(of, helper)))
    }
}

/// Looks at each time that processes were spawned in this pattern and under this condition. Returns those that were not right, in words, and
/// how many there were.
fn look(
    executor: &Executor<'_>,
    pattern: Pattern,
    condition: impl Fn(&Spawning<'_>) -> bool,
    right: impl Fn(&Spawning<'_>) -> bool,
) -> (Vec<String>, usize) {
    let workers = executor.workers_by_node();
    let (mut all, mut wrong) = (0, Vec::new());
    for spawned in executor.spawned.iter().filter(|spawned| spawned.pattern == pattern) {
        let Some(home) = home(executor, spawned) else { continue };
        let ran = by_node(executor, spawned);
        let spawning = Spawning { home, workers: &workers, ran: &ran };
        if condition(&spawning) {
            all += 1;
            if !right(&spawning) {
                wrong.push(format!("from node {home}, {} ran on the nodes {ran:?}", sum(&ran)));
            }
        }
    }
    (wrong, all)
}

fn home(executor: &Executor<'_>, spawned: &Spawned) -> Option<usize> {
    executor.machine.node_of(spawned.home).map(|node| node as usize)
}

/// Returns how many of the processes began on each node.
fn by_node(executor: &Executor<'_>, spawned: &Spawned) -> Vec<usize> {
    let mut count = vec![0; executor.machine.nodes.len()];
    for (cpu, ran) in &spawned.ran {
        if let Some(node) = executor.machine.node_of(*cpu) {
            count[node as usize] += *ran as usize;
        }
    }
    count
}

fn sum(counts: &[usize]) -> usize {
    counts.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numa::facts::{Fact, Said, Worker};
    use crate::numa::machine::MACHINES;

    const NAME: &str = "per-node/8";

    /// Two workers on each of these nodes.
    fn workers(nodes: &[u32]) -> impl Iterator<Item = Fact> {
        nodes.iter().flat_map(|node| [node * 2, node * 2 + 1]).map(|cpu| {
            Fact::Worker(Worker {
                executor: NAME.to_owned(),
                index: cpu as usize,
                asked: vec![cpu],
                affinity: vec![cpu],
                cpu,
                stack: None,
                touched: None,
                said: Said { node: None, allowed: vec![], stack: None, memory: None },
            })
        })
    }

    fn spawned(pattern: Pattern, node: u32, ran: [u32; 4]) -> Fact {
        let executor = NAME.to_owned();
        let ran = (0..).step_by(2).zip(ran).filter(|(_, count)| *count > 0).collect();
        Fact::Spawned(Spawned { executor, pattern, home: node * 2, ran })
    }

    /// Checks which rules are broken on four nodes in a row, by their place in the list.
    fn check(given: impl IntoIterator<Item = Fact>, broken: &[usize]) {
        check_on(&[0, 1, 2, 3], given, broken);
    }

    /// The same where only these nodes have workers.
    fn check_on(nodes: &[u32], given: impl IntoIterator<Item = Fact>, broken: &[usize]) {
        let facts: Vec<Fact> = workers(nodes).chain(given).collect();
        let machine = MACHINES.iter().find(|machine| machine.name == "four").expect("it is there");
        let executor = Executor::new(machine, NAME, &facts);
        let problems: Vec<_> = RULES.iter().map(|(_, problem)| problem(&executor)).collect();
        let found: Vec<_> = (0..RULES.len()).filter(|rule| problems[*rule].is_some()).collect();
        assert_eq!(found, broken, "{problems:#?}");
    }

    /// All that is watched, with one fan of each kind in the place of another.
    fn with_fan(node: u32, ran: [u32; 4]) -> Vec<Fact> {
        let load = [1, 1, 1, 1];
        let alone = |node| std::array::from_fn(|other| u32::from(other == node));
        let watched = (0..4).flat_map(|home: u32| {
            let alone = alone(home as usize);
            let fan = if home == node { ran } else { alone };
            let ran = [alone, load, fan, alone];
            let patterns = [Pattern::Chain, Pattern::Load, Pattern::Fan, Pattern::Kept];
            patterns.into_iter().zip(ran).map(move |(pattern, ran)| spawned(pattern, home, ran))
        });
        watched.collect()
    }

    #[test]
    fn fans_stay_while_there_is_room_and_then_go_to_the_nearest() {
        for (node, ran, broken) in [
            (0, [1, 0, 0, 0], None),
            (0, [2, 0, 0, 0], None),
            (0, [1, 1, 0, 0], Some(2)),
            (1, [0, 2, 0, 0], None),
            (0, [2, 1, 0, 0], None),
            (0, [2, 0, 1, 0], Some(3)),
            (0, [2, 2, 1, 0], None),
            (0, [2, 1, 1, 0], Some(3)),
            (0, [2, 0, 2, 0], Some(3)),
            (0, [1, 2, 0, 0], Some(3)),
            // Nodes at the same distance help in any order.
            (1, [1, 2, 0, 0], None),
            (1, [0, 2, 1, 0], None),
            (1, [0, 2, 0, 1], Some(3)),
            // Who helps may be helped by those that are near to it.
            (2, [1, 2, 2, 0], None),
            (2, [1, 1, 2, 0], Some(3)),
            (0, [2, 2, 0, 1], Some(3)),
            (3, [2, 2, 2, 2], None),
        ] {
            check(with_fan(node, ran), broken.as_slice());
        }
    }

    #[test]
    fn a_node_without_workers_neither_helps_nor_hands_on() {
        let nodes = [0, 2, 3];
        check_on(&nodes, with_fan(3, [0, 0, 1, 2]), &[]);
        check_on(&nodes, with_fan(3, [1, 0, 0, 2]), &[3]);
        let load = spawned(Pattern::Load, 0, [9, 0, 9, 9]);
        check_on(&nodes, with_fan(0, [1, 0, 0, 0]).into_iter().chain([load]), &[]);
    }

    #[test]
    fn one_in_ten_may_stray() {
        let fans = |right, wrong| {
            let right = (0..right).map(|_| spawned(Pattern::Fan, 0, [1, 0, 0, 0]));
            let wrong = (0..wrong).map(|_| spawned(Pattern::Fan, 0, [0, 1, 0, 0]));
            // The four that are always watched are right too.
            with_fan(0, [1, 0, 0, 0]).into_iter().chain(right.chain(wrong)).collect::<Vec<_>>()
        };
        check(fans(5, 1), &[]);
        check(fans(4, 1), &[2]);
        let chains = |right, wrong| {
            let right = (0..right).map(|_| spawned(Pattern::Chain, 0, [9, 0, 0, 0]));
            let wrong = (0..wrong).map(|_| spawned(Pattern::Chain, 0, [1, 8, 0, 0]));
            with_fan(0, [1, 0, 0, 0]).into_iter().chain(right.chain(wrong)).collect::<Vec<_>>()
        };
        check(chains(5, 1), &[]);
        check(chains(4, 1), &[1]);
    }

    #[test]
    fn what_is_not_watched_is_not_passed() {
        check([], &[0]);
        let without = |pattern| {
            let mut facts = with_fan(0, [1, 0, 0, 0]);
            facts.retain(
                |fact| !matches!(fact, Fact::Spawned(s) if s.home == 2 && s.pattern == pattern),
            );
            facts
        };
        check(without(Pattern::Chain), &[0]);
        check(without(Pattern::Fan), &[0]);
        check(without(Pattern::Load), &[0]);
        check(without(Pattern::Kept), &[0]);
    }

    #[test]
    fn what_leaves_its_node_and_a_node_that_does_not_help_are_found() {
        let with = |fact| with_fan(0, [1, 0, 0, 0]).into_iter().chain([fact]).collect::<Vec<_>>();
        check(with(spawned(Pattern::Chain, 2, [0, 1, 99, 0])), &[1]);
        check(with(spawned(Pattern::Load, 2, [9, 9, 9, 0])), &[4]);
        check(with(spawned(Pattern::Kept, 2, [0, 0, 99, 1])), &[5]);
    }
}
