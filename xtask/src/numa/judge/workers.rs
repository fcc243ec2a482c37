//! Where workers should be: as many as asked for, placed as the policy says, bound, and with their memory beside them.

use super::{Executor, Rule, problem};
use crate::numa::facts::{Said, Worker};

/// The rules, in the order in which they are told.
pub(super) const RULES: &[Rule] = &[
    ("there are as many workers as asked for", complete),
    ("the plan is what the policy says", planned),
    ("each worker's affinity is what the plan says", bound),
    ("each worker runs on a CPU of the plan", running),
    ("each worker's stack is on its node", stacks),
    ("what a worker touches first is on its node", touched),
    ("each worker's own data are on its node", own_data),
    ("the executor knows where its workers are", known),
];

fn complete(executor: &Executor<'_>) -> Option<String> {
    let numbers: Vec<usize> = executor.workers.iter().map(|worker| worker.index).collect();
    let expected: Vec<usize> = (0..executor.size).collect();
    (numbers != expected).then(|| format!("there are {numbers:?}"))
}

fn planned(executor: &Executor<'_>) -> Option<String> {
    let mut wrong = Vec::new();
    let mut seen: Vec<u32> = Vec::new();
    for worker in &executor.workers {
        let Worker { index, asked, .. } = worker;
        let of_node = executor.home_of(worker).map(|node| executor.machine.cpus_of(node as usize));
        let of_node = of_node.unwrap_or_default();
        let fits = match executor.policy {
            "per-node" => *asked == of_node,
            _ => asked.len() == 1 && of_node.contains(&asked[0]) && !seen.contains(&asked[0]),
        };
        seen.extend(asked);
        if !fits {
            wrong.push(format!("worker {index} is to run on {asked:?}"));
        }
    }
    problem(&wrong, executor.workers.len()).or_else(|| spread(executor))
}

/// Looks at how many workers each node has.
fn spread(executor: &Executor<'_>) -> Option<String> {
    let shares: Vec<(usize, usize)> = executor
        .workers_by_node()
        .into_iter()
        .enumerate()
        .map(|(node, workers)| (workers, executor.machine.cpus_of(node).len()))
        .filter(|(_, room)| *room > 0)
        .collect();
    let fits = if executor.policy == "compact" {
        // Only full nodes before one that is used.
        shares.windows(2).all(|pair| pair[0].0 == pair[0].1 || pair[1].0 == 0)
    } else {
        let workers = || shares.iter().map(|(workers, _)| *workers);
        workers().max().unwrap_or(0) - workers().min().unwrap_or(0) <= 1
    };
    (!fits).then(|| format!("workers and CPUs of each node: {shares:?}"))
}

fn bound(executor: &Executor<'_>) -> Option<String> {
    each(executor, |worker, _| {
        let Worker { asked, affinity, .. } = worker;
        (asked != affinity).then(|| format!("asked for {asked:?}, bound to {affinity:?}"))
    })
}

fn running(executor: &Executor<'_>) -> Option<String> {
    each(executor, |worker, _| {
        let Worker { asked, cpu, .. } = worker;
        (!asked.contains(cpu)).then(|| format!("asked for {asked:?}, runs on {cpu}"))
    })
}

fn stacks(executor: &Executor<'_>) -> Option<String> {
    each(executor, |worker, home| elsewhere(worker.stack, home))
}

fn touched(executor: &Executor<'_>) -> Option<String> {
    each(executor, |worker, home| elsewhere(worker.touched, home))
}

fn own_data(executor: &Executor<'_>) -> Option<String> {
    each(executor, |worker, home| elsewhere(worker.said.memory, home))
}

fn known(executor: &Executor<'_>) -> Option<String> {
    each(executor, |worker, home| {
        let Worker { affinity, stack, said, .. } = worker;
        let fits = said.node == home && said.allowed == *affinity && said.stack == *stack;
        (!fits).then(|| {
            let Said { node, allowed, stack: own, .. } = said;
            format!("node, affinity, stack are {home:?}, {affinity:?}, {stack:?}, it says {node:?}, {allowed:?}, {own:?}")
        })
    })
}

fn elsewhere(memory: Option<u32>, home: Option<u32>) -> Option<String> {
    let name = |node: Option<u32>| node.map_or("no known node".to_owned(), |n| format!("node {n}"));
    let fits = memory.is_some() && memory == home;
    (!fits).then(|| format!("memory on {}, worker on {}", name(memory), name(home)))
}

/// Looks at each worker and the node that it was planned for.
fn each(
    executor: &Executor<'_>,
    wrong: impl Fn(&Worker, Option<u32>) -> Option<String>,
) -> Option<String> {
    let found = executor.workers.iter().filter_map(|worker| {
        let what = wrong(worker, executor.home_of(worker))?;
        Some(format!("worker {}: {what}", worker.index))
    });
    problem(&found.collect::<Vec<_>>(), executor.workers.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numa::facts::Fact;
    use crate::numa::machine::MACHINES;

    /// What workers say that are where the first machine's policies want them.
    fn faithful(executor: &str, asked: &[&[u32]]) -> Vec<Fact> {
        let worker = |(index, asked): (usize, &&[u32])| {
            let node = Some(asked[0] / 2);
            Fact::Worker(Worker {
                executor: executor.to_owned(),
                index,
                asked: asked.to_vec(),
                affinity: asked.to_vec(),
                cpu: asked[0],
                stack: node,
                touched: node,
                said: Said { node, allowed: asked.to_vec(), stack: node, memory: node },
            })
        };
        asked.iter().enumerate().map(worker).collect()
    }

    /// Checks which rules the workers break, by their place in the list.
    fn check(executor: &str, asked: &[&[u32]], change: impl Fn(&mut Worker), broken: &[usize]) {
        let mut facts = faithful(executor, asked);
        if let Some(Fact::Worker(last)) = facts.last_mut() {
            change(last);
        }
        let executor = Executor::new(&MACHINES[0], executor, &facts);
        let problems: Vec<_> = RULES.iter().map(|(_, problem)| problem(&executor)).collect();
        let found: Vec<_> = (0..RULES.len()).filter(|rule| problems[*rule].is_some()).collect();
        assert_eq!(found, broken, "{problems:#?}");
    }

    #[test]
    fn each_policy_has_its_own_plan() {
        let nothing = |_: &mut Worker| {};
        check("per-node/4", &[&[0, 1], &[0, 1], &[2, 3], &[2, 3]], nothing, &[]);
        check("per-node/4", &[&[0, 1], &[0, 1], &[0, 1], &[2, 3]], nothing, &[1]);
        check("per-node/2", &[&[0, 1], &[2]], nothing, &[1]);
        check("compact/2", &[&[0], &[1]], nothing, &[]);
        check("compact/2", &[&[0], &[2]], nothing, &[1]);
        check("spread/2", &[&[0], &[2]], nothing, &[]);
        check("spread/2", &[&[0], &[1]], nothing, &[1]);
        check("numa-balanced/4", &[&[0], &[1], &[2], &[3]], nothing, &[]);
        check("numa-balanced/4", &[&[0], &[1], &[2], &[2]], nothing, &[1]);
        check("numa-balanced/2", &[&[0, 1], &[2]], nothing, &[1]);
    }

    #[test]
    fn each_wrong_place_is_found() {
        let check = |change: fn(&mut Worker), broken| {
            check("spread/2", &[&[0], &[2]], change, broken);
        };
        check(|worker| worker.index = 2, &[0]);
        check(|worker| worker.affinity = vec![0, 1, 2, 3], &[2, 7]);
        check(|worker| worker.cpu = 3, &[3]);
        check(|worker| worker.stack = Some(0), &[4, 7]);
        check(|worker| worker.stack = None, &[4, 7]);
        check(|worker| worker.touched = Some(0), &[5]);
        let nowhere = |worker: &mut Worker| {
            (worker.asked, worker.affinity) = (vec![], vec![]);
            (worker.stack, worker.touched) = (None, None);
            worker.said = Said { node: None, allowed: vec![], stack: None, memory: None };
        };
        check(nowhere, &[1, 3, 4, 5, 6]);
        check(|worker| worker.said.memory = Some(0), &[6]);
        check(|worker| worker.said.node = Some(0), &[7]);
        check(|worker| worker.said.allowed = vec![3], &[7]);
        check(|worker| worker.said.stack = Some(0), &[7]);
        check(|worker| worker.executor = "other/2".to_owned(), &[0]);
    }
}
