//! Processes on threads that fight for names, and die while they do.

#![cfg(feature = "executor")]

use bastion_supervision::plan::{Backoff, ExitReason, Failure, RestartType};
use bastion_supervision::{Context, Exit, Runtime, System, child};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

const NAMES: usize = 3;

#[derive(Clone)]
enum Hear {
    End,
    News,
}

fn key(name: usize) -> String {
    format!("name {name}")
}

/// What is fought for on threads, and what went wrong.
#[derive(Default)]
struct Field {
    held: [AtomicBool; NAMES],
    taken: AtomicUsize,
    wrong: AtomicUsize,
}

impl Field {
    fn expect(&self, right: bool) {
        self.wrong.fetch_add(usize::from(!right), SeqCst);
    }
}

/// Says that a process has a name, from within its body: so this is gone before the process has ended.
struct Holds(Arc<Field>, usize);

impl Holds {
    fn new(field: &Arc<Field>, name: usize) -> Holds {
        field.taken.fetch_add(1, SeqCst);
        field.expect(!field.held[name].swap(true, SeqCst));
        Holds(field.clone(), name)
    }
}

impl Drop for Holds {
    fn drop(&mut self) {
        self.0.expect(self.0.held[self.1].swap(false, SeqCst));
    }
}

async fn fight(mut cx: Context<Hear>, field: Arc<Field>, number: usize) -> Result<(), Exit> {
    let (names, own) = (cx.names(), cx.address());
    names.join(key(number % NAMES), &own)?;
    let mut holds = Vec::new();
    for name in (0..NAMES).map(|name| (name + number) % NAMES) {
        // A second incarnation has those of the first one already.
        if names.register(key(name), &own).is_ok() || names.pid(&key(name)) == own.pid() {
            holds.push(Holds::new(&field, name));
        }
    }
    names.publish(&key(number % NAMES), Hear::News);
    match number % 4 {
        0 => return Ok(()),
        1 => return Err(Exit::error("told to")),
        2 if cx.incarnation() == 1 => panic!("told to"),
        _ => {}
    }
    while let Some(Hear::News) = cx.recv().await {}
    if let Some(last) = holds.pop() {
        let name = key(last.1);
        drop(last);
        field.expect(names.unregister(&name, &own));
    }
    Ok(())
}

#[test]
fn no_name_has_two_holders_on_threads_and_nothing_is_left() {
    const FIGHTERS: usize = 8;
    const ROUNDS: usize = 300;
    let executor = bastion_executor::Executor::builder().workers(2).build().unwrap();
    executor.run(async {
        let system = System::new(Runtime::executor());
        let (names, field) = (system.names(), Arc::<Field>::default());
        for round in 0..ROUNDS {
            let fighter = |number| {
                let (field, number) = (field.clone(), number + 3 * round);
                let fighter = child(move |cx| fight(cx, field.clone(), number));
                let once = number % 4 == 1;
                let restart = if once { RestartType::Temporary } else { RestartType::Transient };
                system.spawn_child(fighter.restart(restart).backoff(Backoff::immediate()))
            };
            let fighters: Vec<_> = (0..FIGHTERS).map(|number| fighter(number).unwrap()).collect();
            for (number, fighter) in fighters.iter().enumerate() {
                if number % 3 == 0 {
                    fighter.exit(ExitReason::Error(Failure::new("oops")));
                }
                // The second one is for the next incarnation, if the signal meets one that has just received the first.
                let _ = fighter.tell(Hear::End);
                let _ = fighter.tell(Hear::End);
            }
            for fighter in &fighters {
                fighter.ended().await;
                assert_eq!(names.names_of(fighter), []);
            }
            assert!((0..NAMES).all(|name| names.pid(&key(name)).is_none()), "round {round}");
            assert_eq!(names.groups(), []);
        }
        assert_eq!(field.wrong.load(SeqCst), 0, "two had one name");
        assert!(field.taken.load(SeqCst) >= ROUNDS, "{:?}", field.taken);
        system.stop(Duration::from_secs(5)).await;
    });
}
