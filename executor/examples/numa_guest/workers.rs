//! Where each worker is: its affinity mask, its CPU, and the nodes of its memory.

use bastion_executor::topology::CpuSet;
use bastion_executor::{Residence, affinity};

use crate::crowd::on_each_worker;
use crate::facts::{Fact, Said, Worker};
use crate::guest::{Subject, Trouble};
use crate::pages;

/// More than the C library ever takes from memory that was in use before, so that nobody has touched it.
const FRESH_BYTES: usize = 40 << 20;

/// Has each worker look where it is, and the executor say it.
pub(crate) fn look(subject: &Subject) -> Result<Vec<Fact>, Trouble> {
    let Subject { name, executor } = subject;
    let seen = on_each_worker(executor, here)?;
    let residence = executor.residence();
    let facts = seen.into_iter().map(|(index, here)| {
        let asked = list(executor.plan().workers[index].cpus.as_ref());
        let said = said(&residence[index]);
        let Here { affinity, cpu, stack, touched } = here;
        let executor = name.clone();
        Fact::Worker(Worker { executor, index, asked, affinity, cpu, stack, touched, said })
    });
    Ok(facts.collect())
}

fn said(residence: &Residence) -> Said {
    let Residence { node, stack, memory, .. } = *residence;
    Said { node, allowed: list(residence.allowed.as_ref()), stack, memory }
}

fn list(cpus: Option<&CpuSet>) -> Vec<u32> {
    cpus.map_or(&[][..], CpuSet::as_slice).to_vec()
}

/// What a thread can say of itself.
struct Here {
    affinity: Vec<u32>,
    cpu: u32,
    stack: Option<u32>,
    touched: Option<u32>,
}

fn here() -> Result<Here, Trouble> {
    let mut fresh = vec![0_u8; FRESH_BYTES];
    let middle = FRESH_BYTES / 2;
    fresh[middle] = 1;
    let on_stack = 1_u64;
    Ok(Here {
        affinity: affinity::allowed().ok_or("the affinity mask is unknown")?,
        cpu: cpu(),
        stack: pages::node_of(&on_stack)?,
        touched: pages::node_of(&fresh[middle])?,
    })
}

/// Returns the PU that the calling thread runs on (`getcpu`).
pub(crate) fn cpu() -> u32 {
    // The kernel's own type for it; there are far fewer.
    u32::try_from(rustix::thread::sched_getcpu()).unwrap_or(u32::MAX)
}
