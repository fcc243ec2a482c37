//! What an executor's workers go by, and how a program is told from outside.
//!
//! The numbers and their defaults; a [`Builder`] from environment variables. Pure but for the one function that reads them.

use crate::builder::Builder;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// What the workers of an executor go by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// The time between two looks at the clock, the injectors, the timers and the sockets.
    pub(crate) slice_ns: u64,
    /// How many processes in a row may come out of the slot before the queue has its turn.
    pub(crate) lifo_chain: u32,
    /// How long a worker looks for work before it sleeps.
    pub(crate) spin_ns: u64,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { slice_ns: 100_000, lifo_chain: 3, spin_ns: 0 }
    }
}

/// A variable of the environment that does not say what it should; see [`Builder::from_env`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadVariable {
    name: &'static str,
    value: String,
    expected: &'static str,
}

impl fmt::Display for BadVariable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={:?} is not {}", self.name, self.value, self.expected)
    }
}

impl std::error::Error for BadVariable {}

/// Sets what the variables say that `find` finds.
pub(crate) fn builder(find: impl Fn(&str) -> Option<String>) -> Result<Builder, BadVariable> {
    const NUMBER: &str = "a number";
    const PLACEMENT: &str =
        "unbound, compact, spread, numa-balanced, per-node, or a list of PUs such as 0,2,3";
    let mut builder = Builder::default();
    if let Some(workers) = parsed(&find, "BASTION_WORKERS", NUMBER)? {
        builder = builder.workers(workers);
    }
    if let Some(placement) = parsed(&find, "BASTION_PLACEMENT", PLACEMENT)? {
        builder = builder.placement(placement);
    }
    if let Some(smt) = parsed(&find, "BASTION_SMT", "last, avoid or use")? {
        builder = builder.smt(smt);
    }
    if let Some(cores) = parsed(&find, "BASTION_CORES", "any, performance or efficiency")? {
        builder = builder.cores(cores);
    }
    if let Some(count) = parsed(&find, "BASTION_RESERVE_CORES", NUMBER)? {
        builder = builder.reserve_cores(count);
    }
    if let Some(micros) = parsed(&find, "BASTION_TIME_SLICE_US", NUMBER)? {
        builder = builder.time_slice(Duration::from_micros(micros));
    }
    if let Some(polls) = parsed(&find, "BASTION_LIFO_CHAIN", NUMBER)? {
        builder = builder.lifo_chain(polls);
    }
    if let Some(micros) = parsed(&find, "BASTION_SPIN_US", NUMBER)? {
        builder = builder.spin(Duration::from_micros(micros));
    }
    Ok(builder)
}

fn parsed<T: FromStr>(
    find: impl Fn(&str) -> Option<String>,
    name: &'static str,
    expected: &'static str,
) -> Result<Option<T>, BadVariable> {
    let Some(value) = find(name) else { return Ok(None) };
    match value.trim().parse() {
        Ok(parsed) => Ok(Some(parsed)),
        Err(_) => Err(BadVariable { name, value, expected }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::placement::{Cores, Placement, Smt};

    /// Checks what becomes of these variables.
    fn check(variables: &[(&str, &str)]) -> Result<String, String> {
        let find = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        builder(find).map(|made| format!("{made:?}")).map_err(|error| error.to_string())
    }

    fn is(builder: Builder) -> Result<String, String> {
        Ok(format!("{builder:?}"))
    }

    #[test]
    fn each_variable_sets_what_its_method_sets() {
        assert_eq!(check(&[]), is(Builder::default()));
        assert_eq!(check(&[("BASTION_WORKERS", " 3 ")]), is(Builder::default().workers(3)));
        let compact = Builder::default().placement(Placement::Compact);
        assert_eq!(check(&[("BASTION_PLACEMENT", "compact")]), is(compact));
        let listed = Builder::default().placement(Placement::Explicit(vec![0, 2]));
        assert_eq!(check(&[("BASTION_PLACEMENT", "0,2")]), is(listed));
        assert_eq!(check(&[("BASTION_SMT", "avoid")]), is(Builder::default().smt(Smt::Avoid)));
        let fast = Builder::default().cores(Cores::Performance);
        assert_eq!(check(&[("BASTION_CORES", "performance")]), is(fast));
        let reserving = Builder::default().reserve_cores(2);
        assert_eq!(check(&[("BASTION_RESERVE_CORES", "2")]), is(reserving));
        let slice = Builder::default().time_slice(Duration::from_micros(50));
        assert_eq!(check(&[("BASTION_TIME_SLICE_US", "50")]), is(slice));
        assert_eq!(check(&[("BASTION_LIFO_CHAIN", "9")]), is(Builder::default().lifo_chain(9)));
        let spin = Builder::default().spin(Duration::from_micros(20));
        assert_eq!(check(&[("BASTION_SPIN_US", "20")]), is(spin));
        let both = Builder::default().workers(1).lifo_chain(0);
        assert_eq!(check(&[("BASTION_WORKERS", "1"), ("BASTION_LIFO_CHAIN", "0")]), is(both));
    }

    #[test]
    fn a_value_that_means_nothing_is_named() {
        for name in [
            "BASTION_WORKERS",
            "BASTION_RESERVE_CORES",
            "BASTION_TIME_SLICE_US",
            "BASTION_LIFO_CHAIN",
            "BASTION_SPIN_US",
        ] {
            let error = Err(format!("{name}=\"many\" is not a number"));
            assert_eq!(check(&[(name, "many")]), error);
        }
        let error = check(&[("BASTION_PLACEMENT", "moon")]).unwrap_err();
        assert!(error.starts_with("BASTION_PLACEMENT=\"moon\" is not unbound, compact"), "{error}");
        for (name, expected) in [
            ("BASTION_SMT", "last, avoid or use"),
            ("BASTION_CORES", "any, performance or efficiency"),
        ] {
            assert_eq!(check(&[(name, "no")]), Err(format!("{name}=\"no\" is not {expected}")));
        }
    }
}
