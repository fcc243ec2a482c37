//! Bastion 0.4: which callback is called when, of a supervisor and of the groups below it.
//!
//! `cargo run -p examples --example classic_callbacks`

use bastion::prelude::*;
use std::sync::{Arc, Mutex};

/// What was called, in order.
type Log = Arc<Mutex<Vec<String>>>;

fn callbacks(log: &Log, of: &'static str) -> Callbacks {
    let say = |what: &'static str| {
        let log = log.clone();
        move || {
            println!("{of}: {what}");
            log.lock().expect("nobody panics").push(format!("{of} {what}"));
        }
    };
    Callbacks::new()
        .with_before_start(say("before_start"))
        .with_before_restart(say("before_restart"))
        .with_after_restart(say("after_restart"))
        .with_after_stop(say("after_stop"))
}

fn main() {
    let log = Log::default();
    Bastion::init();
    let mut groups = Vec::new();
    Bastion::supervisor(|supervisor| {
        let stops = supervisor.children_ref(|children| {
            // Stops by itself, so it is started, not restarted, when its sibling has failed.
            children.with_callbacks(callbacks(&log, "stops")).with_exec(|ctx| async move {
                println!("stops: runs");
                let incarnation_of_the_other = msg! { ctx.recv().await?,
                    n: u32 => n;
                    _: _ => return Err(());
                };
                println!("stops: told {incarnation_of_the_other}");
                Ok(())
            })
        });
        let fails = supervisor.children_ref(|children| {
            children.with_callbacks(callbacks(&log, "fails")).with_exec(|ctx| async move {
                msg! { ctx.recv().await?,
                    _fail: &'static str => Err(());
                    _: _ => Ok(());
                }
            })
        });
        groups.extend([stops, fails]);
        supervisor
            .with_strategy(SupervisionStrategy::OneForAll)
            .with_callbacks(callbacks(&log, "supervisor"))
    })
    .expect("the system was not stopped");
    Bastion::start();
    wait(&log, "fails before_start");
    let [stops, fails] = groups.try_into().expect("two groups");
    stops.elems()[0].tell_anonymously(1_u32).expect("it runs");
    wait(&log, "stops after_stop");
    fails.elems()[0].tell_anonymously("fail").expect("it runs");
    wait(&log, "fails after_restart");
    Bastion::stop();
    Bastion::block_until_stopped();
    assert_eq!(
        *log.lock().expect("nobody panics"),
        [
            "supervisor before_start",
            "stops before_start",
            "fails before_start",
            "stops after_stop",
            "stops before_start",
            "fails before_restart",
            "fails after_restart",
            "fails after_stop",
            "stops after_stop",
            "supervisor after_stop",
        ]
    );
}

/// Waits until something was called.
fn wait(log: &Log, entry: &str) {
    while !log.lock().expect("nobody panics").iter().any(|logged| logged == entry) {
        std::thread::yield_now();
    }
}
