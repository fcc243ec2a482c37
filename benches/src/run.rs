//! The run of the benchmarks: measures what was chosen, shows each row when it is done, and writes the report at the end.

use crate::args::BenchArgs;
use crate::groups::{GROUPS, SETS};
use crate::html::{self, Head};
use crate::machine::{self, Machine};
use crate::results::{GroupResults, Results, RowResults};
use crate::rounds::{self, Figures};
use crate::saved;
use crate::select::{self, Chosen, Wanted};
use crate::subjects::workers;
use crate::{INTERRUPTED, print, refuse, report};
use indicatif::{ProgressBar, ProgressStyle};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Measures what the arguments ask for.
pub(crate) fn run(args: &BenchArgs, stop: &AtomicBool) -> ExitCode {
    if let Some(name) =
        args.groups.iter().find(|name| ["tune", "locality"].contains(&name.as_str()))
    {
        // With the arguments of a run before it, it looks like a group.
        return refuse(format!(
            "`{name}` stands first, and has arguments of its own: see `{name} --help`"
        ));
    }
    let wanted = Wanted {
        names: &args.groups,
        filter: args.filter.as_deref(),
        peers: &args.peers,
        without: &args.without,
    };
    let chosen = match select::select(GROUPS, SETS, wanted) {
        Ok(chosen) => chosen,
        Err(error) => return refuse(error),
    };
    if args.list {
        print(&report::list(&chosen, SETS));
        return ExitCode::SUCCESS;
    }
    let mut results = Results::default();
    if let Some(name) = &args.against {
        match saved::load(&machine::folder(), name) {
            Ok(saved) => results.against = Some(saved),
            Err(error) => return refuse(error),
        }
    }
    measure(args, &chosen, stop, &mut results);
    finish(args, stop.load(Relaxed), &results)
}

fn measure<'a>(
    args: &BenchArgs,
    chosen: &'a [Chosen],
    stop: &AtomicBool,
    results: &mut Results<'a>,
) {
    let rows = chosen.iter().flat_map(|chosen| &chosen.rows);
    let bar = progress_bar(rows.map(|row| rounds::steps(row, args.runs)).sum());
    let show = |text: &str| bar.suspend(|| print(text));
    for Chosen { group, rows } in chosen {
        if !args.json {
            show(&report::head(group, results.against.as_ref()));
        }
        let mut done = GroupResults { group, rows: Vec::new() };
        for row in rows {
            let outcomes = rounds::measure(row, args.runs, stop, &bar);
            let row = RowResults { row, outcomes };
            if args.json {
                show(&report::json_lines(&row, results.against.as_ref()));
                bar.suspend(|| eprint!("{}", report::left_out(&row)));
            } else {
                show(&report::table(&row, results.against.as_ref()));
            }
            done.rows.push(row);
            if stop.load(Relaxed) {
                break;
            }
        }
        if !args.json {
            show(&report::summary(&done));
        }
        results.groups.push(done);
        if stop.load(Relaxed) {
            break;
        }
    }
    bar.finish_and_clear();
}

/// Compares, keeps and writes what was measured.
fn finish(args: &BenchArgs, interrupted: bool, results: &Results<'_>) -> ExitCode {
    let machine = Machine::look();
    let folder = machine::folder();
    let say = |text: &str| if args.json { eprint!("{text}") } else { print(text) };
    say(&report::goals(results));
    say(&report::comparison(results));
    let mut failed = has_failed(results);
    match &args.save {
        Some(name) if interrupted => eprintln!("interrupted: `{name}` was not saved"),
        Some(name) => match saved::save(&folder, name, results, &machine, workers()) {
            Ok(path) => say(&format!("saved: {}\n", path.display())),
            Err(error) => {
                eprintln!("error: {error}");
                failed = true;
            }
        },
        None => {}
    }
    if !args.no_report {
        let path = args.report.clone().unwrap_or_else(|| folder.join("report.html"));
        let head = Head { machine: &machine, workers: workers(), runs: args.runs };
        match html::write(&path, results, &head) {
            Ok(()) => say(&format!("report: {}\n", path.display())),
            Err(error) => {
                eprintln!("error: {error}");
                failed = true;
            }
        }
    }
    if interrupted {
        eprintln!("interrupted: the last row has fewer rounds, the rows after it are missing");
        return ExitCode::from(INTERRUPTED);
    }
    let regressed = args.fail_on_regression && !results.regressions().is_empty();
    if failed || regressed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn has_failed(results: &Results<'_>) -> bool {
    let rows = results.groups.iter().flat_map(|group| &group.rows);
    rows.flat_map(|row| &row.outcomes).any(|one| matches!(one.figures, Figures::Failed(_)))
}

/// Shows how far the run is, on a terminal.
pub(crate) fn progress_bar(steps: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{elapsed_precise} [{bar:30}] {pos}/{len} {msg}");
    let bar = ProgressBar::new(steps);
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
