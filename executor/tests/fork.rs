//! Processes that spawn others and wait for them, in great numbers: each answer arrives, and each future is dropped once.
#![cfg(not(loom))]

use bastion_executor::{Executor, Outcome, RecoverableHandle, run, spawn, timeout, yield_now};
use std::fmt::Debug;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

/// Far more than any of these takes on a busy machine.
const LIMIT: Duration = Duration::from_secs(120);

/// How many parents there are, each with one child.
const PARENTS: usize = 100_000;

/// How many futures there were and how many were dropped.
#[derive(Debug, Default)]
struct Tally {
    made: AtomicUsize,
    dropped: AtomicUsize,
}

/// Part of one future.
struct Part(Arc<Tally>);

impl Part {
    fn of(tally: &Arc<Tally>) -> Part {
        tally.made.fetch_add(1, SeqCst);
        Part(tally.clone())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.0.dropped.fetch_add(1, SeqCst);
    }
}

/// Runs the situation as a process on executors of one and of three workers. It makes so many futures with a [`Part`].
fn check<F>(futures: usize, expected: F::Output, situation: impl Fn(Arc<Tally>) -> F)
where
    F: Future<Output: Debug + PartialEq + Send + 'static> + Send + 'static,
{
    for workers in [1, 3] {
        let executor = Executor::builder().workers(workers).build().unwrap();
        let tally = Arc::<Tally>::default();
        let result = run(timeout(LIMIT, executor.spawn(situation(tally.clone()))));
        if !matches!(&result, Ok(Some(result)) if *result == expected) {
            // Its drop would wait for workers that never come back.
            std::mem::forget(executor);
            panic!("{workers} workers: {result:?}, {tally:?}");
        }
        drop(executor);
        let counts = (tally.made.load(SeqCst), tally.dropped.load(SeqCst));
        assert_eq!(counts, (futures, futures), "{workers} workers");
    }
}

fn quiet() {
    std::panic::set_hook(Box::new(|_| {}));
}

/// The sum of what the processes answer.
async fn sum(processes: Vec<RecoverableHandle<usize>>) -> usize {
    let mut sum = 0;
    for process in processes {
        sum += process.await.expect("neither cancelled nor panicked");
    }
    sum
}

#[test]
fn each_of_many_processes_awaits_its_child() {
    check(2 * PARENTS, PARENTS * (PARENTS - 1) / 2, async |tally| {
        let parent = |number| {
            let (part, tally) = (Part::of(&tally), tally.clone());
            spawn(async move {
                let _part = part;
                let part = Part::of(&tally);
                let child = spawn(async move {
                    let _part = part;
                    number
                });
                child.await.expect("neither cancelled nor panicked")
            })
        };
        sum((0..PARENTS).map(parent).collect()).await
    });
}

#[test]
fn each_of_many_processes_hears_of_the_panic_of_its_child() {
    quiet();
    const PANICS: usize = PARENTS / 10;
    check(2 * PARENTS / 5, PANICS, async |tally| {
        let parent = |number| {
            let (part, tally) = (Part::of(&tally), tally.clone());
            spawn(async move {
                let _part = part;
                let part = Part::of(&tally);
                let mut child = spawn(async move {
                    let _part = part;
                    // Before its first wait, or after it.
                    if number % 4 < 2 {
                        yield_now().await;
                    }
                    assert!(number % 2 == 0, "an odd one");
                });
                match child.outcome().await {
                    Outcome::Panicked(panic) => {
                        assert_eq!((panic.message(), number % 2), (Some("an odd one"), 1));
                        1
                    }
                    Outcome::Completed(()) => 0,
                    Outcome::Cancelled => panic!("nobody has cancelled it"),
                }
            })
        };
        sum((0..2 * PANICS).map(parent).collect()).await
    });
}

/// Counts the leaves of a tree below it; every seventh leaf panics, and every inner node waits for all of its children.
fn node(
    depth: u32,
    number: usize,
    tally: Arc<Tally>,
) -> Pin<Box<dyn Future<Output = usize> + Send>> {
    let part = Part::of(&tally);
    Box::pin(async move {
        let _part = part;
        if depth == 0 {
            assert!(!number.is_multiple_of(7), "a seventh leaf");
            return 1;
        }
        let child = |which| spawn(node(depth - 1, 4 * number + which, tally.clone()));
        let mut leaves = 0;
        for mut child in (0..4).map(child).collect::<Vec<_>>() {
            match child.outcome().await {
                Outcome::Completed(below) => leaves += below,
                Outcome::Panicked(_) if depth == 1 => {}
                other => panic!("an inner node ended with {other:?}"),
            }
        }
        leaves
    })
}

#[test]
fn a_tree_with_leaves_that_panic_completes() {
    quiet();
    const DEPTH: u32 = 8;
    let (leaves, nodes) = (4_usize.pow(DEPTH), (4_usize.pow(DEPTH + 1) - 1) / 3);
    check(nodes, leaves - leaves.div_ceil(7), |tally| node(DEPTH, 0, tally));
}

#[test]
fn a_line_of_processes_each_waiting_for_the_next_completes() {
    fn link(left: usize, tally: Arc<Tally>) -> Pin<Box<dyn Future<Output = usize> + Send>> {
        let part = Part::of(&tally);
        Box::pin(async move {
            let _part = part;
            match left {
                0 => 0,
                _ => {
                    1 + spawn(link(left - 1, tally)).await.expect("neither cancelled nor panicked")
                }
            }
        })
    }
    check(PARENTS + 1, PARENTS, |tally| link(PARENTS, tally));
}
