//! The worker's loop: run what is due, else search, else sleep; and now and then look at the clock and at what goes by it.

use crate::attendance;
use crate::budget;
use crate::local::Local;
use crate::monitor;
use crate::pace::Pace;
use crate::settings::Settings;
use crate::shared::wake;
use crate::sync;
use crate::timer::{NEVER, tick_of, until};
use lightproc::{LightProc, Polled};
use std::sync::atomic::Ordering::SeqCst;
use std::task::Waker;
use std::time::{Duration, Instant};

/// So many processes that only its domain may run a worker takes between two looks, one between two of its own.
const KEPT_TURNS: usize = 32;

/// Runs the worker that this thread was made, until the executor closes.
pub(crate) fn run() {
    Local::with(|local| {
        let local = local.expect("the thread was made a worker");
        let mut worker = Worker::new(local);
        while !local.shared.is_closed() {
            match worker.next() {
                Some(process) => worker.poll(process),
                None => worker.sleep(),
            }
        }
        worker.rest();
        while let Some(process) = local.pop() {
            drop(process);
        }
        // A poll that began before the close was seen has perhaps left a process waiting which was woken for its end already.
        local.shared.sweep_waiting();
    });
    attendance::hand_over();
}

/// What the loop knows from one turn to the next.
struct Worker<'a> {
    local: &'a Local,
    settings: Settings,
    pace: Pace,
    /// It is one of the searchers.
    searching: bool,
    /// It has had something to do since it last slept, or looked for it in vain.
    busy: bool,
    /// What came from outside has its turn.
    injected_first: bool,
    /// So many of those that only this domain may run have their turn, one between two of the worker's own.
    kept_turns: usize,
    /// The process that it polls, or polled last, is one of those.
    kept: bool,
    /// When it last looked at the sockets, by the executor's clock.
    polled_io_ns: u64,
    /// Whom timers and sockets wake. Kept for its memory.
    due: Vec<Waker>,
}

impl<'a> Worker<'a> {
    fn new(local: &'a Local) -> Worker<'a> {
        let settings = local.shared.settings;
        Worker {
            local,
            settings,
            pace: Pace::new(settings.slice_ns),
            searching: false,
            busy: false,
            injected_first: false,
            kept_turns: 0,
            kept: false,
            polled_io_ns: 0,
            due: Vec::new(),
        }
    }

    /// Finds the next process: own queue, injectors, other workers. Leaves the searchers when it has found one.
    #[inline]
    fn next(&mut self) -> Option<LightProc> {
        let (local, shared) = (self.local, &self.local.shared);
        let was_kept = std::mem::take(&mut self.kept);
        let has_turn = self.injected_first || (self.kept_turns > 0 && !was_kept);
        let found = if has_turn { self.take_turn() } else { None };
        let found = found.or_else(|| local.pop()).or_else(|| self.find())?;
        if std::mem::take(&mut self.searching) && shared.idle.stop_searching(local.index) {
            shared.pass_on(local);
        }
        Some(found)
    }

    /// Takes what has its turn before the worker's own.
    #[cold]
    fn take_turn(&mut self) -> Option<LightProc> {
        if std::mem::take(&mut self.injected_first) {
            let injected = self.local.shared.take_injected(self.local);
            if injected.is_some() {
                return injected;
            }
        }
        self.kept_turns = self.kept_turns.saturating_sub(1);
        self.take_kept()
    }

    fn take_kept(&mut self) -> Option<LightProc> {
        let found = self.local.shared.take_kept(self.local);
        self.kept = found.is_some();
        found
    }

    /// Looks for a process that is not this worker's.
    #[cold]
    fn find(&mut self) -> Option<LightProc> {
        let (local, shared) = (self.local, &self.local.shared);
        self.take_kept().or_else(|| shared.take_injected(local)).or_else(|| {
            self.searching = self.searching || shared.idle.start_searching(local.index);
            if self.searching { shared.steal(local) } else { None }
        })
    }

    #[inline]
    fn poll(&mut self, process: LightProc) {
        let (local, meter) = (self.local, self.local.meter());
        if !self.busy {
            self.busy = true;
            meter.begin();
            monitor::wake();
        }
        // Before the poll: who hears of its end finds it counted.
        meter.polls.add(1);
        budget::refill();
        match process.poll() {
            Polled::Woken(process) if self.kept => {
                local.shared.keep(local.domain(), process, false);
            }
            Polled::Woken(process) => local.push_back(process),
            Polled::Waiting | Polled::Ended => {}
        }
        if self.pace.polled() {
            self.look();
        }
    }

    /// Looks at the clock, and at what goes by it: timers, sockets; and lets what came from outside have its turn.
    #[cold]
    fn look(&mut self) {
        let now = sync::now();
        self.pace.looked(self.local.meter().look(now));
        self.local.bear(self.pace.bearable());
        // What was bearable while polls were short may not be any more.
        self.local.notify_of_queue();
        self.injected_first = true;
        let domain = &self.local.shared.domains[self.local.domain()];
        self.kept_turns = domain.kept.len().div_ceil(domain.workers.len()).min(KEPT_TURNS);
        self.fire(now);
        let now_ns = self.local.shared.elapsed_ns(now);
        if now_ns.saturating_sub(self.polled_io_ns) >= self.settings.slice_ns {
            self.polled_io_ns = now_ns;
            attendance::look(&mut self.due);
        }
    }

    /// Wakes those whose timers are due.
    fn fire(&mut self, now: Instant) {
        let (shared, timers) = (&self.local.shared, self.timers());
        if timers.next() == NEVER {
            return;
        }
        let tick = if shared.clock.is_machine() { tick_of(now) } else { shared.clock.tick() };
        if timers.next() <= tick {
            timers.advance(tick, &mut self.due);
            self.wake_due();
        }
    }

    fn timers(&self) -> &'static crate::timer::Timers {
        *self.local.shared.workers[self.local.index].timers
    }

    fn wake_due(&mut self) {
        self.due.drain(..).for_each(wake);
    }

    /// Ends a time of being busy.
    fn rest(&mut self) {
        if std::mem::take(&mut self.busy) {
            self.pace.looked(self.local.meter().rest(sync::now()));
            self.local.bear(self.pace.bearable());
        }
    }

    /// Sleeps until there may be something to do: a process, a timer, a socket.
    #[cold]
    fn sleep(&mut self) {
        let (local, shared) = (self.local, &self.local.shared);
        self.rest();
        if self.settings.spin_ns > 0 && self.spin() {
            return;
        }
        let mut parks = 1;
        let due = &mut self.due;
        let searching = std::mem::replace(&mut self.searching, true);
        let wait = || {
            local.meter().parks.add(std::mem::take(&mut parks));
            wait(local, due)
        };
        shared.idle.sleep(local.index, searching, || shared.has_work(local.domain()), wait);
        self.wake_due();
        if self.timers().next() != NEVER {
            self.fire(sync::now());
        }
    }

    /// Looks for work for a while before it sleeps. True: there is some.
    fn spin(&mut self) -> bool {
        let shared = &self.local.shared;
        self.searching = self.searching || shared.idle.start_searching(self.local.index);
        let start = sync::now();
        while self.searching && start.elapsed() < Duration::from_nanos(self.settings.spin_ns) {
            if shared.has_work(self.local.domain()) {
                return true;
            }
            std::hint::spin_loop();
        }
        false
    }
}

/// Waits in the middle of a poll until `is_woken`, as a worker that calls [`run`](crate::run()) does: it fires its timers and watches
/// the sockets meanwhile, and leaves its processes to the others.
pub(crate) fn wait_inside(local: &Local, is_woken: impl Fn() -> bool) {
    let timers = *local.shared.workers[local.index].timers;
    let mut due = Vec::new();
    while !is_woken() {
        // It must not sit on a process that others could run.
        local.flush();
        local.shared.skip_time();
        if timers.next() != NEVER && timers.next() <= local.shared.clock.tick() {
            local.shared.without_skips(|| {
                timers.advance(local.shared.clock.tick(), &mut due);
                due.drain(..).for_each(wake);
            });
        } else {
            local.shared.waiting.fetch_add(1, SeqCst);
            local.parker.drive(timeout(local), &mut due);
            local.shared.waiting.fetch_sub(1, SeqCst);
            if !due.is_empty() {
                local.shared.without_skips(|| due.drain(..).for_each(wake));
            }
        }
    }
    monitor::wake();
}

/// Returns how long it is to this worker's first timer; `None` if it has none, or somebody else lets the time go on.
fn timeout(local: &Local) -> Option<Duration> {
    let shared = &local.shared;
    let next = shared.workers[local.index].timers.next();
    (next != NEVER && shared.clock.is_machine()).then(|| until(next, sync::now()))
}

/// Waits once. True: there is something to do that only this worker knows of.
fn wait(local: &Local, due: &mut Vec<Waker>) -> bool {
    let shared = &local.shared;
    let timers = *shared.workers[local.index].timers;
    shared.skip_time();
    let is_due = || timers.next() != NEVER && timers.next() <= shared.clock.tick();
    if is_due() {
        return true;
    }
    local.parker.drive(timeout(local), due);
    !due.is_empty() || is_due()
}
