//! [`SupervisorRef`]: how others reach a supervisor.

use super::{RestartStrategy, SupervisionStrategy, Supervisor};
use crate::callbacks::Callbacks;
use crate::children::Children;
use crate::children_ref::{ChildrenRef, Group};
use crate::context::BastionId;
use crate::element::Element;
use crate::hub::Hub;
use crate::message::{Message, Msg};
use crate::path::{BastionPath, BastionPathElement};
use crate::strategy;
use crate::sync::lock;
use bastion_mailbox::Value;
use bastion_supervision::plan::Settings;
use bastion_supervision::{Observer, SupervisorRef as Engine};
use std::fmt;
use std::sync::{Arc, Mutex, Weak};

/// A supervisor. It stays valid when that is restarted.
///
/// # Examples
/// ```
/// # use bastion_classic::{platform::Platform, prelude::*};
/// # Platform::simulate(1, async |platform| {
/// let shop = platform.supervisor(|shop| shop).unwrap();
/// platform.start();
/// let desks = shop.children(|desk| desk.with_redundancy(3)).unwrap();
/// # });
/// ```
#[derive(Clone)]
pub struct SupervisorRef(Arc<Cell>);

/// What is known of a supervisor.
pub(crate) struct Cell {
    id: BastionId,
    path: Arc<BastionPath>,
    element: Arc<Element>,
    engine: Engine,
    /// Its own supervisor; the hidden one at the root has none.
    above: Option<SupervisorRef>,
    hub: Arc<Hub>,
    rules: Mutex<Rules>,
    members: Mutex<Vec<Member>>,
}

/// What is applied to elements that are added later.
#[derive(Default)]
struct Rules {
    strategy: SupervisionStrategy,
    restart: RestartStrategy,
}

/// An element, for broadcasts and changes of the strategy. Those who run keep themselves.
enum Member {
    Supervisor(Weak<Cell>),
    Children(Weak<Group>),
}

/// Its strategy may have been changed since it was described.
impl Observer for Cell {
    fn rules(&self) -> Option<Settings> {
        Some(strategy::supervisor_settings(&lock(&self.rules).strategy))
    }
}

impl SupervisorRef {
    /// The hidden supervisor at the root, below which everything is.
    pub(crate) fn hidden(hub: Arc<Hub>, engine: Engine) -> SupervisorRef {
        SupervisorRef::new(BastionId::new(), &BastionPath::root(), engine, None, hub)
    }

    pub(super) fn below(above: &SupervisorRef, id: BastionId, engine: Engine) -> SupervisorRef {
        // The hidden one is not shown above other supervisors.
        let root = BastionPath::root();
        let path = if above.is_hidden() { &root } else { above.path() };
        SupervisorRef::new(id, path, engine, Some(above.clone()), above.0.hub.clone())
    }

    fn new(
        id: BastionId,
        above_path: &Arc<BastionPath>,
        engine: Engine,
        above: Option<SupervisorRef>,
        hub: Arc<Hub>,
    ) -> SupervisorRef {
        let path = above_path.append(BastionPathElement::Supervisor(id.clone()));
        let path = path.expect("a supervisor is below the root or a supervisor");
        let (element, rules, members) = Default::default();
        SupervisorRef(Arc::new(Cell { id, path, element, engine, above, hub, rules, members }))
    }

    pub(super) fn settle(
        &self,
        strategy: SupervisionStrategy,
        restart: RestartStrategy,
        callbacks: Callbacks,
    ) {
        *lock(&self.0.rules) = Rules { strategy, restart };
        self.0.element.set_callbacks(callbacks);
    }

    pub(crate) fn is_hidden(&self) -> bool {
        self.0.above.is_none()
    }

    pub(crate) fn hub(&self) -> &Hub {
        &self.0.hub
    }

    pub(crate) fn path(&self) -> &Arc<BastionPath> {
        &self.0.path
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.0.engine
    }

    /// Who its strategy is for: each of its elements.
    pub(crate) fn supervision(&self) -> SupervisionStrategy {
        lock(&self.0.rules).strategy.clone()
    }

    fn restart_strategy(&self) -> RestartStrategy {
        lock(&self.0.rules).restart.clone()
    }

    /// Says by which rules it begins.
    pub(crate) fn rules(&self) -> Arc<dyn Observer> {
        self.0.clone()
    }

    pub(super) fn element(&self) -> &Arc<Element> {
        &self.0.element
    }

    pub(crate) fn add_supervisor(&self, supervisor: &SupervisorRef) {
        self.add(Member::Supervisor(Arc::downgrade(&supervisor.0)));
    }

    pub(crate) fn add_children(&self, children: &ChildrenRef) {
        self.add(Member::Children(Arc::downgrade(&children.0)));
    }

    fn add(&self, member: Member) {
        let mut members = lock(&self.0.members);
        // At each doubling, so that it costs nothing in the mean.
        if members.len() == members.capacity() {
            members.retain(Member::exists);
        }
        members.push(member);
    }

    fn members(&self) -> Vec<Either> {
        lock(&self.0.members).iter().filter_map(Member::upgrade).collect()
    }

    /// Returns the supervisor's id.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// let shop = platform.supervisor(|shop| shop).unwrap();
    /// platform.start();
    /// let other = platform.supervisor(|other| other).unwrap();
    /// assert_ne!(shop.id(), other.id());
    /// # });
    /// ```
    pub fn id(&self) -> &BastionId {
        &self.0.id
    }

    /// Starts a supervisor below this one, after its other elements.
    ///
    /// # Errors
    /// When this one has stopped.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// let shop = platform.supervisor(|shop| shop).unwrap();
    /// platform.start();
    /// let desks = shop.supervisor(|desks| desks.children(|desk| desk)).unwrap();
    /// # });
    /// ```
    pub fn supervisor<S>(&self, init: S) -> Result<SupervisorRef, ()>
    where
        S: FnOnce(Supervisor) -> Supervisor,
    {
        let supervisor = init(Supervisor::new(self));
        let reference = supervisor.reference().clone();
        let engine = supervisor.finish(&self.restart_strategy());
        self.start(engine)?;
        self.add_supervisor(&reference);
        Ok(reference)
    }

    /// Starts a group of children below this one, after its other elements.
    ///
    /// # Errors
    /// When this one has stopped.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// let shop = platform.supervisor(|shop| shop).unwrap();
    /// platform.start();
    /// let desks = shop.children(|desk| desk.with_redundancy(3)).unwrap();
    /// assert_eq!(desks.elems().len(), 3);
    /// # });
    /// ```
    pub fn children<C>(&self, init: C) -> Result<ChildrenRef, ()>
    where
        C: FnOnce(Children) -> Children,
    {
        let (described, reference) = init(Children::new()).describe(self);
        self.add_children(&reference);
        self.start(described.finish(&self.restart_strategy()))?;
        Ok(reference)
    }

    fn start(&self, engine: bastion_supervision::Supervisor) -> Result<(), ()> {
        if self.has_stopped() {
            return Err(());
        }
        self.0.engine.spawn_supervisor(engine).map(drop).map_err(|_gone| ())
    }

    /// Changes who is restarted when an element fails. What is under way goes on as it began.
    ///
    /// # Errors
    /// When this one has stopped.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// let shop = platform.supervisor(|shop| shop).unwrap();
    /// platform.start();
    /// assert!(shop.strategy(SupervisionStrategy::OneForAll).is_ok());
    /// # });
    /// ```
    pub fn strategy(&self, strategy: SupervisionStrategy) -> Result<(), ()> {
        if self.has_stopped() {
            return Err(());
        }
        // Under the lock, so that of two changes the last one holds everywhere. What is started later begins with it.
        let mut rules = lock(&self.0.rules);
        rules.strategy = strategy.clone();
        let members = self.members();
        for member in &members {
            if let Either::Children(group) = member {
                // One that has stopped is told when it is started again.
                let _ = group.0.engine.request_settings(strategy::group_settings(&strategy));
            }
        }
        let settings = strategy::supervisor_settings(&strategy);
        let told = self.0.engine.request_settings(settings);
        // Before the members: the last reference to a group has foreign code in it.
        drop(rules);
        told.map_err(|_gone| ())
    }

    /// Sends a message to all children below this supervisor, which share it.
    ///
    /// # Errors
    /// Gives the message back when this one has stopped.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// let shop = platform.supervisor(|shop| shop).unwrap();
    /// platform.start();
    /// assert_eq!(shop.broadcast("good morning"), Ok(()));
    /// # });
    /// ```
    pub fn broadcast<M: Message>(&self, msg: M) -> Result<(), M> {
        if self.has_stopped() {
            return Err(msg);
        }
        let shared = Msg::of(Value::shared(Arc::new(msg)));
        self.send_all(&shared);
        Ok(())
    }

    fn send_all(&self, msg: &Msg) {
        for member in self.members() {
            match member {
                Either::Supervisor(supervisor) => supervisor.send_all(msg),
                Either::Children(group) => group.send_all(msg),
            }
        }
    }

    /// Stops the supervisor and all below it, in reverse order.
    ///
    /// # Errors
    /// When it has stopped.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// let shop = platform.supervisor(|shop| {
    ///     shop.children(|desk| desk.with_exec(|ctx| async move { ctx.recv().await.map(drop) }))
    /// });
    /// platform.start();
    /// assert!(shop.unwrap().stop().is_ok());
    /// # });
    /// ```
    pub fn stop(&self) -> Result<(), ()> {
        self.supervised()?.request_stop(self.0.engine.name()).map_err(|_gone| ())
    }

    /// Kills the supervisor and all below it, at once.
    ///
    /// # Errors
    /// When it has stopped.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// let shop = platform.supervisor(|shop| {
    ///     shop.children(|desk| desk.with_exec(|ctx| async move { ctx.recv().await.map(drop) }))
    /// });
    /// platform.start();
    /// assert!(shop.unwrap().kill().is_ok());
    /// # });
    /// ```
    pub fn kill(&self) -> Result<(), ()> {
        self.supervised()?.request_kill(self.0.engine.name()).map_err(|_gone| ())
    }

    /// Who can stop it, if it has not stopped.
    fn supervised(&self) -> Result<&Engine, ()> {
        let above = self.0.above.as_ref().filter(|_| !self.has_stopped());
        above.map(SupervisorRef::engine).ok_or(())
    }

    fn has_stopped(&self) -> bool {
        self.0.element.has_stopped() || self.0.engine.has_ended()
    }
}

enum Either {
    Supervisor(SupervisorRef),
    Children(ChildrenRef),
}

impl Member {
    fn exists(&self) -> bool {
        match self {
            Member::Supervisor(cell) => cell.strong_count() > 0,
            Member::Children(group) => group.strong_count() > 0,
        }
    }

    fn upgrade(&self) -> Option<Either> {
        match self {
            Member::Supervisor(cell) => cell.upgrade().map(SupervisorRef).map(Either::Supervisor),
            Member::Children(group) => group.upgrade().map(ChildrenRef::new).map(Either::Children),
        }
    }
}

impl PartialEq for SupervisorRef {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id()
    }
}

impl Eq for SupervisorRef {}

impl fmt::Debug for SupervisorRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SupervisorRef").field("path", &self.0.path).finish_non_exhaustive()
    }
}
