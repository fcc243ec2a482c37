//! This project with what a process, a system or a pool may ask for beyond the plain: the same `tell`s as `bastion`, one option each.

use super::LOAD;
use super::bastion::{once, system};
use super::executors::{self, Executor};
use crate::bench::Measured;
use crate::latch::{Finish, latch};
use bastion_supervision::{
    Address, Child, Context, Exit, Overflow, Pool, PoolAddress, Route, Runtime, System,
};
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

/// More than are ever sent, so that nothing is refused.
const ROOM: usize = 1 << 20;

struct Add {
    load: u64,
    number: u32,
}

/// What one or several processes have still to be given.
struct Sum {
    left: AtomicU64,
    finish: Finish,
}

impl Sum {
    fn new(count: u32, finish: Finish) -> Arc<Sum> {
        Arc::new(Sum { left: AtomicU64::new(u64::from(count) * LOAD), finish })
    }
}

/// Handles messages until all are.
async fn add_up(mut cx: Context<Add>, sum: Arc<Sum>) -> Result<(), Exit> {
    while let Some(add) = cx.recv().await {
        if sum.left.fetch_sub(add.load, Relaxed) == add.load {
            sum.finish.now();
            break;
        }
    }
    Ok(())
}

/// Tells `count` messages from one process, by `tell`.
fn send<Fut>(
    system: &System,
    count: u32,
    tell: impl Fn(Add) -> Fut + Clone + Send + Sync + 'static,
) -> Result<(), crate::bench::Failure>
where
    Fut: Future<Output = Result<(), Exit>> + Send,
{
    system.spawn_child(once(move |_: Context<()>| {
        let tell = tell.clone();
        async move {
            for number in 0..count {
                tell(Add { load: LOAD, number }).await?;
            }
            Ok(())
        }
    }))?;
    Ok(())
}

/// Tells a process that is described so.
fn tell(
    system: &System,
    count: u32,
    describe: impl FnOnce(Child<Add>) -> Child<Add>,
    waits: bool,
) -> Measured {
    let (finish, mut wait) = latch();
    let sum = Sum::new(count, finish);
    let receiver = once(move |cx: Context<Add>| add_up(cx, sum.clone()));
    let receiver: Address<Add> = system.spawn_child(describe(receiver))?;
    wait.start();
    send(system, count, move |add| {
        let receiver = receiver.clone();
        async move { if waits { Ok(receiver.send(add).await?) } else { Ok(receiver.tell(add)?) } }
    })?;
    wait.measured()
}

/// Without any option.
pub(crate) fn plain(count: u32) -> Measured {
    tell(system(), count, |child| child, false)
}

/// By `send`, which waits while 1,024 messages wait.
pub(crate) fn back_pressure(count: u32) -> Measured {
    tell(system(), count, |child| child.mailbox_capacity(1024), true)
}

/// Where the oldest message would give way.
pub(crate) fn drop_oldest(count: u32) -> Measured {
    let rule = |child: Child<Add>| child.mailbox_capacity(ROOM).overflow(Overflow::DropOldest);
    tell(system(), count, rule, false)
}

/// Messages of four priorities.
pub(crate) fn priority(count: u32) -> Measured {
    let rule = |child: Child<Add>| child.priority(|add| (add.number % 4) as u8);
    tell(system(), count, rule, false)
}

/// Messages with keys, all different.
pub(crate) fn keys(count: u32) -> Measured {
    tell(system(), count, |child| child.coalesce_by(|add| Some(add.number)), false)
}

/// Messages that are weighed.
pub(crate) fn bytes(count: u32) -> Measured {
    tell(system(), count, |child| child.mailbox_bytes(usize::MAX, |_| size_of::<Add>()), false)
}

/// A system that measures handlers, or has spans for messages that nobody subscribes to.
fn observed(cell: &'static OnceLock<System>, traces: bool) -> &'static System {
    executors::Bastion::start();
    cell.get_or_init(|| {
        let system = System::builder(Runtime::executor());
        system.trace_messages(traces).measure_handlers(!traces).build()
    })
}

/// In a system whose messages have spans, to which nobody subscribes.
pub(crate) fn traced(count: u32) -> Measured {
    static SYSTEM: OnceLock<System> = OnceLock::new();
    tell(observed(&SYSTEM, true), count, |child| child, false)
}

/// In a system that measures handlers.
pub(crate) fn measured(count: u32) -> Measured {
    static SYSTEM: OnceLock<System> = OnceLock::new();
    tell(observed(&SYSTEM, false), count, |child| child, false)
}

/// Tells a pool of two workers.
fn pool(count: u32, rules: impl FnOnce(Pool<Add>) -> Pool<Add>) -> Measured {
    let (finish, mut wait) = latch();
    let sum = Sum::new(count, finish);
    // The last one may just be stopping.
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let name = format!("pool {}", NUMBER.fetch_add(1, Relaxed));
    let pool = Pool::new(name, move |cx: Context<Add>| add_up(cx, sum.clone()));
    let (pool, address): (_, PoolAddress<Add>) = rules(pool.size(2..=2)).build();
    let pool = system().root().spawn_supervisor(pool)?;
    wait.start();
    send(system(), count, move |add| {
        let told = address.tell(add).map_err(Exit::from);
        async move { told }
    })?;
    let measured = wait.measured();
    let _ = system().root().request_stop(pool.name());
    measured
}

/// A pool whose workers take turns.
pub(crate) fn round_robin(count: u32) -> Measured {
    pool(count, |pool| pool.route(Route::round_robin()))
}

/// A pool whose workers take from one queue.
pub(crate) fn shared_queue(count: u32) -> Measured {
    pool(count, |pool| pool.route(Route::shared_queue()))
}

/// A pool in which messages have their places by keys.
pub(crate) fn by_key(count: u32) -> Measured {
    pool(count, |pool| pool.route(Route::by_key(|add: &Add| add.number)))
}
