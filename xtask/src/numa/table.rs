//! What is printed of a machine: where each worker was, and what was checked.

use std::fmt::Write;

use super::facts::{Fact, Worker};
use super::judge::Check;
use super::machine::Machine;

const HEADS: [&str; 9] =
    ["executor", "worker", "asked", "affinity", "cpu", "node", "stack", "own data", "first touch"];

/// Writes out where the workers of each executor were; nodes by their numbers.
pub(super) fn workers(machine: &Machine, facts: &[Fact]) -> String {
    let workers = facts.iter().filter_map(|fact| match fact {
        Fact::Worker(worker) => Some(worker),
        _ => None,
    });
    let node = |node: Option<u32>| node.map_or("?".to_owned(), |node| node.to_string());
    let row = |worker: &Worker| {
        let Worker { executor, index, asked, affinity, cpu, stack, touched, said } = worker;
        [
            executor.clone(),
            index.to_string(),
            list(asked),
            list(affinity),
            cpu.to_string(),
            node(machine.node_of(*cpu)),
            node(*stack),
            node(said.memory),
            node(*touched),
        ]
    };
    let rows: Vec<_> = std::iter::once(HEADS.map(str::to_owned)).chain(workers.map(row)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths: [usize; HEADS.len()] = std::array::from_fn(width);
    let line = |row: &[String; HEADS.len()]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

/// Writes out each check that failed, and how many passed.
pub(super) fn checks(checks: &[Check]) -> String {
    let mut text = String::new();
    for Check { subject, rule, problem } in checks {
        if let Some(problem) = problem {
            // Writing into a string cannot fail.
            let _ = writeln!(text, "FAIL {subject}: {rule}: {problem}");
        }
    }
    let passed = checks.iter().filter(|check| check.problem.is_none()).count();
    let _ = writeln!(text, "{passed} of {} checks passed", checks.len());
    text
}

fn list(cpus: &[u32]) -> String {
    cpus.iter().map(u32::to_string).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numa::facts::Said;
    use crate::numa::machine::MACHINES;

    #[test]
    fn the_table_is_aligned() {
        let worker = |index, asked: &[u32], stack| {
            Fact::Worker(Worker {
                executor: "per-node/4".to_owned(),
                index,
                asked: asked.to_vec(),
                affinity: asked.to_vec(),
                cpu: asked[0],
                stack,
                touched: Some(1),
                said: Said { node: Some(0), allowed: vec![], stack: None, memory: Some(7) },
            })
        };
        let facts = [worker(0, &[0, 1], Some(0)), Fact::End(3), worker(1, &[2], None)];
        let expected = "\
executor    worker  asked  affinity  cpu  node  stack  own data  first touch
per-node/4  0       0,1    0,1       0    0     0      7         1
per-node/4  1       2      2         2    1     ?      7         1
";
        assert_eq!(workers(&MACHINES[0], &facts), expected);
    }

    #[test]
    fn only_what_failed_is_told() {
        let check = |problem: Option<&str>| Check {
            subject: "spread/2".to_owned(),
            rule: "all is well",
            problem: problem.map(str::to_owned),
        };
        assert_eq!(
            checks(&[check(None), check(Some("it is not"))]),
            "FAIL spread/2: all is well: it is not\n1 of 2 checks passed\n"
        );
    }
}
