//! bastion 0.4, its layout (§1): what one glob brings, what it does not, and where else it is.

/// All that the prelude has, by name.
#[expect(unused_imports, reason = "that they are there is what is checked")]
mod the_prelude {
    use bastion::prelude::Distributor;
    use bastion::prelude::{
        ActorRestartStrategy, RestartPolicy, RestartStrategy, SupervisionStrategy,
    };
    use bastion::prelude::{Answer, AnswerSender, Message, MessageHandler, Msg};
    use bastion::prelude::{Bastion, Callbacks, Config};
    use bastion::prelude::{BastionContext, BastionId, NIL_ID};
    use bastion::prelude::{BastionPath, BastionPathElement};
    use bastion::prelude::{
        BroadcastTarget, DefaultDispatcherHandler, Dispatcher, DispatcherHandler, DispatcherMap,
        DispatcherType, NotificationType,
    };
    use bastion::prelude::{ChildRef, Children, ChildrenRef, Supervisor, SupervisorRef};
    use bastion::prelude::{ReceiveError, SendError};
    use bastion::prelude::{RefAddr, SignedMessage};
    use bastion::prelude::{answer, blocking, children, msg, run, spawn, supervisor};
}

/// What the prelude does not have can be a program's own: with one of that name in each glob, none could be used.
mod beside_the_prelude {
    mod own {
        pub(crate) struct Recipient;
        pub(crate) struct RecipientHandler;
        pub(crate) struct RecipientMap;
        pub(crate) struct RoundRobinHandler;
        pub(crate) struct DefaultRecipientHandler;
        pub(crate) struct Child;
        pub(crate) struct Context;
        pub(crate) struct Address;
        pub(crate) struct System;
        pub(crate) struct Pid;
        pub(crate) struct Exit;
    }

    #[expect(unused_imports, reason = "it must not be used")]
    use bastion::prelude::*;
    use own::*;

    const _: Option<(Recipient, RecipientHandler, RecipientMap)> = None;
    const _: Option<(RoundRobinHandler, DefaultRecipientHandler)> = None;
    const _: Option<(Child, Context, Address, System, Pid, Exit)> = None;
}

/// The same by its paths, and what is only there.
#[expect(unused_imports, reason = "that they are there is what is checked")]
mod by_path {
    use bastion::child_ref::ChildRef;
    use bastion::children::Children;
    use bastion::children_ref::ChildrenRef;
    use bastion::context::{BastionContext, BastionId, NIL_ID};
    use bastion::dispatcher::{
        BroadcastTarget, DefaultDispatcherHandler, DefaultRecipientHandler, Dispatcher,
        DispatcherHandler, DispatcherMap, DispatcherType, NotificationType, Recipient,
        RecipientHandler, RecipientMap, RoundRobinHandler,
    };
    use bastion::distributor::Distributor;
    use bastion::envelope::{RefAddr, SignedMessage};
    use bastion::errors::{ReceiveError, SendError};
    use bastion::executor::{
        ProcStack, blocking as on_threads, run as run_here, spawn as spawn_it,
    };
    use bastion::message::{Answer, AnswerSender, Message, MessageHandler, Msg};
    use bastion::path::{BastionPath, BastionPathElement};
    use bastion::supervisor::{
        ActorRestartStrategy, RestartPolicy, RestartStrategy, SupervisionStrategy, Supervisor,
        SupervisorRef,
    };
    use bastion::{Bastion, Callbacks, Config};
    use bastion::{answer, blocking, children, msg, run, spawn, supervisor};
}
