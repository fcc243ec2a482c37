#![doc = include_str!("../README.md")]
#![cfg_attr(shuttle, allow(dead_code, unused_imports, reason = "no monitor, no pool"))]

pub mod affinity;
#[cfg(feature = "serde")]
mod as_text;
#[cfg(feature = "io")]
mod attendance;
#[cfg(not(feature = "io"))]
#[path = "attendance/absent.rs"]
mod attendance;
mod budget;
mod builder;
mod compat;
mod crew;
mod dedicated;
mod domain;
mod end;
mod handle;
mod idle;
mod interval;
#[cfg(feature = "io")]
pub mod io;
mod jobs;
mod layout;
mod local;
mod local_executor;
mod metrics;
#[cfg(not(shuttle))]
mod monitor;
#[cfg(shuttle)]
#[path = "monitor/absent.rs"]
mod monitor;
mod on_panic;
mod pace;
mod pages;
mod park;
mod parker;
mod place;
pub mod placement;
#[cfg(feature = "io")]
mod reactor;
mod registry;
mod rescue;
mod residence;
mod runtime;
#[cfg(all(test, shuttle))]
mod schedules;
mod scope;
mod settings;
mod shared;
mod skip;
mod slot;
mod steal;
mod sync;
mod timeout;
mod timer;
#[cfg(feature = "tokio")]
pub mod tokio_bridge;
#[cfg(not(feature = "tokio"))]
#[path = "tokio_bridge/absent.rs"]
mod tokio_bridge;
pub mod topology;
mod work;

pub use self::metrics::{BlockingMetrics, Metrics, WorkerMetrics};
pub use budget::poll_budget;
pub use builder::{BuildError, Builder};
pub use compat::{blocking, load_balancer, pool, prelude, run, run_queue, sleepers, worker};
pub use handle::Handle;
pub use interval::{Interval, MissedTicks, interval, interval_at};
pub use jobs::{RefusedJob, spawn_blocking, try_spawn_blocking};
pub use lightproc::{InPlace, Outcome, Panic, ProcHandle, RecoverableHandle};
pub use local_executor::{
    LocalExecutor, LocalHandle, NoLocalExecutor, spawn_local, try_spawn_local,
};
pub use place::{Place, PlaceError, Unplaced, spawn_on};
pub use placement::{Cores, Placement, Smt};
pub use residence::Residence;
pub use runtime::{Executor, run, spawn, spawn_detached, yield_now};
pub use scope::{Scope, ScopedHandle, scope};
pub use settings::BadVariable;
pub use timeout::{Elapsed, timeout};
pub use timer::{Clock, Sleep, now, sleep, sleep_until};
pub use topology::Topology;
