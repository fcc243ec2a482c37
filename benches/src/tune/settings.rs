//! What is tuned: one configuration of the executor, and the configurations that are worth a trial on a machine.
//!
//! Pure: a described machine gives the same candidates as the real one.

use bastion_executor::placement::{Plan, Request};
use bastion_executor::{Placement, Topology};
use std::fmt;

/// The settings of an executor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) workers: usize,
    pub(super) placement: Placement,
    pub(super) time_slice_us: u64,
    pub(super) lifo_chain: u64,
    pub(super) spin_us: u64,
}

/// The placements that have a name and no list.
const PLACEMENTS: [Placement; 5] = [
    Placement::Unbound,
    Placement::Compact,
    Placement::Spread,
    Placement::NumaBalanced,
    Placement::PerNode,
];

impl Settings {
    /// Returns what an executor has when nobody says anything.
    pub(super) fn default_on(topology: &Topology) -> Settings {
        let plan = default_plan(topology);
        Settings {
            workers: plan.workers.len(),
            placement: plan.policy,
            time_slice_us: 100,
            lifo_chain: 3,
            spin_us: 0,
        }
    }

    /// Returns the variables that tell a program these settings.
    pub(super) fn variables(&self) -> [(&'static str, String); 5] {
        [
            ("BASTION_WORKERS", self.workers.to_string()),
            ("BASTION_PLACEMENT", self.placement.to_string()),
            ("BASTION_TIME_SLICE_US", self.time_slice_us.to_string()),
            ("BASTION_LIFO_CHAIN", self.lifo_chain.to_string()),
            ("BASTION_SPIN_US", self.spin_us.to_string()),
        ]
    }

    /// Returns the variables that differ from other settings, as a shell takes them.
    pub(super) fn as_variables(&self, default: &Settings) -> String {
        let pairs = self.variables().into_iter().zip(default.variables());
        let differs = pairs.filter(|(own, default)| own != default);
        differs.map(|((name, value), _)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
    }

    /// Returns the making of an executor with what differs from the default settings.
    pub(super) fn as_rust(&self, default: &Settings) -> String {
        let name = match self.placement {
            Placement::Unbound => "Unbound",
            Placement::Compact => "Compact",
            Placement::Spread => "Spread",
            Placement::NumaBalanced => "NumaBalanced",
            Placement::PerNode => "PerNode",
            // Never tried: it has a list.
            _ => "Explicit(list)",
        };
        let micros = |count: u64| format!("Duration::from_micros({count})");
        let calls = [
            (self.workers != default.workers, format!(".workers({})", self.workers)),
            (self.placement != default.placement, format!(".placement(Placement::{name})")),
            (
                self.time_slice_us != default.time_slice_us,
                format!(".time_slice({})", micros(self.time_slice_us)),
            ),
            (self.lifo_chain != default.lifo_chain, format!(".lifo_chain({})", self.lifo_chain)),
            (self.spin_us != default.spin_us, format!(".spin({})", micros(self.spin_us))),
        ];
        let differs = calls.into_iter().filter(|(differs, _)| *differs);
        let lines: String = differs.map(|(_, call)| format!("\n    {call}")).collect();
        format!("let executor = Executor::builder(){lines}{}.build()?;", {
            if lines.is_empty() { "" } else { "\n    " }
        })
    }
}

impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Settings { workers, placement, time_slice_us, lifo_chain, spin_us } = self;
        let plural = if *workers == 1 { "" } else { "s" };
        write!(
            f,
            "{workers} worker{plural}, {placement}, slice {time_slice_us} us, chain {lifo_chain}, \
             spin {spin_us} us"
        )
    }
}

/// The name of a placement that is none.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct UnknownPlacement(String);

impl fmt::Display for UnknownPlacement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = PLACEMENTS.map(|placement| placement.to_string()).join(", ");
        write!(f, "there is no placement `{}`; there are: {known}", self.0)
    }
}

impl std::error::Error for UnknownPlacement {}

/// Finds placements by their names; all of them if no name is given.
///
/// # Errors
/// [`UnknownPlacement`] for the first name that is none.
pub(super) fn placements(names: &[String]) -> Result<Vec<Placement>, UnknownPlacement> {
    if names.is_empty() {
        return Ok(PLACEMENTS.to_vec());
    }
    let find = |name: &String| {
        let found = PLACEMENTS.iter().find(|placement| placement.to_string() == *name);
        found.cloned().ok_or_else(|| UnknownPlacement(name.clone()))
    };
    names.iter().map(find).collect()
}

/// Where the workers go when nobody says anything.
fn default_plan(topology: &Topology) -> Plan {
    Request::new().plan(topology).expect("a request that says nothing fits every machine")
}

/// Returns the numbers of workers that are worth a trial: powers of two below what is the default, and that.
pub(super) fn worker_counts(topology: &Topology) -> Vec<usize> {
    let most = default_plan(topology).workers.len();
    let powers = std::iter::successors(Some(1), |count: &usize| count.checked_mul(2));
    powers.take_while(|count| *count < most).chain([most]).collect()
}

/// Returns every number of workers in every placement, as far as the machine allows it, the default settings first. Of those that
/// put the workers to the same places there is one.
pub(super) fn places(
    topology: &Topology,
    workers: &[usize],
    placements: &[Placement],
) -> Vec<Settings> {
    let default = Settings::default_on(topology);
    let others = workers.iter().flat_map(|workers| {
        placements.iter().map(|placement| Settings {
            workers: *workers,
            placement: placement.clone(),
            ..default.clone()
        })
    });
    let mut plans = Vec::new();
    let mut out = Vec::new();
    for settings in [default.clone()].into_iter().chain(others) {
        // What the machine refuses is no candidate.
        let request = Request::new().policy(settings.placement.clone()).workers(settings.workers);
        let Ok(plan) = request.plan(topology) else { continue };
        let places = (plan.workers, plan.domains);
        if !plans.contains(&places) {
            plans.push(places);
            out.push(settings);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(text: &str) -> Topology {
        text.parse().expect("a machine")
    }

    fn default() -> Settings {
        Settings::default_on(&machine("core:2"))
    }

    #[test]
    fn the_default_is_that_of_the_builder() {
        let expected = Settings {
            workers: 2,
            placement: Placement::Unbound,
            time_slice_us: 100,
            lifo_chain: 3,
            spin_us: 0,
        };
        assert_eq!(default(), expected);
        let two_nodes = Settings::default_on(&machine("node:2 core:2"));
        assert_eq!((two_nodes.workers, two_nodes.placement), (4, Placement::PerNode));
    }

    #[test]
    fn places_that_are_the_same_are_tried_once() {
        let machine = machine("core:2");
        let shown = |workers: &[usize]| -> Vec<String> {
            let places = places(&machine, workers, &PLACEMENTS);
            places.iter().map(|one| format!("{} {}", one.workers, one.placement)).collect()
        };
        // On one node with one cache, compact, spread and numa-balanced are one.
        let expected =
            ["2 unbound", "1 unbound", "1 compact", "1 per-node", "2 compact", "2 per-node"];
        assert_eq!(shown(&[1, 2]), expected);
        // Three cannot have a PU each.
        assert_eq!(shown(&[3]), ["2 unbound", "3 unbound", "3 per-node"]);
    }

    #[test]
    fn worker_counts_double_up_to_the_processors() {
        assert_eq!(worker_counts(&machine("core:1")), [1]);
        assert_eq!(worker_counts(&machine("core:2")), [1, 2]);
        assert_eq!(worker_counts(&machine("core:6")), [1, 2, 4, 6]);
    }

    #[test]
    fn names_of_placements_are_found_or_said() {
        let named =
            |names: &[&str]| placements(&names.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(named(&["compact"]), Ok(vec![Placement::Compact]));
        assert_eq!(named(&[]).map(|all| all.len()), Ok(5));
        let error = named(&["compact", "near"]).unwrap_err().to_string();
        assert!(error.starts_with("there is no placement `near`; there are: unbound, "), "{error}");
    }

    #[test]
    fn only_what_differs_is_written() {
        let other = Settings { workers: 1, spin_us: 10, ..default() };
        assert_eq!(other.as_variables(&default()), "BASTION_WORKERS=1 BASTION_SPIN_US=10");
        assert_eq!(
            other.as_rust(&default()),
            "let executor = Executor::builder()\n    .workers(1)\n    .spin(Duration::from_micros(10))\n    .build()?;"
        );
        assert_eq!(default().as_rust(&default()), "let executor = Executor::builder().build()?;");
    }
}
