//! Back-pressure, and what else can be done about a mailbox that is full.
//!
//! A source of jobs is faster than the worker that does them. With `send` it is slowed down to the worker's speed, and nothing is
//! lost. Where waiting is wrong, `tell` never waits: a display whose mailbox holds one reading lets old readings give way to
//! new ones, and a gate refuses what it cannot take, with the message in the error.

#![forbid(unsafe_code)]

use bastion::Overflow;
use bastion::executor::sleep;
use bastion::typed::*;
use std::time::{Duration, Instant};

const JOBS: u32 = 40;
const ROOM: usize = 4;
const WORK: Duration = Duration::from_millis(5);

enum Job {
    Do(u32),
    /// How many were done.
    Done(Reply<u32>),
}

async fn worker(mut cx: Context<Job>) -> Result<(), Exit> {
    let mut done = 0;
    while let Some(job) = cx.recv().await {
        match job {
            Job::Do(number) => {
                assert_eq!(number, done, "each once, and in order");
                cx.sleep(WORK).await;
                done += 1;
            }
            Job::Done(reply) => reply.send(done),
        }
    }
    Ok(())
}

enum Screen {
    Show(u32),
    /// How many readings were shown, and the last one.
    Shown(Reply<(u32, u32)>),
}

async fn display(mut cx: Context<Screen>) -> Result<(), Exit> {
    let (mut shown, mut last) = (0, 0);
    while let Some(message) = cx.recv().await {
        match message {
            Screen::Show(reading) => {
                (shown, last) = (shown + 1, reading);
                cx.sleep(WORK).await;
            }
            Screen::Shown(reply) => reply.send((shown, last)),
        }
    }
    Ok(())
}

#[bastion::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    slowed_down().await?;
    only_the_last().await?;
    refused().await
}

/// Who sends waits for room.
async fn slowed_down() -> Result<(), Box<dyn std::error::Error>> {
    let worker = Bastion::spawn_child(child(worker).named("worker").mailbox_capacity(ROOM))?;
    let (began, mut longest) = (Instant::now(), 0);
    for number in 0..JOBS {
        worker.send(Job::Do(number)).await?;
        longest = longest.max(worker.queued());
    }
    println!("{JOBS} jobs were sent in {:?}; at most {longest} waited", began.elapsed());
    assert!(longest <= ROOM);
    while worker.queued() == ROOM {
        sleep(WORK).await;
    }
    assert_eq!(worker.ask(Job::Done).await?, JOBS);
    Ok(())
}

/// Who sends never waits, and what was not yet shown gives way.
async fn only_the_last() -> Result<(), Box<dyn std::error::Error>> {
    let screen = child(display).named("screen").mailbox_capacity(1);
    let screen = Bastion::spawn_child(screen.overflow(Overflow::DropOldest))?;
    for reading in 1..=1000 {
        screen.tell(Screen::Show(reading))?;
    }
    while screen.queued() > 0 {
        sleep(WORK).await;
    }
    let (shown, last) = screen.ask(Screen::Shown).await?;
    println!("of 1,000 readings {shown} were shown, the last one too");
    assert_eq!(last, 1000);
    assert!(shown < 1000);
    Ok(())
}

/// Who sends has the message back, and sees to it.
async fn refused() -> Result<(), Box<dyn std::error::Error>> {
    let gate = child(worker).named("gate").mailbox_capacity(ROOM);
    let address = gate.address(); // Nobody works yet.
    let refused: Vec<u32> = (0..10)
        .filter_map(|number| match address.tell(Job::Do(number)) {
            Err(TellError::Full(Job::Do(number))) => Some(number),
            _ => None,
        })
        .collect();
    println!("refused: {refused:?}");
    assert_eq!(refused, [4, 5, 6, 7, 8, 9]);
    Ok(())
}
