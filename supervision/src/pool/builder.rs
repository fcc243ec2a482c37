//! [`Pool`]: the description of a pool.

use super::address::PoolAddress;
use super::controller::{Controller, Hire, control};
use super::discard::{Discards, OnDiscard};
use super::elastic::{Bounds, Elastic};
use super::error::Discarded;
use super::fuse::Fuse;
use super::hub::{Hub, Rules};
use super::limit::Limit;
use super::route::Route;
use super::worker::worker;
use crate::child::{Child, child};
use crate::exit::Exit;
use crate::process::Context;
use crate::supervisor::Supervisor;
use bastion_mailbox::DEFAULT_CAPACITY;
use std::fmt;
use std::future::Future;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

/// More workers no pool has.
const MOST_WORKERS: usize = 65_536;

/// Describes a pool: a supervisor whose workers all do the same, and one address for all of them.
///
/// A worker is an ordinary process, that receives, crashes, is restarted and is seen in the tree like others. A worker that ends for good leaves the pool; a
/// pool with bounds hires another one instead, in so far as there may be more than the workers that it began with.
///
/// Defaults: one worker, one after another, a million messages for each, no limits.
///
/// # Examples
/// ```
/// use bastion_supervision::{Context, Pool, Reply, Route, Runtime, Sim, System};
/// use std::time::Duration;
/// let sim = Sim::new(1);
/// sim.run(async {
///     let (pool, squares) = Pool::new("squares", |mut cx: Context<(u64, Reply<u64>)>| async move {
///         while let Some((number, reply)) = cx.recv().await {
///             cx.sleep(Duration::from_secs(1)).await;
///             reply.send(number * number);
///         }
///         Ok(())
///     })
///     .size(4..=4)
///     .route(Route::shared_queue())
///     .build();
///     let system = System::new(Runtime::sim(&sim));
///     system.supervise(pool).await.unwrap();
///     let answers: Vec<_> = (1..=4).map(|number| squares.ask(|reply| (number, reply))).collect();
///     for (answer, number) in answers.into_iter().zip(1..) {
///         assert_eq!(answer.await, Ok(number * number));
///     }
///     assert_eq!(sim.now(), Duration::from_secs(1), "all at the same time");
/// });
/// ```
#[must_use = "a pool does nothing until it is built and its supervisor is given to a system"]
pub struct Pool<M> {
    name: Arc<str>,
    hire: Hire<M>,
    size: Bounds,
    route: Route<M>,
    capacity: usize,
    elastic: Elastic,
    time_to_live: Option<Duration>,
    on_discard: Option<OnDiscard<M>>,
    breaker: Option<(u32, Duration)>,
    pub(super) limit: Option<Limit>,
}

impl<M: Send + 'static> Pool<M> {
    /// Describes a pool by the function that makes a worker's body, as [`child`](crate::child) describes a process.
    pub fn new<F, Fut>(name: impl Into<Arc<str>>, start: F) -> Pool<M>
    where
        F: Fn(Context<M>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), Exit>> + Send + 'static,
    {
        let start = Arc::new(start);
        let hire = move |hub: &Arc<Hub<M>>, slot| worker(hub.clone(), slot, start.clone());
        Pool {
            name: name.into(),
            hire: Box::new(hire),
            size: Bounds { min: 1, max: 1 },
            route: Route::round_robin(),
            capacity: DEFAULT_CAPACITY,
            elastic: Elastic::new(),
            time_to_live: None,
            on_discard: None,
            breaker: None,
            limit: None,
        }
    }

    /// Sets how many workers there are: it begins with the lower bound, and grows and shrinks between the two as [`Elastic`] says. `4..=4` are always
    /// four. Each worker that there may be costs some 150 bytes, whether it is there or not.
    ///
    /// # Panics
    /// When the lower bound is 0, the upper one lower than that, or higher than 65,536.
    pub fn size(mut self, workers: RangeInclusive<usize>) -> Self {
        let (min, max) = workers.into_inner();
        assert!(min > 0, "a pool has one worker at least");
        assert!(min <= max && max <= MOST_WORKERS, "a pool's size has bounds, not {min}..={max}");
        self.size = Bounds { min, max };
        self
    }

    /// Sets when it grows and shrinks, within the bounds of [`size`](Pool::size).
    pub fn elastic(mut self, rules: Elastic) -> Self {
        self.elastic = rules;
        self
    }

    /// Sets which worker a message goes to.
    pub fn route(mut self, route: Route<M>) -> Self {
        self.route = route;
        self
    }

    /// Sets how many messages may wait for each worker, beside those that a worker keeps in its hands because a selective receive has passed them over; with
    /// [`Route::shared_queue`], for all workers together.
    ///
    /// # Panics
    /// When `messages` is 0.
    pub fn capacity(mut self, messages: usize) -> Self {
        assert!(messages > 0, "a queue has room for one message at least");
        self.capacity = messages;
        self
    }

    /// Sets the rules of each worker, which is given as a child without any: its back-off, its place, its way to stop.
    ///
    /// What it says of the worker's mailbox (its capacity, overflow, priorities, keys) is for messages that are sent to the worker's own address. Those of the pool
    /// wait in the pool's queues, for which [`capacity`](Pool::capacity) and the others here are.
    ///
    /// # Examples
    /// ```
    /// use bastion_supervision::{Context, Exit, Place, Pool, plan::Backoff};
    /// async fn hash(mut cx: Context<Vec<u8>>) -> Result<(), Exit> {
    ///     while cx.recv().await.is_some() {}
    ///     Ok(())
    /// }
    /// let pool = Pool::new("hashes", hash)
    ///     .size(2..=2)
    ///     .worker(|worker| worker.backoff(Backoff::storm_guard()).on(Place::Thread));
    /// ```
    pub fn worker(mut self, rules: impl Fn(Child<M>) -> Child<M> + Send + Sync + 'static) -> Self {
        let hire = self.hire;
        self.hire = Box::new(move |hub, slot| rules(hire(hub, slot)));
        self
    }

    /// Throws messages away that have waited longer than this since they were sent, when a worker would take them. A question has no reply then. What was told before the start
    /// of the pool, which has no clock before, does not expire. It costs a look at the clock for each message and each side. Default: they
    /// wait as long as it takes.
    pub fn time_to_live(mut self, limit: Duration) -> Self {
        self.time_to_live = Some(limit);
        self
    }

    /// Gives each message that is thrown away to `told`, with the reason: it has expired, or the last worker has ended for good. It is called by a worker, or by
    /// who ends the last one, and should be brief; its panics are dropped. With or without it, those messages are reported and counted as dead letters.
    pub fn on_discard(mut self, told: impl Fn(M, Discarded) + Send + Sync + 'static) -> Self {
        self.on_discard = Some(Box::new(told));
        self
    }

    /// Refuses all messages for `open_for` after so many failures in a row, with [`Refusal::BreakerOpen`](crate::Refusal::BreakerOpen): a circuit
    /// breaker. Then it lets one message through, as a trial, and closes or opens again by what comes of it.
    ///
    /// A failure is a question ([`PoolAddress::ask`]) that had no reply, or none in time, or a crash of a worker over a message that is no question. An
    /// answer is a success, whatever it says. A message without an answer has passed its trial when nothing has failed for `open_for`.
    ///
    /// # Panics
    /// When `failures` is 0.
    pub fn circuit_breaker(mut self, failures: u32, open_for: Duration) -> Self {
        assert!(failures > 0, "a circuit breaker opens after one failure at least");
        self.breaker = Some((failures, open_for));
        self
    }

    /// Makes the pool's supervisor and its address. The supervisor is a [dynamic](Supervisor::dynamic) one, which has rules of its own, as any other, and is
    /// given to a system or to another supervisor.
    ///
    /// Its intensity is for all workers together: a large pool may need a larger one, or a back-off for its workers.
    pub fn build(self) -> (Supervisor, PoolAddress<M>) {
        let mut supervisor = Supervisor::dynamic(self.name);
        let is_elastic = self.size.min < self.size.max;
        let measures = is_elastic && self.elastic.latency.is_some();
        let fuse = self.breaker.map(|(failures, open_for)| {
            Arc::new(Fuse::new(failures, open_for, supervisor.reference()))
        });
        let rules = Rules {
            route: self.route,
            capacity: self.capacity,
            time_to_live: self.time_to_live,
            stamps: self.time_to_live.is_some() || measures,
            discards: Discards::new(self.on_discard),
            fuse,
            limit: self.limit,
        };
        let Bounds { min, max } = self.size;
        let hub = Arc::new(Hub::new(rules, supervisor.reference(), max, min));
        for slot in 0..min {
            supervisor = supervisor.child((self.hire)(&hub, slot));
        }
        if is_elastic {
            let (hub, elastic, bounds, hire) = (hub.clone(), self.elastic, self.size, self.hire);
            let controller = Arc::new(Controller { hub: hub.clone(), elastic, bounds, hire });
            let process = child(move |cx| control(cx, controller.clone())).named("controller");
            let _ = hub.controller.set(process.address());
            supervisor = supervisor.child(process);
        }
        (supervisor, PoolAddress { hub })
    }
}

impl<M> fmt::Debug for Pool<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("name", &self.name)
            .field("size", &(self.size.min..=self.size.max))
            .field("route", &self.route)
            .finish_non_exhaustive()
    }
}
