//! What SEMANTICS.md promises of messages and panics, under crashes, on virtual time.

use bastion_supervision::plan::{Backoff, ExitReason, RestartType};
use bastion_supervision::{
    AskError, Context, Exit, Reply, Report, Runtime, Sim, Supervisor, System, TellError, child,
};
use std::future::poll_fn;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, Once};
use std::task::Poll;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// Silences the program's own hook, before any system chains its own to it.
fn quiet() {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| std::panic::set_hook(Box::new(|_| {})));
}

/// Many senders, a receiver that crashes all the time: sent = handled + lost in a crash + dead letters, in order per sender.
#[test]
fn every_message_is_handled_once_or_counted_under_crashes() {
    quiet();
    for seed in 0..30 {
        let sim = Sim::new(seed);
        sim.run(async {
            let system = System::new(Runtime::sim(&sim));
            let handled = Arc::new(Mutex::new(vec![Vec::new(); 4]));
            let lost = Arc::new(AtomicU64::new(0));
            let (into, count) = (handled.clone(), lost.clone());
            let receiver = child(move |mut cx: Context<(usize, u64)>| {
                let (into, count) = (into.clone(), count.clone());
                async move {
                    while let Some((sender, number)) = cx.recv().await {
                        if (number + sender as u64) % 7 == 3 {
                            count.fetch_add(1, SeqCst);
                            panic!("at message {number}");
                        }
                        into.lock().unwrap()[sender].push(number);
                        if number % 5 == 0 {
                            cx.sleep(Duration::from_millis(1)).await;
                        }
                    }
                    Ok(())
                }
            });
            let backoff = Backoff::linear(Duration::from_millis(1), SECOND).healthy_after(SECOND);
            let receiver = receiver.backoff(backoff);
            let address = receiver.address();
            system.supervise(Supervisor::new("s").unlimited().child(receiver)).await.unwrap();
            let accepted = Arc::new(AtomicU64::new(0));
            for sender in 0..4 {
                let (address, accepted) = (address.clone(), accepted.clone());
                let body = move |cx: Context<()>| {
                    let (address, accepted) = (address.clone(), accepted.clone());
                    async move {
                        for number in 0..100 {
                            if address.tell((sender, number)).is_ok() {
                                accepted.fetch_add(1, SeqCst);
                            }
                            cx.sleep(Duration::from_micros(number * 7)).await;
                        }
                        Ok(())
                    }
                };
                system.spawn_child(child(body).restart(RestartType::Temporary)).unwrap();
            }
            sim.sleep(Duration::from_millis(40)).await;
            system.stop(SECOND).await;
            let handled = handled.lock().unwrap();
            assert!(
                handled.iter().all(|numbers| numbers.is_sorted_by(|a, b| a < b)),
                "seed {seed}: {handled:?}"
            );
            let handled: usize = handled.iter().map(Vec::len).sum();
            let dead = system.stats().dead_letters;
            let lost = lost.load(SeqCst);
            assert_eq!(accepted.load(SeqCst), handled as u64 + lost + dead, "seed {seed}");
            assert!(lost > 0 && handled > 0, "seed {seed}: the scenario does what it is for");
        });
    }
}

#[test]
fn a_stop_overtakes_a_flood_of_messages() {
    quiet();
    let sim = Sim::new(3);
    sim.run(async {
        let letters = Arc::new(Mutex::new(Vec::new()));
        let into = letters.clone();
        let system = System::with_reports(Runtime::sim(&sim), move |report| {
            if let Report::DeadLetters { pid, count, .. } = report {
                into.lock().unwrap().push((*pid, *count));
            }
        });
        let handled = Arc::new(AtomicUsize::new(0));
        let count = handled.clone();
        let slow = child(move |mut cx: Context<u32>| {
            let count = count.clone();
            async move {
                while cx.recv().await.is_some() {
                    count.fetch_add(1, SeqCst);
                    cx.sleep(SECOND).await;
                }
                Ok(())
            }
        });
        let slow = slow.mailbox_capacity(1000);
        let address = slow.address();
        system.supervise(Supervisor::new("s").child(slow)).await.unwrap();
        for number in 0..1000 {
            address.tell(number).unwrap();
        }
        assert!(matches!(address.tell(1000), Err(TellError::Full(1000))));
        sim.sleep(SECOND / 2).await;
        let stopped = system.stop(60 * SECOND).await;
        assert_eq!(handled.load(SeqCst), 1, "one handler's time, not a thousand's");
        assert_eq!(system.stats().dead_letters, 999);
        assert!(address.pid().is_some());
        assert_eq!(*letters.lock().unwrap(), [(address.pid(), 999)], "one report for all of them");
        assert!(stopped.forced.is_empty());
    });
}

#[test]
fn the_word_of_a_childs_end_overtakes_requests() {
    let mut overtaken = 0;
    for seed in 0..100 {
        overtaken += answers_after_the_end(seed);
    }
    assert!(overtaken > 0, "in no order of execution was an answer given after the end");
}

/// Asks a supervisor for more than it handles in a row, all of it before its only child ends: how many answers know of the end?
fn answers_after_the_end(seed: u64) -> usize {
    let sim = Sim::new(seed);
    sim.run(async {
        let system = System::new(Runtime::sim(&sim));
        let quits = child(|mut cx: Context<()>| async move {
            let _ = cx.recv().await;
            Err(Exit::shutdown())
        });
        let quits = quits.restart(RestartType::Temporary);
        let quitter = quits.address();
        let pool = system.supervise(Supervisor::new("pool").child(quits)).await.unwrap();
        quitter.tell(()).unwrap();
        let asked = (0..300).map(|_| Box::pin(pool.counts()));
        let mut asked: Vec<_> = asked.collect();
        let mut specs = Vec::new();
        poll_fn(|task| {
            asked.retain_mut(|counts| match counts.as_mut().poll(task) {
                Poll::Ready(counts) => {
                    specs.push(counts.unwrap().specs);
                    false
                }
                Poll::Pending => true,
            });
            if asked.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        system.stop(SECOND).await;
        specs.iter().filter(|specs| **specs == 0).count()
    })
}

#[test]
fn a_question_that_is_dropped_is_answered_at_once() {
    quiet();
    let sim = Sim::new(4);
    sim.run(async {
        let system = System::new(Runtime::sim(&sim));
        let crashing = child(|mut cx: Context<Reply<()>>| async move {
            let _reply = cx.recv().await;
            panic!("with the reply in hand")
        });
        let crashing = system.spawn_child(crashing).unwrap();
        assert_eq!(crashing.ask(|reply| reply).await, Err(AskError::NoReply));
        assert_eq!(sim.now(), Duration::ZERO);
        // Questions in the mailbox of a process that ends for good are answered too.
        let waiting = crashing.clone();
        let asked = async move { waiting.ask(|reply| reply).await };
        system.stop(SECOND).await;
        assert_eq!(asked.await, Err(AskError::Dead));
    });
}

/// A value whose destructor panics.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            panic!("destructor");
        }
    }
}

#[test]
fn panics_everywhere_are_contained() {
    quiet();
    let sim = Sim::new(5);
    sim.run(async {
        let reports = Arc::new(Mutex::new(Vec::new()));
        let into = reports.clone();
        let system = System::with_reports(Runtime::sim(&sim), move |report| {
            if let Report::Crash(crash) = report {
                into.lock().unwrap().push((crash.name.clone(), crash.reason.clone()));
            }
            panic!("a hook that panics harms nobody");
        });
        let temporary = RestartType::Temporary;
        let closure = child(|cx: Context<()>| {
            assert!(cx.incarnation() > 5, "closure");
            async { Ok(()) }
        });
        let body = child(|_: Context<()>| async { panic!("body") });
        let destructor = child(|_: Context<()>| async {
            let _bomb = Bomb;
            std::future::ready(()).await;
            Ok(())
        });
        let killed = child(|cx: Context<()>| async move {
            let _bomb = Bomb;
            cx.sleep(3600 * SECOND).await;
            Ok(())
        });
        let message = child(|mut cx: Context<Bomb>| async move {
            cx.stop_signal().requested().await;
            let _ = cx.try_recv().map(std::mem::forget);
            Ok(())
        });
        let ended = [closure.named("closure"), body.named("body"), destructor.named("destructor")]
            .map(|child| system.spawn_child(child.restart(temporary)).unwrap());
        for address in &ended {
            assert!(matches!(address.ended().await, ExitReason::Panic(_)));
        }
        let brutal = killed.named("killed").shutdown(bastion_supervision::plan::Shutdown::Brutal);
        system.spawn_child(brutal).unwrap();
        let message = system.spawn_child(message).unwrap();
        for _ in 0..2 {
            assert!(message.tell(Bomb).is_ok());
        }
        sim.sleep(SECOND).await;
        system.stop(SECOND).await;
        assert_eq!(system.stats().dead_letters, 1);

        let reports = reports.lock().unwrap();
        let names: Vec<_> = reports.iter().filter_map(|(name, _)| name.as_deref()).collect();
        for name in ["closure", "body", "destructor", "killed"] {
            assert_eq!(
                names.iter().filter(|found| **found == name).count(),
                1,
                "{name} in {names:?}"
            );
        }
        let body = reports.iter().find(|(name, _)| name.as_deref() == Some("body"));
        let ExitReason::Panic(panic) = &body.unwrap().1 else {
            panic!("a panic is reported as one")
        };
        assert_eq!(&*panic.message, "body");
        assert!(panic.location.as_ref().unwrap().contains("promises.rs"), "{panic}");
    });
}

/// Panics when it is dropped, and catches that itself.
struct Aside;

impl Drop for Aside {
    fn drop(&mut self) {
        assert!(std::panic::catch_unwind(|| panic!("aside")).is_err());
    }
}

#[test]
fn a_crash_is_reported_with_its_own_place() {
    quiet();
    let sim = Sim::new(6);
    sim.run(async {
        let system = System::new(Runtime::sim(&sim));
        let line = line!() + 3;
        let body = child(|_: Context<()>| async {
            let _aside = Aside;
            panic!("body");
        });
        let address = system.spawn_child(body.restart(RestartType::Temporary)).unwrap();
        let ExitReason::Panic(panic) = address.ended().await else {
            panic!("a panic is reported as one")
        };
        let place = format!("{}:{line}:", file!());
        assert_eq!(&*panic.message, "body");
        assert!(panic.location.as_ref().unwrap().starts_with(&place), "{panic}");
        system.stop(SECOND).await;
    });
}

#[test]
fn the_same_seed_gives_the_same_order() {
    quiet();
    fn order(seed: u64) -> Vec<u32> {
        let sim = Sim::new(seed);
        sim.run(async {
            let system = System::new(Runtime::sim(&sim));
            let log = Arc::new(Mutex::new(Vec::new()));
            for number in 0..20 {
                let log = log.clone();
                let body = move |_: Context<()>| {
                    let log = log.clone();
                    async move {
                        log.lock().unwrap().push(number);
                        Err(Exit::shutdown())
                    }
                };
                system.spawn_child(child(body).restart(RestartType::Temporary)).unwrap();
            }
            sim.sleep(SECOND).await;
            system.stop(SECOND).await;
            Arc::try_unwrap(log).unwrap().into_inner().unwrap()
        })
    }
    assert_eq!(order(1), order(1));
    assert_ne!(order(1), order(2));
}

#[test]
fn the_time_of_an_ask_runs_from_its_first_poll() {
    quiet();
    let sim = Sim::new(3);
    sim.run(async {
        let system = System::new(Runtime::sim(&sim));
        let silent = child(|mut cx: Context<Reply<()>>| async move {
            let mut kept = Vec::new();
            while let Some(reply) = cx.recv().await {
                kept.push(reply);
            }
            Ok(())
        });
        let silent = system.spawn_child(silent).unwrap();
        let ask = silent.ask(|reply| reply);
        // So long it lies about, and nobody polls it.
        sim.sleep(60 * SECOND).await;
        assert_eq!(ask.await, Err(AskError::Timeout(5 * SECOND)), "OTP's default");
        assert_eq!(sim.now(), 65 * SECOND);
        system.stop(SECOND).await;
    });
}
