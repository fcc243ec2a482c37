//! Actors that pass tokens on: to their own group mostly, or to anybody.

use super::{Arrival, Birth, Poll, Shape, Then, Workload, at_once, generator};

const HANDLE_NS: u64 = 1_000;
/// The root spawns so many actors before the others of its worker have their turn.
const SPAWNED_AT_ONCE: usize = 64;
const IN_A_GROUP: usize = 4;

/// To whom a token goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Towards {
    /// To the next of the own group; one of 16 times to the same one of the next group.
    Group,
    Anybody,
}

struct Messages {
    towards: Towards,
    /// The tokens that each actor has received, by the hops that they have left.
    inboxes: Vec<Vec<u32>>,
    /// What an actor has before it is polled for the first time.
    started: Vec<bool>,
    generators: Vec<fastrand::Rng>,
    spawned: usize,
    hops_left: usize,
    lines: u64,
}

/// Two groups of four a worker, with a token each.
pub(super) fn groups(shape: Shape) -> Box<dyn Workload> {
    let lines = shape.footprint.unwrap_or(256);
    make(shape, Towards::Group, 2 * IN_A_GROUP * shape.workers, IN_A_GROUP, 150, lines)
}

/// Four actors a worker, and two tokens.
pub(super) fn all_to_all(shape: Shape) -> Box<dyn Workload> {
    let lines = shape.footprint.unwrap_or(64);
    make(shape, Towards::Anybody, 4 * shape.workers, 2, 150, lines)
}

/// One token for every so many actors, that makes so many hops.
fn make(
    shape: Shape,
    towards: Towards,
    actors: usize,
    every: usize,
    hops: u32,
    lines: u64,
) -> Box<dyn Workload> {
    let inbox = |actor| if actor % every == 0 { vec![hops] } else { Vec::new() };
    let inboxes: Vec<Vec<u32>> = (0..actors).map(inbox).collect();
    let hops_left = inboxes.iter().flatten().map(|hops| *hops as usize).sum();
    Box::new(Messages {
        towards,
        inboxes,
        started: vec![false; actors],
        generators: (0..actors).map(|actor| generator(shape.seed, actor)).collect(),
        spawned: 0,
        hops_left,
        lines,
    })
}

impl Messages {
    /// The root comes after the actors.
    fn root(&self) -> usize {
        self.inboxes.len()
    }

    fn spawn_some(&mut self) -> Poll {
        let upto = (self.spawned + SPAWNED_AT_ONCE).min(self.root());
        let then = if upto == self.root() { Then::End } else { Then::GoOn };
        let mut poll = Poll::new(0, 0, then);
        poll.spawned.extend((self.spawned..upto).map(|actor| (actor, Birth::Fresh)));
        self.spawned = upto;
        poll
    }

    fn next(&mut self, actor: usize) -> usize {
        let actors = self.inboxes.len();
        let generator = &mut self.generators[actor];
        match self.towards {
            Towards::Anybody => generator.usize(0..actors),
            Towards::Group if generator.u8(0..16) == 0 => (actor + IN_A_GROUP) % actors,
            Towards::Group => actor / IN_A_GROUP * IN_A_GROUP + (actor + 1) % IN_A_GROUP,
        }
    }
}

impl Workload for Messages {
    fn processes(&self) -> usize {
        self.inboxes.len() + 1
    }

    fn arrivals(&self) -> Vec<Arrival> {
        at_once(self.root())
    }

    fn poll(&mut self, process: usize) -> Poll {
        if process == self.root() {
            return self.spawn_some();
        }
        let tokens = std::mem::take(&mut self.inboxes[process]);
        // The first poll makes the actor's data.
        let starts = !std::mem::replace(&mut self.started[process], true);
        let handled = tokens.len() as u64 + u64::from(starts);
        let lines = if handled > 0 { self.lines } else { 0 };
        let mut poll = Poll::new(handled * HANDLE_NS, lines, Then::Wait);
        for hops in tokens.into_iter().filter(|hops| *hops > 0) {
            self.hops_left -= 1;
            let next = self.next(process);
            self.inboxes[next].push(hops - 1);
            poll.woken.push(next);
        }
        poll
    }

    fn left(&self) -> usize {
        // A token without hops that nobody has looked at counts, too.
        self.hops_left + self.inboxes.iter().map(Vec::len).sum::<usize>()
    }
}
