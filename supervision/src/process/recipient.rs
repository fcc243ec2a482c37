//! [`Recipient`]: whoever accepts messages of one type, whatever else it takes.

use super::address::{ASK_TIMEOUT, Address};
use super::ask::{Ask, Reply};
use super::core::{Core, Shared};
use crate::mailbox::TellError;
use crate::pid::Pid;
use crate::plan::ExitReason;
use std::any::type_name;
use std::fmt;
use std::future::Future;
use std::hash::{Hash, Hasher};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// A process that accepts `M`, among others maybe: its address without the type of its own messages.
///
/// A process accepts the messages that it receives; those that convert into them, and back, by `From` and `TryFrom`
/// ([`Address::recipient`]) or by functions ([`Address::recipient_with`]); and every type, if it receives
/// [`Msg`](crate::Msg)s ([`Address::recipient_any`]). The way back is for messages that are refused: they come back as what they were.
///
/// It is as cheap to clone as an address, and valid as long: over all restarts. Recipients are equal when they are of one process, also when
/// that converts in different ways.
///
/// # Examples
/// A message with the address of its sender, who may be anything that takes the answer. This is how typed messages are signed; those of any
/// type are by [`Msg::signed_by`](crate::Msg::signed_by):
/// ```
/// use bastion_supervision::{Context, Exit, Recipient, Runtime, Sim, System, child};
/// struct Greet { name: String, from: Recipient<String> }
///
/// async fn greeter(mut cx: Context<Greet>) -> Result<(), Exit> {
///     while let Some(Greet { name, from }) = cx.recv().await {
///         from.tell(format!("hello, {name}"))?;
///     }
///     Ok(())
/// }
///
/// enum Guest { Arrive, Greeted(String) }
///
/// let sim = Sim::new(1);
/// sim.run(async {
///     let system = System::new(Runtime::sim(&sim));
///     let greeter = system.spawn_child(child(greeter)).unwrap();
///     let guest = child(move |mut cx: Context<Guest>| {
///         let greeter = greeter.clone();
///         async move {
///             let from = cx.address().recipient_with(Guest::Greeted, |message| match message {
///                 Guest::Greeted(text) => Some(text),
///                 Guest::Arrive => None,
///             });
///             while let Some(message) = cx.recv().await {
///                 match message {
///                     Guest::Arrive => greeter.tell(Greet { name: "Ann".into(), from: from.clone() })?,
///                     Guest::Greeted(text) => assert_eq!(text, "hello, Ann"),
///                 }
///             }
///             Ok(())
///         }
///     });
///     system.spawn_child(guest).unwrap().tell(Guest::Arrive).unwrap();
///     sim.sleep(std::time::Duration::from_secs(1)).await;
///     assert_eq!(system.stats().crashes, 0);
/// });
/// ```
pub struct Recipient<M>(Arc<dyn Accept<M>>);

/// What stands behind a recipient: a process, or one with the functions that convert its messages.
trait Accept<M>: Send + Sync {
    fn core(&self) -> &Core;
    fn tell(&self, message: M) -> Result<(), TellError<M>>;
    fn send(&self, message: M) -> Sending<'_, M>;
}

type Sending<'a, M> = Pin<Box<dyn Future<Output = Result<(), TellError<M>>> + Send + 'a>>;

/// Its own messages are among these: they convert into themselves, which costs nothing.
impl<M, N> Accept<M> for Shared<N>
where
    M: TryFrom<N> + Send + 'static,
    N: From<M> + Send + 'static,
{
    fn core(&self) -> &Core {
        &self.core
    }

    fn tell(&self, message: M) -> Result<(), TellError<M>> {
        Shared::tell(self, message.into())
            .map_err(|refused| back(refused, |own| own.try_into().ok()))
    }

    fn send(&self, message: M) -> Sending<'_, M> {
        let sending = Shared::send(self, message.into());
        Box::pin(async move {
            sending.await.map_err(|refused| back(refused, |own| own.try_into().ok()))
        })
    }
}

/// A process and the way to its messages and back.
struct Mapped<N, I, B> {
    shared: Arc<Shared<N>>,
    into: I,
    back: B,
}

impl<M, N, I, B> Accept<M> for Mapped<N, I, B>
where
    M: Send + 'static,
    N: Send + 'static,
    I: Fn(M) -> N + Send + Sync,
    B: Fn(N) -> Option<M> + Send + Sync,
{
    fn core(&self) -> &Core {
        &self.shared.core
    }

    fn tell(&self, message: M) -> Result<(), TellError<M>> {
        self.shared.tell((self.into)(message)).map_err(|refused| back(refused, &self.back))
    }

    fn send(&self, message: M) -> Sending<'_, M> {
        let sending = self.shared.send((self.into)(message));
        Box::pin(async move { sending.await.map_err(|refused| back(refused, &self.back)) })
    }
}

/// Makes a message that was refused what it was.
fn back<M, N>(refused: TellError<N>, back: impl Fn(N) -> Option<M>) -> TellError<M> {
    let why: fn(M) -> TellError<M> = match refused {
        TellError::Dead(_) => TellError::Dead,
        TellError::Full(_) => TellError::Full,
        TellError::TooLarge(_) => TellError::TooLarge,
    };
    let Some(message) = back(refused.into_message()) else {
        panic!("a {} was made a {}, and does not convert back", type_name::<M>(), type_name::<N>());
    };
    why(message)
}

impl<N: Send + 'static> Address<N> {
    /// Returns the process as one that accepts `M`: its own messages, or others that convert into them. Allocates nothing.
    ///
    /// # Examples
    /// ```
    /// use bastion_supervision::{Context, Exit, Recipient, TellError, child};
    /// #[derive(Debug)]
    /// enum Order { Add(u64), Stop }
    /// impl From<u64> for Order {
    ///     fn from(n: u64) -> Order {
    ///         Order::Add(n)
    ///     }
    /// }
    /// impl TryFrom<Order> for u64 {
    ///     type Error = Order;
    ///     fn try_from(order: Order) -> Result<u64, Order> {
    ///         match order {
    ///             Order::Add(n) => Ok(n),
    ///             other => Err(other),
    ///         }
    ///     }
    /// }
    /// let counter = child(|mut cx: Context<Order>| async move {
    ///     while let Some(order) = cx.recv().await {
    ///         println!("{order:?}");
    ///     }
    ///     Ok(())
    /// });
    /// let numbers: Recipient<u64> = counter.address().recipient();
    /// numbers.tell(1).unwrap();
    /// drop(counter); // Instead of giving it to a supervisor.
    /// assert!(matches!(numbers.tell(2), Err(TellError::Dead(2))));
    /// ```
    pub fn recipient<M>(&self) -> Recipient<M>
    where
        M: TryFrom<N> + Send + 'static,
        N: From<M>,
    {
        Recipient(self.shared.clone())
    }

    /// Returns the process as one that accepts `M`, which `into` makes a message of its own. `back` makes one that was refused what it
    /// was: it is called with what `into` has returned. Both are called where a message is sent.
    ///
    /// # Panics
    /// Sends panic when `back` returns `None`.
    pub fn recipient_with<M: Send + 'static>(
        &self,
        into: impl Fn(M) -> N + Send + Sync + 'static,
        back: impl Fn(N) -> Option<M> + Send + Sync + 'static,
    ) -> Recipient<M> {
        Recipient(Arc::new(Mapped { shared: self.shared.clone(), into, back }))
    }
}

impl<M: Send + 'static> Recipient<M> {
    /// Sends a message, as [`Address::tell`].
    ///
    /// # Errors
    /// As [`Address::tell`]. The message comes back in the error.
    pub fn tell(&self, message: M) -> Result<(), TellError<M>> {
        self.0.tell(message)
    }

    /// Sends a message, and waits for room while the mailbox is full, as [`Address::send`]. Allocates its future.
    ///
    /// # Errors
    /// As [`Address::send`]. The message comes back in the error.
    ///
    /// # Cancel safety
    /// A future that is dropped before it is ready has not sent its message.
    pub fn send(&self, message: M) -> impl Future<Output = Result<(), TellError<M>>> + Send + '_ {
        self.0.send(message)
    }

    /// Sends a message made from a [`Reply`], and waits for what is replied, for at most [`ASK_TIMEOUT`]: as [`Address::ask`].
    ///
    /// # Errors
    /// The future's: see [`AskError`](crate::AskError).
    ///
    /// # Cancel safety
    /// That of [`Address::ask`].
    pub fn ask<T: Send + 'static>(&self, question: impl FnOnce(Reply<T>) -> M) -> Ask<T> {
        self.ask_timeout(ASK_TIMEOUT, question)
    }

    /// Asks, and waits for at most `limit`. Otherwise as [`Recipient::ask`].
    pub fn ask_timeout<T: Send + 'static>(
        &self,
        limit: Duration,
        question: impl FnOnce(Reply<T>) -> M,
    ) -> Ask<T> {
        Ask::by(self.0.core(), limit, |reply| self.tell(question(reply)))
    }

    /// Waits until the process has ended for good, and says why.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub async fn ended(&self) -> ExitReason {
        self.0.core().ended().await
    }

    /// Says whether the process has ended for good.
    pub fn has_ended(&self) -> bool {
        self.0.core().has_ended()
    }

    /// Returns the process's pid; `None` before it was given to a supervisor.
    pub fn pid(&self) -> Option<Pid> {
        self.0.core().pid()
    }

    /// Returns the process's name.
    pub fn name(&self) -> Option<&str> {
        self.0.core().name().map(|name| &**name)
    }
}

impl<M, N> From<Address<N>> for Recipient<M>
where
    M: TryFrom<N> + Send + 'static,
    N: From<M> + Send + 'static,
{
    fn from(address: Address<N>) -> Recipient<M> {
        Recipient(address.shared)
    }
}

impl<M> Clone for Recipient<M> {
    fn clone(&self) -> Self {
        Recipient(self.0.clone())
    }
}

/// Recipients are equal when they are of one process.
impl<M> PartialEq for Recipient<M> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0.core(), other.0.core())
    }
}

impl<M> Eq for Recipient<M> {}

impl<M> Hash for Recipient<M> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::ptr::from_ref(self.0.core()).hash(state);
    }
}

impl<M> fmt::Debug for Recipient<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recipient({})", self.0.core())
    }
}
