//! `cargo xtask sanitize`: the tests under tools that watch memory: AddressSanitizer with its leak
//! detector, and valgrind's memcheck.
//!
//! It knows how the tests are built and run for each tool; what a tool finds is on the terminal.

use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, ExitCode, ExitStatus};
use std::time::{Duration, Instant};

use clap::ValueEnum;
use clap::builder::PossibleValuesParser;

use crate::binaries::{self, Binary};
use crate::install::{self, Wanted};
use crate::process::{self, RunError};
use crate::summary::{Outcome, Report, Row};
use crate::workspace::{self, Workspace};

/// How long one test program may take.
const LIMIT: Duration = Duration::from_secs(1200);

/// The packages whose tests are run, and whether also under valgrind, where the threads of a test
/// take turns and everything takes thirty times as long.
const PACKAGES: &[(&str, bool)] = &[
    ("lightproc", true),
    ("bastion-mailbox", true),
    ("bastion-executor", true),
    ("bastion-supervision", false),
    ("bastion-classic", false),
    ("bastion", false),
];

/// The packages whose features stay off: lightproc's magazines keep freed memory from the tools.
const PLAIN: &[&str] = &["lightproc"];

/// Tests that are not run under a tool, as test program and what is in the names of tests, each with its reason.
const LEFT_OUT: &[(Tool, &str, &str, &str)] = &[
    (
        Tool::Asan,
        "bastion/macros",
        "wrong_uses_are_refused",
        "it runs the compiler, in which there is nothing of ours to watch",
    ),
    (
        Tool::Valgrind,
        "executor/topology_machine",
        "discovery_is_quick",
        "it measures how long the machine takes, not valgrind",
    ),
    (
        Tool::Valgrind,
        "executor/placement_properties",
        "described_machines",
        "safe code over 60 machines takes a quarter of an hour; the random ones stay",
    ),
];

/// Leaks that are meant, each with what the tools find in its stack, and its reason.
const MEANT: &[(&str, &str, &str)] = &[
    (
        "lightproc::panic::Panic as core::ops::drop::Drop",
        "*lightproc*panic*Panic*",
        "a panic in the destructor of a panic's payload: dropping it could go on for ever",
    ),
    (
        "bastion_supervision::plan::exit::Failure as core::ops::drop::Drop",
        "*bastion_supervision*exit*Failure*",
        "the same for the destructor of an error",
    ),
    (
        "scope::a_forgotten_handle_keeps_nobody",
        "*scope*a_forgotten_handle_keeps_nobody*",
        "a test that forgets the handles of scoped processes",
    ),
];

/// The exit code by which a tool says that it has found something; a failed test has 101.
const FOUND: i32 = 97;

/// valgrind, in every package manager under its own name.
pub(crate) const VALGRIND: Wanted = Wanted {
    name: "valgrind",
    present: || process::succeeds("valgrind", &["--version"]),
    packages: &[
        // Without the C library's symbols valgrind does not start.
        ("apt-get", &["valgrind", "libc6-dbg"]),
        ("dnf", &["valgrind"]),
        ("pacman", &["valgrind"]),
        ("apk", &["valgrind", "musl-dbg"]),
        ("zypper", &["valgrind"]),
    ],
    otherwise: "its part cannot be run",
    unless: Some("--no-install"),
};

/// A tool that watches memory.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
enum Tool {
    /// The compiler's AddressSanitizer, with its leak detector
    Asan,
    /// valgrind's memcheck
    Valgrind,
}

/// Run the tests under AddressSanitizer and under valgrind
///
/// AddressSanitizer sees each access outside of what is allocated, each use after a free and, at
/// the end, each allocation that nothing refers to any more. valgrind's memcheck sees the same
/// without the compiler's help, and what was read before it was written. Each test program is run
/// by itself, and a table says how it went.
///
/// A missing valgrind is installed first where that takes no question, as `cargo xtask demo` does
/// with libhwloc. Where a part cannot be run, the exit code is 1. Linux on x86_64 and aarch64 only.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  cargo xtask sanitize
  cargo xtask sanitize --only asan --package lightproc
  cargo xtask sanitize --only valgrind --no-install
  BASTION_HWLOC=off cargo xtask sanitize --package bastion-executor    without libhwloc

Exit codes: 0 nothing found, 1 something was or a part could not be run, 2 the arguments are wrong.")]
pub(crate) struct SanitizeArgs {
    /// Run only this part [default: both]
    #[arg(long, value_name = "TOOL")]
    only: Option<Tool>,

    /// Run only the tests of this package [default: all; under valgrind lightproc and the executor]
    #[arg(long, short, value_name = "NAME")]
    #[arg(value_parser = PossibleValuesParser::new(PACKAGES.iter().map(|(package, _)| *package)))]
    package: Vec<String>,

    /// Do not install valgrind
    #[arg(long)]
    no_install: bool,
}

/// Runs the parts that are asked for and prints the summary.
pub(crate) fn run(args: &SanitizeArgs) -> ExitCode {
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    if os != "linux" || !["x86_64", "aarch64"].contains(&arch) {
        eprintln!(
            "error: the tools are used on Linux with x86_64 or aarch64, and this is {os} with {arch}"
        );
        return ExitCode::FAILURE;
    }
    let workspace = match Workspace::read() {
        Ok(workspace) => workspace,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    let mut rows = Vec::new();
    for tool in [Tool::Asan, Tool::Valgrind] {
        if args.only.is_none_or(|only| only == tool) {
            let begin = Instant::now();
            match part(tool, args, &workspace) {
                Ok(more) => rows.extend(more),
                Err(reason) => rows.push(Row {
                    name: tool.name().to_owned(),
                    outcome: Outcome::Failed(reason),
                    time: begin.elapsed(),
                }),
            }
        }
    }
    let report = Report(&rows);
    process::print(&format!("{report}"));
    if report.failed() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs the tests under one tool, each test program by itself; or says why that cannot be.
fn part(tool: Tool, args: &SanitizeArgs, workspace: &Workspace) -> Result<Vec<Row>, String> {
    if tool == Tool::Valgrind && !(VALGRIND.present)() {
        if args.no_install {
            return Err("`valgrind` is not installed".to_owned());
        }
        if !install::provide(&VALGRIND) {
            return Err("`valgrind` could not be installed".to_owned());
        }
    }
    let packages = tool.packages(&args.package);
    let (plain, full) = packages.iter().partition::<Vec<_>, _>(|name| PLAIN.contains(name));
    let mut found = Vec::new();
    for (packages, features) in [(plain, None), (full, Some("--all-features"))] {
        if packages.is_empty() {
            continue;
        }
        let command = match tool {
            Tool::Asan => {
                let host = host().ok_or("`rustc -vV` does not name the host")?;
                asan(workspace, &packages, features, &host)
            }
            Tool::Valgrind => tests(workspace, &packages, features),
        };
        found.extend(binaries::build(command).map_err(|error| error.to_string())?);
    }
    let folder = workspace.target.join("sanitize");
    write_list(tool, &folder).map_err(|error| error.to_string())?;
    // Those named loom… are empty in a build that is not for the model checker.
    let found = found.iter().filter(|binary| !binary.name.contains("/loom"));
    Ok(found.map(|binary| check(tool, binary, &folder)).collect())
}

/// Runs one test program under a tool.
fn check(tool: Tool, binary: &Binary, folder: &Path) -> Row {
    let name = format!("{} {}", tool.name(), binary.name);
    eprintln!("--- {name}");
    let mut command = match tool {
        Tool::Asan => binary.command(),
        Tool::Valgrind => binary.under(&memcheck(&folder.join(tool.list_name()))),
    };
    for (_, _, test, reason) in LEFT_OUT.iter().filter(|row| row.0 == tool && row.1 == binary.name)
    {
        eprintln!("left out: {test} ({reason})");
        command.args(["--skip", test]);
    }
    // Properties are checked with fewer random cases where each takes longer.
    match tool {
        Tool::Asan => {
            let list = folder.join(tool.list_name());
            command
                .env("ASAN_OPTIONS", format!("detect_leaks=1:exitcode={FOUND}"))
                .env(
                    "LSAN_OPTIONS",
                    format!(
                        "exitcode={FOUND}:suppressions='{}':print_suppressions=0",
                        list.display()
                    ),
                )
                .env("PROPTEST_CASES", "512");
        }
        Tool::Valgrind => {
            command.env("PROPTEST_CASES", "32");
        }
    }
    let begin = Instant::now();
    let outcome = verdict(process::stream(&mut command, Some(LIMIT)));
    eprintln!("--- {name}: {outcome} ({:.1} s)\n", begin.elapsed().as_secs_f64());
    Row { name, outcome, time: begin.elapsed() }
}

fn verdict(ended: Result<ExitStatus, RunError>) -> Outcome {
    match ended {
        Ok(status) if status.success() => Outcome::Passed,
        Ok(status) => Outcome::Failed(match status.code() {
            Some(FOUND) => "memory errors or leaks".to_owned(),
            Some(101) => "tests failed".to_owned(),
            _ => status.to_string(),
        }),
        Err(error) => Outcome::Failed(error.to_string()),
    }
}

/// Writes out how valgrind is called: what nothing refers to any more is an error too.
fn memcheck(list: &Path) -> Vec<String> {
    let code = format!("--error-exitcode={FOUND}");
    let leaks = "--errors-for-leak-kinds=definite";
    let list = format!("--suppressions={}", list.display());
    // Some tests start more threads than the 500 that valgrind expects; deep stacks tell what is meant.
    let line = ["valgrind", "-q", &code, "--leak-check=full", "--show-leak-kinds=definite", leaks];
    let more = ["--max-threads=5000", "--num-callers=40", &list];
    line.into_iter().chain(more).map(str::to_owned).collect()
}

/// Writes the leaks that are meant into a file, in the form that the tool reads.
fn write_list(tool: Tool, folder: &Path) -> io::Result<()> {
    let entry = |(by_name, by_symbol, reason): &(&str, &str, &str)| match tool {
        Tool::Asan => format!("# {reason}\nleak:{by_name}\n"),
        Tool::Valgrind => format!(
            "# {reason}\n{{\n   meant\n   Memcheck:Leak\n   match-leak-kinds: definite\n   ...\n   \
             fun:{by_symbol}\n   ...\n}}\n"
        ),
    };
    fs::create_dir_all(folder)?;
    fs::write(folder.join(tool.list_name()), MEANT.iter().map(entry).collect::<String>())
}

/// Returns the command that builds the tests of some packages as they are.
fn tests(workspace: &Workspace, packages: &[&str], features: Option<&str>) -> Command {
    let mut args = vec!["test", "--lib", "--bins", "--tests"];
    args.extend(features);
    args.extend(packages.iter().flat_map(|package| ["-p", package]));
    workspace::cargo(workspace, &args)
}

/// Returns the command that builds the tests of some packages with AddressSanitizer.
///
/// The target is named so that build scripts and macros, which are for the host, stay plain; and
/// the compiler is told to take an option that is not stable yet, for this command only.
fn asan(workspace: &Workspace, packages: &[&str], features: Option<&str>, host: &str) -> Command {
    let mut command = tests(workspace, packages, features);
    workspace::add_flags(&mut command, "-Zsanitizer=address");
    command
        .args(["--target", host])
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_TARGET_DIR", workspace.target.join("sanitize"));
    command
}

/// Asks the compiler for the target that it runs on.
pub(crate) fn host() -> Option<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("-vV").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.lines().find_map(|line| line.strip_prefix("host: ")).map(str::to_owned)
}

impl Tool {
    fn name(self) -> &'static str {
        match self {
            Tool::Asan => "asan",
            Tool::Valgrind => "valgrind",
        }
    }

    /// The file with the leaks that are meant.
    fn list_name(self) -> &'static str {
        match self {
            Tool::Asan => "meant.lsan",
            Tool::Valgrind => "meant.supp",
        }
    }

    /// Returns the named packages, or those that the tool is meant for.
    fn packages(self, named: &[String]) -> Vec<&'static str> {
        let chosen = |(package, slowly): &(&'static str, bool)| match named {
            [] => self == Tool::Asan || *slowly,
            named => named.iter().any(|name| name == package),
        };
        PACKAGES.iter().filter(|row| chosen(row)).map(|(package, _)| *package).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valgrind_gets_fewer_packages_unless_they_are_named() {
        assert_eq!(Tool::Asan.packages(&[]).len(), PACKAGES.len());
        let packages = ["lightproc", "bastion-mailbox", "bastion-executor"];
        assert_eq!(Tool::Valgrind.packages(&[]), packages);
        assert_eq!(Tool::Valgrind.packages(&["bastion".to_owned()]), ["bastion"]);
    }

    #[test]
    fn only_the_sanitizers_build_takes_unstable_options() {
        let workspace = Workspace { root: "/r".into(), target: "/t".into(), packages: Vec::new() };
        let bootstrap = |command: &Command| {
            command.get_envs().any(|(name, value)| name == "RUSTC_BOOTSTRAP" && value.is_some())
        };
        assert!(bootstrap(&asan(&workspace, &["lightproc"], None, "a-b-c")));
        assert!(!bootstrap(&super::tests(&workspace, &["lightproc"], None)));
    }

    #[cfg(unix)]
    #[test]
    fn what_a_tool_has_found_is_in_the_verdict() {
        use std::os::unix::process::ExitStatusExt;
        for (code, expected) in [
            (0, Outcome::Passed),
            (FOUND, Outcome::Failed("memory errors or leaks".to_owned())),
            (101, Outcome::Failed("tests failed".to_owned())),
        ] {
            assert_eq!(verdict(Ok(ExitStatus::from_raw(code << 8))), expected);
        }
    }

    #[test]
    fn the_host_is_a_target() {
        assert!(host().is_some_and(|host| host.split('-').count() >= 3));
    }
}
