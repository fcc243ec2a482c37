//! A measurement in a process of its own: this program, started again with the path of one subject.
//!
//! The process warms up, measures once, prints the amount, and ends with all its threads. When it is told how many operations
//! to do, it does them once and does not warm up: then somebody else counts what it does.

use crate::bench::{Amount, Failure, Group, How, Measured, Subject, Unit};
use crate::groups::GROUPS;
use crate::select::{self, Wanted};
use crate::subjects::settings;
use crate::subjects::workers;
use bastion_executor::affinity;
use std::env;
use std::process::{Command, ExitCode, Stdio};
use std::thread::available_parallelism;

/// The argument by which the program is told to be such a process.
pub(crate) const ARGUMENT: &str = "--measure";

/// The argument that says how many operations it does.
pub(crate) const OPERATIONS: &str = "--operations";

/// The argument that says how many workers there are.
pub(crate) const WORKERS: &str = "--workers";

/// Has glibc give big blocks back to the system when they are freed: a table that has grown leaves its smaller predecessors, which
/// would count as its memory. By itself it does so only until the first is freed.
const BIG: &str = "MALLOC_MMAP_THRESHOLD_";
const BIG_FROM: &str = "131072";

/// Says why a subject cannot have as many workers as the others, if it cannot: the Bastion 0.4 line takes a thread for each processor.
pub(crate) fn refused(subject: &Subject) -> Option<&'static str> {
    let processors = available_parallelism().map_or(1, usize::from);
    (subject.name.ends_with("-0.4") && processors < workers())
        .then_some("it takes as many workers as there are processors, which are fewer")
}

/// Measures a subject in a process of its own.
///
/// # Errors
/// What the process says, or that it could not be started.
pub(crate) fn measure(path: &str, unit: Unit) -> Measured {
    let mut command = Command::new(env::current_exe()?);
    if unit == Unit::Bytes {
        command.env(BIG, BIG_FROM);
    }
    command.args([ARGUMENT, path, WORKERS, &workers().to_string()]).stdin(Stdio::null());
    let output = command.output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().last().unwrap_or("it said nothing");
        return Err(Failure::new(format!("{}: {last}", output.status)));
    }
    Ok(Amount(String::from_utf8_lossy(&output.stdout).trim().parse()?))
}

/// Is the process of its own.
pub(crate) fn run(path: &str, operations: Option<u32>) -> ExitCode {
    leave_processors();
    match warm_up_and_measure(GROUPS, path, operations) {
        Ok(Amount(amount)) => {
            println!("{amount}");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn warm_up_and_measure(groups: &'static [Group], path: &str, operations: Option<u32>) -> Measured {
    let chosen = select::select(groups, &[], Wanted { filter: Some(path), ..Wanted::default() })?;
    let mut rows = chosen.iter().flat_map(|chosen| &chosen.rows);
    let found = rows.find_map(|row| {
        let subject = row.subjects.iter().find(|subject| row.path(subject) == path)?;
        Some((subject.how, row.workload.operations))
    });
    match (found, operations) {
        (Some((How::Counted(work), _)), Some(operations)) => work(operations),
        (Some((How::Here(measure) | How::Alone(measure), operations)), None) => {
            measure(operations)?;
            measure(operations)
        }
        _ => Err(Failure::new(format!("`{path}` is not measured"))),
    }
}

/// Keeps subjects that take as many threads as there are processors from taking more than the others.
fn leave_processors() {
    // Where threads cannot be bound, the README's word on such machines applies. Without a word on the workers, ours takes them
    // from the environment, and so do the processors.
    if settings::workers_are_set()
        && let Some(allowed) = affinity::allowed()
        && allowed.len() > workers()
    {
        let _ = affinity::bind_current(&allowed[..workers()]);
    }
}
