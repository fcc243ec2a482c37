//! Where and when figures were taken: they mean nothing without it.

use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Command;
use std::thread::available_parallelism;
use std::time::{SystemTime, UNIX_EPOCH};
use std::{env, fs};

const UNKNOWN: &str = "unknown";

/// The machine, the moment and the state of the repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Machine {
    pub(crate) cpu: String,
    pub(crate) processors: usize,
    pub(crate) system: String,
    pub(crate) rustc: String,
    pub(crate) commit: String,
    pub(crate) date: String,
    /// The variables that our executor reads, as far as they are set.
    pub(crate) settings: String,
}

impl Machine {
    /// Looks at the machine that this is. What cannot be known is called unknown.
    pub(crate) fn look() -> Machine {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Machine {
            cpu: fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| cpu(&text)).or_unknown(),
            processors: available_parallelism().map_or(1, usize::from),
            system: said("uname", &["-srm"]).or_unknown(),
            rustc: said("rustc", &["--version"]).or_unknown(),
            commit: said("git", &["describe", "--always", "--dirty", "--abbrev=10"]).or_unknown(),
            date: date(since.as_secs()),
            settings: settings(env::vars()),
        }
    }

    /// Returns name and value of each, for people.
    pub(crate) fn lines(&self) -> [(&'static str, String); 7] {
        [
            ("processor", self.cpu.clone()),
            ("processors that may be used", self.processors.to_string()),
            ("system", self.system.clone()),
            ("compiler", self.rustc.clone()),
            ("commit", self.commit.clone()),
            ("date", self.date.clone()),
            ("settings of ours", self.settings.clone()),
        ]
    }

    /// Returns the same for programs.
    pub(crate) fn json(&self) -> Value {
        let Machine { cpu, processors, system, rustc, commit, date, settings } = self;
        json!({
            "cpu": cpu, "processors": processors, "system": system, "rustc": rustc,
            "commit": commit, "date": date, "settings": settings,
        })
    }
}

/// Returns the folder for what is kept: `bench` in the folder that the program was built into.
pub(crate) fn folder() -> PathBuf {
    let own = env::current_exe().unwrap_or_default();
    // The program is target/release/benches.
    let target = own.ancestors().nth(2).filter(|path| path.is_dir());
    target.map_or_else(env::temp_dir, PathBuf::from).join("bench")
}

trait OrUnknown {
    fn or_unknown(self) -> String;
}

impl OrUnknown for Option<String> {
    fn or_unknown(self) -> String {
        self.unwrap_or_else(|| UNKNOWN.to_owned())
    }
}

/// Returns the first line that a program prints.
fn said(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().next()?.trim();
    (output.status.success() && !line.is_empty()).then(|| line.to_owned())
}

fn cpu(text: &str) -> Option<String> {
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn settings(variables: impl Iterator<Item = (String, String)>) -> String {
    let ours = variables.filter(|(name, _)| name.starts_with("BASTION_"));
    let mut set: Vec<String> = ours.map(|(name, value)| format!("{name}={value}")).collect();
    set.sort();
    if set.is_empty() { "the defaults".to_owned() } else { set.join(" ") }
}

/// Writes a time since 1970 as a date and a time of day, in UTC. The algorithm is Howard Hinnant's `civil_from_days`.
fn date(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    // The year begins in March, so that the day that is not always there is the last.
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year + u64::from(month <= 2);
    let (hour, minute) = (rest / 3_600, rest / 60 % 60);
    format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02} UTC")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(date(0), "1970-01-01 00:00 UTC");
        assert_eq!(date(951_782_399), "2000-02-28 23:59 UTC");
        assert_eq!(date(951_782_400), "2000-02-29 00:00 UTC");
        assert_eq!(date(1_798_761_600), "2027-01-01 00:00 UTC");
    }

    #[test]
    fn the_processor_and_the_settings_are_found() {
        let text = "processor\t: 0\nmodel name\t: A Chip: 2 GHz\n";
        assert_eq!(cpu(text), Some("A Chip: 2 GHz".to_owned()));
        assert_eq!(cpu("processor : 0\n"), None);
        let set = |list: &[(&str, &str)]| {
            settings(list.iter().map(|(name, value)| (name.to_string(), value.to_string())))
        };
        assert_eq!(
            set(&[("HOME", "/"), ("BASTION_B", "2"), ("BASTION_A", "1")]),
            "BASTION_A=1 BASTION_B=2"
        );
        assert_eq!(set(&[("HOME", "/")]), "the defaults");
    }
}
