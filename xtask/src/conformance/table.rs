//! How the judged rows are printed: as a table for people, as JSON for programs.

use std::fmt::Write;

use serde_json::{Value, json};

use super::results::{COLUMNS, Judged, Verdict};

/// A line for each row that is shown, then the totals of all, then what is wrong.
pub(super) fn text(shown: &[&Judged<'_>], all: &[Judged<'_>], problems: &[String]) -> String {
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{:<4} {:<5} {:<8} {:<8} {:<8} {:<8} what",
        "row", "level", "pure", "sim", "executor", "tokio"
    );
    let mut group = None;
    for judged in shown {
        let row = judged.row;
        if group.replace(row.group) != Some(row.group) {
            let _ = writeln!(out, "-- {}", row.group);
        }
        let _ = write!(out, "{:<4} {:<5}", row.id, level(row.core));
        for cell in &judged.cells {
            let _ = write!(out, " {:<8}", cell.state.mark());
        }
        let _ = write!(out, " {}", row.what);
        if let Some(reason) = judged.reason() {
            let _ = write!(out, " [{}]", reason.text);
        }
        out.push('\n');
    }
    out.push('\n');
    for core in [true, false] {
        let _ = writeln!(out, "{}", totals(all, core));
    }
    for problem in problems {
        let _ = writeln!(out, "error: {problem}");
    }
    out
}

const fn level(core: bool) -> &'static str {
    if core { "core" } else { "opt" }
}

const VERDICTS: [(Verdict, &str); 5] = [
    (Verdict::Passed, "passed"),
    (Verdict::Partly, "passed in part, the rest not yet"),
    (Verdict::NotApplicable, "not applicable"),
    (Verdict::NotYet, "not yet"),
    (Verdict::Bad, "failed or missing"),
];

fn totals(all: &[Judged<'_>], core: bool) -> String {
    let rows: Vec<_> = all.iter().filter(|judged| judged.row.core == core).collect();
    let counted = VERDICTS.iter().map(|(verdict, name)| {
        let count = rows.iter().filter(|judged| judged.verdict() == *verdict).count();
        format!("{count} {name}")
    });
    format!("{:<4} {:>3} rows: {}", level(core), rows.len(), counted.collect::<Vec<_>>().join(", "))
}

/// The rows with their tests, and what is wrong.
pub(super) fn json(shown: &[&Judged<'_>], problems: &[String]) -> String {
    let rows: Vec<Value> = shown.iter().map(|judged| row(judged)).collect();
    let all = json!({ "rows": rows, "problems": problems });
    // Keys and values are plain: this cannot fail.
    format!("{}\n", serde_json::to_string_pretty(&all).unwrap_or_default())
}

fn row(judged: &Judged<'_>) -> Value {
    let row = judged.row;
    let mut value = json!({
        "row": row.id, "level": level(row.core), "group": row.group.to_string(), "what": row.what,
        "verdict": VERDICTS.iter().find(|(known, _)| *known == judged.verdict()).map(|(_, name)| name),
        "reason": judged.reason().map(|reason| &reason.text),
    });
    for (column, cell) in COLUMNS.iter().zip(&judged.cells) {
        let tests: Vec<_> = cell.tests.iter().map(|test| &test.name).collect();
        value[column.name()] = json!({ "state": cell.state.mark(), "tests": tests });
    }
    value
}

#[cfg(test)]
mod tests {
    use super::super::results::{Test, judge};
    use super::super::rows::read;
    use super::*;

    #[test]
    fn rows_totals_and_problems_are_printed() {
        let rows = read(
            "head\n001\tcore\tA\ttest\tall\tit starts\n002\topt\tB\ttypes: t\ttypes: t\tit is not\n",
        );
        let rows = rows.expect("well");
        let tests: Vec<_> =
            ["row_001_a", "sim::row_001_a", "executor::row_001_a", "tokio::row_001_a"]
                .iter()
                .filter_map(|name| Test::read("s/plan", &format!("test {name} ... ok")))
                .collect();
        let judged = judge(&rows, &tests);
        let shown: Vec<_> = judged.iter().collect();
        let expected = "\
row  level pure     sim      executor tokio    what
-- A
001  core  passed   passed   passed   passed   it starts
-- B
002  opt   n/a      n/a      n/a      n/a      it is not [types: t]

core   1 rows: 1 passed, 0 passed in part, the rest not yet, 0 not applicable, 0 not yet, 0 failed or missing
opt    1 rows: 0 passed, 0 passed in part, the rest not yet, 1 not applicable, 0 not yet, 0 failed or missing
error: something
";
        assert_eq!(text(&shown, &judged, &["something".to_owned()]), expected);
        let value: Value = serde_json::from_str(&json(&shown, &[])).expect("JSON");
        assert_eq!(value["rows"][0]["sim"]["tests"][0], "sim::row_001_a");
        assert_eq!(value["rows"][1]["tokio"]["state"], "n/a");
        assert_eq!(value["rows"][1]["reason"], "types: t");
    }
}
