//! What should be so on a machine, beside what the guest has seen there. Pure: a machine and facts in, verdicts out.

mod spawning;
mod topology;
mod workers;

use super::facts::{Fact, Spawned, Worker};
use super::machine::Machine;

/// One thing that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Check {
    /// Of whom: the topology, or an executor.
    pub(super) subject: String,
    /// What should be so.
    pub(super) rule: &'static str,
    /// What is not, with an example; `None` if all is as it should be.
    pub(super) problem: Option<String>,
}

/// Judges all facts of a machine.
pub(super) fn judge(machine: &Machine, facts: &[Fact]) -> Vec<Check> {
    let mut checks = topology::judge(machine, facts);
    for name in executors(facts) {
        let executor = Executor::new(machine, name, facts);
        let rules = workers::RULES.iter().chain(spawning::RULES);
        checks.extend(rules.map(|(rule, problem)| Check {
            subject: name.to_owned(),
            rule,
            problem: problem(&executor),
        }));
    }
    checks.push(complete(facts));
    let broken = facts.iter().filter_map(|fact| match fact {
        Fact::Broken(what) => Some(what.clone()),
        _ => None,
    });
    checks.extend(broken.map(|what| Check {
        subject: "guest".to_owned(),
        rule: "everything can be measured",
        problem: Some(what),
    }));
    checks
}

/// The placements that are to be measured, by their names.
const PLACEMENTS: [&str; 4] = ["per-node", "numa-balanced", "compact", "spread"];

fn complete(facts: &[Fact]) -> Check {
    let seen = executors(facts);
    let is_seen =
        |placement: &str| seen.iter().any(|name| name.split('/').next() == Some(placement));
    let missing = PLACEMENTS.into_iter().find(|placement| !is_seen(placement));
    Check {
        subject: "guest".to_owned(),
        rule: "every placement is measured",
        problem: missing.map(|placement| format!("there is nothing of {placement}")),
    }
}

/// A rule for executors, and what finds a problem with it.
type Rule = (&'static str, fn(&Executor<'_>) -> Option<String>);

/// What was seen of one executor.
struct Executor<'a> {
    machine: &'a Machine,
    /// Its placement.
    policy: &'a str,
    /// How many workers it was made with.
    size: usize,
    workers: Vec<&'a Worker>,
    spawned: Vec<&'a Spawned>,
}

impl<'a> Executor<'a> {
    fn new(machine: &'a Machine, name: &'a str, facts: &'a [Fact]) -> Self {
        let (policy, size) = name.split_once('/').unwrap_or((name, ""));
        let workers = facts.iter().filter_map(|fact| match fact {
            Fact::Worker(worker) if worker.executor == name => Some(worker),
            _ => None,
        });
        let spawned = facts.iter().filter_map(|fact| match fact {
            Fact::Spawned(spawned) if spawned.executor == name => Some(spawned),
            _ => None,
        });
        let size = size.parse().unwrap_or(0);
        Executor { machine, policy, size, workers: workers.collect(), spawned: spawned.collect() }
    }

    /// Returns the node that a worker was planned for: that of its PUs.
    fn home_of(&self, worker: &Worker) -> Option<u32> {
        self.machine.node_of(*worker.asked.first()?)
    }

    /// Returns how many workers were planned for each node of the machine.
    fn workers_by_node(&self) -> Vec<usize> {
        let mut count = vec![0; self.machine.nodes.len()];
        for node in self.workers.iter().filter_map(|worker| self.home_of(worker)) {
            count[node as usize] += 1;
        }
        count
    }
}

/// Returns the names of the executors that there are facts of, each once.
pub(super) fn executors(facts: &[Fact]) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for fact in facts {
        let name = match fact {
            Fact::Worker(worker) => &*worker.executor,
            Fact::Spawned(spawned) => &*spawned.executor,
            _ => continue,
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// Says how many of how many are not as they should be, with the first as the example; `None` if there are none.
fn problem(wrong: &[String], all: usize) -> Option<String> {
    let first = wrong.first()?;
    Some(format!("{} of {all}: {first}", wrong.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numa::facts::Pattern;
    use crate::numa::machine::MACHINES;

    #[test]
    fn what_is_missing_or_broken_is_a_problem() {
        let fan = |placement: &&str| {
            Fact::Spawned(Spawned {
                executor: format!("{placement}/2"),
                pattern: Pattern::Fan,
                home: 0,
                ran: [(0, 1)].into(),
            })
        };
        let of_guest = |facts: &[Fact]| {
            let checks = judge(&MACHINES[0], facts);
            let of_guest = checks.into_iter().filter(|check| check.subject == "guest");
            of_guest.filter_map(|check| check.problem).collect::<Vec<_>>()
        };
        let mut facts: Vec<Fact> = PLACEMENTS.iter().map(fan).collect();
        assert_eq!(executors(&facts).len(), 4);
        assert!(of_guest(&facts).is_empty());
        facts.push(Fact::Broken("no page map".to_owned()));
        assert_eq!(of_guest(&facts), ["no page map"]);
        facts.remove(3);
        assert_eq!(of_guest(&facts), ["there is nothing of spread", "no page map"]);
    }
}
