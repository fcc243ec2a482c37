//! What `#[bastion::test]` does: a system of its own for every test.

use crate::{Runtime, Sim, System};
use std::future::Future;
use std::time::Duration;

/// How long a test's system may take to stop.
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// Runs a test with a new system on the global executor, and stops the system.
///
/// # Panics
/// With the test's panic.
///
/// # Examples
/// ```
/// let crashes = bastion::testing::run(async |system| system.stats().crashes);
/// assert_eq!(crashes, 0);
/// ```
pub fn run<F: Future>(test: impl FnOnce(System) -> F) -> F::Output {
    crate::executor::run(with_system(Runtime::executor(), test))
}

/// Runs a test with a new system on virtual time, in an order of execution that follows from `seed`.
///
/// # Panics
/// With the test's panic, or when the test deadlocks.
///
/// # Examples
/// ```
/// let begin = bastion::testing::run_virtual(7, async |system| system.now());
/// assert!(begin.is_zero());
/// ```
pub fn run_virtual<F: Future>(seed: u64, test: impl FnOnce(System) -> F) -> F::Output {
    let sim = Sim::new(seed);
    sim.run(with_system(Runtime::sim(&sim), test))
}

async fn with_system<F: Future>(runtime: Runtime, test: impl FnOnce(System) -> F) -> F::Output {
    let system = System::new(runtime);
    let output = test(system.clone()).await;
    system.stop(STOP_LIMIT).await;
    output
}
