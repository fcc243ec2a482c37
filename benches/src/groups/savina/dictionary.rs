//! Concurrent dictionary: one actor has a map, many read and write it, one request after another each.

use crate::bench::{Measured, Workload};
use crate::latch::{Finish, latch};
use crate::subjects::actors::{Act, Library, Next};
use std::collections::HashMap;

const WORKERS: u32 = 20;
const KEYS: u32 = 4096;
/// Of a hundred requests.
const WRITES: u32 = 10;

pub(super) const ROW: Workload = on_libraries!(
    "dictionary",
    "20 actors send 10,000 requests each to a map of 4,096 keys, one after another; a tenth writes",
    200_000,
    dictionary
);

/// Every value is a multiple of its key, whatever is written: so every answer can be checked.
#[derive(Clone)]
struct Dictionary(HashMap<u32, u32>);

enum Request<L: Library> {
    Write { from: L::Address<Worker<L>>, key: u32, value: u32 },
    Read { from: L::Address<Worker<L>>, key: u32 },
    Stop,
}

impl<L: Library> Act<L> for Dictionary {
    type Message = Request<L>;

    fn handle(&mut self, request: Request<L>) -> Next {
        match request {
            Request::Write { from, key, value } => {
                let before = self.0.insert(key, value);
                L::tell(&from, Event::Answer(before));
            }
            Request::Read { from, key } => L::tell(&from, Event::Answer(self.0.get(&key).copied())),
            Request::Stop => return Next::Stop,
        }
        Next::Receive
    }
}

#[derive(Clone)]
struct Worker<L: Library> {
    dictionary: L::Address<Dictionary>,
    master: L::Address<Master<L>>,
    own: Option<L::Address<Worker<L>>>,
    left: u32,
    key: u32,
    chance: fastrand::Rng,
}

enum Event<L: Library> {
    Start(L::Address<Worker<L>>),
    Answer(Option<u32>),
}

impl<L: Library> Worker<L> {
    /// Sends the next request; false when there is none.
    fn request(&mut self) -> bool {
        let Some(from) = self.own.clone().filter(|_| self.left > 0) else { return false };
        self.left -= 1;
        let key = self.chance.u32(1..=KEYS);
        self.key = key;
        let request = if self.chance.u32(..100) < WRITES {
            Request::Write { from, key, value: key * self.chance.u32(1..1000) }
        } else {
            Request::Read { from, key }
        };
        L::tell(&self.dictionary, request);
        true
    }
}

impl<L: Library> Act<L> for Worker<L> {
    type Message = Event<L>;

    fn handle(&mut self, event: Event<L>) -> Next {
        let right = match event {
            Event::Start(own) => {
                self.own = Some(own);
                true
            }
            Event::Answer(value) => value.is_some_and(|value| value % self.key == 0),
        };
        let over = !right || !self.request();
        if over {
            L::tell(&self.master, right);
        }
        Next::stop_if(over)
    }
}

/// Awaits the word of all workers: whether all answers were right.
#[derive(Clone)]
struct Master<L: Library> {
    dictionary: L::Address<Dictionary>,
    working: u32,
    all_right: bool,
    finish: Finish,
}

impl<L: Library> Act<L> for Master<L> {
    type Message = bool;

    fn handle(&mut self, right: bool) -> Next {
        self.all_right &= right;
        self.working -= 1;
        let over = self.working == 0;
        if over {
            self.finish.now_if(self.all_right, "a wrong answer");
            L::tell(&self.dictionary, Request::Stop);
        }
        Next::stop_if(over)
    }
}

fn dictionary<L: Library>(requests: u32) -> Measured {
    let (finish, mut wait) = latch();
    let dictionary = L::spawn(Dictionary((1..=KEYS).map(|key| (key, key)).collect()))?;
    let (working, all_right) = (WORKERS, true);
    let master = Master::<L> { dictionary: dictionary.clone(), working, all_right, finish };
    let master = L::spawn(master)?;
    let worker = |number: u32| {
        L::spawn(Worker::<L> {
            dictionary: dictionary.clone(),
            master: master.clone(),
            own: None,
            left: requests / WORKERS,
            key: 0,
            chance: fastrand::Rng::with_seed(u64::from(number)),
        })
    };
    let workers = (0..WORKERS).map(worker).collect::<Result<Vec<_>, _>>()?;
    wait.start();
    for worker in workers {
        L::tell(&worker, Event::Start(worker.clone()));
    }
    wait.measured()
}
