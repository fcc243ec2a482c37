//! [`Placement`]: the policies by name.

use super::UnknownName;
use std::fmt;
use std::str::FromStr;

/// How workers are spread over a machine.
///
/// Written and read as `unbound`, `compact`, `spread`, `numa-balanced`, `per-node`, or a list of PUs such as `0,2,3`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Placement {
    /// No worker is bound; the operating system moves them as it likes. If some PUs are left out (see
    /// [`Request`](super::Request)), all workers are bound to all the others.
    Unbound,
    /// One PU per worker: node by node, and in a node in the order that [`Smt`](super::Smt) says.
    Compact,
    /// One PU per worker, as far apart as possible: each next worker goes to the emptiest node, there
    /// to an unused core of the emptiest cache.
    Spread,
    /// One PU per worker: the same number on every node, compact inside.
    NumaBalanced,
    /// The same number of workers on every node, each bound to all PUs of its node.
    PerNode,
    /// One PU per worker: these, by their operating system ids, in this order.
    Explicit(Vec<u32>),
}

impl Placement {
    /// Those that have a name and no list.
    const NAMED: [Placement; 5] =
        [Self::Unbound, Self::Compact, Self::Spread, Self::NumaBalanced, Self::PerNode];

    /// Returns what the policy is called; `explicit` for any list.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Unbound => "unbound",
            Self::Compact => "compact",
            Self::Spread => "spread",
            Self::NumaBalanced => "numa-balanced",
            Self::PerNode => "per-node",
            Self::Explicit(_) => "explicit",
        }
    }
}

impl FromStr for Placement {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Placement, UnknownName> {
        if let Some(named) = Self::NAMED.into_iter().find(|placement| placement.name() == text) {
            return Ok(named);
        }
        let list: Result<_, _> = text.split(',').map(|pu| pu.trim().parse()).collect();
        list.map(Self::Explicit).map_err(|_| UnknownName::new("placement", text))
    }
}

impl fmt::Display for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Explicit(list) = self else { return f.pad(self.name()) };
        f.pad(&list.iter().map(ToString::to_string).collect::<Vec<_>>().join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let list = Placement::Explicit(vec![3, 0, 12]);
        assert_eq!(list.to_string(), "3,0,12");
        for placement in Placement::NAMED.into_iter().chain([list]) {
            assert_eq!(placement.to_string().parse(), Ok(placement));
        }
        let error = "moon".parse::<Placement>().unwrap_err();
        assert_eq!(error.to_string(), "there is no placement \"moon\"");
    }
}
