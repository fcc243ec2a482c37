//! The macros that need nothing of the global platform.

/// Takes a [`SignedMessage`](crate::envelope::SignedMessage) apart: the first arm that fits its kind and type is evaluated.
///
/// | arm | fits | what it binds |
/// |---|---|---|
/// | `ref x: T => e;` | a broadcast of a `T` | a `&T` |
/// | `x: T => e;` | a `T` that was told | the `T` |
/// | `x: T =!> e;` | a question that is a `T` | the `T`; in `e`, `answer!(ctx, value)` replies, and is a `Result<(), V>` |
/// | `_: _ => e;` or `x: _ => e;` | everything else | the [`Msg`](crate::message::Msg) |
///
/// The last arm must be there, and be the last. In all arms `signature!()` is the sender's address. The macro is an expression; `.await`, `?`, `break`,
/// `continue` and `return` work in arms. A question that is not answered is dropped at the end of its arm: whoever asked is told at once.
///
/// # Examples
/// ```
/// use bastion_classic::prelude::*;
/// async fn greet(ctx: BastionContext) -> Result<(), ()> {
///     loop {
///         msg! { ctx.recv().await?,
///             ref all: &'static str => println!("to all: {all}");
///             name: String => println!("{name} from {:?}", signature!());
///             name: String =!> {
///                 let _ = answer!(ctx, format!("hello, {name}"));
///             };
///             unknown: _ => println!("{unknown:?}?");
///         }
///     }
/// }
/// ```
#[macro_export]
macro_rules! msg {
    // Sorts the arms: of broadcasts, of what was told, of questions.
    (@sort $msg:expr, $b:tt, $t:tt, $q:tt, _: _ => $handle:expr $(;)?) => {
        $crate::msg!(@match ($) $msg, $b, $t, $q, message, $handle)
    };
    (@sort $msg:expr, $b:tt, $t:tt, $q:tt, $var:ident: _ => $handle:expr $(;)?) => {
        $crate::msg!(@match ($) $msg, $b, $t, $q, $var, $handle)
    };
    (@sort $msg:expr, $b:tt, $t:tt, $q:tt, _: _ => $($rest:tt)*) => {
        $crate::refuse!("the default arm is the last one" $($rest)*)
    };
    (@sort $msg:expr, $b:tt, $t:tt, $q:tt, $var:ident: _ => $($rest:tt)*) => {
        $crate::refuse!("the default arm is the last one" $($rest)*)
    };
    (@sort $msg:expr, ($($b:tt)*), $t:tt, $q:tt, ref $var:ident: $ty:ty => $handle:expr; $($rest:tt)*) => {
        $crate::msg!(@sort $msg, ($($b)* ($var, $ty, $handle)), $t, $q, $($rest)*)
    };
    (@sort $msg:expr, $b:tt, ($($t:tt)*), $q:tt, $var:ident: $ty:ty => $handle:expr; $($rest:tt)*) => {
        $crate::msg!(@sort $msg, $b, ($($t)* ($var, $ty, $handle)), $q, $($rest)*)
    };
    (@sort $msg:expr, $b:tt, $t:tt, ($($q:tt)*), $var:ident: $ty:ty =!> $handle:expr; $($rest:tt)*) => {
        $crate::msg!(@sort $msg, $b, $t, ($($q)* ($var, $ty, $handle)), $($rest)*)
    };
    (@sort $msg:expr, $b:tt, $t:tt, $q:tt,) => {
        $crate::refuse!("the default arm is missing: end with `_: _ => ...;`" $msg)
    };
    (@sort $msg:expr, $b:tt, $t:tt, $q:tt, $($rest:tt)+) => {
        $crate::refuse!("an arm is `name: Type => ...;`, `name: Type =!> ...;`, or `ref name: Type => ...;`" $($rest)+)
    };
    (@match ($dollar:tt) $msg:expr,
        ($(($bvar:ident, $bty:ty, $bhandle:expr))*),
        ($(($tvar:ident, $tty:ty, $thandle:expr))*),
        ($(($qvar:ident, $qty:ty, $qhandle:expr))*),
        $var:ident, $default:expr
    ) => {{
        #[allow(unused_mut)]
        let (mut $var, sign) = $crate::envelope::SignedMessage::extract($msg);
        #[allow(unused_macros)]
        macro_rules! signature {
            () => {
                sign
            };
        }
        let sender = $crate::message::Msg::take_sender(&mut $var);
        if $crate::message::Msg::is_broadcast(&$var) {
            if false {
                unreachable!()
            }
            $(
                else if let Some(value) = $crate::message::Msg::downcast_ref::<$bty>(&$var) {
                    let $bvar: &$bty = &*value;
                    { $bhandle }
                }
            )*
            else {
                { $default }
            }
        } else if let Some(sender) = sender {
            #[allow(unused_macros)]
            macro_rules! answer {
                ($dollar ctx:expr, $dollar answer:expr) => {{
                    let _ = $dollar ctx.signature();
                    $crate::message::AnswerSender::reply(sender, $dollar answer)
                }};
            }
            if false {
                unreachable!()
            }
            $(
                else if $crate::message::Msg::is::<$qty>(&$var) {
                    match $crate::message::Msg::downcast::<$qty>($var) {
                        Ok($qvar) => { $qhandle }
                        Err(_) => unreachable!(),
                    }
                }
            )*
            else {
                drop(sender);
                { $default }
            }
        } else {
            if false {
                unreachable!()
            }
            $(
                else if $crate::message::Msg::is::<$tty>(&$var) {
                    match $crate::message::Msg::downcast::<$tty>($var) {
                        Ok($tvar) => { $thandle }
                        Err(_) => unreachable!(),
                    }
                }
            )*
            else {
                { $default }
            }
        }
    }};
    ($msg:expr, $($arms:tt)*) => {
        $crate::msg!(@sort $msg, (), (), (), $($arms)*)
    };
}

/// Answers a question that was received, whatever it is. In an arm of [`msg!`] for questions, `answer!(ctx, value)` is that arm's own.
///
/// It is a `Result<(), V>`: the value comes back when whoever asked does not wait any more.
///
/// # Panics
/// When the message is no question.
///
/// # Examples
/// ```
/// use bastion_classic::prelude::*;
/// async fn yes(ctx: BastionContext) -> Result<(), ()> {
///     let question = ctx.recv().await?;
///     answer!(question, "yes").map_err(|_| ())
/// }
/// ```
#[macro_export]
macro_rules! answer {
    ($msg:expr, $answer:expr) => {{
        let (mut message, _) = $crate::envelope::SignedMessage::extract($msg);
        let sender = $crate::message::Msg::take_sender(&mut message);
        $crate::message::AnswerSender::reply(sender.expect("failed to take render"), $answer)
    }};
}

/// Runs a block on a thread that it may block: see [`executor::blocking`](crate::executor::blocking).
///
/// # Examples
/// ```
/// use bastion_classic::prelude::*;
/// let answer = blocking! { 40 + 2 };
/// assert_eq!(run!(answer), Some(42));
/// ```
#[macro_export]
macro_rules! blocking {
    ($($tokens:tt)*) => {
        $crate::executor::blocking(async move { $($tokens)* })
    };
}

/// Runs a future, or a block as one, on the calling thread: see [`executor::run`](crate::executor::run).
///
/// # Examples
/// ```
/// use bastion_classic::prelude::*;
/// assert_eq!(run! { async { 42 } }, 42);
/// ```
#[macro_export]
macro_rules! run {
    ($action:expr) => {
        $crate::executor::run($action)
    };
    ($($tokens:tt)*) => {
        $crate::executor::run(async move { $($tokens)* })
    };
}

/// Runs a future, or a block as one, on the executor: see [`executor::spawn`](crate::executor::spawn).
///
/// # Examples
/// ```
/// use bastion_classic::prelude::*;
/// let task = spawn! { async { 42 } };
/// assert_eq!(run!(task), Some(42));
/// ```
#[macro_export]
macro_rules! spawn {
    ($action:expr) => {
        $crate::executor::spawn($action)
    };
    ($($tokens:tt)*) => {
        $crate::executor::spawn(async move { $($tokens)* })
    };
}
