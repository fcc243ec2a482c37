//! Programs of bastion-executor 0.4: what they name (`surface`), what their documentation promises (`behaviour`), and what was wrong
//! with it (`defects`).
//!
//! | | defect of 0.4 | test here | and |
//! |---|---|---|---|
//! | E1 | no stealing, no NUMA nodes, in spite of the documentation | `e1_another_worker_does_what_a_blocked_one_has_spawned` | `nodes.rs`, `steal/tests.rs` |
//! | E2 | no more threads when all are blocked and nothing new comes | `e2_as_many_block_as_need_to` | `blocking.rs`, `rescue.rs` |
//! | E3 | threads bound by index instead of by what is allowed | `e3_cores_are_those_that_are_allowed` | `placement.rs`, `blocking.rs` |
//! | E4 | `run` ignored the hooks | `e4_run_calls_the_hooks` | |
//! | E5 | with `tokio-runtime`, a panic without a runtime around | `e5_no_runtime_need_be_around` | `tokio_bridge.rs` |
//! | E6 | no end, no metrics, no settings of its own | `e6_an_executor_has_settings_metrics_and_an_end` | `shutdown.rs`, `metrics.rs` |
//! | E7 | idle threads that burn a processor | `e7_processes_with_stacks_that_wait_cost_nothing` | `idle_workers_cost_nothing` |
#![cfg(not(loom))]

mod behaviour;
mod defects;
mod surface;

use std::time::Duration;

/// Far more than any of these takes on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

/// An executor of its own, for one test.
fn executor(workers: usize) -> bastion_executor::Executor {
    bastion_executor::Executor::builder().workers(workers).build().unwrap()
}

/// Calls `f` where what it spawns belongs to that executor.
fn on<R>(executor: &bastion_executor::Executor, f: impl FnOnce() -> R) -> R {
    executor.run(async { f() })
}

fn quiet() {
    std::panic::set_hook(Box::new(|_| {}));
}
