//! `locality`: what it brings to steal and to wake by distance, simulated on described machines.
//!
//! An event-driven model of the scheduler in virtual time. `seats` is the machine, `costs` what everything takes there, `rules` what an
//! order does, `idle` its decisions; `sim`, `search` and `sleep` carry them out for the `workloads`. Nothing here knows a real thread or clock,
//! so that one seed gives one table. It is a model: the monitor, timers and sockets are not in it, and a poll's calls take effect at its end.

mod caches;
mod calendar;
mod compare;
mod costs;
mod idle;
mod page;
mod process;
mod rules;
mod search;
mod seats;
mod show;
mod sim;
mod sleep;
mod tally;
#[cfg(test)]
mod tests;
mod worker;
mod workloads;

use crate::args::LocalityArgs;
use crate::run::progress_bar;
use crate::{INTERRUPTED, machine, print, refuse};
use compare::{Job, Machine, Outcome, Row};
use costs::Costs;
use indicatif::ProgressBar;
use rules::{ORDERS, Rules, VARIANTS};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Simulates, and tells what came out.
pub(crate) fn run(args: &LocalityArgs, stop: &AtomicBool) -> ExitCode {
    let kinds = match compare::kinds(&args.workloads) {
        Ok(kinds) => kinds,
        Err(error) => return refuse(error),
    };
    let machines = match compare::machines(&args.machine, &args.policy) {
        Ok(machines) => machines,
        Err(error) => return refuse(error),
    };
    let mut costs = Costs::default();
    if let Some(wake_up_us) = args.wake_up_us {
        costs.wake_up_ns = 1_000 * wake_up_us;
    }
    let mut orders = ORDERS.to_vec();
    if args.variants {
        orders.extend(VARIANTS);
    }
    let bar = progress_bar((machines.len() * kinds.len() * orders.len()) as u64);
    let show = |text: &str| bar.suspend(|| print(text));
    if !args.json {
        show(&show::legend());
    }
    let mut rows = Vec::new();
    for kind in kinds {
        if stop.load(Relaxed) {
            break;
        }
        if !args.json {
            show(&show::head(&kind));
        }
        for machine in &machines {
            if stop.load(Relaxed) {
                break;
            }
            let job = Job { machine, kind, footprint: args.footprint, seed: args.seed };
            let row = measure(&job, &orders, &costs, &bar);
            show(&if args.json { show::json_lines(&row, args.seed) } else { show::table(&row) });
            rows.push(row);
        }
    }
    bar.finish_and_clear();
    if !args.json {
        print(&show::summary(&rows, &orders));
    }
    finish(args, &machines, &orders, &costs, &rows, stop.load(Relaxed))
}

fn measure(job: &Job<'_>, orders: &[Rules], costs: &Costs, bar: &ProgressBar) -> Row {
    let outcome = |rules: &Rules| {
        bar.set_message(format!("{} on {}: {}", job.kind.name, job.machine.name, rules.name));
        let tally = job.simulate(rules, costs);
        bar.inc(1);
        Outcome { rules: *rules, tally }
    };
    let outcomes = orders.iter().map(outcome).collect();
    Row { kind: job.kind, machine: job.machine.clone(), outcomes }
}

/// Writes the report.
fn finish(
    args: &LocalityArgs,
    machines: &[Machine],
    orders: &[Rules],
    costs: &Costs,
    rows: &[Row],
    interrupted: bool,
) -> ExitCode {
    if interrupted {
        eprintln!("interrupted: the simulations after this are missing, and there is no report");
        return ExitCode::from(INTERRUPTED);
    }
    if args.no_report {
        return ExitCode::SUCCESS;
    }
    let path = args.report.clone().unwrap_or_else(|| machine::folder().join("locality.html"));
    let head = page::Head { machines, orders, costs, policy: &args.policy, seed: args.seed };
    match page::write(&path, &head, rows) {
        Ok(()) => {
            let line = format!("report: {}\n", path.display());
            if args.json {
                eprint!("{line}")
            } else {
                print(&line)
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
