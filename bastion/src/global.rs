//! [`Bastion`]: the one platform of a program that wants no more than one. What its processes need that say what they receive is here; what bastion 0.4
//! has is in `classic`.

use crate::platform::Platform;
use crate::{
    Address, Child, Gone, Runtime, StartChildError, Stopped, Supervisor, SupervisorRef, System,
    Tree,
};
use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

static PLATFORM: Mutex<Option<Platform>> = Mutex::new(None);

/// How long [`Bastion::run`], and with it `#[bastion::main]`, waits at most for the processes to stop; and [`Bastion::stop`].
pub(crate) const STOP_LIMIT: Duration = Duration::from_secs(30);

/// The global platform, and its system.
///
/// All it has is one [`Platform`] on the global executor; a program with more than one, and every test, makes its own.
///
/// # Examples
/// ```
/// use bastion::prelude::*;
/// Bastion::init();
/// Bastion::start();
/// Bastion::stop();
/// Bastion::block_until_stopped();
/// ```
#[derive(Debug)]
pub struct Bastion;

/// Returns the global platform. It is made when it is first asked for; if `anew`, also when it has ended.
pub(crate) fn platform(anew: bool) -> Platform {
    platform_unless(|platform| anew && platform.has_ended())
}

/// Makes a new global platform if the one that there is was stopped, though not all of it may have ended yet.
pub(crate) fn renew() {
    platform_unless(Platform::has_stopped);
}

fn platform_unless(is_over: impl FnOnce(&Platform) -> bool) -> Platform {
    let mut global = PLATFORM.lock().unwrap_or_else(PoisonError::into_inner);
    let old = global.take_if(|platform| is_over(platform));
    let platform = global.get_or_insert_with(|| Platform::new(Runtime::executor())).clone();
    drop(global);
    drop(old);
    platform
}

/// Returns the global platform, if there is one.
pub(crate) fn existing() -> Option<Platform> {
    PLATFORM.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

impl Bastion {
    /// Returns the global system, a new one after it was stopped.
    ///
    /// # Examples
    /// ```
    /// use bastion::typed::*;
    /// assert_eq!(Bastion::system().stats().crashes, 0);
    /// ```
    pub fn system() -> System {
        platform(true).system().clone()
    }

    /// Starts a process and does not wait: see [`System::spawn_child`].
    ///
    /// # Errors
    /// [`Gone`] when the global system is being stopped.
    ///
    /// # Examples
    /// ```
    /// use bastion::typed::*;
    /// async fn hello(mut cx: Context<Reply<&'static str>>) -> Result<(), Exit> {
    ///     while let Some(reply) = cx.recv().await {
    ///         reply.send("hello");
    ///     }
    ///     Ok(())
    /// }
    /// Bastion::run(async {
    ///     let greeter = Bastion::spawn_child(child(hello)).unwrap();
    ///     assert_eq!(greeter.ask(|reply| reply).await, Ok("hello"));
    /// });
    /// ```
    pub fn spawn_child<M: Send + 'static>(child: Child<M>) -> Result<Address<M>, Gone> {
        Bastion::system().spawn_child(child)
    }

    /// Starts a supervisor and waits until its children are started: see [`System::supervise`].
    ///
    /// # Errors
    /// When it cannot be started; nothing of it is left then.
    ///
    /// # Examples
    /// ```
    /// use bastion::typed::*;
    /// async fn hello(mut cx: Context<Reply<&'static str>>) -> Result<(), Exit> {
    ///     while let Some(reply) = cx.recv().await {
    ///         reply.send("hello");
    ///     }
    ///     Ok(())
    /// }
    /// Bastion::run(async {
    ///     let greeter = child(hello).named("greeter");
    ///     let address = greeter.address();
    ///     Bastion::supervise(Supervisor::new("shop").child(greeter)).await.unwrap();
    ///     assert_eq!(address.ask(|reply| reply).await, Ok("hello"));
    /// });
    /// ```
    pub async fn supervise(supervisor: Supervisor) -> Result<SupervisorRef, StartChildError> {
        Bastion::system().supervise(supervisor).await
    }

    /// Asks every supervisor for its children.
    ///
    /// # Examples
    /// ```
    /// use bastion::typed::*;
    /// Bastion::run(async {
    ///     Bastion::supervise(Supervisor::new("shop")).await.unwrap();
    ///     assert!(Bastion::tree().await.to_string().contains("shop"));
    /// });
    /// ```
    pub async fn tree() -> Tree {
        Bastion::system().tree().await
    }

    /// Stops everything in order, within `limit`, and waits for it; see [`System::stop`]. Does nothing when there is nothing to stop.
    ///
    /// # Examples
    /// ```
    /// use bastion::typed::*;
    /// use std::time::Duration;
    /// let stopped = bastion::executor::run(Bastion::stop_within(Duration::from_secs(5)));
    /// assert!(stopped.forced.is_empty());
    /// ```
    pub async fn stop_within(limit: Duration) -> Stopped {
        let Some(platform) = existing() else { return Stopped::default() };
        platform.stop(limit);
        platform.system().stop(limit).await
    }

    /// Waits for a signal that asks the program to end, then stops everything in order, within `limit`: see
    /// [`System::stop_on_signal`].
    ///
    /// # Errors
    /// When the program handles these signals already, otherwise than through this; or when the system refuses.
    ///
    /// # Examples
    /// ```
    /// use bastion::typed::*;
    /// use std::time::Duration;
    /// # async fn example() {
    /// // With Ctrl-C, in order, and in half a minute at most.
    /// let stopped = Bastion::stop_on_signal(Duration::from_secs(30)).await;
    /// # }
    /// ```
    #[cfg(feature = "signals")]
    pub async fn stop_on_signal(limit: Duration) -> Result<Stopped, crate::SignalError> {
        Bastion::system().stop_on_signal(limit).await
    }

    /// Runs a future on the calling thread, then stops the global system in order, within 30 seconds. What `#[bastion::main]` does.
    ///
    /// # Panics
    /// With the future's panic; the system is then not stopped in order.
    ///
    /// # Examples
    /// ```
    /// use bastion::typed::*;
    /// assert_eq!(Bastion::run(async { 40 + 2 }), 42);
    /// ```
    pub fn run<F: Future>(main: F) -> F::Output {
        let output = crate::executor::run(main);
        crate::executor::run(Bastion::stop_within(STOP_LIMIT));
        output
    }
}
