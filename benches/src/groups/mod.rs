//! The groups, a file each: their workloads and who is asked.

mod ask;
mod lightproc;
mod restart;
mod spawn;
mod tell;
mod wake;
mod yields;

use crate::bench::Group;

/// Every group, in the order in which they are measured.
pub(crate) const GROUPS: &[Group] = &[
    lightproc::GROUP,
    spawn::GROUP,
    yields::GROUP,
    wake::GROUP,
    tell::GROUP,
    ask::GROUP,
    restart::GROUP,
];
