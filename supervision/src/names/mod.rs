//! [`Names`]: how processes are found by what they are called, and reached in groups.
//!
//! `registry` is the table, `held` what a process has in it, `groups` the names that many have, `error` what can go wrong. Knows no restart
//! rule: what a process holds is its own, over all its incarnations, and is given up where it ends for good (`process/core.rs`).

mod error;
mod groups;
mod held;
mod registry;

pub use self::error::{NameError, TellNameError};
pub use self::groups::Published;
pub(crate) use self::held::Held;

use self::registry::{Entry, Registry, Value};
use crate::pid::Pid;
use crate::process::{Address, Process, Shared, guard};
use std::any::Any;
use std::sync::Arc;

/// The names of a system's processes, each of which one process has at most, and its groups, in which are any number: see [`Names::join`].
///
/// A name belongs to the process, not to one incarnation: it holds over restarts, and while a supervisor keeps the process stopped. It ends
/// with the process, and is free before anybody hears of that end: before a [`Down`](crate::Down) comes, and before
/// [`Address::ended`] returns. Systems do not see each other's names.
///
/// These are not the names of children, which are ids among siblings: a child is given one by
/// [`Child::registered`](crate::Child::registered), a process by [`Names::register`].
///
/// Cloning it gives another handle, which keeps no system alive.
///
/// # Examples
/// ```
/// use bastion_supervision::{Context, NameError, Reply, Runtime, Sim, System, child};
/// let sim = Sim::new(1);
/// sim.run(async {
///     let system = System::new(Runtime::sim(&sim));
///     let clock = child(|mut cx: Context<Reply<u32>>| async move {
///         while let Some(reply) = cx.recv().await {
///             reply.send(12);
///         }
///         Ok(())
///     });
///     let clock = system.spawn_child(clock).unwrap();
///     let names = system.names();
///     names.register("clock", &clock).unwrap();
///     let found = names.find::<Reply<u32>>("clock").unwrap();
///     assert_eq!(found.ask(|reply| reply).await, Ok(12));
///     let holder = clock.pid().unwrap();
///     assert_eq!(names.register("clock", &clock), Err(NameError::Taken { holder }));
/// });
/// ```
#[derive(Clone)]
pub struct Names(Arc<Registry>);

impl Names {
    pub(crate) fn new() -> Names {
        Names(Arc::default())
    }

    /// Gives a process a name. It may have many.
    ///
    /// # Errors
    /// [`NameError::Taken`] when a process has that name, also when it is this one; [`NameError::Ended`] when the process has ended for good;
    /// [`NameError::NotHere`] when it was not given to a supervisor of this system yet.
    pub fn register<M: Send + 'static>(
        &self,
        name: impl Into<Arc<str>>,
        process: &Address<M>,
    ) -> Result<(), NameError> {
        self.enter(&name.into(), &process.shared, None)
    }

    /// Gives a process a name, and sets a value beside it, that anybody can read: see [`Names::value`].
    ///
    /// # Errors
    /// As [`Names::register`]. The value is dropped then.
    ///
    /// # Examples
    /// ```
    /// use bastion_supervision::{Context, Runtime, Sim, System, child};
    /// let sim = Sim::new(1);
    /// sim.run(async {
    ///     let system = System::new(Runtime::sim(&sim));
    ///     let server = child(|cx: Context<()>| async move {
    ///         cx.names().register_with("server", &cx.address(), 8080_u16)?;
    ///         cx.stop_signal().requested().await;
    ///         Ok(())
    ///     });
    ///     let server = system.spawn_child(server).unwrap();
    ///     sim.sleep(std::time::Duration::from_secs(1)).await;
    ///     let names = system.names();
    ///     assert_eq!(names.value("server").as_deref(), Some(&8080_u16));
    ///     names.set_value("server", &server, 8081_u16).unwrap();
    ///     assert_eq!(names.value("server").as_deref(), Some(&8081_u16));
    /// });
    /// ```
    pub fn register_with<M: Send + 'static>(
        &self,
        name: impl Into<Arc<str>>,
        process: &Address<M>,
        value: impl Any + Send + Sync,
    ) -> Result<(), NameError> {
        self.enter(&name.into(), &process.shared, Some(Arc::new(value)))
    }

    fn enter<M: Send + 'static>(
        &self,
        name: &Arc<str>,
        process: &Arc<Shared<M>>,
        value: Option<Value>,
    ) -> Result<(), NameError> {
        let pid = self.pid_here(process).ok_or(NameError::NotHere)?;
        // A value that does not find its place is dropped by the caller, outside of the locks.
        let mut entry = Some(Entry::new(process, pid, value));
        let entered = process.core.hold(|held| self.0.enter(held, name, &mut entry));
        entered.unwrap_or(Err(NameError::Ended))
    }

    /// Gives a process the names that its description asks for, those that it has not yet.
    pub(crate) fn claim<M: Send + 'static>(
        &self,
        names: &[Arc<str>],
        process: &Arc<Shared<M>>,
    ) -> Result<(), NameError> {
        let mut entered = Vec::new();
        for name in names {
            match self.enter(name, process, None) {
                Err(NameError::Taken { holder }) if Some(holder) == process.core.pid() => {}
                Err(error) => {
                    // All or none: or two who want the same names might each keep one for ever.
                    for name in entered {
                        process.core.held(|held| self.0.leave(held, name));
                    }
                    return Err(error);
                }
                Ok(()) => entered.push(name),
            }
        }
        Ok(())
    }

    /// Takes a name from a process. False: it does not have it, and nothing is done.
    pub fn unregister<M: Send + 'static>(&self, name: &str, process: &Address<M>) -> bool {
        if self.pid_here(&process.shared).is_none() {
            return false;
        }
        let taken = process.shared.core.held(|held| self.0.leave(held, name));
        taken.is_some()
    }

    /// Finds the process that has a name.
    ///
    /// It may have ended when it is told something: then that fails, and gives the message back.
    ///
    /// # Errors
    /// [`NameError::Unknown`] when nobody has the name; [`NameError::OtherType`] when who has it takes other messages than `M`.
    pub fn find<M: Send + 'static>(&self, name: &str) -> Result<Address<M>, NameError> {
        let (process, registered) = self.0.find(name).ok_or(NameError::Unknown)?;
        let asked = std::any::type_name::<M>();
        typed(process).ok_or(NameError::OtherType { registered, asked })
    }

    /// Returns the pid of the process that has a name, whatever its messages.
    pub fn pid(&self, name: &str) -> Option<Pid> {
        self.0.pid(name)
    }

    /// Returns the names that a process has in this system, in their alphabetical order.
    pub fn names_of<M: Send + 'static>(&self, process: &Address<M>) -> Vec<Arc<str>> {
        let names = self
            .pid_here(&process.shared)
            .and_then(|_| process.shared.core.held(|held| Some(held.names())));
        names.unwrap_or_default()
    }

    /// Sends a message to the process that has a name, as [`Address::tell`].
    ///
    /// # Errors
    /// [`TellNameError`], which gives the message back.
    pub fn tell<M: Send + 'static>(&self, name: &str, message: M) -> Result<(), TellNameError<M>> {
        match self.find(name) {
            Ok(process) => process.tell(message).map_err(TellNameError::Refused),
            Err(error) => Err(TellNameError::NotFound { error, message }),
        }
    }

    /// Returns the value beside a name. `None`: nobody has the name, it has no value, or one of another type.
    pub fn value<V: Any + Send + Sync>(&self, name: &str) -> Option<Arc<V>> {
        self.0.value(name)?.downcast().ok()
    }

    /// Replaces the value beside a name that the process has, also by one of another type.
    ///
    /// # Errors
    /// [`NameError::Taken`] when another process has the name, [`NameError::Unknown`] when none has it. Nothing has changed then.
    pub fn set_value<M: Send + 'static>(
        &self,
        name: &str,
        process: &Address<M>,
        value: impl Any + Send + Sync,
    ) -> Result<(), NameError> {
        let mut value: Option<Value> = Some(Arc::new(value));
        let is_here = self.pid_here(&process.shared).is_some();
        let set = process.shared.core.held(|held| {
            (is_here && held.has_name(name)).then(|| self.0.swap_value(name, &mut value))
        });
        match (set, self.pid(name)) {
            (Some(()), _) => Ok(()),
            (None, Some(holder)) => Err(NameError::Taken { holder }),
            (None, None) => Err(NameError::Unknown),
        }
    }

    /// The process that has a name.
    pub(crate) fn process(&self, name: &str) -> Option<Arc<dyn Process>> {
        Some(self.0.find(name)?.0)
    }

    /// Frees what a process has held, under the lock of its existence. What it returns is to be dropped outside of that.
    pub(crate) fn free(&self, held: &Held) -> Freed {
        Freed(self.0.free(held))
    }

    /// The pid of a process of this system.
    fn pid_here<M>(&self, process: &Shared<M>) -> Option<Pid> {
        let env = process.core.env()?;
        process.core.pid().filter(|_| Arc::ptr_eq(&env.names().0, &self.0))
    }
}

/// An address of messages of this type, if the process takes them.
fn typed<M: Send + 'static>(process: Arc<dyn Process>) -> Option<Address<M>> {
    let process: Arc<dyn Any + Send + Sync> = process;
    process.downcast().ok().map(|shared| Address { shared })
}

/// The values that stood beside the names of a process that has ended.
#[must_use = "values are foreign: where they are dropped matters"]
pub(crate) struct Freed(Vec<Value>);

impl Drop for Freed {
    fn drop(&mut self) {
        for value in self.0.drain(..) {
            guard::contain(|| drop(value));
        }
    }
}

impl std::fmt::Debug for Names {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Names").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::RestartType;
    use crate::{Context, Runtime, Sim, System, child};
    use std::future::pending;

    fn forever() -> crate::Child<()> {
        child(|_: Context<()>| pending())
    }

    fn has_ties(process: &Address<()>) -> bool {
        process.shared.core.is_tied()
    }

    #[test]
    fn a_process_without_a_name_has_nothing_for_it() {
        let sim = Sim::new(1);
        sim.run(async {
            let system = System::new(Runtime::sim(&sim));
            let (names, a) = (system.names(), system.spawn_child(forever()).unwrap());
            let b = system.spawn_child(forever()).unwrap();
            assert!(!names.unregister("a", &a) && !names.leave("a", &a));
            assert!(!has_ties(&a));
            names.register("a", &a).unwrap();
            names.join("a", &a).unwrap();
            assert!(has_ties(&a));
            names.register("a", &b).unwrap_err();
            assert!(!has_ties(&b), "a name that it did not get");
            assert!(names.unregister("a", &a) && names.leave("a", &a));
            assert!(!has_ties(&a));
            assert!(names.0.is_empty());
        });
    }

    #[test]
    fn nothing_stays_of_a_process_that_nobody_has_ended() {
        let sim = Sim::new(1);
        sim.run(async {
            let system = System::new(Runtime::sim(&sim));
            let (names, shared) = (system.names(), Shared::<()>::new());
            let a = system.spawn_child(forever().restart(RestartType::Temporary)).unwrap();
            shared.core.settle(a.shared.core.env().unwrap());
            let address = Address { shared };
            names.register_with("name", &address, 7).unwrap();
            names.join("group", &address).unwrap();
            drop(address);
            assert!(names.0.is_empty());
            assert_eq!(names.register("name", &a), Ok(()));
        });
    }
}
