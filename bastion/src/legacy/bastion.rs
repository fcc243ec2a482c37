//! [`Bastion`] of bastion 0.2.

use super::child::{BastionChildren, BastionClosure, Message};
use super::config::BastionConfig;
use super::supervisor::Supervisor;
use crate::executor::run;
use crate::global::{STOP_LIMIT, existing, platform};
use log::LevelFilter;
use std::time::Duration;

/// How long whoever sits in a hook has for leaving it.
const FORCED_LIMIT: Duration = Duration::from_secs(1);

/// The platform, as bastion 0.2 has it. It is the same one that [`crate::Bastion`] is.
#[derive(Clone, Copy, Debug)]
pub struct Bastion {
    /// With what it was made.
    pub config: BastionConfig,
}

impl Bastion {
    /// Makes the platform, for messages of the level `Info`: see [`BastionConfig`]. A second time it does nothing.
    pub fn platform() -> Bastion {
        let config = BastionConfig { log_level: LevelFilter::Info, in_test: false };
        Bastion::platform_from_config(config)
    }

    /// Makes the platform. One that exists stays as it is.
    ///
    /// # Examples
    /// ```
    /// use bastion::legacy::prelude::*;
    /// use log::LevelFilter;
    /// let config = BastionConfig { log_level: LevelFilter::Debug, in_test: false };
    /// assert_eq!(Bastion::platform_from_config(config).config.log_level, LevelFilter::Debug);
    /// ```
    pub fn platform_from_config(config: BastionConfig) -> Bastion {
        log::set_max_level(config.log_level);
        platform(true).start();
        Bastion { config }
    }

    /// Describes a supervisor, which [`launch`](Supervisor::launch) starts.
    pub fn supervisor(name: &'static str, system: &'static str) -> Supervisor {
        Supervisor::default().props(name.into(), system.into())
    }

    /// Spawns a process at the top, where a process that panics is restarted and no other. It begins at once.
    ///
    /// # Examples
    /// ```
    /// use bastion::legacy::prelude::*;
    /// Bastion::platform();
    /// Bastion::spawn(
    ///     |context: BastionContext, msg: Box<dyn Message>| {
    ///         receive! { msg,
    ///             String => |text| println!("received {text}"),
    ///             _ => println!("another type of message")
    ///         }
    ///         context.hook();
    ///     },
    ///     String::from("a message"),
    /// );
    /// ```
    pub fn spawn<F, M>(thunk: F, msg: M) -> BastionChildren
    where
        F: BastionClosure,
        M: Message,
    {
        platform(true).start();
        Supervisor::default().spawn(BastionChildren::new(thunk, msg, 1))
    }

    /// Waits until the program is asked to end by a signal (SIGINT, as by Ctrl-C, SIGTERM, SIGHUP), or by
    /// [`force_shutdown`](Bastion::force_shutdown); then stops all processes in order.
    pub fn start() {
        let platform = platform(false);
        platform.start();
        if run(platform.system().stop_on_signal(STOP_LIMIT)).is_err() {
            // The program handles the signals itself.
            run(platform.ended());
        }
    }

    /// Ends everything within a second, and does not wait. Closures that do not look whether they are to stop go on until they return.
    pub fn force_shutdown() {
        if let Some(platform) = existing() {
            platform.stop(FORCED_LIMIT);
        }
    }
}
