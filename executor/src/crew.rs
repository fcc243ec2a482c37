//! The workers' threads: where they are started, and what each of them has before there is an executor.
//!
//! Linux puts a page on the node of the thread that touches it first. So a worker that is to run on certain PUs has its thread started by one that
//! is bound to them, because that one touches the top of the stack; and makes its own [`Desk`]. Only then the executor can be put
//! together, and is handed to the workers. Workers that run anywhere have no node: their desks are made by who builds the executor, which
//! spares them the wait.

use crate::affinity::{self, BindError};
use crate::local::Local;
use crate::registry::{Bell, List};
use crate::residence::Arrival;
use crate::shared::{Own, Shared};
use crate::sync::thread::{self, JoinHandle as Thread};
use crate::timer::{Lease, Timers};
use crate::tokio_bridge::Bridge;
use crate::topology::CpuSet;
use crate::work;
use crossbeam_deque::{Stealer, Worker as Queue};
use crossbeam_utils::CachePadded;
use lightproc::LightProc;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Instant;

/// What belongs to one worker: as the executor sees it.
pub(crate) struct Desk {
    pub(crate) stealer: Stealer<LightProc>,
    pub(crate) own: Arc<CachePadded<Own>>,
    pub(crate) timers: Lease,
    pub(crate) waiting: Arc<CachePadded<List>>,
}

impl Desk {
    /// Makes one, on the node of the calling thread, with the queue that is its worker's alone.
    fn new(node: Option<u32>, terms: &Terms) -> (Desk, Queue<LightProc>) {
        let queue = Queue::new_fifo();
        let desk = Desk {
            stealer: queue.stealer(),
            own: Arc::new(Own::new(terms.epoch).into()),
            timers: Timers::lease(node),
            waiting: Arc::new(List::new(terms.bell.clone()).into()),
        };
        (desk, queue)
    }
}

/// A worker that is to be started.
pub(crate) struct Post {
    /// The name of its thread.
    pub(crate) name: String,
    /// The PUs to bind it to, if it is to be bound.
    pub(crate) cpus: Option<CpuSet>,
    /// The operating system's number of its node, where it has one.
    pub(crate) node: Option<u32>,
}

/// What all workers of an executor have in common.
#[derive(Clone)]
pub(crate) struct Terms {
    pub(crate) stack_size_bytes: Option<usize>,
    pub(crate) bridge: Bridge,
    /// Of the registry.
    pub(crate) bell: Arc<Bell>,
    /// What the workers' meters count their time from.
    pub(crate) epoch: Instant,
}

impl Terms {
    fn thread(&self, name: String) -> thread::Builder {
        let thread = thread::Builder::new().name(name);
        match self.stack_size_bytes {
            Some(bytes) => thread.stack_size(bytes),
            None => thread,
        }
    }
}

/// Workers whose executor is not there yet.
pub(crate) enum Crew {
    /// Their threads run where they belong, and wait for the executor.
    Placed(Vec<Waiting>),
    /// They have no threads yet.
    Anywhere(Vec<(Post, Queue<LightProc>)>, Terms),
}

/// A worker's thread, and how it is told of its executor. Dropped, the thread ends.
pub(crate) struct Waiting {
    thread: Thread<()>,
    employer: Sender<Arc<Shared>>,
}

impl Crew {
    /// Makes the desks of workers, and, of those that are bound, the threads.
    ///
    /// # Errors
    /// When the system refuses a thread; none is left then.
    pub(crate) fn gather(posts: Vec<Post>, terms: Terms) -> io::Result<(Crew, Vec<Desk>)> {
        if posts.iter().any(|post| post.cpus.is_some()) {
            // A thread of its own goes from node to node, and not the caller's.
            let usher = thread::Builder::new().name("executor-start".into());
            let ushered = usher.spawn(move || place(posts, &terms))?.join();
            return ushered
                .unwrap_or_else(|_| Err(io::Error::other("starting the workers panicked")));
        }
        let desks = posts.iter().map(|post| Desk::new(post.node, &terms));
        let (desks, queues): (_, Vec<_>) = desks.unzip();
        Ok((Crew::Anywhere(posts.into_iter().zip(queues).collect(), terms), desks))
    }

    /// Has the workers begin, and hands out their threads, also those that run when one is refused.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub(crate) fn employ(
        self,
        shared: &Arc<Shared>,
        mut threads: impl FnMut(Thread<()>),
    ) -> io::Result<()> {
        match self {
            Crew::Placed(workers) => {
                for Waiting { thread, employer } in workers {
                    // It waits for this, unless it has panicked; then its end says so.
                    let _ = employer.send(shared.clone());
                    threads(thread);
                }
            }
            Crew::Anywhere(workers, terms) => {
                for (index, (post, queue)) in workers.into_iter().enumerate() {
                    let (shared, bridge) = (shared.clone(), terms.bridge.clone());
                    let body = move || bridge.within(|| work(shared, index, queue, None));
                    threads(terms.thread(post.name).spawn(body)?);
                }
            }
        }
        Ok(())
    }
}

/// Starts each worker's thread from its own PUs, and collects what they have made.
fn place(posts: Vec<Post>, terms: &Terms) -> io::Result<(Crew, Vec<Desk>)> {
    let everywhere = affinity::allowed();
    let (mut workers, mut desks) = (Vec::new(), Vec::new());
    for (index, post) in posts.into_iter().enumerate() {
        let here =
            post.cpus.as_ref().map_or(Ok(()), |cpus| affinity::bind_current(cpus.as_slice()));
        if let (Err(_), Some(everywhere)) = (&here, &everywhere) {
            // The worker tries as well, and tells of it.
            let _ = affinity::bind_current(everywhere);
        }
        let (employer, employed) = channel();
        let (lay, laid) = channel();
        let its = terms.clone();
        let (cpus, node) = (post.cpus, post.node);
        let settle = move || settle(index, cpus, node, &its, &lay, &employed);
        let bridge = terms.bridge.clone();
        let body = move || bridge.within(settle);
        let thread = terms.thread(post.name).spawn(body)?;
        workers.push(Waiting { thread, employer });
        // One after the other: what they make at the same time might share pages.
        desks.extend(laid.recv());
    }
    if desks.len() < workers.len() {
        return Err(io::Error::other("a worker thread panicked before it began"));
    }
    Ok((Crew::Placed(workers), desks))
}

/// What a placed worker's thread does: binds itself, makes its desk, and works at it once it is told for whom.
fn settle(
    index: usize,
    cpus: Option<CpuSet>,
    node: Option<u32>,
    terms: &Terms,
    lay: &Sender<Desk>,
    employed: &Receiver<Arc<Shared>>,
) {
    let bound = cpus.map(|cpus| affinity::bind_current(cpus.as_slice()));
    if let Some(Err(error)) = &bound {
        tracing::warn!(worker = index, %error, "the worker runs unbound");
    }
    let (desk, queue) = Desk::new(node, terms);
    let _ = lay.send(desk);
    if let Ok(shared) = employed.recv() {
        work(shared, index, queue, bound.and_then(Result::err));
    }
}

fn work(shared: Arc<Shared>, index: usize, queue: Queue<LightProc>, unbound: Option<BindError>) {
    let _ = shared.workers[index].own.arrival.set(Arrival::here(unbound));
    Local::new(shared, index, queue).install();
    work::run();
}

#[cfg(all(test, target_os = "linux", not(any(loom, shuttle))))]
mod tests;
