//! Each name, signature, bound and auto trait of bastion-executor 0.4: this file builds as long as they are there.
#![allow(deprecated, reason = "names that programs of 0.4 may have")]

use arrayvec::ArrayVec;
use bastion_executor::load_balancer::{self, LoadBalancer, SmpStats, Stats};
use bastion_executor::placement::{self, CoreId};
use bastion_executor::run_queue::{Injector, Steal, Stealer, Worker};
use bastion_executor::sleepers::Sleepers;
use bastion_executor::{blocking, pool, prelude, run, worker};
use lightproc::proc_stack::ProcStack;
use lightproc::recoverable_handle::RecoverableHandle;
use std::fmt::Debug;
use std::future::Future;
use std::time::Duration;

fn spawns<F, T>(futures: [F; 7]) -> [RecoverableHandle<T>; 7]
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    let [a, b, c, d, e, f, g] = futures;
    let stack = ProcStack::default;
    [
        pool::spawn::<F, T>(a, stack()),
        pool::spawn_blocking::<F, T>(b, stack()),
        blocking::spawn_blocking::<F, T>(c, stack()),
        pool::get().spawn::<F, T>(d, stack()),
        prelude::spawn::<F, T>(e, stack()),
        prelude::get().spawn::<F, T>(f, stack()),
        // Ambiguous in 0.4, where it was two functions.
        prelude::spawn_blocking::<F, T>(g, stack()),
    ]
}

/// What `run` runs may borrow, and stay on its thread, as may its output.
fn runs<F: Future<Output = T>, T>(one: F, other: F) -> (T, T) {
    (run::run::<F, T>(one, ProcStack::default()), prelude::run::<F, T>(other, ProcStack::default()))
}

/// The function of today has the name of the module of 0.4.
fn both(future: impl Future<Output = u8>) -> u8 {
    bastion_executor::run(future)
}

/// Whatever says how loaded it is.
struct Mine;

impl SmpStats for Mine {
    fn store_load(&self, _affinity: usize, _load: usize) {}

    fn get_sorted_load(&self) -> ArrayVec<(usize, usize), 256> {
        ArrayVec::new()
    }

    fn mean(&self) -> usize {
        0
    }

    fn update_mean(&self) {}
}

fn functions() {
    let _: fn() -> &'static pool::Pool = pool::get;
    let _: fn() -> &'static prelude::Pool = pool::get;
    let _: fn() -> Option<Vec<CoreId>> = placement::get_core_ids;
    let _: fn() -> Option<usize> = placement::get_num_cores;
    let _: fn(CoreId) = placement::set_for_current;
    let _: fn(Vec<CoreId>) -> LoadBalancer = LoadBalancer::new;
    let _: fn(&LoadBalancer) = LoadBalancer::update_load_mean;
    let _: fn(&LoadBalancer) -> (&usize, &Vec<CoreId>) = |lb| (&lb.num_cores, &lb.cores);
    let _: fn() = load_balancer::update;
    let _: fn(usize) -> Stats = Stats::new;
    let _: fn() -> &'static Stats = load_balancer::stats;
    let _: fn() -> &'static usize = load_balancer::core_count;
    let _: fn() -> &'static [CoreId] = load_balancer::get_cores;
    let _: fn() -> Sleepers = Sleepers::new;
    let _: fn(&Sleepers) = Sleepers::wait;
    let _: fn(&Sleepers) = Sleepers::notify_one;
    let _: fn() -> ProcStack = worker::current;
    const _: Duration = worker::THREAD_PARK_TIMEOUT;
}

fn queues(worker: Worker<u8>, injector: Injector<u8>) -> [Steal<u8>; 2] {
    let stealer: Stealer<u8> = worker.stealer();
    [stealer.steal(), injector.steal_batch_and_pop(&worker)]
}

fn shared<T: Debug + Send + Sync>() {}
fn copied<T: Copy + Debug>() {}
fn default<T: Default>() {}

fn traits() {
    shared::<pool::Pool>();
    shared::<LoadBalancer>();
    shared::<Stats>();
    shared::<Sleepers>();
    default::<Sleepers>();
    copied::<CoreId>();
    let _: &dyn SmpStats = &Mine;
}

/// All of it is there; what it does is tested elsewhere.
#[test]
fn a_program_of_0_4_builds() {
    let handles = spawns([1; 7].map(|one| async move { one }));
    assert_eq!(runs(std::future::ready(1), std::future::ready(2)), (1, 2));
    let outputs = handles.map(bastion_executor::run);
    assert_eq!(outputs, [Some(1); 7]);
    assert_eq!(both(async { 7 }), 7);
    functions();
    traits();
    let stolen = queues(Worker::new_lifo(), Injector::new());
    assert!(stolen.iter().all(Steal::is_empty));
    let _: CoreId = CoreId { id: 3 };
    assert_eq!(worker::THREAD_PARK_TIMEOUT, Duration::from_millis(1));
}
