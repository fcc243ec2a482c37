//! Words for the user that must not end the program: a closed pipe is no reason to panic.

use std::io::{self, Write};

/// Writes one line to standard error, if that is still there.
pub(crate) fn note(text: impl std::fmt::Display) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Writes to standard output.
///
/// # Errors
/// When it cannot be written; that the reader has gone is no error.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}
