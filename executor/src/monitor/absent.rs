//! No monitor, for random schedules: it is a thread of the program, and they begin and end. The tests make its rounds.

use crate::shared::Shared;
use std::io;
use std::sync::Arc;
use std::time::Duration;

pub(crate) const PERIOD: Duration = Duration::from_millis(3);

pub(crate) fn join(_: &Arc<Shared>) -> io::Result<()> {
    Ok(())
}

pub(crate) fn leave(_: &Arc<Shared>) {}

#[inline]
pub(crate) fn wake() {}

/// What asks for it watches sockets, which shuttle knows nothing of: that is compiled, and not run.
pub(crate) fn executors() -> Vec<Arc<Shared>> {
    panic!("no sockets under random schedules")
}
