//! [`BastionConfig`].

use log::LevelFilter;

/// What [`Bastion::platform_from_config`](super::bastion::Bastion::platform_from_config) takes.
///
/// Bastion 0.2 installed the crate `env_logger`. Today reports go to the crate `tracing`, and which of them are shown, and how, is the program's choice.
#[derive(Clone, Copy, Debug)]
pub struct BastionConfig {
    /// The most detailed level that the crate `log` lets through.
    pub log_level: LevelFilter,
    /// Means nothing any more.
    pub in_test: bool,
}
