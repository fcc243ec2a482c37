//! Instructions of one subject, counted by callgrind: what the same work costs where no clock and no neighbour disturbs.
//!
//! The program is started twice, for so many operations and for twice as many. The difference is what the operations cost:
//! starting, ending and preparing are in both.

use crate::alone;
use crate::bench::{Amount, Failure, Measured};
use std::env;
use std::process::{Child, Command, Stdio};

/// Says why nothing can be counted here, if it cannot.
pub(crate) fn missing() -> Option<&'static str> {
    let mut command = Command::new("valgrind");
    command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let found = command.status().is_ok_and(|status| status.success());
    (!found).then_some("valgrind is not installed")
}

/// Counts the instructions of so many operations of a subject.
///
/// # Errors
/// What valgrind or the subject says, or that it could not be started.
pub(crate) fn measure(path: &str, operations: u32) -> Measured {
    let twice = operations.checked_mul(2).ok_or_else(|| Failure::new("too many operations"))?;
    // Both at once: they do not disturb each other's count.
    let (once, twice) = (start(path, operations)?, start(path, twice)?);
    let (once, twice) = (collected(once), collected(twice));
    let difference = twice?.checked_sub(once?);
    difference.map(Amount).ok_or_else(|| Failure::new("twice the operations took fewer"))
}

fn start(path: &str, operations: u32) -> Result<Child, Failure> {
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(env::current_exe()?);
    command.args([alone::ARGUMENT, path, alone::OPERATIONS, &operations.to_string()]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    Ok(command.spawn()?)
}

/// Waits for the process and reads its count.
fn collected(child: Child) -> Result<u64, Failure> {
    let output = child.wait_with_output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        let subject = said.lines().rfind(|line| !line.starts_with("=="));
        let last = subject.or(said.lines().last()).unwrap_or("it said nothing");
        return Err(Failure::new(format!("{}: {last}", output.status)));
    }
    count(&said).ok_or_else(|| Failure::new("callgrind told no count"))
}

/// Reads the line `==1234== Collected : 5678`.
fn count(said: &str) -> Option<u64> {
    said.lines().find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_found_among_what_callgrind_says() {
        let said = "==7== Events    : Ir\n==7== Collected : 671066\n==7== I   refs:      671,066\n";
        assert_eq!(count(said), Some(671_066));
        assert_eq!(count("==7== Events    : Ir\n"), None);
    }
}
