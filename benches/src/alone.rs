//! A measurement in a process of its own: this program, started again with the path of one subject.
//!
//! The process warms up, measures once, prints the nanoseconds, and ends with all its threads.

use crate::bench::{Failure, Group, How, Measured};
use crate::groups::GROUPS;
use crate::select;
use crate::subjects::WORKERS;
use bastion_executor::affinity;
use std::env;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

/// The argument by which the program is told to be such a process.
pub(crate) const ARGUMENT: &str = "--measure";

/// Measures a subject in a process of its own.
///
/// # Errors
/// What the process says, or that it could not be started.
pub(crate) fn measure(path: &str) -> Measured {
    let mut command = Command::new(env::current_exe()?);
    command.args([ARGUMENT, path]).stdin(Stdio::null());
    let output = command.output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().last().unwrap_or("it said nothing");
        return Err(Failure::new(format!("{}: {last}", output.status)));
    }
    let nanos: u64 = String::from_utf8_lossy(&output.stdout).trim().parse()?;
    Ok(Duration::from_nanos(nanos))
}

/// Is the process of its own.
pub(crate) fn run(path: &str) -> ExitCode {
    leave_two_processors();
    match warm_up_and_measure(GROUPS, path) {
        Ok(took) => {
            println!("{}", took.as_nanos());
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn warm_up_and_measure(groups: &'static [Group], path: &str) -> Measured {
    let chosen =
        select::select(groups, &[], Some(path)).map_err(|e| Failure::new(e.to_string()))?;
    let mut rows = chosen.iter().flat_map(|chosen| &chosen.rows);
    let found = rows.find_map(|row| {
        let subject = row.subjects.iter().find(|subject| row.path(subject) == path)?;
        Some((subject.how, row.workload.operations))
    });
    match found {
        Some((How::Here(measure) | How::Alone(measure), operations)) => {
            measure(operations)?;
            measure(operations)
        }
        _ => Err(Failure::new(format!("`{path}` is not measured"))),
    }
}

/// Keeps subjects that take as many threads as there are processors from taking more than the others.
fn leave_two_processors() {
    // Where threads cannot be bound, the README's word on such machines applies.
    if let Some(allowed) = affinity::allowed()
        && allowed.len() > WORKERS
    {
        let _ = affinity::bind_current(&allowed[..WORKERS]);
    }
}
