//! What the executor says of a machine, beside what qemu was told of it.

use super::Check;
use crate::numa::facts::{Fact, Node};
use crate::numa::machine::Machine;

/// The most that the kernel and the firmware keep of a node's memory.
const KEPT_MEBIBYTES: u64 = 160;

/// Compares what the executor's topology says with the machine.
pub(super) fn judge(machine: &Machine, facts: &[Fact]) -> Vec<Check> {
    let nodes = facts.iter().filter_map(|fact| match fact {
        Fact::Node(node) => Some(node),
        _ => None,
    });
    let nodes: Vec<&Node> = nodes.collect();
    let cores: Vec<&Vec<u32>> = facts
        .iter()
        .filter_map(|fact| match fact {
            Fact::Core(cpus) => Some(cpus),
            _ => None,
        })
        .collect();
    let check = |rule, problem| Check { subject: "topology".to_owned(), rule, problem };
    let told = |index: usize| (index as u32, machine.cpus_of(index));
    vec![
        check(
            "nodes and their CPUs are those of the machine",
            differ(
                (0..machine.nodes.len()).map(told).collect(),
                nodes.iter().map(|node| (node.os, node.cpus.clone())).collect::<Vec<_>>(),
            ),
        ),
        check(
            "distances are those of the machine",
            differ(
                machine.distance.iter().map(|row| row.to_vec()).collect(),
                nodes.iter().map(|node| node.distance.clone()).collect::<Vec<_>>(),
            ),
        ),
        check("sizes of memory are those of the machine", sizes(machine, &nodes)),
        check(
            "cores are those of the machine",
            differ(machine.cores(), cores.into_iter().cloned().collect()),
        ),
    ]
}

fn differ<T: PartialEq + std::fmt::Debug>(told: T, said: T) -> Option<String> {
    (told != said).then(|| format!("qemu was told {told:?}, the executor says {said:?}"))
}

fn sizes(machine: &Machine, nodes: &[&Node]) -> Option<String> {
    let wrong = machine.nodes.iter().enumerate().find_map(|(index, told)| {
        let said = nodes.get(index).map_or(0, |node| node.mem_bytes >> 20);
        let least = told.mebibytes.saturating_sub(KEPT_MEBIBYTES);
        let fits = (least..=told.mebibytes).contains(&said);
        (!fits).then_some((index, told.mebibytes, said))
    });
    wrong.map(|(node, told, said)| {
        format!("node {node} was given {told} MiB, the executor says {said}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numa::machine::MACHINES;

    /// What an executor says that sees the first machine as it is.
    fn faithful() -> Vec<Fact> {
        let node = |os, cpus: &[u32], distance: &[u32]| {
            let (cpus, distance) = (cpus.to_vec(), distance.to_vec());
            Fact::Node(Node { os, cpus, mem_bytes: 480 << 20, distance })
        };
        let nodes = [node(0, &[0, 1], &[10, 21]), node(1, &[2, 3], &[21, 10])];
        nodes.into_iter().chain((0..4).map(|cpu| Fact::Core(vec![cpu]))).collect()
    }

    /// Checks which rules a change breaks.
    fn check(change: impl FnOnce(&mut Vec<Fact>), broken: &[&str]) {
        let mut facts = faithful();
        change(&mut facts);
        let checks = judge(&MACHINES[0], &facts);
        let found = checks.iter().filter(|check| check.problem.is_some());
        let found: Vec<_> = found.map(|check| check.rule.split(' ').next().unwrap_or("")).collect();
        assert_eq!(found, broken, "{checks:#?}");
    }

    fn node(facts: &mut [Fact]) -> &mut Node {
        match &mut facts[1] {
            Fact::Node(node) => node,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn each_difference_is_found() {
        check(|_| {}, &[]);
        check(|facts| node(facts).cpus = vec![3], &["nodes"]);
        check(|facts| node(facts).os = 2, &["nodes"]);
        check(|facts| node(facts).distance = vec![20, 10], &["distances"]);
        check(|facts| node(facts).mem_bytes = 513 << 20, &["sizes"]);
        check(|facts| node(facts).mem_bytes = 100 << 20, &["sizes"]);
        check(|facts| facts[4] = Fact::Core(vec![2, 3]), &["cores"]);
        check(|facts| facts.truncate(1), &["nodes", "distances", "sizes", "cores"]);
    }
}
