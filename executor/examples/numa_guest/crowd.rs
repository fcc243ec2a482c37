//! Having something on a certain worker, and as many processes at work at once as there are workers: processes that wait for each
//! other inside of their polls, each of which keeps a worker to itself.

use std::error::Error;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use bastion_executor::{Executor, spawn};

use crate::guest::Trouble;

/// How long a thread waits for the others: beyond that, somebody never comes.
const LIMIT: Duration = Duration::from_secs(10);

/// So many milliseconds in a row make a while.
const SETTLED: u32 = 5;

/// How often it is tried to have a process begin on a certain worker.
const ATTEMPTS: usize = 10;

/// A place where threads wait for each other, until so many have come as are expected.
pub(crate) struct Meeting {
    expected: usize,
    arrived: Mutex<usize>,
    complete: Condvar,
}

/// Somebody who was expected at a [`Meeting`] did not come.
#[derive(Debug)]
pub(crate) struct Absent {
    arrived: usize,
    expected: usize,
}

impl fmt::Display for Absent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Absent { arrived, expected } = self;
        write!(f, "of {expected} processes that can run at once only {arrived} were begun")
    }
}

impl Error for Absent {}

impl Meeting {
    pub(crate) fn of(expected: usize) -> Arc<Meeting> {
        let (arrived, complete) = (Mutex::new(0), Condvar::new());
        Arc::new(Meeting { expected, arrived, complete })
    }

    /// Blocks the calling thread until all have come.
    pub(crate) fn attend(&self) -> Result<(), Absent> {
        let mut arrived = self.arrived.lock().unwrap_or_else(PoisonError::into_inner);
        *arrived += 1;
        self.complete.notify_all();
        let missing = |arrived: &mut usize| *arrived < self.expected;
        let waited = self.complete.wait_timeout_while(arrived, LIMIT, missing);
        let (arrived, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let (arrived, expected) = (*arrived, self.expected);
        if arrived < expected { Err(Absent { arrived, expected }) } else { Ok(()) }
    }
}

/// Calls `visit` on every worker, and returns what it says, by the workers' numbers.
pub(crate) fn on_each_worker<T: Send + 'static>(
    executor: &Executor,
    visit: fn() -> Result<T, Trouble>,
) -> Result<Vec<(usize, T)>, Trouble> {
    let meeting = Meeting::of(executor.workers());
    let handles: Vec<_> = (0..executor.workers())
        .map(|_| {
            let meeting = meeting.clone();
            executor.spawn(async move {
                meeting.attend()?;
                Ok::<_, Trouble>((worker_number()?, visit()?))
            })
        })
        .collect();
    let mut said = Vec::new();
    for handle in handles {
        said.push(executor.run(handle).ok_or("a process was lost")??);
    }
    said.sort_by_key(|(worker, _)| *worker);
    Ok(said)
}

/// Runs a future as a process that begins on a worker while all others sleep.
pub(crate) fn alone_on<T, F>(
    executor: &Executor,
    worker: usize,
    make: impl Fn() -> F,
) -> Result<T, Trouble>
where
    T: Send + 'static,
    F: Future<Output = Result<T, Trouble>> + Send + 'static,
{
    for _ in 0..ATTEMPTS {
        if let Some(result) = attempt(executor, worker, make())? {
            return Ok(result);
        }
    }
    Err(format!("no process began on worker {worker} in {ATTEMPTS} attempts").into())
}

/// Tries it once: `None` if the process began elsewhere. A worker may have taken it over while this one was held up.
fn attempt<T, F>(executor: &Executor, worker: usize, future: F) -> Result<Option<T>, Trouble>
where
    T: Send + 'static,
    F: Future<Output = Result<T, Trouble>> + Send + 'static,
{
    let (meeting, gate) = (Meeting::of(executor.workers()), Meeting::of(2));
    let process = async move {
        let begins_there = worker_number()? == worker;
        if begins_there { future.await.map(Some) } else { Ok(None) }
    };
    let process = Arc::new(Mutex::new(Some(process)));
    let handles: Vec<_> = (0..executor.workers())
        .map(|_| {
            let (meeting, gate, process) = (meeting.clone(), gate.clone(), process.clone());
            executor.spawn(async move {
                meeting.attend()?;
                if worker_number()? != worker {
                    return Ok(None);
                }
                gate.attend()?;
                let process = process.lock().unwrap_or_else(PoisonError::into_inner).take();
                // This poll was long. What is spawned in it begins behind it, on the same worker.
                process.map(spawn).ok_or("it runs once")?.await.ok_or("a process was lost")?
            })
        })
        .collect();
    settle(executor);
    gate.attend()?;
    let mut found = None;
    for handle in handles {
        let said: Result<Option<T>, Trouble> = executor.run(handle).ok_or("a process was lost")?;
        found = found.or(said?);
    }
    Ok(found)
}

/// Waits until all workers but one sleep. One that is about to counts as asleep already, so it must have been so for a while.
fn settle(executor: &Executor) {
    let begin = Instant::now();
    let mut asleep = 0;
    while asleep < SETTLED && begin.elapsed() < LIMIT {
        thread::sleep(Duration::from_millis(1));
        let sleeping = executor.metrics().sleeping;
        asleep = if sleeping + 1 < executor.workers() { 0 } else { asleep + 1 };
    }
}

/// Returns the number of the worker that the calling thread is, from its name.
fn worker_number() -> Result<usize, Trouble> {
    let thread = thread::current();
    let number = thread.name().and_then(|name| name.strip_prefix("worker-")?.parse().ok());
    number.ok_or_else(|| format!("{:?} is no worker", thread.name()).into())
}
