//! The simulations as one HTML file: what was assumed, then each workload with its chart and its table.

use super::compare::{Machine, Row};
use super::costs::Costs;
use super::rules::Rules;
use super::show::{COLUMNS, legend, summary};
use crate::chart::{self, ChartError, Mark};
use crate::html::{self, ReportError, escaped};
use std::fmt::Write;
use std::path::Path;

/// What stands above the figures.
pub(super) struct Head<'a> {
    pub(super) machines: &'a [Machine],
    pub(super) orders: &'a [Rules],
    pub(super) costs: &'a Costs,
    pub(super) policy: &'a str,
    pub(super) seed: u64,
}

/// Writes the report.
///
/// # Errors
/// Any [`ReportError`].
pub(super) fn write(path: &Path, head: &Head<'_>, rows: &[Row]) -> Result<(), ReportError> {
    html::write_file(path, &page(head, rows).map_err(ReportError::Chart)?)
}

fn page(head: &Head<'_>, rows: &[Row]) -> Result<String, ChartError> {
    let mut body = format!(
        "<p>A simulation in virtual time, with workers by the policy {} and seed {}. It says how orders of stealing and waking \
         compare under the same assumptions, not how long anything takes. On the charts each order stands at so many times ours: \
         to the left of 1 it is better.</p>\n<pre>{}</pre>\n",
        escaped(head.policy),
        head.seed,
        escaped(summary(rows, head.orders).trim())
    );
    table(&mut body, "Orders", head.orders.iter().map(|one| (one.name, one.about.to_owned())));
    let machines = head.machines.iter().map(|one| (one.name.as_str(), one.text.clone()));
    table(&mut body, "Machines", machines);
    table(&mut body, "Assumed costs", head.costs.lines().into_iter());
    let _ = writeln!(body, "<h2>Figures</h2><pre>{}</pre>", escaped(legend().trim()));
    for of_kind in rows.chunk_by(|one, next| one.kind.name == next.kind.name) {
        section(&mut body, of_kind)?;
    }
    Ok(html::frame("Near before far, simulated", &body))
}

fn table<'a>(out: &mut String, title: &str, lines: impl Iterator<Item = (&'a str, String)>) {
    let _ = write!(out, "<h2>{title}</h2>\n<table>");
    for (name, text) in lines {
        let (name, text) = (escaped(name), escaped(&text));
        let _ = write!(out, "<tr><td>{name}</td><td style=white-space:normal>{text}</td></tr>");
    }
    out.push_str("</table>\n");
}

/// Adds a workload on all machines.
fn section(out: &mut String, rows: &[Row]) -> Result<(), ChartError> {
    let Some(kind) = rows.first().map(|row| row.kind) else { return Ok(()) };
    let _ = writeln!(out, "<h2>{}</h2>\n<p>{}</p>", kind.name, escaped(kind.about));
    let marks: Vec<(&str, Vec<Mark>)> =
        rows.iter().map(|row| (row.machine.name.as_str(), marks(row))).collect();
    if let Some(chart) = chart::plot(kind.name, &marks)? {
        let _ = writeln!(out, "{chart}");
    }
    out.push_str("<div class=wide><table><tr><th></th>");
    for column in COLUMNS {
        let _ = write!(out, "<th>{}</th>", column.name);
    }
    out.push_str("</tr>\n");
    for row in rows {
        let name = escaped(&row.machine.name);
        let _ = writeln!(out, "<tr class=row><td colspan={}>{name}</td></tr>", COLUMNS.len() + 1);
        for outcome in &row.outcomes {
            let class = if outcome.rules.name == crate::bench::OURS { " class=ours" } else { "" };
            let _ = write!(out, "<tr{class}><td>{}</td>", outcome.rules.name);
            for column in COLUMNS {
                let _ = write!(out, "<td>{}</td>", (column.text)(row, outcome));
            }
            out.push_str("</tr>\n");
        }
    }
    out.push_str("</table></div>\n");
    Ok(())
}

/// Returns the orders as points: one seed has no spread.
fn marks(row: &Row) -> Vec<Mark> {
    let mark = |outcome| {
        let times = row.times_ours(outcome)?;
        Some((outcome.rules.name, times))
    };
    row.outcomes.iter().filter_map(mark).map(|(name, times)| Mark::point(name, times)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::compare::{Job, Outcome, kinds, machines};
    use super::super::rules::{BASTION, RING};
    use super::*;

    #[test]
    fn the_page_has_what_was_assumed_and_each_workload() {
        let machines = machines(&["node:2 core:2".to_owned()], "compact").unwrap();
        let (costs, orders) = (Costs::default(), [BASTION, RING]);
        let row = |kind| {
            let job = Job { machine: &machines[0], kind, footprint: None, seed: 3 };
            let outcome = |rules| Outcome { rules, tally: job.simulate(&rules, &costs) };
            Row { kind, machine: machines[0].clone(), outcomes: orders.map(outcome).to_vec() }
        };
        let names = ["flood", "tiny"].map(String::from);
        let rows: Vec<Row> = kinds(&names).unwrap().into_iter().map(row).collect();
        let head = Head {
            machines: &machines,
            orders: &orders,
            costs: &costs,
            policy: "compact",
            seed: 3,
        };
        let page = page(&head, &rows).unwrap();
        assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</body></html>\n"));
        assert_eq!((page.matches("<svg ").count(), page.matches("<td>ring</td>").count()), (2, 3));
        for part in ["compact and seed 3", "node:2 core:2", "5000 ns", "<h2>tiny</h2>"] {
            assert!(page.contains(part), "{part}");
        }
        assert_eq!(page.matches("<table>").count(), page.matches("</table>").count());
        let of_ring = marks(&rows[0])[1];
        assert_eq!(
            Some(of_ring),
            rows[0].times_ours(&rows[0].outcomes[1]).map(|times| Mark::point("ring", times))
        );
        assert!(!page.contains("NaN") && !page.contains("src="));
    }
}
