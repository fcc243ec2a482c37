//! The same system on every runtime: processes crash, messages arrive, the stop is in order.

use bastion_supervision::plan::RestartType;
use bastion_supervision::{
    Context, Exit, Msg, Reply, Runtime, Sim, Supervisor, System, child, current_pid,
};
use std::time::Duration;

enum Job {
    Double(u64, Reply<u64>),
    Crash,
}

async fn worker(mut cx: Context<Job>) -> Result<(), Exit> {
    assert_eq!(current_pid(), Some(cx.pid()));
    while let Some(job) = cx.recv().await {
        match job {
            Job::Double(n, reply) => reply.send(2 * n),
            Job::Crash => panic!("told to"),
        }
    }
    Ok(())
}

async fn check(runtime: Runtime) {
    std::panic::set_hook(Box::new(|_| {}));
    let system = System::new(runtime);
    let children: Vec<_> = (0..8).map(|_| child(worker)).collect();
    let workers: Vec<_> = children.iter().map(|child| child.address()).collect();
    let pool = Supervisor::new("pool").unlimited();
    system.supervise(children.into_iter().fold(pool, Supervisor::child)).await.unwrap();
    for round in 0..200_u64 {
        let worker = &workers[round as usize % workers.len()];
        if round % 3 == 0 {
            worker.tell(Job::Crash).unwrap();
        }
        assert_eq!(worker.ask(|reply| Job::Double(round, reply)).await, Ok(2 * round));
    }
    assert_eq!(system.stats().restarts, 67);

    // Dynamic messages: a process that takes any value.
    let echo = child(|mut cx: Context<Msg>| async move {
        while let Some(message) = cx.recv().await {
            match message.split::<String>() {
                Ok((text, Some(reply))) => reply.send(Msg::new(text.to_uppercase())),
                Ok((_, None)) => {}
                Err(other) => other.answer("not a string"),
            }
        }
        Ok(())
    });
    let echo = system.spawn_child(echo.restart(RestartType::Temporary)).unwrap();
    let answer = echo.ask_any("loud".to_string()).await.unwrap();
    assert_eq!(answer.downcast::<String>().unwrap(), "LOUD");
    let answer = echo.ask_any(7_u8).await.unwrap();
    assert_eq!(answer.downcast::<&str>().unwrap(), "not a string");

    // A question that nobody answers runs into its limit.
    let silent = child(|mut cx: Context<Reply<()>>| async move {
        let mut kept = Vec::new();
        while let Some(reply) = cx.recv().await {
            kept.push(reply);
        }
        Ok(())
    });
    let silent = system.spawn_child(silent).unwrap();
    let limit = Duration::from_millis(20);
    let error = silent.ask_timeout(limit, |reply| reply).await.unwrap_err();
    assert_eq!(error, bastion_supervision::AskError::Timeout(limit));

    let stopped = system.stop(Duration::from_secs(10)).await;
    assert_eq!((stopped.forced.len(), stopped.abandoned), (0, 0));
}

#[test]
fn in_a_simulation() {
    for seed in 0..5 {
        let sim = Sim::new(seed);
        sim.run(check(Runtime::sim(&sim)));
    }
}

#[cfg(feature = "executor")]
#[test]
fn on_the_executor() {
    bastion_executor::run(check(Runtime::executor()));
}

#[cfg(feature = "executor")]
#[test]
fn on_an_executor_with_a_clock_that_skips_an_hour_of_back_off_takes_no_time() {
    use bastion_executor::{Clock, Executor};
    use bastion_supervision::plan::Backoff;
    let hour = Duration::from_secs(3600);
    let began = std::time::Instant::now();
    let executor = Executor::builder().workers(2).clock(Clock::skipping()).build().unwrap();
    // In a process, so that all who wait are workers.
    let slept = executor.run(executor.spawn(async move {
        let system = System::new(Runtime::executor());
        let failing = child(|mut cx: Context<Reply<()>>| async move {
            if cx.incarnation() == 1 {
                return Err(Exit::error("told to"));
            }
            while let Some(reply) = cx.recv().await {
                reply.send(());
            }
            Ok(())
        });
        let failing = failing.backoff(Backoff::linear(hour, hour));
        let address = system.spawn_child(failing).unwrap();
        address.ask_timeout(10 * hour, |reply| reply).await.unwrap();
        let slept = system.now();
        system.stop(hour).await;
        slept
    }));
    assert!(slept.unwrap() >= hour, "{slept:?}");
    assert!(began.elapsed() < hour / 60, "{:?}", began.elapsed());
}

#[cfg(feature = "tokio")]
#[test]
fn on_tokio() {
    let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build();
    let tokio = tokio.unwrap();
    tokio.block_on(check(Runtime::tokio(tokio.handle().clone())));
}

#[cfg(feature = "executor")]
#[test]
fn a_process_that_never_yields_is_abandoned_and_nothing_waits_for_it() {
    use bastion_supervision::plan::Shutdown;
    use std::sync::mpsc::channel;
    let (release, wait) = channel::<()>();
    let (entered, inside) = channel();
    let wait = std::sync::Mutex::new(wait);
    // One worker for the process that blocks it, one for the others.
    let executor = bastion_executor::Executor::builder().workers(2).build().unwrap();
    let stuck = child(move |_: Context<()>| {
        // The closure itself blocks: the strongest way not to yield.
        let _ = entered.send(());
        let _ = wait.lock().unwrap().recv();
        async { Ok(()) }
    });
    let stuck = stuck.named("stuck").shutdown(Shutdown::Timeout(Duration::from_millis(10)));
    let grace = Duration::from_millis(10);
    let stopped = executor.run(async {
        let system = System::new(Runtime::executor());
        let pool = Supervisor::dynamic("pool").kill_grace(grace);
        let pool = system.supervise(pool).await.unwrap();
        pool.spawn_child(stuck).unwrap();
        inside.recv().unwrap();
        system.stop(Duration::from_secs(10)).await
    });
    assert_eq!((stopped.forced, stopped.abandoned), (vec!["stuck".to_string()], 1));
    drop(release);
}
