//! [`Resource`]: one thing that is lent to one process after another, and comes back when its holder ends, however that is.
//!
//! Knows no supervisor and no runtime: a lease comes back because the body that has it is dropped. The value is in the resource or in
//! the lease, never in both. Only the first in the queue may take it; whoever leaves the queue, or gives the value back, wakes
//! the first.

use crate::pid::Pid;
use crate::process::{current_pid, guard};
use crate::sync::lock;
use crate::waiters::{Waiters, wait};
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

/// The owner of one thing that processes use one at a time: a bound socket, a device, a connection.
///
/// It outlives its holders: when one crashes, is killed or ends, the value comes back as it is, and the next one has it. Those who wait get
/// it in the order in which they came. Cloning it gives another handle of the same thing: start closures capture one.
///
/// By the time that a crashed process is started again, what it held is back. The next holder finds the value as the last one left it,
/// perhaps in the middle of something: it replaces what is broken with `*lease = fresh`.
///
/// A lease cannot be revoked. A process that never yields and was abandoned keeps what it holds until it goes on; `cx.timeout` limits how
/// long others wait for it.
///
/// # Examples
/// ```
/// use bastion_supervision::{Context, Exit, Reply, Resource, Runtime, Sim, Supervisor, System, child};
/// use std::time::Duration;
///
/// enum Job { Next(Reply<u32>), Crash }
///
/// async fn counter(mut cx: Context<Job>, numbers: Resource<u32>) -> Result<(), Exit> {
///     let mut number = numbers.acquire().await?;
///     while let Some(job) = cx.recv().await {
///         match job {
///             Job::Next(reply) => {
///                 *number += 1;
///                 reply.send(*number);
///             }
///             Job::Crash => panic!("told to"),
///         }
///     }
///     Ok(())
/// }
///
/// # std::panic::set_hook(Box::new(|_| {}));
/// let sim = Sim::new(1);
/// sim.run(async {
///     let system = System::new(Runtime::sim(&sim));
///     let numbers = Resource::new("numbers", 0);
///     let lent = numbers.clone();
///     let counter = child(move |cx| counter(cx, lent.clone()));
///     let address = counter.address();
///     let store = Supervisor::new("store").intensity(3, Duration::from_secs(10)).child(counter);
///     system.supervise(store).await.unwrap();
///     assert_eq!(address.ask(Job::Next).await, Ok(1));
///     address.tell(Job::Crash).unwrap();
///     assert_eq!(address.ask(Job::Next).await, Ok(2));
///     assert_eq!(numbers.leases(), 2);
/// });
/// ```
pub struct Resource<T>(Arc<Inner<T>>);

struct Inner<T> {
    name: Arc<str>,
    state: Mutex<State<T>>,
}

struct State<T> {
    value: Place<T>,
    /// It is lent no more.
    retired: bool,
    leases: u64,
    /// Who waits for it, in the order of their coming.
    queue: BTreeMap<u64, Waker>,
    last: u64,
    /// Who waits to take it out, while it is lent.
    retiring: Waiters,
}

/// Where the value is.
enum Place<T> {
    Here(T),
    /// In a lease, which a process took, or who is none.
    Lent(Option<Pid>),
    /// Taken out for good.
    Gone,
}

impl<T> Resource<T> {
    /// Makes a resource that has this value. The name is for errors and for people, and need not be unique.
    pub fn new(name: impl Into<Arc<str>>, value: T) -> Resource<T> {
        let state = State {
            value: Place::Here(value),
            retired: false,
            leases: 0,
            queue: BTreeMap::new(),
            last: 0,
            retiring: Waiters::default(),
        };
        Resource(Arc::new(Inner { name: name.into(), state: Mutex::new(state) }))
    }

    /// Waits for the turn of the caller, which comes into the queue when the future is first polled.
    ///
    /// A process that holds the lease and waits for another one waits for itself.
    ///
    /// # Errors
    /// [`Retired`] when the resource was taken out of use, also while the caller waits.
    ///
    /// # Cancel safety
    /// Nothing is lost: the turn passes to the next. A future that is neither polled nor dropped keeps its turn.
    pub fn acquire(&self) -> Acquire<T> {
        Acquire { resource: self.clone(), key: None }
    }

    /// Takes the lease, if the resource is free and nobody waits for it.
    ///
    /// # Errors
    /// Why that cannot be.
    pub fn try_acquire(&self) -> Result<Lease<T>, TryAcquireError> {
        let mut state = lock(&self.0.state);
        if state.retired {
            return Err(TryAcquireError::Retired);
        }
        if !state.queue.is_empty() && matches!(state.value, Place::Here(_)) {
            return Err(TryAcquireError::Awaited);
        }
        let value = state.take(Place::Lent(current_pid()))?;
        state.leases += 1;
        Ok(self.lease(value))
    }

    /// Returns the process that took the lease, if the resource is lent and a process took it.
    ///
    /// A lease that was handed on is still that of the process that took it.
    pub fn holder(&self) -> Option<Pid> {
        match lock(&self.0.state).value {
            Place::Lent(holder) => holder,
            Place::Here(_) | Place::Gone => None,
        }
    }

    /// Says whether somebody, process or not, holds the lease.
    pub fn is_held(&self) -> bool {
        matches!(lock(&self.0.state).value, Place::Lent(_))
    }

    /// Says whether the resource was taken out of use.
    pub fn is_retired(&self) -> bool {
        lock(&self.0.state).retired
    }

    /// How many wait for their turn.
    pub fn waiting(&self) -> usize {
        lock(&self.0.state).queue.len()
    }

    /// How many times the resource has been lent so far.
    pub fn leases(&self) -> u64 {
        lock(&self.0.state).leases
    }

    /// Returns the name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Takes the resource out of use for good, and then waits for the holder to give it back. `None`: somebody else has taken it out.
    ///
    /// From the first poll on it is lent no more, and all who wait are told. A holder that waits for this waits for itself: it calls
    /// [`Lease::retire`].
    ///
    /// # Cancel safety
    /// Out of use it stays. The value remains in the resource, for the next call, or to be dropped with the last handle.
    pub async fn retire(&self) -> Option<T> {
        let refused = lock(&self.0.state).close();
        wake(refused);
        loop {
            let taken = lock(&self.0.state).take(Place::Gone);
            match taken {
                Ok(value) => return Some(value),
                Err(TryAcquireError::Retired) => return None,
                Err(_) => {}
            }
            wait(&self.0.state, |state| match state.value {
                Place::Lent(_) => Err(&mut state.retiring),
                _ => Ok(()),
            })
            .await;
        }
    }

    /// Takes the resource out of use for good if nobody holds it; those who wait are told.
    ///
    /// # Errors
    /// When it is held, or has been taken out: nothing has changed then.
    pub fn try_retire(&self) -> Result<T, TryAcquireError> {
        let mut state = lock(&self.0.state);
        let value = state.take(Place::Gone)?;
        let refused = state.close();
        drop(state);
        wake(refused);
        Ok(value)
    }

    /// Says whether this is a handle of the same resource.
    pub fn is(&self, other: &Resource<T>) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    fn lease(&self, value: T) -> Lease<T> {
        Lease { resource: self.clone(), value: Some(value) }
    }

    fn retired(&self) -> Retired {
        Retired { name: self.0.name.clone() }
    }
}

impl<T> State<T> {
    /// Takes the value, if it is here, and leaves `place` behind.
    fn take(&mut self, place: Place<T>) -> Result<T, TryAcquireError> {
        match std::mem::replace(&mut self.value, place) {
            Place::Here(value) => Ok(value),
            Place::Lent(holder) => {
                self.value = Place::Lent(holder);
                Err(TryAcquireError::Held { holder })
            }
            Place::Gone => {
                self.value = Place::Gone;
                Err(TryAcquireError::Retired)
            }
        }
    }

    /// Lends no more. Returns who is to be told.
    fn close(&mut self) -> BTreeMap<u64, Waker> {
        self.retired = true;
        std::mem::take(&mut self.queue)
    }

    /// The one whose turn it is, if the value is here for it.
    fn next(&self) -> Option<Waker> {
        let (_, first) = self.queue.first_key_value()?;
        matches!(self.value, Place::Here(_)).then(|| first.clone())
    }
}

fn wake(wakers: BTreeMap<u64, Waker>) {
    wakers.into_values().for_each(guard::wake);
}

/// Nobody has a handle any more. The value's destructor is foreign code, and whoever had the last handle is not to suffer from it.
impl<T> Drop for Inner<T> {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Ok(value) = state.take(Place::Gone) {
            guard::contain(|| drop(value));
        }
    }
}

impl<T> Clone for Resource<T> {
    fn clone(&self) -> Self {
        Resource(self.0.clone())
    }
}

impl<T> fmt::Debug for Resource<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, leases, waiting) = (self.name(), self.leases(), self.waiting());
        let mut debug = f.debug_struct("Resource");
        debug.field("name", &name).field("holder", &self.holder());
        debug.field("leases", &leases).field("waiting", &waiting).finish_non_exhaustive()
    }
}

/// The future of [`Resource::acquire`].
#[must_use = "futures do nothing unless polled"]
pub struct Acquire<T> {
    resource: Resource<T>,
    /// The place in the queue.
    key: Option<u64>,
}

// Nothing in it is pinned in place.
impl<T> Unpin for Acquire<T> {}

impl<T> Future for Acquire<T> {
    type Output = Result<Lease<T>, Retired>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let resource = self.resource.clone();
        let mut state = lock(&resource.0.state);
        if state.retired {
            self.key = None;
            return Poll::Ready(Err(resource.retired()));
        }
        let first = state.queue.first_key_value().map(|(key, _)| *key);
        if first.is_none_or(|first| self.key == Some(first))
            && let Ok(value) = state.take(Place::Lent(current_pid()))
        {
            state.leases += 1;
            let own = self.key.take().and_then(|key| state.queue.remove(&key));
            drop(state);
            // First: if the foreign waker panics when it is dropped, the value goes back.
            let lease = resource.lease(value);
            drop(own);
            return Poll::Ready(Ok(lease));
        }
        let key = self.key.unwrap_or_else(|| {
            state.last += 1;
            state.last
        });
        self.key = Some(key);
        let replaced = state.queue.insert(key, cx.waker().clone());
        drop(state);
        drop(replaced);
        Poll::Pending
    }
}

/// Passes the turn on.
impl<T> Drop for Acquire<T> {
    fn drop(&mut self) {
        let Some(key) = self.key else { return };
        let mut state = lock(&self.resource.0.state);
        let own = state.queue.remove(&key);
        let next = state.next();
        drop(state);
        drop(own);
        if let Some(next) = next {
            guard::wake(next);
        }
    }
}

impl<T> fmt::Debug for Acquire<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Acquire({})", self.resource.name())
    }
}

/// The use of a [`Resource`], for as long as this is kept. When it is dropped, for whatever reason, the next one has its turn.
///
/// What is not dropped (`std::mem::forget`, a process that never yields) does not come back.
pub struct Lease<T> {
    resource: Resource<T>,
    /// There until it is given back.
    value: Option<T>,
}

impl<T> Lease<T> {
    /// Takes the resource out of use for good: it is lent no more, and all who wait are told.
    pub fn retire(mut lease: Lease<T>) -> T {
        let value = lease.value.take().expect("present until it is given back");
        let mut state = lock(&lease.resource.0.state);
        state.value = Place::Gone;
        let (refused, retiring) = (state.close(), state.retiring.take());
        drop(state);
        wake(refused);
        retiring.for_each(guard::wake);
        value
    }

    /// Returns the resource that was lent.
    pub fn resource(lease: &Lease<T>) -> &Resource<T> {
        &lease.resource
    }
}

impl<T> Deref for Lease<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.as_ref().expect("present until it is given back")
    }
}

impl<T> DerefMut for Lease<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_mut().expect("present until it is given back")
    }
}

/// Gives the value back.
impl<T> Drop for Lease<T> {
    fn drop(&mut self) {
        let Some(value) = self.value.take() else { return };
        let mut state = lock(&self.resource.0.state);
        state.value = Place::Here(value);
        let (next, retiring) = (state.next(), state.retiring.take());
        drop(state);
        retiring.for_each(guard::wake);
        if let Some(next) = next {
            guard::wake(next);
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Lease<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lease").field(&self.resource.name()).field(&**self).finish()
    }
}

/// The resource was taken out of use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retired {
    name: Arc<str>,
}

impl Retired {
    /// Returns the resource's name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for Retired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the resource {} was taken out of use", self.name)
    }
}

impl Error for Retired {}

/// Why a resource cannot be had at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TryAcquireError {
    /// Somebody holds it.
    Held {
        /// The process that does; `None`: somebody who is no process.
        holder: Option<Pid>,
    },
    /// It is free, and others waited for it before.
    Awaited,
    /// It was taken out of use.
    Retired,
}

impl fmt::Display for TryAcquireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TryAcquireError::Held { holder: Some(pid) } => write!(f, "the process {pid} holds it"),
            TryAcquireError::Held { holder: None } => f.write_str("it is held, by no process"),
            TryAcquireError::Awaited => f.write_str("others wait for it"),
            TryAcquireError::Retired => f.write_str("it was taken out of use"),
        }
    }
}

impl Error for TryAcquireError {}
