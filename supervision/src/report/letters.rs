//! Dead letters, each with its reason, for those who subscribe. Everybody else has their number, in reports and counters.

use crate::pid::Pid;
use crate::plan::ExitReason;
use crate::pool::Discarded;
use crate::process::{Overflow, guard};
use crate::sync::lock;
use crate::weak_list::WeakList;
use futures_core::Stream;
use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// Messages that were accepted and never handled.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DeadLetter {
    /// When that was certain, in the system's time: see [`System::now`](crate::System::now).
    pub at: Duration,
    /// The process that was to handle them.
    pub pid: Pid,
    /// Its name.
    pub name: Option<Arc<str>>,
    /// The type of the messages; of a [`Msg`](crate::Msg), that of its value.
    pub message: &'static str,
    /// How many there are. What happens together is one letter, and so are messages of one sender, dropped one after the other.
    pub count: u64,
    /// Why nobody handles them.
    pub reason: Undelivered,
    /// The process that sent them, where that is known: when they were dropped as they came, or are [signed](crate::Msg::signed_by) and were
    /// not understood. Other messages do not say who sent them.
    pub sender: Option<Pid>,
    /// How many messages were in letters before this one that are gone, because the subscriber did not take them in time.
    pub missed: u64,
}

impl fmt::Display for DeadLetter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let DeadLetter { pid, name, message, count, reason, .. } = self;
        let name = name.iter().flat_map(|name| [name, " "]).collect::<String>();
        write!(f, "{count} x {message} to {name}{pid}: {reason}")
    }
}

/// Why messages that were accepted are not handled.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Undelivered {
    /// Their process has ended for good, for this reason.
    Ended(ExitReason),
    /// The mailbox was full, and this is its rule.
    Overflow(Overflow),
    /// The process has received it, and does not know the type: see [`Context::refuse`](crate::Context::refuse).
    NotUnderstood,
    /// It was for nobody: see [`Address::dead_letter`](crate::Address::dead_letter). The process is the one that sent it.
    Nobody,
    /// A [`Pool`](crate::Pool) has thrown it away, for this reason. The process is its supervisor.
    Discarded(Discarded),
}

impl fmt::Display for Undelivered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Undelivered::Ended(reason) => write!(f, "it has ended: {reason}"),
            Undelivered::Overflow(_) => f.write_str("its mailbox was full"),
            Undelivered::NotUnderstood => f.write_str("it does not understand them"),
            Undelivered::Nobody => f.write_str("they were for nobody"),
            Undelivered::Discarded(why) => why.fmt(f),
        }
    }
}

impl DeadLetter {
    /// Says whether the next letter tells of the same, so that one is enough for both.
    fn is_continued_by(&self, next: &DeadLetter) -> bool {
        let who = |letter: &DeadLetter| (letter.pid, letter.sender, letter.message);
        let is_same = match (&self.reason, &next.reason) {
            (Undelivered::Overflow(rule), Undelivered::Overflow(next)) => rule == next,
            (Undelivered::Discarded(why), Undelivered::Discarded(next)) => why == next,
            _ => false,
        };
        is_same && who(self) == who(next)
    }
}

/// A subscription to the dead letters of a system: see [`System::dead_letters`](crate::System::dead_letters).
///
/// It is a [`Stream`] too, so a process can [attach](crate::Context::attach) it. Dropping it ends it.
pub struct DeadLetters {
    inbox: Arc<Inbox>,
}

impl DeadLetters {
    /// Waits for the next letter. `None`: the system has ended, and all letters were taken.
    ///
    /// # Cancel safety
    /// No letter is lost when the future is dropped.
    pub fn recv(&mut self) -> impl Future<Output = Option<DeadLetter>> + Send + '_ {
        poll_fn(|task| self.inbox.poll(task))
    }

    /// Returns the next letter, if there is one.
    pub fn try_recv(&mut self) -> Option<DeadLetter> {
        lock(&self.inbox.state).take()
    }
}

impl Stream for DeadLetters {
    type Item = DeadLetter;

    fn poll_next(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<DeadLetter>> {
        self.inbox.poll(task)
    }
}

impl fmt::Debug for DeadLetters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (limit, waiting) = (self.inbox.limit, lock(&self.inbox.state).letters.len());
        f.debug_struct("DeadLetters").field("limit", &limit).field("waiting", &waiting).finish()
    }
}

/// Where the letters of one subscription wait. Reasons in them are foreign: none is dropped under the lock.
struct Inbox {
    limit: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    letters: VecDeque<DeadLetter>,
    /// How many messages were in letters that are gone, and not yet told.
    missed: u64,
    reader: Option<Waker>,
    closed: bool,
}

impl State {
    fn take(&mut self) -> Option<DeadLetter> {
        let mut letter = self.letters.pop_front()?;
        letter.missed = std::mem::take(&mut self.missed);
        Some(letter)
    }
}

impl Inbox {
    fn poll(&self, task: &mut Context<'_>) -> Poll<Option<DeadLetter>> {
        let reader = task.waker().clone();
        let mut state = lock(&self.state);
        if let Some(letter) = state.take() {
            return Poll::Ready(Some(letter));
        }
        if state.closed {
            return Poll::Ready(None);
        }
        let replaced = state.reader.replace(reader);
        drop(state);
        drop(replaced);
        Poll::Pending
    }

    fn push(&self, letter: DeadLetter) {
        let mut state = lock(&self.state);
        let unused = if state.letters.back().is_some_and(|last| last.is_continued_by(&letter)) {
            let last = state.letters.back_mut().expect("there is one");
            last.count += letter.count;
            Some(letter)
        } else {
            let oldest =
                if state.letters.len() < self.limit { None } else { state.letters.pop_front() };
            state.missed += oldest.as_ref().map_or(0, |oldest| oldest.count);
            state.letters.push_back(letter);
            oldest
        };
        let reader = state.reader.take();
        drop(state);
        guard::contain(|| drop(unused));
        if let Some(reader) = reader {
            guard::wake(reader);
        }
    }

    fn close(&self) {
        let mut state = lock(&self.state);
        state.closed = true;
        let reader = state.reader.take();
        drop(state);
        if let Some(reader) = reader {
            guard::wake(reader);
        }
    }
}

/// The subscriptions of a system.
pub(crate) struct Letters {
    /// Whether there was ever one: nothing is made ready for nobody.
    wanted: AtomicBool,
    inboxes: Mutex<WeakList<Inbox>>,
    closed: AtomicBool,
}

impl Letters {
    pub(crate) fn new() -> Letters {
        let (wanted, closed) = (AtomicBool::new(false), AtomicBool::new(false));
        Letters { wanted, inboxes: Mutex::new(WeakList::new()), closed }
    }

    /// # Panics
    /// When `limit` is 0.
    #[track_caller]
    pub(crate) fn subscribe(&self, limit: usize) -> DeadLetters {
        assert!(limit > 0, "a subscription has room for one letter at least");
        let inbox = Arc::new(Inbox { limit, state: Mutex::default() });
        lock(&self.inboxes).push(&inbox);
        self.wanted.store(true, SeqCst);
        // Either this sees that the system has ended, or its end sees the subscription.
        if self.closed.load(SeqCst) {
            inbox.close();
        }
        DeadLetters { inbox }
    }

    /// Says whether anybody wants letters.
    pub(crate) fn are_wanted(&self) -> bool {
        self.wanted.load(SeqCst)
    }

    pub(crate) fn publish(&self, letter: &DeadLetter) {
        // In a loop's head the lock would be held to its end.
        let inboxes = lock(&self.inboxes).all();
        for inbox in inboxes {
            inbox.push(letter.clone());
            // Its subscriber may have gone meanwhile.
            guard::contain(|| drop(inbox));
        }
    }

    /// Says that there will be no more.
    pub(crate) fn close(&self) {
        self.closed.store(true, SeqCst);
        let inboxes = lock(&self.inboxes).take();
        for inbox in inboxes {
            inbox.close();
            guard::contain(|| drop(inbox));
        }
    }
}
