#![doc = include_str!("../README.md")]

pub mod affinity;
mod blocking;
mod builder;
mod idle;
mod interval;
#[cfg(feature = "io")]
pub mod io;
mod local;
mod metrics;
mod park;
pub mod placement;
mod runtime;
mod shared;
mod timeout;
mod timer;
pub mod topology;
mod worker;

pub use self::metrics::{BlockingMetrics, Metrics, WorkerMetrics};
pub use blocking::spawn_blocking;
pub use builder::{BuildError, Builder};
pub use interval::{Interval, MissedTicks, interval, interval_at};
pub use lightproc::{InPlace, Outcome, Panic, ProcHandle, RecoverableHandle};
pub use placement::Placement;
pub use runtime::{Executor, run, spawn, spawn_detached, yield_now};
pub use timeout::{Elapsed, timeout};
pub use timer::{Sleep, sleep, sleep_until};
pub use topology::Topology;
