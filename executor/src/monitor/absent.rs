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
