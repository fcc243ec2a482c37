//! `tune`: finds the executor settings that suit this machine and a workload, or finds that the default ones do.
//!
//! `settings` has what is tried, `decide` when something is better, `search` the order of the trials, `trial` one of them, `show` what
//! is told. Only `trial` starts processes, and only this file knows the time.

mod decide;
mod search;
#[cfg(test)]
mod search_tests;
mod settings;
mod show;
mod trial;

use crate::args::TuneArgs;
use crate::bench::{How, OURS, Unit};
use crate::groups::{GROUPS, SETS};
use crate::run::progress_bar;
use crate::{INTERRUPTED, print, refuse};
use bastion_executor::{Placement, Topology};
use search::{Search, Stage};
use settings::Settings;
use show::End;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};
use trial::{Halt, Load};

/// What is measured when nobody says: a little of everything that a program does with an executor.
const MIX: [&str; 7] = [
    "spawn/await-each",
    "spawn/from-worker",
    "spawn/from-outside",
    "yield/yield-now",
    "wake/round-trip",
    "wake/ping-pong",
    "async-executor-set/web-server",
];

/// Searches, and tells what was found.
pub(crate) fn run(args: &TuneArgs, stop: &AtomicBool) -> ExitCode {
    let topology = Topology::discover();
    let load = match load(args) {
        Ok(load) => load,
        Err(error) => return refuse(error),
    };
    let placements = match settings::placements(&args.placement) {
        Ok(placements) => placements,
        Err(error) => return refuse(error),
    };
    let default = Settings::default_on(&topology);
    let stages = stages(args, topology, placements);
    let (started, budget) = (Instant::now(), Duration::from_secs(args.budget));
    let bar = progress_bar(args.budget);
    let mut measure = |settings: &Settings| {
        if stop.load(Relaxed) {
            return Err(Halt::Interrupted);
        }
        bar.set_position(started.elapsed().as_secs().min(args.budget));
        bar.set_message(settings.to_string());
        let measured = load.measure(settings, Duration::from_secs(args.timeout));
        measured.map_err(|error| match stop.load(Relaxed) {
            // Ctrl-C also ends a program of the user's, which is no failure of its own.
            true => Halt::Interrupted,
            false => Halt::Failed(settings.clone(), error),
        })
    };
    let used = || started.elapsed().as_secs_f64() / budget.as_secs_f64();
    let rounds = usize::try_from(args.rounds).unwrap_or(usize::MAX);
    let mut search = Search::new(default, rounds, &mut measure, &used);
    let halted = search.run(&stages).err();
    bar.finish_and_clear();
    let end = match &halted {
        Some(_) => End::Halted,
        None if used() >= 1.0 => End::UsedUp,
        None => End::Complete,
    };
    print(&if args.json {
        show::json_lines(&search, load.unit(), end)
    } else {
        show::table(&search, load.unit()) + &show::recommendation(&search, end)
    });
    match halted {
        None => ExitCode::SUCCESS,
        Some(Halt::Interrupted) => {
            eprintln!("interrupted: the trials after this are missing");
            ExitCode::from(INTERRUPTED)
        }
        Some(Halt::Failed(settings, error)) => {
            eprintln!("error: {error} (with {settings})");
            ExitCode::FAILURE
        }
    }
}

/// Makes the stages out of what is to be tried.
fn stages(args: &TuneArgs, topology: Topology, placements: Vec<Placement>) -> Vec<Stage> {
    let given = args.workers.iter().map(|count| usize::try_from(*count).unwrap_or(usize::MAX));
    let mut workers: Vec<usize> = given.collect();
    if workers.is_empty() {
        workers = settings::worker_counts(&topology);
    }
    let places = move |best: &Settings| -> Vec<Settings> {
        let places = settings::places(&topology, &workers, &placements);
        let with_the_rest = |place: Settings| Settings {
            workers: place.workers,
            placement: place.placement,
            ..best.clone()
        };
        places.into_iter().map(with_the_rest).collect()
    };
    // The place decides more than the rest together, and has the most candidates.
    vec![
        Stage { name: "workers and placement", ends_at: 0.5, candidates: Box::new(places) },
        one_by_one("time slice", 0.63, &args.time_slice_us, |settings, value| {
            settings.time_slice_us = value;
        }),
        one_by_one("LIFO chain", 0.76, &args.lifo_chain, |settings, value| {
            settings.lifo_chain = value;
        }),
        one_by_one("spin", 0.89, &args.spin_us, |settings, value| settings.spin_us = value),
    ]
}

/// Makes a stage that tries the values of one setting.
fn one_by_one(
    name: &'static str,
    ends_at: f64,
    values: &[u64],
    set: fn(&mut Settings, u64),
) -> Stage {
    let values = values.to_vec();
    let candidates = move |best: &Settings| -> Vec<Settings> {
        let with = |value: &u64| {
            let mut settings = best.clone();
            set(&mut settings, *value);
            settings
        };
        values.iter().map(with).collect()
    };
    Stage { name, ends_at, candidates: Box::new(candidates) }
}

/// Finds what is to be measured.
fn load(args: &TuneArgs) -> Result<Load, String> {
    if !args.user_command.is_empty() {
        let (command, printed) = (args.user_command.clone(), args.printed);
        return Ok(Load::Program { command, printed });
    }
    let names: Vec<&str> = match args.workloads.as_slice() {
        [] => MIX.to_vec(),
        some => some.iter().map(String::as_str).collect(),
    };
    let tunable = tunable();
    let find = |name: &str| {
        let found = tunable.iter().find(|(path, _)| path == name);
        let (path, operations) = found.ok_or_else(|| {
            let known: Vec<&str> = tunable.iter().map(|(path, _)| path.as_str()).collect();
            format!("`{name}` cannot be tuned for; there are: {}", known.join(", "))
        })?;
        Ok((format!("{path}/{OURS}"), *operations))
    };
    Ok(Load::Named(names.into_iter().map(find).collect::<Result<_, String>>()?))
}

/// Returns the workloads whose time depends on our executor alone, with their operations.
fn tunable() -> Vec<(String, u32)> {
    let is_in_a_set = |name: &str| SETS.iter().any(|set| set.groups.contains(&name));
    let groups = GROUPS.iter().filter(|group| is_in_a_set(group.name));
    let workloads = groups.flat_map(|group| group.workloads.iter().map(move |one| (group, one)));
    workloads
        .filter(|(_, workload)| workload.unit == Unit::Nanoseconds)
        .filter(|(_, workload)| {
            let mut ours = workload.subjects.iter().filter(|subject| subject.name == OURS);
            ours.any(|subject| matches!(subject.how, How::Here(_)))
        })
        .map(|(group, workload)| (format!("{}/{}", group.name, workload.name), workload.operations))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        tune: TuneArgs,
    }

    fn args(line: &[&str]) -> Result<TuneArgs, clap::Error> {
        Ok(Cli::try_parse_from(["tune"].iter().chain(line))?.tune)
    }

    fn paths(line: &[&str]) -> Result<Vec<String>, String> {
        match load(&args(line).expect("valid"))? {
            Load::Named(parts) => Ok(parts.into_iter().map(|(path, _)| path).collect()),
            Load::Program { command, .. } => {
                Ok(command.iter().map(|word| word.to_string_lossy().into_owned()).collect())
            }
        }
    }

    #[test]
    fn workloads_are_found_by_name() {
        assert_eq!(paths(&[]).map(|all| all.len()), Ok(MIX.len()));
        assert_eq!(paths(&["wake/round-trip"]), Ok(vec!["wake/round-trip/bastion".to_owned()]));
        let error = paths(&["memory/parked-64"]).unwrap_err();
        assert!(error.starts_with("`memory/parked-64` cannot be tuned for; there are: spawn/"));
    }

    #[test]
    fn a_command_has_its_own_arguments() {
        let line = ["--rounds", "7", "--", "program", "--rounds", "x"];
        assert_eq!(paths(&line), Ok(["program", "--rounds", "x"].map(String::from).to_vec()));
        assert!(args(&["wake/round-trip", "--", "program"]).is_err());
        assert!(args(&["--printed"]).is_err());
        assert!(args(&["--rounds", "6"]).is_err(), "too few to show anything");
        assert!(args(&["--workers", "1,0"]).is_err());
    }

    #[test]
    fn each_stage_changes_its_own_setting() {
        let args = args(&["--workers", "1", "--spin-us", "0,5"]).expect("valid");
        let machine = Topology::flat(2);
        let best = Settings { lifo_chain: 9, ..Settings::default_on(&machine) };
        let stages = stages(&args, machine, vec![Placement::Unbound]);
        let all: Vec<Vec<Settings>> =
            stages.iter().map(|stage| (stage.candidates)(&best)).collect();
        assert_eq!(all[0], [best.clone(), Settings { workers: 1, ..best.clone() }]);
        assert_eq!(all[3], [best.clone(), Settings { spin_us: 5, ..best.clone() }]);
        assert_eq!(all[2].iter().map(|one| one.lifo_chain).collect::<Vec<_>>(), [0, 3, 16]);
        assert!(stages.is_sorted_by(|one, other| one.ends_at < other.ends_at));
    }
}
