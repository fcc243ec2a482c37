//! Sources of messages besides the mailbox: timers and streams.
//!
//! They are an incarnation's own, and end with it. What receives polls them, on the process's own worker, and only those that were woken since. Each
//! has a waker of its own, which marks it, rings the bell, and wakes who receives as a message would.

use super::context::Context;
use super::core::Process;
use super::receive::Origin;
use crate::pid::Pid;
use futures_core::Stream;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context as Task, Poll, Wake};
use std::time::Duration;

/// After so many items of which none became a message, others run first.
const ITEMS_IN_A_ROW: u32 = 128;

/// Names a timer or a stream of one incarnation: see [`Context::cancel`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Source {
    owner: Pid,
    incarnation: u32,
    number: u64,
}

/// What a source that is ready has.
enum Step<M> {
    /// A message; there may be more.
    Message(M),
    /// It is over, maybe with a last message.
    Last(Option<M>),
}

/// The sources of one incarnation. Behind a lock that is never taken, because streams need not be `Sync`, and a context is.
pub(super) struct Sources<M>(Mutex<Inner<M>>);

struct Inner<M> {
    bell: Arc<Bell>,
    entries: Vec<Entry<M>>,
    last: u64,
    /// Whose turn it is: a source that is always ready must not keep the others from theirs.
    turn: usize,
}

struct Entry<M> {
    source: Source,
    mark: Arc<Mark>,
    poll: PollStep<M>,
}

/// Polls a timer or a stream.
type PollStep<M> = Box<dyn FnMut(&mut Task<'_>) -> Poll<Step<M>> + Send>;

/// Rings when any source was woken.
struct Bell {
    rung: AtomicBool,
    process: Arc<dyn Process>,
}

/// Says that a source was woken. Its waker.
struct Mark {
    woken: AtomicBool,
    bell: Arc<Bell>,
}

impl Wake for Mark {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, SeqCst);
        self.bell.rung.store(true, SeqCst);
        self.bell.process.wake();
    }
}

impl<M> Sources<M> {
    fn new(process: Arc<dyn Process>) -> Self {
        let bell = Arc::new(Bell { rung: AtomicBool::new(false), process });
        Sources(Mutex::new(Inner { bell, entries: Vec::new(), last: 0, turn: 0 }))
    }

    fn inner(&mut self) -> &mut Inner<M> {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says whether a source was woken that was not polled since.
    pub(super) fn is_rung(&mut self) -> bool {
        self.inner().bell.rung.load(SeqCst)
    }

    /// Polls the sources that were woken, from the one on whose turn it is, until one has a message.
    fn next(&mut self) -> Option<(Source, M)> {
        let inner = self.inner();
        if !inner.bell.rung.swap(false, SeqCst) {
            return None;
        }
        let mut looked = 0;
        while looked < inner.entries.len() {
            let place = (inner.turn + looked) % inner.entries.len();
            let entry = &mut inner.entries[place];
            let source = entry.source;
            if !entry.mark.woken.swap(false, SeqCst) {
                looked += 1;
                continue;
            }
            let waker = entry.mark.clone().into();
            let message = match (entry.poll)(&mut Task::from_waker(&waker)) {
                Poll::Pending => {
                    looked += 1;
                    continue;
                }
                Poll::Ready(Step::Message(message)) => {
                    entry.mark.woken.store(true, SeqCst);
                    inner.turn = place + 1;
                    Some(message)
                }
                Poll::Ready(Step::Last(message)) => {
                    inner.entries.remove(place);
                    // The places have changed.
                    looked = 0;
                    message
                }
            };
            if let Some(message) = message {
                // The others were not looked at.
                inner.bell.rung.store(true, SeqCst);
                return Some((source, message));
            }
        }
        None
    }
}

impl<M: Send + 'static> Context<M> {
    /// Receives a message of its own after a time, real or virtual, unless it is [cancelled](Context::cancel), or this incarnation ends before.
    ///
    /// It comes with what else is received, and does not overtake: neither the control lane, nor more than one message that waits.
    ///
    /// # Examples
    /// ```
    /// use bastion_supervision::{Context, Exit, Runtime, Sim, System, child, plan::RestartType};
    /// use std::time::Duration;
    /// enum Event { Tick, GiveUp }
    /// async fn wait(mut cx: Context<Event>) -> Result<(), Exit> {
    ///     cx.send_every(Duration::from_secs(2), || Event::Tick);
    ///     cx.send_after(Duration::from_secs(5), Event::GiveUp);
    ///     let mut ticks = 0;
    ///     while let Some(event) = cx.recv().await {
    ///         match event {
    ///             Event::Tick => ticks += 1,
    ///             Event::GiveUp => break,
    ///         }
    ///     }
    ///     assert_eq!(ticks, 2);
    ///     Ok(())
    /// }
    /// let sim = Sim::new(1);
    /// sim.run(async {
    ///     let system = System::new(Runtime::sim(&sim));
    ///     let waits = system.spawn_child(child(wait).restart(RestartType::Temporary)).unwrap();
    ///     assert_eq!(waits.ended().await.to_string(), "normal");
    /// });
    /// ```
    pub fn send_after(&mut self, delay: Duration, message: M) -> Source {
        let mut timer = self.env().runtime().timer_after(delay);
        let mut message = Some(message);
        self.add_source(move |task| {
            Pin::new(&mut timer).poll(task).map(|()| Step::Last(message.take()))
        })
    }

    /// Receives what `message` makes each time a period has passed, from now on, until it is cancelled. A process that is late receives one, and the
    /// periods that it has missed are left out.
    ///
    /// # Panics
    /// When the period is zero.
    pub fn send_every(
        &mut self,
        period: Duration,
        mut message: impl FnMut() -> M + Send + 'static,
    ) -> Source {
        assert!(!period.is_zero(), "a period is longer than zero");
        let runtime = self.env().runtime().clone();
        let mut due = runtime.now() + period;
        let mut timer = runtime.timer(due);
        self.add_source(move |task| {
            Pin::new(&mut timer).poll(task).map(|()| {
                let now = runtime.now();
                let late = now.since(due).as_nanos() % period.as_nanos();
                due = now + (period - Duration::from_nanos(late as u64));
                timer = runtime.timer(due);
                Step::Message(message())
            })
        })
    }

    /// Receives what a stream has, as what `message` makes of each item, and of `None` at the end of the stream; where it makes `None`, nothing is
    /// received. The stream is polled only when the process receives, so one that is faster than the process waits for it.
    ///
    /// A panic in the stream is the process's.
    ///
    /// # Examples
    /// ```
    /// use bastion_supervision::{Context, Exit, child};
    /// use std::{pin::Pin, task::{Context as Task, Poll}};
    /// # struct Lines;
    /// # impl futures_core::Stream for Lines {
    /// #     type Item = String;
    /// #     fn poll_next(self: Pin<&mut Self>, _: &mut Task<'_>) -> Poll<Option<String>> { Poll::Ready(None) }
    /// # }
    /// enum Event { Line(String), Closed }
    /// async fn read(mut cx: Context<Event>) -> Result<(), Exit> {
    ///     // `Lines` is any stream: of a socket, of a channel, of another library.
    ///     cx.attach(Lines, |line| Some(line.map_or(Event::Closed, Event::Line)));
    ///     while let Some(Event::Line(line)) = cx.recv().await {
    ///         println!("{line}");
    ///     }
    ///     Ok(())
    /// }
    /// let reader = child(read);
    /// ```
    pub fn attach<S>(
        &mut self,
        stream: S,
        mut message: impl FnMut(Option<S::Item>) -> Option<M> + Send + 'static,
    ) -> Source
    where
        S: Stream + Send + 'static,
    {
        let mut stream = Box::pin(stream);
        self.add_source(move |task| {
            for _ in 0..ITEMS_IN_A_ROW {
                match stream.as_mut().poll_next(task) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(None) => return Poll::Ready(Step::Last(message(None))),
                    Poll::Ready(item) => {
                        if let Some(message) = message(item) {
                            return Poll::Ready(Step::Message(message));
                        }
                    }
                }
            }
            task.waker().wake_by_ref();
            Poll::Pending
        })
    }

    /// Ends a timer or a stream: nothing of it is received any more. True: it was still there, or what it had brought. Those of other processes and incarnations are not.
    pub fn cancel(&mut self, source: Source) -> bool {
        let of_it = |origin: &Origin| matches!(origin, Origin::Source(known) if *known == source);
        let was_passed = self.drop_passed(of_it);
        let Some(sources) = self.sources() else { return was_passed };
        let entries = &mut sources.inner().entries;
        let place = entries.iter().position(|entry| entry.source == source);
        place.map(|place| entries.remove(place)).is_some() || was_passed
    }

    fn add_source(
        &mut self,
        poll: impl FnMut(&mut Task<'_>) -> Poll<Step<M>> + Send + 'static,
    ) -> Source {
        let (owner, incarnation, process) = (self.pid(), self.incarnation(), self.shared.clone());
        let sources = self.rare().sources.get_or_insert_with(|| Sources::new(process));
        let inner = sources.inner();
        inner.last += 1;
        let source = Source { owner, incarnation, number: inner.last };
        let bell = inner.bell.clone();
        let mark = Arc::new(Mark { woken: AtomicBool::new(true), bell });
        mark.bell.rung.store(true, SeqCst);
        inner.entries.push(Entry { source, mark, poll: Box::new(poll) });
        source
    }

    pub(super) fn sources(&mut self) -> Option<&mut Sources<M>> {
        self.rare.as_mut()?.sources.as_mut()
    }

    /// Takes the next message of a source.
    pub(super) fn sourced(&mut self) -> Option<(Origin, M)> {
        let (source, message) = self.sources()?.next()?;
        self.life.progress(false);
        Some((Origin::Source(source), message))
    }
}
