//! Where a worker that has nothing of its own finds work: at its own domain first, elsewhere only what that domain cannot do itself.

use crate::local::Local;
use crate::shared::{Remote, Shared, retry};
use crossbeam_deque::Injector;
use lightproc::LightProc;
use std::sync::atomic::Ordering::Relaxed;

/// So many processes come out of an injector at once.
const INJECTED_BATCH: usize = 32;

/// So many batches one worker takes out of an injector, if there are so many for each worker.
const INJECTED_BATCHES: usize = 8;

/// From whom a worker steals.
pub(crate) struct Victims {
    /// The other workers of its domain, nearest first.
    pub(crate) near: Box<[usize]>,
    /// The other domains, nearest first, each with its workers.
    pub(crate) far: Box<[(usize, Box<[usize]>)]>,
}

impl Remote {
    /// Says whether there is more in its queue than it will have done before another worker is awake.
    fn has_spare(&self) -> bool {
        self.stealer.len() > self.own.bearable.load(Relaxed)
    }
}

impl Shared {
    /// Takes a batch of what came from outside to the worker's domain.
    pub(crate) fn take_injected(&self, local: &Local) -> Option<LightProc> {
        let domain = &self.domains[local.domain()];
        self.take_batches(&domain.injector, domain.workers.len(), local)
    }

    /// Takes this worker's share of an injector that so many share.
    fn take_batches(
        &self,
        injector: &Injector<LightProc>,
        workers: usize,
        local: &Local,
    ) -> Option<LightProc> {
        let first = retry(|| injector.steal_batch_and_pop(&local.queue))?;
        // One look takes several batches: the next may be a time slice away.
        let share = injector.len() / workers;
        for _ in 1..(share / INJECTED_BATCH).min(INJECTED_BATCHES) {
            let _ = injector.steal_batch(&local.queue);
        }
        if !local.queue.is_empty() {
            // While the batch was on its way nobody could see it: a worker may have gone to sleep over that.
            local.notify();
        }
        Some(first)
    }

    /// Takes one of the processes that only this worker's domain may run: one, because from the worker's queue others could steal it.
    pub(crate) fn take_kept(&self, local: &Local) -> Option<LightProc> {
        let kept = &self.domains[local.domain()].kept;
        if kept.is_empty() { None } else { retry(|| kept.steal()) }
    }

    /// Steals a batch from another worker: of the own domain, the nearest first; else from a domain where nobody is idle.
    pub(crate) fn steal(&self, local: &Local) -> Option<LightProc> {
        let victims = &self.workers[local.index].victims;
        self.steal_from(&victims.near, local, |_| true).or_else(|| self.steal_abroad(local))
    }

    fn steal_from(
        &self,
        victims: &[usize],
        local: &Local,
        may: impl Fn(&Remote) -> bool,
    ) -> Option<LightProc> {
        let victims = victims.iter().map(|victim| &self.workers[*victim]);
        let stolen = victims
            .filter(|victim| may(victim))
            .find_map(|victim| retry(|| victim.stealer.steal_batch_and_pop(&local.queue)))?;
        local.meter().steals.add(1);
        // The queue was empty before: what is in it came with the batch.
        local.meter().stolen.add(1 + local.queue.len() as u64);
        Some(stolen)
    }

    /// Takes what other domains cannot do themselves. One worker of a domain at a time: what it brings, the others find at home.
    fn steal_abroad(&self, local: &Local) -> Option<LightProc> {
        let far = &self.workers[local.index].victims.far;
        if far.is_empty() {
            return None;
        }
        let _theft = self.domains[local.domain()].go_abroad()?;
        far.iter().filter(|(domain, _)| self.idle.needs_help(*domain)).find_map(
            |(domain, workers)| {
                let injector = &self.domains[*domain].injector;
                let found = self.take_batches(injector, self.workers.len(), local);
                let found = found.or_else(|| self.steal_from(workers, local, Remote::has_spare))?;
                local.meter().abroad.add(1 + local.queue.len() as u64);
                Some(found)
            },
        )
    }

    /// Has others look at what there is for them, by the last one who searched.
    pub(crate) fn pass_on(&self, local: &Local) {
        let domain = local.domain();
        if self.has_common_work(domain) {
            local.notify();
        } else if !self.domains[domain].kept.is_empty() {
            local.notify_only(domain);
        }
    }

    /// Says whether there is something to do for one more worker of a domain.
    pub(crate) fn has_work(&self, domain: usize) -> bool {
        self.is_closed() || !self.domains[domain].kept.is_empty() || self.has_common_work(domain)
    }

    /// Says whether there is something that any worker may do: something that came from outside, or more in a worker's queue than that will
    /// have done before another is awake; there, or in a domain that needs help.
    fn has_common_work(&self, domain: usize) -> bool {
        self.has_spare(domain) || (self.domains.len() > 1 && self.has_work_abroad(domain))
    }

    fn has_spare(&self, domain: usize) -> bool {
        let domain = &self.domains[domain];
        let mut workers = domain.workers.iter().map(|worker| &self.workers[*worker]);
        !domain.injector.is_empty() || workers.any(Remote::has_spare)
    }

    #[cold]
    fn has_work_abroad(&self, domain: usize) -> bool {
        let mut others = (0..self.domains.len()).filter(|other| *other != domain);
        // What the thief leaves, the thief sees to.
        !self.domains[domain].is_abroad()
            && others.any(|other| self.has_spare(other) && self.idle.needs_help(other))
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests;
