//! Makes a tool or library of the system available where that takes no question.
//!
//! [`plan`] decides from plain facts; [`provide`] gathers the facts and acts. It knows the package
//! managers; what is wanted, and what becomes of a run without it, is its caller's business.

use std::fmt;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::process::{self, Elevation};

/// How long the whole installation may take.
const LIMIT: Duration = Duration::from_secs(120);

/// Something that a command would like to have installed.
#[derive(Debug)]
pub(crate) struct Wanted {
    /// What it is called in messages.
    pub(crate) name: &'static str,
    /// Tells whether it is there, in a form that can be used.
    pub(crate) present: fn() -> bool,
    /// Its packages by package manager: each of those of [`MANAGERS`] must be in the list.
    pub(crate) packages: &'static [(&'static str, &'static [&'static str])],
    /// What a run does without it, for the message.
    pub(crate) otherwise: &'static str,
    /// The argument that keeps it from being installed, where nobody has asked for that.
    pub(crate) unless: Option<&'static str>,
}

impl Wanted {
    fn packages_of(&self, manager: &Manager) -> &'static [&'static str] {
        let found = self.packages.iter().find(|(program, _)| *program == manager.program);
        found.map_or(&[], |(_, packages)| packages)
    }
}

/// A package manager that is known to need no answers from the user.
#[derive(Debug, PartialEq, Eq)]
struct Manager {
    /// Its program.
    program: &'static str,
    /// What brings its package lists up to date, where the installation does not do so itself.
    refresh: Option<&'static [&'static str]>,
    /// What installs the packages without a question.
    install: &'static [&'static str],
}

/// The known package managers, the preferred one first.
///
/// They are those of Linux: what is wanted so far is used only there.
const MANAGERS: &[Manager] = &[
    Manager {
        program: "apt-get",
        refresh: Some(&["update"]),
        // The recommended packages would bring OpenCL and X libraries.
        install: &["install", "-y", "--no-install-recommends"],
    },
    Manager { program: "dnf", refresh: None, install: &["install", "-y"] },
    Manager { program: "pacman", refresh: None, install: &["-S", "--needed", "--noconfirm"] },
    Manager { program: "apk", refresh: None, install: &["add", "--no-cache"] },
    Manager {
        program: "zypper",
        refresh: None,
        install: &["--non-interactive", "install", "--no-recommends"],
    },
];

/// What the decision is taken from.
#[derive(Debug, Clone, Copy)]
struct Machine<'a> {
    /// The operating system, as in `std::env::consts::OS`.
    os: &'a str,
    /// Whether what is wanted is there.
    present: bool,
    /// Whether this program runs as root.
    root: bool,
    /// Whether `sudo` works without a password.
    sudo: bool,
    /// Tells whether a program is installed.
    installed: fn(&str) -> bool,
}

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
enum Plan {
    /// Nothing: it is there, or would not be used.
    Nothing,
    /// Nothing can be done, for this reason.
    CannotInstall(&'static str),
    /// Install it.
    Install {
        /// With what.
        manager: &'static Manager,
        /// Whether the commands have to go through `sudo`.
        sudo: bool,
    },
}

/// Decides what to do on a machine.
fn plan(machine: &Machine<'_>) -> Plan {
    if machine.present || machine.os != "linux" {
        return Plan::Nothing;
    }
    if !machine.root && !machine.sudo {
        return Plan::CannotInstall("neither root nor passwordless sudo");
    }
    match MANAGERS.iter().find(|manager| (machine.installed)(manager.program)) {
        Some(manager) => Plan::Install { manager, sudo: !machine.root },
        None => Plan::CannotInstall("no known package manager"),
    }
}

/// Writes out the commands of an installation, each as a program with its arguments.
fn commands(wanted: &Wanted, manager: &Manager, sudo: bool) -> Vec<Vec<&'static str>> {
    // `sudo` clears the environment, so what apt must know goes through `env`.
    let prefix: &[&str] = if sudo { &["sudo", "-n"] } else { &[] };
    let prefix = [prefix, &["env", "DEBIAN_FRONTEND=noninteractive", manager.program]].concat();
    let install = [&prefix[..], manager.install, wanted.packages_of(manager)].concat();
    match manager.refresh {
        Some(refresh) => vec![[&prefix[..], refresh].concat(), install],
        None => vec![install],
    }
}

/// Says why an installation ended without what is wanted.
#[derive(Debug)]
enum InstallError {
    /// A command did not run to its end.
    NotRun(process::RunError),
    /// A command failed; its last line of output.
    Failed(String),
    /// Everything went well, and yet it is not found.
    StillMissing,
}

impl fmt::Display for InstallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRun(error) => error.fmt(f),
            Self::Failed(line) if line.is_empty() => f.write_str("the package manager failed"),
            Self::Failed(line) => f.write_str(line),
            Self::StillMissing => f.write_str("installed, but not found"),
        }
    }
}

/// Makes something available if it can; says in one line what it does or why it fails.
///
/// Returns whether it is there in the end; true also where nothing is ever installed.
pub(crate) fn provide(wanted: &Wanted) -> bool {
    let Wanted { name, otherwise, .. } = wanted;
    let machine = gather(wanted);
    match plan(&machine) {
        Plan::Nothing => true,
        Plan::CannotInstall(reason) => {
            eprintln!("{name}: not found, {otherwise} ({reason})");
            false
        }
        Plan::Install { manager, sudo } => {
            let unless = wanted.unless.map(|argument| format!(" ({argument} skips this)"));
            eprintln!(
                "{name}: not found, installing {} with {}{}{} ...",
                wanted.packages_of(manager).join(" and "),
                manager.program,
                if sudo { " through sudo" } else { "" },
                unless.unwrap_or_default(),
            );
            match install(wanted, manager, sudo, LIMIT) {
                Ok(()) => eprintln!("{name}: installed"),
                Err(error) => {
                    eprintln!("{name}: {otherwise} ({error})");
                    return false;
                }
            }
            true
        }
    }
}

fn gather(wanted: &Wanted) -> Machine<'static> {
    let os = std::env::consts::OS;
    let present = os == "linux" && (wanted.present)();
    // Nobody asks for rights that would not be used.
    let missing = os == "linux" && !present;
    let root = missing && is_root();
    Machine {
        os,
        present,
        root,
        sudo: missing && !root && process::succeeds("sudo", &["-n", "true"]),
        installed: |program| {
            std::env::var_os("PATH").is_some_and(|path| {
                std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
            })
        },
    }
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output();
    output.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// Runs the commands of an installation one after the other, all of them within `limit`.
fn install(
    wanted: &Wanted,
    manager: &Manager,
    sudo: bool,
    limit: Duration,
) -> Result<(), InstallError> {
    let elevation = if sudo { Elevation::Sudo } else { Elevation::Own };
    let deadline = Instant::now() + limit;
    for line in commands(wanted, manager, sudo) {
        let mut command = Command::new(line[0]);
        command.args(&line[1..]);
        let left = deadline.saturating_duration_since(Instant::now());
        let run = process::capture(command, left, elevation).map_err(|error| match error {
            // The limit that was passed in is what was left of the whole.
            process::RunError::TimedOut(_) => process::RunError::TimedOut(limit),
            error => error,
        });
        let run = run.map_err(InstallError::NotRun)?;
        // An outdated list may still do: only the installation itself must succeed.
        let refreshing = manager.refresh.is_some_and(|refresh| line.ends_with(refresh));
        if !run.status.success() && !refreshing {
            return Err(InstallError::Failed(last_line(&run.output)));
        }
    }
    if (wanted.present)() { Ok(()) } else { Err(InstallError::StillMissing) }
}

fn last_line(output: &str) -> String {
    output.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: Machine<'static> =
        Machine { os: "linux", present: false, root: true, sudo: false, installed: |_| false };

    const LIBRARY: Wanted = Wanted {
        name: "library",
        present: || false,
        packages: &[
            ("apt-get", &["library-dev", "tool"]),
            ("dnf", &["library-devel"]),
            ("pacman", &["library"]),
            ("apk", &["library-dev"]),
            ("zypper", &["library-devel"]),
        ],
        otherwise: "going on without it",
        unless: None,
    };

    /// Checks one row: a plan is written as `nothing`, the reason, or the commands.
    fn check(machine: Machine<'_>, expected: &str) {
        let text = match plan(&machine) {
            Plan::Nothing => "nothing".to_owned(),
            Plan::CannotInstall(reason) => reason.to_owned(),
            Plan::Install { manager, sudo } => commands(&LIBRARY, manager, sudo)
                .iter()
                .map(|line| line.join(" "))
                .collect::<Vec<_>>()
                .join("; "),
        };
        let text = text.replace("env DEBIAN_FRONTEND=noninteractive ", "");
        assert_eq!(text, expected, "{machine:?}");
    }

    #[test]
    fn each_machine_gets_its_command() {
        check(Machine { present: true, ..EMPTY }, "nothing");
        check(Machine { os: "macos", installed: |_| true, ..EMPTY }, "nothing");
        check(
            Machine { root: false, installed: |_| true, ..EMPTY },
            "neither root nor passwordless sudo",
        );
        check(EMPTY, "no known package manager");
        let apt_get = "apt-get update; \
                       apt-get install -y --no-install-recommends library-dev tool";
        check(Machine { installed: |_| true, ..EMPTY }, apt_get);
        check(
            Machine { root: false, sudo: true, installed: |program| program == "apt-get", ..EMPTY },
            &apt_get.replace("apt-get ", "sudo -n apt-get "),
        );
        check(
            Machine { installed: |program| program == "dnf", ..EMPTY },
            "dnf install -y library-devel",
        );
        check(
            Machine { installed: |program| program == "pacman", ..EMPTY },
            "pacman -S --needed --noconfirm library",
        );
        check(
            Machine { installed: |program| program == "apk", ..EMPTY },
            "apk add --no-cache library-dev",
        );
        check(
            Machine { root: false, sudo: true, installed: |program| program == "zypper", ..EMPTY },
            "sudo -n zypper --non-interactive install --no-recommends library-devel",
        );
    }

    #[test]
    fn what_is_wanted_has_packages_for_each_manager() {
        for wanted in
            [&LIBRARY, &crate::demo::HWLOC, &crate::numa::QEMU, &crate::sanitize::VALGRIND]
        {
            for manager in MANAGERS {
                let name = wanted.name;
                assert!(!wanted.packages_of(manager).is_empty(), "{name}: {}", manager.program);
            }
        }
    }

    #[test]
    fn the_last_line_that_says_something_is_the_reason() {
        assert_eq!(last_line("a\nE: no such package \n\n"), "E: no such package");
        assert_eq!(last_line(""), "");
        assert_eq!(InstallError::Failed(String::new()).to_string(), "the package manager failed");
    }
}
