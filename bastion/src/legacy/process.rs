//! How a process of bastion 0.2 is a child of a group, as 0.4 has them: its closure on a thread that it may block, its messages in the child's mailbox.

use super::child::{BastionChildren, BastionClosure, Message};
use super::context::{BastionContext, Receiver, Sender};
use super::messages::PoisonPill;
use super::supervisor::Supervisor;
use crate::children::Children;
use crate::context;
use crate::envelope::SignedMessage;
use crate::errors::ReceiveError;
use crate::executor::{run, spawn_blocking};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How many messages a hook keeps.
const KEPT: usize = 1_000;

/// What a hook unwinds with.
struct Left;

/// Describes the processes as a group.
pub(super) fn describe(
    children: Children,
    processes: &BastionChildren,
    above: Supervisor,
) -> Children {
    let (count, processes) = (processes.redundancy, processes.clone());
    children.with_redundancy(usize::try_from(count).unwrap_or(0)).with_exec(move |child| {
        let BastionChildren { thunk, msg, .. } = processes.clone();
        live(context_of(child, &above), thunk, msg)
    })
}

async fn live(
    context: BastionContext,
    thunk: Box<dyn BastionClosure>,
    msg: Box<dyn Message>,
) -> Result<(), ()> {
    let closure = move || catch_unwind(AssertUnwindSafe(|| thunk(context, msg)));
    match spawn_blocking(closure).await {
        Some(Ok(())) => Ok(()),
        Some(Err(panic)) if !panic.is::<Left>() => resume_unwind(panic),
        Some(Err(_)) | None => Err(()),
    }
}

fn context_of(child: context::BastionContext, above: &Supervisor) -> BastionContext {
    let parent = above.running(child.supervisor().cloned());
    let sender = match child.supervisor() {
        Some(supervisor) => Sender::to_all(supervisor.clone()),
        None => Sender::to_group(child.parent().clone()),
    };
    let inbox = Inbox { child, kept: Mutex::default() };
    BastionContext {
        descendants: parent.descendants().to_vec(),
        parent: Some(Box::new(parent)),
        bcast_tx: Some(sender),
        bcast_rx: Some(Receiver(Arc::new(inbox))),
    }
}

/// The messages of one process.
pub(super) struct Inbox {
    child: context::BastionContext,
    /// What a hook has passed over.
    kept: Mutex<VecDeque<Box<dyn Message>>>,
}

/// What comes of waiting.
pub(super) enum Received {
    Message(Box<dyn Message>),
    Nothing,
    Stop,
}

impl Inbox {
    /// Waits for the next message, at most so long.
    pub(super) fn receive(&self, limit: Option<Duration>) -> Received {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        kept.map_or_else(|| self.next(limit), Received::Message)
    }

    fn next(&self, limit: Option<Duration>) -> Received {
        loop {
            let received = run(async {
                let Some(limit) = limit else {
                    return self.child.recv().await.map_err(|()| ReceiveError::Other);
                };
                // The time may be over at once, whatever waits.
                match self.child.try_recv().await {
                    Some(message) => Ok(message),
                    None => self.child.try_recv_timeout(limit).await,
                }
            });
            match received.map(unpacked) {
                Ok(Some(message)) => return Received::Message(message),
                // What somebody sent who is not of this API.
                Ok(None) => continue,
                Err(ReceiveError::Timeout(_)) => return Received::Nothing,
                Err(ReceiveError::Other) => return Received::Stop,
            }
        }
    }

    /// Leaves the closure if there is a pill, or the process is to stop.
    pub(super) fn look_for_pills(&self) {
        while self.look(Some(Duration::ZERO)) {}
    }

    /// Leaves the closure when there is a pill, or the process is to stop.
    pub(super) fn wait_for_pill(&self) {
        while self.look(None) {}
    }

    fn look(&self, limit: Option<Duration>) -> bool {
        let message = match self.next(limit) {
            Received::Message(message) => message,
            Received::Nothing => return false,
            Received::Stop => leave(),
        };
        if message.as_any().is::<PoisonPill>() {
            leave();
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let eldest = if kept.len() < KEPT { None } else { kept.pop_front() };
        kept.push_back(message);
        // Its destructor is foreign.
        drop(kept);
        drop(eldest);
        true
    }
}

fn leave() -> ! {
    resume_unwind(Box::new(Left))
}

/// Returns what was sent by this API: to many, who share it, or to one.
fn unpacked(signed: SignedMessage) -> Option<Box<dyn Message>> {
    let (message, _) = signed.extract();
    match message.downcast_ref::<Box<dyn Message>>() {
        Some(shared) => Some((**shared).cloned_message()),
        None => message.downcast().ok(),
    }
}
