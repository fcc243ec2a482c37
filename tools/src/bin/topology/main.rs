//! Draws a machine and where each worker of an executor goes on it. `cargo xtask topology` is the way to run it.

#![forbid(unsafe_code)]

mod args;
mod check;
mod failure;
mod machine;
#[cfg(test)]
#[path = "../../../../executor/tests/machines/mod.rs"]
mod machines;
mod picture;
mod seats;
mod svg;
mod text;
mod tree;

use std::fs;
use std::io::{self, Write};
use std::process::ExitCode;

use bastion_executor::placement::{Placement, Plan, Request, UnknownName};
use bastion_executor::{Executor, Topology};
use clap::Parser;
use serde_json::json;

use crate::args::TopologyArgs;
use crate::failure::Failure;
use crate::machine::Machine;
use crate::picture::Picture;

/// Draw a machine and where each worker of an executor goes on it
#[derive(Parser, Debug)]
#[command(name = "topology")]
struct Cli {
    #[command(flatten)]
    topology: TopologyArgs,
}

fn main() -> ExitCode {
    let args = match Cli::try_parse() {
        Ok(cli) => cli.topology,
        Err(error) if !error.use_stderr() => error.exit(),
        // The rest is advice, which `--help` has too.
        Err(error) => return refuse(error.to_string().lines().next().unwrap_or_default(), 2),
    };
    match show(&args) {
        Ok(code) => code,
        Err(failure) => refuse(&failure.to_string(), failure.code()),
    }
}

/// Says in one line what went wrong.
fn refuse(error: &str, code: u8) -> ExitCode {
    eprintln!("error: {}", error.strip_prefix("error: ").unwrap_or(error));
    ExitCode::from(code)
}

fn show(args: &TopologyArgs) -> Result<ExitCode, Failure> {
    let machine = machine::read(args)?;
    let topology = &machine.topology;
    if args.check && !topology.is_this_machine() {
        return Err(Failure::Elsewhere(topology.to_string()));
    }
    let plan = request(args)?.plan(topology)?;
    let picture = Picture::new(topology, &plan);
    if let Some(path) = &args.svg {
        let written = fs::write(path, svg::draw(&picture));
        written.map_err(|error| Failure::Write(path.clone(), error))?;
    }
    if args.json {
        print(&format!("{}\n", json!({ "topology": topology, "plan": plan })));
        return Ok(ExitCode::SUCCESS);
    }
    let explained = text::fold(&plan.explain().to_string());
    print(&format!("{}\n{explained}{}", text::draw(&picture), here(&machine, &plan)));
    if args.check { compare(args, topology, &plan) } else { Ok(ExitCode::SUCCESS) }
}

fn request(args: &TopologyArgs) -> Result<Request, UnknownName> {
    let policy: Option<Placement> = args.policy.as_deref().map(str::parse).transpose()?;
    let request = Request::new().policy(policy).workers(args.workers.map(usize::from));
    let request = request.smt(args.smt.parse()?).cores(args.cores.parse()?);
    Ok(request.reserve_cores(args.reserve_cores.into()))
}

/// Says whether the plan would be carried out on this machine, and how long it took to read it.
fn here(machine: &Machine, plan: &Plan) -> String {
    let is_bound = plan.workers.iter().any(|place| place.cpus.is_some());
    let verdict = match (machine.topology.is_this_machine(), is_bound) {
        (true, true) => "an executor here binds its workers so",
        (true, false) => "an executor here binds no worker",
        (false, _) => {
            "this is not the machine that this program runs on: an executor here would bind no worker"
        }
    };
    let time =
        machine.time.map(|time| format!("discovered in {:.1} ms\n", 1e3 * time.as_secs_f64()));
    format!("{verdict}\n{}", time.unwrap_or_default())
}

/// Starts an executor with the plan and shows where its workers are.
fn compare(args: &TopologyArgs, topology: &Topology, plan: &Plan) -> Result<ExitCode, Failure> {
    let executor = Executor::builder()
        .topology(topology.clone())
        .workers(plan.workers.len())
        .placement(plan.policy.clone())
        .smt(args.smt.parse()?)
        .cores(args.cores.parse()?)
        .reserve_cores(args.reserve_cores.into())
        .build()?;
    let (table, wrong) = check::table(topology, &check::look(&executor));
    print(&format!("\n{table}"));
    Ok(if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Prints to standard output; a reader who has gone (`| head`) is no error.
fn print(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
}
