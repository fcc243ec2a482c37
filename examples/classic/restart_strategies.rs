//! Bastion 0.4: a child that fails is restarted after growing delays, three times, and then removed.
//!
//! `cargo run -p examples --example classic_restart_strategies`

use bastion::prelude::*;
use std::sync::mpsc;
use std::time::{Duration, Instant};

const TIMEOUT: Duration = Duration::from_millis(20);

fn main() {
    Bastion::init_with(Config::new().hide_backtraces());
    let (give, starts) = mpsc::channel();
    let (stopped, has_stopped) = mpsc::channel();
    let strategy = RestartStrategy::default()
        .with_restart_policy(RestartPolicy::Tries(3))
        .with_actor_restart_strategy(ActorRestartStrategy::LinearBackOff { timeout: TIMEOUT });
    Bastion::supervisor(|supervisor| {
        supervisor.with_restart_strategy(strategy).children(|children| {
            let callbacks = Callbacks::new().with_after_stop(move || {
                // It may be called as what a restart has instead of its own.
                let _ = stopped.send(());
            });
            children
                .with_callbacks(callbacks.with_before_restart(|| println!("is to be restarted")))
                .with_exec(move |_ctx| {
                    let give = give.clone();
                    async move {
                        give.send(Instant::now()).expect("main waits");
                        panic!("it always fails");
                    }
                })
        })
    })
    .expect("the system was not stopped");
    Bastion::start();
    has_stopped.recv().expect("it is removed in the end");
    Bastion::stop();
    Bastion::block_until_stopped();

    let starts: Vec<Instant> = starts.try_iter().collect();
    let delays: Vec<Duration> = starts.windows(2).map(|pair| pair[1] - pair[0]).collect();
    println!("delays: {delays:?}");
    assert_eq!(delays.len(), 3);
    for (n, delay) in delays.iter().enumerate() {
        assert!(*delay >= TIMEOUT * (n as u32 + 1), "{delays:?}");
    }
}
