//! A million supervised processes: what it costs to start them, to keep them, to ask some of them, and to stop them in order.
//!
//! They are divided among some dynamic supervisors, as a program would that has so many: each supervisor is a process, which takes in and
//! lets go its children one by one, so several use all processors. The program fails when a process does not answer with its own
//! number, or does not stop by itself.

#![forbid(unsafe_code)]

use bastion::typed::*;
use bastion::{Gone, Runtime};
use clap::Parser;
use std::fs;
use std::time::{Duration, Instant};

/// One of so many processes is asked something. A mailbox that was used keeps its first block, so to ask all would measure that.
const ASKED: usize = 100;

/// Start a million supervised processes, ask some of them something, and stop them
#[derive(Parser, Debug)]
struct Args {
    /// How many processes (1 to 10000000)
    #[arg(default_value_t = 1_000_000)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    processes: u32,
    /// Among how many supervisors they are divided (1 to 1000)
    #[arg(long, value_name = "N", default_value_t = 8)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1000))]
    supervisors: u32,
}

/// How many processes are started before their supervisor has to have heard of them.
const BATCH: usize = 1000;

/// A process's number, and where it can be asked for it.
type Numbered = (u32, Address<Reply<u32>>);

/// A process that tells its number to those who ask.
fn numbered(number: u32) -> Child<Reply<u32>> {
    child(move |mut cx: Context<Reply<u32>>| async move {
        while let Some(reply) = cx.recv().await {
            reply.send(number);
        }
        Ok(())
    })
}

/// Starts the processes with these numbers, until all run. A spawn does not wait for the supervisor; a question now and then does, so that it
/// does not fall behind.
async fn fill(
    supervisor: SupervisorRef,
    numbers: impl Iterator<Item = u32>,
) -> Result<Vec<Numbered>, Gone> {
    let mut started = Vec::new();
    for number in numbers {
        started.push((number, supervisor.spawn_child(numbered(number))?));
        if started.len() % BATCH == 0 {
            supervisor.counts().await?;
        }
    }
    assert_eq!(supervisor.counts().await?.active, started.len());
    Ok(started)
}

#[bastion::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args = Args::parse();
    let system = System::new(Runtime::executor());
    let memory_before = memory_kib();

    let begin = Instant::now();
    let mut starts = Vec::new();
    for first in 0..args.supervisors {
        let supervisor = Supervisor::dynamic(format!("part-{first}"));
        let supervisor = system.supervise(supervisor).await?;
        let numbers = (first..args.processes).step_by(args.supervisors as usize);
        starts.push(bastion::executor::spawn(fill(supervisor, numbers)));
    }
    let mut parts = Vec::new();
    for start in starts {
        parts.push(start.await.ok_or("the start was cancelled")??);
    }
    let count: usize = parts.iter().map(Vec::len).sum();
    assert_eq!(count, args.processes as usize);
    println!("{count} processes, {}", pace("started", begin, args.processes));

    if let (Some(before), Some(after)) = (memory_before, memory_kib()) {
        let grown = after.saturating_sub(before);
        let bytes = grown * 1024 / u64::from(args.processes);
        println!("memory: {} MiB, {bytes} bytes for each, its address included", grown / 1024);
    }

    let begin = Instant::now();
    let mut count = 0;
    for (number, address) in parts.iter().flatten().step_by(ASKED) {
        assert_eq!(address.ask(|reply| reply).await?, *number);
        count += 1;
    }
    println!("{count} of them, {}", pace("asked and answered", begin, count));

    let begin = Instant::now();
    let stopped = system.stop(Duration::from_secs(60)).await;
    println!("all, {}", pace("stopped in order", begin, args.processes));
    assert!(stopped.forced.is_empty() && stopped.abandoned == 0, "by themselves: {stopped:?}");
    Ok(())
}

/// Says how long it took, in all and for each.
fn pace(what: &str, begin: Instant, count: u32) -> String {
    let took = begin.elapsed();
    format!("{what} in {took:.2?}, {} ns each", (took / count).as_nanos())
}

/// Returns how much of the program is in memory, in KiB, where the system tells.
fn memory_kib() -> Option<u64> {
    let text = fs::read_to_string("/proc/self/status").ok()?;
    let size = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    size.trim().strip_suffix("kB")?.trim().parse().ok()
}
