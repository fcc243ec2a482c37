//! A small service that is asked to end by a signal, and stops in order: what started last stops first, and each waits for the one after it.
//!
//! It sends itself the signal (SIGTERM, by the program `kill`; where there is none, it stops itself). One of its processes does not
//! listen: it is killed when its time is over, and named; the others stop as they should.

#![forbid(unsafe_code)]

use bastion::typed::*;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The processes, in the order in which they start: each needs those before it.
const PROCESSES: [&str; 5] = ["store", "cache", "worker 1", "worker 2", "door"];

/// The one that does not listen.
const DEAF: &str = "worker 1";

/// How long each process may take to stop.
const EACH: Duration = Duration::from_millis(500);

/// How long all of them together may take.
const ALL: Duration = Duration::from_secs(10);

/// Who has stopped, in order.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<&'static str>>>);

impl Log {
    fn add(&self, name: &'static str) {
        println!("{name} stops");
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(name);
    }

    fn names(&self) -> Vec<&'static str> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn process(name: &'static str, log: &Log) -> Child<()> {
    let log = log.clone();
    let process = child(move |mut cx: Context<()>| {
        let log = log.clone();
        async move {
            if name == DEAF {
                // It is busy with something else, for ever.
                std::future::pending::<()>().await;
            }
            while cx.recv().await.is_some() {}
            // Here a real process writes down what it has not written yet.
            log.add(name);
            Ok(())
        }
    });
    process.named(name).shutdown(Shutdown::Timeout(EACH))
}

/// Asks this program to end, as a service manager would.
#[cfg(unix)]
async fn ask_to_end() -> Result<(), Box<dyn Error>> {
    let pid = std::process::id().to_string();
    let status = bastion::io::process::Command::new("kill").args(["-s", "TERM", &pid]).status();
    if status.await?.success() { Ok(()) } else { Err("kill does not work".into()) }
}

#[cfg(not(unix))]
async fn ask_to_end() -> Result<(), Box<dyn Error>> {
    bastion::executor::spawn(Bastion::stop_within(ALL)).detach();
    Ok(())
}

#[bastion::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // From here on a signal does not end the program by itself.
    let signal = bastion::termination()?;
    let log = Log::default();
    let service = Supervisor::new("service");
    let service = PROCESSES.iter().fold(service, |all, name| all.child(process(name, &log)));
    Bastion::supervise(service).await?;
    print!("{}", Bastion::tree().await);

    ask_to_end().await?;
    let begin = Instant::now();
    let stopped = Bastion::stop_on_signal(ALL).await?;
    println!("stopped after {:.1?}; had to be killed: {:?}", begin.elapsed(), stopped.forced);

    let mut expected: Vec<_> = PROCESSES.into_iter().filter(|name| *name != DEAF).collect();
    expected.reverse();
    assert_eq!(log.names(), expected, "in reverse order");
    assert_eq!((stopped.forced, stopped.abandoned), (vec![DEAF.to_owned()], 0));
    assert!(begin.elapsed() >= EACH && begin.elapsed() < ALL);
    assert!(signal.is_requested() || cfg!(not(unix)));
    Ok(())
}
