//! Ten thousand processes that wait, and what they cost meanwhile: processor time and memory.
//!
//! Half of them wait for a message, half sleep for an hour. The processor time is that of the whole program, as Linux counts it in
//! `/proc/self/stat`; the program fails when it is a tenth of a second or more.

#![forbid(unsafe_code)]

use bastion::typed::*;
use clap::Parser;
use std::fs;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

const PROCESSES: usize = 10_000;

/// What the program may use while it is idle, in seconds of processor time.
const LIMIT: f64 = 0.1;

/// Linux counts processor time for user space in hundredths of a second, whatever its own clock does.
const TICKS_PER_SECOND: f64 = 100.0;

/// Keep 10,000 waiting processes for a while, and measure the processor time that they use
#[derive(Parser, Debug)]
struct Args {
    /// How long the program stays idle, in seconds (1 to 86400)
    #[arg(long, value_name = "N", default_value_t = 10)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=86_400))]
    seconds: u64,
}

#[bastion::main]
async fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let args = Args::parse();
    let memory_before = memory_kib();
    let waiting = Arc::new(AtomicUsize::new(0));
    let begin = Instant::now();
    for number in 0..PROCESSES {
        let waiting = waiting.clone();
        let process = if number % 2 == 0 { listener(waiting) } else { sleeper(waiting) };
        Bastion::spawn_child(process)?;
    }
    while waiting.load(SeqCst) < PROCESSES {
        bastion::executor::sleep(Duration::from_millis(1)).await;
    }
    println!("{PROCESSES} processes wait, started in {:.1?}", begin.elapsed());

    // The workers go to sleep, the supervisor files its last children.
    bastion::executor::sleep(Duration::from_millis(500)).await;
    if let (Some(before), Some(after)) = (memory_before, memory_kib()) {
        let bytes = after.saturating_sub(before) * 1024 / PROCESSES as u64;
        println!("memory: {bytes} bytes for each process");
    }
    let Some(used_before) = processor_seconds() else {
        println!("skipped: this system has no /proc/self/stat to read processor times from");
        return Ok(ExitCode::SUCCESS);
    };
    bastion::executor::sleep(Duration::from_secs(args.seconds)).await;
    let used = processor_seconds().unwrap_or(f64::INFINITY) - used_before;
    println!("processor time in {} idle seconds: {used:.2} s (less than {LIMIT})", args.seconds);

    let stopped = Bastion::stop_within(Duration::from_secs(30)).await;
    assert!(stopped.forced.is_empty() && stopped.abandoned == 0, "all stop in order: {stopped:?}");
    Ok(if used < LIMIT { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A process that waits for a message.
fn listener(waiting: Arc<AtomicUsize>) -> Child<()> {
    child(move |mut cx: Context<()>| {
        waiting.fetch_add(1, SeqCst);
        async move {
            while cx.recv().await.is_some() {}
            Ok(())
        }
    })
}

/// A process that sleeps for an hour. It has nothing to put in order: the stop may kill it.
fn sleeper(waiting: Arc<AtomicUsize>) -> Child<()> {
    let sleeper = child(move |cx: Context<()>| {
        waiting.fetch_add(1, SeqCst);
        async move {
            cx.sleep(Duration::from_secs(3600)).await;
            Ok(())
        }
    });
    sleeper.shutdown(Shutdown::Brutal)
}

/// Returns the processor time that the program has used, in user and in kernel mode.
fn processor_seconds() -> Option<f64> {
    let text = fs::read_to_string("/proc/self/stat").ok()?;
    // The second field, the program's name, is in parentheses and may hold anything; the third follows the last one.
    let (_, fields) = text.rsplit_once(')')?;
    let mut times = fields.split_whitespace().skip(14 - 3);
    let user: f64 = times.next()?.parse().ok()?;
    let system: f64 = times.next()?.parse().ok()?;
    Some((user + system) / TICKS_PER_SECOND)
}

/// Returns how much of the program is in memory, in KiB.
fn memory_kib() -> Option<u64> {
    let text = fs::read_to_string("/proc/self/status").ok()?;
    let size = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    size.trim().strip_suffix("kB")?.trim().parse().ok()
}
