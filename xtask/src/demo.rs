//! `cargo xtask demo`: makes libhwloc available where that is easy, builds the chaos service in
//! release mode, and becomes it.
//!
//! It knows nothing about the service: the flags come from the example's own `args.rs`, and
//! everything about files, sockets and results is the example's business.

use std::process::ExitCode;

use crate::chaos_args::ChaosArgs;
use crate::install::{self, Wanted};
use crate::process;

/// libhwloc, from which the executor reads the topology. Without it the kernel is asked.
pub(crate) const HWLOC: Wanted = Wanted {
    name: "hwloc",
    // hwloc 3 changes structures, so it does not count.
    present: || process::succeeds("pkg-config", &["--exists", "hwloc >= 2.0 hwloc < 3.0"]),
    packages: &[
        ("apt-get", &["libhwloc-dev", "pkg-config"]),
        ("dnf", &["hwloc-devel", "pkgconf-pkg-config"]),
        ("pacman", &["hwloc", "pkgconf"]),
        ("apk", &["hwloc-dev", "pkgconf"]),
        ("zypper", &["hwloc-devel", "pkgconf"]),
    ],
    otherwise: "going on without it",
    unless: Some("--no-install"),
};

/// Crash a real network service many times a second, and watch it keep answering
///
/// Streams real text over real sockets to a supervised word-count service while its workers are
/// made to panic and its connections are killed. Every answer is checked against a plain count of
/// the same text. At the end: the supervision tree, the crashes and restarts with their latency,
/// and what was lost or wrong, which must be nothing.
///
/// A missing libhwloc is installed first where that takes no question: as root or with passwordless
/// sudo, on Linux, through a known package manager, after saying so. Nothing depends on it.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  cargo xtask demo
  cargo xtask demo --seconds 30 --crash-every 1ms --clients 16
  cargo xtask demo --json --no-install README.md src/

Ctrl-C stops the service in order and still prints the result.
Exit codes: 0 nothing lost or wrong, 1 something was, 2 the arguments or the input are unusable.")]
pub(crate) struct DemoArgs {
    #[command(flatten)]
    chaos: ChaosArgs,

    /// Do not look for libhwloc and do not install it
    #[arg(long)]
    no_install: bool,
}

/// Prepares the machine, builds the example and becomes it.
pub(crate) fn run(args: &DemoArgs) -> ExitCode {
    // The example says the same; said here, it needs no build.
    if let Some(missing) = args.chaos.missing() {
        eprintln!("error: no such file or folder: {}", missing.display());
        return ExitCode::from(2);
    }
    if !args.no_install {
        install::provide(&HWLOC);
    }
    // The example reads relative paths, so it runs in the folder where the user is.
    let mut command = process::cargo();
    command
        .args(["run", "--release", "--package", "examples", "--example", "chaos_service"])
        .arg("--manifest-path")
        .arg(process::root().join("Cargo.toml"))
        .arg("--")
        .args(args.chaos.to_args());
    eprintln!("building the chaos service (release; the first time takes a while) ...");
    process::hand_over(&mut command)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::time::Duration;

    use clap::Parser;

    use super::*;
    use crate::chaos_args::{IntervalError, parse_interval};

    #[derive(Parser, Debug)]
    struct Cli {
        #[command(flatten)]
        chaos: ChaosArgs,
    }

    fn parse<T: Into<OsString> + Clone>(args: impl IntoIterator<Item = T>) -> ChaosArgs {
        let args = args.into_iter().map(Into::into);
        Cli::try_parse_from(std::iter::once("x".into()).chain(args)).expect("valid").chaos
    }

    #[test]
    fn canonical_arguments_mean_the_same() {
        for line in [
            &[][..],
            &["--seconds", "3", "--json"],
            &["--crash-every=250us", "--kill-every", "2s", "README.md", "bastion/src"],
            &["--clients", "256", "--workers", "1024", "--seed", "18446744073709551615"],
            &["--port", "8080", "--crash-every", "7", "--", "--json", "-x"],
        ] {
            let args = parse(line);
            assert_eq!(parse(args.to_args()), args, "{line:?}");
        }
    }

    #[test]
    fn the_defaults_are_the_documented_ones() {
        let args = parse::<&str>([]);
        assert_eq!((args.seconds, args.clients, args.workers), (10, 4, 8));
        assert_eq!((args.seed, args.port, args.json), (1, 0, false));
        assert_eq!(args.crash_every, Duration::from_millis(5));
        assert_eq!(args.kill_every, Duration::from_millis(250));
        assert!(args.files.is_empty());
    }

    #[test]
    fn intervals_are_read_or_refused_with_the_reason() {
        use IntervalError::{NotANumber, TooLong, UnknownUnit, Zero};
        for (text, expected) in [
            ("5ms", Ok(Duration::from_millis(5))),
            ("5", Ok(Duration::from_millis(5))),
            ("1s", Ok(Duration::from_secs(1))),
            ("250us", Ok(Duration::from_micros(250))),
            ("86400s", Ok(Duration::from_secs(86_400))),
            ("86401s", Err(TooLong)),
            ("99999999999999999999ms", Err(TooLong)),
            ("18446744073709551615s", Err(TooLong)),
            ("0", Err(Zero)),
            ("0us", Err(Zero)),
            ("", Err(NotANumber)),
            ("ms", Err(NotANumber)),
            ("-5ms", Err(NotANumber)),
            ("1.5s", Err(NotANumber)),
            ("5 ms", Err(UnknownUnit)),
            ("5min", Err(UnknownUnit)),
        ] {
            assert_eq!(parse_interval(text), expected, "{text:?}");
        }
    }

    #[test]
    fn values_out_of_range_are_refused() {
        for line in [
            ["--seconds", "0"],
            ["--clients", "0"],
            ["--clients", "257"],
            ["--workers", "0"],
            ["--workers", "1025"],
            ["--port", "65536"],
            ["--kill-every", "never"],
        ] {
            let error = Cli::try_parse_from(std::iter::once("x").chain(line)).expect_err("refused");
            assert_eq!(error.exit_code(), 2, "{line:?}");
        }
    }
}
