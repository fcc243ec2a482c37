//! The scripts of `lightproc/tests/scripts` as a target of libFuzzer; `cargo xtask fuzz` builds and runs it.
//!
//! With the variable PRINT_SCRIPT each script is printed before it is carried out; if it says `only`, instead of that.
#![no_main]

#[path = "../tests/scripts/allocations.rs"]
mod allocations;
#[path = "../tests/scripts/awaiter.rs"]
mod awaiter;
#[path = "../tests/scripts/check.rs"]
mod check;
#[path = "../tests/scripts/event.rs"]
mod event;
#[path = "../tests/scripts/model.rs"]
mod model;
#[path = "../tests/scripts/process.rs"]
mod process;
#[path = "../tests/scripts/rules.rs"]
mod rules;
#[path = "../tests/scripts/script.rs"]
mod script;
#[path = "../tests/scripts/world.rs"]
mod world;

libfuzzer_sys::fuzz_target!(
    init: check::prepare(),
    |bytes: &[u8]| {
        let print = std::env::var_os("PRINT_SCRIPT");
        if print.is_some() {
            for (number, op) in script::decode(bytes).iter().enumerate() {
                eprintln!("  {number:3} {op:?}");
            }
        }
        if print.is_none_or(|print| print != "only")
            && let Err(difference) = check::check(bytes)
        {
            eprintln!("{difference}");
            std::process::abort();
        }
    }
);
