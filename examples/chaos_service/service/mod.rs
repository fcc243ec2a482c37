//! The service under test: everything in it is supervised.
//!
//! ```text
//! root
//! └─ service         rest-for-one: what comes after a child that fails is restarted with it
//!    ├─ workers      the counting pool, any number of restarts
//!    │  ├─ worker-0
//!    │  └─ ...
//!    ├─ chaos        makes workers panic and connections end; it is told of those that are open
//!    ├─ connections  dynamic: one temporary process for each connection
//!    └─ acceptor
//! ```

mod acceptor;
mod chaos;
mod connection;
mod worker;

use crate::args::ChaosArgs;
use crate::ledger::Ledger;
use bastion::io::TcpListener;
use bastion::plan::Strategy;
use bastion::{Address, Runtime, StartChildError, Stats, Stopped, Supervisor, System, Tree};
use std::sync::Arc;
use std::time::{Duration, Instant};
use worker::Pool;

/// How many connections there are at most. One more is closed at once.
const MAX_CONNECTIONS: usize = 1024;

/// How many questions of one connection are with the workers at most.
const MAX_QUESTIONS: usize = 32;

/// How long the last crashes may take to be repaired.
const SETTLE_LIMIT: Duration = Duration::from_secs(5);

/// How long all processes together may take to stop.
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// The running service.
pub(crate) struct Service {
    system: System,
    chaos: Address<chaos::Order>,
    ledger: Arc<Ledger>,
}

impl Service {
    /// Starts the service, and with it the chaos.
    ///
    /// # Errors
    /// When a process cannot be started.
    pub(crate) async fn start(
        args: &ChaosArgs,
        listener: TcpListener,
        ledger: &Arc<Ledger>,
    ) -> Result<Service, StartChildError> {
        let mut workers = Supervisor::new("workers").unlimited();
        let mut addresses = Vec::new();
        for index in 0..usize::from(args.workers) {
            let worker = worker::describe(index, ledger);
            addresses.push(worker.address());
            workers = workers.child(worker);
        }
        let pool = Pool::new(addresses);
        let chaos = chaos::describe(args, pool.clone(), ledger.clone());
        let address = chaos.address();
        let service = Supervisor::new("service")
            .strategy(Strategy::RestForOne)
            .supervisor(workers)
            .child(chaos)
            .supervisor(Supervisor::dynamic(acceptor::CONNECTIONS))
            .child(acceptor::describe(listener, pool, address.clone()));
        let system = System::new(Runtime::executor());
        system.supervise(service).await?;
        Ok(Service { system, chaos: address, ledger: ledger.clone() })
    }

    /// Ends the chaos, and waits until everything that it broke runs again.
    pub(crate) async fn calm(&self) {
        // No answer: it does not run, so it breaks nothing.
        let _ = self.chaos.ask(chaos::Order::Calm).await;
        let begin = Instant::now();
        while !self.ledger.is_settled() && begin.elapsed() < SETTLE_LIMIT {
            bastion::executor::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Returns the supervision tree as it is now.
    pub(crate) async fn tree(&self) -> Tree {
        self.system.tree().await
    }

    /// Stops all processes in order.
    pub(crate) async fn stop(self) -> (Stopped, Stats) {
        let stopped = self.system.stop(STOP_LIMIT).await;
        (stopped, self.system.stats())
    }
}
