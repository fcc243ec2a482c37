//! What a run came to, for people and for programs.

use crate::ledger::Ledger;
use indicatif::{HumanBytes, HumanCount};
use serde_json::{Value, json};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// The result of one run.
pub(crate) struct Summary {
    /// From the first question to the last answer.
    pub(crate) took: Duration,
    /// How many lines have no answer.
    pub(crate) lost: u64,
    pub(crate) forced_kills: u64,
    pub(crate) abandoned: u64,
    pub(crate) dead_letters: u64,
    pub(crate) workers: u64,
    pub(crate) clients: u64,
    pub(crate) seed: u64,
    pub(crate) files: u64,
    /// What the machine is like.
    pub(crate) topology: String,
    /// The supervision tree just before the stop.
    pub(crate) tree: String,
    pub(crate) counts: Counts,
}

/// What the ledger said at the end.
pub(crate) struct Counts {
    answered: u64,
    bytes: u64,
    retries: u64,
    reconnects: u64,
    wrong: u64,
    crashes: u64,
    restarts: u64,
    kills: u64,
    /// Half of the restarts, 99 in 100 of them, and all took at most so long.
    latencies: [Duration; 3],
}

impl Counts {
    pub(crate) fn of(ledger: &Ledger) -> Self {
        let count = |counter: &AtomicU64| counter.load(Relaxed);
        Self {
            answered: count(&ledger.answered),
            bytes: count(&ledger.bytes),
            retries: count(&ledger.retries),
            reconnects: count(&ledger.reconnects),
            wrong: count(&ledger.wrong),
            crashes: count(&ledger.crashes),
            restarts: count(&ledger.restarts),
            kills: count(&ledger.kills),
            latencies: [0.5, 0.99, 1.0].map(|share| ledger.latency(share)),
        }
    }
}

impl Summary {
    /// Says whether there were lines, every one was answered rightly, and every crashed worker came back.
    pub(crate) fn is_good(&self) -> bool {
        let Counts { answered, wrong, crashes, restarts, .. } = self.counts;
        answered > 0 && self.lost == 0 && wrong == 0 && restarts >= crashes
    }

    fn lines_per_second(&self) -> u64 {
        (self.counts.answered as f64 / self.took.as_secs_f64()) as u64
    }

    /// Returns the result as one JSON object.
    pub(crate) fn to_json(&self) -> Value {
        let counts = &self.counts;
        let [p50, p99, max] = counts.latencies.map(micros);
        json!({
            "seconds": (self.took.as_secs_f64() * 1000.0).round() / 1000.0,
            "lines": counts.answered,
            "lines_per_second": self.lines_per_second(),
            "bytes": counts.bytes,
            "retries": counts.retries,
            "reconnects": counts.reconnects,
            "crashes": counts.crashes,
            "connections_killed": counts.kills,
            "restarts": counts.restarts,
            "restart_us_p50": p50,
            "restart_us_p99": p99,
            "restart_us_max": max,
            "lost": self.lost,
            "wrong": counts.wrong,
            "forced_kills": self.forced_kills,
            "abandoned": self.abandoned,
            "dead_letters": self.dead_letters,
            "workers": self.workers,
            "clients": self.clients,
            "seed": self.seed,
            "topology": self.topology,
            "files": self.files,
            "tree": self.tree,
        })
    }
}

/// Draws the tree, the machine and a table.
impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = &self.counts;
        let [p50, p99, max] = counts.latencies.map(|latency| HumanCount(micros(latency)));
        let number = |number: u64| HumanCount(number).to_string();
        let rows = [
            (
                "lines answered",
                format!("{} in {:.1} s", HumanCount(counts.answered), self.took.as_secs_f64()),
            ),
            (
                "",
                format!(
                    "{} a second, {} of text",
                    HumanCount(self.lines_per_second()),
                    HumanBytes(counts.bytes)
                ),
            ),
            ("lines sent again", number(counts.retries)),
            ("connections killed", number(counts.kills)),
            ("connections made again", number(counts.reconnects)),
            ("crashes injected", number(counts.crashes)),
            ("restarts", number(counts.restarts)),
            ("restart latency", format!("p50 {p50} us, p99 {p99} us, max {max} us")),
            ("lines lost", number(self.lost)),
            ("wrong counts", number(counts.wrong)),
            ("killed at the stop", number(self.forced_kills)),
            ("abandoned at the stop", number(self.abandoned)),
            ("messages never handled", number(self.dead_letters)),
            ("seed", self.seed.to_string()),
        ];
        writeln!(f, "{}", self.tree)?;
        writeln!(f, "machine: {}", self.topology)?;
        writeln!(f, "{} clients, {} workers, {} files\n", self.clients, self.workers, self.files)?;
        rows.iter().try_for_each(|(name, value)| writeln!(f, "{name:<24}{value}"))
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
