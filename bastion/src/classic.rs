//! [`Bastion`] as bastion 0.4 has it.
#![expect(clippy::result_unit_err, reason = "the signatures are those of bastion 0.4")]

use crate::children::Children;
use crate::children_ref::ChildrenRef;
use crate::context::BastionContext;
use crate::global::{STOP_LIMIT, platform};
use crate::supervisor::{Supervisor, SupervisorRef};
use crate::{Bastion, Config, message};
use std::future::Future;

/// The API of bastion 0.4. What is made before [`Bastion::start`] begins to run then; after it, at once.
///
/// # Examples
/// ```
/// use bastion::prelude::*;
/// Bastion::init();
/// Bastion::children(|children| {
///     children.with_redundancy(2).with_exec(|ctx: BastionContext| async move {
///         println!("child {} runs", ctx.current().id());
///         Ok(())
///     })
/// })
/// .expect("it was not stopped");
/// Bastion::start();
/// Bastion::stop();
/// Bastion::block_until_stopped();
/// ```
impl Bastion {
    /// Begins with the default [`Config`]: see [`init_with`](Bastion::init_with).
    pub fn init() {
        Bastion::init_with(Config::default());
    }

    /// Makes the global platform, also after it was stopped, and applies the configuration. One that exists stays as it is.
    pub fn init_with(config: Config) {
        platform(true);
        config.apply();
    }

    /// Makes a supervisor at the top of the tree.
    ///
    /// # Errors
    /// When the platform was stopped.
    pub fn supervisor<S>(init: S) -> Result<SupervisorRef, ()>
    where
        S: FnOnce(Supervisor) -> Supervisor,
    {
        platform(false).supervisor(init)
    }

    /// Makes a group of children below a hidden supervisor, whose strategy is one-for-one.
    ///
    /// # Errors
    /// When the platform was stopped.
    pub fn children<C>(init: C) -> Result<ChildrenRef, ()>
    where
        C: FnOnce(Children) -> Children,
    {
        platform(false).children(init)
    }

    /// Makes a group of one child, which runs this.
    ///
    /// # Errors
    /// When the platform was stopped.
    pub fn spawn<I, F>(action: I) -> Result<ChildrenRef, ()>
    where
        I: Fn(BastionContext) -> F + Send + 'static,
        F: Future<Output = Result<(), ()>> + Send + 'static,
    {
        platform(false).spawn(action)
    }

    /// Sends a message to all children, which share it.
    ///
    /// # Errors
    /// Gives the message back when the platform was stopped.
    pub fn broadcast<M: message::Message>(msg: M) -> Result<(), M> {
        platform(false).broadcast(msg)
    }

    /// Starts what was made so far, in order; what is made later starts at once. Does nothing a second time.
    pub fn start() {
        platform(false).start();
    }

    /// Begins to stop everything, in reverse order, within 30 seconds; what does not stop in its time is killed. Does not wait: see
    /// [`block_until_stopped`](Bastion::block_until_stopped). After that [`init`](Bastion::init) begins anew.
    pub fn stop() {
        platform(false).stop(STOP_LIMIT);
    }

    /// Kills everything: processes end where they wait next. Does not wait.
    pub fn kill() {
        platform(false).kill();
    }

    /// Blocks the calling thread until everything was stopped or killed. Returns at once if it was.
    pub fn block_until_stopped() {
        crate::executor::run(platform(false).ended());
    }
}
