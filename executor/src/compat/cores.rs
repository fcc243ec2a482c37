//! The PUs of the program by their numbers, as the module `placement` of bastion-executor 0.4 has them.
//!
//! Which PUs there are and what lies near what: [`Topology`](crate::Topology). Where workers go: [`Builder`](crate::Builder).

use crate::affinity;

/// A PU, which bastion-executor 0.4 calls a core.
#[derive(Clone, Copy, Debug)]
pub struct CoreId {
    /// The operating system's number of it.
    pub id: usize,
}

/// Returns the PUs that the calling thread may run on, smallest first.
///
/// Where the system does not tell which these are: as many as the program may use, counted from 0. `None`: not even that is known.
///
/// # Examples
/// ```
/// use bastion_executor::placement::{get_core_ids, get_num_cores};
/// assert_eq!(get_core_ids().map(|cores| cores.len()), get_num_cores());
/// ```
pub fn get_core_ids() -> Option<Vec<CoreId>> {
    let known = affinity::allowed().map(|pus| pus.into_iter().map(|pu| pu as usize).collect());
    let counted = || Some((0..std::thread::available_parallelism().ok()?.get()).collect());
    let ids: Vec<usize> = known.or_else(counted)?;
    Some(ids.into_iter().map(|id| CoreId { id }).collect())
}

/// Returns how many PUs the calling thread may run on; see [`get_core_ids`].
pub fn get_num_cores() -> Option<usize> {
    get_core_ids().map(|ids| ids.len())
}

/// Binds the calling thread to one PU. If that is not possible it runs on where it ran before, and a warning is logged;
/// [`affinity::bind_current`] returns the error.
///
/// # Examples
/// ```
/// use bastion_executor::placement::{get_core_ids, set_for_current};
/// let first = get_core_ids().and_then(|cores| cores.first().copied());
/// first.into_iter().for_each(set_for_current);
/// ```
pub fn set_for_current(core_id: CoreId) {
    let pu = u32::try_from(core_id.id).unwrap_or(u32::MAX);
    if let Err(error) = affinity::bind_current(&[pu]) {
        tracing::warn!(%error, "the thread runs on where it ran before");
    }
}
