//! Measures this project against its peers: all of them in one run, in turn. See the README beside this crate.

#![forbid(unsafe_code)]

mod alone;
mod bench;
mod counted;
mod groups;
mod latch;
mod memory;
mod report;
mod rounds;
mod select;
mod stats;
mod subjects;

use crate::rounds::Figures;
use crate::select::Chosen;
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
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

In yield/yield-now, tokio's yield is deferred: the task is put back only after the worker has looked for
I/O and timers. In ask and restart, our questions have the default time limit, the peers' have none. In
restart, ractor's supervisor starts a new actor by hand, in its callback.

Exit codes: 0 all measured, 1 a subject failed, 2 bad arguments, 130 interrupted (what was done is printed)."
)]
struct Args {
    /// Groups of workloads to measure [default: all; see --list]
    #[arg(value_name = "GROUP")]
    groups: Vec<String>,

    /// Print one JSON object per line: group, workload, subject, unit, median, min, max, runs
    #[arg(long)]
    json: bool,

    /// Measure only what has this text in its `group/workload/subject`
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,

    /// Rounds per workload, after one to warm up
    #[arg(long, value_name = "N", default_value_t = 11, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,

    /// List the groups, workloads and subjects, and measure nothing
    #[arg(long)]
    list: bool,

    /// Measure one subject once, for the program's own use
    #[arg(long = "measure", value_name = "GROUP/WORKLOAD/SUBJECT", hide = true)]
    measure: Option<String>,

    /// Do so many operations, and do not warm up, for the program's own use
    #[arg(long = "operations", value_name = "N", requires = "measure", hide = true)]
    operations: Option<u32>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    silence_processes();
    if let Some(path) = &args.measure {
        // Ctrl-C is for the parent, which waits for this measurement.
        let _ = ctrlc::set_handler(|| {});
        return alone::run(path, args.operations);
    }
    let chosen = match select::select(groups::GROUPS, &args.groups, args.filter.as_deref()) {
        Ok(chosen) => chosen,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(2);
        }
    };
    if args.list {
        print(&report::list(&chosen));
        return ExitCode::SUCCESS;
    }
    if cfg!(debug_assertions) {
        eprintln!("warning: this is a debug build; its figures mean nothing");
    }
    if let Err(error) = ctrlc::set_handler(interrupt) {
        eprintln!("warning: Ctrl-C will end the program at once: {error}");
    }
    run(&args, &chosen)
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

fn run(args: &Args, chosen: &[Chosen]) -> ExitCode {
    let rows = chosen.iter().flat_map(|chosen| &chosen.rows);
    let bar = progress_bar(rows.map(|row| rounds::steps(row, args.runs)).sum());
    let mut failed = false;
    'groups: for Chosen { group, rows } in chosen {
        if !args.json {
            bar.suspend(|| print(&report::head(group)));
        }
        for row in rows {
            let outcomes = rounds::measure(row, args.runs, &STOP, &bar);
            failed |= outcomes.iter().any(|outcome| matches!(outcome.figures, Figures::Failed(_)));
            bar.suspend(|| {
                if args.json {
                    print(&report::json_lines(row, &outcomes));
                    eprint!("{}", report::left_out(row, &outcomes));
                } else {
                    print(&report::table(row, &outcomes));
                }
            });
            if STOP.load(Relaxed) {
                break 'groups;
            }
        }
    }
    bar.finish_and_clear();
    if STOP.load(Relaxed) {
        eprintln!("interrupted: the last row has fewer rounds, the rows after it are missing");
        ExitCode::from(INTERRUPTED)
    } else if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// Shows how far the run is, on a terminal.
fn progress_bar(steps: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{elapsed_precise} [{bar:30}] {pos}/{len} {msg}");
    let bar = ProgressBar::new(steps);
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Prints to stdout; a reader who has gone is no error.
fn print(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
    let _ = io::stdout().flush();
}
