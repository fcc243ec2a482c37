//! [`Bastion`] as bastion 0.4 has it.
#![expect(clippy::result_unit_err, reason = "the signatures are those of bastion 0.4")]

use crate::children::Children;
use crate::children_ref::ChildrenRef;
use crate::context::BastionContext;
use crate::global::{STOP_LIMIT, platform, renew};
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
    ///
    /// # Examples
    /// ```
    /// use bastion::prelude::*;
    /// Bastion::init();
    /// Bastion::start();
    /// Bastion::stop();
    /// Bastion::block_until_stopped();
    /// Bastion::init(); // Anew.
    /// ```
    pub fn init() {
        Bastion::init_with(Config::default());
    }

    /// Makes the global platform, also after it was stopped, and applies the configuration. One that exists stays as it is.
    ///
    /// # Examples
    /// ```
    /// use bastion::prelude::*;
    /// Bastion::init_with(Config::new().hide_backtraces());
    /// ```
    pub fn init_with(config: Config) {
        renew();
        config.apply();
    }

    /// Makes a supervisor at the top of the tree.
    ///
    /// # Errors
    /// When the platform was stopped.
    ///
    /// # Examples
    /// ```
    /// use bastion::prelude::*;
    /// let shop = Bastion::supervisor(|shop| {
    ///     shop.with_strategy(SupervisionStrategy::OneForAll)
    ///         .children(|store| store)
    ///         .children(|desk| desk.with_redundancy(3))
    /// });
    /// assert!(shop.is_ok());
    /// ```
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
    ///
    /// # Examples
    /// ```
    /// use bastion::prelude::*;
    /// let group = Bastion::children(|children| children.with_redundancy(3)).unwrap();
    /// assert_eq!(group.elems().len(), 3);
    /// ```
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
    ///
    /// # Examples
    /// ```
    /// use bastion::prelude::*;
    /// let group = Bastion::spawn(|ctx| async move {
    ///     let question = ctx.recv().await?;
    ///     answer!(question, "yes").map_err(|_| ())
    /// });
    /// let answer = group.unwrap().elems()[0].ask_anonymously("well?").unwrap();
    /// Bastion::start();
    /// assert!(run!(answer).is_ok());
    /// # Bastion::kill();
    /// # Bastion::block_until_stopped();
    /// ```
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
    ///
    /// # Examples
    /// ```
    /// use bastion::prelude::*;
    /// Bastion::start();
    /// assert_eq!(Bastion::broadcast("hello, all"), Ok(()));
    /// Bastion::kill();
    /// assert_eq!(Bastion::broadcast("hello, all"), Err("hello, all"));
    /// ```
    pub fn broadcast<M: message::Message>(msg: M) -> Result<(), M> {
        platform(false).broadcast(msg)
    }

    /// Starts what was made so far, in order; what is made later starts at once. Does nothing a second time.
    ///
    /// # Examples
    /// ```
    /// use bastion::prelude::*;
    /// let group = Bastion::spawn(|_ctx| async { Ok(()) }).unwrap();
    /// let answer = group.elems()[0].ask_anonymously("it has not begun").unwrap();
    /// Bastion::start();
    /// assert!(run!(answer).is_err(), "it has ended, and did not answer");
    /// # Bastion::kill();
    /// # Bastion::block_until_stopped();
    /// ```
    pub fn start() {
        platform(false).start();
    }

    /// Begins to stop everything, in reverse order, within 30 seconds; what does not stop in its time is killed. Does not wait: see
    /// [`block_until_stopped`](Bastion::block_until_stopped). After that [`init`](Bastion::init) begins anew.
    ///
    /// # Examples
    /// ```
    /// use bastion::prelude::*;
    /// Bastion::start();
    /// Bastion::stop();
    /// Bastion::block_until_stopped();
    /// assert!(Bastion::children(|children| children).is_err());
    /// ```
    pub fn stop() {
        platform(false).stop(STOP_LIMIT);
    }

    /// Kills everything: processes end where they wait next. Does not wait.
    ///
    /// # Examples
    /// ```
    /// use bastion::prelude::*;
    /// Bastion::start();
    /// Bastion::kill();
    /// Bastion::block_until_stopped();
    /// assert!(Bastion::children(|children| children).is_err());
    /// ```
    pub fn kill() {
        platform(false).kill();
    }

    /// Blocks the calling thread until everything was stopped or killed. Returns at once if it was.
    ///
    /// # Examples
    /// ```
    /// use bastion::prelude::*;
    /// // One that ends the program, when its work is done.
    /// Bastion::spawn(|_ctx| async {
    ///     Bastion::stop();
    ///     Ok(())
    /// })
    /// .unwrap();
    /// Bastion::start();
    /// Bastion::block_until_stopped();
    /// ```
    pub fn block_until_stopped() {
        crate::executor::run(platform(false).ended());
    }
}
