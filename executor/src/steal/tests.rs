//! What a worker takes, with executors whose workers have not begun: what is queued stays where it was put.

use crate::Placement;
use crate::builder::Builder;
use crate::crew::Crew;
use crate::local::Local;
use crate::runtime::Executor;
use crossbeam_deque::Worker as Queue;
use lightproc::LightProc;
use std::sync::atomic::Ordering::Relaxed;

/// An executor, and its workers' queues.
struct Bench {
    executor: Executor,
    queues: Vec<Queue<LightProc>>,
}

impl Bench {
    fn new(machine: &str) -> Bench {
        let topology = machine.parse().expect("a machine");
        let builder = Builder::default().topology(topology).placement(Placement::Compact);
        let (executor, crew) = builder.assemble().expect("an executor");
        let Crew::Anywhere(workers, _) = crew else { panic!("nothing is bound here") };
        Bench { executor, queues: workers.into_iter().map(|(_, queue)| queue).collect() }
    }

    fn process() -> LightProc {
        LightProc::recoverable(std::future::pending::<()>(), drop, ()).0
    }

    /// Puts so many processes into a worker's queue.
    fn queue(&self, worker: usize, processes: usize) {
        (0..processes).for_each(|_| self.queues[worker].push(Self::process()));
    }

    fn inject(&self, domain: usize, processes: usize) {
        let injector = &self.executor.shared().domains[domain].injector;
        (0..processes).for_each(|_| injector.push(Self::process()));
    }

    /// How much waits in each worker's queue.
    fn queued(&self) -> Vec<usize> {
        self.queues.iter().map(Queue::len).collect()
    }

    /// Has this worker steal, which has a queue of its own that nobody sees, and says how much it has then, in its hands and there.
    fn steal(&self, worker: usize) -> usize {
        let local = Local::new(self.executor.shared().clone(), worker, Queue::new_fifo());
        let stolen = self.executor.shared().steal(&local);
        usize::from(stolen.is_some()) + local.queue.len()
    }

    fn has_work(&self, domain: usize) -> bool {
        self.executor.shared().has_work(domain)
    }

    /// Has one worker search from now on, so that its domain needs no help.
    fn search(&self, worker: usize) {
        assert!(self.executor.shared().idle.start_searching(worker));
    }
}

const RING: &str = "node:4 core:2 distance:10,16,21,31/16,10,31,21/21,31,10,16/31,21,16,10";

#[test]
fn the_own_domain_comes_first_then_the_others_by_distance() {
    let bench = Bench::new(RING);
    for worker in [1, 3, 5, 7] {
        bench.queue(worker, 1);
    }
    // Nodes 0, 1, 2, 3 have the workers 0 1, 2 3, 4 5, 6 7.
    for left in [[0, 1, 1, 1], [0, 0, 1, 1], [0, 0, 0, 1], [0, 0, 0, 0]] {
        assert_eq!(bench.steal(0), 1);
        let queued = bench.queued();
        assert_eq!([queued[1], queued[3], queued[5], queued[7]], left);
    }
    assert_eq!(bench.steal(0), 0);
    let metrics = bench.executor.metrics();
    assert_eq!((metrics.workers[0].stolen, metrics.workers[0].abroad), (4, 3));
}

#[test]
fn batches_are_taken_also_from_afar() {
    let bench = Bench::new(RING);
    bench.queue(7, 40);
    assert_eq!(bench.steal(0), 20);
    bench.inject(3, 100);
    assert!(bench.steal(1) > 1, "of what came from outside, too");
}

#[test]
fn a_domain_with_somebody_idle_is_left_alone() {
    let bench = Bench::new(RING);
    bench.search(2);
    bench.queue(3, 8);
    bench.inject(1, 8);
    assert_eq!(bench.steal(0), 0, "worker 2 will have it");
    assert!(!bench.has_work(0) && bench.has_work(1));
    let _ = bench.executor.shared().idle.stop_searching(2);
    assert!(bench.has_work(0));
    assert!(bench.steal(0) > 0);
}

#[test]
fn what_a_far_worker_will_soon_have_done_is_left_to_it() {
    let bench = Bench::new(RING);
    bench.executor.shared().workers[3].own.bearable.store(8, Relaxed);
    bench.queue(3, 8);
    assert!(!bench.has_work(0) && !bench.has_work(1));
    assert_eq!(bench.steal(0), 0);
    assert_eq!(bench.steal(2), 4, "a near one has nothing to carry");
    bench.queue(3, 5);
    assert!(bench.has_work(0));
    assert_eq!(bench.steal(0), 5, "half of nine");
}

#[test]
fn one_of_a_domain_is_abroad_at_a_time() {
    let bench = Bench::new(RING);
    bench.queue(7, 8);
    let domain = &bench.executor.shared().domains[0];
    let theft = domain.go_abroad();
    assert!(theft.is_some());
    assert_eq!(bench.steal(1), 0);
    assert!(!bench.has_work(0) && bench.has_work(1), "the thief sees to it");
    drop(theft);
    assert!(bench.has_work(0));
    assert_eq!(bench.steal(1), 4);
}

#[test]
fn what_only_one_domain_may_run_is_nobody_elses_work() {
    let bench = Bench::new(RING);
    bench.executor.shared().domains[2].kept.push(Bench::process());
    assert_eq!([0, 1, 2, 3].map(|domain| bench.has_work(domain)), [false, false, true, false]);
    assert_eq!(bench.steal(0), 0);
    let local = |worker| Local::new(bench.executor.shared().clone(), worker, Queue::new_fifo());
    assert!(bench.executor.shared().take_kept(&local(0)).is_none());
    assert!(bench.executor.shared().take_kept(&local(5)).is_some());
}
