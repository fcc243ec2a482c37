//! This project with messages of any type: the same work as `bastion`, where the receiver finds out what it was sent.

use super::bastion::{expect_load, in_process, once, system};
use super::{LOAD, Tally};
use crate::bench::{Failure, Measured};
use crate::latch::latch;
use bastion_supervision::{Context, Exit, Msg};
use std::time::Instant;

struct Add(u64);

struct Get;

fn tell(count: u32, senders: u32) -> Measured {
    let (finish, mut wait) = latch();
    let receiver = system().spawn_child(once(move |mut cx: Context<Msg>| {
        let mut tally = Tally::new(count, finish.clone());
        async move {
            while let Some(message) = cx.recv().await {
                if let Ok(Add(load)) = message.downcast()
                    && tally.add(load)
                {
                    break;
                }
            }
            Ok(())
        }
    }))?;
    wait.start();
    for _ in 0..senders {
        let receiver = receiver.clone();
        system().spawn_child(once(move |_: Context<()>| {
            let receiver = receiver.clone();
            async move {
                for _ in 0..count / senders {
                    receiver.tell_any(Add(LOAD))?;
                }
                Ok(())
            }
        }))?;
    }
    wait.measured()
}

/// `tell_any` from one process.
pub(crate) fn tell_from_one(count: u32) -> Measured {
    tell(count, 1)
}

/// `tell_any` from eight processes.
pub(crate) fn tell_from_eight(count: u32) -> Measured {
    tell(count, 8)
}

/// Answers.
async fn worker(mut cx: Context<Msg>) -> Result<(), Exit> {
    while let Some(message) = cx.recv().await {
        if message.is::<Get>() {
            message.answer(LOAD);
        }
    }
    Ok(())
}

/// `ask_any`, one question after another. It stops the worker at its end.
pub(crate) fn ask(count: u32) -> Measured {
    in_process(move || async move {
        let address = system().spawn_child(once(worker))?;
        let start = Instant::now();
        for _ in 0..count {
            let answer = address.ask_any(Get).await?;
            let wrong = |_| Failure::new("an answer of another type");
            expect_load(answer.downcast().map_err(wrong)?)?;
        }
        let took = start.elapsed().into();
        address.exit(bastion_supervision::plan::ExitReason::Shutdown);
        Ok(took)
    })
}
