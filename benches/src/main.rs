//! Measures this project against its peers: all of them in one run, in turn. See the README beside this crate.

#![forbid(unsafe_code)]

mod alone;
mod args;
mod bench;
mod chart;
mod counted;
mod goals;
mod groups;
mod html;
mod judge;
mod latch;
mod locality;
mod machine;
mod memory;
mod report;
mod results;
mod rounds;
mod run;
mod saved;
mod select;
mod stats;
mod subjects;
mod tune;

use crate::args::{BenchArgs, Command};
use crate::subjects::settings;
use clap::Parser;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::{panic, thread};

/// Set by the first Ctrl-C.
static STOP: AtomicBool = AtomicBool::new(false);

/// The exit code of a program that Ctrl-C has ended.
const INTERRUPTED: u8 = 130;

/// Measure this project against its peers, interleaved in one run
///
/// The subjects of a workload take turns, round by round; the median over the rounds is reported. Absolute figures move from
/// machine to machine: what counts is the ratio between the subjects of one run. Leave the machine alone meanwhile.
#[derive(Parser, Debug)]
#[command(
    name = "bench",
    after_help = "\
In lightproc, ours and async-task run from the same queue of one thread, without an executor. tokio's tasks
come with a scheduler, here a current_thread runtime, whose work is in each of its figures; they run in
batches of 64. async-task does not catch panics, ours do. `floor` is no peer: it is the memory, the queue and
the locked instructions that every implementation must pay for (one known protocol's count, in the row's text).
Instructions are counted by valgrind (callgrind), if it is installed, and like bytes measured once.

A group ends with ours divided by the best peer, for each row. Figures that were kept with --save are compared by
--against: a change counts beyond 5 % and if every round of one run is beyond every round of the other. Kept
figures, report and charts are in the folder `bench` of the target folder.

In yield/yield-now, tokio's yield is deferred: the task is put back only after the worker has looked for
I/O and timers. In ask and restart, our questions have the default time limit, the peers' have none. In
restart and storm, ractor's supervisor starts a new actor by hand, in its callback. Erlang is measured where
`erl` is on the path. In dynamic, the floor is ours with typed messages. The programs of savina check their
results. Goals that the project has set itself are judged with their rows.

Exit codes: 0 all measured, 1 a subject failed (or is worse, with --fail-on-regression), 2 bad arguments,
130 interrupted (what was done is printed)."
)]
struct Args {
    #[command(flatten)]
    bench: BenchArgs,

    /// Measure one subject once, for the program's own use
    #[arg(long = "measure", value_name = "GROUP/WORKLOAD/SUBJECT", hide = true)]
    measure: Option<String>,

    /// Do so many operations, and do not warm up, for the program's own use
    #[arg(long = "operations", value_name = "N", requires = "measure", hide = true)]
    operations: Option<u32>,
}

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) if !error.use_stderr() => error.exit(),
        Err(error) => {
            // The rest is advice, which `--help` has too.
            return refuse(error.to_string().lines().next().unwrap_or("error: wrong arguments"));
        }
    };
    if let Err(error) = settings::check() {
        return refuse(error);
    }
    silence_processes();
    let workers = args.bench.workers.map(|workers| usize::try_from(workers).unwrap_or(usize::MAX));
    if let Some(path) = &args.measure {
        if let Some(workers) = workers {
            settings::set_workers(workers);
        }
        // Ctrl-C is for the parent, which waits for this measurement.
        let _ = ctrlc::set_handler(|| {});
        return alone::run(path, args.operations);
    }
    if cfg!(debug_assertions) {
        eprintln!("warning: this is a debug build; its figures mean nothing");
    }
    if let Err(error) = ctrlc::set_handler(interrupt) {
        eprintln!("warning: Ctrl-C will end the program at once: {error}");
    }
    match &args.bench.command {
        Some(Command::Tune(tune)) => tune::run(tune, &STOP),
        Some(Command::Locality(args)) => locality::run(args, &STOP),
        None => {
            settings::set_workers(workers.unwrap_or(settings::DEFAULT_WORKERS));
            run::run(&args.bench, &STOP)
        }
    }
}

/// Says in one line what is wrong with the arguments.
fn refuse(error: impl std::fmt::Display) -> ExitCode {
    let text = error.to_string();
    eprintln!("error: {}", text.strip_prefix("error: ").unwrap_or(&text));
    ExitCode::from(2)
}

/// Lets the current measurement be the last one; a second time, ends the program.
fn interrupt() {
    if STOP.swap(true, Relaxed) {
        std::process::exit(i32::from(INTERRUPTED));
    }
}

/// Processes panic by the thousand, and nobody wants to read it; this thread's panics are the program's own.
fn silence_processes() {
    let main = thread::current().id();
    let default = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if thread::current().id() == main {
            default(info);
        }
    }));
}

/// Prints to stdout; a reader who has gone is no error.
fn print(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
    let _ = io::stdout().flush();
}
