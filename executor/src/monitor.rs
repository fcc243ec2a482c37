//! The monitor: a thread of the program that finds workers which are held up in one long poll, and sees to what waits behind that poll.
//!
//! A round compares how many polls each worker has begun with the round before: one that is awake and has begun none for a whole
//! [`PERIOD`] is held up, by what it polls or by the system. While all workers sleep there is nothing to see, and after a while the monitor
//! sleeps as well; the first worker that gets something to do wakes it. Go's runtime has such a thread ("sysmon").

use crate::attendance;
use crate::parker::Parker;
use crate::shared::Shared;
use once_cell::sync::OnceCell;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst, fence};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::thread;
use std::time::Duration;

/// The time between two rounds. What waits behind a long poll waits for less than two of them.
pub(crate) const PERIOD: Duration = Duration::from_millis(3);

/// After so many rounds in which all workers slept the monitor sleeps, too: 0.3 seconds. Waking it is dear, so not at once.
const QUIET: u32 = 100;

/// The executors that have not closed.
static EXECUTORS: Mutex<Vec<Weak<Shared>>> = Mutex::new(Vec::new());

/// The monitor sleeps, or is about to.
static ASLEEP: AtomicBool = AtomicBool::new(false);

static PARKER: OnceLock<Parker> = OnceLock::new();

fn registered() -> MutexGuard<'static, Vec<Weak<Shared>>> {
    EXECUTORS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the executors that have not closed.
pub(crate) fn executors() -> Vec<Arc<Shared>> {
    registered().iter().filter_map(Weak::upgrade).collect()
}

/// Takes note of an executor whose workers start.
///
/// # Errors
/// When the system refuses the monitor's thread.
pub(crate) fn join(executor: &Arc<Shared>) -> io::Result<()> {
    static STARTED: OnceCell<()> = OnceCell::new();
    STARTED.get_or_try_init(|| {
        thread::Builder::new().name("executor-monitor".into()).spawn(run).map(drop)
    })?;
    registered().push(Arc::downgrade(executor));
    Ok(())
}

/// Takes note that an executor has closed.
pub(crate) fn leave(executor: &Arc<Shared>) {
    registered().retain(|other| !std::ptr::eq(other.as_ptr(), Arc::as_ptr(executor)));
}

/// Makes sure that rounds are made. By a worker that is awake, and is counted as such.
#[inline]
pub(crate) fn wake() {
    // Pairs with the fence in `sleep`: either this sees that the monitor sleeps, or it sees that the worker does not.
    fence(SeqCst);
    if ASLEEP.load(SeqCst) {
        stop_sleeping();
    }
}

#[cold]
fn stop_sleeping() {
    if ASLEEP.swap(false, SeqCst)
        && let Some(parker) = PARKER.get()
    {
        parker.unpark();
    }
}

/// Sleeps until a worker is awake.
fn sleep(parker: &Parker) {
    ASLEEP.store(true, SeqCst);
    fence(SeqCst);
    let executors = executors();
    if all_asleep(&executors) {
        attendance::take_turns(&executors);
    } else {
        ASLEEP.store(false, SeqCst);
    }
    // Not while it sleeps.
    drop(executors);
    while ASLEEP.load(SeqCst) {
        parker.park(None);
    }
}

fn all_asleep(executors: &[Arc<Shared>]) -> bool {
    executors.iter().all(|executor| executor.all_asleep())
}

fn run() {
    let parker = PARKER.get_or_init(Parker::new);
    let (mut quiet, mut woken) = (0, Vec::new());
    loop {
        if quiet >= QUIET {
            sleep(parker);
            quiet = 0;
        }
        parker.park(Some(PERIOD));
        let executors = executors();
        executors.iter().for_each(|executor| executor.take_over_from_held_up());
        // Whoever sat in the reactor may be in a long poll now.
        attendance::look(&mut woken);
        quiet = if all_asleep(&executors) { quiet + 1 } else { 0 };
    }
}
