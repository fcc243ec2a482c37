//! [`Builder`]: what an executor is made of, and its making.

use crate::affinity;
use crate::crew::{Crew, Post, Terms};
use crate::end::End;
use crate::jobs::{self, Pool};
use crate::layout;
use crate::monitor;
use crate::on_panic::OnPanic;
use crate::placement::{Cores, Placement, PlacementError, Request, Smt, WorkerPlace};
use crate::registry::{Bell, Registry};
use crate::runtime::Executor;
use crate::settings::{self, BadVariable, Settings};
use crate::shared::{Given, Shared};
use crate::timer::Clock;
use crate::tokio_bridge::Bridge;
use crate::topology::{CpuSet, Topology};
use lightproc::Panic;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Describes an [`Executor`].
///
/// Defaults: as many workers as the machine lets this program use, placed by what the machine is (unbound on one NUMA
/// node, each bound to its node on several), threads named `worker-N` with the platform's stack size.
#[derive(Debug, Clone, Default)]
pub struct Builder {
    request: Request,
    name: Option<String>,
    stack_size_bytes: Option<usize>,
    topology: Option<Topology>,
    clock: Clock,
    settings: Settings,
    blocking: jobs::Settings,
    on_panic: OnPanic,
    pub(crate) bridge: Bridge,
}

impl Builder {
    /// Sets what the environment says: `BASTION_WORKERS`, `BASTION_PLACEMENT` (`unbound`, `compact`, `spread`, `numa-balanced`,
    /// `per-node`, or a list of PUs such as `0,2,3`), `BASTION_SMT` (`last`, `avoid`, `use`), `BASTION_CORES` (`any`, `performance`,
    /// `efficiency`), `BASTION_RESERVE_CORES`, `BASTION_TIME_SLICE_US`, `BASTION_LIFO_CHAIN`, `BASTION_SPIN_US`. What it does not
    /// say has its default. The global executor is made so.
    ///
    /// # Errors
    /// [`BadVariable`] names the first one that means nothing.
    pub fn from_env() -> Result<Builder, BadVariable> {
        settings::builder(|name| std::env::var_os(name).map(|value| value.to_string_lossy().into()))
    }

    /// Sets the number of worker threads. Default: see [`Request::workers`].
    pub fn workers(mut self, workers: usize) -> Self {
        self.request = self.request.workers(workers);
        self
    }

    /// Sets the name of the worker threads; `-N` is appended.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the stack size of the worker threads, in bytes.
    pub fn stack_size_bytes(mut self, bytes: usize) -> Self {
        self.stack_size_bytes = Some(bytes);
        self
    }

    /// Sets where the workers run. Default: see [`Request::policy`].
    pub fn placement(mut self, placement: Placement) -> Self {
        self.request = self.request.policy(placement);
        self
    }

    /// Sets what is made of cores with several hardware threads. Default: [`Smt::Last`].
    pub fn smt(mut self, smt: Smt) -> Self {
        self.request = self.request.smt(smt);
        self
    }

    /// Sets which cores workers get on a hybrid machine. Default: [`Cores::Any`].
    pub fn cores(mut self, cores: Cores) -> Self {
        self.request = self.request.cores(cores);
        self
    }

    /// Sets how many cores of each node, those with the highest numbers, are left to others: to interrupts, other programs, and the
    /// threads of this executor's blocking pool, which may run everywhere. Default: 0.
    pub fn reserve_cores(mut self, count: usize) -> Self {
        self.request = self.request.reserve_cores(count);
        self
    }

    /// Sets the topology to place by, instead of discovering this machine's.
    ///
    /// Workers are bound only when it [is this machine's](Topology::is_this_machine).
    pub fn topology(mut self, topology: Topology) -> Self {
        self.topology = Some(topology);
        self
    }

    /// Sets the clock that the timers go by, such as one for tests. Default: the machine's.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Sets how long a worker runs its own processes before it looks at what came from outside, its timers and the sockets, also when it
    /// never runs out of work. A poll that takes longer is not interrupted. Default: 100 microseconds.
    pub fn time_slice(mut self, slice: Duration) -> Self {
        self.settings.slice_ns = nanos(slice).max(1);
        self
    }

    /// Sets how many processes in a row may run because they were woken last, before those that wait longer have their turn.
    /// Default: 3.
    pub fn lifo_chain(mut self, polls: u32) -> Self {
        self.settings.lifo_chain = polls;
        self
    }

    /// Sets how long a worker that has run out of work looks for more before it sleeps. It burns processor time meanwhile; it pays
    /// where processors are plenty and waking a thread is dear. Default: 0.
    pub fn spin(mut self, spin: Duration) -> Self {
        self.settings.spin_ns = nanos(spin);
        self
    }

    /// Sets how many threads the blocking pool may have, at least one; see [`spawn_blocking`](crate::spawn_blocking). They are started when
    /// they are needed, named `name-blocking-N`, with the workers' stack size. Default: 512.
    pub fn blocking_threads(mut self, max: usize) -> Self {
        self.blocking.threads = max.max(1);
        self
    }

    /// Sets how long a thread of the blocking pool stays without a job. Default: 10 seconds.
    pub fn blocking_keep_alive(mut self, keep_alive: Duration) -> Self {
        self.blocking.keep_alive = keep_alive;
        self
    }

    /// Sets how many jobs of the blocking pool may wait while all its threads are busy. More are refused; 0: a job begins at once or not at
    /// all. Default: 65,536, which is more than most programs ever have waiting, and some ten megabytes if their closures are small.
    pub fn blocking_queue(mut self, limit: usize) -> Self {
        self.blocking.queue = limit;
        self
    }

    /// Sets what is done with the panic of a process, or of a blocking job, that has no handle any more, so that nobody learns of it: it was
    /// spawned without one, or the handle was dropped, before or after the end, and not awaited. Default: it is reported as an error, with
    /// its message and place, through `tracing`.
    ///
    /// The handler is called on the thread that ran the process or dropped the handle. A panic of its own is caught and dropped.
    ///
    /// # Examples
    /// ```
    /// use bastion_executor::Executor;
    /// std::panic::set_hook(Box::new(|_| {}));
    /// let (tell, told) = std::sync::mpsc::channel();
    /// let executor = Executor::builder()
    ///     .workers(1)
    ///     .on_panic(move |panic| tell.send(panic.to_string()).unwrap())
    ///     .build()?;
    /// executor.spawn_detached(async { panic!("lost") });
    /// assert!(told.recv()?.starts_with("lost at "));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn on_panic(mut self, handler: impl Fn(&Panic) + Send + Sync + 'static) -> Self {
        self.on_panic = OnPanic::new(handler);
        self
    }

    /// Makes the executor and starts its workers. The machine is read for the first executor of the program, and again when the calling
    /// thread is granted other PUs.
    ///
    /// # Errors
    /// [`BuildError::Placement`] for a placement or a number of workers that the machine does not allow; [`BuildError::Name`];
    /// [`BuildError::Thread`] when the system refuses a thread, in which case those already started are stopped.
    pub fn build(self) -> Result<Executor, BuildError> {
        let (mut executor, crew) = self.assemble()?;
        let shared = executor.shared().clone();
        monitor::join(&shared).map_err(BuildError::Thread)?;
        // On an error the drop of `executor` stops the workers that run already.
        let employed = crew.employ(&shared, |thread| executor.push_thread(thread));
        employed.map_err(BuildError::Thread)?;
        Ok(executor)
    }

    /// Makes the executor, whose workers do not begin yet.
    pub(crate) fn assemble(self) -> Result<(Executor, Crew), BuildError> {
        // A process without a handle does not ask for it, and its panic may be told all the same.
        Panic::locate();
        let topology = self.topology.map_or_else(Topology::known, Arc::new);
        let name = self.name.as_deref().unwrap_or("worker");
        if name.contains('\0') {
            return Err(BuildError::Name(name.to_owned()));
        }
        let plan = self.request.plan(&topology)?;
        let bridge = self.bridge.start().map_err(BuildError::Thread)?;
        let is_bound = topology.is_this_machine() && plan.workers.iter().any(|w| w.cpus.is_some());
        let (started, bell) = (Instant::now(), Arc::<Bell>::default());
        let terms = Terms {
            stack_size_bytes: self.stack_size_bytes,
            bridge: bridge.clone(),
            bell: bell.clone(),
            epoch: started,
        };
        let post = |(index, place): (usize, &WorkerPlace)| Post {
            name: format!("{name}-{index}"),
            cpus: place.cpus.clone().filter(|_| is_bound),
            node: plan.domains[place.domain].node.filter(|_| is_bound),
        };
        let posts = plan.workers.iter().enumerate().map(post).collect();
        let (crew, desks) = Crew::gather(posts, terms).map_err(BuildError::Thread)?;
        let blocking = Pool::new(jobs::Settings {
            name: name.to_owned(),
            stack_size_bytes: self.stack_size_bytes,
            cpus: match is_bound {
                true => Some(topology.allowed()),
                false => affinity::allowed().map(CpuSet::from_iter),
            },
            ..self.blocking.clone()
        });
        let lists = desks.iter().map(|desk| desk.waiting.clone()).collect();
        let shared = Shared::new(Given {
            idle: layout::idle(&topology, &plan),
            domains: layout::domains(&plan),
            homes: if is_bound { layout::homes(&topology, &plan) } else { Box::default() },
            workers: layout::remotes(&plan, desks),
            registry: Registry::new(lists, bell),
            clock: self.clock,
            settings: self.settings,
            blocking,
            end: End::new(bridge.clone()),
            on_panic: self.on_panic,
            started,
        });
        Ok((Executor::new(shared, topology, plan, bridge), crew))
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Why an executor could not be made.
#[derive(Debug)]
#[non_exhaustive]
pub enum BuildError {
    /// The placement, or the number of workers, does not fit the machine.
    Placement(PlacementError),
    /// The threads' name has a NUL in it, which no system takes.
    Name(String),
    /// The system refused a worker thread, or, with the feature `tokio`, that of the helper runtime.
    Thread(io::Error),
    /// A variable of the environment means nothing; only for the global executor.
    Variable(BadVariable),
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BuildError::Placement(error) => write!(f, "the workers cannot be placed: {error}"),
            BuildError::Name(name) => write!(f, "a thread cannot be named {name:?}"),
            BuildError::Thread(error) => write!(f, "a worker thread cannot be started: {error}"),
            BuildError::Variable(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for BuildError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            BuildError::Placement(error) => Some(error),
            BuildError::Name(_) => None,
            BuildError::Thread(error) => Some(error),
            BuildError::Variable(error) => Some(error),
        }
    }
}

impl From<BadVariable> for BuildError {
    fn from(error: BadVariable) -> Self {
        BuildError::Variable(error)
    }
}

impl From<PlacementError> for BuildError {
    fn from(error: PlacementError) -> Self {
        BuildError::Placement(error)
    }
}
