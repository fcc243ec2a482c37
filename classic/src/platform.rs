//! [`Platform`]: a tree of supervisors and groups, in a system. A program has one, behind `Bastion`; tests have many.

use crate::children::Children;
use crate::children_ref::ChildrenRef;
use crate::context::BastionContext;
use crate::hub::Hub;
use crate::message::Message;
use crate::strategy::RestartStrategy;
use crate::supervisor::{self, SupervisorRef};
use crate::sync::lock;
use bastion_supervision::plan::ExitReason;
use bastion_supervision::{Observer, Runtime, Sim, Supervisor, SupervisorRef as Engine, System};
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What `Bastion` is one of: a tree of supervisors and groups of children, in a [`System`] of its own.
///
/// What is made before [`start`](Platform::start) is described and can be written to, and begins to run then, in the order in which it was made; after it, at
/// once. Cloning a platform gives another handle; with the last one its system is killed.
///
/// # Examples
/// ```
/// use bastion_classic::platform::Platform;
/// use bastion_classic::prelude::*;
/// use bastion_supervision::{Runtime, Sim};
/// use std::time::Duration;
/// let sim = Sim::new(1);
/// sim.run(async {
///     let platform = Platform::new(Runtime::sim(&sim));
///     let echo = platform.spawn(|ctx: BastionContext| async move {
///         msg! { ctx.recv().await?,
///             text: &'static str =!> {
///                 answer!(ctx, text).unwrap();
///             };
///             _: _ => ();
///         }
///         Ok(())
///     });
///     let answer = echo.unwrap().elems()[0].ask_anonymously("hello").unwrap();
///     platform.start();
///     let text = msg! { answer.await.unwrap(), text: &'static str => text; _: _ => ""; };
///     assert_eq!(text, "hello");
///     platform.stop(Duration::from_secs(5));
///     platform.ended().await;
/// });
/// ```
#[derive(Clone)]
pub struct Platform(Arc<Inner>);

struct Inner {
    system: System,
    root: SupervisorRef,
    stage: Mutex<Stage>,
}

/// How long what was simulated may take to stop, in its own time.
const SIMULATION_STOP_LIMIT: Duration = Duration::from_secs(10);

enum Stage {
    /// Nothing runs: the root, with what is to be below it.
    Described(Box<Supervisor>),
    Started,
    Stopped,
}

impl Platform {
    /// Makes one without elements, with a new system on this runtime.
    ///
    /// # Examples
    /// ```
    /// use bastion_classic::platform::Platform;
    /// use bastion_supervision::Runtime;
    /// let platform = Platform::new(Runtime::executor());
    /// platform.kill();
    /// ```
    pub fn new(runtime: Runtime) -> Platform {
        let (system, hub) = (System::new(runtime.clone()), Arc::new(Hub::new(runtime)));
        let engine = Supervisor::new("bastion");
        let root = SupervisorRef::hidden(hub, engine.reference());
        let stage = Mutex::new(Stage::Described(Box::new(engine.observed_by(root.rules()))));
        Platform(Arc::new(Inner { system, root, stage }))
    }

    /// Runs a future with a platform of its own, on virtual time and in an order that follows from the seed, then stops the platform. For tests.
    ///
    /// # Panics
    /// With the future's panic, or when nothing can go on any more.
    ///
    /// # Examples
    /// ```
    /// use bastion_classic::platform::Platform;
    /// let stopped = Platform::simulate(7, async |platform| {
    ///     let group = platform.children(|children| children).unwrap();
    ///     platform.start();
    ///     group.elems()[0].ask_anonymously("it ends at once").unwrap().await
    /// });
    /// assert!(stopped.is_err());
    /// ```
    pub fn simulate<F: Future>(seed: u64, test: impl FnOnce(Platform) -> F) -> F::Output {
        let sim = Sim::new(seed);
        let platform = Platform::new(Runtime::sim(&sim));
        sim.run(async {
            let output = test(platform.clone()).await;
            platform.stop(SIMULATION_STOP_LIMIT);
            platform.ended().await;
            output
        })
    }

    /// Returns the system in which everything runs.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// assert_eq!(platform.system().stats().crashes, 0);
    /// # });
    /// ```
    pub fn system(&self) -> &System {
        &self.0.system
    }

    /// Makes a supervisor at the top.
    ///
    /// # Errors
    /// When the platform was stopped.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// let shop = platform.supervisor(|shop| shop.children(|desk| desk)).unwrap();
    /// # });
    /// ```
    pub fn supervisor<S>(&self, init: S) -> Result<SupervisorRef, ()>
    where
        S: FnOnce(supervisor::Supervisor) -> supervisor::Supervisor,
    {
        let supervisor = init(supervisor::Supervisor::new(&self.0.root));
        let reference = supervisor.reference().clone();
        self.add(supervisor.finish(&RestartStrategy::default()))?;
        self.0.root.add_supervisor(&reference);
        Ok(reference)
    }

    /// Makes a group of children below a hidden supervisor, which is one-for-one.
    ///
    /// # Errors
    /// When the platform was stopped.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// let group = platform.children(|children| children.with_redundancy(3)).unwrap();
    /// # });
    /// ```
    pub fn children<C>(&self, init: C) -> Result<ChildrenRef, ()>
    where
        C: FnOnce(Children) -> Children,
    {
        let (described, reference) = init(Children::new()).describe(&self.0.root);
        self.add(described.finish(&RestartStrategy::default()))?;
        self.0.root.add_children(&reference);
        Ok(reference)
    }

    /// Makes a group of one child, which runs this.
    ///
    /// # Errors
    /// When the platform was stopped.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// let group = platform.spawn(|ctx| async move { ctx.recv().await.map(drop) }).unwrap();
    /// assert_eq!(group.elems().len(), 1);
    /// # });
    /// ```
    pub fn spawn<I, F>(&self, action: I) -> Result<ChildrenRef, ()>
    where
        I: Fn(BastionContext) -> F + Send + 'static,
        F: Future<Output = Result<(), ()>> + Send + 'static,
    {
        self.children(|children| children.with_exec(action))
    }

    fn add(&self, element: Supervisor) -> Result<(), ()> {
        let root = self.0.root.engine().clone();
        let forgetting = Forgetting { element: element.reference(), root };
        let element = element.observed_by(Arc::new(forgetting));
        let mut stage = lock(&self.0.stage);
        match &mut *stage {
            Stage::Described(root) => {
                let described = std::mem::replace(&mut **root, Supervisor::new("bastion"));
                **root = described.supervisor(element);
                Ok(())
            }
            Stage::Started => {
                drop(stage);
                self.0.root.engine().spawn_supervisor(element).map(drop).map_err(|_gone| ())
            }
            Stage::Stopped => {
                // What it has captured is foreign.
                drop(stage);
                drop(element);
                Err(())
            }
        }
    }

    /// Sends a message to all children, which share it.
    ///
    /// # Errors
    /// Gives the message back when the platform was stopped.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// assert_eq!(platform.broadcast("hello, all"), Ok(()));
    /// # });
    /// ```
    pub fn broadcast<M: Message>(&self, msg: M) -> Result<(), M> {
        if matches!(*lock(&self.0.stage), Stage::Stopped) {
            return Err(msg);
        }
        self.0.root.broadcast(msg)
    }

    /// Starts what was made so far; what is made later starts at once. Does nothing a second time.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// let group = platform.spawn(|ctx| async move {
    ///     let question = ctx.recv().await?;
    ///     answer!(question, "yes").map_err(|_| ())
    /// });
    /// let child = group.unwrap().elems()[0].clone();
    /// let answer = child.ask_anonymously("well?").unwrap();
    /// platform.start();
    /// assert!(answer.await.is_ok());
    /// # });
    /// ```
    pub fn start(&self) {
        let mut stage = lock(&self.0.stage);
        if let Stage::Described(_) = *stage
            && let Stage::Described(root) = std::mem::replace(&mut *stage, Stage::Started)
        {
            // Refused when the system was stopped by itself.
            let _ = self.0.system.root().spawn_supervisor(*root);
        }
    }

    /// Begins to stop everything, in reverse order: what does not stop in its own time, or in this one, is killed.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// platform.stop(std::time::Duration::from_secs(10));
    /// platform.ended().await;
    /// assert!(platform.children(|children| children).is_err());
    /// # });
    /// ```
    pub fn stop(&self, limit: Duration) {
        self.end();
        self.0.system.ask_to_stop(limit);
    }

    /// Kills everything: processes end where they wait next.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// platform.kill();
    /// platform.ended().await;
    /// assert!(platform.has_ended());
    /// # });
    /// ```
    pub fn kill(&self) {
        self.end();
        self.0.system.kill();
    }

    fn end(&self) {
        let stage = std::mem::replace(&mut *lock(&self.0.stage), Stage::Stopped);
        // What was never started: foreign code.
        drop(stage);
    }

    /// Waits until everything has stopped, but for processes that never yield.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// platform.kill();
    /// platform.ended().await;
    /// # });
    /// ```
    pub fn ended(&self) -> impl Future<Output = ExitReason> + Send + use<> {
        let system = self.0.system.clone();
        async move {
            let reason = system.ended().await;
            // After a kill there are processes that have still to hear of it.
            system.stop(Duration::ZERO).await;
            reason
        }
    }

    /// Says whether it was stopped or killed, or has ended by itself: nothing can be made here any more.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// platform.stop(std::time::Duration::from_secs(10));
    /// assert!(platform.has_stopped());
    /// # });
    /// ```
    pub fn has_stopped(&self) -> bool {
        self.has_ended() || matches!(*lock(&self.0.stage), Stage::Stopped)
    }

    /// Says whether everything has stopped.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// assert!(!platform.has_ended());
    /// # });
    /// ```
    pub fn has_ended(&self) -> bool {
        self.0.system.has_ended()
    }
}

/// Has an element at the top forgotten when it has stopped: none there is ever restarted with another one.
struct Forgetting {
    element: Engine,
    root: Engine,
}

impl Observer for Forgetting {
    fn stopped(&self) {
        // Said too early, before the root has heard of the end, it does nothing; then it is said again.
        let _ = self.root.request_delete(self.element.name());
    }
}

impl fmt::Debug for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Platform").field("system", &self.0.system).finish_non_exhaustive()
    }
}
