//! What the program does: as the first one of a machine, everything; else what its arguments say.

use std::env;
use std::process::{Command, ExitCode};

use bastion_executor::{Executor, Placement, Topology};

use crate::facts::{Fact, Node};
use crate::{spawning, system, workers};

/// Why something could not be measured.
pub(crate) type Trouble = Box<dyn std::error::Error + Send + Sync>;

/// Does what the arguments say, or, as the first program of a machine, everything there is.
pub(crate) fn run(args: &[&str]) -> ExitCode {
    if std::process::id() == 1 {
        let mut told = 0;
        if let Err(error) = as_first_program(args, &mut told) {
            told += tell(&[Fact::Broken(error.to_string())]);
        }
        tell(&[Fact::End(told)]);
        let error = system::power_off().err();
        eprintln!("the machine cannot be switched off: {error:?}");
        return ExitCode::FAILURE;
    }
    let measured = match args {
        [placement, workers] => measure(placement, workers),
        _ => Err("the arguments are a placement and a number of workers".into()),
    };
    match measured {
        Ok(facts) => {
            tell(&facts);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// Prepares the machine, and measures each executor in a process of its own, because the C library gives the stacks and the heaps of
/// threads that have ended to new ones, wherever these are. Counts what it has told.
fn as_first_program(args: &[&str], told: &mut usize) -> Result<(), Trouble> {
    system::mount_all()?;
    match args {
        [] => {}
        ["--cpus", cpus] => system::box_in(cpus)?,
        _ => return Err(format!("unknown arguments: {args:?}").into()),
    }
    let topology = Topology::discover();
    *told += tell(&describe(&topology));
    let own = env::current_exe()?;
    for (placement, workers) in executors(topology.pus().len()) {
        let output = Command::new(&own).args([placement.to_string(), workers.to_string()]).output();
        let output = output.map_err(|error| format!("{}: {error}", own.display()))?;
        let text = String::from_utf8_lossy(&output.stdout);
        print!("{text}");
        *told += text.lines().count();
        if !output.status.success() {
            let why = String::from_utf8_lossy(&output.stderr);
            let what = format!("{placement}/{workers}: {}: {}", output.status, why.trim());
            *told += tell(&[Fact::Broken(what)]);
        }
    }
    Ok(())
}

/// The executors that are measured on a machine with so many PUs: one worker for each PU, and, where the policies then differ in more
/// than their order, half as many.
fn executors(pus: usize) -> Vec<(Placement, usize)> {
    use Placement::{Compact, NumaBalanced, PerNode, Spread};
    let mut executors: Vec<_> =
        [PerNode, NumaBalanced, Compact, Spread].into_iter().map(|policy| (policy, pus)).collect();
    if pus >= 4 {
        executors.extend([Compact, Spread].map(|policy| (policy, pus / 2)));
    }
    executors
}

/// Measures one executor.
fn measure(placement: &str, workers: &str) -> Result<Vec<Fact>, Trouble> {
    let executor =
        Executor::builder().placement(placement.parse()?).workers(workers.parse()?).build()?;
    let subject = Subject { name: format!("{placement}/{workers}"), executor };
    let mut facts = workers::look(&subject)?;
    facts.extend(spawning::look(&subject)?);
    Ok(facts)
}

/// An executor that is measured, with the name that it has in the facts.
pub(crate) struct Subject {
    pub(crate) name: String,
    pub(crate) executor: Executor,
}

fn describe(topology: &Topology) -> Vec<Fact> {
    let distance =
        |index: usize| topology.distance().map_or(Vec::new(), |rows| rows[index].clone());
    let nodes = topology.nodes().iter().enumerate().map(|(index, node)| {
        Fact::Node(Node {
            os: node.os,
            cpus: node.cpus.as_slice().to_vec(),
            mem_bytes: node.mem_bytes.unwrap_or(0),
            distance: distance(index),
        })
    });
    let cores = topology.cores().iter().map(|core| Fact::Core(core.as_slice().to_vec()));
    nodes.chain(cores).collect()
}

/// Writes facts to the console, and returns how many.
fn tell(facts: &[Fact]) -> usize {
    facts.iter().for_each(|fact| println!("{fact}"));
    facts.len()
}
