//! When a simulated worker sleeps, and who wakes it: the mechanism around the decisions of `idle`.

use super::calendar::Event;
use super::idle;
use super::seats::Seat;
use super::sim::Sim;
use super::worker::State;

impl Sim<'_> {
    /// Says whether there is something in a domain for one more of its workers.
    fn has_work(&self, domain: usize) -> bool {
        !self.injectors[domain].queue.is_empty()
            || self.seats.members[domain].iter().any(|worker| self.workers[*worker].has_work())
    }

    /// Says whether there is enough in a domain for a worker of another.
    fn has_work_for_others(&self, domain: usize) -> bool {
        let least = self.rules.remote_least;
        let has_enough = |worker: &usize| {
            let one = &self.workers[*worker];
            one.has_work() && one.queue.len() >= least
        };
        let injected = self.injectors[domain].queue.len();
        injected >= least || self.seats.members[domain].iter().any(has_enough)
    }

    /// Says whether workers of other domains may help in this one.
    pub(super) fn may_help(&self, domain: usize) -> bool {
        !self.rules.leaves_alone || self.idle[domain].is_busy()
    }

    /// Stops counting as one that looks into other domains.
    pub(super) fn return_home(&mut self, worker: usize) {
        if std::mem::take(&mut self.workers[worker].remote_thief) {
            self.idle[self.seats.workers[worker].domain].remote_thieves -= 1;
        }
    }

    /// Leaves the searchers with something to do. The last one of the domain has somebody else look for what is left.
    pub(super) fn leave_search(&mut self, worker: usize) {
        self.return_home(worker);
        let here = self.seats.workers[worker];
        if !std::mem::take(&mut self.workers[worker].searcher) {
            return;
        }
        self.idle[here.domain].searching -= 1;
        if self.idle[here.domain].searching > 0 {
            return;
        }
        if self.has_work(here.domain) || self.rules.passes_on && self.has_work_abroad(here.domain) {
            self.notify_from(worker);
        }
    }

    /// Says whether another domain needs help.
    fn has_work_abroad(&self, domain: usize) -> bool {
        let mut others = self.seats.others[domain].iter();
        others.any(|other| self.may_help(*other) && self.has_work_for_others(*other))
    }

    /// Sends a worker to sleep, unless there is something to do after all.
    pub(super) fn rest(&mut self, worker: usize) {
        self.return_home(worker);
        let domain = self.seats.workers[worker].domain;
        let now = self.calendar.now;
        self.workers[worker].pace.look(now, self.costs);
        if std::mem::take(&mut self.workers[worker].searcher) {
            self.idle[domain].searching -= 1;
        }
        let may_leave = self.idle[domain].remote_thieves < self.rules.remote_thieves;
        if self.has_work(domain) || may_leave && self.has_work_abroad(domain) {
            self.idle[domain].searching += 1;
            self.workers[worker].searcher = true;
            return self.look(worker, 0, 0, None);
        }
        self.idle[domain].sleepers.push(worker);
        self.workers[worker].state = State::Asleep;
        self.workers[worker].debt_ns = 0;
        self.occupy(worker, false);
    }

    /// Notifies of what a worker has made visible; it pays for the call.
    pub(super) fn notify_from(&mut self, worker: usize) {
        let here = self.seats.workers[worker];
        self.workers[worker].debt_ns += self.notify(here.domain, &here, Some(worker));
    }

    /// Makes sure that somebody looks at what has become visible in a domain. Returns what that costs the caller.
    pub(super) fn notify(&mut self, domain: usize, here: &Seat, by: Option<usize>) -> u64 {
        if self.idle[domain].searching > 0 {
            return 0;
        }
        if !self.idle[domain].sleepers.is_empty() {
            return self.rouse(domain, here, by);
        }
        let is_worth_it = || {
            self.rules.remote_least <= 1
                || self.has_work_for_others(domain)
                || self.has_work_abroad(domain)
        };
        if !self.rules.calls_others || !is_worth_it() {
            return 0;
        }
        let waiting = match by {
            Some(worker) => self.workers[worker].queue.len(),
            None => self.injectors[domain].queue.len(),
        };
        match idle::beyond(&self.seats.others[domain], &self.idle, waiting, self.rules) {
            // There the last sleeper is woken: nobody asks who is near.
            Some(other) => self.rouse(other, &Seat { bound: false, ..*here }, by),
            None => 0,
        }
    }

    /// Wakes the best sleeper of a domain.
    fn rouse(&mut self, domain: usize, here: &Seat, by: Option<usize>) -> u64 {
        let idle = &mut self.idle[domain];
        let seats = &self.seats.workers;
        let Some(place) = idle.nearest(here, seats, &self.busy, self.rules) else { return 0 };
        let worker = idle.sleepers.remove(place);
        // The waker counts it, so that the next push is content with it.
        idle.searching += 1;
        self.workers[worker].searcher = true;
        self.workers[worker].state = State::Waking;
        self.workers[worker].hint = by.filter(|_| self.rules.hint);
        let far = seats[worker].node != here.node;
        self.tally.wake_ups += 1;
        self.tally.far_wake_ups += u64::from(far);
        let more_ns = if far { self.costs.wake_up_far_ns } else { 0 };
        self.calendar.note(self.costs.wake_up_ns + more_ns, Event::Awake(worker));
        self.costs.unpark_ns
    }

    /// A worker that was woken runs.
    pub(super) fn awake(&mut self, worker: usize) {
        self.occupy(worker, true);
        if let Some(victim) = self.workers[worker].hint.take() {
            let remote = self.seats.workers[victim].domain != self.seats.workers[worker].domain;
            if let Some(process) = self.steal(worker, victim, remote) {
                return self.begin(worker, process);
            }
        }
        self.next(worker);
    }

    /// Says whether there is work that nobody will look at although somebody sleeps who would have to.
    #[cfg(test)]
    pub(super) fn is_neglected(&self) -> bool {
        let searching: usize = self.idle.iter().map(|idle| idle.searching).sum();
        let sleeping: usize = self.idle.iter().map(|idle| idle.sleepers.len()).sum();
        (0..self.idle.len()).filter(|domain| self.has_work(*domain)).any(|domain| {
            let idle = &self.idle[domain];
            let at_home = idle.searching == 0 && !idle.sleepers.is_empty();
            at_home || searching == 0 && sleeping > 0
        })
    }
}
