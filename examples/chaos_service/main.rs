//! A network service that keeps answering, correctly, while its processes are crashed many times a second.
//!
//! A supervised TCP word-count service, plain clients that stream text to it and check every answer, and a chaos process that makes
//! workers panic and connections end. This file reads the arguments and says what happens in which order.

#![forbid(unsafe_code)]

mod args;
mod client;
mod input;
mod ledger;
mod progress;
mod protocol;
mod say;
mod service;
mod summary;

use args::ChaosArgs;
use bastion::executor::{self, Executor};
use bastion::io::TcpListener;
use clap::Parser;
use client::Clients;
use indicatif::HumanCount;
use input::{Input, InputError};
use ledger::Ledger;
use progress::Progress;
use say::note;
use service::Service;
use std::error::Error;
use std::fmt;
use std::io::{self, IsTerminal};
use std::net::Ipv4Addr;
use std::process::{self, ExitCode};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};
use summary::{Counts, Summary};
use tracing_subscriber::filter::LevelFilter;

/// The environment variable that says what the runtime may log to standard error; it is silent by default.
const LOG: &str = "BASTION_LOG";

/// How often the progress is drawn.
const TICK: Duration = Duration::from_millis(100);

/// How much later a second Ctrl-C is one. Who stops a group of programs may send several signals at once.
const ONCE_MORE: Duration = Duration::from_millis(300);

/// Crash a real network service many times a second, and watch it keep answering
///
/// Streams real text over real sockets to a supervised word-count service while its workers are made to panic and its connections
/// are killed. Every answer is checked against a plain count of the same text.
#[derive(Parser, Debug)]
#[command(
    name = "chaos_service",
    after_help = "\
Ctrl-C stops the service in order and still prints the result. BASTION_LOG=error (or warn, info, debug)
shows what the runtime logs.
Exit codes: 0 nothing lost or wrong, 1 something was, 2 the arguments or the input are unusable."
)]
struct Cli {
    #[command(flatten)]
    chaos: ChaosArgs,
}

/// Why the program cannot be used like this: exit code 2.
#[derive(Debug)]
enum Unusable {
    Log(String),
    Input(InputError),
    Port(u16, io::Error),
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Log(level) => {
                write!(f, "{LOG}={level}: expected off, error, warn, info, debug or trace")
            }
            Self::Input(error) => error.fmt(f),
            Self::Port(port, error) => write!(f, "port {port} on 127.0.0.1: {error}"),
        }
    }
}

impl Error for Unusable {}

fn main() -> ExitCode {
    let args = match Cli::try_parse() {
        Ok(cli) => cli.chaos,
        Err(error) if error.use_stderr() => {
            // The first line says it; the others are for those who ask for help.
            let text = error.to_string();
            note(format_args!("{} (see --help)", text.lines().next().unwrap_or_default()));
            return ExitCode::from(2);
        }
        Err(help) => help.exit(),
    };
    let prepared = match prepare(&args) {
        Ok(prepared) => prepared,
        Err(error) => {
            note(format_args!("error: {error}"));
            return ExitCode::from(2);
        }
    };
    match executor::run(run(&args, prepared)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            note("error: not every line was answered rightly, or not every worker came back");
            ExitCode::FAILURE
        }
        Err(error) => {
            note(format_args!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// What a run needs, and may not get.
struct Prepared {
    input: Arc<Input>,
    listener: TcpListener,
    /// Whether the progress may be drawn: nothing is logged to the same place.
    quiet: bool,
}

fn prepare(args: &ChaosArgs) -> Result<Prepared, Unusable> {
    let level = log_level()?;
    // Panics of processes are reported here and nowhere else, as soon as there is a subscriber, also a silent one.
    let subscriber = tracing_subscriber::fmt().with_max_level(level).with_writer(io::stderr);
    subscriber.with_ansi(io::stderr().is_terminal()).init();
    let input = Input::read(&args.files, |text| note(format_args!("note: {text}")));
    let input = input.map_err(Unusable::Input)?;
    let listener = executor::run(TcpListener::bind((Ipv4Addr::LOCALHOST, args.port)));
    let listener = listener.map_err(|error| Unusable::Port(args.port, error))?;
    Ok(Prepared { input: Arc::new(input), listener, quiet: level == LevelFilter::OFF })
}

fn log_level() -> Result<LevelFilter, Unusable> {
    let Some(level) = std::env::var_os(LOG) else { return Ok(LevelFilter::OFF) };
    let level = level.to_string_lossy();
    level.parse().map_err(|_| Unusable::Log(level.into_owned()))
}

/// Runs service, chaos and clients, prints the result, and says whether it is good.
async fn run(args: &ChaosArgs, prepared: Prepared) -> Result<bool, Box<dyn Error>> {
    let Prepared { input, listener, quiet } = prepared;
    let topology = Executor::global()?.topology().to_string();
    let address = listener.local_addr()?;
    let interrupts = interrupts();
    let ledger = Arc::new(Ledger::new(args.workers.into()));
    let service = Service::start(args, listener, &ledger).await?;
    let (lines, bytes) = (HumanCount(input.len() as u64), HumanCount(input.bytes() as u64));
    note(format_args!("service on {address}: {lines} lines, {bytes} bytes, round and round"));

    let begin = Instant::now();
    let clients = Clients::start(args.clients.into(), address, &input, &ledger)?;
    wait(Duration::from_secs(args.seconds), &interrupts, &ledger, quiet);
    service.calm().await;
    // Taken while the connections are there.
    let tree = service.tree().await.to_string();
    let lost = clients.finish();
    let took = begin.elapsed();
    let (stopped, stats) = service.stop().await;

    let summary = Summary {
        took,
        lost,
        forced_kills: stopped.forced.len() as u64,
        abandoned: stopped.abandoned,
        dead_letters: stats.dead_letters,
        workers: args.workers.into(),
        clients: args.clients.into(),
        seed: args.seed,
        files: input.files() as u64,
        topology,
        tree,
        counts: Counts::of(&ledger),
    };
    let text = if args.json { format!("{}\n", summary.to_json()) } else { summary.to_string() };
    say::print(&text)?;
    Ok(summary.is_good())
}

/// Waits until the time is over or the user interrupts.
fn wait(time: Duration, interrupts: &Receiver<()>, ledger: &Ledger, visible: bool) {
    let end = Instant::now() + time;
    let mut progress = Progress::new(time, visible);
    loop {
        progress.draw(ledger);
        let rest = end.saturating_duration_since(Instant::now());
        match interrupts.recv_timeout(rest.min(TICK)) {
            Ok(()) => {
                progress.finish();
                note("interrupted: stopping in order; once more ends at once");
                return;
            }
            // There is no handler: only the time ends it.
            Err(RecvTimeoutError::Disconnected) => std::thread::sleep(rest.min(TICK)),
            Err(RecvTimeoutError::Timeout) => {}
        }
        if Instant::now() >= end {
            return progress.finish();
        }
    }
}

/// Returns where Ctrl-C, and the signals that ask for the same, arrive. Once more, not just twice at once, it ends the program.
fn interrupts() -> Receiver<()> {
    let (sender, receiver) = mpsc::channel();
    let mut first = None;
    let handler = ctrlc::set_handler(move || {
        let since = first.get_or_insert_with(Instant::now).elapsed();
        if since >= ONCE_MORE {
            process::exit(130);
        }
        let _ = sender.send(());
    });
    if let Err(error) = handler {
        note(format_args!("note: Ctrl-C ends the program without a result: {error}"));
    }
    receiver
}
