//! One incarnation of a process: what is asked of it, and its tie to the supervisor that started it.
//!
//! Everything here belongs to this incarnation alone, so that what was meant for one cannot reach another.

use super::alarm::Alarm;
use super::circles::Watch;
use super::core::Shared;
use super::core::{Core, Process};
use super::guard;
use super::notice::{ExitSignal, Lane, Notice};
use super::oneself::Oneself;
use crate::env::Env;
use crate::pid::Pid;
use crate::plan::{ExitReason, Time};
use crate::supervisor::{Command, Signal, SupervisorRef};
use crate::sync::lock;
use crate::waiters::{Waiters, wait};
use once_cell::race::OnceBox;
use std::sync::atomic::{
    AtomicU8, AtomicU32,
    Ordering::{Relaxed, SeqCst},
};
use std::sync::{Arc, Mutex};
use std::task::Waker;

const STARTING: u8 = 0;
const RUNNING: u8 = 1;
const ENDED: u8 = 2;
/// It runs, and its supervisor has not yet looked at what it has been told of it.
const UNHEARD: u8 = 3;

// The bits of what is asked of it.
const STOPPING: u8 = 1 << 0;
const KILLED: u8 = 1 << 1;
/// Something waits on the control lane.
const NOTICED: u8 = 1 << 2;
/// It is stopped, or killed, only to be started again.
const COMING_BACK: u8 = 1 << 3;
/// It does not exist any more, or was abandoned and does not count. Said under the lock of the state.
const LEFT: u8 = 1 << 4;

/// One incarnation. Whatever happens to it, the supervisor is told of its end exactly once.
pub(crate) struct Life {
    supervisor: Arc<Shared<Command>>,
    pid: Pid,
    incarnation: u32,
    /// What the supervisor has been told.
    told: AtomicU8,
    /// What is asked of it: all that overtakes messages in one word, so that who receives looks once.
    asked: AtomicU8,
    /// How often the body has said that it makes progress; odd while it waits for a message.
    progress: AtomicU32,
    /// What the supervisor has seen of that.
    seen: AtomicU32,
    asks: OnceBox<Asks>,
    watch: Watch,
    state: Mutex<State>,
}

/// What an incarnation has that waits for answers in its own code.
pub(super) struct Asks {
    pub(super) alarm: Alarm,
    pub(super) oneself: Oneself,
}

#[derive(Default)]
struct State {
    /// None after its end, and once it was woken to end.
    task: Option<Waker>,
    rare: Option<Box<Rare>>,
}

/// What most incarnations do not have.
struct Rare {
    /// By when it has to have stopped.
    deadline: Time,
    /// Nothing is put there after its end.
    lane: Lane,
    /// Who waits for the request to stop, or for the end.
    waiters: Waiters,
    /// Why it has ended, if it has, and that was not [`ExitReason::Normal`].
    reason: Option<ExitReason>,
}

impl Default for Rare {
    fn default() -> Rare {
        let (lane, waiters) = (Lane::default(), Waiters::default());
        Rare { deadline: Time::FAR, lane, waiters, reason: None }
    }
}

impl State {
    fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }
}

impl Life {
    /// An incarnation that its supervisor waits for to become ready.
    pub(crate) fn new(supervisor: Arc<Shared<Command>>, pid: Pid, incarnation: u32) -> Life {
        Life {
            supervisor,
            pid,
            incarnation,
            told: AtomicU8::new(STARTING),
            asked: AtomicU8::new(0),
            progress: AtomicU32::new(0),
            seen: AtomicU32::new(0),
            asks: OnceBox::new(),
            watch: Watch::default(),
            state: Mutex::default(),
        }
    }

    /// An incarnation that its supervisor takes for running from the start, and hears of later: see [`Life::heard_of`].
    pub(crate) fn running(supervisor: Arc<Shared<Command>>, pid: Pid, incarnation: u32) -> Life {
        let life = Life::new(supervisor, pid, incarnation);
        life.told.store(UNHEARD, SeqCst);
        life
    }

    /// Tells the supervisor that the initialisation is complete. True: it did not know.
    pub(crate) fn ready(&self) -> bool {
        let (pid, incarnation) = (self.pid, self.incarnation);
        let news = self.told.compare_exchange(STARTING, RUNNING, SeqCst, SeqCst).is_ok();
        if news {
            self.supervisor.signal(Signal::Started { pid, incarnation });
        }
        news
    }

    /// Tells the supervisor how the incarnation has ended, once.
    pub(crate) fn ended(&self, reason: ExitReason) {
        let (pid, incarnation) = (self.pid, self.incarnation);
        match self.told.swap(ENDED, SeqCst) {
            STARTING if matches!(reason, ExitReason::Declined) => {
                self.supervisor.signal(Signal::Declined { pid, incarnation });
            }
            STARTING => self.supervisor.signal(Signal::StartFailed { pid, incarnation, reason }),
            RUNNING => self.supervisor.signal(Signal::Exited { pid, incarnation, reason }),
            // It hears of the end when it hears of the incarnation.
            UNHEARD => self.supervisor.wake(),
            _ => {}
        }
    }

    /// Says whether the supervisor has been told of the end.
    pub(super) fn has_told(&self) -> bool {
        self.told.load(SeqCst) == ENDED
    }

    /// Tells the supervisor that what it failed of is over.
    pub(super) fn healthy(&self) {
        let (pid, incarnation) = (self.pid, self.incarnation);
        self.supervisor.signal(Signal::Healthy { pid, incarnation });
    }

    /// Says that the supervisor has heard of it. `Some`: it has ended already, and there will be no word of that.
    pub(crate) fn heard_of(&self) -> Option<ExitReason> {
        let runs = self.told.compare_exchange(UNHEARD, RUNNING, SeqCst, SeqCst).is_ok();
        // Its reason stands before it says that it has ended.
        if runs { None } else { self.reason() }
    }

    /// Why it has ended, if it has.
    pub(crate) fn reason(&self) -> Option<ExitReason> {
        if !self.has_left() {
            return None;
        }
        let reason = lock(&self.state).rare.as_ref().and_then(|rare| rare.reason.clone());
        Some(reason.unwrap_or(ExitReason::Normal))
    }

    /// Says which task runs it. Before the look at the kill flag, or a kill could miss it.
    pub(super) fn set_task(&self, task: Waker) {
        let replaced = self.here(|state| state.task.replace(task));
        drop(replaced);
    }

    /// Asks it to stop. Again with another deadline: the earlier one holds.
    pub(crate) fn request_stop(&self, deadline: Option<Time>) {
        let mut state = lock(&self.state);
        if let Some(deadline) = deadline {
            let rare = state.rare();
            rare.deadline = rare.deadline.min(deadline);
        }
        self.asked.fetch_or(STOPPING, SeqCst);
        let waiters = state.rare.as_mut().map(|rare| rare.waiters.take());
        drop(state);
        waiters.into_iter().flatten().for_each(guard::wake);
    }

    /// Has its body receive nothing any more. Who waits for the request to stop hears when it has left.
    pub(super) fn set_over(&self) {
        self.asked.fetch_or(STOPPING, SeqCst);
    }

    /// Takes note that it is stopped, or killed, only to be started again. Said before it is.
    pub(crate) fn set_coming_back(&self) {
        self.asked.fetch_or(COMING_BACK, SeqCst);
    }

    pub(super) fn is_coming_back(&self) -> bool {
        self.is_asked(COMING_BACK)
    }

    #[inline]
    fn is_asked(&self, what: u8) -> bool {
        self.asked.load(SeqCst) & what != 0
    }

    #[inline]
    pub(crate) fn is_stopping(&self) -> bool {
        self.is_asked(STOPPING)
    }

    /// Says whether its body has nothing to receive any more.
    #[inline]
    pub(super) fn is_over(&self) -> bool {
        self.is_asked(STOPPING | KILLED)
    }

    /// By when it has to have stopped. `None`: it is not asked to. `Some(None)`: no deadline.
    pub(crate) fn stop_request(&self) -> Option<Option<Time>> {
        let deadline = || lock(&self.state).rare.as_ref().map(|rare| rare.deadline);
        self.is_stopping().then(|| deadline().filter(|at| *at < Time::FAR))
    }

    /// Waits until it is asked to stop, or has ended.
    pub(crate) async fn stop_requested(&self) {
        wait(&self.state, |state| match self.is_asked(STOPPING | LEFT) {
            true => Ok(()),
            false => Err(&mut state.rare().waiters),
        })
        .await;
    }

    /// Ends it at its next poll, which drops it.
    pub(crate) fn kill(&self) {
        self.end_by(ExitReason::Killed);
    }

    /// Ends it at its next poll, or instead of its first one, for this reason.
    pub(crate) fn end_by(&self, reason: ExitReason) {
        let mut unused = Some(reason);
        let task = self.doom(&mut lock(&self.state), &mut unused);
        if let Some(task) = task {
            guard::wake(task);
        }
    }

    /// Has it end at its next poll. The first reason stands. Returns its task, to be woken.
    fn doom(&self, state: &mut State, reason: &mut Option<ExitReason>) -> Option<Waker> {
        let first = self.asked.fetch_or(KILLED, SeqCst) & KILLED == 0;
        if first && !self.has_left() && !matches!(reason, Some(ExitReason::Killed)) {
            state.rare().lane.doom = reason.take();
        }
        state.task.take()
    }

    #[inline]
    pub(crate) fn is_killed(&self) -> bool {
        self.is_asked(KILLED)
    }

    /// Why it is to end, if it is.
    #[inline]
    pub(super) fn doomed(&self) -> Option<ExitReason> {
        if self.is_killed() { Some(self.doom_reason()) } else { None }
    }

    #[cold]
    fn doom_reason(&self) -> ExitReason {
        let reason = lock(&self.state).rare.as_ref().and_then(|rare| rare.lane.doom.clone());
        reason.unwrap_or(ExitReason::Killed)
    }

    /// Takes an exit signal, as OTP has it: trapped, it becomes a notice; `normal` from somebody else is dropped; anything else ends it, and so
    /// does a kill that no link has brought, trapped or not. Returns the task to be woken if it is to end.
    pub(super) fn exit_signal(
        &self,
        signal: ExitSignal,
        link: Option<Arc<dyn Process>>,
    ) -> Option<Waker> {
        // What is not used is dropped after the lock: its destructor is foreign.
        let mut unused = Some(signal.reason.clone());
        let mut state = lock(&self.state);
        let own = signal.from == Some(self.pid);
        let kill = link.is_none() && matches!(signal.reason, ExitReason::Killed);
        let trap = state.rare.as_mut().map(|rare| &mut rare.lane).filter(|lane| lane.traps_exits);
        if !kill && let Some(lane) = trap {
            lane.notices.push_back(Notice::Exit { signal, link });
            self.asked.fetch_or(NOTICED, SeqCst);
            return None;
        }
        if matches!(signal.reason, ExitReason::Normal) && !own {
            return None;
        }
        self.doom(&mut state, &mut unused)
    }

    /// Puts something on the control lane. Whoever receives is to be woken.
    pub(super) fn notice(&self, notice: Notice) {
        let mut notice = Some(notice);
        self.here(|state| {
            state.rare().lane.notices.extend(notice.take());
            self.asked.fetch_or(NOTICED, SeqCst);
        });
    }

    /// Says whether something waits on the control lane.
    #[inline]
    pub(super) fn is_noticed(&self) -> bool {
        self.is_asked(NOTICED)
    }

    /// Takes the next thing from the control lane.
    #[cold]
    pub(super) fn next_notice(&self) -> Option<Notice> {
        let mut state = lock(&self.state);
        let notices = &mut state.rare.as_mut()?.lane.notices;
        let next = notices.pop_front();
        if notices.is_empty() {
            self.asked.fetch_and(!NOTICED, SeqCst);
        }
        next
    }

    /// Sets whether exit signals become notices.
    pub(super) fn trap_exits(&self, traps: bool) {
        self.here(|state| {
            if traps || state.rare.is_some() {
                state.rare().lane.traps_exits = traps;
            }
        });
    }

    /// Forgets what the link with a process has brought.
    pub(super) fn forget(&self, ended: &Core) {
        let forgotten = lock(&self.state).rare.as_mut().map(|rare| rare.lane.forget(ended));
        drop(forgotten);
    }

    /// Takes note that the body makes progress; `waits`: it has nothing to do until a message comes. Only the body says so, so
    /// nothing is lost between the load and the store.
    #[inline]
    pub(crate) fn progress(&self, waits: bool) {
        let progress = self.progress.load(Relaxed);
        self.progress.store((progress & !1).wrapping_add(2) | u32::from(waits), Relaxed);
    }

    /// Says whether the body has made progress since the last look, or waits for a message.
    pub(crate) fn made_progress(&self) -> bool {
        let progress = self.progress.load(Relaxed);
        self.seen.swap(progress, Relaxed) != progress || progress & 1 == 1
    }

    /// Says that it does not exist any more, or does not count, and why. False: that was said before.
    pub(super) fn leave(&self, reason: &ExitReason) -> bool {
        let mut state = lock(&self.state);
        if self.asked.fetch_or(LEFT, SeqCst) & LEFT != 0 {
            return false;
        }
        let task = state.task.take();
        if !matches!(reason, ExitReason::Normal) {
            state.rare().reason = Some(reason.clone());
        }
        let rare = state.rare.as_mut();
        let rare = rare.map(|rare| (std::mem::take(&mut rare.lane), rare.waiters.take()));
        drop(state);
        let (lane, waiters) = rare.unzip();
        guard::contain(|| drop((task, lane)));
        if let Some(asks) = self.asks.get() {
            asks.alarm.stop();
        }
        self.watch.end();
        waiters.into_iter().flatten().for_each(guard::wake);
        true
    }

    pub(crate) fn has_left(&self) -> bool {
        self.is_asked(LEFT)
    }

    /// Changes the state of one that exists.
    fn here<T>(&self, f: impl FnOnce(&mut State) -> T) -> Option<T> {
        let mut state = lock(&self.state);
        if self.has_left() { None } else { Some(f(&mut state)) }
    }

    /// Waits until it does not exist any more.
    pub(crate) async fn left(&self) {
        wait(&self.state, |state| match self.has_left() {
            true => Ok(()),
            false => Err(&mut state.rare().waiters),
        })
        .await;
    }

    /// What it has as one that waits for answers.
    pub(super) fn asks(&self) -> &Asks {
        self.asks.get_or_init(|| {
            let task = self.watch.waker().or_else(|| self.task());
            Box::new(Asks { alarm: Alarm::of(task.as_ref()), oneself: Oneself::default() })
        })
    }

    /// The same, if it has ever waited for one.
    #[inline]
    pub(super) fn has_asked(&self) -> Option<&Asks> {
        self.asks.get()
    }

    /// Who could wake it.
    pub(super) fn watch(&self) -> &Watch {
        &self.watch
    }

    /// The task that runs it, unless that is to end.
    pub(super) fn task(&self) -> Option<Waker> {
        lock(&self.state).task.clone()
    }

    pub(crate) fn pid(&self) -> Pid {
        self.pid
    }

    pub(crate) fn incarnation(&self) -> u32 {
        self.incarnation
    }

    pub(crate) fn env(&self) -> &Env {
        self.supervisor.core.env().expect("a supervisor that starts children is settled")
    }

    pub(crate) fn supervised_by(&self) -> &Shared<Command> {
        &self.supervisor
    }

    pub(crate) fn supervisor(&self) -> SupervisorRef {
        SupervisorRef::new(self.supervisor.clone())
    }
}
