//! What a script is: a list of operations, and how any string of bytes is read as one.
//!
//! Plain data. Knows neither the real processes nor the model that they are compared with.

/// How many processes a script has at most.
pub(crate) const PROCESSES: usize = 4;
/// How many awaiters take turns at the handles.
pub(crate) const AWAITERS: usize = 2;
/// How many operations of a script are carried out at most: what nests stays within a thread's stack.
pub(crate) const LENGTH: usize = 128;
/// How many bytes make one operation.
pub(crate) const BYTES: usize = 4;

/// The number of a process, in the order in which they were spawned.
pub(crate) type Id = usize;

/// Which constructor makes a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Plain,
    Recoverable,
    Detached,
}

const KINDS: [Kind; 3] = [Kind::Plain, Kind::Recoverable, Kind::Detached];

/// What the schedule function does with a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Queue,
    Run,
    Drop,
}

/// What happens to a process right after it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum First {
    Scheduled,
    Queued,
    Dropped,
}

/// Which of the due processes is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Oldest,
    Newest,
}

/// What can be done to processes, from outside as well as from inside of what they call.
///
/// An act on what is not there does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// Runs a due process.
    Run(End),
    /// Polls a due process, and puts it behind the others if it was woken meanwhile.
    Poll(End),
    /// Drops a due process.
    DropDue(End),
    /// Cancels a due process by its `LightProc`.
    CancelDue(End),
    /// Clones one of the wakers that the process has given away.
    CloneWaker(Id),
    /// Wakes by one of them, and so uses it up.
    Wake(Id),
    /// Wakes by one of them, which stays.
    WakeByRef(Id),
    /// Drops one of them.
    DropWaker(Id),
    /// Polls the handle with one of the awaiters.
    Await(Id, usize),
    /// Turns a recoverable handle into the future of its outcome.
    Outcome(Id),
    /// Cancels by the handle.
    Cancel(Id),
    /// Drops the handle.
    DropHandle(Id),
}

/// A moment at which the code of a user is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum When {
    Poll(Id),
    FutureDrop(Id),
    OutputDrop(Id),
    DataDrop(Id),
    Started(Id),
    Completed(Id),
    Panicked(Id),
    Scheduled(Id),
    AwaiterClone(usize),
    AwaiterDrop(usize),
    AwaiterWake(usize),
}

/// What such code does; it goes on with the next step until one of the last three, or until no step is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Does something to a process, maybe to its own.
    Do(Act),
    /// A future's poll gives a waker away.
    Keep,
    /// A future's poll wakes its own process.
    WakeByRef,
    /// A future's poll wakes its own process by a clone of its waker.
    Wake,
    /// That is all for this time; a future is pending.
    Stop,
    /// That is all for this time; a future is ready.
    Ready,
    /// It panics.
    Panic,
}

/// One operation of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Spawn { kind: Kind, captures: bool, mode: Mode, first: First },
    Do(Act),
    Plan(When, Step),
}

/// Reads bytes as a script: any bytes are one.
pub(crate) fn decode(bytes: &[u8]) -> Vec<Op> {
    let mut spawned = 0;
    let ops = bytes.chunks(BYTES).take(LENGTH).map(|chunk| {
        let mut four = [0; BYTES];
        four[..chunk.len()].copy_from_slice(chunk);
        let op = op(four, spawned);
        spawned += usize::from(matches!(op, Op::Spawn { .. }));
        op
    });
    ops.collect()
}

fn op([code, arg, code2, arg2]: [u8; BYTES], spawned: usize) -> Op {
    match code % 16 {
        _ if spawned == 0 => spawn(arg, code2),
        0 | 1 if spawned < PROCESSES => spawn(arg, code2),
        0..=6 => Op::Plan(when(code2, arg2, spawned), step(code / 16, arg, spawned)),
        _ => Op::Do(act(code / 16, arg, spawned)),
    }
}

fn spawn(how: u8, then: u8) -> Op {
    let mode = [Mode::Queue, Mode::Queue, Mode::Run, Mode::Drop][usize::from(how / 8 % 4)];
    let first = match then % 8 {
        0 => First::Dropped,
        1 | 2 => First::Queued,
        _ => First::Scheduled,
    };
    Op::Spawn {
        kind: KINDS[usize::from(how) % KINDS.len()],
        captures: how / 4 % 2 == 1,
        mode,
        first,
    }
}

fn act(code: u8, arg: u8, spawned: usize) -> Act {
    let id = usize::from(arg % 16) % spawned;
    let end = if arg < 128 { End::Oldest } else { End::Newest };
    match code % 16 {
        0 | 1 => Act::Run(end),
        2 | 3 => Act::Poll(end),
        4 => Act::DropDue(end),
        5 => Act::CancelDue(end),
        6 => Act::CloneWaker(id),
        7 => Act::Wake(id),
        8 => Act::WakeByRef(id),
        9 | 10 => Act::DropWaker(id),
        11 | 12 => Act::Await(id, usize::from(arg / 16) % AWAITERS),
        13 => Act::Outcome(id),
        14 => Act::Cancel(id),
        _ => Act::DropHandle(id),
    }
}

fn when(code: u8, arg: u8, spawned: usize) -> When {
    let id = usize::from(arg) % spawned;
    let awaiter = usize::from(arg) % AWAITERS;
    match code % 32 {
        0 | 1 => When::FutureDrop(id),
        2 | 3 => When::OutputDrop(id),
        4 => When::DataDrop(id),
        5 => When::Started(id),
        6 => When::Completed(id),
        7 => When::Panicked(id),
        8 => When::Scheduled(id),
        9 => When::AwaiterClone(awaiter),
        10 => When::AwaiterDrop(awaiter),
        11 | 12 => When::AwaiterWake(awaiter),
        _ => When::Poll(id),
    }
}

fn step(code: u8, arg: u8, spawned: usize) -> Step {
    match code % 16 {
        0..=2 => Step::Keep,
        3 => Step::WakeByRef,
        4 => Step::Wake,
        5 | 6 => Step::Stop,
        7 => Step::Ready,
        8 => Step::Panic,
        _ => Step::Do(act(arg / 16, arg, spawned)),
    }
}
