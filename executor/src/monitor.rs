//! The monitor: a thread that finds workers which are held up in one long poll, and sees to what waits behind that poll.
//!
//! A round compares how many polls each worker has begun with the round before: one that is awake and has begun none for a whole
//! [`PERIOD`] is held up, by what it polls or by the system. While all workers sleep there is nothing to see, and after a while the monitor
//! sleeps as well; the first worker that gets something to do wakes it. Go's runtime has such a thread ("sysmon").

use crate::attendance;
use crate::parker::Parker;
use crate::shared::Shared;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst, fence};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// The time between two rounds. What waits behind a long poll waits for less than two of them.
const PERIOD: Duration = Duration::from_millis(3);

/// After so many rounds in which all workers slept the monitor sleeps, too: 0.3 seconds. Waking it is dear, so not at once.
const QUIET: u32 = 100;

/// The monitor of one executor, as the workers see it.
#[derive(Debug, Default)]
pub(crate) struct Monitor {
    /// It sleeps, or is about to.
    asleep: AtomicBool,
    parker: OnceLock<Arc<Parker>>,
}

impl Monitor {
    /// Makes sure that it makes rounds. By a worker that is awake, and is counted as such.
    #[inline]
    pub(crate) fn wake(&self) {
        // Pairs with the fence in `sleep`: either this sees that it sleeps, or it sees that the worker does not.
        fence(SeqCst);
        if self.asleep.load(SeqCst) {
            self.stop_sleeping();
        }
    }

    #[cold]
    fn stop_sleeping(&self) {
        if self.asleep.swap(false, SeqCst)
            && let Some(parker) = self.parker.get()
        {
            parker.unpark();
        }
    }

    /// Lets it see that the executor has closed.
    pub(crate) fn close(&self) {
        self.asleep.store(false, SeqCst);
        if let Some(parker) = self.parker.get() {
            parker.unpark();
        }
    }

    /// Sleeps until a worker is awake.
    fn sleep(&self, parker: &Parker, shared: &Shared) {
        self.asleep.store(true, SeqCst);
        fence(SeqCst);
        if !shared.all_asleep() || shared.is_closed() {
            self.asleep.store(false, SeqCst);
        }
        while self.asleep.load(SeqCst) {
            parker.park(None);
        }
    }
}

/// Makes the rounds, until the executor closes. This thread is the monitor.
pub(crate) fn run(shared: &Shared) {
    let parker = Arc::new(Parker::new());
    let _ = shared.monitor.parker.set(parker.clone());
    let mut polls: Vec<u64> = vec![0; shared.workers.len()];
    let (mut quiet, mut woken) = (QUIET, Vec::new());
    while !shared.is_closed() {
        if quiet >= QUIET {
            shared.monitor.sleep(&parker, shared);
            quiet = 0;
        }
        parker.park(Some(PERIOD));
        for (worker, before) in polls.iter_mut().enumerate() {
            let now = shared.workers[worker].own.meter.polls.value();
            if std::mem::replace(before, now) == now {
                shared.take_over(worker);
            }
        }
        // Whoever sat in the reactor may be in a long poll now.
        attendance::look(&mut woken);
        quiet = if shared.all_asleep() { quiet + 1 } else { 0 };
    }
}
