//! The end of a program: noticing it, and leaving no zombie behind.
//!
//! A program that has ended is a zombie until somebody asks for its status, which happens in `try_wait` only. What waits here waits for
//! the moment at which that will succeed: for its `pidfd` to be readable, or for a thread of the blocking pool to return from a wait
//! that leaves the zombie there. So waiting can be given up and begun again at any time.

#[cfg(target_os = "linux")]
use crate::io::Async;
use crate::jobs::spawn_blocking;
#[cfg(target_os = "linux")]
use crate::reactor::Side;
use lightproc::RecoverableHandle;
use std::future::Future;
use std::io;
#[cfg(target_os = "linux")]
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::process::{Child, ExitStatus};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// A program, and what tells of its end.
#[derive(Debug)]
pub(super) struct Exit {
    child: Child,
    watch: Watch,
}

#[derive(Debug)]
enum Watch {
    /// Readable when the program has ended.
    #[cfg(target_os = "linux")]
    Pidfd(Async<OwnedFd>),
    /// A thread waits, from the first wait on.
    Thread(Option<RecoverableHandle<()>>),
}

impl Exit {
    /// Watches a program. One that cannot be watched is killed.
    ///
    /// # Errors
    /// The system's: no descriptors are left.
    pub(super) fn new(mut child: Child) -> io::Result<Exit> {
        match watch(&child) {
            Ok(watch) => Ok(Exit { child, watch }),
            Err(error) => {
                let _ = child.kill();
                // It has been killed: that does not take long.
                let _ = child.wait();
                Err(error)
            }
        }
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(super) fn kill(&mut self) -> io::Result<()> {
        self.child.kill()
    }

    pub(super) fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    pub(super) async fn wait(&mut self) -> io::Result<ExitStatus> {
        let Exit { child, watch } = self;
        match watch {
            #[cfg(target_os = "linux")]
            Watch::Pidfd(pidfd) => pidfd.read_with(|_| ended(child)).await,
            Watch::Thread(thread) => {
                std::future::poll_fn(|cx| poll_thread(child, thread, cx)).await
            }
        }
    }

    /// Polls for the end, at nobody's cost: it may be the drop of a [`Child`](super::Child), in a process that has spent all.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<ExitStatus>> {
        let Exit { child, watch } = self;
        match watch {
            #[cfg(target_os = "linux")]
            Watch::Pidfd(pidfd) => pidfd.source.poll_free(Side::Read, None, cx, |_| ended(child)),
            Watch::Thread(thread) => poll_thread(child, thread, cx),
        }
    }

    /// Waits for the program's end, with nobody to tell, so that no zombie stays.
    pub(super) fn reap(self) {
        Waker::from(Arc::new(Orphan(Mutex::new(Some(self))))).wake();
    }
}

#[cfg(target_os = "linux")]
fn watch(child: &Child) -> io::Result<Watch> {
    use rustix::io::Errno;
    use rustix::process::{Pid, PidfdFlags, pidfd_open};
    match pidfd_open(Pid::from_child(child), PidfdFlags::empty()) {
        // Nothing is read from it.
        Ok(pidfd) => Ok(Watch::Pidfd(Async::new_nonblocking(pidfd)?)),
        // Kernels before 5.3, and sandboxes that do not know it.
        Err(Errno::NOSYS | Errno::PERM) => Ok(Watch::Thread(None)),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(target_os = "linux"))]
fn watch(_: &Child) -> io::Result<Watch> {
    Ok(Watch::Thread(None))
}

/// Returns the status, or `WouldBlock`.
fn ended(child: &mut Child) -> io::Result<ExitStatus> {
    child.try_wait()?.ok_or_else(|| io::ErrorKind::WouldBlock.into())
}

fn poll_thread(
    child: &mut Child,
    thread: &mut Option<RecoverableHandle<()>>,
    cx: &mut Context<'_>,
) -> Poll<io::Result<ExitStatus>> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Poll::Ready(Ok(status));
        }
        let handle = thread.get_or_insert_with(|| {
            let id = child.id();
            spawn_blocking(move || wait_without_reaping(id))
        });
        let Poll::Ready(returned) = Pin::new(handle).poll(cx) else { return Poll::Pending };
        *thread = None;
        if returned.is_none() {
            return Poll::Ready(Err(io::Error::other("the blocking pool could not wait")));
        }
    }
}

/// Blocks until the program has ended, and leaves its status to be asked for.
fn wait_without_reaping(id: u32) {
    use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
    let Some(pid) = i32::try_from(id).ok().and_then(Pid::from_raw) else { return };
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    while matches!(waitid(WaitId::Pid(pid), options), Err(rustix::io::Errno::INTR)) {}
}

/// A program that nobody waits for. It is its own waker: each wake looks whether the program has ended.
///
/// Until then it is kept alive by its waker, which the reactor (or the waiting thread's handle) holds, which it owns itself. It needs
/// no executor, so none can end before it.
struct Orphan(Mutex<Option<Exit>>);

impl Wake for Orphan {
    fn wake(self: Arc<Self>) {
        let waker = Waker::from(self.clone());
        let mut exit = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(program) = &mut *exit else { return };
        // An error will not get better: the program is not ours any more.
        if program.poll(&mut Context::from_waker(&waker)).is_ready() {
            let ended = exit.take();
            drop(exit);
            drop(ended);
        }
    }
}

/// The way of the systems without `pidfd`, which the tests of the public interface do not reach on Linux.
#[cfg(test)]
mod tests {
    use super::*;
    use crate::{run, sleep, timeout};
    use std::process::{Command, Stdio};
    use std::time::Duration;

    fn program() -> Exit {
        let child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        Exit { child, watch: Watch::Thread(None) }
    }

    #[test]
    fn a_thread_waits_too_and_can_be_left_waiting() {
        run(async {
            let mut exit = program();
            for _ in 0..3 {
                let short = Duration::from_millis(5);
                assert!(timeout(short, exit.wait()).await.is_err());
            }
            assert!(exit.try_wait().unwrap().is_none());
            drop(exit.child.stdin.take());
            for _ in 0..2 {
                assert!(exit.wait().await.unwrap().success());
            }
        });
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_thread_takes_the_zombie_away_too() {
        run(async {
            for waited_for in [false, true] {
                let mut exit = program();
                if waited_for {
                    assert!(timeout(Duration::from_millis(5), exit.wait()).await.is_err());
                }
                let (place, stdin) = (format!("/proc/{}", exit.id()), exit.child.stdin.take());
                exit.reap();
                assert!(std::fs::exists(&place).unwrap());
                drop(stdin);
                let gone = async {
                    while std::fs::exists(&place).unwrap() {
                        sleep(Duration::from_millis(1)).await;
                    }
                };
                assert!(timeout(Duration::from_secs(60), gone).await.is_ok(), "a zombie stays");
            }
        });
    }
}
