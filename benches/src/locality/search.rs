//! What a simulated worker does when nothing is due on it: it looks into injectors and queues, near ones first.

use super::calendar::Event;
use super::rules::{Abroad, Victims};
use super::sim::Sim;
use super::worker::{Search, State};

/// So many processes one batch has, from a queue or an injector.
const BATCH: usize = 32;
/// So many batches one look takes out of an injector, if there are so many for each worker.
const BATCHES: usize = 8;
/// So many processes fit into a cache line of a queue.
const IN_A_LINE: u64 = 8;

impl Sim<'_> {
    /// Has a worker look for something to do.
    pub(super) fn seek(&mut self, worker: usize) {
        if let Some(process) = self.take_injected(worker) {
            return self.begin(worker, process);
        }
        let domain = self.seats.workers[worker].domain;
        let idle = &mut self.idle[domain];
        if !self.workers[worker].searcher {
            // More than half would only disturb each other.
            if 2 * idle.searching >= self.seats.members[domain].len().max(2) {
                return self.rest(worker);
            }
            idle.searching += 1;
            self.workers[worker].searcher = true;
        }
        self.look(worker, 0, 0, None);
    }

    /// Returns the domain that a leg of a search goes through.
    fn domain_of(&self, worker: usize, leg: usize) -> Option<usize> {
        let own = self.seats.workers[worker].domain;
        if leg == 0 { Some(own) } else { self.seats.others[own].get(leg - 1).copied() }
    }

    /// Looks at one place of a domain after the other, as they are now, until there is something.
    pub(super) fn look(&mut self, worker: usize, leg: usize, from: usize, first: Option<usize>) {
        let Some(domain) = self.domain_of(worker, leg) else { return self.rest(worker) };
        let victims = self.seats.victims(worker, domain).len();
        let first = first.unwrap_or_else(|| self.first(leg, victims));
        let mut search = Search { leg, at: from, first, hit: false };
        let mut ns = 0;
        if leg > 0 && from == 0 && !self.may_help(domain) {
            // One look at the domain's idle word says so.
            ns += self.seats.line_ns(
                &self.seats.workers[worker],
                &self.injectors[domain].last,
                self.costs,
            );
        } else {
            while search.at <= victims && !search.hit {
                ns += self.probe_ns(worker, domain, &search);
                search.hit = self.is_worth_it(worker, domain, &search);
                search.at += usize::from(!search.hit);
            }
        }
        let one = &mut self.workers[worker];
        ns += std::mem::take(&mut one.debt_ns);
        one.state = State::Searching(search);
        self.calendar.note(ns.max(1), Event::Looked(worker));
    }

    /// Returns which of so many victims to begin with.
    fn first(&mut self, leg: usize, victims: usize) -> usize {
        let at_random = self.rules.victims == Victims::Random;
        match self.rules.abroad {
            _ if victims == 0 => 0,
            Abroad::Random if leg > 0 => self.random.usize(0..victims),
            _ if at_random => self.random.usize(0..victims),
            _ => 0,
        }
    }

    fn victim(&self, worker: usize, domain: usize, search: &Search) -> usize {
        let victims = self.seats.victims(worker, domain);
        victims[(search.at - 1 + search.first) % victims.len()]
    }

    /// Says whether there is something at a place; abroad, whether there is more than its owner will soon have done.
    fn is_worth_it(&self, worker: usize, domain: usize, search: &Search) -> bool {
        let least = if search.leg > 0 { self.rules.remote_least } else { 1 };
        if search.at == 0 {
            return self.injectors[domain].queue.len() >= least;
        }
        let victim = &self.workers[self.victim(worker, domain, search)];
        victim.queue.len() >= least && (search.leg == 0 || victim.has_work())
    }

    fn probe_ns(&self, worker: usize, domain: usize, search: &Search) -> u64 {
        let here = &self.seats.workers[worker];
        let ns = if search.at == 0 {
            self.seats.line_ns(here, &self.injectors[domain].last, self.costs)
        } else {
            let victim = self.victim(worker, domain, search);
            // The queue of a worker that sleeps has not changed since the last look.
            let changes = !matches!(self.workers[victim].state, State::Asleep);
            let line_ns = self.seats.line_ns(here, &self.seats.workers[victim], self.costs);
            if changes { line_ns } else { 0 }
        };
        ns.max(self.costs.line_known_ns)
    }

    /// Goes on after a look.
    pub(super) fn looked(&mut self, worker: usize) {
        let State::Searching(search) = self.workers[worker].state else { return };
        let Some(domain) = self.domain_of(worker, search.leg) else { return self.rest(worker) };
        if search.hit {
            let taken = match search.at {
                0 => self.take_from_injector(worker, domain),
                _ => self.steal(worker, self.victim(worker, domain, &search), search.leg > 0),
            };
            return match taken {
                Some(process) => self.begin(worker, process),
                None => self.look(worker, search.leg, search.at + 1, Some(search.first)),
            };
        }
        let own = &mut self.idle[self.seats.workers[worker].domain];
        let one = &mut self.workers[worker];
        if !one.remote_thief {
            if own.remote_thieves >= self.rules.remote_thieves {
                return self.rest(worker);
            }
            own.remote_thieves += 1;
            one.remote_thief = true;
        }
        self.look(worker, search.leg + 1, 0, None);
    }

    /// Takes some of what came from outside to the worker's own domain.
    pub(super) fn take_injected(&mut self, worker: usize) -> Option<usize> {
        let domain = self.seats.workers[worker].domain;
        let first = self.take_from_injector(worker, domain)?;
        if !self.workers[worker].queue.is_empty() {
            self.notify_from(worker);
        }
        Some(first)
    }

    fn take_from_injector(&mut self, worker: usize, domain: usize) -> Option<usize> {
        let here = self.seats.workers[worker];
        let injector = &mut self.injectors[domain];
        let length = injector.queue.len();
        // One look takes several batches, abroad as if all workers shared them.
        let (batch, workers) = match domain == here.domain {
            true => (BATCH, self.seats.members[domain].len()),
            false => (self.rules.remote_batch, self.seats.workers.len()),
        };
        let many = batch * (length / workers.max(1) / BATCH).clamp(1, BATCHES);
        let line_ns = self.seats.line_ns(&here, &injector.last, self.costs);
        if length > 0 {
            injector.last = here;
        }
        let batch: Vec<usize> = injector.queue.drain(..many.min(length)).collect();
        self.receive(worker, &batch, line_ns)
    }

    /// Takes half of a worker's queue.
    pub(super) fn steal(&mut self, worker: usize, victim: usize, remote: bool) -> Option<usize> {
        let [here, there] = [worker, victim].map(|one| self.seats.workers[one]);
        let most = if remote { self.rules.remote_batch } else { BATCH };
        let queue = &mut self.workers[victim].queue;
        let many = queue.len().div_ceil(2).min(most);
        let batch: Vec<usize> = queue.drain(..many).collect();
        self.receive(worker, &batch, self.seats.line_ns(&here, &there, self.costs))
    }

    /// Puts what was taken into the worker's queue, but the first.
    fn receive(&mut self, worker: usize, batch: &[usize], line_ns: u64) -> Option<usize> {
        let (first, rest) = batch.split_first()?;
        let node = self.seats.workers[worker].node;
        let is_near =
            |one: &&usize| self.processes[**one].header.is_some_and(|header| header.node == node);
        self.tally.taken += batch.len() as u64;
        self.tally.taken_near += batch.iter().filter(is_near).count() as u64;
        self.waiting -= 1;
        let one = &mut self.workers[worker];
        one.queue.extend(rest);
        one.debt_ns += line_ns * (1 + batch.len() as u64 / IN_A_LINE);
        Some(*first)
    }
}
