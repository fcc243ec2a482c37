//! [`Oneself`]: a process that waits for its own answer, which it cannot give while it waits.

use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

/// Nothing of the kind.
const FINE: u8 = 0;
/// In the poll that goes on, its code waits for its own answer.
const ASKS: u8 = 1;
/// The same, and maybe for that, it waits for messages: it can answer.
const RECEIVES: u8 = 2;
/// The last poll has ended with the first of these. The question is told in the next one.
const IN_VAIN: u8 = 3;

/// What is known of one incarnation. Only its own code and its wrapper ask, so nothing happens between a load and a store.
#[derive(Default)]
pub(super) struct Oneself(AtomicU8);

impl Oneself {
    /// Takes note that its code waits for its own answer. True: it does so in vain.
    pub(super) fn asks(&self) -> bool {
        let before = self.0.load(Relaxed);
        match before {
            FINE => self.0.store(ASKS, Relaxed),
            IN_VAIN => self.0.store(FINE, Relaxed),
            _ => {}
        }
        before == IN_VAIN
    }

    /// Takes note that its code waits for messages.
    pub(super) fn receives(&self) {
        self.0.store(RECEIVES, Relaxed);
    }

    /// Says, when a poll has ended, whether it waits in vain, and is to be polled again to be told. `is_there`: messages wait in its mailbox.
    pub(super) fn is_in_vain(&self, is_there: impl FnOnce() -> bool) -> bool {
        let before = self.0.load(Relaxed);
        // An own question that does not wait there is in somebody's hands.
        let in_vain = before == ASKS && is_there();
        if before != FINE {
            self.0.store(if in_vain { IN_VAIN } else { FINE }, Relaxed);
        }
        in_vain
    }
}
