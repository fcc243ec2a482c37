//! Fork-join throughput: one actor deals messages out to many, each of which does a little for each.

use crate::bench::{Measured, Workload};
use crate::latch::{Countdown, latch};
use crate::subjects::LOAD;
use crate::subjects::actors::{Act, Library, Next};
use std::hint::black_box;

const WORKERS: u32 = 60;

pub(super) const ROW: Workload = on_libraries!(
    "fork-join",
    "60 actors are sent 5,000 messages each, in turn; each message: a sine",
    300_000,
    fork_join
);

#[derive(Clone)]
struct Worker {
    messages: u32,
    handled: u32,
    total: u64,
    countdown: &'static Countdown,
}

impl<L: Library> Act<L> for Worker {
    type Message = u64;

    fn handle(&mut self, load: u64) -> Next {
        black_box(black_box(37.2_f64).sin());
        self.handled += 1;
        self.total += load;
        let over = self.handled == self.messages;
        if over && self.total == u64::from(self.messages) * LOAD {
            self.countdown.arrive();
        }
        Next::stop_if(over)
    }
}

#[derive(Clone)]
struct Dealer<L: Library> {
    workers: Vec<L::Address<Worker>>,
    messages: u32,
}

impl<L: Library> Act<L> for Dealer<L> {
    type Message = ();

    fn handle(&mut self, (): ()) -> Next {
        for _ in 0..self.messages {
            for worker in &self.workers {
                L::tell(worker, LOAD);
            }
        }
        Next::Stop
    }
}

fn fork_join<L: Library>(all: u32) -> Measured {
    let (finish, mut wait) = latch();
    let countdown = Countdown::leaked(WORKERS, finish);
    let messages = all / WORKERS;
    let worker = |_| L::spawn(Worker { messages, handled: 0, total: 0, countdown });
    let workers = (0..WORKERS).map(worker).collect::<Result<Vec<_>, _>>()?;
    let dealer = L::spawn(Dealer::<L> { workers, messages })?;
    wait.start();
    L::tell(&dealer, ());
    wait.measured()
}
