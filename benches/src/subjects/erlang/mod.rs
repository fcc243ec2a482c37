//! Erlang, where `erl` is on the path: one process of its own for each measurement, with as many schedulers as the others have
//! workers. It measures by its own clock, so its start is in no figure.
//!
//! `supervised::erlang` has the rows of its supervisor, `actors` those of plain processes.

pub(crate) mod actors;

use crate::bench::{Failure, Subject};
use crate::machine;
use crate::subjects::workers;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The subject.
pub(crate) const ERLANG: &str = "erlang";

/// A module of ours in Erlang: `main([Row, Count])` measures a row, prints its figures and ends the process.
#[derive(Clone, Copy)]
pub(crate) struct Module {
    name: &'static str,
    source: &'static str,
}

/// The rows of its supervisor.
pub(crate) const SUPERVISION: Module =
    Module { name: "bastion_bench", source: include_str!("bastion_bench.erl") };

/// The rows of plain processes.
const ACTORS: Module =
    Module { name: "bastion_actors", source: include_str!("bastion_actors.erl") };

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

/// Returns the folder with the compiled modules.
fn compiled() -> Result<&'static Path, Failure> {
    static COMPILED: OnceLock<Result<PathBuf, Failure>> = OnceLock::new();
    let folder = COMPILED.get_or_init(|| {
        let folder = machine::folder().join("erlang");
        fs::create_dir_all(&folder)?;
        for Module { name, source } in [SUPERVISION, ACTORS] {
            fs::write(folder.join(format!("{name}.erl")), source)?;
            let compile = format!("{{ok, _}} = compile:file({name}), halt().");
            said(Command::new("erl").args(["-noshell", "-eval", &compile]).current_dir(&folder))?;
        }
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

impl Module {
    /// Has Erlang measure a row; returns its figures.
    ///
    /// # Errors
    /// What Erlang says, or that it said something else than so many figures.
    pub(crate) fn figures<const N: usize>(
        self,
        row: &str,
        count: u32,
    ) -> Result<[u64; N], Failure> {
        let mut command = Command::new("erl");
        command.args(["-noshell", "+S", &format!("{0}:{0}", workers()), "+P", "1000000"]);
        command.args(["-eval", &format!("{}:main([\"{row}\", \"{count}\"]).", self.name)]);
        // A crash of its own would write a dump there.
        let printed = said(command.current_dir(compiled()?).env("ERL_CRASH_DUMP_SECONDS", "0"))?;
        let read: Result<Vec<u64>, _> = printed.split_whitespace().map(str::parse).collect();
        let wrong = || Failure::new(format!("erl said: {}", printed.trim()));
        read.ok().and_then(|figures| figures.try_into().ok()).ok_or_else(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::How;

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
        let one = |module: Module, row: &str| module.figures::<1>(row, 40).map(|[one]| one > 0);
        for row in ["spawn_all", "spawn_each", "restart_error", "restart_panic", "one_for_all"] {
            assert_eq!(one(SUPERVISION, row), Ok(true), "{row}");
        }
        assert_eq!(one(SUPERVISION, "bytes"), Ok(true));
        for row in ["storm_some", "storm_all"] {
            let figures = SUPERVISION.figures::<4>(row, 40).expect("percentiles");
            assert!(figures.is_sorted() && figures[0] > 0, "{row}: {figures:?}");
        }
        assert!(SUPERVISION.figures::<2>("ordered", 40).is_ok());
        for row in ["tell_from_one", "tell_from_eight", "ask", "ring", "spawn_ask_stop", "bytes"] {
            assert_eq!(one(ACTORS, row), Ok(true), "{row}");
        }
        assert!(ACTORS.figures::<1>("nothing", 40).is_err());
    }
}
