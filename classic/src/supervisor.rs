//! [`Supervisor`]: the description of a supervisor; and [`SupervisorRef`], how others reach it.

mod reference;

pub use crate::strategy::{
    ActorRestartStrategy, RestartPolicy, RestartStrategy, SupervisionStrategy,
};
pub use reference::SupervisorRef;

use crate::callbacks::Callbacks;
use crate::children::{self, Children};
use crate::children_ref::ChildrenRef;
use crate::context::BastionId;
use crate::sync::lock;
use bastion_supervision::plan::RestartType;
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// Describes a supervisor and its elements: other supervisors, and groups of children. It is given to a closure, which returns it.
///
/// Its rules are for the elements that are added before and after them alike. It bears any number of failures.
///
/// # Examples
/// ```
/// use bastion_classic::prelude::*;
/// fn shop(supervisor: Supervisor) -> Supervisor {
///     supervisor
///         .with_strategy(SupervisionStrategy::RestForOne)
///         .children(|store| store.with_exec(|_ctx| async { Ok(()) }))
///         .supervisor(|desks| desks.children(|desk| desk.with_redundancy(3)))
/// }
/// ```
pub struct Supervisor {
    reference: SupervisorRef,
    engine: bastion_supervision::Supervisor,
    strategy: SupervisionStrategy,
    restart: RestartStrategy,
    callbacks: Callbacks,
    /// In the order in which they were added. Behind a lock because groups are added through a shared reference.
    elements: Mutex<Vec<Element>>,
}

enum Element {
    Supervisor(Supervisor),
    Children(children::Described),
}

impl Supervisor {
    pub(crate) fn new(above: &SupervisorRef) -> Supervisor {
        let id = BastionId::new();
        let engine = bastion_supervision::Supervisor::new(format!("supervisor {id}"));
        Supervisor {
            reference: SupervisorRef::below(above, id, engine.reference()),
            engine,
            strategy: SupervisionStrategy::default(),
            restart: RestartStrategy::default(),
            callbacks: Callbacks::default(),
            elements: Mutex::default(),
        }
    }

    pub(crate) fn reference(&self) -> &SupervisorRef {
        &self.reference
    }

    /// Returns the id that the supervisor will have.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// let mut id = None;
    /// let supervisor = platform.supervisor(|supervisor| {
    ///     id = Some(supervisor.id().clone());
    ///     supervisor
    /// });
    /// assert_eq!(Some(supervisor.unwrap().id()), id.as_ref());
    /// # });
    /// ```
    pub fn id(&self) -> &BastionId {
        self.reference.id()
    }

    /// Adds a supervisor, after what was added before.
    ///
    /// # Examples
    /// ```
    /// use bastion_classic::prelude::*;
    /// fn shop(supervisor: Supervisor) -> Supervisor {
    ///     supervisor.supervisor(|desks| desks.children(|desk| desk.with_redundancy(3)))
    /// }
    /// ```
    pub fn supervisor<S>(mut self, init: S) -> Self
    where
        S: FnOnce(Supervisor) -> Supervisor,
    {
        self.supervisor_ref(init);
        self
    }

    /// Adds a supervisor, and returns its reference.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// let mut desks = None;
    /// platform.supervisor(|mut shop| {
    ///     desks = Some(shop.supervisor_ref(|desks| desks));
    ///     shop
    /// });
    /// assert!(desks.unwrap().broadcast("good morning").is_ok());
    /// # });
    /// ```
    pub fn supervisor_ref<S>(&mut self, init: S) -> SupervisorRef
    where
        S: FnOnce(Supervisor) -> Supervisor,
    {
        let supervisor = init(Supervisor::new(&self.reference));
        let reference = supervisor.reference.clone();
        self.reference.add_supervisor(&reference);
        lock(&self.elements).push(Element::Supervisor(supervisor));
        reference
    }

    /// Adds a group of children, after what was added before.
    ///
    /// # Examples
    /// ```
    /// use bastion_classic::prelude::*;
    /// fn shop(supervisor: Supervisor) -> Supervisor {
    ///     supervisor.children(|store| store).children(|desk| desk.with_redundancy(3))
    /// }
    /// ```
    pub fn children<C>(self, init: C) -> Self
    where
        C: FnOnce(Children) -> Children,
    {
        self.children_ref(init);
        self
    }

    /// Adds a group of children, and returns its reference.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// let mut desks = None;
    /// platform.supervisor(|shop| {
    ///     desks = Some(shop.children_ref(|desk| desk.with_redundancy(3)));
    ///     shop
    /// });
    /// assert_eq!(desks.unwrap().elems().len(), 3);
    /// # });
    /// ```
    pub fn children_ref<C>(&self, init: C) -> ChildrenRef
    where
        C: FnOnce(Children) -> Children,
    {
        let (described, reference) = init(Children::new()).describe(&self.reference);
        self.reference.add_children(&reference);
        lock(&self.elements).push(Element::Children(described));
        reference
    }

    /// Sets who is restarted when an element fails. Default: [`SupervisionStrategy::OneForOne`].
    ///
    /// # Examples
    /// ```
    /// use bastion_classic::prelude::*;
    /// fn shop(supervisor: Supervisor) -> Supervisor {
    ///     supervisor.with_strategy(SupervisionStrategy::OneForAll)
    /// }
    /// ```
    pub fn with_strategy(mut self, strategy: SupervisionStrategy) -> Self {
        self.strategy = strategy;
        self
    }

    /// Sets how often, and after how long, elements that failed are restarted. Default: always, and at once.
    ///
    /// # Examples
    /// ```
    /// use bastion_classic::prelude::*;
    /// fn shop(supervisor: Supervisor) -> Supervisor {
    ///     let thrice = RestartStrategy::default().with_restart_policy(RestartPolicy::Tries(3));
    ///     supervisor.with_restart_strategy(thrice)
    /// }
    /// ```
    pub fn with_restart_strategy(mut self, restart_strategy: RestartStrategy) -> Self {
        self.restart = restart_strategy;
        self
    }

    /// Sets what is called when the supervisor starts, is restarted, and stops.
    ///
    /// # Examples
    /// ```
    /// use bastion_classic::prelude::*;
    /// fn shop(supervisor: Supervisor) -> Supervisor {
    ///     supervisor.with_callbacks(Callbacks::new().with_before_start(|| println!("opens")))
    /// }
    /// ```
    pub fn with_callbacks(mut self, callbacks: Callbacks) -> Self {
        self.callbacks = callbacks;
        self
    }

    /// Applies the rules of the supervisor that it is below; its own are applied to its elements.
    pub(crate) fn finish(self, above: &RestartStrategy) -> bastion_supervision::Supervisor {
        let Supervisor { reference, engine, strategy, restart, callbacks, elements } = self;
        reference.settle(strategy, restart.clone(), callbacks);
        let engine = engine
            .observed_by(reference.element().clone())
            .observed_by(reference.rules())
            .restart(RestartType::Transient)
            .policy(above.policy())
            .backoff(above.backoff());
        let elements = elements.into_inner().unwrap_or_else(PoisonError::into_inner);
        elements.into_iter().fold(engine, |engine, element| {
            engine.supervisor(match element {
                Element::Supervisor(supervisor) => supervisor.finish(&restart),
                Element::Children(children) => children.finish(&restart),
            })
        })
    }
}

impl fmt::Debug for Supervisor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Supervisor")
            .field("id", self.id())
            .field("strategy", &self.strategy)
            .field("restart_strategy", &self.restart)
            .field("callbacks", &self.callbacks)
            .field("elements", &lock(&self.elements).len())
            .finish_non_exhaustive()
    }
}
