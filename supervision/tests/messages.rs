//! Messages of any type, and recipients of one type: what becomes of each, also when nobody takes it.

use bastion_supervision::plan::{ExitReason, RestartType};
use bastion_supervision::{
    Address, AskError, Child, Context, Exit, Msg, NotUnderstood, Published, Recipient, Reply,
    Runtime, Sim, System, TellError, Undelivered, child,
};
use std::collections::HashSet;
use std::mem::size_of;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn in_sim<T>(body: impl AsyncFnOnce(Sim, System) -> T) -> T {
    let sim = Sim::new(7);
    let inner = sim.clone();
    sim.run(async move {
        let system = System::new(Runtime::sim(&inner));
        let result = body(inner, system.clone()).await;
        system.stop(5 * SECOND).await;
        result
    })
}

type Heard = Arc<Mutex<Vec<String>>>;

fn heard(heard: &Heard) -> Vec<String> {
    std::mem::take(&mut heard.lock().unwrap())
}

/// One that does something with each message.
fn each<M: Send + 'static>(f: impl Fn(&Context<M>, M) + Clone + Send + Sync + 'static) -> Child<M> {
    let body = move |mut cx: Context<M>| {
        let f = f.clone();
        async move {
            while let Some(message) = cx.recv().await {
                f(&cx, message);
            }
            Ok(())
        }
    };
    child(body).restart(RestartType::Temporary)
}

#[derive(Debug, PartialEq)]
enum Order {
    Add(u32),
    Text(String),
}

impl From<u32> for Order {
    fn from(number: u32) -> Order {
        Order::Add(number)
    }
}

impl TryFrom<Order> for u32 {
    type Error = Order;

    fn try_from(order: Order) -> Result<u32, Order> {
        match order {
            Order::Add(number) => Ok(number),
            other => Err(other),
        }
    }
}

fn texts(address: &Address<Order>) -> Recipient<String> {
    address.recipient_with(Order::Text, |order| match order {
        Order::Text(text) => Some(text),
        Order::Add(_) => None,
    })
}

#[test]
fn a_message_is_five_words_whatever_its_value() {
    assert_eq!(size_of::<Msg>(), 5 * size_of::<usize>());
    fn check<T: Send + Sync + 'static>() {}
    check::<Msg>();
    check::<Recipient<std::cell::Cell<u8>>>();
}

#[test]
fn a_recipient_accepts_what_the_process_does_and_more() {
    in_sim(async |sim, system| {
        let record = Heard::default();
        let heard_by = record.clone();
        let process = each(move |_, order: Order| {
            heard_by.lock().unwrap().push(format!("{order:?}"));
        });
        let process = system.spawn_child(process.named("counter")).unwrap();
        let own: Recipient<Order> = process.recipient();
        let numbers = Recipient::<u32>::from(process.clone());
        let texts = texts(&process);
        own.tell(Order::Add(1)).unwrap();
        numbers.tell(2).unwrap();
        texts.clone().tell("three".into()).unwrap();
        numbers.send(4).await.unwrap();
        texts.send("five".into()).await.unwrap();
        sim.sleep(SECOND).await;
        let expected = ["Add(1)", "Add(2)", "Text(\"three\")", "Add(4)", "Text(\"five\")"];
        assert_eq!(heard(&record), expected);
        assert_eq!((numbers.pid(), texts.name()), (process.pid(), Some("counter")));
        assert_eq!(format!("{numbers:?}"), format!("{process:?}").replace("Address", "Recipient"));
    });
}

#[test]
fn recipients_are_equal_when_they_are_of_one_process() {
    let process = || each(|_, _: Order| {});
    let (one, other) = (process(), process());
    let direct: Recipient<u32> = one.address().recipient();
    let mapped = one.address().recipient_with(Order::Add, |order| order.try_into().ok());
    let foreign: Recipient<u32> = other.address().recipient();
    assert!(direct == mapped && direct != foreign);
    assert_eq!(HashSet::from([direct, mapped, foreign]).len(), 2);
}

#[test]
fn what_a_recipient_refuses_comes_back_as_what_it_was() {
    in_sim(async |sim, system| {
        let process = child(|cx: Context<Order>| async move {
            cx.stop_signal().requested().await;
            Ok(())
        });
        let process = process.mailbox_capacity(1).restart(RestartType::Temporary);
        let process = system.spawn_child(process).unwrap();
        let (numbers, texts) = (Recipient::<u32>::from(process.clone()), texts(&process));
        process.tell(Order::Add(0)).unwrap();
        assert!(matches!(numbers.tell(1), Err(TellError::Full(1))));
        assert!(matches!(texts.tell("a".into()), Err(TellError::Full(text)) if text == "a"));
        let waits = async { (numbers.send(2).await, texts.send("b".into()).await) };
        let ends = async {
            sim.sleep(SECOND).await;
            assert!(!numbers.has_ended());
            process.exit(ExitReason::Killed);
            texts.ended().await
        };
        let (sent, reason) = join(waits, ends).await;
        assert!(matches!(reason, ExitReason::Killed));
        assert!(matches!(sent.0, Err(TellError::Dead(2))));
        assert!(matches!(sent.1, Err(TellError::Dead(text)) if text == "b"));
        assert!(matches!(numbers.tell(3), Err(TellError::Dead(3))) && numbers.has_ended());
    });
}

/// Runs two futures beside each other.
async fn join<A, B>(a: impl Future<Output = A>, b: impl Future<Output = B>) -> (A, B) {
    let (mut a, mut b) = (std::pin::pin!(a), std::pin::pin!(b));
    let (mut of_a, mut of_b) = (None, None);
    std::future::poll_fn(|task| {
        use std::task::Poll::{Pending, Ready};
        if of_a.is_none()
            && let Ready(output) = a.as_mut().poll(task)
        {
            of_a = Some(output);
        }
        if of_b.is_none()
            && let Ready(output) = b.as_mut().poll(task)
        {
            of_b = Some(output);
        }
        if of_a.is_some() && of_b.is_some() { Ready(()) } else { Pending }
    })
    .await;
    (of_a.unwrap(), of_b.unwrap())
}

#[test]
#[should_panic(expected = "does not convert back")]
fn a_way_back_that_is_none_is_the_programmers_error() {
    let process = each(|_, _: Order| {});
    let recipient = process.address().recipient_with(Order::Add, |_| None);
    drop(process);
    let _ = recipient.tell(1_u32);
}

#[test]
fn a_recipient_is_asked_as_its_process_is() {
    in_sim(async |_, system| {
        let clock = each(|_, reply: Reply<u8>| reply.send(12));
        let unknown: Recipient<Reply<u8>> = clock.address().recipient();
        assert_eq!(unknown.ask(|reply| reply).await, Err(AskError::Dead));
        let clock: Recipient<_> = system.spawn_child(clock).unwrap().into();
        assert_eq!(clock.ask(|reply| reply).await, Ok(12));
        let silent = each(|_, _: Reply<u8>| {});
        let silent: Recipient<_> = system.spawn_child(silent).unwrap().into();
        assert_eq!(silent.ask_timeout(SECOND, |reply| reply).await, Err(AskError::NoReply));
    });
}

#[test]
fn a_process_of_any_type_is_a_recipient_of_each() {
    in_sim(async |sim, system| {
        let record = Heard::default();
        let heard_by = record.clone();
        let process = each(move |_, message: Msg| {
            let number = message.downcast::<[u64; 9]>().map(|numbers| numbers[8]);
            heard_by.lock().unwrap().push(format!("{number:?}"));
        });
        let process = system.spawn_child(process).unwrap();
        let large = process.recipient_any::<[u64; 9]>();
        large.tell([7; 9]).unwrap();
        process.recipient_any::<&str>().tell("what").unwrap();
        sim.sleep(SECOND).await;
        assert_eq!(heard(&record), ["Ok(7)", "Err(Msg(message of type &str))"]);
        process.exit(ExitReason::Killed);
        process.ended().await;
        assert!(matches!(large.tell([8; 9]), Err(TellError::Dead(numbers)) if numbers == [8; 9]));
    });
}

#[test]
fn who_is_named_as_the_sender_gets_the_replies() {
    in_sim(async |sim, system| {
        let doubles = each(|_, message: Msg| {
            if let (Some(sender), Ok(number)) = (message.sender(), message.downcast::<u32>()) {
                sender.tell_any(2 * number).unwrap();
            }
        });
        let doubles = system.spawn_child(doubles).unwrap();
        let record = Heard::default();
        // One that receives what it has signed the question for, and one of another type.
        let (heard_by, asks) = (record.clone(), doubles.clone());
        let dynamic = each(move |cx, message: Msg| match message.downcast::<&str>() {
            Ok(_) => asks.tell(cx.signed(21_u32)).unwrap(),
            Err(answer) => heard_by.lock().unwrap().push(format!("{:?}", answer.downcast::<u32>())),
        });
        let dynamic = system.spawn_child(dynamic).unwrap();
        let heard_by = record.clone();
        let typed = each(move |_, answer: Option<Msg>| {
            let answer = answer.unwrap().downcast::<u32>();
            heard_by.lock().unwrap().push(format!("typed {answer:?}"));
        });
        let typed = system.spawn_child(typed).unwrap();
        let typed: Recipient<Msg> = typed.recipient_with(Some, |message| message);
        dynamic.tell_any("begin").unwrap();
        sim.sleep(SECOND).await;
        assert_eq!(heard(&record), ["Ok(42)"]);
        doubles.tell(Msg::new(4_u32).reply_to(typed.clone())).unwrap();
        sim.sleep(SECOND).await;
        assert_eq!(heard(&record), ["typed Ok(8)"]);
        // The last word counts, and a question has a sender too.
        let message = Msg::new(1_u32).signed_by(doubles.clone()).reply_to(typed);
        assert_eq!(message.signed_by(dynamic.clone()).sender(), Some(dynamic.recipient()));
        assert_eq!(Msg::new(1_u32).sender(), None);
        let answered = each(|_, message: Msg| {
            let sender = message.sender().is_some();
            message.answer(sender);
        });
        let answered = system.spawn_child(answered).unwrap();
        let signed = |reply| Msg::question((), reply).signed_by(dynamic);
        assert!(answered.ask(signed).await.unwrap().downcast::<bool>().unwrap());
        assert!(!answered.ask_any(()).await.unwrap().downcast::<bool>().unwrap());
    });
}

/// Not `Clone`, and counted.
struct Large(Arc<AtomicUsize>, [u8; 100]);

impl Drop for Large {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}

#[test]
fn what_is_broadcast_is_one_value_that_all_look_at() {
    in_sim(async |sim, system| {
        let (seen, dropped) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicUsize::new(0)));
        let see = seen.clone();
        let viewer = move || {
            let see = see.clone();
            each(move |_, message: Msg| {
                let large = message.downcast_ref::<Large>().unwrap();
                let sender = message.sender().and_then(|sender| sender.pid());
                see.lock().unwrap().push((large as *const Large as usize, large.1[99], sender));
            })
        };
        let viewers: Vec<_> = (0..3).map(|_| system.spawn_child(viewer()).unwrap()).collect();
        let full = child(|cx: Context<Msg>| async move {
            cx.stop_signal().requested().await;
            Ok(())
        });
        let full = system.spawn_child(full.mailbox_capacity(1)).unwrap();
        full.tell_any(()).unwrap();
        let deaf = system.spawn_child(each(|_, _: Order| panic!("not for this one"))).unwrap();
        let names = system.names();
        for member in viewers.iter().chain([&full]) {
            assert_eq!(names.join("group", member), Ok(true));
        }
        names.join("group", &deaf).unwrap();
        let large = || Msg::new(Large(dropped.clone(), [7; 100]));
        let counts = |published: Published| (published.accepted, published.refused);
        let sender = viewers[0].pid();
        for message in [
            large().signed_by(viewers[0].clone()),
            // Shared already, and with a sender that is another kind of recipient.
            Msg::shared(Arc::new(Large(dropped.clone(), [7; 100])))
                .reply_to(viewers[0].recipient()),
        ] {
            assert_eq!(counts(names.broadcast("group", message)), (3, 1));
            sim.sleep(SECOND).await;
            let seen = std::mem::take(&mut *seen.lock().unwrap());
            assert_eq!(seen.len(), 3);
            assert!(seen.iter().all(|one| *one == (seen[0].0, 7, sender)));
        }
        assert_eq!(dropped.load(SeqCst), 2);
        assert_eq!(counts(names.broadcast("nobody", large())), (0, 0));
        assert_eq!(dropped.load(SeqCst), 3);
        assert!(!deaf.has_ended());
    });
}

#[test]
fn a_question_to_many_is_none() {
    in_sim(async |_, system| {
        let member = system.spawn_child(each(|_, message: Msg| assert!(!message.is_question())));
        let (member, names) = (member.unwrap(), system.names());
        names.join("group", &member).unwrap();
        let answer = member.ask(|reply| {
            names.broadcast("group", Msg::question(1, reply));
            Msg::new(2)
        });
        assert_eq!(answer.await.unwrap_err(), AskError::NotUnderstood);
    });
}

#[test]
fn more_of_a_message_is_made_when_it_is_shared_and_no_question() {
    let shared = Msg::shared(Arc::new(7_u8));
    assert!(shared.is_shared() && shared.is::<u8>());
    let again = shared.try_clone().unwrap().downcast_arc::<u8>().unwrap();
    assert_eq!((*again, Arc::strong_count(&again)), (7, 2));
    assert!(Msg::new(7_u8).try_clone().is_none());
}

/// What each arm of [`matched`] has been given.
fn matched(message: Msg) -> String {
    message
        .handle()
        .on(|number: u32| format!("number {number}"))
        .on_question(|number: u32, _| format!("question {number}"))
        .on_shared(|number: Arc<u32>| format!("shared {number}"))
        .on_question(|text: String, _| format!("question {text}"))
        .on(|_: u32| panic!("the first one counts"))
        .on_shared(|_: Arc<u32>| panic!("the first one counts"))
        .on_question(|_: u32, _| panic!("the first one counts"))
        .otherwise(|message| format!("{message:?}"))
}

#[test]
fn a_message_is_matched_once_by_its_type_and_its_kind() {
    assert_eq!(matched(Msg::new(1_u32)), "number 1");
    assert_eq!(matched(Msg::shared(Arc::new(2_u32))), "shared 2");
    assert_eq!(matched(Msg::new(3_u16)), "Msg(message of type u16)");
    assert_eq!(matched(Msg::shared(Arc::new(4_u16))), "Msg(message of type u16)");
    assert_eq!(matched(Msg::new("a".to_owned())), "Msg(message of type alloc::string::String)");
    in_sim(async |_, system| {
        // A question exists only where somebody asks.
        let asked = each(|_, message: Msg| {
            let kind = message.type_name();
            let question = message.is_question();
            assert!(question, "{kind}");
            let text = matched(message);
            assert!(["question 5", "question a", "Msg(question of type u16)"].contains(&&*text));
        });
        let asked = system.spawn_child(asked).unwrap();
        assert_eq!(asked.ask_any(5_u32).await.unwrap_err(), AskError::NoReply);
        assert_eq!(asked.ask_any("a".to_owned()).await.unwrap_err(), AskError::NoReply);
        assert_eq!(asked.ask_any(6_u16).await.unwrap_err(), AskError::NoReply);
        assert!(!asked.has_ended());
    });
}

struct PanicsOnDrop;

impl Drop for PanicsOnDrop {
    fn drop(&mut self) {
        panic!("dropped");
    }
}

#[test]
fn what_nobody_understands_is_a_dead_letter_and_who_asks_is_told_at_once() {
    in_sim(async |sim, system| {
        let process = each(|cx, message: Msg| {
            message.handle().on_question(|(): (), reply| reply.send_any(1_u8)).or_refuse(cx);
        });
        let process = system.spawn_child(process).unwrap();
        assert_eq!(process.ask_any(()).await.unwrap().downcast::<u8>().unwrap(), 1);
        let before = sim.now();
        assert_eq!(process.ask_any("what?").await.unwrap_err(), AskError::NotUnderstood);
        assert_eq!((sim.now(), system.stats().dead_letters), (before, 1));
        process.tell_any(()).unwrap();
        let mut letters = system.dead_letters(9);
        process.tell(Msg::new(PanicsOnDrop).signed_by(process.clone())).unwrap();
        assert_eq!(process.ask_any(()).await.unwrap().downcast::<u8>().unwrap(), 1);
        assert_eq!(system.stats().dead_letters, 3);
        assert_eq!(process.incarnation(), 1);
        let letters: Vec<_> = std::iter::from_fn(|| letters.try_recv()).collect();
        let last = letters.last().unwrap();
        assert!(matches!(last.reason, Undelivered::NotUnderstood) && last.sender == process.pid());
        assert_eq!(last.message, std::any::type_name::<PanicsOnDrop>());
    });
}

#[test]
fn a_process_that_would_rather_crash_names_the_type() {
    in_sim(async |sim, system| {
        let body = |mut cx: Context<Msg>| async move {
            while let Some(message) = cx.recv().await {
                message.handle().on(|_: u8| ()).or_error()?;
            }
            Ok::<(), Exit>(())
        };
        let process = child(body).restart(RestartType::Temporary);
        let process = system.spawn_child(process).unwrap();
        process.tell_any(1_u8).unwrap();
        let before = sim.now();
        assert_eq!(process.ask_any(2_u16).await.unwrap_err(), AskError::NotUnderstood);
        assert_eq!(sim.now(), before);
        let ExitReason::Error(failure) = process.ended().await else { panic!("no error") };
        let error = NotUnderstood { type_name: "u16" };
        assert_eq!(failure.to_string(), error.to_string());
    });
}
