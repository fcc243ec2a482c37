//! [`ChildrenRef`]: how others reach a group of children.

use crate::child_ref::ChildRef;
use crate::context::BastionId;
use crate::crowd::Crowd;
use crate::dispatcher::{Dispatcher, DispatcherType};
use crate::distributor::Distributor;
use crate::element::Element;
use crate::envelope::{RefAddr, SignedMessage};
use crate::hub::Hub;
use crate::message::{Message, Msg};
use crate::path::BastionPath;
use crate::strategy;
use crate::supervisor::SupervisorRef;
use bastion_mailbox::Value;
use bastion_supervision::Observer;
use bastion_supervision::plan::Settings;
use elsa::sync::FrozenVec;
use std::fmt;
use std::sync::{Arc, OnceLock};

/// A group of children. It stays valid when they are restarted.
///
/// # Examples
/// ```
/// # use bastion_classic::{platform::Platform, prelude::*};
/// # Platform::simulate(1, async |platform| {
/// let group = platform.children(|children| children.with_redundancy(3)).unwrap();
/// for (n, child) in group.elems().iter().enumerate() {
///     child.tell_anonymously(n).unwrap();
/// }
/// # });
/// ```
pub struct ChildrenRef(pub(crate) Arc<Group>, Shown);

/// The lists of children that a reference has shown, which stay as long as it does. Only a group whose size changes has them.
type Shown = OnceLock<Box<FrozenVec<Arc<[ChildRef]>>>>;

/// What is known of a group.
pub(crate) struct Group {
    pub(crate) id: BastionId,
    pub(crate) name: Arc<str>,
    pub(crate) path: Arc<BastionPath>,
    pub(crate) element: Arc<Element>,
    /// The group as a supervisor of its children.
    pub(crate) engine: bastion_supervision::SupervisorRef,
    /// Its own supervisor.
    pub(crate) above: SupervisorRef,
    pub(crate) dispatchers: Vec<Arc<Dispatcher>>,
    pub(crate) dispatcher_types: Vec<DispatcherType>,
    pub(crate) distributors: Vec<Distributor>,
    /// Those that it was described with.
    pub(crate) elems: OnceLock<Arc<[ChildRef]>>,
    pub(crate) crowd: Option<Crowd>,
}

impl Group {
    pub(crate) fn declared(&self) -> &[ChildRef] {
        self.elems.get().map_or(&[], |elems| elems)
    }

    /// Those that are there now.
    fn present(&self) -> Arc<[ChildRef]> {
        match &self.crowd {
            Some(crowd) => crowd.present(),
            None => self.elems.get().cloned().unwrap_or_default(),
        }
    }
}

/// What it runs by is its supervisor's to say, and may have changed since it was described.
impl Observer for Group {
    fn rules(&self) -> Option<Settings> {
        Some(strategy::group_settings(&self.above.supervision()))
    }
}

impl ChildrenRef {
    pub(crate) fn new(group: Arc<Group>) -> ChildrenRef {
        ChildrenRef(group, OnceLock::new())
    }

    pub(crate) fn hub(&self) -> &Hub {
        self.0.above.hub()
    }

    pub(crate) fn supervisor(&self) -> Option<&SupervisorRef> {
        Some(&self.0.above).filter(|above| !above.is_hidden())
    }

    /// Returns the group's id.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// let groups = [(); 2].map(|()| platform.children(|children| children).unwrap());
    /// assert_ne!(groups[0].id(), groups[1].id());
    /// # });
    /// ```
    pub fn id(&self) -> &BastionId {
        &self.0.id
    }

    /// Returns the names of the group's dispatchers.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// let group = platform.children(|children| children.with_dispatcher(Dispatcher::default()));
    /// assert_eq!(group.unwrap().dispatchers(), &[DispatcherType::Anonymous]);
    /// # });
    /// ```
    pub fn dispatchers(&self) -> &Vec<DispatcherType> {
        &self.0.dispatcher_types
    }

    /// Returns the group's distributors.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// let staff = Distributor::named("staff of distributors");
    /// let group = platform.children(|children| children.with_distributor(staff)).unwrap();
    /// assert_eq!(group.distributors(), &[staff]);
    /// # });
    /// ```
    pub fn distributors(&self) -> &Vec<Distributor> {
        &self.0.distributors
    }

    /// Returns the children, those that have ended too, in the order in which they were made: as many as the group's redundancy.
    ///
    /// Of a group with a resizer it returns those that are there now. A reference keeps the lists that it has returned; whoever looks for months
    /// at a group whose size changes all the time does so by clones.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// let group = platform.children(|children| children.with_redundancy(3)).unwrap();
    /// // In turn, by hand.
    /// for job in 0..9 {
    ///     group.elems()[job % 3].tell_anonymously(job).unwrap();
    /// }
    /// # });
    /// ```
    pub fn elems(&self) -> &[ChildRef] {
        let Some(crowd) = &self.0.crowd else { return self.0.declared() };
        let (present, shown) = (crowd.present(), self.1.get_or_init(Box::default));
        match shown.len().checked_sub(1).and_then(|last| shown.get(last)) {
            Some(last) if std::ptr::eq(last, &*present) => last,
            _ => shown.push_get(present),
        }
    }

    /// Sends a message to all children, which share it.
    ///
    /// # Errors
    /// Gives the message back when the group has stopped.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// let group = platform.children(|children| {
    ///     children.with_redundancy(2).with_exec(|ctx| async move {
    ///         loop {
    ///             let _message = ctx.recv().await?;
    ///         }
    ///     })
    /// });
    /// let group = group.unwrap();
    /// platform.start();
    /// assert_eq!(group.broadcast("hello, all"), Ok(()));
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

    pub(crate) fn send_all(&self, msg: &Msg) {
        for child in &*self.0.present() {
            let Some(msg) = msg.share() else { return };
            // One that has ended is none of those who are meant.
            let _ = child.send(SignedMessage::new(msg, RefAddr::dead_letters()));
        }
    }

    /// Stops the group: its children are asked to, and killed if they do not end in a second.
    ///
    /// # Errors
    /// When it has stopped.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// let group = platform.children(|children| {
    ///     children.with_redundancy(2).with_exec(|ctx| async move {
    ///         loop {
    ///             let _message = ctx.recv().await?;
    ///         }
    ///     })
    /// });
    /// let group = group.unwrap();
    /// platform.start();
    /// let question = group.elems()[0].ask_anonymously("well?").unwrap();
    /// group.stop().unwrap();
    /// let _ = question.await;
    /// # });
    /// ```
    pub fn stop(&self) -> Result<(), ()> {
        if self.has_stopped() {
            return Err(());
        }
        self.0.above.engine().request_stop(self.0.engine.name()).map_err(|_gone| ())
    }

    /// Kills the group: its children end where they wait next.
    ///
    /// # Errors
    /// When it has stopped.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// let group = platform.children(|children| {
    ///     children.with_redundancy(2).with_exec(|ctx| async move {
    ///         loop {
    ///             let _message = ctx.recv().await?;
    ///         }
    ///     })
    /// });
    /// let group = group.unwrap();
    /// platform.start();
    /// let question = group.elems()[0].ask_anonymously("well?").unwrap();
    /// group.kill().unwrap();
    /// let _ = question.await;
    /// # });
    /// ```
    pub fn kill(&self) -> Result<(), ()> {
        if self.has_stopped() {
            return Err(());
        }
        self.0.above.engine().request_kill(self.0.engine.name()).map_err(|_gone| ())
    }

    /// Returns where in the tree the group is.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// let supervisor = platform.supervisor(|supervisor| supervisor).unwrap();
    /// platform.start();
    /// let group = supervisor.children(|children| children).unwrap();
    /// assert_eq!(group.path().to_string(), format!("/{}/{}", supervisor.id(), group.id()));
    /// # });
    /// ```
    pub fn path(&self) -> &Arc<BastionPath> {
        &self.0.path
    }

    pub(crate) fn has_stopped(&self) -> bool {
        self.0.element.has_stopped() || self.0.engine.has_ended()
    }
}

impl Clone for ChildrenRef {
    fn clone(&self) -> Self {
        ChildrenRef::new(self.0.clone())
    }
}

impl PartialEq for ChildrenRef {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id()
    }
}

impl Eq for ChildrenRef {}

impl fmt::Debug for ChildrenRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChildrenRef")
            .field("path", &self.0.path)
            .field("elems", &self.0.present().len())
            .finish_non_exhaustive()
    }
}
