//! The subjects: this project and its peers, each behind the same few functions.
//!
//! `executors` has the executors behind one trait, so that they run the very same workload; the actor libraries differ too
//! much for that in what is asked and how they end, and have a file each; where plain messages are enough, `actors` has them behind a trait. `services` has the timers and blocking pools of the executors, `fresh` their making and
//! end, `floor` what nobody can avoid. `process` has what runs without an executor, `mailbox` queues without
//! actors, `supervised` what a supervisor does.

pub(crate) mod actix;
pub(crate) mod actors;
pub(crate) mod bastion;
pub(crate) mod bastion_04;
pub(crate) mod bastion_any;
pub(crate) mod bastion_classic;
pub(crate) mod bastion_options;
pub(crate) mod erlang;
pub(crate) mod executors;
pub(crate) mod floor;
pub(crate) mod fresh;
pub(crate) mod kameo;
pub(crate) mod mailbox;
pub(crate) mod process;
pub(crate) mod ractor;
pub(crate) mod services;
pub(crate) mod settings;
pub(crate) mod sockets;
pub(crate) mod supervised;
pub(crate) mod tokio_mpsc;
pub(crate) mod xtra;

pub(crate) use settings::workers;

/// What every message of a `tell` carries, and what a question asks back; the receiver adds it up, so that no message is
/// handled without being looked at.
pub(crate) const LOAD: u64 = 3;

/// How many members the ring has, round which a token goes.
pub(crate) const RING: usize = 500;

/// Adds up the loads and tells of the end after the last one.
#[derive(Clone)]
pub(crate) struct Tally {
    expected: u32,
    handled: u32,
    total: u64,
    finish: crate::latch::Finish,
}

impl Tally {
    /// Expects so many messages.
    pub(crate) fn new(expected: u32, finish: crate::latch::Finish) -> Tally {
        Tally { expected, handled: 0, total: 0, finish }
    }

    /// Adds a message's load; true when it was the last.
    pub(crate) fn add(&mut self, load: u64) -> bool {
        self.handled += 1;
        self.total += load;
        let last = self.handled == self.expected;
        if last && self.total == u64::from(self.expected) * LOAD {
            self.finish.now();
        }
        last
    }
}
