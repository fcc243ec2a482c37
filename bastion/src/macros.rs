//! The macros that make elements of the global platform.

/// Makes a group of children that handle each message by a closure, and evaluates to its [`ChildrenRef`](crate::children_ref::ChildrenRef).
///
/// Keys, in any order, each optional and followed by a comma: `redundancy` (default 1), `callbacks`, `supervisor` (the
/// [`SupervisorRef`](crate::supervisor::SupervisorRef) below which it is made; default: none), `action`, a closure that takes a
/// [`SignedMessage`](crate::envelope::SignedMessage) (default: ignores it).
///
/// # Panics
/// When the group cannot be made.
///
/// # Examples
/// ```
/// use bastion::prelude::*;
/// let group = children! {
///     redundancy: 3,
///     action: |message| {
///         msg! { message, text: &'static str => println!("{text}"); _: _ => (); }
///     },
/// };
/// assert_eq!(group.elems().len(), 3);
/// ```
#[macro_export]
macro_rules! children {
    ($($keys:tt)*) => {
        $crate::__children!(@keys (1), ($crate::Callbacks::default()), (), (|_| ()), $($keys)*)
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __children {
    (@keys ($($r:tt)*), $c:tt, $s:tt, $a:tt, redundancy: $value:expr, $($rest:tt)*) => {
        $crate::__children!(@keys ($value), $c, $s, $a, $($rest)*)
    };
    (@keys $r:tt, ($($c:tt)*), $s:tt, $a:tt, callbacks: $value:expr, $($rest:tt)*) => {
        $crate::__children!(@keys $r, ($value), $s, $a, $($rest)*)
    };
    (@keys $r:tt, $c:tt, ($($s:tt)*), $a:tt, supervisor: $value:expr, $($rest:tt)*) => {
        $crate::__children!(@keys $r, $c, ($value), $a, $($rest)*)
    };
    (@keys $r:tt, $c:tt, $s:tt, ($($a:tt)*), action: $value:expr, $($rest:tt)*) => {
        $crate::__children!(@keys $r, $c, $s, ($value), $($rest)*)
    };
    (@keys ($redundancy:expr), ($callbacks:expr), ($($supervisor:expr)?), ($action:expr),) => {{
        let describe = |children: $crate::children::Children| {
            children
                .with_redundancy($redundancy)
                .with_callbacks($callbacks)
                .with_exec(move |ctx: $crate::context::BastionContext| async move {
                    loop {
                        $crate::__children!(@call $action, ctx.recv().await?);
                    }
                })
        };
        $crate::__children!(@make ($($supervisor)?), describe).expect("failed to create children group")
    }};
    // The closure's type is not known before it is called.
    (@call $action:expr, $message:expr) => {{
        fn handle<F: FnOnce($crate::envelope::SignedMessage) -> T, T>(action: F) -> F {
            action
        }
        let _ = handle($action)($message);
    }};
    (@make (), $describe:expr) => {
        $crate::Bastion::children($describe)
    };
    (@make ($supervisor:expr), $describe:expr) => {
        $supervisor.children($describe)
    };
    (@keys $r:tt, $c:tt, $s:tt, $a:tt, $($rest:tt)+) => {
        $crate::refuse!("`children!` takes `redundancy`, `callbacks`, `supervisor` and `action`, each followed by a comma" $($rest)+)
    };
}

/// Makes a supervisor at the top, and evaluates to its [`SupervisorRef`](crate::supervisor::SupervisorRef).
///
/// Keys, in any order, each optional and followed by a comma: `callbacks`, `strategy`. The default of the strategy is `OneForAll`, unlike elsewhere.
///
/// # Panics
/// When it cannot be made.
///
/// # Examples
/// ```
/// use bastion::prelude::*;
/// let supervisor = supervisor! {
///     callbacks: Callbacks::new().with_after_stop(|| println!("stopped")),
///     strategy: SupervisionStrategy::OneForOne,
/// };
/// let group = children! { supervisor: supervisor, };
/// ```
#[macro_export]
macro_rules! supervisor {
    ($($keys:tt)*) => {
        $crate::__supervisor!(
            @keys ($crate::Callbacks::default()), ($crate::supervisor::SupervisionStrategy::OneForAll), $($keys)*
        )
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __supervisor {
    (@keys ($($c:tt)*), $s:tt, callbacks: $value:expr, $($rest:tt)*) => {
        $crate::__supervisor!(@keys ($value), $s, $($rest)*)
    };
    (@keys $c:tt, ($($s:tt)*), strategy: $value:expr, $($rest:tt)*) => {
        $crate::__supervisor!(@keys $c, ($value), $($rest)*)
    };
    (@keys ($callbacks:expr), ($strategy:expr),) => {
        $crate::Bastion::supervisor(|supervisor: $crate::supervisor::Supervisor| {
            supervisor.with_callbacks($callbacks).with_strategy($strategy)
        })
        .expect("failed to create supervisor")
    };
    (@keys $c:tt, $s:tt, $($rest:tt)+) => {
        $crate::refuse!("`supervisor!` takes `callbacks` and `strategy`, each followed by a comma" $($rest)+)
    };
}
