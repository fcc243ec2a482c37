//! The counting workers, and the pool that spreads the lines over them.

use super::{MAX_CONNECTIONS, MAX_QUESTIONS};
use crate::ledger::Ledger;
use bastion::{Address, Ask, Child, Context, Exit, Reply, child};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

/// How long a worker may take for an answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(1);

/// What a worker is sent.
pub(super) enum Job {
    /// Count the words of this line.
    Count { line: String, reply: Reply<u64> },
    /// Panic.
    Panic,
}

/// Describes a worker. It is restarted at once, however often it crashes.
pub(super) fn describe(index: usize, ledger: &Arc<Ledger>) -> Child<Job> {
    let ledger = ledger.clone();
    let worker = child(move |cx| {
        ledger.starting(index);
        work(cx, index, ledger.clone())
    });
    // There is always room: a connection waits for its answers before it sends more.
    worker.named(format!("worker-{index}")).mailbox_capacity(MAX_CONNECTIONS * MAX_QUESTIONS + 1)
}

async fn work(mut cx: Context<Job>, index: usize, ledger: Arc<Ledger>) -> Result<(), Exit> {
    while let Some(job) = cx.recv().await {
        match job {
            Job::Count { line, reply } => reply.send(line.split_whitespace().count() as u64),
            Job::Panic => {
                // As if in the middle of its work: the line in its hands is lost with the worker, those that wait are not.
                let _in_hand = cx.try_recv();
                ledger.crashing(index);
                panic!("a crash was injected");
            }
        }
    }
    Ok(())
}

/// All workers, in turn.
#[derive(Clone)]
pub(super) struct Pool {
    workers: Arc<[Address<Job>]>,
    next: Arc<AtomicUsize>,
}

impl Pool {
    pub(super) fn new(workers: Vec<Address<Job>>) -> Self {
        Self { workers: workers.into(), next: Arc::new(AtomicUsize::new(0)) }
    }

    /// Returns how many workers there are.
    pub(super) fn size(&self) -> usize {
        self.workers.len()
    }

    /// Gives a line to the next worker.
    pub(super) fn count(&self, line: String) -> Ask<u64> {
        let worker = self.next.fetch_add(1, Relaxed) % self.workers.len();
        self.workers[worker].ask_timeout(ANSWER_LIMIT, |reply| Job::Count { line, reply })
    }

    /// Makes a worker panic. False: it has ended for good.
    pub(super) fn crash(&self, worker: usize) -> bool {
        self.workers[worker].tell(Job::Panic).is_ok()
    }
}
