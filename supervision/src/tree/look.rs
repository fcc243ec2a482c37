//! How a state is shown, in words and in pictures.

use crate::plan::ChildState;

/// How a process is shown.
#[derive(Clone, Copy)]
pub(super) struct Look {
    pub(super) words: &'static str,
    /// One word, for classes of a picture.
    pub(super) class: &'static str,
    /// The colours of a box and of its frame.
    pub(super) fill: &'static str,
    pub(super) frame: &'static str,
}

/// Those that have a class in pictures.
pub(super) const ALL: [Look; 8] =
    [STOPPED, STARTING, RUNNING, BACKOFF, QUARANTINED, STOPPING, UNKNOWN, MORE];

const STOPPED: Look = look("stopped", "stopped", "#e9ecef", "#868e96");
const STARTING: Look = look("starting", "starting", "#d0ebff", "#1971c2");
const RUNNING: Look = look("running", "running", "#d3f9d8", "#2b8a3e");
const BACKOFF: Look = look("waiting for its restart", "backoff", "#ffe8cc", "#e8590c");
const QUARANTINED: Look = look("in quarantine", "quarantined", "#f3d9fa", "#9c36b5");
const STOPPING: Look = look("stopping", "stopping", "#fff3bf", "#e67700");
pub(super) const UNKNOWN: Look = look("unknown", "unknown", "#ffe3e3", "#c92a2a");
/// What a picture leaves out.
pub(super) const MORE: Look = look("more", "more", "#ffffff", "#868e96");

const fn look(
    words: &'static str,
    class: &'static str,
    fill: &'static str,
    frame: &'static str,
) -> Look {
    Look { words, class, fill, frame }
}

/// How a state is shown. A state that is new needs a look here, and in [`ALL`].
pub(super) fn of(state: ChildState) -> Look {
    match state {
        ChildState::Stopped => STOPPED,
        ChildState::Starting => STARTING,
        ChildState::Running => RUNNING,
        ChildState::Backoff => BACKOFF,
        ChildState::Quarantined => QUARANTINED,
        ChildState::Stopping => STOPPING,
    }
}
