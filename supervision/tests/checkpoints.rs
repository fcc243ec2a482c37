//! Checkpoints: what an incarnation saves is there for the next one, and gone when the process is.

use bastion_supervision::plan::{Backoff, ExitReason, RestartType};
use bastion_supervision::{
    Address, Child, Context, Exit, Reply, Runtime, Sim, Supervisor, System, child,
};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, Once};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn in_sim(body: impl AsyncFnOnce(Sim, System)) {
    let sim = Sim::new(3);
    let inner = sim.clone();
    sim.run(async move {
        let system = System::new(Runtime::sim(&inner));
        body(inner, system.clone()).await;
        system.stop(5 * SECOND).await;
    });
}

enum Act {
    Save(u32),
    SaveText(&'static str),
    Forget,
    /// Which number and which text are saved.
    Saved(Reply<(Option<u32>, Option<String>)>),
    Crash,
}

async fn keeper(mut cx: Context<Act>) -> Result<(), Exit> {
    while let Some(act) = cx.recv().await {
        match act {
            Act::Save(number) => cx.save(number),
            Act::SaveText(text) => cx.save(text.to_owned()),
            Act::Forget => drop(cx.forget::<u32>()),
            Act::Saved(reply) => {
                let text = cx.saved::<String>().map(|text| String::clone(&text));
                reply.send((cx.saved::<u32>().map(|number| *number), text));
            }
            Act::Crash => return Err(Exit::error("told to")),
        }
    }
    Ok(())
}

fn permanent() -> Child<Act> {
    child(keeper).named("keeper").backoff(Backoff::immediate())
}

async fn saved(keeper: &Address<Act>) -> (Option<u32>, Option<String>) {
    keeper.ask(Act::Saved).await.unwrap()
}

#[test]
fn the_state_that_was_saved_last_is_the_next_incarnations_one_of_each_type() {
    in_sim(async |sim, system| {
        let keeper = system.spawn_child(permanent()).unwrap();
        assert_eq!(saved(&keeper).await, (None, None));
        for act in [Act::Save(1), Act::SaveText("one"), Act::Save(2), Act::Crash] {
            assert!(keeper.tell(act).is_ok());
        }
        let text = Some("one".to_owned());
        assert_eq!(saved(&keeper).await, (Some(2), text.clone()));
        assert_eq!(keeper.incarnation(), 2);
        // It stays, however often it is asked for.
        keeper.exit(ExitReason::Killed);
        sim.sleep(SECOND).await;
        assert_eq!((keeper.incarnation(), saved(&keeper).await), (3, (Some(2), text.clone())));
        for act in [Act::Forget, Act::Crash] {
            assert!(keeper.tell(act).is_ok());
        }
        assert_eq!(saved(&keeper).await, (None, text));
        assert_eq!(keeper.incarnation(), 4);
    });
}

#[test]
fn it_is_kept_while_the_process_is_stopped_and_over_restarts_of_its_supervisor() {
    in_sim(async |sim, system| {
        let (stopped, keeper) = (permanent(), permanent());
        let addresses = [stopped.address(), keeper.address()];
        let below = Supervisor::new("below").child(keeper).restart(RestartType::Permanent);
        let above = Supervisor::new("above").child(stopped).supervisor(below);
        let above = system.supervise(above).await.unwrap();
        for (address, number) in addresses.iter().zip([1, 2]) {
            assert!(address.tell(Act::Save(number)).is_ok());
            assert_eq!(saved(address).await.0, Some(number));
        }
        above.stop_child("keeper").await.unwrap();
        above.restart_child("keeper").await.unwrap();
        // One restart is borne; of the second one the supervisor gives up, and is restarted.
        for _ in 0..2 {
            assert!(addresses[1].tell(Act::Crash).is_ok());
            sim.sleep(SECOND / 10).await;
        }
        assert_eq!(saved(&addresses[0]).await.0, Some(1));
        assert_eq!(saved(&addresses[1]).await.0, Some(2));
        assert_eq!((addresses[0].incarnation(), addresses[1].incarnation()), (2, 3));
    });
}

fn temporary<Fut>(body: impl Fn(Context<()>) -> Fut + Send + Sync + 'static) -> Child<()>
where
    Fut: Future<Output = Result<(), Exit>> + Send + 'static,
{
    child(body).restart(RestartType::Temporary)
}

#[test]
fn it_is_dropped_when_the_process_has_ended_for_good() {
    in_sim(async |_, system| {
        let state = Arc::new(());
        let kept = state.clone();
        let process = temporary(move |cx: Context<()>| {
            let own = cx.address();
            // Also one that keeps the process.
            cx.save((own, kept.clone()));
            async { Ok(()) }
        });
        let address = process.address();
        system.spawn_child(process).unwrap();
        address.ended().await;
        // One is in the closure, which its supervisor has dropped by now, or is about to.
        system.root().children().await.unwrap();
        assert_eq!(Arc::strong_count(&state), 1);
    });
}

#[test]
fn what_an_incarnation_saves_that_does_not_count_any_more_counts_for_nothing() {
    in_sim(async |sim, system| {
        let (left, result) = (Arc::new(Mutex::new(None)), Arc::new(AtomicUsize::new(0)));
        let (place, found) = (left.clone(), result.clone());
        let process = child(move |cx: Context<()>| {
            let (place, found) = (place.clone(), found.clone());
            async move {
                if cx.incarnation() == 1 {
                    cx.save(1_u32);
                    *place.lock().unwrap() = Some(cx);
                    return Err(Exit::error("the context lives on"));
                }
                cx.sleep(SECOND).await;
                found.store(cx.saved::<u32>().map_or(0, |number| *number as usize), SeqCst);
                Ok(())
            }
        });
        let process = process.restart(RestartType::Transient).backoff(Backoff::immediate());
        let process = system.spawn_child(process).unwrap();
        sim.sleep(SECOND / 2).await;
        let former: Context<()> = left.lock().unwrap().take().unwrap();
        former.save(2_u32);
        assert!(former.forget::<u32>().is_none());
        drop(former);
        process.ended().await;
        assert_eq!(result.load(SeqCst), 1);
    });
}

/// Panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("a saved bomb");
    }
}

struct OtherBomb(Bomb);

#[test]
fn states_whose_destructors_panic_harm_their_own_process_alone() {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let outer = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !info.to_string().contains("a saved bomb") {
                outer(info);
            }
        }));
    });
    in_sim(async |_, system| {
        let process = temporary(|cx: Context<()>| async move {
            cx.save(OtherBomb(Bomb));
            cx.save(Bomb);
            cx.save(Bomb);
            Ok(())
        });
        let process = system.spawn_child(process).unwrap();
        let reason = process.ended().await;
        assert!(matches!(reason, ExitReason::Panic(_)), "of the one that was replaced: {reason}");
    });
}
