//! The arguments of the benchmarks, defined once for the two programs that read them: the benchmarks themselves, and
//! `cargo xtask bench`, which includes this file by its path, checks the arguments before anything is built, and hands them on
//! as they were.
//!
//! It knows no group and no subject: only names, defaults and limits.

use std::path::PathBuf;

/// What is measured, against whom, and what is shown of it.
#[derive(clap::Args, Clone, Debug)]
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
