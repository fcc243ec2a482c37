//! What a process watches, and how the words of it become messages of its own type.

use super::address::Address;
use super::context::Context;
use super::core::{Core, Process};
use super::notice::{Down, ExitSignal, ForeignMonitor, Monitor, Notice};
use super::receive::Origin;
use super::ties::{self, Watcher};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// What one incarnation watches. Behind a lock that is never taken, because the closures need not be `Sync`, and a context is.
pub(super) struct Watching<M>(Mutex<Inner<M>>);

struct Inner<M> {
    last: u32,
    monitors: HashMap<Monitor, (Watched, OfEnd<M>)>,
    exits: Option<OfExits<M>>,
}

/// Who is watched; `None`: nobody, and the word of that waits already.
type Watched = Option<Arc<dyn Process>>;
/// Makes a message of the end of a process.
type OfEnd<M> = Box<dyn FnOnce(Down) -> M + Send>;
/// Makes messages of exit signals.
type OfExits<M> = Box<dyn FnMut(ExitSignal) -> M + Send>;

impl<M> Watching<M> {
    fn inner(&mut self) -> &mut Inner<M> {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a notice a message. `None`: nobody wants it any more.
    pub(super) fn message(&mut self, notice: Notice) -> Option<(Origin, M)> {
        let inner = self.inner();
        match notice {
            Notice::Down(down) => {
                let monitor = down.monitor;
                let (_, message) = inner.monitors.remove(&monitor)?;
                Some((Origin::Monitor(monitor), message(down)))
            }
            Notice::Exit { signal, link } => {
                Some((Origin::Exit(link), (inner.exits.as_mut()?)(signal)))
            }
        }
    }
}

impl<M> Default for Watching<M> {
    fn default() -> Self {
        Watching(Mutex::new(Inner { last: 0, monitors: HashMap::new(), exits: None }))
    }
}

/// Nothing of it stays behind with those that were watched.
impl<M> Drop for Watching<M> {
    fn drop(&mut self) {
        for (monitor, (watched, _)) in self.inner().monitors.drain() {
            if let Some(watched) = watched {
                ties::unwatch(watched.core(), monitor);
            }
        }
    }
}

impl<M: Send + 'static> Context<M> {
    /// Watches a process: when it has ended for good, this incarnation receives what `message` makes of the [`Down`], exactly once, and the
    /// watch is over. A restart is no end: for that there is [`Context::link`]. Several watches of one process each have their own.
    ///
    /// It comes by the control lane, which overtakes messages, also those that the process that has ended had sent before.
    /// A process that has ended for good already is told of at once, with [`ExitReason::NoProcess`](crate::plan::ExitReason::NoProcess). One
    /// that watches itself never hears of it. Outside of processes there is [`Address::ended`].
    ///
    /// # Examples
    /// ```
    /// use bastion_supervision::{Context, Down, Exit, Runtime, Sim, System, child, plan::RestartType};
    /// enum Event { Down(Down) }
    /// let sim = Sim::new(1);
    /// sim.run(async {
    ///     let system = System::new(Runtime::sim(&sim));
    ///     let failing = child(|_: Context<()>| async { Err(Exit::error("no disk")) });
    ///     let failing = failing.named("store").restart(RestartType::Temporary);
    ///     let store = failing.address();
    ///     let watcher = child(move |mut cx: Context<Event>| {
    ///         cx.monitor(&store, Event::Down);
    ///         async move {
    ///             let Some(Event::Down(down)) = cx.recv().await else { return Ok(()) };
    ///             assert_eq!(down.name.as_deref(), Some("store"));
    ///             assert_eq!(down.reason.to_string(), "error: no disk");
    ///             Ok(())
    ///         }
    ///     });
    ///     let watcher = system.spawn_child(watcher.restart(RestartType::Temporary)).unwrap();
    ///     system.spawn_child(failing).unwrap();
    ///     assert_eq!(watcher.ended().await.to_string(), "normal");
    /// });
    /// ```
    pub fn monitor<T: Send + 'static>(
        &mut self,
        process: &Address<T>,
        message: impl FnOnce(Down) -> M + Send + 'static,
    ) -> Monitor {
        self.watch(Some(process.shared.clone()), Box::new(message))
    }

    /// Watches the process that has a name now, as [`Context::monitor`]: that process, whoever has the name afterwards. The [`Down`] has this name.
    /// If nobody has it, that comes at once, with [`ExitReason::NoProcess`](crate::plan::ExitReason::NoProcess), and without a pid.
    ///
    /// # Examples
    /// ```
    /// use bastion_supervision::{Context, Down, Runtime, Sim, System, child, plan::RestartType};
    /// let sim = Sim::new(1);
    /// sim.run(async {
    ///     let system = System::new(Runtime::sim(&sim));
    ///     let watcher = child(|mut cx: Context<Down>| {
    ///         cx.monitor_name("store", |down| down);
    ///         async move {
    ///             let Some(down) = cx.recv().await else { return Ok(()) };
    ///             assert_eq!((down.pid, down.name.as_deref()), (None, Some("store")));
    ///             assert_eq!(down.reason.to_string(), "no such process");
    ///             Ok(())
    ///         }
    ///     });
    ///     let watcher = system.spawn_child(watcher.restart(RestartType::Temporary)).unwrap();
    ///     assert_eq!(watcher.ended().await.to_string(), "normal");
    /// });
    /// ```
    pub fn monitor_name(
        &mut self,
        name: impl Into<Arc<str>>,
        message: impl FnOnce(Down) -> M + Send + 'static,
    ) -> Monitor {
        let name = name.into();
        let process = self.env().names().process(&name);
        self.watch(process, Box::new(|down| message(Down { name: Some(name), ..down })))
    }

    fn watch(&mut self, watched: Watched, message: OfEnd<M>) -> Monitor {
        let (owner, incarnation) = (self.pid(), self.incarnation());
        let watcher = Watcher { life: self.life.clone(), process: self.shared.clone() };
        let inner = self.rare().watching.inner();
        inner.last += 1;
        let monitor = Monitor { owner, incarnation, number: inner.last };
        inner.monitors.insert(monitor, (watched.clone(), message));
        match watched {
            Some(watched) => ties::watch(watched.core(), monitor, watcher),
            None => watcher.tell_of_nobody(monitor),
        }
        monitor
    }

    /// Ends a watch: nothing of it is received any more, also not what waits already (Erlang's `demonitor` with `flush`). True: it was still
    /// there, and nothing had been received of it.
    ///
    /// # Errors
    /// [`ForeignMonitor`] when the watch is not this incarnation's own. It stays.
    pub fn demonitor(&mut self, monitor: Monitor) -> Result<bool, ForeignMonitor> {
        if (monitor.owner, monitor.incarnation) != (self.pid(), self.incarnation()) {
            return Err(ForeignMonitor);
        }
        if self.drop_passed(|origin| matches!(origin, Origin::Monitor(of) if *of == monitor)) {
            return Ok(true);
        }
        let rare = self.rare.as_mut();
        let known = rare.and_then(|rare| rare.watching.inner().monitors.remove(&monitor));
        if let Some((Some(watched), _)) = &known {
            ties::unwatch(watched.core(), monitor);
        }
        Ok(known.is_some())
    }

    /// Links this incarnation with a process: whichever of them ends first, the other is sent an exit signal with the same reason, which ends it
    /// too, unless the reason is `normal` or it [traps](Context::trap_exit) exits. Links are not counted: a second one means nothing, and so
    /// does one with itself.
    ///
    /// A process that was not started yet can be linked with; it need not be spawned and linked in one step. Should this one end before the other is
    /// started, the other does not notice. Of one that has ended for good the signal comes at
    /// once, with [`ExitReason::NoProcess`](crate::plan::ExitReason::NoProcess).
    ///
    /// # Examples
    /// ```
    /// use bastion_supervision::{Context, Exit, Runtime, Sim, System, child, plan::RestartType};
    /// use std::time::Duration;
    /// let sim = Sim::new(1);
    /// sim.run(async {
    ///     let system = System::new(Runtime::sim(&sim));
    ///     let reader = child(|mut cx: Context<()>| async move {
    ///         cx.recv().await;
    ///         Err(Exit::error("connection lost"))
    ///     });
    ///     let reader = reader.restart(RestartType::Temporary);
    ///     let other = reader.address();
    ///     let writer = child(move |cx: Context<()>| {
    ///         cx.link(&other);
    ///         async move {
    ///             cx.stop_signal().requested().await;
    ///             Ok(())
    ///         }
    ///     });
    ///     let writer = system.spawn_child(writer.restart(RestartType::Temporary)).unwrap();
    ///     let reader = system.spawn_child(reader).unwrap();
    ///     sim.sleep(Duration::from_secs(1)).await;
    ///     reader.tell(()).unwrap();
    ///     assert_eq!(writer.ended().await.to_string(), "error: connection lost");
    /// });
    /// ```
    pub fn link<T: Send + 'static>(&self, process: &Address<T>) {
        let own: Arc<dyn Process> = self.shared.clone();
        let other: Arc<dyn Process> = process.shared.clone();
        ties::link(&own, &self.life, &other);
    }

    /// Ends a link, if there is one. Nothing of it is received any more, also not what waits already.
    pub fn unlink<T: Send + 'static>(&mut self, process: &Address<T>) {
        let ended: &Core = &process.shared.core;
        self.drop_passed(|origin| match origin {
            Origin::Exit(Some(link)) => std::ptr::eq(link.core(), ended),
            _ => false,
        });
        ties::unlink(&self.shared.core, &self.life, &process.shared.core);
    }

    /// Receives exit signals from now on, as what `message` makes of them, by the control lane, instead of ending by them: those of
    /// links, also `normal` ones, and those that [`Address::exit`] sends, but for `killed`, which nobody can trap. Again: the
    /// new closure counts.
    pub fn trap_exit(&mut self, message: impl FnMut(ExitSignal) -> M + Send + 'static) {
        self.rare().watching.inner().exits = Some(Box::new(message));
        self.life.trap_exits(true);
    }

    /// Ends by exit signals again. Signals that wait already are still received.
    pub fn untrap_exit(&mut self) {
        self.life.trap_exits(false);
    }

    /// Takes the next message that the control lane brings.
    #[inline]
    pub(super) fn noticed(&mut self) -> Option<(Origin, M)> {
        while self.life.is_noticed()
            && let Some(notice) = self.life.next_notice()
        {
            let message = self.rare.as_mut().and_then(|rare| rare.watching.message(notice));
            if message.is_some() {
                return message;
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use crate::plan::RestartType;
    use crate::{Context, Runtime, Sim, System, child};
    use std::future::pending;

    #[test]
    fn nothing_stays_with_those_that_were_watched() {
        let sim = Sim::new(1);
        sim.run(async {
            let system = System::new(Runtime::sim(&sim));
            let watched = child(|_: Context<()>| pending());
            let watched = system.spawn_child(watched).unwrap();
            let other = watched.clone();
            let is_tied = move || other.shared.core.is_tied();
            let (other, looks) = (watched.clone(), is_tied.clone());
            let watcher = child(move |mut cx: Context<()>| {
                let monitor = cx.monitor(&other, drop);
                assert!(looks());
                assert_eq!(cx.demonitor(monitor), Ok(true));
                assert!(!looks());
                cx.monitor(&other, drop);
                cx.link(&other);
                cx.unlink(&other);
                async move {
                    cx.recv().await;
                    Ok(())
                }
            });
            let watcher = watcher.restart(RestartType::Temporary);
            let watcher = system.spawn_child(watcher).unwrap();
            watcher.tell(()).unwrap();
            assert_eq!(watcher.ended().await.to_string(), "normal");
            assert!(!is_tied());
        });
    }
}
