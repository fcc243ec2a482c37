//! The first program of an emulated machine with several NUMA nodes: it runs the executor there, under each placement, and tells
//! where everything was. `cargo xtask numa-test` builds it, boots the machine and judges.
//!
//! On any Linux it also runs by hand, for one executor of the machine at hand: `numa_guest per-node 4`. It judges nothing.

#![forbid(unsafe_code)]

#[cfg(target_os = "linux")]
mod crowd;
// They are written here; who reads them includes the file.
#[cfg(target_os = "linux")]
#[cfg_attr(not(test), expect(dead_code, reason = "for the reader"))]
mod facts;
#[cfg(target_os = "linux")]
mod guest;
#[cfg(target_os = "linux")]
mod pages;
#[cfg(target_os = "linux")]
mod spawning;
#[cfg(target_os = "linux")]
mod system;
#[cfg(target_os = "linux")]
mod workers;

use std::process::ExitCode;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    guest::run(&args.iter().map(String::as_str).collect::<Vec<_>>())
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!("error: the kernels of other systems than Linux do not tell where memory is");
    ExitCode::FAILURE
}
