//! Counting: one actor has another count, and asks it at the end for what it has counted.

use crate::bench::{Measured, Workload};
use crate::latch::{Finish, latch};
use crate::subjects::actors::{Act, Library, Next};

pub(super) const ROW: Workload = on_libraries!(
    "counting",
    "a producer sends 500,000 increments and asks for the count",
    500_000,
    counting
);

#[derive(Clone)]
struct Counter(u32);

enum Count<L: Library> {
    Increment,
    Retrieve(L::Address<Producer<L>>),
}

impl<L: Library> Act<L> for Counter {
    type Message = Count<L>;

    fn handle(&mut self, message: Count<L>) -> Next {
        match message {
            Count::Increment => {
                self.0 += 1;
                Next::Receive
            }
            Count::Retrieve(producer) => {
                L::tell(&producer, Produce::Counted(self.0));
                Next::Stop
            }
        }
    }
}

#[derive(Clone)]
struct Producer<L: Library> {
    counter: L::Address<Counter>,
    increments: u32,
    finish: Finish,
}

enum Produce<L: Library> {
    /// With its own address, for the answer.
    Start(L::Address<Producer<L>>),
    Counted(u32),
}

impl<L: Library> Act<L> for Producer<L> {
    type Message = Produce<L>;

    fn handle(&mut self, message: Produce<L>) -> Next {
        match message {
            Produce::Start(own) => {
                for _ in 0..self.increments {
                    L::tell(&self.counter, Count::Increment);
                }
                L::tell(&self.counter, Count::Retrieve(own));
                Next::Receive
            }
            Produce::Counted(count) => {
                self.finish.now_if(count == self.increments, "a wrong count");
                Next::Stop
            }
        }
    }
}

fn counting<L: Library>(increments: u32) -> Measured {
    let (finish, mut wait) = latch();
    let counter = L::spawn(Counter(0))?;
    let producer = L::spawn(Producer::<L> { counter, increments, finish })?;
    wait.start();
    L::tell(&producer, Produce::Start(producer.clone()));
    wait.measured()
}
