//! [`Smt`] and [`Cores`]: which PUs of a machine are wanted, and which of them first.

use super::UnknownName;
use std::fmt;
use std::str::FromStr;

/// What is made of cores that run several hardware threads.
///
/// Written and read as `last`, `avoid` and `use`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Smt {
    /// One PU of every core of a node first, the second ones after that. What is best where workers have much to do: two threads of a
    /// core share its units.
    #[default]
    Last,
    /// One PU of every core and never a second one.
    Avoid,
    /// All PUs of a core together, core after core. What is best where neighbouring workers share much data, or whole cores are to
    /// stay free.
    Use,
}

/// Which cores are wanted on a hybrid machine. On others every core is of every kind.
///
/// Written and read as `any`, `performance` and `efficiency`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Cores {
    /// All of them, the fast ones first.
    #[default]
    Any,
    /// Only the fast ones.
    Performance,
    /// Only the frugal ones.
    Efficiency,
}

impl FromStr for Smt {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Smt, UnknownName> {
        let all = [Self::Last, Self::Avoid, Self::Use];
        let found = all.into_iter().find(|smt| smt.to_string() == text);
        found.ok_or_else(|| UnknownName::new("SMT preference", text))
    }
}

impl fmt::Display for Smt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Last => "last",
            Self::Avoid => "avoid",
            Self::Use => "use",
        })
    }
}

impl FromStr for Cores {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Cores, UnknownName> {
        let all = [Self::Any, Self::Performance, Self::Efficiency];
        let found = all.into_iter().find(|cores| cores.to_string() == text);
        found.ok_or_else(|| UnknownName::new("kind of cores", text))
    }
}

impl fmt::Display for Cores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Any => "any",
            Self::Performance => "performance",
            Self::Efficiency => "efficiency",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        for smt in [Smt::Last, Smt::Avoid, Smt::Use] {
            assert_eq!(smt.to_string().parse(), Ok(smt));
        }
        for cores in [Cores::Any, Cores::Performance, Cores::Efficiency] {
            assert_eq!(cores.to_string().parse(), Ok(cores));
        }
        let error = |error: UnknownName| error.to_string();
        assert_eq!(
            "on".parse::<Smt>().map_err(error),
            Err("there is no SMT preference \"on\"".into())
        );
        assert_eq!(
            "p".parse::<Cores>().map_err(error),
            Err("there is no kind of cores \"p\"".into())
        );
    }
}
