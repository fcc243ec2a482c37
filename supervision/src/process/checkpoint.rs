//! Checkpoints: what an incarnation leaves to those that come after it. They stand with the process, not with any of its incarnations.

use super::context::Context;
use super::core::Shared;
use super::guard;
use super::life::Life;
use crate::sync::lock;
use std::any::{Any, TypeId};
use std::mem;
use std::sync::{Arc, Mutex};

type State = Arc<dyn Any + Send + Sync>;

/// The states that a process has saved, one of each type. They are few: a list.
#[derive(Default)]
pub(super) struct Saved(Mutex<Vec<(TypeId, State)>>);

impl Saved {
    /// Puts a state in the place of the last one of its type. Returns what is to be dropped: that one; or this one, if the incarnation does not
    /// count any more. Looked at under the lock: whoever comes after it must find what it has saved itself.
    fn replace(&self, life: &Life, kind: TypeId, state: State) -> Option<State> {
        let mut states = lock(&self.0);
        if life.has_left() {
            return Some(state);
        }
        match states.iter_mut().find(|(of, _)| *of == kind) {
            Some((_, place)) => Some(mem::replace(place, state)),
            None => {
                states.push((kind, state));
                None
            }
        }
    }

    fn find(&self, kind: TypeId) -> Option<State> {
        lock(&self.0).iter().find(|(of, _)| *of == kind).map(|(_, state)| state.clone())
    }

    fn remove(&self, life: &Life, kind: TypeId) -> Option<State> {
        let mut states = lock(&self.0);
        let place = states.iter().position(|(of, _)| *of == kind && !life.has_left())?;
        Some(states.swap_remove(place).1)
    }

    /// Drops all, each on its own: their destructors are foreign code.
    fn clear(&self) {
        let states = mem::take(&mut *lock(&self.0));
        for state in states {
            guard::contain(|| drop(state));
        }
    }
}

impl<M> Shared<M> {
    /// Drops what the process has saved. It has ended for good.
    pub(super) fn forget_all(&self) {
        if let Some(extras) = self.core.extras() {
            extras.saved.clear();
        }
    }
}

impl<M: Send + 'static> Context<M> {
    /// Saves a state for the incarnations that come after this one, in place of the last one of its type: a checkpoint. They find it with
    /// [`saved`](Context::saved).
    ///
    /// A process has at most one of each type. They are kept in memory over crashes, kills, stops, and restarts of its supervisor, and
    /// dropped when the process has ended for good. What is saved by an incarnation that was abandoned counts for nothing. The destructor of the
    /// state that is replaced runs here.
    ///
    /// # Examples
    /// ```
    /// use bastion_supervision::{Context, Exit, Reply, Runtime, Sim, System, child};
    /// enum Count { Add(u64), Crash, Get(Reply<u64>) }
    /// async fn counter(mut cx: Context<Count>) -> Result<(), Exit> {
    ///     let mut total = cx.saved::<u64>().map_or(0, |saved| *saved);
    ///     while let Some(message) = cx.recv().await {
    ///         match message {
    ///             Count::Add(number) => {
    ///                 total += number;
    ///                 cx.save(total);
    ///             }
    ///             Count::Crash => return Err(Exit::error("told to")),
    ///             Count::Get(reply) => reply.send(total),
    ///         }
    ///     }
    ///     Ok(())
    /// }
    /// let sim = Sim::new(1);
    /// sim.run(async {
    ///     let system = System::new(Runtime::sim(&sim));
    ///     let counter = system.spawn_child(child(counter)).unwrap();
    ///     counter.tell(Count::Add(2)).unwrap();
    ///     counter.tell(Count::Crash).unwrap();
    ///     assert_eq!(counter.ask(Count::Get).await, Ok(2));
    /// });
    /// ```
    pub fn save<S: Send + Sync + 'static>(&self, state: S) {
        let saved = &self.shared.core.extras_or_new().saved;
        drop(saved.replace(&self.life, TypeId::of::<S>(), Arc::new(state)));
    }

    /// Returns the state of this type that was saved last, by this incarnation or by one before it. It stays saved.
    ///
    /// A state that makes the process fail makes each incarnation fail that trusts it. One that has doubts
    /// [forgets](Context::forget) it at first, and saves again when all is well.
    pub fn saved<S: Send + Sync + 'static>(&self) -> Option<Arc<S>> {
        let state = self.shared.core.extras()?.saved.find(TypeId::of::<S>())?;
        state.downcast().ok()
    }

    /// Returns the state of this type that was saved last, and forgets it: the next incarnation does not find it, unless it is saved again.
    ///
    /// # Examples
    /// ```
    /// use bastion_supervision::{Context, Exit, child};
    /// # #[derive(Default)]
    /// struct Index { words: Vec<String> }
    /// async fn search(mut cx: Context<String>) -> Result<(), Exit> {
    ///     // If it was this index that the last incarnation has failed of, it will not be the next one's.
    ///     let index = cx.forget::<Index>().unwrap_or_default();
    ///     while let Some(word) = cx.recv().await {
    ///         println!("{word}: {}", index.words.contains(&word));
    ///     }
    ///     Ok(())
    /// }
    /// let search = child(search);
    /// ```
    pub fn forget<S: Send + Sync + 'static>(&self) -> Option<Arc<S>> {
        let state = self.shared.core.extras()?.saved.remove(&self.life, TypeId::of::<S>())?;
        state.downcast().ok()
    }
}
