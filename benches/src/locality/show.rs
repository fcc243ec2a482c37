//! What is told of the simulations: a table for each workload, a summary, or lines of JSON.

use super::compare::{Outcome, Row};
use super::rules::{BASTION, Rules};
use super::workloads::Kind;
use crate::stats;
use serde_json::json;
use std::fmt::Write;

/// A difference that counts: less is how orders differ by luck.
const NOISE: f64 = 0.02;
/// So many of the rows where ours is slower are named, those first where it is most.
const NAMED: usize = 8;

/// A figure of an outcome: what it is called, what it is, and how it is written.
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) text: fn(&Row, &Outcome) -> String,
}

/// The figures, as tables have them.
pub(super) const COLUMNS: [Column; 9] = [
    Column {
        name: "us",
        about: "the makespan: when the last poll ended",
        text: |_, one| format!("{:.0}", one.tally.makespan_ns as f64 / 1e3),
    },
    Column {
        name: "x ours",
        about: "the makespan as a multiple of ours: above 1 our order is faster",
        text: |row, one| row.times_ours(one).map_or_else(nothing, |times| format!("{times:.2}")),
    },
    Column {
        name: "p99 us",
        about: "how long 99 of 100 polls were due at most",
        text: |_, one| format!("{:.0}", one.tally.wait_p99_ns() / 1e3),
    },
    Column {
        name: "cpu",
        about: "how long polls took, as a multiple of what they computed: data and busy siblings are the rest",
        text: |_, one| one.tally.inflation().map_or_else(nothing, |times| format!("{times:.2}")),
    },
    Column {
        name: "far data",
        about: "the lines that came from another node",
        text: |_, one| percent(one.tally.far_line_share()),
    },
    Column {
        name: "near",
        about: "of what was taken from others and from injectors, that from the own node",
        text: |_, one| percent(one.tally.near_share()),
    },
    Column {
        name: "wakes",
        about: "threads that were woken",
        text: |_, one| one.tally.wake_ups.to_string(),
    },
    Column {
        name: "far wakes",
        about: "those of them that another node woke",
        text: |_, one| percent(one.tally.far_wake_share()),
    },
    Column {
        name: "idle",
        about: "the share of the workers' time without work though processes waited to be taken",
        text: |_, one| percent(one.tally.wasted_share()),
    },
];

fn nothing() -> String {
    "-".to_owned()
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(nothing, |share| format!("{:.1}%", 100.0 * share))
}

/// Says what the columns are.
pub(super) fn legend() -> String {
    let mut out = String::from(
        "Simulated, not measured: the costs are assumptions, the report lists them.\n",
    );
    for column in COLUMNS {
        let _ = writeln!(out, "  {:<10}{}", column.name, column.about);
    }
    out
}

/// Begins the table of a workload.
pub(super) fn head(kind: &Kind) -> String {
    let mut out = format!("\n{}: {}\n  {:<26}", kind.name.to_uppercase(), kind.about, "");
    for column in COLUMNS {
        let _ = write!(out, "{:>10}", column.name);
    }
    out + "\n"
}

/// Returns the orders on one machine.
pub(super) fn table(row: &Row) -> String {
    let mut out = format!("  {}\n", row.machine.name);
    for outcome in &row.outcomes {
        let _ = write!(out, "    {:<24}", outcome.rules.name);
        for column in COLUMNS {
            let _ = write!(out, "{:>10}", (column.text)(row, outcome));
        }
        out.push('\n');
    }
    out
}

/// Compares each order with ours, over all rows and over those with several domains, and names the rows where ours is slower.
pub(super) fn summary(rows: &[Row], orders: &[Rules]) -> String {
    let mut out = String::from("\nTIMES OURS: above 1 our order is faster\n");
    for rules in orders.iter().filter(|rules| rules.name != BASTION.name) {
        let mut all: Vec<(f64, &Row)> = rows
            .iter()
            .filter_map(|row| {
                let one = row.outcomes.iter().find(|one| one.rules.name == rules.name)?;
                Some((row.times_ours(one)?, row))
            })
            .collect();
        all.sort_by(|one, other| one.0.total_cmp(&other.0));
        let has_several = |row: &Row| row.machine.plan.domains.len() > 1;
        let times = |only_several: bool| -> Vec<f64> {
            let chosen = all.iter().filter(|(_, row)| !only_several || has_several(row));
            chosen.map(|(times, _)| *times).collect()
        };
        let _ = writeln!(out, "  {}: {}", rules.name, rules.about);
        line(&mut out, "all rows", &times(false));
        if all.iter().any(|(_, row)| !has_several(row)) {
            line(&mut out, "several nodes", &times(true));
        }
        let slower: Vec<String> = all
            .iter()
            .take_while(|(times, _)| is_slower(*times))
            .map(|(times, row)| format!("{times:.2} {} on {}", row.kind.name, row.machine.name))
            .collect();
        for row in slower.iter().take(NAMED) {
            let _ = writeln!(out, "      slower: {row}");
        }
        if slower.len() > NAMED {
            let _ = writeln!(out, "      and in {} more", slower.len() - NAMED);
        }
    }
    out
}

/// Adds what some rows have in common.
fn line(out: &mut String, name: &str, times: &[f64]) {
    let (Some(mean), Some(spread)) = (stats::geometric_mean(times), stats::summary(times)) else {
        return;
    };
    let faster = times.iter().filter(|times| **times > 1.0 + NOISE).count();
    let slower = times.iter().filter(|times| is_slower(**times)).count();
    let _ = writeln!(
        out,
        "    {name:<14} mean {mean:.2}, {:.2} .. {:.2}; ours is faster in {faster} of {}, slower in {slower}",
        spread.min,
        spread.max,
        times.len()
    );
}

/// Says whether ours is slower by more than luck.
fn is_slower(times_ours: f64) -> bool {
    times_ours < 1.0 - NOISE
}

/// Returns the figures of a row, an object a line.
pub(super) fn json_lines(row: &Row, seed: u64) -> String {
    let mut out = String::new();
    for one in &row.outcomes {
        let tally = &one.tally;
        let object = json!({
            "workload": row.kind.name, "machine": row.machine.name, "text": row.machine.text,
            "order": one.rules.name, "seed": seed, "workers": tally.workers,
            "makespan_ns": tally.makespan_ns, "times_ours": row.times_ours(one),
            "polls": tally.polls, "work_ns": tally.work_ns, "data_ns": tally.data_ns,
            "polling_ns": tally.polling_ns, "wait_p99_ns": tally.wait_p99_ns().round(),
            "lines": tally.lines, "far_lines": tally.far_lines,
            "taken": tally.taken, "taken_near": tally.taken_near,
            "wake_ups": tally.wake_ups, "far_wake_ups": tally.far_wake_ups,
            "wasted_share": tally.wasted_share(),
        });
        let _ = writeln!(out, "{object}");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::compare::{Job, kinds, machines};
    use super::super::costs::Costs;
    use super::super::rules::{FOUR_THIEVES, RING};
    use super::*;

    fn row() -> Row {
        let machine = machines(&["node:2 core:2".to_owned()], "numa-balanced").unwrap().remove(0);
        let kind = kinds(&["imbalance".to_owned()]).unwrap()[0];
        let job = Job { machine: &machine, kind, footprint: None, seed: 1 };
        let outcome = |rules| Outcome { rules, tally: job.simulate(&rules, &Costs::default()) };
        let mut outcomes = [BASTION, FOUR_THIEVES, RING].map(outcome).to_vec();
        outcomes[0].tally.makespan_ns = 100_000;
        outcomes[1].tally.makespan_ns = 100_500;
        outcomes[2].tally.makespan_ns = 50_000;
        Row { kind, machine, outcomes }
    }

    #[test]
    fn a_table_has_a_line_for_each_order_and_all_columns() {
        let (row, text) = (row(), head(&row().kind) + &table(&row()));
        let ring = text.lines().find(|line| line.trim_start().starts_with("ring")).unwrap();
        assert_eq!(ring.split_whitespace().count(), 1 + COLUMNS.len(), "{ring}");
        assert!(ring.split_whitespace().take(3).eq(["ring", "50", "0.50"]), "{ring}");
        assert!(text.starts_with("\nIMBALANCE: ") && text.contains("node:2 core:2"));
        assert_eq!(table(&row).lines().count(), 4);
    }

    #[test]
    fn the_summary_counts_what_is_beyond_the_noise() {
        let text = summary(&[row(), row()], &[BASTION, FOUR_THIEVES, RING]);
        let (thieves, ring) = text.split_once("  ring: ").unwrap();
        let all = "all rows       mean 0.50, 0.50 .. 0.50; ours is faster in 0 of 2, slower in 2\n";
        assert!(ring.contains(all), "{text}");
        assert!(
            ring.ends_with(&"      slower: 0.50 imbalance on node:2 core:2\n".repeat(2)),
            "{text}"
        );
        assert!(thieves.contains("ours is faster in 0 of 2, slower in 0\n"), "{text}");
        assert!(!thieves.contains("slower: ") && !text.contains("  bastion: "), "{text}");
        assert!(!text.contains("several nodes"), "these are all");
    }

    #[test]
    fn the_summary_tells_machines_with_several_nodes_apart_and_names_the_worst() {
        let machine = machines(&["core:2".to_owned()], "numa-balanced").unwrap().remove(0);
        let one_node = Row { machine, ..row() };
        let mut worse = vec![row(); NAMED + 1];
        worse[NAMED].outcomes[2].tally.makespan_ns = 25_000;
        let text = summary(&[vec![one_node], worse].concat(), &[BASTION, RING]);
        let lines: Vec<&str> = text.lines().skip(3).collect();
        let ends = |line: usize, with: &str| assert!(lines[line].ends_with(with), "{text}");
        ends(0, "ours is faster in 0 of 10, slower in 10");
        ends(1, "ours is faster in 0 of 9, slower in 9");
        ends(2, "slower: 0.25 imbalance on node:2 core:2");
        ends(3, "slower: 0.50 imbalance on core:2");
        ends(2 + NAMED, "and in 2 more");
        assert_eq!(lines.len(), 3 + NAMED);
    }

    #[test]
    fn each_line_of_json_is_an_object() {
        let text = json_lines(&row(), 7);
        let objects: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(objects.len(), 3);
        assert_eq!((&objects[2]["times_ours"], &objects[2]["seed"]), (&json!(0.5), &json!(7)));
    }
}
