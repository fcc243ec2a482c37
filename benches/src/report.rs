//! How results are shown: a table for people, a line of JSON for programs, the list of what there is.

use crate::bench::{FLOOR, Group, How, OURS, Workload};
use crate::rounds::{Figures, Outcome};
use crate::select::{Chosen, Row};
use crate::stats::Summary;
use serde_json::json;
use std::fmt::Write;

/// Returns the head of a group's table.
pub(crate) fn head(group: &Group) -> String {
    format!(
        "\n{}: {}\n{:<24} {:>9} {:>9} {:>9} {:>9}\n",
        group.name.to_uppercase(),
        group.about,
        "",
        "median",
        "min",
        "max",
        "x ours"
    )
}

/// Returns the part of a group's table that shows one workload.
pub(crate) fn table(row: &Row, outcomes: &[Outcome]) -> String {
    let ours = outcomes.iter().find(|outcome| outcome.subject == OURS).and_then(summary);
    let mut out = String::new();
    let Workload { name, about, unit, .. } = row.workload;
    let _ = writeln!(out, "  {name} [{}]: {about}", unit.label());
    for outcome in outcomes {
        out.push_str(&line(outcome, ours));
    }
    let better = outcomes.iter().filter(|outcome| is_better(outcome, ours)).count();
    if better > 0 {
        let _ = writeln!(out, "  ! {OURS} is number {} of this row", better + 1);
    }
    out
}

fn line(outcome: &Outcome, ours: Option<Summary>) -> String {
    let name = outcome.subject;
    let reason = match &outcome.figures {
        Figures::Measured(summary) => {
            let Summary { median, min, max, .. } = *summary;
            let mark = if is_better(outcome, ours) { "! " } else { "  " };
            let ratio = match ours {
                Some(ours) if name != OURS => format!("{:.2}", median / ours.median),
                _ => String::new(),
            };
            return format!("{:<24} {median:>9.1} {min:>9.1} {max:>9.1} {ratio:>9}\n", {
                format!("  {mark}{name}")
            });
        }
        Figures::Not(reason) => format!("not measured: {reason}"),
        Figures::Failed(failure) => format!("FAILED: {failure}"),
        Figures::Interrupted => String::from("interrupted before the first round"),
    };
    format!("    {name:<20}         - {reason}\n")
}

/// Says whether a peer pays less than ours. The floor is no peer.
fn is_better(outcome: &Outcome, ours: Option<Summary>) -> bool {
    let (Some(ours), Some(theirs)) = (ours, summary(outcome)) else { return false };
    outcome.subject != FLOOR && theirs.median < ours.median
}

fn summary(outcome: &Outcome) -> Option<Summary> {
    match outcome.figures {
        Figures::Measured(summary) => Some(summary),
        _ => None,
    }
}

/// Returns a line of JSON for each subject that was measured.
pub(crate) fn json_lines(row: &Row, outcomes: &[Outcome]) -> String {
    let line = |outcome: &Outcome| {
        let Summary { median, min, max, runs } = summary(outcome)?;
        let object = json!({
            "group": row.group.name,
            "workload": row.workload.name,
            "subject": outcome.subject,
            "unit": row.workload.unit.label(),
            "median": rounded(median),
            "min": rounded(min),
            "max": rounded(max),
            "runs": runs,
        });
        Some(format!("{object}\n"))
    };
    outcomes.iter().filter_map(line).collect()
}

/// A tenth of a nanosecond is more than a clock and a scheduler can tell, and a tenth of a byte more than pages can.
fn rounded(figure: f64) -> f64 {
    (figure * 10.0).round() / 10.0
}

/// Returns what the JSON lines leave out, in words, one line each.
pub(crate) fn left_out(row: &Row, outcomes: &[Outcome]) -> String {
    let line = |outcome: &Outcome| {
        let reason = match &outcome.figures {
            Figures::Not(reason) => format!("not measured: {reason}"),
            Figures::Failed(failure) => format!("failed: {failure}"),
            Figures::Measured(_) | Figures::Interrupted => return None,
        };
        Some(format!("{}/{}/{}: {reason}\n", row.group.name, row.workload.name, outcome.subject))
    };
    outcomes.iter().filter_map(line).collect()
}

/// Returns the list of what was chosen.
pub(crate) fn list(chosen: &[Chosen]) -> String {
    let mut out = String::new();
    for Chosen { group, rows } in chosen {
        let _ = writeln!(out, "{}: {}", group.name, group.about);
        for row in rows {
            let _ = writeln!(out, "  {}: {}", row.workload.name, row.workload.about);
            for subject in &row.subjects {
                let note = match subject.how {
                    How::Here(_) => String::new(),
                    How::Alone(_) => String::from(" (in a process of its own)"),
                    How::Counted(_) => String::from(" (in two processes of its own)"),
                    How::Not(reason) => format!(" (not measured: {reason})"),
                };
                let _ = writeln!(out, "    {}{note}", subject.name);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::{Failure, Unit};

    const GROUP: Group = Group { name: "g", about: "", workloads: &[WORKLOAD] };
    const WORKLOAD: Workload =
        Workload { name: "w", about: "", unit: Unit::Nanoseconds, operations: 1, subjects: &[] };

    fn measured(subject: &'static str, median: f64) -> Outcome {
        let summary = Summary { median, min: median / 2.0, max: median * 2.0, runs: 3 };
        Outcome { subject, figures: Figures::Measured(summary) }
    }

    fn row() -> Row {
        Row { group: &GROUP, workload: &WORKLOAD, subjects: Vec::new() }
    }

    #[test]
    fn a_faster_peer_is_marked() {
        let outcomes = [measured(OURS, 100.0), measured("slow", 250.0), measured("fast", 80.0)];
        let table = table(&row(), &outcomes);
        assert!(
            table.contains("    slow                     250.0     125.0     500.0      2.50\n")
        );
        assert!(
            table.contains("  ! fast                      80.0      40.0     160.0      0.80\n")
        );
        assert!(table.ends_with("  ! bastion is number 2 of this row\n"));
        assert!(!super::table(&row(), &outcomes[..2]).contains('!'));
    }

    #[test]
    fn the_floor_is_no_peer() {
        let outcomes = [measured(OURS, 100.0), measured("slow", 250.0), measured(FLOOR, 80.0)];
        let table = table(&row(), &outcomes);
        assert!(table.starts_with("  w [ns/op]: \n"));
        assert!(table.contains("    floor                     80.0"));
        assert!(table.contains(" 0.80\n"));
        assert!(!table.contains('!'));
    }

    #[test]
    fn json_has_what_was_measured_and_words_the_rest() {
        let failed = Figures::Failed(Failure::new("lost"));
        let outcomes = [
            measured(OURS, 12.345),
            Outcome { subject: "lame", figures: Figures::Not("no legs") },
            Outcome { subject: "ill", figures: failed },
        ];
        let lines = json_lines(&row(), &outcomes);
        let value: serde_json::Value = serde_json::from_str(&lines).unwrap();
        let expected = json!({
            "group": "g", "workload": "w", "subject": "bastion", "unit": "ns/op",
            "median": 12.3, "min": 6.2, "max": 24.7, "runs": 3,
        });
        assert_eq!(value, expected);
        assert_eq!(
            left_out(&row(), &outcomes),
            "g/w/lame: not measured: no legs\ng/w/ill: failed: lost\n"
        );
    }
}
