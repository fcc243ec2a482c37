//! The worker's loop: run what is due, else search, else sleep.

use crate::local::Local;
use lightproc::{LightProc, Polled};

/// After so many polls the injectors are looked at first, so that work from outside cannot starve.
const INJECTOR_INTERVAL: u32 = 61;

/// After so many polls at most the clock is looked at. A look takes about as long as a poll that does little: every 61 polls it
/// would cost each of them a nanosecond, so it costs a quarter of one.
const CLOCK_INTERVAL: u32 = 256;

/// Runs the worker that this thread was made, until the executor closes.
pub(crate) fn run() {
    Local::with(|local| {
        let local = local.expect("the thread was made a worker");
        let (shared, meter) = (&local.shared, local.meter());
        shared.idle.register(local.index);
        let mut tick = 0_u32;
        let (mut searching, mut busy) = (false, false);
        while !shared.is_closed() {
            tick = tick.wrapping_add(1);
            match next(local, tick, &mut searching) {
                Some(process) => {
                    if !std::mem::replace(&mut busy, true) {
                        meter.begin();
                    } else if tick.is_multiple_of(CLOCK_INTERVAL) {
                        meter.look();
                    }
                    // Before the poll: who hears of its end finds it counted.
                    meter.polls.add(1);
                    poll(local, process);
                }
                None => {
                    if std::mem::take(&mut busy) {
                        meter.rest();
                    }
                    let (has_work, parks) = (|| shared.has_work(), || meter.parks.add(1));
                    shared.idle.sleep(local.index, searching, has_work, parks);
                    searching = true;
                }
            }
        }
        if busy {
            meter.rest();
        }
        while let Some(process) = local.pop() {
            drop(process);
        }
    });
}

fn poll(local: &Local, process: LightProc) {
    match process.poll() {
        Polled::Woken(process) => local.push_back(process),
        Polled::Waiting | Polled::Ended => {}
    }
}

/// Finds the next process: own queue, injectors, other workers. Leaves the searchers when it has found one.
fn next(local: &Local, tick: u32, searching: &mut bool) -> Option<LightProc> {
    let shared = &local.shared;
    let injected_first = || {
        if tick.is_multiple_of(INJECTOR_INTERVAL) { shared.take_injected(local) } else { None }
    };
    let found = injected_first().or_else(|| local.pop()).or_else(|| shared.take_injected(local));
    let found = found.or_else(|| {
        *searching = *searching || shared.idle.start_searching();
        if *searching { shared.steal(local) } else { None }
    })?;
    if std::mem::take(searching) && shared.idle.stop_searching() && shared.has_work() {
        local.notify();
    }
    Some(found)
}
