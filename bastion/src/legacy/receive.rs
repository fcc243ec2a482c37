//! [`Receive`], and what [`receive!`](crate::receive) calls.

use super::child::Message;

/// A message as a `T`, if it is one.
///
/// # Examples
/// ```
/// use bastion::legacy::prelude::*;
/// let message: Box<dyn Message> = Box::new(7);
/// let Receive(number) = Receive::<i32>::from(message);
/// assert_eq!(number, Some(7));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receive<T>(pub Option<T>);

impl<T: Clone + 'static> From<Box<dyn Message>> for Receive<T> {
    fn from(message: Box<dyn Message>) -> Self {
        Receive(message.as_any().downcast_ref().cloned())
    }
}

/// Calls the handler of an arm. Its closure learns its argument's type here.
#[doc(hidden)]
pub fn handle<T: Clone, R>(value: &T, handler: impl FnOnce(T) -> R) {
    handler(value.clone());
}

/// Calls the handler of the first arm whose type the message has, with a clone of the message (feature `legacy`).
///
/// The default arm must be there, and be the last. The macro's value is `()`.
///
/// # Examples
/// ```
/// use bastion::legacy::prelude::*;
/// let message: Box<dyn Message> = Box::new(String::from("hello"));
/// let mut length = 0;
/// receive! { message,
///     i32 => |number| println!("a number: {number}"),
///     String => |text| length = text.len(),
///     _ => println!("something else")
/// }
/// assert_eq!(length, 5);
/// ```
#[macro_export]
macro_rules! receive {
    (@sort $msg:expr, ($(($ty:ty, $handler:expr))*), _ => $default:expr $(,)?) => {
        match $crate::legacy::child::Message::as_any(&*$msg) {
            message => {
                $(
                    if let Some(value) = message.downcast_ref::<$ty>() {
                        $crate::legacy::receive::handle(value, $handler);
                    } else
                )*
                {
                    #[allow(clippy::no_effect)]
                    {
                        $default;
                    }
                }
            }
        }
    };
    (@sort $msg:expr, $arms:tt, _ => $($rest:tt)*) => {
        $crate::refuse!("the default arm is the last one" $($rest)*)
    };
    (@sort $msg:expr, ($($arms:tt)*), $ty:ty => $handler:expr, $($rest:tt)*) => {
        $crate::receive!(@sort $msg, ($($arms)* ($ty, $handler)), $($rest)*)
    };
    (@sort $msg:expr, $arms:tt, $($ty:ty => $handler:expr)?) => {
        $crate::refuse!("the default arm is missing: end with `_ => ...`" $msg)
    };
    (@sort $msg:expr, $arms:tt, $($rest:tt)+) => {
        $crate::refuse!("an arm is `Type => |value| ...,`" $($rest)+)
    };
    ($msg:expr, $($arms:tt)*) => {
        $crate::receive!(@sort $msg, (), $($arms)*)
    };
}
