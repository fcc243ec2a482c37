//! [`HandleState`]: how a process is, as the handles of lightproc 0.3 tell it.

/// How a process was when its handle was asked; see [`ProcHandle::state`](crate::ProcHandle::state). Meanwhile it may have gone on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandleState {
    pub(crate) scheduled: bool,
    pub(crate) completed: bool,
    pub(crate) closed: bool,
    pub(crate) awaiter: bool,
}

impl HandleState {
    /// Of a handle that was ready: the process is gone.
    pub(super) const READY: HandleState =
        HandleState { scheduled: false, completed: true, closed: true, awaiter: false };

    /// Says whether the process is due to run, or is being polled.
    pub fn is_scheduled(&self) -> bool {
        self.scheduled
    }

    /// Says what [`is_scheduled`](HandleState::is_scheduled) says.
    #[deprecated(
        note = "a poll leaves no mark on its process: `is_scheduled` says that it is due or being polled"
    )]
    pub fn is_running(&self) -> bool {
        self.scheduled
    }

    /// Says whether the process has ended: it has returned or panicked, or was cancelled and its future is gone.
    pub fn is_completed(&self) -> bool {
        self.completed
    }

    /// Says whether the process was cancelled or has panicked, or the handle has given out how it ended.
    ///
    /// One that returned in the poll in which it was cancelled was not: its output is there.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// Says whether the handle exists, which it does as long as it can be asked.
    pub fn is_handle(&self) -> bool {
        true
    }

    /// Says whether somebody awaits the handle.
    pub fn is_awaiter(&self) -> bool {
        self.awaiter
    }

    /// Says no.
    #[deprecated(note = "there is no lock any more")]
    pub fn is_locked(&self) -> bool {
        false
    }

    /// Says whether the process has not ended.
    pub fn is_pending(&self) -> bool {
        !self.completed
    }
}
