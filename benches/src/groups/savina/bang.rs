//! Bang: very many actors send to one.

use crate::bench::{Measured, Workload};
use crate::latch::latch;
use crate::subjects::actors::{Act, Library, Next};
use crate::subjects::{LOAD, Tally};

const SENDERS: u32 = 250;

pub(super) const ROW: Workload =
    on_libraries!("bang", "250 actors send 2,000 messages each to one", 500_000, bang);

#[derive(Clone)]
struct Receiver(Tally);

impl<L: Library> Act<L> for Receiver {
    type Message = u64;

    fn handle(&mut self, load: u64) -> Next {
        Next::stop_if(self.0.add(load))
    }
}

#[derive(Clone)]
struct Sender<L: Library> {
    receiver: L::Address<Receiver>,
    messages: u32,
}

impl<L: Library> Act<L> for Sender<L> {
    type Message = ();

    fn handle(&mut self, (): ()) -> Next {
        for _ in 0..self.messages {
            L::tell(&self.receiver, LOAD);
        }
        Next::Stop
    }
}

fn bang<L: Library>(all: u32) -> Measured {
    let (finish, mut wait) = latch();
    let receiver = L::spawn(Receiver(Tally::new(all, finish)))?;
    let messages = all / SENDERS;
    let sender = |_| L::spawn(Sender::<L> { receiver: receiver.clone(), messages });
    let senders = (0..SENDERS).map(sender).collect::<Result<Vec<_>, _>>()?;
    wait.start();
    for sender in &senders {
        L::tell(sender, ());
    }
    wait.measured()
}
