//! The rate limit of a pool: the generic cell rate algorithm of `governor`, by the system's clock.

use super::Pool;
use crate::runtime::Runtime;
use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use std::num::NonZeroU32;
use std::sync::OnceLock;
use std::time::Duration;

type Limiter = RateLimiter<NotKeyed, InMemoryState, SystemClock, NoOpMiddleware<Duration>>;

/// Lets so many messages through in so much time.
pub(super) struct Limit {
    quota: Quota,
    /// Made when the pool has a clock.
    limiter: OnceLock<Limiter>,
}

/// The clock of a system, real or virtual.
struct SystemClock(Runtime);

impl Clock for SystemClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.now().as_duration()
    }
}

impl Limit {
    /// Lets a message through, or says in what time to try again.
    pub(super) fn admit(&self, runtime: &Runtime) -> Result<(), Duration> {
        let limiter = self.limiter.get_or_init(|| {
            RateLimiter::direct_with_clock(self.quota, SystemClock(runtime.clone()))
        });
        limiter.check().map_err(|refused| refused.wait_time_from(runtime.now().as_duration()))
    }
}

impl<M: Send + 'static> Pool<M> {
    /// Takes no more than so many messages in a period, in any way that they are spread: after a rest all of them at once, later as they leave room,
    /// one in each so-manieth part of the period. What is too much is refused, and `send` waits for its turn. It begins with the start
    /// of the pool. Default: no limit.
    ///
    /// # Panics
    /// When the number, or the share of the period that each message has, is zero.
    ///
    /// # Examples
    /// ```
    /// use bastion_supervision::{Context, Pool, Refusal, Runtime, Sim, System};
    /// use std::time::Duration;
    /// let (pool, mails) = Pool::new("mails", |mut cx: Context<String>| async move {
    ///     while let Some(mail) = cx.recv().await {
    ///         println!("{mail}");
    ///     }
    ///     Ok(())
    /// })
    /// .rate_limit(2, Duration::from_secs(1))
    /// .build();
    /// let sim = Sim::new(1);
    /// sim.run(async {
    ///     let system = System::new(Runtime::sim(&sim));
    ///     system.supervise(pool).await.unwrap();
    ///     mails.tell("one".into()).unwrap();
    ///     mails.tell("two".into()).unwrap();
    ///     let refused = mails.tell("three".into()).unwrap_err();
    ///     assert_eq!(refused.refusal, Refusal::RateLimited { retry_after: Duration::from_millis(500) });
    ///     mails.send(refused.message).await.unwrap();
    ///     assert_eq!(sim.now(), Duration::from_millis(500));
    /// });
    /// ```
    pub fn rate_limit(mut self, messages: u32, period: Duration) -> Self {
        let Some(burst) = NonZeroU32::new(messages) else {
            panic!("a pool takes one message at least in a period")
        };
        let Some(quota) = Quota::with_period(period / messages) else {
            panic!("a message has a share of the period that is not zero")
        };
        self.limit = Some(Limit { quota: quota.allow_burst(burst), limiter: OnceLock::new() });
        self
    }
}
