//! The arguments of the benchmarks, defined once for the two programs that read them: the benchmarks themselves, and
//! `cargo xtask bench`, which includes this file by its path, checks the arguments before anything is built, and hands them on
//! as they were.
//!
//! It knows no group and no subject: only names, defaults and limits.

use std::ffi::OsString;
use std::path::PathBuf;

/// What is measured, against whom, and what is shown of it.
#[derive(clap::Args, Clone, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct BenchArgs {
    /// Groups or sets of groups to measure [default: all; see --list]
    #[arg(value_name = "GROUP")]
    pub(crate) groups: Vec<String>,

    /// Print one JSON object per line: group, workload, subject, unit, figures, ratios
    #[arg(long)]
    pub(crate) json: bool,

    /// Measure only what has this text in its `group/workload/subject`
    #[arg(long, value_name = "TEXT")]
    pub(crate) filter: Option<String>,

    /// Measure ours and these peers only, by their names, with commas
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub(crate) peers: Vec<String>,

    /// Leave these subjects out, by their names, with commas
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub(crate) without: Vec<String>,

    /// Workers of every subject (1 to 2048) [default: 2]
    #[arg(long, value_name = "N", value_parser = number(1, 2048))]
    pub(crate) workers: Option<u64>,

    /// Rounds per workload, after one to warm up
    #[arg(long, value_name = "N", default_value_t = 11, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) runs: u32,

    /// Keep the figures under this name
    #[arg(long, value_name = "NAME", value_parser = parse_name)]
    pub(crate) save: Option<String>,

    /// Compare with the figures that were kept under this name
    #[arg(long, value_name = "NAME", value_parser = parse_name)]
    pub(crate) against: Option<String>,

    /// End with exit code 1 when one of our figures is worse than what it is compared with
    #[arg(long, requires = "against")]
    pub(crate) fail_on_regression: bool,

    /// Write the report there [default: bench/report.html in the target folder]
    #[arg(long, value_name = "PATH", conflicts_with = "no_report")]
    pub(crate) report: Option<PathBuf>,

    /// Write no report and no charts
    #[arg(long)]
    pub(crate) no_report: bool,

    /// List the groups, workloads and subjects, and measure nothing
    #[arg(long)]
    pub(crate) list: bool,

    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// What else the benchmarks can do.
#[derive(clap::Subcommand, Clone, Debug)]
pub(crate) enum Command {
    Tune(TuneArgs),
    Locality(LocalityArgs),
}

/// Find the executor settings that suit this machine and a workload
///
/// Every configuration runs in a process of its own, in turn with the others, and is told its settings by the variables
/// BASTION_WORKERS, BASTION_PLACEMENT, BASTION_TIME_SLICE_US, BASTION_LIFO_CHAIN and BASTION_SPIN_US, which a program of yours must
/// heed. First workers and placement are tried together, then each other setting. The better half of the configurations goes
/// on, until one is left, which is measured again against what was best before, by figures that had no part in its choice. What
/// is not better in nearly all of these rounds, or by less than 2 %, is not recommended.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  cargo xtask bench tune
  cargo xtask bench tune wake/round-trip spawn/await-each --rounds 15
  cargo xtask bench tune --workers 1,2,4 --placement unbound,compact
  cargo xtask bench tune --budget 300 -- ./target/release/my-server-bench --requests 10000

A command's figure is the time from its start to its end, or with --printed the last number that it prints.

Exit codes: 0 done, 1 a measurement failed, 2 bad arguments, 130 interrupted (what was done is printed).")]
pub(crate) struct TuneArgs {
    /// Workloads of groups that every executor runs, as `group/workload` [default: a mix of seven]
    #[arg(value_name = "WORKLOAD", conflicts_with = "user_command")]
    pub(crate) workloads: Vec<String>,

    /// The numbers of workers to try [default: powers of two up to the processors, and the processors]
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = number(1, 2048))]
    pub(crate) workers: Vec<u64>,

    /// The placements to try [default: all that differ on this machine]
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub(crate) placement: Vec<String>,

    /// The time slices to try, in microseconds
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "50,100,200")]
    pub(crate) time_slice_us: Vec<u64>,

    /// The lengths of a chain of wakes through the LIFO slot to try
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "0,3,16")]
    pub(crate) lifo_chain: Vec<u64>,

    /// How long a worker without work keeps looking, to try, in microseconds
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "0,10,50")]
    pub(crate) spin_us: Vec<u64>,

    /// Rounds of those that are compared at the end
    #[arg(long, value_name = "N", default_value_t = 11, value_parser = clap::value_parser!(u32).range(7..=1000))]
    pub(crate) rounds: u32,

    /// When to end, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 180, value_parser = number(1, 604_800))]
    pub(crate) budget: u64,

    /// How long one measurement may take, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = number(1, 86_400))]
    pub(crate) timeout: u64,

    /// Take the last number that the command prints as its figure; less is better
    #[arg(long, requires = "user_command")]
    pub(crate) printed: bool,

    /// Print one JSON object per line: each configuration, then the recommendation
    #[arg(long)]
    pub(crate) json: bool,

    /// A program of your own to tune for, and its arguments
    #[arg(last = true, value_name = "COMMAND")]
    pub(crate) user_command: Vec<OsString>,
}

/// Simulate the scheduler on described machines, beside one that knows no distance
///
/// An event-driven model in virtual time of how workers steal, sleep and are woken: by nodes and distances, as our executor does, and
/// by two orders that are blind to both. It needs none of the machines, and one seed gives one table. All costs are assumptions; the
/// report has them.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  cargo xtask bench locality
  cargo xtask bench locality groups hot-node --machine 'node:2 l3:1 core:8 pu:2 distance:10,21/21,10'
  cargo xtask bench locality imbalance --variants
  cargo xtask bench locality fork-join --footprint 0 --policy per-node

Exit codes: 0 done, 1 the report could not be written, 2 bad arguments, 130 interrupted (what was done is printed).")]
pub(crate) struct LocalityArgs {
    /// Workloads to simulate, by name [default: all]
    #[arg(value_name = "WORKLOAD")]
    pub(crate) workloads: Vec<String>,

    /// A machine as text, such as `pack:2 node:2 l3:1 core:4 pu:2`; may be repeated [default: five, of 8 to 512 PUs]
    #[arg(long, value_name = "TEXT")]
    pub(crate) machine: Vec<String>,

    /// Where the workers go: unbound, compact, spread, numa-balanced, per-node, or a list of PUs
    #[arg(long, value_name = "NAME", default_value = "numa-balanced")]
    pub(crate) policy: String,

    /// Cache lines of data that each process touches in a poll [default: by workload]
    #[arg(long, value_name = "LINES", value_parser = number(0, 1 << 24))]
    pub(crate) footprint: Option<u64>,

    /// How long a parked thread takes to run when it is woken, in microseconds [default: 5]
    #[arg(long, value_name = "US", value_parser = number(0, 1_000_000))]
    pub(crate) wake_up_us: Option<u64>,

    /// The seed of what is random
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,

    /// Also simulate our order with one rule changed each
    #[arg(long)]
    pub(crate) variants: bool,

    /// Print one JSON object per line: machine, workload, order, figures
    #[arg(long)]
    pub(crate) json: bool,

    /// Write the report there [default: bench/locality.html in the target folder]
    #[arg(long, value_name = "PATH", conflicts_with = "no_report")]
    pub(crate) report: Option<PathBuf>,

    /// Write no report
    #[arg(long)]
    pub(crate) no_report: bool,
}

fn number(from: u64, to: u64) -> clap::builder::RangedU64ValueParser {
    clap::value_parser!(u64).range(from..=to)
}

/// A name is part of a file's name.
fn parse_name(text: &str) -> Result<String, String> {
    let is_fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if text.is_empty() || text.starts_with('.') || !text.chars().all(is_fine) {
        return Err("a name has letters, digits, dots, dashes and underscores".to_owned());
    }
    Ok(text.to_owned())
}
