//! Groups: names that any number of processes have, for publishing to all of them.

use super::error::NameError;
use super::registry::weak;
use super::{Names, typed};
use crate::message::Msg;
use crate::process::Address;
use std::sync::Arc;

/// What became of a message to a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Published {
    /// How many members have accepted it, by the rules of their mailboxes.
    pub accepted: usize,
    /// How many did not take it: their mailboxes are full, or they have just ended.
    pub refused: usize,
}

impl Names {
    /// Adds a process to a group, which is there as long as anybody is in it. A process may be in many, in each once. It stays over restarts, until
    /// it leaves or has ended for good, and like its names is gone from its groups before anybody hears of the end.
    ///
    /// False: it is in the group already.
    ///
    /// # Errors
    /// [`NameError::Ended`] when the process has ended for good; [`NameError::NotHere`] when it was not given to a supervisor of this
    /// system yet.
    pub fn join<M: Send + 'static>(
        &self,
        group: impl Into<Arc<str>>,
        process: &Address<M>,
    ) -> Result<bool, NameError> {
        self.pid_here(&process.shared).ok_or(NameError::NotHere)?;
        let (group, shared) = (group.into(), &process.shared);
        let joined = shared.core.hold(|held| self.0.join(held, &group, weak(shared)));
        joined.ok_or(NameError::Ended)
    }

    /// Takes a process out of a group. False: it is not in it. What was published before may still come.
    pub fn leave<M: Send + 'static>(&self, group: &str, process: &Address<M>) -> bool {
        let is_here = self.pid_here(&process.shared).is_some();
        let left = |held: &mut _| (is_here && self.0.part(held, group)).then_some(());
        process.shared.core.held(left).is_some()
    }

    /// Returns the members of a group that take such messages, in the order in which they joined.
    pub fn members<M: Send + 'static>(&self, group: &str) -> Vec<Address<M>> {
        let Some(members) = self.0.members(group) else { return Vec::new() };
        members.values().filter_map(|member| typed(member.upgrade()?)).collect()
    }

    /// Sends a message to all members of a group that take such messages; the last one gets the original. Never waits: a member whose
    /// mailbox is full (see [`Child::mailbox_capacity`](crate::Child::mailbox_capacity)) does what its [`Overflow`](crate::Overflow) says, and the
    /// others do not notice.
    ///
    /// Each gets the messages of one sender in order. Who joins or leaves meanwhile gets it or not.
    ///
    /// # Examples
    /// ```
    /// use bastion_supervision::{Context, Runtime, Sim, System, child};
    /// use std::time::Duration;
    /// let sim = Sim::new(1);
    /// sim.run(async {
    ///     let system = System::new(Runtime::sim(&sim));
    ///     let listener = || child(|mut cx: Context<&'static str>| async move {
    ///         cx.names().join("weather", &cx.address())?;
    ///         while let Some(news) = cx.recv().await {
    ///             println!("{news}");
    ///         }
    ///         Ok(())
    ///     });
    ///     system.spawn_child(listener()).unwrap();
    ///     system.spawn_child(listener()).unwrap();
    ///     sim.sleep(Duration::from_secs(1)).await;
    ///     let published = system.names().publish("weather", "rain");
    ///     assert_eq!((published.accepted, published.refused), (2, 0));
    /// });
    /// ```
    pub fn publish<M: Clone + Send + 'static>(&self, group: &str, message: M) -> Published {
        publish(&self.members(group), message, M::clone)
    }

    /// Sends a message of any type to all members of a group that take [`Msg`]s. None gets a copy of the value: it is
    /// [shared](Msg::shared), and all of them look at the same one. Otherwise as [`Names::publish`].
    ///
    /// A question to many is none: who asks is told by [`AskError::NotUnderstood`](crate::AskError::NotUnderstood).
    ///
    /// # Examples
    /// ```
    /// use bastion_supervision::{Context, Msg, Runtime, Sim, System, child};
    /// use std::time::Duration;
    /// struct Map(Vec<u8>); // Not even `Clone`.
    /// let sim = Sim::new(1);
    /// sim.run(async {
    ///     let system = System::new(Runtime::sim(&sim));
    ///     let viewer = || child(|mut cx: Context<Msg>| async move {
    ///         cx.names().join("maps", &cx.address())?;
    ///         while let Some(message) = cx.recv().await {
    ///             let map = message.downcast_ref::<Map>().expect("a map");
    ///             assert_eq!(map.0.len(), 1000);
    ///         }
    ///         Ok(())
    ///     });
    ///     system.spawn_child(viewer()).unwrap();
    ///     system.spawn_child(viewer()).unwrap();
    ///     sim.sleep(Duration::from_secs(1)).await;
    ///     let published = system.names().broadcast("maps", Msg::new(Map(vec![0; 1000])));
    ///     assert_eq!((published.accepted, published.refused), (2, 0));
    /// });
    /// ```
    pub fn broadcast(&self, group: &str, message: Msg) -> Published {
        let again = |message: &Msg| message.try_clone().expect("a message that was made shared");
        publish(&self.members(group), message.into_shared(), again)
    }

    /// Returns the groups in which anybody is, in their alphabetical order.
    pub fn groups(&self) -> Vec<Arc<str>> {
        self.0.groups()
    }
}

/// Sends a message to processes, and more of it, made by `again`, to all but the last.
fn publish<M: Send + 'static>(
    members: &[Address<M>],
    message: M,
    again: impl Fn(&M) -> M,
) -> Published {
    let mut published = Published::default();
    let Some((last, others)) = members.split_last() else { return published };
    let mut send = |member: &Address<M>, message| match member.tell(message) {
        Ok(()) => published.accepted += 1,
        Err(_) => published.refused += 1,
    };
    others.iter().for_each(|member| send(member, again(&message)));
    send(last, message);
    published
}
