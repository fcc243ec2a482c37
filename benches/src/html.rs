//! The report: one HTML file with all tables and charts in it, readable without network, in light and dark.

use crate::chart::{self, ChartError};
use crate::goals::Judged;
use crate::judge::{self, Verdict};
use crate::machine::Machine;
use crate::report::{self, figure};
use crate::results::{GroupResults, Results, RowResults};
use crate::rounds::{Figures, Outcome};
use crate::saved::Saved;
use std::fmt::{self, Write};
use std::path::{Path, PathBuf};
use std::{fs, io};

const STYLE: &str = "\
:root{color-scheme:light dark;--text:#222;--dim:#666;--line:#ddd;--back:#fff;--bad:#b3261e;--good:#1a7f37}
@media(prefers-color-scheme:dark){:root{--text:#ddd;--dim:#999;--line:#333;--back:#161616;--bad:#ff8a80;--good:#6fdd8b}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--text);background:var(--back);max-width:62rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem}h2{font-size:1.25rem;margin-top:2.5rem}svg{max-width:100%;height:auto}
.wide{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums;width:100%}
th,td{padding:.15rem .6rem;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}
th:first-child,td:first-child{text-align:left}tr.row td{padding-top:.9rem;white-space:normal}
.dim,th{color:var(--dim);font-weight:normal}.bad{color:var(--bad)}.good{color:var(--good)}.ours td{font-weight:600}
";

/// What stands above the figures.
pub(crate) struct Head<'a> {
    pub(crate) machine: &'a Machine,
    pub(crate) workers: usize,
    pub(crate) runs: u32,
}

/// Why there is no report.
#[derive(Debug)]
#[non_exhaustive]
pub(crate) enum ReportError {
    /// A file could not be written.
    File(PathBuf, io::Error),
    /// A chart could not be drawn.
    Chart(ChartError),
}

impl fmt::Display for ReportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReportError::File(path, error) => write!(f, "{}: {error}", path.display()),
            ReportError::Chart(error) => write!(f, "a chart cannot be drawn: {error}"),
        }
    }
}

impl std::error::Error for ReportError {}

/// Writes the report, and beside it each chart as `GROUP.svg`.
///
/// # Errors
/// Any [`ReportError`].
pub(crate) fn write(
    path: &Path,
    results: &Results<'_>,
    head: &Head<'_>,
) -> Result<(), ReportError> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut sections = String::new();
    for group in &results.groups {
        let chart = chart::draw(group).map_err(ReportError::Chart)?;
        if let Some(chart) = &chart {
            write_file(&folder.join(format!("{}.svg", group.group.name)), chart)?;
        }
        sections.push_str(&section(group, chart.as_deref(), results.against.as_ref()));
    }
    write_file(path, &page(&sections, &report::comparison(results), head))
}

/// Writes a file, and makes its folder if there is none.
///
/// # Errors
/// [`ReportError::File`].
pub(crate) fn write_file(path: &Path, text: &str) -> Result<(), ReportError> {
    let folder = path.parent().unwrap_or(Path::new(""));
    if folder != Path::new("") {
        fs::create_dir_all(folder).map_err(|error| ReportError::File(folder.to_owned(), error))?;
    }
    fs::write(path, text).map_err(|error| ReportError::File(path.to_owned(), error))
}

/// Makes a page out of its title and what is below it.
pub(crate) fn frame(title: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title><style>{STYLE}</style></head><body>\n\
         <h1>{title}</h1>\n{body}</body></html>\n"
    )
}

fn page(sections: &str, comparison: &str, head: &Head<'_>) -> String {
    let mut out = String::from("<table>");
    for (name, value) in head.machine.lines() {
        let _ = write!(out, "<tr><td class=dim>{name}</td><td>{}</td></tr>", escaped(&value));
    }
    let _ = writeln!(
        out,
        "<tr><td class=dim>workers of each subject</td><td>{}</td></tr>\
         <tr><td class=dim>rounds, all subjects in turn</td><td>{}</td></tr></table>",
        head.workers, head.runs
    );
    out.push_str(
        "<p>A figure is the median over the rounds; its spread is the middle half of them. \
         On the charts each subject stands at so many times ours: to the left of 1 it is better. \
         The floor is no subject: it is what nobody can avoid.</p>\n",
    );
    if !comparison.is_empty() {
        let _ = writeln!(out, "<h2>Compared</h2><pre>{}</pre>", escaped(comparison.trim()));
    }
    frame("Bastion beside its peers", &(out + sections))
}

fn section(group: &GroupResults<'_>, chart: Option<&str>, against: Option<&Saved>) -> String {
    let mut out =
        format!("<h2>{}</h2>\n<p>{}</p>\n", escaped(group.group.name), escaped(group.group.about));
    if let Some(chart) = chart {
        let _ = writeln!(out, "{chart}");
    }
    out.push_str("<div class=wide><table><tr><th></th>");
    for head in ["median", "middle half", "min", "x ours", "x floor"] {
        let _ = write!(out, "<th>{head}</th>");
    }
    if let Some(against) = against {
        let _ = write!(out, "<th>{}</th><th>change</th>", escaped(&against.name));
    }
    out.push_str("</tr>\n");
    for row in &group.rows {
        let workload = row.row.workload;
        let _ = writeln!(
            out,
            "<tr class=row><td colspan=8><b>{}</b> [{}] <span class=dim>{}</span>{}</td></tr>",
            escaped(workload.name),
            workload.unit.label(),
            escaped(workload.about),
            standing(row) + &goals(row)
        );
        for outcome in &row.outcomes {
            out.push_str(&line(row, outcome, against));
        }
    }
    out + "</table></div>\n"
}

fn standing(row: &RowResults<'_>) -> String {
    let Some(standing) = judge::standing(&row.outcomes) else { return String::new() };
    let class = if standing.ratio > 1.0 { "bad" } else { "good" };
    format!(" <span class={class}>{:.2} of {}</span>", standing.ratio, escaped(standing.peer))
}

fn goals(row: &RowResults<'_>) -> String {
    let line = |goal: &Judged| {
        let class = if goal.is_met() { "good" } else { "bad" };
        format!("<br><span class={class}>{}</span>", escaped(&goal.line()))
    };
    row.goals().iter().map(line).collect()
}

fn line(row: &RowResults<'_>, outcome: &Outcome, against: Option<&Saved>) -> String {
    let name = escaped(outcome.subject);
    let Figures::Measured(figures) = &outcome.figures else {
        let why = escaped(&report::why_not(outcome));
        return format!("<tr class=dim><td>{name}</td><td colspan=7>{why}</td></tr>\n");
    };
    let class = match outcome.subject {
        crate::bench::OURS => " class=ours",
        crate::bench::FLOOR => " class=dim",
        _ => "",
    };
    let bad = if judge::is_better(outcome, &row.outcomes) { " class=bad" } else { "" };
    let ratio = |ratio: Option<f64>| ratio.map(|ratio| format!("{ratio:.2}")).unwrap_or_default();
    let mut out = format!(
        "<tr{class}><td>{name}</td><td>{}</td><td>{} .. {}</td><td>{}</td>\
         <td{bad}>{}</td><td>{}</td>",
        figure(figures.median),
        figure(figures.q1),
        figure(figures.q3),
        figure(figures.min),
        ratio(judge::by_ours(outcome, &row.outcomes)),
        ratio(judge::by_floor(outcome, &row.outcomes))
    );
    if let Some(change) = row.change(outcome, against) {
        let class = match change.verdict {
            Verdict::Noise => "dim",
            Verdict::Better => "good",
            Verdict::Worse => "bad",
        };
        let _ =
            write!(out, "<td>{:.1}</td><td class={class}>{:+.1}%</td>", change.was, change.percent);
    }
    out + "</tr>\n"
}

/// Makes text stand for itself.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::OURS;
    use crate::results::sample;

    fn machine() -> Machine {
        Machine { cpu: "A <chip>".to_owned(), ..Machine::look() }
    }

    #[test]
    fn the_page_is_whole_and_asks_for_nothing_from_elsewhere() {
        let results = sample::results(&[(OURS, 100.0), ("tokio", 80.0)]);
        let chart = chart::draw(&results.groups[0]).unwrap();
        let sections = section(&results.groups[0], chart.as_deref(), None);
        let page = page(&sections, "", &Head { machine: &machine(), workers: 3, runs: 5 });
        assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</body></html>\n"));
        for part in ["A &lt;chip&gt;", "a &lt;group&gt;", "<svg ", "1.25 of tokio", "<td>3</td>"] {
            assert!(page.contains(part), "{part}");
        }
        assert_eq!(page.matches("<table>").count(), page.matches("</table>").count());
        for foreign in ["src=", "href=", "@import", "url("] {
            assert!(!page.contains(foreign), "{foreign}");
        }
    }

    #[test]
    fn a_goal_is_shown_with_its_row() {
        let mut results = sample::results(&[(OURS, 300.0)]);
        results.groups[0].rows.push(sample::row_with_goal(5000.0));
        results.groups[0].rows.push(sample::row_with_goal(500.0));
        let text = section(&results.groups[0], None, None);
        assert!(text.contains("<span class=bad>goal: at most 2500 ns/op: MISSED, 2.00 of it"));
        assert!(text.contains("<span class=good>goal: at most 2500 ns/op: met, 0.20 of it"));
        assert_eq!(text.matches("goal").count(), 2);
    }

    #[test]
    fn what_was_worse_and_what_has_changed_is_marked() {
        let results = sample::results(&[(OURS, 300.0), ("tokio", 80.0)]);
        let saved = sample::saved(&[(OURS, 50.0)]);
        let text = section(&results.groups[0], None, Some(&saved));
        assert!(text.contains("<td class=bad>+500.0%</td>"), "{text}");
        assert!(text.contains("<td class=bad>0.27</td>"), "{text}");
        assert!(text.contains("<th>base</th>"), "{text}");
    }
}
