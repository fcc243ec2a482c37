//! Processes that ask each other in a circle, each waiting for nothing else: in debug builds the one that closes the circle is told.
//!
//! A process is *blocked* when it is not being polled, nobody has woken it, and nothing could but answers: every clone of its waker is in the
//! slot of a question that is open. So one that also waits for a message, a timer of its own or anything foreign is not. A circle is closed when
//! a process is blocked, and all that it waits for, directly or not, are; looked for at the end of each poll, under one lock, which answers take too:
//! what is seen is so. What a process *holds* cannot be seen: a reply is taken for being with whoever was asked, unless
//! that has sent anything since to anybody, but questions that are open still. It may have passed the reply on with that, and somebody else may answer.
//!
//! `absent` stands in for this in release builds.

use super::core::Core;
use super::guard;
use crate::env::Env;
use crate::pid::{Pid, PidMap};
use crate::sync::lock;
use std::collections::hash_map::Entry;
use std::sync::atomic::{
    AtomicBool, AtomicU64,
    Ordering::{Acquire, SeqCst},
    fence,
};
use std::sync::{Arc, Mutex};
use std::task::{Wake, Waker};

/// A circle: each asks the next, and the last one the first.
pub(crate) type Circle = Vec<(Pid, Option<Arc<str>>)>;

/// Who waits for whom, in a system.
#[derive(Default)]
pub(crate) struct Waits(Mutex<PidMap<Waiter>>);

/// A process that waits for answers in its own code.
struct Waiter {
    watched: Arc<Watched>,
    questions: Vec<Arc<Question>>,
}

struct Question {
    env: Env,
    asked: Pid,
    /// The incarnation that was asked, and how much it had sent by then. None, if none had begun, is nobody.
    holder: (u32, u64),
    /// How much the asker had sent with it; nothing, if that is no process.
    number: u64,
    open: AtomicBool,
    /// It has closed a circle.
    closes: AtomicBool,
}

/// The task of an incarnation, for its own code.
struct Watched {
    task: Waker,
    name: Option<Arc<str>>,
    incarnation: u32,
    woken: AtomicBool,
    polled: AtomicBool,
    /// How many messages its code has sent.
    sent: AtomicU64,
}

impl Wake for Watched {
    fn wake(self: Arc<Self>) {
        let task = self.task.clone();
        // Before the waker is gone, so that who counts wakers sees it; and that before the task runs, which looks then.
        self.woken.store(true, SeqCst);
        drop(self);
        task.wake();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, SeqCst);
        self.task.wake_by_ref();
    }
}

/// What an incarnation has of this.
#[derive(Default)]
pub(crate) struct Watch(Mutex<Option<Arc<Watched>>>);

impl Watch {
    /// Begins with the task of the incarnation.
    pub(super) fn begin(&self, task: &Waker, name: Option<&Arc<str>>, incarnation: u32) {
        let new = || {
            Arc::new(Watched {
                task: task.clone(),
                name: name.cloned(),
                incarnation,
                woken: AtomicBool::new(false),
                polled: AtomicBool::new(false),
                sent: AtomicU64::new(0),
            })
        };
        lock(&self.0).get_or_insert_with(new);
    }

    /// The waker that its code sees.
    pub(super) fn waker(&self) -> Option<Waker> {
        lock(&self.0).clone().map(Waker::from)
    }

    /// Begins a poll of its code, with this waker, which is to be dropped before the end of it.
    pub(super) fn begin_poll(&self) -> Option<Waker> {
        if let Some(watched) = &*lock(&self.0) {
            watched.polled.store(true, SeqCst);
            watched.woken.store(false, SeqCst);
        }
        self.waker()
    }

    pub(super) fn end_poll(&self) {
        if let Some(watched) = &*lock(&self.0) {
            watched.polled.store(false, SeqCst);
        }
    }

    /// Says that its code has sent something.
    pub(super) fn sent(&self) {
        if let Some(watched) = &*lock(&self.0) {
            watched.sent.fetch_add(1, SeqCst);
        }
    }

    pub(super) fn end(&self) {
        let watched = lock(&self.0).take();
        drop(watched);
    }

    /// How much its code has sent so far.
    fn count(&self) -> u64 {
        lock(&self.0).as_ref().map_or(0, |watched| watched.sent.load(SeqCst))
    }
}

/// Says that the process whose code this is sends something.
pub(crate) fn sends() {
    guard::with_current(|life| life.watch().sent());
}

/// The end of a question that answers it.
pub(super) struct Replier(Arc<Question>);

/// The end that waits.
pub(super) struct Asker {
    question: Arc<Question>,
    /// The process in whose table it is.
    waits: Option<Pid>,
}

/// Notes a question that is about to be sent.
pub(super) fn ask(env: &Env, asked: &Core) -> Option<(Replier, Asker)> {
    let pid = asked.pid()?;
    let incarnation = asked.incarnation();
    let runs = asked.inside().filter(|life| life.incarnation() == incarnation);
    let holder = (incarnation, runs.map_or(0, |life| life.watch().count()));
    let number = guard::with_current(|life| life.watch().count() + 1);
    let question = Arc::new(Question {
        env: env.clone(),
        asked: pid,
        holder,
        number: number.unwrap_or(0),
        open: AtomicBool::new(true),
        closes: AtomicBool::new(false),
    });
    Some((Replier(question.clone()), Asker { question, waits: None }))
}

impl Replier {
    /// Says that the answer comes now, or will never.
    pub(super) fn answers(&self) {
        // Under the lock: who looks for circles sees all or nothing.
        let _table = lock(&self.0.env.waits().0);
        self.0.open.store(false, SeqCst);
    }
}

impl Asker {
    /// Takes note of who waits, which has left its waker in the slot. True: the question has closed a circle.
    pub(super) fn waits(&mut self, waker: &Waker) -> bool {
        let env = self.question.env.clone();
        let own = guard::with_current(|life| {
            let own = life.asks().alarm.is_of(waker) && life.env().is_of_system(&env);
            let watched = if own { lock(&life.watch().0).clone() } else { None };
            watched.map(|watched| (life.pid(), watched))
        });
        let own = own.flatten();
        if self.waits != own.as_ref().map(|(pid, _)| *pid) {
            self.leave();
            if let Some((pid, watched)) = own {
                env.waits().enter(pid, watched, self.question.clone());
                self.waits = Some(pid);
            }
        }
        self.question.closes.load(SeqCst)
    }

    fn leave(&mut self) {
        if let Some(pid) = self.waits.take() {
            self.question.env.waits().leave(pid, &self.question);
        }
    }
}

impl Drop for Asker {
    fn drop(&mut self) {
        self.leave();
    }
}

impl Waits {
    fn enter(&self, pid: Pid, watched: Arc<Watched>, question: Arc<Question>) {
        let mut table = lock(&self.0);
        let waiter = table
            .entry(pid)
            .or_insert_with(|| Waiter { watched: watched.clone(), questions: Vec::new() });
        // Another incarnation's, if that has not left yet, is nobody's.
        let former = std::mem::replace(&mut waiter.watched, watched);
        waiter.questions.push(question);
        drop(table);
        drop(former);
    }

    fn leave(&self, pid: Pid, question: &Arc<Question>) {
        let mut table = lock(&self.0);
        let Some(waiter) = table.get_mut(&pid) else { return };
        waiter.questions.retain(|other| !Arc::ptr_eq(other, question));
        let former = if waiter.questions.is_empty() { table.remove(&pid) } else { None };
        drop(table);
        drop(former);
    }

    /// Looks whether a process, whose poll has ended, has closed a circle; if so, its question there is told.
    pub(super) fn circle(&self, pid: Pid) -> Option<Circle> {
        let table = lock(&self.0);
        table.get(&pid)?;
        // Who was asked, and by whom first.
        let (mut askers, mut next, mut last) = (PidMap::<Pid>::default(), vec![pid], None);
        while let Some(asker) = next.pop() {
            let waiter = table.get(&asker).filter(|waiter| waiter.is_blocked())?;
            for question in &waiter.questions {
                if !table.get(&question.asked).is_some_and(|asked| asked.holds(question)) {
                    return None;
                }
                if question.asked == pid {
                    last = last.or(Some(asker));
                } else if let Entry::Vacant(first) = askers.entry(question.asked) {
                    first.insert(asker);
                    next.push(question.asked);
                }
            }
        }
        let mut circle = vec![last?];
        while let Some(asker) = circle.last().filter(|first| **first != pid) {
            circle.push(askers[asker]);
        }
        circle.reverse();
        let second = circle.get(1).copied().unwrap_or(pid);
        let closing = table[&pid].questions.iter().filter(|question| question.asked == second);
        closing.for_each(|question| question.closes.store(true, SeqCst));
        Some(circle.into_iter().map(|pid| (pid, table[&pid].watched.name.clone())).collect())
    }
}

impl Waiter {
    /// Says whether nothing can wake it but an answer.
    fn is_blocked(&self) -> bool {
        // One is in the table, one its life has, and each question's slot has one.
        let wakers = Arc::strong_count(&self.watched).checked_sub(2);
        // Who has given a waker up after using it has said so before.
        fence(Acquire);
        wakers == Some(self.questions.len())
            && !self.watched.woken.load(SeqCst)
            // After that: it is set before the other one is cleared, at the beginning of a poll.
            && !self.watched.polled.load(SeqCst)
            && self.questions.iter().all(|question| question.open.load(SeqCst))
    }

    /// Says whether the answer to a question that it was asked can only come from itself.
    fn holds(&self, question: &Question) -> bool {
        let (incarnation, before) = question.holder;
        let later = self.questions.iter().filter(|own| own.number > before).count() as u64;
        self.watched.incarnation == incarnation && self.watched.sent.load(SeqCst) - before == later
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Context, Reply, Runtime, Sim, System, child};
    use std::future::{Future, poll_fn};
    use std::pin::pin;
    use std::task::Poll;

    #[test]
    fn who_waits_stands_in_the_table_until_it_waits_no_more() {
        let sim = Sim::new(0);
        sim.run(async {
            let system = System::new(Runtime::sim(&sim));
            let silent = child(|cx: Context<Reply<()>>| async move {
                cx.stop_signal().requested().await;
                Ok(())
            });
            let silent = system.spawn_child(silent).unwrap();
            let asks = child(move |cx: Context<()>| {
                let silent = silent.clone();
                async move {
                    let waiting = || lock(&cx.env().waits().0).len();
                    for _ in 0..3 {
                        let mut ask = Box::pin(silent.ask(|reply| reply));
                        let polled = poll_fn(|task| Poll::Ready(ask.as_mut().poll(task))).await;
                        assert!(polled.is_pending());
                        assert_eq!(waiting(), 1);
                        drop(ask);
                        assert_eq!(waiting(), 0);
                    }
                    Ok(())
                }
            });
            let asks =
                system.spawn_child(asks.restart(crate::plan::RestartType::Temporary)).unwrap();
            assert!(!pin!(asks.ended()).await.is_abnormal());
        });
    }
}
