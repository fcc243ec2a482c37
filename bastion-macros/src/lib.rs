#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod actor;
mod entry;
mod facade;
mod refuse;
mod root;

use proc_macro::TokenStream;

/// Turns an async `main` into the program's entry point: it runs on the calling thread, its processes on the global executor, and
/// the global system is stopped in order when it returns.
#[proc_macro_attribute]
pub fn main(arguments: TokenStream, item: TokenStream) -> TokenStream {
    entry::main(arguments.into(), item.into())
        .unwrap_or_else(|error| error.to_compile_error())
        .into()
}

/// Turns an async function into a test with a system of its own, which it may take as its argument.
///
/// `#[bastion::test(virtual_time)]` runs it in a simulation with seed 0; `#[bastion::test(virtual_time, seed = 7)]` with another.
#[proc_macro_attribute]
pub fn test(arguments: TokenStream, item: TokenStream) -> TokenStream {
    entry::test(arguments.into(), item.into())
        .unwrap_or_else(|error| error.to_compile_error())
        .into()
}

/// Turns an async `main` into a program that is a group of supervised children, each of which runs that function.
///
/// It takes a `BastionContext` and returns a `Result<(), ()>`. With `#[bastion::root(redundancy = N)]` there are `N` children, else one.
#[proc_macro_attribute]
pub fn root(arguments: TokenStream, item: TokenStream) -> TokenStream {
    root::root(arguments.into(), item.into())
        .unwrap_or_else(|error| error.to_compile_error())
        .into()
}

/// Makes the methods of an `impl` block messages of a process whose state is that type.
#[proc_macro_attribute]
pub fn actor(arguments: TokenStream, item: TokenStream) -> TokenStream {
    actor::actor(arguments.into(), item.into()).into()
}

/// Says what is wrong with a part of what was given to a macro by example, at its place.
#[doc(hidden)]
#[proc_macro]
pub fn refuse(tokens: TokenStream) -> TokenStream {
    refuse::refuse(tokens.into()).into()
}
