//! Big: many actors, each of which pings the others by chance, one after another.

use crate::bench::{Measured, Workload};
use crate::latch::{Finish, latch};
use crate::subjects::actors::{Act, Library, Next};
use std::sync::{Arc, OnceLock};

const ACTORS: usize = 120;

pub(super) const ROW: Workload = on_libraries!(
    "big",
    "120 actors; each pings another by chance and awaits its pong, 1,000 times",
    120_000,
    big
);

/// Every actor, and who waits for all of them.
struct All<L: Library> {
    actors: Vec<L::Address<Actor<L>>>,
    sink: L::Address<Sink<L>>,
}

#[derive(Clone)]
struct Actor<L: Library> {
    /// Set before anybody is told to start.
    all: Arc<OnceLock<All<L>>>,
    number: usize,
    left: u32,
    handled: u32,
    chance: fastrand::Rng,
}

enum Message {
    Start,
    /// From the actor with this number.
    Ping(usize),
    Pong,
    Stop,
}

impl<L: Library> Actor<L> {
    fn tell(&self, whom: usize, message: Message) {
        if let Some(all) = self.all.get() {
            L::tell(&all.actors[whom], message);
        }
    }

    fn tell_sink(&self, done: Done<L>) {
        if let Some(all) = self.all.get() {
            L::tell(&all.sink, done);
        }
    }
}

impl<L: Library> Act<L> for Actor<L> {
    type Message = Message;

    fn handle(&mut self, message: Message) -> Next {
        match message {
            Message::Start | Message::Pong if self.left > 0 => {
                self.left -= 1;
                let whom = self.chance.usize(..ACTORS);
                self.tell(whom, Message::Ping(self.number));
            }
            Message::Start | Message::Pong => self.tell_sink(Done::Pinged),
            Message::Ping(from) => {
                self.handled += 1;
                self.tell(from, Message::Pong);
            }
            Message::Stop => {
                self.tell_sink(Done::Stopped(self.handled));
                return Next::Stop;
            }
        }
        Next::Receive
    }
}

/// Awaits the end of all pings, then of all actors.
#[derive(Clone)]
struct Sink<L: Library> {
    actors: Vec<L::Address<Actor<L>>>,
    pinged: usize,
    stopped: usize,
    handled: u32,
    pings: u32,
    finish: Finish,
}

enum Done<L: Library> {
    Actors(Vec<L::Address<Actor<L>>>),
    Pinged,
    Stopped(u32),
}

impl<L: Library> Act<L> for Sink<L> {
    type Message = Done<L>;

    fn handle(&mut self, message: Done<L>) -> Next {
        match message {
            Done::Actors(actors) => self.actors = actors,
            Done::Pinged => {
                self.pinged += 1;
                if self.pinged == ACTORS {
                    self.actors.iter().for_each(|actor| L::tell(actor, Message::Stop));
                }
            }
            Done::Stopped(handled) => {
                self.handled += handled;
                self.stopped += 1;
            }
        }
        let over = self.stopped == ACTORS;
        if over {
            self.finish.now_if(self.handled == self.pings, "pings got lost");
        }
        Next::stop_if(over)
    }
}

fn big<L: Library>(pings: u32) -> Measured {
    let (finish, mut wait) = latch();
    let sink = Sink::<L> { actors: Vec::new(), pinged: 0, stopped: 0, handled: 0, pings, finish };
    let sink = L::spawn(sink)?;
    let all = Arc::new(OnceLock::new());
    let actor = |number: usize| {
        let chance = fastrand::Rng::with_seed(number as u64);
        let left = pings / ACTORS as u32;
        L::spawn(Actor::<L> { all: all.clone(), number, left, handled: 0, chance })
    };
    let actors = (0..ACTORS).map(actor).collect::<Result<Vec<_>, _>>()?;
    L::tell(&sink, Done::Actors(actors.clone()));
    let _ = all.set(All { actors: actors.clone(), sink });
    wait.start();
    for actor in &actors {
        L::tell(actor, Message::Start);
    }
    wait.measured()
}
