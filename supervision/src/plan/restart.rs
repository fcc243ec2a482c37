//! OTP's restart table: what becomes of a child that ended by itself.

use super::exit::ExitClass;
use super::intensity::Intensity;

/// When a child that ended by itself is started again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum RestartType {
    /// Always, however it ended (OTP's default).
    #[default]
    Permanent,
    /// Only when it ended abnormally. Else its entry is kept, not running.
    Transient,
    /// Never: its entry is removed, also when a sibling's failure stops it.
    Temporary,
}

/// What the restart type demands after a child ended by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RestartDecision {
    /// The child is started again, within the limits of its policy and of the intensity.
    Restart,
    /// The child stays in the table, not running.
    Keep,
    /// The child leaves the table.
    Remove,
}

impl RestartType {
    /// Returns what OTP's table demands for a child of this type that ended by itself.
    pub const fn decide(self, class: ExitClass) -> RestartDecision {
        match (self, class) {
            (Self::Permanent, _) | (Self::Transient, ExitClass::Abnormal) => {
                RestartDecision::Restart
            }
            (Self::Transient, ExitClass::Normal | ExitClass::Shutdown) => RestartDecision::Keep,
            (Self::Temporary, _) => RestartDecision::Remove,
        }
    }
}

/// How often a child may be restarted because of its own failures, over its whole life.
///
/// Bastion's own rule, beside OTP's intensity: it concerns one child, knows no period, and a child
/// that has used it up leaves the table without harm to its supervisor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum RestartPolicy {
    /// As often as its restart type demands.
    #[default]
    Always,
    /// Never, also not as the sibling of a failed child: such a child is removed.
    Never,
    /// So many times; the failure after that removes it. Restarts that a sibling's failure
    /// causes are not counted.
    Tries(u32),
    /// So many in a rolling window of its own; the failure after that removes it. Otherwise as
    /// `Tries`.
    Within(Intensity),
}

impl RestartPolicy {
    /// Returns whether a child that was restarted so often already may be restarted again. The
    /// window of `Within` is not asked.
    pub const fn allows(self, restarts: u32) -> bool {
        match self {
            Self::Always | Self::Within(_) => true,
            Self::Never => false,
            Self::Tries(tries) => restarts < tries,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_allows_exactly_so_many_restarts() {
        assert!(RestartPolicy::Always.allows(u32::MAX));
        assert!(!RestartPolicy::Never.allows(0));
        assert!(!RestartPolicy::Tries(0).allows(0));
        assert!(RestartPolicy::Tries(2).allows(1));
        assert!(!RestartPolicy::Tries(2).allows(2));
    }

    #[test]
    fn the_table_is_otps() {
        use ExitClass::{Abnormal, Normal, Shutdown};
        use RestartDecision::{Keep, Remove, Restart};
        for (kind, expected) in [
            (RestartType::Permanent, [Restart, Restart, Restart]),
            (RestartType::Transient, [Keep, Keep, Restart]),
            (RestartType::Temporary, [Remove, Remove, Remove]),
        ] {
            assert_eq!([Normal, Shutdown, Abnormal].map(|class| kind.decide(class)), expected);
        }
    }
}
