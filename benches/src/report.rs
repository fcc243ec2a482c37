//! How results are shown: a table for people, a line of JSON for programs, the list of what there is.

use crate::bench::{Group, How, OURS, Set, Workload};
use crate::goals::{Goal, Judged};
use crate::judge::{self, Verdict};
use crate::results::{GroupResults, Results, RowResults};
use crate::rounds::{Figures, Outcome};
use crate::saved::Saved;
use crate::select::Chosen;
use crate::stats::Summary;
use serde_json::json;
use std::fmt::Write;

/// Returns the head of a group's table.
pub(crate) fn head(group: &Group, against: Option<&Saved>) -> String {
    let mut out = format!(
        "\n{}: {}\n{:<26} {:>9} {:>19} {:>9} {:>7} {:>8}",
        group.name.to_uppercase(),
        group.about,
        "",
        "median",
        "middle half",
        "min",
        "x ours",
        "x floor"
    );
    if let Some(against) = against {
        let _ = write!(out, "  {:>9} {:>8}", against.name, "change");
    }
    out.push('\n');
    out
}

/// Returns the part of a group's table that shows one workload.
pub(crate) fn table(row: &RowResults<'_>, against: Option<&Saved>) -> String {
    let mut out = String::new();
    let Workload { name, about, unit, .. } = row.row.workload;
    let _ = writeln!(out, "  {name} [{}]: {about}", unit.label());
    for outcome in &row.outcomes {
        out.push_str(line(row, outcome, against).trim_end());
        out.push('\n');
    }
    let better = row.outcomes.iter().filter(|one| judge::is_better(one, &row.outcomes)).count();
    if better > 0 {
        let _ = writeln!(out, "  ! {OURS} is number {} of this row", better + 1);
    }
    for goal in row.goals() {
        let mark = if goal.is_met() { ' ' } else { '!' };
        let _ = writeln!(out, "  {mark} {}", goal.line());
    }
    out
}

fn line(row: &RowResults<'_>, outcome: &Outcome, against: Option<&Saved>) -> String {
    let name = outcome.subject;
    let Figures::Measured(summary) = &outcome.figures else {
        return format!("    {name:<20}         - {}", why_not(outcome));
    };
    let Summary { median, min, q1, q3, .. } = *summary;
    let mark = if judge::is_better(outcome, &row.outcomes) { "! " } else { "  " };
    let ratio = |ratio: Option<f64>| ratio.map(|ratio| format!("{ratio:.2}")).unwrap_or_default();
    let mut out = format!(
        "{:<26} {:>9} {:>19} {:>9} {:>7} {:>8}",
        format!("  {mark}{name}"),
        figure(median),
        format!("{}..{}", figure(q1), figure(q3)),
        figure(min),
        ratio(judge::by_ours(outcome, &row.outcomes)),
        ratio(judge::by_floor(outcome, &row.outcomes)),
    );
    if let Some(change) = row.change(outcome, against) {
        let verdict = match change.verdict {
            Verdict::Noise => "",
            Verdict::Better => " better",
            Verdict::Worse => " WORSE",
        };
        let _ = write!(out, "  {:>9} {:>+7.1}%{verdict}", figure(change.was), change.percent);
    }
    out
}

/// Writes a figure with as many digits as can mean something.
pub(crate) fn figure(figure: f64) -> String {
    if figure < 10_000.0 { format!("{figure:.1}") } else { format!("{figure:.0}") }
}

/// Says why an outcome has no figures.
pub(crate) fn why_not(outcome: &Outcome) -> String {
    match &outcome.figures {
        Figures::Measured(_) => String::new(),
        Figures::Not(reason) => format!("not measured: {reason}"),
        Figures::Failed(failure) => format!("FAILED: {failure}"),
        Figures::Interrupted => String::from("interrupted before the first round"),
    }
}

/// Returns where ours stands in the rows of a group; nothing where no row has a peer.
pub(crate) fn summary(group: &GroupResults<'_>) -> String {
    let mut out = String::new();
    for row in &group.rows {
        let Some(standing) = judge::standing(&row.outcomes) else { continue };
        let mark = if standing.ratio > 1.0 { "! " } else { "  " };
        let name = format!("  {mark}{}", row.row.workload.name);
        let _ = writeln!(out, "{name:<36} {:>8.2}   {}", standing.ratio, standing.peer);
    }
    if out.is_empty() {
        return out;
    }
    format!("  {} in short, ours / best peer (! behind it)\n{out}", group.group.name)
}

/// Returns which goals are met, and which are missed by how much; nothing where no row has one.
pub(crate) fn goals(results: &Results<'_>) -> String {
    let mut out = String::new();
    for (row, goal) in results.goals() {
        let mark = if goal.is_met() { ' ' } else { '!' };
        let _ = writeln!(out, "  {mark} {row:<30} {}", goal.line());
    }
    if out.is_empty() { out } else { format!("\ngoals (! missed)\n{out}") }
}

/// Returns what a comparison came to; nothing where there was none.
pub(crate) fn comparison(results: &Results<'_>) -> String {
    let Some(against) = &results.against else { return String::new() };
    let Saved { name, date, commit, workers, .. } = against;
    let mut out = format!("\nagainst {name}: {date}, commit {commit}, {workers} workers\n");
    let regressions = results.regressions();
    for (path, change) in &regressions {
        let _ = writeln!(out, "  WORSE {path}: was {:.1}, {:+.1}%", change.was, change.percent);
    }
    out.push_str(if regressions.is_empty() {
        "  no figure of ours is worse by more than the spread and 5%\n"
    } else {
        "  measure again before believing it: a busy machine can do that, too\n"
    });
    if let Some(drift) = results.drift() {
        let _ = writeln!(
            out,
            "  all others changed by {drift:+.1}% in the median, without any change of theirs"
        );
    }
    out
}

/// Returns a line of JSON for each subject that was measured.
pub(crate) fn json_lines(row: &RowResults<'_>, against: Option<&Saved>) -> String {
    let line = |outcome: &Outcome| {
        let Summary { median, min, max, q1, q3, runs } = judge::summary(outcome)?;
        let mut object = json!({
            "group": row.row.group.name,
            "workload": row.row.workload.name,
            "subject": outcome.subject,
            "unit": row.row.workload.unit.label(),
            "median": rounded(median),
            "min": rounded(min),
            "max": rounded(max),
            "q1": rounded(q1),
            "q3": rounded(q3),
            "runs": runs,
            "x_ours": judge::by_ours(outcome, &row.outcomes).map(to_thousandths),
            "x_floor": judge::by_floor(outcome, &row.outcomes).map(to_thousandths),
        });
        let goals = if outcome.subject == OURS { row.goals() } else { Vec::new() };
        if !goals.is_empty() {
            let json = |goal: &Judged| {
                let (limit, times) = (rounded(goal.limit), to_thousandths(goal.times));
                json!({ "goal": goal.text, "limit": limit, "x_limit": times })
            };
            object["goals"] = goals.iter().map(json).collect();
        }
        if let Some(change) = row.change(outcome, against) {
            object["was"] = json!(rounded(change.was));
            object["change_percent"] = json!(rounded(change.percent));
            object["verdict"] = json!(format!("{:?}", change.verdict).to_lowercase());
        }
        Some(format!("{object}\n"))
    };
    row.outcomes.iter().filter_map(line).collect()
}

/// A tenth of a nanosecond is more than a clock and a scheduler can tell, and a tenth of a byte more than pages can.
fn rounded(figure: f64) -> f64 {
    (figure * 10.0).round() / 10.0
}

fn to_thousandths(ratio: f64) -> f64 {
    (ratio * 1000.0).round() / 1000.0
}

/// Returns what the JSON lines leave out, in words, one line each.
pub(crate) fn left_out(row: &RowResults<'_>) -> String {
    let left = |outcome: &&Outcome| matches!(outcome.figures, Figures::Not(_) | Figures::Failed(_));
    let line = |outcome: &Outcome| format!("{}: {}\n", row.path(outcome), why_not(outcome));
    row.outcomes.iter().filter(left).map(line).collect()
}

/// Returns the list of what was chosen, and of the sets.
pub(crate) fn list(chosen: &[Chosen], sets: &[Set]) -> String {
    let mut out = String::new();
    for Chosen { group, rows } in chosen {
        let _ = writeln!(out, "{}: {}", group.name, group.about);
        for row in rows {
            let Workload { name, about, unit, .. } = row.workload;
            let _ = writeln!(out, "  {name}: {about}");
            for goal in Goal::of(group.name, name) {
                let _ = writeln!(out, "    goal: {}", goal.text(unit.label()));
            }
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
    for set in sets {
        let _ = writeln!(out, "{} = {}", set.name, set.groups.join(" "));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::{FLOOR, Failure};
    use crate::results::sample::{self, row};

    #[test]
    fn a_faster_peer_is_marked() {
        let all = [(OURS, 100.0), ("slow", 250.0), ("fast", 80.0)];
        let table = table(&row(&all), None);
        assert!(table.starts_with("  w [ns/op]: \n"), "{table}");
        let slow = "    slow                       250.0        187.5..312.5     125.0    2.50\n";
        let fast = "  ! fast                        80.0         60.0..100.0      40.0    0.80\n";
        assert!(table.contains(slow) && table.contains(fast), "{table}");
        assert!(table.ends_with("  ! bastion is number 2 of this row\n"));
        assert!(!super::table(&row(&all[..2]), None).contains('!'));
    }

    #[test]
    fn the_floor_is_no_peer() {
        let table = table(&row(&[(OURS, 100.0), ("slow", 250.0), (FLOOR, 80.0)]), None);
        assert!(table.contains("50.0             1.25\n"), "ours by the floor: {table}");
        assert!(table.contains(" 0.80\n"), "the floor by ours: {table}");
        assert!(!table.contains('!'));
    }

    #[test]
    fn a_group_ends_with_where_ours_stands() {
        let mut results = sample::results(&[(OURS, 100.0), ("slow", 250.0), ("fast", 80.0)]);
        results.groups[0].rows.push(row(&[(OURS, 100.0), ("slow", 250.0)]));
        results.groups[0].rows.push(row(&[(OURS, 100.0)]));
        let lines = summary(&results.groups[0]);
        let expected = "  g in short, ours / best peer (! behind it)\n\
             \x20 ! w                                    1.25   fast\n\
             \x20   w                                    0.40   slow\n";
        assert_eq!(lines, expected);
        results.groups[0].rows.drain(..2);
        assert_eq!(summary(&results.groups[0]), "");
    }

    #[test]
    fn a_goal_is_below_its_row_and_in_the_list_at_the_end() {
        let missed = "goal: at most 2500 ns/op: MISSED, 2.00 of it\n";
        let table = table(&sample::row_with_goal(5000.0), None);
        assert!(table.ends_with(&format!("\n  ! {missed}")), "{table}");
        let mut results = sample::results(&[(OURS, 100.0)]);
        assert_eq!(goals(&results), "");
        results.groups[0].rows.push(sample::row_with_goal(5000.0));
        results.groups[0].rows.push(sample::row_with_goal(500.0));
        let list = goals(&results);
        let name = format!("{:<30}", "restart/error");
        let met = "goal: at most 2500 ns/op: met, 0.20 of it\n";
        let expected = format!("\ngoals (! missed)\n  ! {name} {missed}    {name} {met}");
        assert_eq!(list, expected);
        let json = json_lines(&sample::row_with_goal(5000.0), None);
        assert!(json.contains("\"limit\":2500.0,\"x_limit\":2.0"), "{json}");
        assert!(!json_lines(&row(&[(OURS, 100.0)]), None).contains("goal"));
    }

    #[test]
    fn a_comparison_has_columns_and_an_end() {
        let mut results = sample::results(&[(OURS, 300.0), ("tokio", 100.0)]);
        assert_eq!(comparison(&results), "");
        results.against = Some(sample::saved(&[(OURS, 50.0), ("tokio", 100.0)]));
        let table = table(&results.groups[0].rows[0], results.against.as_ref());
        assert!(table.contains("       50.0  +500.0% WORSE\n"), "{table}");
        assert!(table.contains("      100.0    +0.0%\n"), "{table}");
        let end = comparison(&results);
        assert!(end.contains("  WORSE g/w/bastion: was 50.0, +500.0%\n"), "{end}");
        assert!(end.contains("all others changed by +0.0%"), "{end}");
        assert!(head(&sample::GROUP, results.against.as_ref()).ends_with("base   change\n"));
    }

    #[test]
    fn json_has_what_was_measured_and_words_the_rest() {
        let mut row = row(&[(OURS, 12.345), (FLOOR, 6.1725)]);
        row.outcomes.push(Outcome { subject: "lame", figures: Figures::Not("no legs") });
        let failed = Figures::Failed(Failure::new("lost"));
        row.outcomes.push(Outcome { subject: "ill", figures: failed });
        let saved = sample::saved(&[(OURS, 61.725)]);
        let lines = json_lines(&row, Some(&saved));
        assert_eq!(lines.lines().count(), 2);
        let value: serde_json::Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
        let expected = json!({
            "group": "g", "workload": "w", "subject": "bastion", "unit": "ns/op",
            "median": 12.3, "min": 6.2, "max": 24.7, "q1": 9.3, "q3": 15.4, "runs": 3,
            "x_ours": null, "x_floor": 2.0, "was": 61.7, "change_percent": -80.0, "verdict": "better",
        });
        assert_eq!(value, expected);
        assert_eq!(left_out(&row), "g/w/lame: not measured: no legs\ng/w/ill: FAILED: lost\n");
    }
}
