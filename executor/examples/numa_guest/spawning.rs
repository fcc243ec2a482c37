//! Where processes run that a process on a certain worker spawns, while all other workers sleep.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use bastion_executor::{Executor, RecoverableHandle, sleep, spawn, yield_now};

use crate::crowd::{Meeting, alone_on, on_each_worker};
use crate::facts::{Fact, Pattern, Spawned};
use crate::guest::{Subject, Trouble};
use crate::workers::cpu;

/// So many processes one after the other.
const CHAIN: usize = 50;

/// How often each chain and each fan is spawned.
const ROUNDS: usize = 6;

/// So many processes for each worker, each busy for so long.
const LOAD: usize = 8;
const BUSY: Duration = Duration::from_millis(3);

/// So many polls in a row of each process that belongs to a node.
const POLLS: usize = 5;

/// Has the first worker of each node spawn processes in every pattern.
pub(crate) fn look(subject: &Subject) -> Result<Vec<Fact>, Trouble> {
    let executor = &subject.executor;
    let mut facts = Vec::new();
    for worker in first_of_each_node(executor)? {
        let workers = executor.workers();
        let load = std::iter::once((Pattern::Load, LOAD * workers));
        let fans = (1..=workers).flat_map(|width| [(Pattern::Fan, width); ROUNDS]);
        for (pattern, count) in load.chain([(Pattern::Chain, CHAIN); ROUNDS]).chain(fans) {
            let (home, ran) = alone_on(executor, worker, || spawn_all(pattern, count))?;
            let executor = subject.name.clone();
            facts.push(Fact::Spawned(Spawned { executor, pattern, home, ran }));
        }
    }
    for domain in &executor.plan().domains {
        // Workers that may run on several nodes belong to none.
        if let (Some(node), Some(home)) = (domain.node, domain.cpus.iter().next()) {
            let ran = executor.run(keep_busy(executor, node))?;
            let (executor, pattern) = (subject.name.clone(), Pattern::Kept);
            facts.push(Fact::Spawned(Spawned { executor, pattern, home, ran }));
        }
    }
    Ok(facts)
}

/// Spawns processes that belong to a node, more than its workers can run at once, and returns how many polls there were on each PU.
async fn keep_busy(executor: &Executor, node: u32) -> Result<BTreeMap<u32, u32>, Trouble> {
    let process = || async {
        let mut polled_on = Vec::new();
        for _ in 0..POLLS {
            polled_on.push(cpu());
            be_busy(BUSY / 10);
            yield_now().await;
        }
        // The next wake is by whoever has the timer; then there is so much to do that others would help if they could.
        sleep(BUSY).await;
        polled_on.push(cpu());
        be_busy(BUSY);
        polled_on
    };
    let processes: Result<Vec<_>, _> =
        (0..LOAD * executor.workers()).map(|_| executor.spawn_on(node, process())).collect();
    let mut ran = BTreeMap::new();
    for process in processes? {
        for cpu in process.await.ok_or("a process was lost")? {
            *ran.entry(cpu).or_default() += 1;
        }
    }
    Ok(ran)
}

/// Returns the first worker of each node that has any.
fn first_of_each_node(executor: &Executor) -> Result<Vec<usize>, Trouble> {
    let topology = executor.topology();
    let mut seen = BTreeSet::new();
    let mut first = Vec::new();
    for (worker, cpu) in on_each_worker(executor, || Ok(cpu()))? {
        if seen.insert(topology.nodes().iter().position(|node| node.cpus.contains(cpu))) {
            first.push(worker);
        }
    }
    Ok(first)
}

/// Spawns processes, and returns the PU that this was done on, and how many began on each PU.
async fn spawn_all(pattern: Pattern, count: usize) -> Result<(u32, BTreeMap<u32, u32>), Trouble> {
    let home = cpu();
    let meeting = Meeting::of(count);
    let child = |_| {
        let meeting = meeting.clone();
        spawn(async move {
            let own = cpu();
            match pattern {
                Pattern::Fan => meeting.attend()?,
                Pattern::Load => be_busy(BUSY),
                Pattern::Chain | Pattern::Kept => {}
            }
            Ok(own)
        })
    };
    let mut ran = BTreeMap::new();
    if pattern == Pattern::Chain {
        for turn in 0..count {
            note(&mut ran, child(turn)).await?;
        }
    } else {
        let children: Vec<_> = (0..count).map(child).collect();
        for child in children {
            note(&mut ran, child).await?;
        }
    }
    Ok((home, ran))
}

async fn note(
    ran: &mut BTreeMap<u32, u32>,
    child: RecoverableHandle<Result<u32, Trouble>>,
) -> Result<(), Trouble> {
    let cpu = child.await.ok_or("a process was lost")??;
    *ran.entry(cpu).or_default() += 1;
    Ok(())
}

fn be_busy(time: Duration) {
    let begin = Instant::now();
    while begin.elapsed() < time {
        std::hint::spin_loop();
    }
}
