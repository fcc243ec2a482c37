//! `cargo xtask fuzz`: random scripts against lightproc, chosen by libFuzzer for the code that they
//! reach.
//!
//! It knows how the fuzz target is built and run without cargo-fuzz; what a script is, the package
//! in `lightproc/fuzz` knows.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::SystemTime;

use crate::process;
use crate::sanitize::host;
use crate::workspace::{self, Workspace};

/// The package, which is no member of the workspace, and its program.
const MANIFEST: &str = "lightproc/fuzz/Cargo.toml";
const PROGRAM: &str = "scripts";

/// What has the compiler count which code is reached, and every comparison that is made there.
const COVERAGE: &str = "--cfg fuzzing -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares \
    -Ccodegen-units=1 -Cdebug-assertions";

/// The most bytes of a script: what is beyond would not be carried out.
const MOST_BYTES: u32 = 512;

/// Let libFuzzer look for scripts that lightproc and its model do not agree on
///
/// A script is a list of operations on a few processes, carried out on one thread by real processes
/// and by a model in plain values, and compared after each (lightproc/tests/scripts). libFuzzer
/// keeps what reaches new code and goes on from there, so each run begins where the last one ended:
/// the collection is in the target folder. A script that fails is printed and saved. libFuzzer is
/// C++, so the first build needs a compiler for that.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  cargo xtask fuzz
  cargo xtask fuzz --seconds 600 --asan
  cargo xtask fuzz target/fuzz/failures/crash-0123   carries out that script once more, and prints it

Exit codes: 0 all agree, 1 they do not or nothing could be built, 2 the arguments are wrong.")]
pub(crate) struct FuzzArgs {
    /// Scripts to carry out and print, instead of looking for new ones
    #[arg(value_name = "SCRIPT-FILE")]
    scripts: Vec<PathBuf>,

    /// How long to look
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,

    /// Build with AddressSanitizer, which sees each wrong access and is slower
    #[arg(long)]
    asan: bool,
}

/// Builds the fuzz target, then carries out the given scripts or looks for new ones.
pub(crate) fn run(args: &FuzzArgs) -> ExitCode {
    if let Some(missing) = args.scripts.iter().find(|script| !script.is_file()) {
        eprintln!("error: no such file: {}", missing.display());
        return ExitCode::from(2);
    }
    match fuzz(args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Returns whether all scripts agreed.
fn fuzz(args: &FuzzArgs) -> Result<bool, Box<dyn std::error::Error>> {
    let workspace = Workspace::read()?;
    let host = host().ok_or("`rustc -vV` does not name the host")?;
    let mut build = build(&workspace, &host, args.asan);
    eprintln!("building the fuzz target (release; the first time takes a while) ...");
    if !process::stream(&mut build, None)?.success() {
        return Err("the fuzz target does not build".into());
    }
    let program = folder(&workspace, args.asan).join(host).join("release").join(PROGRAM);
    if args.scripts.is_empty() {
        return Ok(look(&program, &workspace, args.seconds)?);
    }
    let mut agreed = true;
    for script in &args.scripts {
        agreed &= process::stream(&mut carry_out(&program, script, "first"), None)?.success();
    }
    Ok(agreed)
}

/// Looks for scripts that fail; prints the one that was found.
fn look(program: &Path, workspace: &Workspace, seconds: u32) -> io::Result<bool> {
    let corpus = workspace.target.join("fuzz").join("corpus");
    let failures = workspace.target.join("fuzz").join("failures");
    fs::create_dir_all(&corpus)?;
    fs::create_dir_all(&failures)?;
    let begin = SystemTime::now();
    let mut command = Command::new(program);
    command
        .arg(&corpus)
        .args([format!("-max_total_time={seconds}"), format!("-max_len={MOST_BYTES}")])
        // A script takes microseconds: one that takes so long does not come to an end.
        .args(["-timeout=20", "-print_final_stats=1"])
        // libFuzzer puts the name of a file right behind it.
        .arg(format!("-artifact_prefix={}/", failures.display()));
    let status = process::stream(&mut command, None).map_err(io::Error::other)?;
    if status.success() {
        return Ok(true);
    }
    let Some(script) = newest(&failures, begin)? else {
        eprintln!("error: the fuzz target ended with {status} and has saved no script");
        return Ok(false);
    };
    eprintln!("\n=== the script that fails:");
    let _ = carry_out(program, &script, "only")
        .output()
        .map(|run| eprint!("{}", operations(&String::from_utf8_lossy(&run.stderr))));
    eprintln!("saved; to carry it out again: cargo xtask fuzz {}", script.display());
    Ok(false)
}

/// Returns the command that prints one script, and carries it out unless it shall only print.
fn carry_out(program: &Path, script: &Path, print: &str) -> Command {
    let mut command = Command::new(program);
    command.arg(script).env("PRINT_SCRIPT", print);
    command
}

/// Returns the lines with operations, without what libFuzzer says.
fn operations(text: &str) -> String {
    text.lines().filter(|line| line.starts_with("  ")).map(|line| format!("{line}\n")).collect()
}

/// Returns the newest file of a folder that is not older than a moment.
fn newest(folder: &Path, since: SystemTime) -> io::Result<Option<PathBuf>> {
    let mut found = None;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let time = entry.metadata()?.modified()?;
        if time >= since && found.as_ref().is_none_or(|(best, _)| time > *best) {
            found = Some((time, entry.path()));
        }
    }
    Ok(found.map(|(_, path)| path))
}

/// Returns the folder that the fuzz target is built into: one for each set of flags.
fn folder(workspace: &Workspace, asan: bool) -> PathBuf {
    workspace.target.join(if asan { "fuzz-asan" } else { "fuzz" })
}

/// Returns the command that builds the fuzz target.
///
/// The target is named so that build scripts, which are for the host, are not watched.
fn build(workspace: &Workspace, host: &str, asan: bool) -> Command {
    let args = ["build", "--release", "--manifest-path", MANIFEST, "--target", host];
    let mut command = workspace::cargo(workspace, &args);
    command.env("CARGO_TARGET_DIR", folder(workspace, asan));
    if asan {
        workspace::add_flags(&mut command, &format!("{COVERAGE} -Zsanitizer=address"));
        // For that one flag, which is not stable yet, and for this command only.
        command.env("RUSTC_BOOTSTRAP", "1");
    } else {
        workspace::add_flags(&mut command, COVERAGE);
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sanitizer_is_another_build() {
        let workspace = Workspace { root: "/r".into(), target: "/t".into(), packages: Vec::new() };
        let variable = |asan, name: &str| {
            let command = build(&workspace, "a-b-c", asan);
            let found = command.get_envs().find(|(own, _)| *own == name);
            found.and_then(|(_, value)| value).map(|value| value.to_string_lossy().into_owned())
        };
        assert_eq!(variable(false, "RUSTC_BOOTSTRAP"), None);
        assert_eq!(variable(true, "RUSTC_BOOTSTRAP").as_deref(), Some("1"));
        assert_eq!(variable(false, "CARGO_TARGET_DIR").as_deref(), Some("/t/fuzz"));
        assert_eq!(variable(true, "CARGO_TARGET_DIR").as_deref(), Some("/t/fuzz-asan"));
        assert!(variable(true, "RUSTFLAGS").is_some_and(|flags| flags.ends_with("=address")));
        assert!(variable(false, "RUSTFLAGS").is_some_and(|flags| flags.contains("sancov-module")));
    }

    #[test]
    fn only_operations_are_printed() {
        let text = "INFO: Seed: 1\n    0 Do(Run(Oldest))\n    1 Do(Wake(0))\nExecuted x in 0 ms\n";
        assert_eq!(operations(text), "    0 Do(Run(Oldest))\n    1 Do(Wake(0))\n");
    }

    #[test]
    fn the_fuzz_target_is_where_it_is_looked_for() {
        assert!(process::root().join(MANIFEST).is_file());
    }
}
