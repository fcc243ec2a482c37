//! The arguments of the drawing, defined once for the two programs that read them: the drawing itself, and `cargo xtask topology`,
//! which includes this file by its path, checks the arguments before anything is built, and hands them on as they were.
//!
//! It knows no machine and no executor: only names, defaults and limits.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;

/// Which machine is drawn, and what is wanted of its workers.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct TopologyArgs {
    /// What tells of this machine: auto, hwloc, sysfs or flat; or sysfs:DIR, a tree laid out as /sys, or flat:N, so many PUs
    #[arg(long, value_name = "SOURCE", default_value = "auto", value_parser = parse_source)]
    pub(crate) source: Source,

    /// Draw the machine that this text describes, such as "pack:2 node:2 l3:1 core:4 pu:2"
    #[arg(long, value_name = "TEXT", conflicts_with = "source")]
    pub(crate) synthetic: Option<String>,

    /// unbound, compact, spread, numa-balanced, per-node, or a list of PUs such as 0,2,3 [default: the machine decides]
    #[arg(long, value_name = "POLICY", value_parser = parse_policy)]
    pub(crate) policy: Option<String>,

    /// Workers (1 to 2048) [default: the machine decides]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=2048))]
    pub(crate) workers: Option<u16>,

    /// What is made of the second threads of cores
    #[arg(long, value_name = "HOW", default_value = "last")]
    #[arg(value_parser = PossibleValuesParser::new(["last", "avoid", "use"]))]
    pub(crate) smt: String,

    /// Which cores workers get on a hybrid machine
    #[arg(long, value_name = "KIND", default_value = "any")]
    #[arg(value_parser = PossibleValuesParser::new(["any", "performance", "efficiency"]))]
    pub(crate) cores: String,

    /// Cores of each node that are left to others
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) reserve_cores: u16,

    /// Write the drawing to this file too, as SVG
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,

    /// Print the topology and the plan as one JSON object, instead of the drawing
    #[arg(long)]
    pub(crate) json: bool,

    /// Start an executor with this plan and show where its workers and their memory really are
    #[arg(long, conflicts_with_all = ["synthetic", "json"])]
    pub(crate) check: bool,
}

/// What tells of this machine, or of one that is laid out like it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// What an executor takes: the first that works of the others.
    Auto,
    /// libhwloc.
    Hwloc,
    /// The files of `/sys`, or of another folder.
    Sysfs(Option<PathBuf>),
    /// A count of PUs; as many as this program may use, if it is not given.
    Flat(Option<u32>),
}

fn parse_source(text: &str) -> Result<Source, String> {
    let (name, value) =
        text.split_once(':').map_or((text, None), |(name, value)| (name, Some(value)));
    match (name, value) {
        ("auto", None) => Ok(Source::Auto),
        ("hwloc", None) => Ok(Source::Hwloc),
        ("sysfs", None) => Ok(Source::Sysfs(None)),
        ("sysfs", Some(folder)) if !folder.is_empty() => Ok(Source::Sysfs(Some(folder.into()))),
        ("flat", None) => Ok(Source::Flat(None)),
        ("flat", Some(count)) => match count.parse() {
            Ok(pus @ 1..=65_536) => Ok(Source::Flat(Some(pus))),
            _ => Err("the number of PUs is 1 to 65536".to_owned()),
        },
        _ => Err("there are auto, hwloc, sysfs, sysfs:DIR, flat and flat:N".to_owned()),
    }
}

/// The policies that have a name.
pub(crate) const POLICIES: [&str; 5] =
    ["unbound", "compact", "spread", "numa-balanced", "per-node"];

fn parse_policy(text: &str) -> Result<String, String> {
    let is_list = || text.split(',').all(|pu| pu.trim().parse::<u32>().is_ok());
    if POLICIES.contains(&text) || is_list() {
        return Ok(text.to_owned());
    }
    Err(format!("there are {}, or a list of PUs such as 0,2,3", POLICIES.join(", ")))
}
