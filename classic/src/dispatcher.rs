//! Dispatchers: groups of children of different kinds that hear of each other, and to which messages can be given together.

mod table;

pub use table::Table;

use crate::child_ref::ChildRef;
use crate::envelope::SignedMessage;
use crate::sync::lock;
use std::collections::HashMap;
use std::fmt::{self, Debug};
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, Weak};

/// The members of a dispatcher, each with the name of its group.
///
/// # Examples
/// ```
/// use bastion_classic::dispatcher::*;
/// let members = DispatcherMap::default();
/// assert!(members.iter().all(|(_child, group)| group == "workers"));
/// ```
pub type DispatcherMap = Table<ChildRef, String>;

/// The members of a distributor.
///
/// # Examples
/// ```
/// use bastion_classic::dispatcher::*;
/// assert_eq!(RecipientMap::default().len(), 0);
/// ```
pub type RecipientMap = Table<ChildRef, ()>;

/// What a dispatcher is notified of.
///
/// # Examples
/// ```
/// use bastion_classic::dispatcher::*;
/// let notified = |what: &NotificationType| match what {
///     NotificationType::Register => "welcome",
///     NotificationType::Remove => "farewell",
/// };
/// assert_eq!(notified(&NotificationType::Remove), "farewell");
/// ```
#[derive(Clone, Debug)]
pub enum NotificationType {
    /// A child is a new member.
    Register,
    /// A child is no member any more.
    Remove,
}

/// To which dispatchers a message is given.
///
/// # Examples
/// ```
/// # use bastion_classic::{platform::Platform, prelude::*};
/// # Platform::simulate(1, async |platform| {
/// # let group = platform.spawn(|ctx| async move {
/// # let question = ctx.recv().await?;
/// ctx.broadcast_message(BroadcastTarget::Group("readers".to_owned()), "news");
/// # answer!(question, ()).map_err(|_| ())
/// # }).unwrap();
/// # platform.start();
/// # assert!(group.elems()[0].ask_anonymously("go").unwrap().await.is_ok());
/// # });
/// ```
#[derive(Clone, Debug)]
pub enum BroadcastTarget {
    /// To all dispatchers. Each passes it on as its handler does: the default one to one of its members, in turn; one's own, to all entries if it likes.
    All,
    /// To the one of this name. Without one the message is for nobody.
    Group(String),
}

/// The name of a dispatcher.
///
/// # Examples
/// ```
/// use bastion_classic::dispatcher::*;
/// let readers = DispatcherType::from("readers".to_owned());
/// assert_eq!(readers, DispatcherType::Named("readers".to_owned()));
/// assert_eq!(DispatcherType::default(), DispatcherType::Anonymous);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum DispatcherType {
    /// That of all dispatchers without a name of their own, which are one.
    #[default]
    Anonymous,
    /// A name.
    Named(String),
}

const ANONYMOUS: &str = "__Anonymous__";

impl DispatcherType {
    fn name(&self) -> &str {
        match self {
            DispatcherType::Anonymous => ANONYMOUS,
            DispatcherType::Named(name) => name,
        }
    }
}

/// By name.
impl Hash for DispatcherType {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name().hash(state);
    }
}

impl From<String> for DispatcherType {
    fn from(name: String) -> Self {
        if name == ANONYMOUS { DispatcherType::Anonymous } else { DispatcherType::Named(name) }
    }
}

/// Who receives, and whose turn it is.
///
/// # Examples
/// ```
/// # use bastion_classic::{platform::Platform, prelude::*};
/// # Platform::simulate(1, async |platform| {
/// use bastion_classic::dispatcher::{Recipient, RoundRobinHandler};
/// let handler = RoundRobinHandler::default();
/// let group = platform.children(|children| children.with_redundancy(2)).unwrap();
/// group.elems().iter().for_each(|child| handler.register(child.clone()));
/// assert_ne!(handler.next(), handler.next());
/// handler.remove(&group.elems()[0]);
/// assert_eq!(handler.all(), &group.elems()[1..]);
/// # });
/// ```
pub trait Recipient {
    /// Returns the one whose turn it is.
    fn next(&self) -> Option<ChildRef>;
    /// Returns all of them.
    fn all(&self) -> Vec<ChildRef>;
    /// Takes in a member.
    fn register(&self, actor: ChildRef);
    /// Lets a member go.
    fn remove(&self, actor: &ChildRef);
}

/// A [`Recipient`] that can be shared.
///
/// # Examples
/// ```
/// use bastion_classic::dispatcher::*;
/// let handler: Box<dyn RecipientHandler> = Box::new(RoundRobinHandler::default());
/// assert!(handler.next().is_none());
/// ```
pub trait RecipientHandler: Recipient + Send + Sync + Debug {}

/// What a dispatcher does when it is notified, or given a message.
///
/// # Examples
/// ```
/// use bastion_classic::prelude::*;
/// use std::sync::Arc;
/// struct Watch;
/// impl DispatcherHandler for Watch {
///     fn notify(&self, child: &ChildRef, all: &DispatcherMap, what: NotificationType) {
///         println!("{what:?} {}, of {}", child.name(), all.len());
///     }
///     fn broadcast_message(&self, _: &DispatcherMap, _: &Arc<SignedMessage>) {}
/// }
/// let dispatcher = Dispatcher::default().with_handler(Box::new(Watch));
/// ```
pub trait DispatcherHandler {
    /// A member has come or gone, or a child has said so by [`BastionContext::notify`](crate::context::BastionContext::notify).
    fn notify(
        &self,
        from_child: &ChildRef,
        entries: &DispatcherMap,
        notification_type: NotificationType,
    );

    /// Passes a message on.
    fn broadcast_message(&self, entries: &DispatcherMap, message: &Arc<SignedMessage>);
}

/// The handler of dispatchers that say nothing else.
///
/// # Examples
/// ```
/// use bastion_classic::dispatcher::*;
/// let handler: Box<dyn DispatcherHandler> = Box::new(DefaultDispatcherHandler::default());
/// ```
pub type DefaultDispatcherHandler = RoundRobinHandler;

/// The handler of distributors.
///
/// # Examples
/// ```
/// use bastion_classic::dispatcher::*;
/// assert!(DefaultRecipientHandler::default().all().is_empty());
/// ```
pub type DefaultRecipientHandler = RoundRobinHandler;

/// Gives each message to one member, in turn. Notifications are of no importance to it.
///
/// # Examples
/// ```
/// use bastion_classic::dispatcher::*;
/// let dispatcher = Dispatcher::default().with_handler(Box::new(RoundRobinHandler::default()));
/// ```
#[derive(Debug, Default)]
pub struct RoundRobinHandler {
    turn: AtomicUsize,
    recipients: RecipientMap,
}

impl RoundRobinHandler {
    /// How many members there are.
    pub(crate) fn count(&self) -> usize {
        self.recipients.len()
    }
}

impl Recipient for RoundRobinHandler {
    fn next(&self) -> Option<ChildRef> {
        self.recipients.around(self.turn.fetch_add(1, Relaxed))
    }

    fn all(&self) -> Vec<ChildRef> {
        self.recipients.keys().collect()
    }

    fn register(&self, actor: ChildRef) {
        self.recipients.insert(actor, ());
    }

    fn remove(&self, actor: &ChildRef) {
        self.recipients.remove(actor);
    }
}

impl RecipientHandler for RoundRobinHandler {}

impl DispatcherHandler for RoundRobinHandler {
    fn notify(&self, _: &ChildRef, _: &DispatcherMap, _: NotificationType) {}

    /// Members that have ended are passed by. Each receiver gets an `Arc` of its own, so that it can take the message out.
    fn broadcast_message(&self, entries: &DispatcherMap, message: &Arc<SignedMessage>) {
        for _ in 0..entries.len() {
            let turn = self.turn.fetch_add(1, Relaxed);
            let Some(child) = entries.around(turn) else { return };
            let own = message.msg.share().map(|msg| SignedMessage::new(msg, message.sign.clone()));
            let own = own.map_or_else(|| message.clone(), Arc::new);
            if child.tell_anonymously(own).is_ok() {
                return;
            }
        }
    }
}

/// A dispatcher: its name, its handler, its members.
///
/// # Examples
/// ```
/// use bastion_classic::prelude::*;
/// fn readers(children: Children) -> Children {
///     let news = Dispatcher::with_type(DispatcherType::Named("news".to_owned()));
///     children.with_dispatcher(news).with_redundancy(3)
/// }
/// ```
pub struct Dispatcher {
    dispatcher_type: DispatcherType,
    handler: Box<dyn DispatcherHandler + Send + Sync + 'static>,
    actors: DispatcherMap,
}

impl Dispatcher {
    /// Makes one of this name, with the default handler.
    ///
    /// # Examples
    /// ```
    /// use bastion_classic::prelude::*;
    /// let news = DispatcherType::Named("news".to_owned());
    /// assert_eq!(Dispatcher::with_type(news.clone()).dispatcher_type(), news);
    /// ```
    pub fn with_type(dispatcher_type: DispatcherType) -> Self {
        Dispatcher { dispatcher_type, ..Dispatcher::default() }
    }

    /// Sets the name.
    ///
    /// # Examples
    /// ```
    /// use bastion_classic::prelude::*;
    /// let news = DispatcherType::Named("news".to_owned());
    /// let dispatcher = Dispatcher::default().with_dispatcher_type(news.clone());
    /// assert_eq!(dispatcher.dispatcher_type(), news);
    /// ```
    pub fn with_dispatcher_type(mut self, dispatcher_type: DispatcherType) -> Self {
        self.dispatcher_type = dispatcher_type;
        self
    }

    /// Sets the handler.
    ///
    /// # Examples
    /// ```
    /// use bastion_classic::prelude::*;
    /// let handler = DefaultDispatcherHandler::default();
    /// let dispatcher = Dispatcher::default().with_handler(Box::new(handler));
    /// ```
    pub fn with_handler(
        mut self,
        handler: Box<dyn DispatcherHandler + Send + Sync + 'static>,
    ) -> Self {
        self.handler = handler;
        self
    }

    /// Returns the name.
    ///
    /// # Examples
    /// ```
    /// use bastion_classic::prelude::*;
    /// assert_eq!(Dispatcher::default().dispatcher_type(), DispatcherType::Anonymous);
    /// ```
    pub fn dispatcher_type(&self) -> DispatcherType {
        self.dispatcher_type.clone()
    }

    /// Returns the handler.
    ///
    /// # Examples
    /// ```
    /// use bastion_classic::prelude::*;
    /// let dispatcher = Dispatcher::default();
    /// let handler: &(dyn DispatcherHandler + Send + Sync) = dispatcher.handler();
    /// ```
    pub fn handler(&self) -> &(dyn DispatcherHandler + Send + Sync + 'static) {
        &*self.handler
    }

    /// Notifies the handler.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// let group = platform.children(|children| children).unwrap();
    /// Dispatcher::default().notify(&group.elems()[0], NotificationType::Register);
    /// # });
    /// ```
    pub fn notify(&self, from_child: &ChildRef, notification_type: NotificationType) {
        self.handler.notify(from_child, &self.actors, notification_type);
    }

    /// Gives a message to the handler.
    ///
    /// # Examples
    /// ```
    /// # use bastion_classic::{platform::Platform, prelude::*};
    /// # Platform::simulate(1, async |platform| {
    /// # let group = platform.spawn(|ctx| async move {
    /// # let question = ctx.recv().await?;
    /// ctx.current().tell_anonymously("news").unwrap();
    /// let message = std::sync::Arc::new(ctx.recv().await?);
    /// Dispatcher::default().broadcast_message(&message); // To none of its members, which it has not.
    /// # answer!(question, ()).map_err(|_| ())
    /// # }).unwrap();
    /// # platform.start();
    /// # assert!(group.elems()[0].ask_anonymously("go").unwrap().await.is_ok());
    /// # });
    /// ```
    pub fn broadcast_message(&self, message: &Arc<SignedMessage>) {
        self.handler.broadcast_message(&self.actors, message);
    }

    pub(crate) fn register(&self, child: &ChildRef) {
        self.actors.insert(child.clone(), child.name().to_owned());
        self.notify(child, NotificationType::Register);
    }

    pub(crate) fn remove(&self, child: &ChildRef) {
        if self.actors.remove(child).is_some() {
            self.notify(child, NotificationType::Remove);
        }
    }
}

impl Default for Dispatcher {
    fn default() -> Self {
        Dispatcher {
            dispatcher_type: DispatcherType::default(),
            handler: Box::new(DefaultDispatcherHandler::default()),
            actors: DispatcherMap::default(),
        }
    }
}

impl Debug for Dispatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dispatcher")
            .field("type", &self.dispatcher_type)
            .field("actors", &self.actors.len())
            .finish()
    }
}

/// The dispatchers of a platform, by name. A dispatcher exists as long as a group has it.
#[derive(Default)]
pub(crate) struct Dispatchers(Mutex<HashMap<DispatcherType, Weak<Dispatcher>>>);

impl Dispatchers {
    /// Returns the dispatcher of this name: one that another group has, or this one.
    pub(crate) fn join(&self, dispatcher: Dispatcher) -> Arc<Dispatcher> {
        let mut table = lock(&self.0);
        if let Some(known) = table.get(&dispatcher.dispatcher_type).and_then(Weak::upgrade) {
            drop(table);
            // Its handler is foreign.
            drop(dispatcher);
            return known;
        }
        let dispatcher = Arc::new(dispatcher);
        table.retain(|_, known| known.strong_count() > 0);
        table.insert(dispatcher.dispatcher_type(), Arc::downgrade(&dispatcher));
        dispatcher
    }

    pub(crate) fn find(&self, name: &DispatcherType) -> Option<Arc<Dispatcher>> {
        lock(&self.0).get(name).and_then(Weak::upgrade)
    }

    pub(crate) fn targets(&self, target: BroadcastTarget) -> Vec<Arc<Dispatcher>> {
        match target {
            BroadcastTarget::All => lock(&self.0).values().filter_map(Weak::upgrade).collect(),
            BroadcastTarget::Group(name) => self.find(&name.into()).into_iter().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn section_9_the_anonymous_name_is_that_of_the_anonymous() {
        let named = |name: &str| DispatcherType::from(name.to_owned());
        assert_eq!(named("__Anonymous__"), DispatcherType::Anonymous);
        assert_eq!(named("first"), DispatcherType::Named("first".to_owned()));
        assert_eq!(Dispatcher::default().dispatcher_type(), DispatcherType::Anonymous);
    }

    #[test]
    fn def_16_groups_with_one_name_have_one_dispatcher_as_long_as_one_of_them_is_there() {
        let dispatchers = Dispatchers::default();
        let new = || Dispatcher::with_type(DispatcherType::Named("a".to_owned()));
        let first = dispatchers.join(new());
        let second = dispatchers.join(new());
        assert!(Arc::ptr_eq(&first, &second));
        drop(first);
        assert_eq!(dispatchers.targets(BroadcastTarget::All).len(), 1);
        drop(second);
        assert_eq!(dispatchers.targets(BroadcastTarget::All).len(), 0);
        assert_eq!(dispatchers.targets(BroadcastTarget::Group("a".to_owned())).len(), 0);
    }
}
