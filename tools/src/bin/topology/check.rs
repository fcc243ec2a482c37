//! `--check`: starts the executor that was drawn, and compares where its workers are with where they were to be.

use std::thread;
use std::time::{Duration, Instant};

use bastion_executor::topology::{CpuSet, Topology};
use bastion_executor::{Executor, Residence};

use crate::picture;

/// How long workers may take to begin.
const PATIENCE: Duration = Duration::from_secs(2);

/// Waits until all workers have begun and returns where they are.
pub(crate) fn look(executor: &Executor) -> Vec<Residence> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let found = executor.residence();
        // Where the system tells nothing, nobody ever seems to have begun.
        if found.iter().all(|found| found.allowed.is_some()) || Instant::now() >= deadline {
            return found;
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// Writes a table of where the workers are, and counts those that are not where they were to be.
pub(crate) fn table(topology: &Topology, found: &[Residence]) -> (String, usize) {
    let mut rows = vec![
        ["worker", "planned PUs", "allowed PUs", "node", "stack", "memory", ""].map(str::to_owned),
    ];
    let mut wrong = 0;
    for (worker, found) in found.iter().enumerate() {
        let problems = problems(topology, found);
        wrong += usize::from(!problems.is_empty());
        let set = |set: &Option<CpuSet>, none: &str| {
            set.as_ref().map_or(none.to_owned(), CpuSet::to_string)
        };
        let number =
            |node: Option<u32>, none: &str| node.map_or(none.to_owned(), |node| node.to_string());
        rows.push([
            worker.to_string(),
            set(&found.planned, "any"),
            set(&found.allowed, "?"),
            number(found.node, "any"),
            number(found.stack, "?"),
            number(found.memory, "?"),
            if problems.is_empty() { "ok".to_owned() } else { problems.join("; ") },
        ]);
    }
    let widths: Vec<usize> =
        (0..7).map(|column| rows.iter().map(|row| row[column].len()).max().unwrap_or(0)).collect();
    let line = |row: &[String; 7]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    let verdict = match wrong {
        0 => "every worker is where the plan says".to_owned(),
        _ => format!("{} not where the plan says", picture::count(wrong, "worker")),
    };
    (format!("{}{verdict}\n", rows.iter().map(line).collect::<String>()), wrong)
}

/// Says what is not as planned. What the system does not tell is no problem.
fn problems(topology: &Topology, found: &Residence) -> Vec<String> {
    let mut problems: Vec<String> = found.unbound.iter().map(ToString::to_string).collect();
    if let (Some(planned), Some(allowed)) = (&found.planned, &found.allowed)
        && planned != allowed
        && problems.is_empty()
    {
        problems.push("not bound to its PUs".to_owned());
    }
    // A node without memory gets it from others.
    let has_memory =
        |os: &u32| topology.nodes().iter().any(|node| node.os == *os && node.mem_bytes != Some(0));
    if let Some(node) = found.node.filter(has_memory) {
        for (what, place) in [("stack", found.stack), ("memory", found.memory)] {
            if place.is_some_and(|place| place != node) {
                problems.push(format!("{what} on another node"));
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use bastion_executor::affinity::BindError;

    use super::*;

    #[test]
    fn each_difference_is_a_problem() {
        let topology: Topology = "node:3 core:1 memory:1G,1G,0".parse().expect("valid");
        let executor = Executor::builder().workers(1).build().expect("one worker");
        let mut found = executor.residence().remove(0);
        let set = |text: &str| Some(text.parse::<CpuSet>().expect("valid"));
        (found.planned, found.allowed, found.unbound) = (set("1"), set("1"), None);
        (found.node, found.stack, found.memory) = (Some(1), Some(1), Some(1));
        let (table_of_one, wrong) = table(&topology, &[found.clone()]);
        assert_eq!(wrong, 0, "{table_of_one}");
        assert_eq!(
            table_of_one,
            "worker  planned PUs  allowed PUs  node  stack  memory\n\
             0       1            1            1     1      1       ok\n\
             every worker is where the plan says\n"
        );
        let check = |change: fn(&mut Residence), expected: &[&str]| {
            let mut found = found.clone();
            change(&mut found);
            assert_eq!(problems(&topology, &found), expected, "{found:?}");
            let (text, wrong) = table(&topology, &[found]);
            assert_eq!(wrong, usize::from(!expected.is_empty()), "{text}");
        };
        check(
            |found| found.allowed = Some("0-1".parse().expect("valid")),
            &["not bound to its PUs"],
        );
        check(|found| found.stack = Some(0), &["stack on another node"]);
        check(|found| found.memory = Some(0), &["memory on another node"]);
        check(|found| found.unbound = Some(BindError::Empty), &[&BindError::Empty.to_string()]);
        let refused: fn(&mut Residence) = |found| {
            (found.allowed, found.unbound) = (Some(CpuSet::default()), Some(BindError::Empty));
        };
        check(refused, &[&BindError::Empty.to_string()]);
        // What is not known, or not planned, cannot be wrong; nor can a node without memory hold any.
        check(|found| (found.allowed, found.stack, found.memory) = (None, None, None), &[]);
        check(|found| (found.planned, found.node) = (None, None), &[]);
        check(|found| found.node = Some(2), &[]);
    }
}
