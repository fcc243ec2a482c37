//! Erlang's own supervisor, where `erl` is on the path: one process of its own for each measurement, with as many schedulers as the
//! others have workers. It measures by its own clock, so its start is in no figure.

use super::storm::{Pattern, Percentiles};
use super::{Starts, StartsAndStops, Storms, Way};
use crate::bench::{Amount, Failure, Measured, Subject};
use crate::machine;
use crate::subjects::workers;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The subject.
pub(crate) const ERLANG: &str = "erlang";

const MODULE: &str = "bastion_bench";
const SOURCE: &str = include_str!("bastion_bench.erl");

/// Beyond so many operations Erlang does a tenth: it would take as long as all the others together.
const MANY: u32 = 20_000;

/// Says why Erlang cannot be measured here, if it cannot.
pub(crate) fn refused(subject: &Subject) -> Option<&'static str> {
    static FOUND: OnceLock<bool> = OnceLock::new();
    let is_found = || {
        let mut command = Command::new("erl");
        command.args(["-noshell", "-eval", "halt()."]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    (subject.name == ERLANG && !*FOUND.get_or_init(is_found)).then_some("`erl` is not on the path")
}

/// Returns the folder with the compiled module.
fn compiled() -> Result<&'static Path, Failure> {
    static COMPILED: OnceLock<Result<PathBuf, Failure>> = OnceLock::new();
    let folder = COMPILED.get_or_init(|| {
        let folder = machine::folder().join("erlang");
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(format!("{MODULE}.erl")), SOURCE)?;
        let compile = format!("{{ok, _}} = compile:file({MODULE}), halt().");
        said(Command::new("erl").args(["-noshell", "-eval", &compile]).current_dir(&folder))?;
        Ok(folder)
    });
    folder.as_deref().map_err(Clone::clone)
}

/// Runs a program to its end, and returns what it printed.
fn said(command: &mut Command) -> Result<String, Failure> {
    let output = command.stdin(Stdio::null()).output()?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(printed);
    }
    let text = String::from_utf8_lossy(&output.stderr).into_owned() + &printed;
    let first = text.lines().next().unwrap_or("it said nothing");
    Err(Failure::new(format!("erl: {}: {first}", output.status)))
}

/// Has Erlang measure a row; returns its figures.
fn figures<const N: usize>(row: &str, count: u32) -> Result<[u64; N], Failure> {
    let mut command = Command::new("erl");
    command.args(["-noshell", "+S", &format!("{0}:{0}", workers()), "+P", "1000000"]);
    command.args(["-eval", &format!("{MODULE}:main([\"{row}\", \"{count}\"]).")]);
    // A crash of its own would write a dump there.
    let printed = said(command.current_dir(compiled()?).env("ERL_CRASH_DUMP_SECONDS", "0"))?;
    let read: Result<Vec<u64>, _> = printed.split_whitespace().map(str::parse).collect();
    let wrong = || Failure::new(format!("erl said: {}", printed.trim()));
    read.ok().and_then(|figures| figures.try_into().ok()).ok_or_else(wrong)
}

/// Returns how many operations Erlang does instead, and how often they go into what was asked for.
fn share(count: u32) -> (u32, u64) {
    if count > MANY { (count / 10, 10) } else { (count, 1) }
}

/// Measures what all operations come to together.
fn sum(row: &str, count: u32) -> Measured {
    let (count, times) = share(count);
    figures::<1>(row, count).map(|[figure]| Amount(figure * times))
}

pub(crate) struct Erlang;

impl Starts for Erlang {
    fn all(count: u32) -> Measured {
        sum("spawn_all", count)
    }

    fn each(count: u32) -> Measured {
        sum("spawn_each", count)
    }
}

impl Storms for Erlang {
    const NAME: &'static str = ERLANG;

    fn storm(crashes: u32, pattern: Pattern) -> Result<Percentiles, Failure> {
        figures(pattern.name(), share(crashes).0)
    }
}

impl StartsAndStops for Erlang {
    const NAME: &'static str = ERLANG;

    fn start_and_stop(count: u32, way: Way) -> Result<[u64; 2], Failure> {
        let (count, times) = share(count);
        let row = match way {
            Way::Ordered => "ordered",
            Way::Dynamic => "dynamic",
        };
        figures::<2>(row, count).map(|figures| figures.map(|figure| figure * times))
    }
}

/// A restart after an error.
pub(crate) fn restart_by_error(count: u32) -> Measured {
    sum("restart_error", count)
}

/// A restart after an exception.
pub(crate) fn restart_by_panic(count: u32) -> Measured {
    sum("restart_panic", count)
}

/// One crash, until all children run again.
pub(crate) fn one_for_all(children: u32) -> Measured {
    figures::<1>("one_for_all", children).map(|[figure]| Amount(figure))
}

/// `count_children`, one question after another.
pub(crate) fn counts(count: u32) -> Measured {
    sum("counts", count)
}

/// The memory of supervised processes that wait, as Erlang counts it.
pub(crate) fn bytes_of_worker(count: u32) -> Measured {
    sum("bytes", count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::How;

    #[test]
    fn many_operations_are_shared_out_and_counted_again() {
        assert_eq!(share(20_000), (20_000, 1));
        assert_eq!(share(100_000), (10_000, 10));
    }

    #[test]
    fn only_erlang_may_be_missing() {
        let other = Subject { name: "bastion", how: How::Not("") };
        assert_eq!(refused(&other), None);
    }

    #[test]
    fn every_row_says_its_figures_where_there_is_an_erlang() {
        if refused(&Subject { name: ERLANG, how: How::Not("") }).is_some() {
            return;
        }
        let one = |row: &str| figures::<1>(row, 40).map(|[figure]| figure > 0);
        for row in ["spawn_all", "spawn_each", "restart_error", "restart_panic", "one_for_all"] {
            assert_eq!(one(row), Ok(true), "{row}");
        }
        assert_eq!(one("bytes"), Ok(true));
        for row in ["storm_some", "storm_all"] {
            let figures = figures::<4>(row, 40).expect("percentiles");
            assert!(figures.is_sorted() && figures[0] > 0, "{row}: {figures:?}");
        }
        assert!(figures::<2>("ordered", 40).is_ok());
        assert!(figures::<1>("nothing", 40).is_err());
    }
}
