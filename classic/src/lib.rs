#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![expect(clippy::result_unit_err, reason = "the signatures are those of bastion 0.4")]

pub mod callbacks;
mod child;
pub mod child_ref;
pub mod children;
pub mod children_ref;
pub mod config;
pub mod context;
mod crowd;
pub mod dispatcher;
pub mod distributor;
mod element;
pub mod envelope;
pub mod errors;
mod exec;
pub mod executor;
mod hub;
mod inbox;
#[cfg(feature = "io")]
pub mod io;
mod macros;
pub mod message;
pub mod path;
pub mod platform;
pub mod resizer;
mod strategy;
pub mod supervisor;
mod sync;

#[doc(hidden)]
pub use bastion_macros::refuse;

/// What the prelude of bastion 0.4 has, but for `Bastion` and what stands on that, which is in the crate `bastion`.
///
/// # Examples
/// ```
/// use bastion_classic::prelude::*;
/// fn workers(children: Children) -> Children {
///     children.with_redundancy(3)
/// }
/// ```
pub mod prelude {
    pub use crate::callbacks::Callbacks;
    pub use crate::child_ref::ChildRef;
    pub use crate::children::Children;
    pub use crate::children_ref::ChildrenRef;
    pub use crate::config::Config;
    pub use crate::context::{BastionContext, BastionId, NIL_ID};
    pub use crate::dispatcher::{
        BroadcastTarget, DefaultDispatcherHandler, Dispatcher, DispatcherHandler, DispatcherMap,
        DispatcherType, NotificationType,
    };
    pub use crate::distributor::Distributor;
    pub use crate::envelope::{RefAddr, SignedMessage};
    pub use crate::errors::{ReceiveError, SendError};
    #[cfg(feature = "io")]
    pub use crate::io::{
        Handle, JoinHandle, Proactor, block_on, drive, join_handle, spawn, spawn_blocking,
        spawn_local,
    };
    pub use crate::message::{Answer, AnswerSender, Message, MessageHandler, Msg};
    pub use crate::path::{BastionPath, BastionPathElement};
    #[cfg(feature = "scaling")]
    pub use crate::resizer::{OptimalSizeExploringResizer, UpperBound, UpscaleStrategy};
    pub use crate::supervisor::{
        ActorRestartStrategy, RestartPolicy, RestartStrategy, SupervisionStrategy, Supervisor,
        SupervisorRef,
    };
    pub use crate::{answer, blocking, msg, run, spawn};
}
