//! Workers and nested supervisors that fail and are restarted, without a mailbox anywhere: plain futures under supervision.
//!
//! A worker that fails is restarted alone; a supervisor that gives up is restarted by its own; what fails at its first start
//! ends the program with an error that names it. What happened is printed as a tree.

#![forbid(unsafe_code)]

use bastion::executor::sleep;
use bastion::plan::Strategy;
use bastion::typed::*;
use bastion::{RestartStrategy, ShutdownHandle, SupervisorError};
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// Counts the incarnations of all workers, and requests the shutdown when as many as expected have begun.
struct Expected {
    left: AtomicU32,
    reached: ShutdownHandle,
}

impl Expected {
    fn one_more(&self) {
        if self.left.fetch_sub(1, SeqCst) == 1 {
            self.reached.shutdown();
        }
    }
}

/// A worker that has to be initialised, and whose incarnations fail until the last one.
struct Importer {
    name: &'static str,
    /// How many incarnations fail.
    failures: AtomicU32,
    expected: Arc<Expected>,
}

impl Importer {
    fn new(name: &'static str, failures: u32, expected: &Arc<Expected>) -> Importer {
        Importer { name, failures: failures.into(), expected: expected.clone() }
    }
}

impl Supervisable for Importer {
    fn name(&self) -> &str {
        self.name
    }

    async fn initialize(
        &self,
        shutdown: ProcessShutdown,
    ) -> Result<SupervisorFuture, InitializationError> {
        let fails = self.failures.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok();
        let (name, expected) = (self.name, self.expected.clone());
        println!("{name}: initialised");
        Ok(Box::pin(async move {
            expected.one_more();
            if fails {
                return Err(Exit::error("no connection"));
            }
            shutdown.requested().await;
            println!("{name}: stopped in order");
            Ok(())
        }))
    }
}

/// The supervisors, which bear just what happens.
fn app(expected: &Arc<Expected>) -> Supervisor {
    let rules = |mode, intensity| RestartStrategy::new(mode, intensity, 10 * SECOND);
    let panics = AtomicU32::new(0);
    let reached = expected.clone();
    let clock = worker("clock", move |shutdown| {
        reached.one_more();
        let first = panics.fetch_add(1, SeqCst) == 0;
        async move {
            assert!(!first, "a bug");
            shutdown.await;
            Ok(())
        }
    });
    // Its two failures are one too many: it gives up, and is restarted as a whole.
    let feeds = Supervisor::new("feeds")
        .restart_strategy(rules(Strategy::OneForAll, 1))
        .add_worker(Importer::new("prices", 0, expected))
        .add_worker(Importer::new("news", 2, expected));
    Supervisor::new("app")
        .restart_strategy(rules(Strategy::OneForOne, 5))
        .add_worker(clock)
        .supervisor(feeds)
        .add_worker(Importer::new("mail", 1, expected))
}

/// A worker that cannot be initialised.
struct Misconfigured;

impl Supervisable for Misconfigured {
    fn name(&self) -> &str {
        "listener"
    }

    async fn initialize(
        &self,
        _: ProcessShutdown,
    ) -> Result<SupervisorFuture, InitializationError> {
        let port: u16 = "many".parse()?;
        Ok(Box::pin(async move {
            println!("port {port}");
            Ok(())
        }))
    }
}

#[bastion::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // The one panic is expected: a line is enough.
    std::panic::set_hook(Box::new(|info| println!("{info}")));
    let (reached, settled) = ProcessShutdown::paired();
    // Two of the clock, three each of prices and news, two of mail.
    let expected = Arc::new(Expected { left: 10.into(), reached });
    let app = app(&expected);
    let reference = app.reference();
    let stopped = app
        .run_with_shutdown(async {
            settled.requested().await;
            let tree = loop {
                let tree = reference.tree().await.expect("it runs");
                // The last word of the workers may still be on its way to their supervisors.
                if tree.totals.running == tree.totals.workers + tree.totals.supervisors {
                    break tree;
                }
                sleep(Duration::from_millis(1)).await;
            };
            print!("{tree}");
            let restarts: u64 = tree.root.children().iter().map(|child| child.restarts).sum();
            assert_eq!(restarts, 3, "the clock, the feeds, the mail");
        })
        .await?;
    assert!(stopped.forced.is_empty(), "{stopped:?}");

    let web = Supervisor::new("web").add_worker(Misconfigured);
    let error = Supervisor::new("app").supervisor(web).run().await.unwrap_err();
    println!("{}: {error}", error.path());
    assert_eq!(error.path(), "app/web/listener");
    assert!(matches!(error, SupervisorError::Finished { .. }));
    Ok(())
}
