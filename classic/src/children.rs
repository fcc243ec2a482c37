//! [`Children`]: the description of a group of children.

use crate::callbacks::Callbacks;
use crate::child;
use crate::child_ref::ChildRef;
use crate::children_ref::{ChildrenRef, Group};
use crate::context::{BastionContext, BastionId};
use crate::crowd::{self, Crowd};
use crate::dispatcher::Dispatcher;
use crate::distributor::Distributor;
use crate::element::Element;
use crate::envelope::SignedMessage;
use crate::exec::Exec;
use crate::path::BastionPathElement;
use crate::resizer::OptimalSizeExploringResizer;
use crate::strategy::RestartStrategy;
use crate::supervisor::SupervisorRef;
use bastion_supervision::plan::RestartType;
use bastion_supervision::{Child, Supervisor};
use std::fmt;
use std::future::Future;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Describes a group: children that run the same, under one supervisor. It is given to a closure, which returns it.
///
/// A child that ends with `Ok(())` has ended; one that ends with `Err(())`, or panics, is restarted, as its supervisor's strategies say: alone under
/// [`OneForOne`](crate::supervisor::SupervisionStrategy::OneForOne), with its group under the others. The group has stopped when none of its children is left.
///
/// # Examples
/// ```
/// use bastion_classic::prelude::*;
/// fn workers(children: Children) -> Children {
///     children
///         .with_name("workers")
///         .with_redundancy(3)
///         .with_exec(|ctx: BastionContext| async move {
///             loop {
///                 msg! { ctx.recv().await?,
///                     job: u32 => println!("{job}");
///                     _: _ => ();
///                 }
///             }
///         })
/// }
/// ```
pub struct Children {
    id: BastionId,
    name: Arc<str>,
    exec: Exec,
    redundancy: usize,
    callbacks: Callbacks,
    dispatchers: Vec<Dispatcher>,
    distributors: Vec<Distributor>,
    resizer: Option<OptimalSizeExploringResizer>,
    tick: Duration,
}

impl Children {
    pub(crate) fn new() -> Children {
        Children {
            id: BastionId::new(),
            name: "__Anonymous__".into(),
            exec: Exec::default(),
            redundancy: 1,
            callbacks: Callbacks::default(),
            dispatchers: Vec::new(),
            distributors: Vec::new(),
            resizer: None,
            tick: Duration::from_secs(60),
        }
    }

    /// Returns the id that the group will have.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// let mut id = None;
    /// let group = platform.children(|children| {
    ///     id = Some(children.id().clone());
    ///     children
    /// });
    /// assert_eq!(Some(group.unwrap().id()), id.as_ref());
    /// # });
    /// ```
    pub fn id(&self) -> &BastionId {
        &self.id
    }

    /// Sets the name of the children: see [`ChildRef::name`]. Default: `__Anonymous__`.
    ///
    /// # Examples
    /// ```
    /// use bastion_classic::prelude::*;
    /// fn workers(children: Children) -> Children {
    ///     children.with_name("worker")
    /// }
    /// ```
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into().into();
        self
    }

    /// Sets what the children run: it is called for every child, at each of its starts. Default: they end at once.
    ///
    /// Children of one group call it one after another, since it need not be `Sync`; what it returns runs on its own.
    ///
    /// # Examples
    /// ```
    /// use bastion_classic::prelude::*;
    /// async fn work(ctx: BastionContext) -> Result<(), ()> {
    ///     loop {
    ///         let _message = ctx.recv().await?;
    ///     }
    /// }
    /// fn workers(children: Children) -> Children {
    ///     children.with_exec(work)
    /// }
    /// ```
    pub fn with_exec<I, F>(mut self, init: I) -> Self
    where
        I: Fn(BastionContext) -> F + Send + 'static,
        F: Future<Output = Result<(), ()>> + Send + 'static,
    {
        self.exec = Exec::new(init);
        self
    }

    /// Sets how many children the group has; with a resizer, how many at least. Default: 1, which 0 means too.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// let group = platform.children(|children| children.with_redundancy(3)).unwrap();
    /// assert_eq!(group.elems().len(), 3);
    /// # });
    /// ```
    pub fn with_redundancy(mut self, redundancy: usize) -> Self {
        self.redundancy = redundancy.max(1);
        self.resizer = self.resizer.map(|resizer| resizer.with_lower_bound(redundancy as u64));
        self
    }

    /// Lets the group grow and shrink by these rules. It begins with the lower bound, which takes the place of the redundancy.
    ///
    /// A child that is to go handles what was sent to it before, and then receives an error, as when it is stopped. One that ends by itself is not
    /// replaced. When its supervisor restarts the group, it begins anew.
    pub fn with_resizer(mut self, resizer: OptimalSizeExploringResizer) -> Self {
        self.redundancy = resizer.lower();
        self.resizer = Some(resizer);
        self
    }

    /// Makes the children members of a dispatcher. If another group has one of this name, it is that one.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// let name = DispatcherType::Named("news".to_owned());
    /// let dispatcher = Dispatcher::with_type(name.clone());
    /// let group = platform.children(|children| children.with_dispatcher(dispatcher)).unwrap();
    /// assert_eq!(group.dispatchers(), &[name]);
    /// # });
    /// ```
    pub fn with_dispatcher(mut self, dispatcher: Dispatcher) -> Self {
        self.dispatchers.push(dispatcher);
        self
    }

    /// Makes the children members of a distributor. It is known from now on, and has no members until they run.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// let staff = Distributor::named("staff of with_distributor");
    /// let group = platform.children(|children| children.with_distributor(staff)).unwrap();
    /// assert_eq!(group.distributors(), &[staff]);
    /// assert!(matches!(staff.tell_one("hello"), Err(SendError::EmptyRecipient)));
    /// # });
    /// ```
    pub fn with_distributor(mut self, distributor: Distributor) -> Self {
        distributor.open();
        self.distributors.push(distributor);
        self
    }

    /// Sets what is called when the group starts, is restarted, and stops.
    ///
    /// # Examples
    /// ```
    /// use bastion_classic::prelude::*;
    /// fn workers(children: Children) -> Children {
    ///     children.with_callbacks(Callbacks::new().with_after_stop(|| println!("all have ended")))
    /// }
    /// ```
    pub fn with_callbacks(mut self, callbacks: Callbacks) -> Self {
        self.callbacks = callbacks;
        self
    }

    /// Sets how often a group with a resizer looks whether it has the right size. Default: 60 seconds. Nothing else needs a tick; zero is
    /// taken for a millisecond.
    ///
    /// # Examples
    /// ```
    /// use bastion_classic::prelude::*;
    /// fn workers(children: Children) -> Children {
    ///     children.with_heartbeat_tick(std::time::Duration::from_secs(5))
    /// }
    /// ```
    pub fn with_heartbeat_tick(mut self, interval: Duration) -> Self {
        self.tick = interval.max(Duration::from_millis(1));
        self
    }

    /// Makes the group, of which nothing runs yet.
    pub(crate) fn describe(self, above: &SupervisorRef) -> (Described, ChildrenRef) {
        let hub = above.hub();
        let label = format!("children {}", self.id);
        let engine = Supervisor::dynamic(label);
        let element = Arc::new(Element::default());
        element.set_callbacks(self.callbacks);
        let path = above.path().append(BastionPathElement::Children(self.id.clone()));
        let dispatcher_types = self.dispatchers.iter().map(Dispatcher::dispatcher_type).collect();
        let dispatchers = self.dispatchers.into_iter();
        let group = Arc::new(Group {
            id: self.id,
            name: self.name,
            path: path.expect("a group is below a supervisor"),
            element: element.clone(),
            engine: engine.reference(),
            above: above.clone(),
            dispatchers: dispatchers.map(|dispatcher| hub.dispatchers().join(dispatcher)).collect(),
            dispatcher_types,
            distributors: self.distributors,
            elems: OnceLock::new(),
            crowd: self.resizer.map(|resizer| Crowd::new(resizer, self.tick)),
        });
        let describe = |_| child::describe(&group, self.exec.clone());
        let (children, elems): (Vec<_>, Vec<ChildRef>) = (0..self.redundancy).map(describe).unzip();
        if let Some(crowd) = &group.crowd {
            crowd.set_present(&elems);
        }
        group.elems.get_or_init(|| elems.into());
        let engine = engine.observed_by(element).observed_by(group.clone());
        let described = Described { engine, children, exec: self.exec, group: group.clone() };
        (described, ChildrenRef::new(group))
    }
}

impl fmt::Debug for Children {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Children")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("redundancy", &self.redundancy)
            .field("callbacks", &self.callbacks)
            .field("dispatchers", &self.dispatchers)
            .field("distributors", &self.distributors)
            .field("resizer", &self.resizer)
            .finish_non_exhaustive()
    }
}

/// A group to which its supervisor's rules have still to be applied.
pub(crate) struct Described {
    engine: Supervisor,
    children: Vec<Child<SignedMessage>>,
    exec: Exec,
    group: Arc<Group>,
}

impl Described {
    /// Applies the rules of the supervisor that it is below: to its children, one by one, and to the group, as a whole.
    pub(crate) fn finish(self, restart: &RestartStrategy) -> Supervisor {
        let (policy, backoff) = (restart.policy(), restart.backoff());
        let engine = self
            .engine
            .gives_up_with_error()
            .restart(RestartType::Transient)
            .policy(policy)
            .backoff(backoff);
        let add = |engine: Supervisor, child: Child<_>| {
            engine.child(child.policy(policy).backoff(backoff))
        };
        let engine = self.children.into_iter().fold(engine, add);
        if self.group.crowd.is_none() {
            return engine;
        }
        // Last: it finds the others there.
        engine.child(crowd::describe(self.group, self.exec, restart.clone()))
    }
}
