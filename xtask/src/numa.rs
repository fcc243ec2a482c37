//! `cargo xtask numa-test`: the real executor on a real Linux with several NUMA nodes, in an emulated machine.
//!
//! It brings the parts together: what machines there are (`machine`), what they boot (`kernel`, `guest`, `archive`), how they
//! run (`vm`), what the guest says (`facts`, which it shares with the guest), and what should be so (`judge`).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use clap::builder::PossibleValuesParser;

use crate::install::{self, Wanted};
use crate::process;
use crate::summary::{Outcome, Report, Row};
use crate::workspace::Workspace;

mod archive;
#[path = "../../executor/examples/numa_guest/facts.rs"]
mod facts;
mod guest;
mod judge;
mod kernel;
mod machine;
mod table;
mod vm;

use facts::Fact;
use machine::{MACHINES, Machine};
use vm::{Ended, How};

/// The emulator, under the name that each package manager has for it.
pub(crate) const QEMU: Wanted = Wanted {
    name: machine::QEMU,
    present: || process::succeeds(machine::QEMU, &["--version"]),
    packages: &[
        ("apt-get", &["qemu-system-x86"]),
        ("dnf", &["qemu-system-x86-core"]),
        ("pacman", &["qemu-system-x86"]),
        ("apk", &["qemu-system-x86_64"]),
        ("zypper", &["qemu-x86"]),
    ],
    otherwise: "no machine can be emulated",
    unless: None,
};

/// How many lines of a console are shown when a machine did not come to its end.
const LAST_LINES: usize = 20;

/// Set when the user wants no more.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Run the executor on emulated machines with several NUMA nodes
///
/// Boots Linux under qemu on machines of two nodes, of four in a row, with a node of memory only,
/// with hardware threads, and in a container that may use a part. Inside, the real executor runs
/// under each placement, and a program looks where everything is: the affinity mask and the CPU of
/// each worker, the nodes of its stack and of the memory that it touches first, and where processes
/// run that are spawned there. That is compared with what qemu was told of the machine. Each takes
/// from ten seconds to a minute, and no hardware support: the processors are emulated too.
///
/// Needs qemu and the image of a Linux kernel. Where one is missing, the test is skipped, unless
/// `--install` fetches it: qemu through the package manager; the kernel, on Debian, into the target
/// folder only. On x86_64 Linux only.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  cargo xtask numa-test --install
  cargo xtask numa-test --machine two --machine smt --keep /tmp/numa

Exit codes: 0 all is as it should be, or skipped; 1 something is not, or a machine did not come to its
end; 2 the arguments are wrong; 130 interrupted.")]
pub(crate) struct NumaArgs {
    /// Fetch what is missing
    #[arg(long)]
    install: bool,

    /// Boot only this machine; may be repeated [default: all]
    #[arg(long, value_name = "NAME")]
    #[arg(value_parser = PossibleValuesParser::new(MACHINES.iter().map(|machine| machine.name)))]
    machine: Vec<String>,

    /// Boot this kernel [default: a fetched one, else the one of this system]
    #[arg(long, value_name = "FILE")]
    kernel: Option<PathBuf>,

    /// Keep the consoles, the commands and the guest's file system in this folder
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,

    /// How long one machine may take, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u32).range(1..))]
    timeout: u32,
}

/// Boots the machines one after the other and prints what was found.
pub(crate) fn run(args: &NumaArgs) -> ExitCode {
    if let Some(missing) = args.kernel.as_ref().filter(|kernel| !kernel.is_file()) {
        eprintln!("error: no such file: {}", missing.display());
        return ExitCode::from(2);
    }
    match test(args) {
        Ok(Some(failed)) if failed => ExitCode::FAILURE,
        Ok(_) if INTERRUPTED.load(Relaxed) => ExitCode::from(130),
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Returns whether something is not as it should be; `None` if nothing could be tested.
fn test(args: &NumaArgs) -> Result<Option<bool>, Box<dyn std::error::Error>> {
    let workspace = Workspace::read()?;
    let kernel = match equip(args, &workspace.target.join("numa").join("kernel")) {
        Ok(kernel) => kernel,
        Err(reason) => {
            println!("skipped: {reason}");
            return Ok(None);
        }
    };
    ctrlc::set_handler(|| INTERRUPTED.store(true, Relaxed))?;
    eprintln!("building the program for the machines (release; the first time takes a while) ...");
    let program = guest::build(&workspace)?;
    let folder = args.keep.clone().unwrap_or_else(|| workspace.target.join("numa").join("last"));
    fs::create_dir_all(&folder).map_err(|error| named(&folder, &error))?;
    let archive = folder.join("initramfs.cpio");
    fs::write(&archive, archive::with_program(&program))
        .map_err(|error| named(&archive, &error))?;
    let limit = Duration::from_secs(args.timeout.into());
    let is_asked = |machine: &&Machine| {
        args.machine.is_empty() || args.machine.iter().any(|name| name == machine.name)
    };
    let mut rows = Vec::new();
    for machine in MACHINES.iter().filter(is_asked) {
        let begin = Instant::now();
        eprintln!("--- {}: {}", machine.name, machine.about);
        let command = machine.boot(&kernel, &archive);
        let outcome = one(machine, command, limit, &folder)?;
        rows.push(Row { name: machine.name.to_owned(), outcome, time: begin.elapsed() });
        if INTERRUPTED.load(Relaxed) {
            break;
        }
    }
    let report = Report(&rows);
    process::print(&report.to_string());
    Ok(Some(report.failed() > 0))
}

fn named(path: &Path, error: &io::Error) -> String {
    format!("{}: {error}", path.display())
}

/// Makes sure that there is an emulator, and returns a kernel; or says in one line what is missing, and how to get it.
fn equip(args: &NumaArgs, folder: &Path) -> Result<PathBuf, String> {
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    if os != "linux" || arch != "x86_64" {
        return Err(format!("the machines are built on x86_64 Linux, and this is {arch} {os}"));
    }
    let has_qemu = (QEMU.present)() || args.install && install::provide(&QEMU);
    if !has_qemu {
        let name = QEMU.name;
        return Err(format!("`{name}` is not installed (--install does that where it can)"));
    }
    if let Some(kernel) = args.kernel.clone().or_else(|| kernel::find(folder)) {
        return Ok(kernel);
    }
    if !args.install {
        return Err("there is no kernel that can be read (--install fetches Debian's; \
                    --kernel names another)"
            .to_owned());
    }
    kernel::fetch(folder).map_err(|error| {
        format!("there is no kernel that can be read, and none was fetched: {error}; name one by --kernel")
    })
}

/// Runs one machine, prints what was found, and keeps its console.
fn one(machine: &Machine, command: Command, limit: Duration, folder: &Path) -> io::Result<Outcome> {
    let keep = |kind: &str, text: &str| {
        let path = folder.join(format!("{}.{kind}", machine.name));
        fs::write(&path, text).map_err(|error| io::Error::other(named(&path, &error)))
    };
    keep("command", &written_out(&command))?;
    let ended = vm::run(command, limit, &INTERRUPTED)?;
    keep("console", &(ended.console.join("\n") + "\n"))?;
    match understand(&ended) {
        Ok(facts) => {
            let checks = judge::judge(machine, &facts);
            let text = table::workers(machine, &facts) + "\n" + &table::checks(&checks) + "\n";
            process::print(&text);
            let failed = checks.iter().filter(|check| check.problem.is_some()).count();
            let all = checks.len();
            Ok(match failed {
                0 => Outcome::Passed,
                failed => Outcome::Failed(format!("{failed} of {all} checks")),
            })
        }
        Err(_) if ended.how == How::Interrupted => Ok(Outcome::Skipped("interrupted".to_owned())),
        Err(reason) => {
            let last = ended.console.len().saturating_sub(LAST_LINES);
            eprintln!("{reason}; the end of its console:");
            ended.console[last..].iter().for_each(|line| eprintln!("    {line}"));
            Ok(Outcome::Failed(reason))
        }
    }
}

/// Returns all that the guest has said, or why that is not all there was to say.
fn understand(ended: &Ended) -> Result<Vec<Fact>, String> {
    let facts: Result<Vec<Fact>, _> =
        ended.console.iter().filter_map(|line| facts::read(line)).collect();
    let mut facts = facts.map_err(|error| error.to_string())?;
    match (facts.pop(), &ended.how) {
        (Some(Fact::End(told)), _) if told == facts.len() => Ok(facts),
        (Some(Fact::End(told)), _) => Err(format!("of {told} facts {} came through", facts.len())),
        (_, How::Exited(status)) => Err(format!("the machine ended before its test ({status})")),
        (_, How::TimedOut) => Err("the machine was ended after its time".to_owned()),
        (_, How::Interrupted) => Err("interrupted".to_owned()),
    }
}

/// Writes out a command as it could be typed.
fn written_out(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let quoted = words.map(|word| {
        let word = word.to_string_lossy();
        if word.contains(' ') { format!("'{word}'") } else { word.into_owned() }
    });
    quoted.collect::<Vec<_>>().join(" ") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn console(lines: &[&str], how: How) -> Ended {
        Ended { console: lines.iter().map(|line| (*line).to_owned()).collect(), how }
    }

    #[test]
    fn only_a_complete_report_counts() {
        let core = "[    1.0] random: noise @numa core cpus=0,1";
        let complete = console(&["Linux", core, "@numa end facts=1", "bye"], How::TimedOut);
        assert_eq!(understand(&complete), Ok(vec![Fact::Core(vec![0, 1])]));
        for (lines, reason) in [
            (&[core, core, "@numa end facts=3"][..], "of 3 facts 2 came through"),
            (&[core], "the machine was ended after its time"),
            (&[], "the machine was ended after its time"),
            (&["@numa core cpus=x"], "not a fact: \"core cpus=x\""),
        ] {
            assert_eq!(understand(&console(lines, How::TimedOut)), Err(reason.to_owned()));
        }
    }

    #[test]
    fn a_command_is_written_as_it_could_be_typed() {
        let mut command = Command::new("a");
        command.args(["-b", "c d"]);
        assert_eq!(written_out(&command), "a -b 'c d'\n");
    }
}
