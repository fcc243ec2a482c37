//! What is compared: every workload on every machine under each order.

use super::costs::Costs;
use super::rules::{BASTION, Rules};
use super::seats::Seats;
use super::sim::Sim;
use super::tally::Tally;
use super::workloads::{Kind, Shape, WORKLOADS};
use bastion_executor::placement::{Plan, Request};
use bastion_executor::{Placement, Topology};

/// The machines that are simulated when nobody says which.
const MACHINES: [(&str, &str); 5] = [
    ("laptop, 8 PUs", "l3:1 core:4 pu:2"),
    ("2 nodes x 32", "pack:2 node:1 l3:1 core:16 pu:2 distance:10,21/21,10"),
    (
        "2 packages x 4 nodes x 16",
        "pack:2 node:4 l3:2 core:4 pu:2 distance:\
         10,12,12,12,32,32,32,32/12,10,12,12,32,32,32,32/12,12,10,12,32,32,32,32/12,12,12,10,32,32,32,32/\
         32,32,32,32,10,12,12,12/32,32,32,32,12,10,12,12/32,32,32,32,12,12,10,12/32,32,32,32,12,12,12,10",
    ),
    (
        "4 unequal nodes x 16",
        "pack:4 node:1 l3:1 core:8 pu:2 distance:10,16,21,31/16,10,31,21/21,31,10,16/31,21,16,10",
    ),
    (
        "8 nodes x 64",
        "pack:8 node:1 l3:1 core:32 pu:2 distance:\
         10,16,21,21,31,31,31,31/16,10,21,21,31,31,31,31/21,21,10,16,31,31,31,31/21,21,16,10,31,31,31,31/\
         31,31,31,31,10,16,21,21/31,31,31,31,16,10,21,21/31,31,31,31,21,21,10,16/31,31,31,31,21,21,16,10",
    ),
];

/// A described machine with its plan.
#[derive(Clone, Debug)]
pub(super) struct Machine {
    pub(super) name: String,
    pub(super) text: String,
    topology: Topology,
    pub(super) plan: Plan,
}

/// Reads machines, and plans them by the policy.
///
/// # Errors
/// Says which text or policy is wrong, and why.
pub(super) fn machines(texts: &[String], policy: &str) -> Result<Vec<Machine>, String> {
    let policy: Placement = policy.parse().map_err(|error| format!("{error}"))?;
    let read = |name: &str, text: &str| {
        let topology: Topology =
            text.parse().map_err(|error| format!("the machine {text:?}: {error}"))?;
        let plan = Request::new()
            .policy(policy.clone())
            .plan(&topology)
            .map_err(|error| format!("the machine {text:?}: {error}"))?;
        Ok(Machine { name: name.to_owned(), text: text.to_owned(), topology, plan })
    };
    if texts.is_empty() {
        return MACHINES.iter().map(|(name, text)| read(name, text)).collect();
    }
    texts.iter().map(|text| read(text, text)).collect()
}

/// Finds workloads by their names; all of them if there is none.
///
/// # Errors
/// Says which one there is not, and which there are.
pub(super) fn kinds(names: &[String]) -> Result<Vec<Kind>, String> {
    if names.is_empty() {
        return Ok(WORKLOADS.to_vec());
    }
    let find = |name: &String| {
        let found = WORKLOADS.iter().find(|kind| kind.name == *name);
        found.copied().ok_or_else(|| {
            let known: Vec<&str> = WORKLOADS.iter().map(|kind| kind.name).collect();
            format!("there is no workload `{name}`; there are: {}", known.join(", "))
        })
    };
    names.iter().map(find).collect()
}

/// A workload on a machine.
#[derive(Clone, Copy)]
pub(super) struct Job<'a> {
    pub(super) machine: &'a Machine,
    pub(super) kind: Kind,
    pub(super) footprint: Option<u64>,
    pub(super) seed: u64,
}

impl Job<'_> {
    /// Simulates it under an order.
    pub(super) fn simulate(&self, rules: &Rules, costs: &Costs) -> Tally {
        let seats = Seats::new(&self.machine.topology, &self.machine.plan, rules);
        let shape = Shape {
            workers: seats.workers.len(),
            nodes: seats.nodes(),
            footprint: self.footprint,
            seed: self.seed,
        };
        Sim::new(&seats, rules, costs, (self.kind.make)(shape), self.seed).run()
    }
}

/// What a workload came to on a machine, ours first.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) kind: Kind,
    pub(super) machine: Machine,
    pub(super) outcomes: Vec<Outcome>,
}

/// What an order came to.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    pub(super) rules: Rules,
    pub(super) tally: Tally,
}

impl Row {
    /// Returns an outcome's time as a multiple of ours.
    pub(super) fn times_ours(&self, outcome: &Outcome) -> Option<f64> {
        let ours = self.outcomes.iter().find(|one| one.rules.name == BASTION.name)?;
        let times = outcome.tally.makespan_ns as f64 / ours.tally.makespan_ns as f64;
        times.is_finite().then_some(times)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machines_are_what_they_are_called() {
        let machines = machines(&[], "numa-balanced").unwrap();
        let sizes = machines.iter().map(|one| (one.topology.nodes().len(), one.plan.workers.len()));
        assert_eq!(sizes.collect::<Vec<_>>(), [(1, 8), (2, 64), (8, 128), (4, 64), (8, 512)]);
        for (name, text) in MACHINES {
            // A distance is the same in both directions.
            let topology: Topology = text.parse().unwrap();
            let Some(rows) = topology.distance() else { continue };
            for (from, row) in rows.iter().enumerate() {
                assert!(row.iter().enumerate().all(|(to, far)| rows[to][from] == *far), "{name}");
            }
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let wrong = |texts: &[&str], policy| {
            let texts: Vec<String> = texts.iter().map(ToString::to_string).collect();
            machines(&texts, policy).unwrap_err()
        };
        assert!(
            wrong(&["core:2", "cor:4"], "compact").starts_with("the machine \"cor:4\": `cor:4`")
        );
        assert_eq!(wrong(&[], "near"), "there is no placement \"near\"");
        assert!(wrong(&["core:2"], "0,9").contains("PU 9"));
        let unknown = kinds(&["flood".to_owned(), "none".to_owned()]).unwrap_err();
        assert!(unknown.starts_with("there is no workload `none`; there are: fork-join, "));
    }
}
