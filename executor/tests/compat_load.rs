//! The load balancer of bastion-executor 0.4, over what the global executor counts. A program of its own: there is one global executor.
#![cfg(not(loom))]

use bastion_executor::load_balancer::{SmpStats, core_count, get_cores, stats, update};
use bastion_executor::placement::get_num_cores;
use bastion_executor::prelude::*;
use bastion_executor::{Executor, spawn_detached};
use lightproc::prelude::*;
use std::sync::mpsc;

#[test]
fn an_update_tells_what_waits_at_the_workers() {
    let cores = Some(*core_count());
    assert_eq!((cores, Some(get_cores().len())), (get_num_cores(), cores));
    Executor::builder().workers(1).build().unwrap().into_global().unwrap();
    let (release, released) = mpsc::channel::<()>();
    let (told, tells) = mpsc::channel();
    let count = *core_count();
    let blocked = async move {
        // One of them is to run next, and not in the queue.
        (0..=count * 4).for_each(|_| spawn_detached(async {}));
        told.send(()).unwrap();
        released.recv().unwrap();
    };
    let blocked = spawn(blocked, ProcStack::default());
    tells.recv().unwrap();
    assert_eq!(stats().get_sorted_load().len(), count);
    update();
    assert_eq!(stats().get_sorted_load()[0], (0, count * 4));
    assert_eq!(stats().mean(), 4);
    release.send(()).unwrap();
    assert_eq!(run(blocked, ProcStack::default()), Some(()));
}
