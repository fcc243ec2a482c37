//! [`Child`]: a program that has been started.

use super::exit::Exit;
use super::{ChildStderr, ChildStdin, ChildStdout, ExitStatus, Output};
use crate::io::{AsyncRead, AsyncReadExt};
use futures_lite::future::try_zip;
use std::io;
use std::process;

/// A program that has been started.
///
/// Dropping it lets the program go on, or kills it; see [`Command::kill_on_drop`](super::Command::kill_on_drop). In both cases no
/// zombie stays.
///
/// # Examples
/// See the [module](super).
#[derive(Debug)]
pub struct Child {
    /// Its standard input, if that is a pipe.
    pub stdin: Option<ChildStdin>,
    /// Its standard output, if that is a pipe.
    pub stdout: Option<ChildStdout>,
    /// Its standard error, if that is a pipe.
    pub stderr: Option<ChildStderr>,
    /// `None`: given to whoever waits for its end.
    exit: Option<Exit>,
    kill_on_drop: bool,
}

impl Child {
    pub(super) fn new(mut inner: process::Child, kill_on_drop: bool) -> io::Result<Child> {
        let pipes = (inner.stdin.take(), inner.stdout.take(), inner.stderr.take());
        // From here on the program is killed, and its zombie taken away, if anything fails.
        let exit = Some(Exit::new(inner)?);
        let (stdin, stdout, stderr) = (None, None, None);
        let mut child = Child { stdin, stdout, stderr, exit, kill_on_drop: true };
        child.stdin = pipes.0.map(ChildStdin::new).transpose()?;
        child.stdout = pipes.1.map(ChildStdout::new).transpose()?;
        child.stderr = pipes.2.map(ChildStderr::new).transpose()?;
        child.kill_on_drop = kill_on_drop;
        Ok(child)
    }

    /// Returns the system's number of the program. It may be another program's once the end of this one has been seen.
    pub fn id(&self) -> u32 {
        self.exit_ref().id()
    }

    /// Kills the program. Wait for it to see its end.
    ///
    /// # Errors
    /// The system's. A program whose end has been seen is no error.
    pub fn kill(&mut self) -> io::Result<()> {
        self.exit_mut().kill()
    }

    /// Returns the program's exit status if it has ended.
    ///
    /// # Errors
    /// The system's.
    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        self.exit_mut().try_wait()
    }

    /// Waits for the program's end, after its standard input has been closed if it is still in [`stdin`](Child::stdin): a program
    /// that reads to the end would wait for ever otherwise. Waiting again returns the same status.
    ///
    /// # Errors
    /// The system's.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, it can be waited for again.
    pub async fn wait(&mut self) -> io::Result<ExitStatus> {
        drop(self.stdin.take());
        self.exit_mut().wait().await
    }

    /// Waits for the program's end as [`wait`](Child::wait) does, and returns what it has written to pipes that are still here.
    ///
    /// # Errors
    /// The system's.
    pub async fn wait_with_output(mut self) -> io::Result<Output> {
        drop(self.stdin.take());
        let stdout = read(self.stdout.take());
        let stderr = read(self.stderr.take());
        // Both at once: a program whose pipe is full waits.
        let (stdout, stderr) = try_zip(stdout, stderr).await?;
        Ok(Output { status: self.wait().await?, stdout, stderr })
    }

    fn exit_ref(&self) -> &Exit {
        match &self.exit {
            Some(exit) => exit,
            None => unreachable!("only drop takes it"),
        }
    }

    fn exit_mut(&mut self) -> &mut Exit {
        match &mut self.exit {
            Some(exit) => exit,
            None => unreachable!("only drop takes it"),
        }
    }
}

async fn read(pipe: Option<impl AsyncRead + Unpin>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        pipe.read_to_end(&mut bytes).await?;
    }
    Ok(bytes)
}

impl Drop for Child {
    fn drop(&mut self) {
        if let Some(mut exit) = self.exit.take() {
            if self.kill_on_drop {
                // It fails for a program that has changed its user: that one cannot be killed.
                let _ = exit.kill();
            }
            exit.reap();
        }
    }
}
