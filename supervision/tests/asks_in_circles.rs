//! Processes that ask each other in a circle, or themselves: who closes the circle is told at once, and nobody else ever is.

use bastion_supervision::plan::RestartType;
use bastion_supervision::{
    Address, AskError, Child, Context, Reply, Report, Runtime, Sim, System, child,
};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

type Answer = Result<u32, AskError>;

/// What a process does when it is asked.
enum Do {
    /// Answer this.
    Say(Reply<Answer>, u32),
    /// Have the next one do the rest, and pass its answer on.
    Ask(Reply<Answer>, Vec<Step>),
    /// Leave the answer to the next one.
    Pass(Reply<Answer>),
}

#[derive(Clone)]
enum Step {
    /// Wait for the answer of this one.
    Ask(Address<Do>),
    /// The same, and receive at the same time.
    Beside(Address<Do>),
    /// The same, but no longer than a second.
    Within(Address<Do>),
    /// Leave it to this one, and ask that one for something else.
    PassAndAsk(Address<Do>, Address<Do>),
    /// Leave it to a process that is started for it, and ask this one for something else.
    StartAndAsk(Address<Do>),
}

/// What is left is done by whoever is asked last.
fn question(mut rest: Vec<Step>) -> impl FnOnce(Reply<Answer>) -> Do {
    move |reply| {
        if rest.is_empty() { Do::Say(reply, 7) } else { Do::Ask(reply, std::mem::take(&mut rest)) }
    }
}

fn flat(answer: Result<Answer, AskError>) -> Answer {
    answer.and_then(|answer| answer)
}

async fn ask(address: &Address<Do>, rest: Vec<Step>) -> Answer {
    flat(address.ask(question(rest)).await)
}

/// Waits for the first of both.
async fn first<A, B>(a: impl Future<Output = A>, b: impl Future<Output = B>) -> Result<A, B> {
    let (mut a, mut b) = (pin!(a), pin!(b));
    poll_fn(|task| match a.as_mut().poll(task) {
        Poll::Ready(a) => Poll::Ready(Ok(a)),
        Poll::Pending => b.as_mut().poll(task).map(Err),
    })
    .await
}

async fn go(cx: &mut Context<Do>, order: Do) {
    match order {
        Do::Say(reply, answer) => reply.send(Ok(answer)),
        Do::Pass(reply) => reply.send(Ok(8)),
        Do::Ask(reply, mut steps) => match steps.remove(0) {
            Step::Ask(next) => reply.send(ask(&next, steps).await),
            Step::Within(next) => {
                let answer = cx.timeout(SECOND, ask(&next, steps)).await;
                reply.send(answer.unwrap_or(Ok(9)));
            }
            Step::PassAndAsk(next, other) => {
                next.tell(Do::Pass(reply)).unwrap();
                let _ = ask(&other, Vec::new()).await;
            }
            Step::StartAndAsk(other) => {
                let reply = Mutex::new(Some(reply));
                let answers = child(move |_: Context<()>| {
                    let reply = reply.lock().unwrap().take().unwrap();
                    async move {
                        reply.send(Ok(8));
                        Ok(())
                    }
                });
                let answers = answers.restart(RestartType::Temporary);
                cx.supervisor().spawn_child(answers).unwrap();
                let _ = ask(&other, Vec::new()).await;
            }
            Step::Beside(next) => {
                let mut answer = pin!(ask(&next, steps));
                loop {
                    match first(answer.as_mut(), cx.recv()).await {
                        Ok(answer) => break reply.send(answer),
                        Err(Some(Do::Say(reply, answer))) => reply.send(Ok(answer)),
                        Err(_) => return,
                    }
                }
            }
        },
    }
}

fn does(name: impl Into<Arc<str>>) -> Child<Do> {
    let body = |mut cx: Context<Do>| async move {
        while let Some(order) = cx.recv().await {
            go(&mut cx, order).await;
        }
        Ok(())
    };
    child(body).named(name).restart(RestartType::Temporary)
}

/// What was reported: the names of each circle.
type Circles = Arc<Mutex<Vec<Vec<String>>>>;

/// Runs a test with three processes, under several seeds. Returns the circles that were reported, of each seed the same number.
fn check<Fut>(test: impl Fn([Address<Do>; 3], Sim) -> Fut) -> Vec<Vec<String>>
where
    Fut: Future<Output = ()>,
{
    let mut all = Vec::new();
    for seed in 0..50 {
        let (sim, circles) = (Sim::new(seed), Circles::default());
        let noted = circles.clone();
        sim.run(async {
            let system = System::builder(Runtime::sim(&sim)).on_report(move |report| {
                if let Report::AskCircle { processes } = report {
                    let names = processes.iter().map(|(_, name)| name.as_deref().unwrap().into());
                    noted.lock().unwrap().push(names.collect());
                }
            });
            let system = system.build();
            let three = ["a", "b", "c"].map(|name| system.spawn_child(does(name)).unwrap());
            test(three, sim.clone()).await;
            system.stop(SECOND).await;
        });
        let circles = std::mem::take(&mut *circles.lock().unwrap());
        assert!(seed == 0 || circles == all, "{circles:?}");
        all = circles;
    }
    all
}

#[test]
fn one_that_asks_itself_is_told_at_once() {
    let circles = check(|[a, ..], sim| async move {
        let answer = ask(&a, vec![Step::Ask(a.clone())]).await;
        assert_eq!(answer, Err(AskError::Circle));
        // It goes on.
        assert_eq!(ask(&a, Vec::new()).await, Ok(7));
        assert_eq!(sim.now(), Duration::ZERO);
    });
    assert_eq!(circles, [["a"]]);
}

#[test]
fn one_that_asks_itself_and_receives_answers_itself() {
    let circles = check(|[a, ..], sim| async move {
        assert_eq!(ask(&a, vec![Step::Beside(a.clone())]).await, Ok(7));
        assert_eq!(sim.now(), Duration::ZERO);
    });
    assert!(circles.is_empty(), "{circles:?}");
}

#[test]
fn one_that_asks_itself_and_receives_many_messages_answers_itself_too() {
    let circles = check(|[a, ..], _| async move {
        let asked = a.ask(question(vec![Step::Beside(a.clone())]));
        let others: Vec<_> = (0..400).map(|_| a.ask(question(Vec::new()))).collect();
        assert_eq!(flat(asked.await), Ok(7));
        for other in others {
            assert_eq!(flat(other.await), Ok(7));
        }
    });
    assert!(circles.is_empty(), "{circles:?}");
}

#[test]
fn one_that_asks_itself_and_leaves_the_waiting_to_another_task_answers() {
    let sim = Sim::new(3);
    sim.run(async {
        let system = System::new(Runtime::sim(&sim));
        let asked = Arc::new(Mutex::new(None));
        let asks = child({
            let asked = asked.clone();
            move |mut cx: Context<Reply<u32>>| {
                *asked.lock().unwrap() = Some(cx.address().ask(|reply| reply));
                async move {
                    let reply = cx.recv().await.unwrap();
                    reply.send(7);
                    Ok(())
                }
            }
        });
        let asks = system.spawn_child(asks.restart(RestartType::Temporary)).unwrap();
        asks.ended().await;
        let ask = asked.lock().unwrap().take().unwrap();
        assert_eq!(ask.await, Ok(7));
    });
}

#[cfg(debug_assertions)]
mod noticed {
    use super::*;

    #[test]
    fn who_closes_a_circle_of_two_is_told_at_once() {
        let circles = check(|[a, b, _], sim| async move {
            let steps = vec![Step::Ask(b.clone()), Step::Ask(a.clone())];
            assert_eq!(ask(&a, steps).await, Err(AskError::Circle));
            assert_eq!(sim.now(), Duration::ZERO);
            assert_eq!((ask(&a, Vec::new()).await, ask(&b, Vec::new()).await), (Ok(7), Ok(7)));
        });
        assert_eq!(circles, [["b", "a"]]);
    }

    #[test]
    fn who_closes_a_circle_of_three_is_told_at_once() {
        let circles = check(|[a, b, c], sim| async move {
            let steps = [&b, &c, &a].map(|next| Step::Ask(next.clone()));
            assert_eq!(ask(&a, steps.into()).await, Err(AskError::Circle));
            assert_eq!(sim.now(), Duration::ZERO);
        });
        assert_eq!(circles, [["c", "a", "b"]]);
    }

    #[test]
    fn two_that_ask_each_other_at_the_same_time_are_found() {
        for seed in 0..50 {
            let sim = Sim::new(seed);
            sim.run(async {
                let system = System::new(Runtime::sim(&sim));
                let [a, b] = ["a", "b"].map(|name| system.spawn_child(does(name)).unwrap());
                let one = a.ask(question(vec![Step::Ask(b.clone())]));
                let other = b.ask(question(vec![Step::Ask(a.clone())]));
                let (one, other) = (flat(one.await), flat(other.await));
                // It depends on the order whether they meet.
                for answer in [&one, &other] {
                    assert!(matches!(answer, Ok(7) | Err(AskError::Circle)), "{answer:?}");
                }
                assert!(one.is_ok() || other.is_ok());
                assert_eq!(sim.now(), Duration::ZERO);
            });
        }
    }
}

#[test]
fn one_in_the_circle_that_receives_can_answer() {
    let circles = check(|[a, b, c], sim| async move {
        let steps = vec![Step::Beside(b.clone()), Step::Ask(c.clone()), Step::Ask(a.clone())];
        assert_eq!(ask(&a, steps).await, Ok(7));
        assert_eq!(sim.now(), Duration::ZERO);
    });
    assert!(circles.is_empty(), "{circles:?}");
}

#[test]
fn one_in_the_circle_that_waits_for_something_else_too_is_not_told() {
    let circles = check(|[a, b, _], sim| async move {
        let steps = vec![Step::Within(b.clone()), Step::Ask(a.clone())];
        assert_eq!(ask(&a, steps).await, Ok(9));
        assert_eq!(sim.now(), SECOND);
    });
    assert!(circles.is_empty(), "{circles:?}");
}

#[test]
fn one_that_has_left_the_answer_to_somebody_else_may_ask_back() {
    let circles = check(|[a, b, c], sim| async move {
        // The asker waits for b, b leaves the answer to c, and asks the asker.
        let steps = vec![Step::Ask(b.clone()), Step::PassAndAsk(c.clone(), a.clone())];
        assert_eq!(ask(&a, steps).await, Ok(8));
        assert_eq!(ask(&b, Vec::new()).await, Ok(7));
        assert_eq!(sim.now(), Duration::ZERO);
    });
    assert!(circles.is_empty(), "{circles:?}");
}

#[test]
fn one_that_has_left_the_answer_to_a_process_that_it_has_started_may_ask_back() {
    let circles = check(|[a, b, _], sim| async move {
        let steps = vec![Step::Ask(b.clone()), Step::StartAndAsk(a.clone())];
        assert_eq!(ask(&a, steps).await, Ok(8));
        assert_eq!(sim.now(), Duration::ZERO);
    });
    assert!(circles.is_empty(), "{circles:?}");
}

/// Asks those behind it, one or two at once, as often as is said, and answers with how many answers there were.
struct Sum(Reply<u32>, u32);

/// Processes of which each asks only those behind it, in no order that anybody knows.
fn in_one_direction(system: &System) -> Vec<Address<Sum>> {
    let mut behind: Vec<Address<Sum>> = Vec::new();
    for number in 0..6 {
        let others = behind.clone();
        let sums = child(move |mut cx: Context<Sum>| {
            let (others, mut random) = (others.clone(), fastrand::Rng::with_seed(number));
            async move {
                while let Some(Sum(reply, depth)) = cx.recv().await {
                    let mut one = || {
                        let other = others.get(random.usize(..others.len().max(1)));
                        other
                            .filter(|_| depth > 0)
                            .map(|other| other.ask(|reply| Sum(reply, depth - 1)))
                    };
                    let sum = match (one(), one()) {
                        (Some(one), Some(other)) if depth.is_multiple_of(2) => {
                            let (mut one, mut other) = (pin!(one), pin!(other));
                            // Whichever comes first, then the other.
                            match first(one.as_mut(), other.as_mut()).await {
                                Ok(answer) => answer.unwrap() + other.await.unwrap(),
                                Err(answer) => answer.unwrap() + one.await.unwrap(),
                            }
                        }
                        (Some(one), _) => one.await.unwrap(),
                        _ => 0,
                    };
                    reply.send(sum + 1);
                }
                Ok(())
            }
        });
        behind.push(system.spawn_child(sums).unwrap());
    }
    behind
}

/// Has several processes ask the last one at the same time: nobody is ever told of a circle.
async fn nobody_is_told(system: System) {
    let last = in_one_direction(&system).pop().unwrap();
    let askers: Vec<_> = (0..4)
        .map(|_| {
            let last = last.clone();
            let asks = child(move |_: Context<()>| {
                let last = last.clone();
                async move {
                    for depth in 0..60 {
                        assert!(last.ask(|reply| Sum(reply, depth % 5)).await.unwrap() > 0);
                    }
                    Ok(())
                }
            });
            system.spawn_child(asks.restart(RestartType::Temporary)).unwrap()
        })
        .collect();
    for asker in askers {
        assert!(!asker.ended().await.is_abnormal());
    }
    system.stop(SECOND).await;
}

#[test]
fn who_asks_in_one_direction_only_is_never_told() {
    for seed in 0..20 {
        let sim = Sim::new(seed);
        sim.run(nobody_is_told(System::new(Runtime::sim(&sim))));
    }
}

#[test]
#[cfg(feature = "executor")]
fn who_asks_in_one_direction_only_is_never_told_on_threads() {
    let executor = bastion_executor::Executor::builder().workers(4).build().unwrap();
    for _ in 0..10 {
        executor.run(async { nobody_is_told(System::new(Runtime::executor())).await });
    }
}

#[test]
#[cfg(all(feature = "executor", debug_assertions))]
fn a_circle_is_found_on_threads() {
    let executor = bastion_executor::Executor::builder().workers(4).build().unwrap();
    executor.run(async {
        let system = System::new(Runtime::executor());
        for round in 0..300 {
            let named = |name| does(format!("{name}{round}"));
            let [a, b] = ["a", "b"].map(|name| system.spawn_child(named(name)).unwrap());
            let steps = vec![Step::Ask(b), Step::Ask(a.clone())];
            let answer = a.ask_timeout(Duration::MAX, question(steps)).await;
            assert_eq!(flat(answer), Err(AskError::Circle));
        }
        system.stop(SECOND).await;
    });
}
