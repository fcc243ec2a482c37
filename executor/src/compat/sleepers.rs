//! A place where threads sleep until they are notified. The executor's own workers sleep elsewhere.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// A place where threads sleep, each until somebody notifies one.
///
/// A notification that comes while nobody sleeps is kept, one at most, for the next thread that would.
///
/// # Examples
/// ```
/// use bastion_executor::sleepers::Sleepers;
/// let sleepers = Sleepers::new();
/// sleepers.notify_one();
/// sleepers.wait(); // It was notified already.
/// ```
#[derive(Debug, Default)]
pub struct Sleepers {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// How many threads sleep that nobody has notified.
    asleep: usize,
    /// How many were notified and have not gone on yet.
    notified: usize,
    /// A notification came while nobody slept.
    kept: bool,
}

impl Sleepers {
    /// Makes a place where nobody sleeps.
    pub fn new() -> Sleepers {
        Sleepers::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts the calling thread to sleep until it is notified.
    pub fn wait(&self) {
        let mut state = self.state();
        if std::mem::take(&mut state.kept) {
            return;
        }
        state.asleep += 1;
        let woken = self.wake.wait_while(state, |state| state.notified == 0);
        woken.unwrap_or_else(PoisonError::into_inner).notified -= 1;
    }

    /// Wakes one thread, or keeps the notification for the next one.
    pub fn notify_one(&self) {
        let mut state = self.state();
        if state.asleep == 0 {
            state.kept = true;
            return;
        }
        state.asleep -= 1;
        state.notified += 1;
        self.wake.notify_one();
    }
}
