//! [`Pool`]: the queue of jobs, the threads that take from it, and who of them is woken.
//!
//! Knows no executor: a job is a process, and whatever it needs it brings along. One that waits comes back when it is due.
//!
//! In words: whoever queues a job wakes an idle thread for it, or starts one, or leaves it to those there are when there may be no more.
//! What differs from that, because waking a thread is dearer than most of what is asked of one:
//!
//! - *No more threads are on their way at once than can arrive at once*: one a processor, and [`CALLS`] at most. A thread that takes a
//!   job and leaves others calls the next one before it begins. So a burst of short jobs wakes a few threads, one of long ones all
//!   it needs, and no job waits for another one's end while there may be one more thread.
//! - *The thread that went idle last is woken first*: its stack is in the cache, and those that are not needed grow old and end.
//!
//! What holds whenever the lock is free: if a job waits, a thread is on its way, or all threads that there may be are busy, or the
//! machine has refused one.

use super::Settings;
use crate::affinity;
use crate::metrics::BlockingMetrics;
use crate::sync::thread::{self, JoinHandle, Thread};
use crate::topology::CpuSet;
use lightproc::LightProc;
use slab::Slab;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Added to the number of admitted jobs when no more are: no number of jobs in memory comes near it.
const CLOSED: usize = 1 << (usize::BITS - 1);

/// How many threads are on their way at most. With one, short jobs are twice as fast, and many long ones begin later than they
/// might; with a few, they begin as fast as the system starts threads.
const CALLS: usize = 4;

/// The blocking pool of one executor.
pub(crate) struct Pool {
    settings: Settings,
    /// How many threads may be on their way.
    calls: usize,
    /// The jobs that wait or run, and [`CLOSED`].
    admitted: AtomicUsize,
    rejected: AtomicU64,
    state: Mutex<State>,
    threads: Mutex<Threads>,
}

/// What the jobs and the threads meet in.
#[derive(Default)]
struct State {
    queue: VecDeque<Waiting>,
    /// The last one went idle last.
    idle: Vec<Arc<Member>>,
    /// All threads, also those that are being started.
    threads: usize,
    /// How many of them are on their way to the queue, woken or started.
    coming: usize,
    /// How many are in a job.
    running: usize,
    /// It was said already that jobs are refused.
    complained: bool,
    longest_wait: Duration,
    closed: bool,
}

/// A job that waits for a thread.
struct Waiting {
    job: LightProc,
    since: Instant,
}

/// A thread, as those see it that wake it.
struct Member {
    thread: Thread,
    /// It is no longer idle. Only its own thread makes it idle again.
    called: AtomicBool,
    /// It is in a job, which nobody can end.
    running: Arc<AtomicBool>,
}

/// The system's handles of the threads. Locked before the state, where both are.
#[derive(Default)]
struct Threads {
    all: Slab<(Arc<AtomicBool>, JoinHandle<()>)>,
    /// The one that has ended last, by growing old. The next one to do so waits for it, which takes no time.
    ended: Option<JoinHandle<()>>,
}

/// A job's place in the pool. It goes with what the job runs, and so is free when the handle learns of the end.
pub(crate) struct Place(Arc<Pool>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.admitted.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Who is to come to the queue.
#[must_use]
enum Call {
    Nobody,
    Idle(Arc<Member>),
    New,
}

/// Why a job is not taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Refused {
    Full,
    Closed,
}

impl Pool {
    pub(crate) fn new(settings: Settings) -> Arc<Pool> {
        Arc::new(Pool {
            settings,
            calls: std::thread::available_parallelism().map_or(1, usize::from).min(CALLS),
            admitted: AtomicUsize::new(0),
            rejected: AtomicU64::new(0),
            state: Mutex::default(),
            threads: Mutex::default(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn threads(&self) -> MutexGuard<'_, Threads> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reserves a place for one job, which is for [`push`](Pool::push).
    pub(crate) fn admit(self: &Arc<Self>) -> Result<Place, Refused> {
        let admitted = self.admitted.fetch_add(1, Ordering::Relaxed);
        let limit = self.settings.queue.saturating_add(self.settings.threads).min(CLOSED - 1);
        if admitted < limit {
            return Ok(Place(self.clone()));
        }
        self.admitted.fetch_sub(1, Ordering::Relaxed);
        self.rejected.fetch_add(1, Ordering::Relaxed);
        if admitted >= CLOSED {
            return Err(Refused::Closed);
        }
        // Once, until there was nothing to do again.
        if !std::mem::replace(&mut self.state().complained, true) {
            let waiting = self.settings.queue;
            tracing::warn!(waiting, "the blocking pool is full and refuses jobs");
        }
        Err(Refused::Full)
    }

    /// Runs a job on a thread of its own, for random schedules: the pool's threads live longer than one of these.
    #[cfg(shuttle)]
    pub(crate) fn push(self: &Arc<Self>, job: LightProc) -> Result<(), LightProc> {
        thread::spawn(move || job.run());
        Ok(())
    }

    /// Queues a job, which holds its place. Gives it back if the pool has closed since.
    #[cfg(not(shuttle))]
    pub(crate) fn push(self: &Arc<Self>, job: LightProc) -> Result<(), LightProc> {
        let waiting = Waiting { job, since: Instant::now() };
        let mut state = self.state();
        if state.closed {
            return Err(waiting.job);
        }
        state.queue.push_back(waiting);
        let call = state.call(self.calls, self.settings.threads);
        drop(state);
        self.answer(call);
        Ok(())
    }

    /// Brings the thread that was called, and without the lock: waking and starting are dear.
    fn answer(self: &Arc<Self>, call: Call) {
        match call {
            Call::Nobody => {}
            Call::Idle(member) => member.call(),
            Call::New => self.start_thread(),
        }
    }

    #[cold]
    fn start_thread(self: &Arc<Self>) {
        let mut threads = self.threads();
        if self.state().closed {
            return self.state().leave_unarrived();
        }
        let entry = threads.all.vacant_entry();
        let (key, running) = (entry.key(), Arc::new(AtomicBool::new(false)));
        let thread = self.thread(&format!("blocking-{key}"));
        let (pool, flag) = (self.clone(), running.clone());
        match thread.spawn(move || pool.work(key, flag)) {
            Ok(thread) => {
                entry.insert((running, thread));
            }
            Err(error) => {
                drop(threads);
                tracing::warn!(%error, "the machine refuses a thread for a blocking job");
                self.give_up();
            }
        }
    }

    /// Describes a thread of the executor that is none of its workers.
    pub(crate) fn thread(&self, role: &str) -> thread::Builder {
        let thread = thread::Builder::new().name(format!("{}-{role}", self.settings.name));
        match self.settings.stack_size_bytes {
            Some(bytes) => thread.stack_size(bytes),
            None => thread,
        }
    }

    /// Returns all PUs that the program may use, as far as they are known.
    pub(crate) fn cpus(&self) -> Option<&CpuSet> {
        self.settings.cpus.as_ref()
    }

    /// Returns the PUs that such a thread is to be bound to, if it could have those of a thread that is bound otherwise: all of them.
    pub(crate) fn unbinding(&self) -> Option<&CpuSet> {
        self.cpus().filter(|_| affinity::is_any_bound())
    }

    /// Takes note that the machine has refused a thread. If there is none at all, nobody is left who would run the jobs: their handles are
    /// told that they were cancelled.
    fn give_up(&self) {
        let mut state = self.state();
        state.leave_unarrived();
        let stranded =
            if state.threads == 0 { std::mem::take(&mut state.queue) } else { VecDeque::new() };
        drop(state);
        self.rejected.fetch_add(stranded.len() as u64, Ordering::Relaxed);
        drop(stranded);
    }

    /// What a thread does, all its life.
    fn work(self: Arc<Self>, key: usize, running: Arc<AtomicBool>) {
        if let Some(cpus) = self.unbinding()
            && let Err(error) = affinity::bind_current(cpus.as_slice())
        {
            // It has inherited the binding of whoever started it.
            tracing::warn!(%error, "a thread of the blocking pool stays where another one is bound");
        }
        let member =
            Arc::new(Member { thread: thread::current(), called: AtomicBool::new(true), running });
        let mut state = self.state();
        state.coming -= 1;
        loop {
            state = self.run_jobs(state, &member);
            if state.closed {
                state.threads -= 1;
                return;
            }
            state.complained = false;
            member.called.store(false, Ordering::Relaxed);
            state.idle.push(member.clone());
            drop(state);
            let called = member.wait(self.settings.keep_alive);
            state = self.state();
            if !called && state.forget_idle(&member) {
                drop(state);
                return self.grow_old(key);
            }
            if !state.closed {
                state.coming -= 1;
            }
        }
    }

    /// Runs what there is, until there is no more.
    fn run_jobs<'a>(
        self: &'a Arc<Self>,
        mut state: MutexGuard<'a, State>,
        member: &Member,
    ) -> MutexGuard<'a, State> {
        while let Some(waiting) = state.queue.pop_front() {
            state.longest_wait = state.longest_wait.max(waiting.since.elapsed());
            state.running += 1;
            member.running.store(true, Ordering::Relaxed);
            let call = state.call(self.calls, self.settings.threads);
            drop(state);
            self.answer(call);
            waiting.job.run();
            state = self.state();
            state.running -= 1;
            member.running.store(false, Ordering::Relaxed);
        }
        state
    }

    /// Ends a thread that nobody has needed for long.
    fn grow_old(&self, key: usize) {
        let mut threads = self.threads();
        // After a close it is no longer there: somebody waits for it.
        let before = threads.all.try_remove(key).and_then(|(_, own)| threads.ended.replace(own));
        drop(threads);
        before.map(JoinHandle::join);
    }

    /// Takes no more jobs, and drops those that wait: their handles are told that they were cancelled. Lets the idle threads end;
    /// [`join`](Pool::join) waits for that.
    pub(crate) fn close(&self) {
        self.admitted.fetch_or(CLOSED, Ordering::Relaxed);
        let mut state = self.state();
        state.closed = true;
        let (jobs, idle) = (std::mem::take(&mut state.queue), std::mem::take(&mut state.idle));
        drop(state);
        idle.iter().for_each(|member| member.call());
        drop(jobs);
    }

    /// Waits for the threads to end, but not for those that are in a job, nor for the calling one. After [`close`](Pool::close).
    pub(crate) fn join(&self) {
        let mut threads = self.threads();
        let all: Vec<_> = threads.all.drain().collect();
        let ended = threads.ended.take();
        drop(threads);
        let me = thread::current().id();
        // Closed: who is in no job now never will be, and one that is ends behind it.
        let idle = all.into_iter().filter(|(running, _)| !running.load(Ordering::Relaxed));
        for thread in idle.map(|(_, thread)| thread).chain(ended) {
            if thread.thread().id() != me {
                let _ = thread.join();
            }
        }
    }

    /// Reads how many threads and jobs there are.
    pub(crate) fn metrics(&self) -> BlockingMetrics {
        let state = self.state();
        let oldest = state.queue.front().map(|waiting| waiting.since.elapsed());
        BlockingMetrics {
            threads: state.threads,
            idle: state.threads - state.running,
            queued: state.queue.len(),
            rejected: self.rejected.load(Ordering::Relaxed),
            longest_wait: state.longest_wait.max(oldest.unwrap_or_default()),
        }
    }
}

impl State {
    /// Says who is to come for what waits.
    fn call(&mut self, calls: usize, threads: usize) -> Call {
        if self.queue.len() <= self.coming || self.coming >= calls {
            return Call::Nobody;
        }
        let call = match self.idle.pop() {
            Some(member) => Call::Idle(member),
            None if self.threads < threads => {
                self.threads += 1;
                Call::New
            }
            None => return Call::Nobody,
        };
        self.coming += 1;
        call
    }

    /// Takes note that a thread that was to be started was not.
    fn leave_unarrived(&mut self) {
        self.threads -= 1;
        self.coming -= 1;
    }

    /// Takes an idle thread off the list, to end. False: it has been called.
    fn forget_idle(&mut self, member: &Arc<Member>) -> bool {
        let place = self.idle.iter().position(|idle| Arc::ptr_eq(idle, member));
        if let Some(place) = place {
            self.idle.remove(place);
            self.threads -= 1;
        }
        place.is_some()
    }
}

impl Member {
    fn call(&self) {
        // Release pairs with the Acquire of the wait. What they meet for is behind the lock.
        self.called.store(true, Ordering::Release);
        self.thread.unpark();
    }

    /// Waits until it is called. False: it was not in all this time.
    fn wait(&self, keep_alive: Duration) -> bool {
        let end = Instant::now().checked_add(keep_alive);
        while !self.called.load(Ordering::Acquire) {
            match end.map(|end| end.saturating_duration_since(Instant::now())) {
                None => thread::park(),
                Some(Duration::ZERO) => return false,
                Some(left) => thread::park_timeout(left),
            }
        }
        true
    }
}
