//! [`Command`]: a program that is to be started.

use super::{Child, ExitStatus, Output, Stdio};
use std::ffi::OsStr;
use std::future::Future;
use std::io;
use std::path::Path;
use std::process;

/// A program to start, with its arguments and surroundings: [`std::process::Command`], whose children can be waited for.
///
/// What is missing here can be set there: `Command::from(std_command)`. What that one has said of the three standard streams
/// counts for [`spawn`](Command::spawn), and is not known to [`output`](Command::output), which pipes two of them.
///
/// # Examples
/// See the [module](super).
#[derive(Debug)]
pub struct Command {
    inner: process::Command,
    /// Which of the three streams were chosen here.
    chosen: [bool; 3],
    kill_on_drop: bool,
}

impl Command {
    /// Describes a program, to be found as [`std::process::Command::new`] finds it.
    pub fn new<S: AsRef<OsStr>>(program: S) -> Command {
        Command::from(process::Command::new(program))
    }

    /// Adds an argument.
    pub fn arg<S: AsRef<OsStr>>(&mut self, arg: S) -> &mut Command {
        self.inner.arg(arg);
        self
    }

    /// Adds arguments.
    pub fn args<S: AsRef<OsStr>>(&mut self, args: impl IntoIterator<Item = S>) -> &mut Command {
        self.inner.args(args);
        self
    }

    /// Sets a variable of its environment.
    pub fn env<K: AsRef<OsStr>, V: AsRef<OsStr>>(&mut self, key: K, value: V) -> &mut Command {
        self.inner.env(key, value);
        self
    }

    /// Sets variables of its environment.
    pub fn envs<K: AsRef<OsStr>, V: AsRef<OsStr>>(
        &mut self,
        variables: impl IntoIterator<Item = (K, V)>,
    ) -> &mut Command {
        self.inner.envs(variables);
        self
    }

    /// Takes a variable out of its environment.
    pub fn env_remove<K: AsRef<OsStr>>(&mut self, key: K) -> &mut Command {
        self.inner.env_remove(key);
        self
    }

    /// Takes all variables out of its environment.
    pub fn env_clear(&mut self) -> &mut Command {
        self.inner.env_clear();
        self
    }

    /// Sets the directory that it starts in. Default: that of this program.
    pub fn current_dir<P: AsRef<Path>>(&mut self, directory: P) -> &mut Command {
        self.inner.current_dir(directory);
        self
    }

    /// Sets its standard input. Default: this program's, and none for [`output`](Command::output).
    pub fn stdin<T: Into<Stdio>>(&mut self, stdin: T) -> &mut Command {
        self.chosen[0] = true;
        self.inner.stdin(stdin);
        self
    }

    /// Sets its standard output. Default: this program's, and a pipe for [`output`](Command::output).
    pub fn stdout<T: Into<Stdio>>(&mut self, stdout: T) -> &mut Command {
        self.chosen[1] = true;
        self.inner.stdout(stdout);
        self
    }

    /// Sets its standard error. Default: this program's, and a pipe for [`output`](Command::output).
    pub fn stderr<T: Into<Stdio>>(&mut self, stderr: T) -> &mut Command {
        self.chosen[2] = true;
        self.inner.stderr(stderr);
        self
    }

    /// Sets whether the program is killed when its [`Child`], or the future that waits for it, is dropped before its end. Default:
    /// no.
    pub fn kill_on_drop(&mut self, kill: bool) -> &mut Command {
        self.kill_on_drop = kill;
        self
    }

    /// Starts the program.
    ///
    /// # Errors
    /// The system's: there is no such program, for example. One that has been started but cannot be watched is killed.
    pub fn spawn(&mut self) -> io::Result<Child> {
        Child::new(self.inner.spawn()?, self.kill_on_drop)
    }

    /// Starts the program, at once, and waits for its end.
    ///
    /// # Errors
    /// As [`Command::spawn`].
    ///
    /// # Cancel safety
    /// Dropping it drops the [`Child`].
    pub fn status(&mut self) -> impl Future<Output = io::Result<ExitStatus>> + use<> {
        let child = self.spawn();
        async move { child?.wait().await }
    }

    /// Starts the program, at once, waits for its end, and returns what it has written.
    ///
    /// # Errors
    /// As [`Command::spawn`].
    ///
    /// # Cancel safety
    /// Dropping it drops the [`Child`] and what it has written.
    pub fn output(&mut self) -> impl Future<Output = io::Result<Output>> + use<> {
        let [stdin, stdout, stderr] = self.chosen;
        if !stdin {
            self.inner.stdin(Stdio::null());
        }
        if !stdout {
            self.inner.stdout(Stdio::piped());
        }
        if !stderr {
            self.inner.stderr(Stdio::piped());
        }
        let child = self.spawn();
        async move { child?.wait_with_output().await }
    }
}

impl From<process::Command> for Command {
    fn from(inner: process::Command) -> Command {
        Command { inner, chosen: [false; 3], kill_on_drop: false }
    }
}
