//! What the monitor does in a round: it sees to what waits behind polls that are long.
//!
//! Decided by counts alone: how many polls each worker has begun since the round before.

use crate::monitor;
use crate::pace;
use crate::shared::{Remote, Shared, retry, wake};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

impl Shared {
    /// Sees to what waits behind polls that hold workers up: processes go to the others, due timers fire. By the monitor, in each of
    /// its rounds.
    pub(crate) fn take_over_from_held_up(self: &Arc<Self>) {
        for remote in &self.workers {
            let polls = remote.own.meter.polls.value();
            match polls - remote.polls_seen.swap(polls, Relaxed) {
                0 if self.is_behind(remote) => self.without_skips(|| self.take_over(remote)),
                0 => {}
                begun => self.share_out(remote, begun),
            }
        }
    }

    /// Sees to what waits in a worker's queue when polls have become long since it looked at the clock: its look may be dozens of them away.
    fn share_out(&self, remote: &Remote, begun: u64) {
        let bearable = pace::bearable(begun, monitor::PERIOD.as_nanos() as u64);
        if remote.stealer.len() > bearable {
            // For the searchers' look. The worker's own word comes with its next look.
            remote.own.bearable.fetch_min(bearable, Relaxed);
            self.idle.notify(remote.domain, None, || remote.stealer.len());
        }
    }

    /// Says whether something waits behind a worker.
    fn is_behind(&self, remote: &Remote) -> bool {
        let is_due = || remote.timers.next() <= self.clock.tick();
        let is_kept = || !self.domains[remote.domain].kept.is_empty();
        // Closed: the one who closed it may have looked before.
        !remote.stealer.is_empty()
            || is_kept()
            || !remote.own.slot.is_empty()
            || is_due()
            || self.is_closed()
    }

    fn take_over(self: &Arc<Self>, remote: &Remote) {
        // Those who search look into its queue; those who never run out of work do not.
        let queued = remote.stealer.len();
        let processes = std::iter::from_fn(|| retry(|| remote.stealer.steal())).take(queued);
        let mut taken = false;
        for process in remote.own.slot.take().into_iter().chain(processes) {
            remote.own.meter.rescued.add(1);
            self.inject_into(remote.domain, process);
            taken = true;
        }
        if !self.domains[remote.domain].kept.is_empty() {
            self.idle.notify_only(remote.domain, None);
        }
        let mut due = Vec::new();
        let tick = self.clock.tick();
        if remote.timers.next() <= tick {
            remote.timers.advance(tick, &mut due);
        }
        due.into_iter().for_each(wake);
        if taken && self.is_closed() {
            // Who drops what is left may have looked into the injectors before.
            self.sweep_elsewhere();
        }
    }
}
