//! The worker's loop: run what is due, else search, else sleep.

use crate::local::Local;
use lightproc::{LightProc, Polled};

/// After so many polls the injectors are looked at first, so that work from outside cannot starve.
const INJECTOR_INTERVAL: u32 = 61;

/// Runs the worker that this thread was made, until the executor closes.
pub(crate) fn run() {
    Local::with(|local| {
        let local = local.expect("the thread was made a worker");
        local.shared.idle.register(local.index);
        let mut tick = 0_u32;
        let mut searching = false;
        while !local.shared.is_closed() {
            tick = tick.wrapping_add(1);
            match next(local, tick, &mut searching) {
                Some(process) => poll(local, process),
                None => {
                    local.shared.idle.sleep(local.index, searching, || local.shared.has_work());
                    searching = true;
                }
            }
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
        shared.idle.notify();
    }
    Some(found)
}
