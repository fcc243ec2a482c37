//! The pure half of supervision: decides, and does nothing.
//!
//! A [`Plan`] is the supervisor's mind as a state machine: events go in with the time at which
//! they happened, [`Action`]s come out. There is no I/O in here, no clock, no waiting, no
//! randomness, no thread; so whatever it does can be tested, replayed and enumerated. Its driver
//! performs the actions, and calls [`Plan::tick`] when [`Plan::next_deadline`] has come.
//!
//! The rules are OTP's (`supervisor.erl`). Where they go beyond it (back-off, `Tries`, readiness,
//! deadlines that cap each other, abandoned processes) the item in question says so.
//!
//! | room | decides |
//! |---|---|
//! | `restart`, `quarantine` | the table restart type × exit reason; `Tries`; rest instead of giving up |
//! | `intensity`, `backoff` | whether one more restart is borne; how long it waits |
//! | `shutdown` | which deadline a child gets |
//! | `children`, `timers` | nothing: the tables |
//! | `machine`, `admin` | the state machine: its state and events; requests about one child |
//! | `failure`, `group`, `ending` | what follows a child's end; group restarts; the end of all |
//! | `dependency`, `upkeep` | children that need others; watchdog and lifetimes |
//!
//! ```
//! # use bastion_supervision::{pid::Pid, plan::*};
//! # use std::time::Duration;
//! let mut plan = Plan::new(Settings::default())?;
//! let (child, mut out) = (Pid::new(0, 0), Vec::new());
//! plan.add(child, ChildSpec::worker().id("a"), Time::ZERO, &mut out)?;
//! plan.start(Time::ZERO, &mut out);
//! assert!(matches!(out.pop(), Some(Action::Start { incarnation: 1, .. })));
//!
//! plan.started(child, 1, Time::ZERO, &mut out);
//! assert!(matches!(out.pop(), Some(Action::Ready)));
//!
//! plan.exited(child, 1, ExitReason::Killed, Time::ZERO + Duration::from_secs(1), &mut out);
//! assert!(matches!(out.pop(), Some(Action::Start { incarnation: 2, .. })));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod action;
mod admin;
mod backoff;
mod child_spec;
mod children;
mod dependency;
mod ending;
mod exit;
mod failure;
mod group;
mod intensity;
mod machine;
mod quarantine;
mod restart;
mod settings;
mod shutdown;
mod time;
mod timers;
mod upkeep;

pub use action::{Action, Finish, Report};
pub use admin::{AddError, ChildError};
pub use backoff::Backoff;
pub use child_spec::{ChildKind, ChildSpec, SpecError};
pub use children::{ChildState, ChildView, Counts};
pub use exit::{ExitClass, ExitReason, Failure, PanicReport};
pub use intensity::{Intensity, Verdict, Window};
pub use machine::Plan;
pub use quarantine::Quarantine;
pub use restart::{RestartDecision, RestartPolicy, RestartType};
pub use settings::{AutoShutdown, Order, Settings, SettingsError, Strategy};
pub use shutdown::{Shutdown, StopTimes};
pub use time::Time;
pub use upkeep::Stuck;
