//! A one-shot on one thread: values, wakers and slots are dropped once, whatever its ends do in whatever order.
#![cfg(not(loom))]

use bastion_mailbox::oneshot::{Receiver, Sender, channel};
use proptest::prelude::*;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    /// Poll with this waker.
    Poll(usize),
    Send,
    DropSender,
    DropReceiver,
    Close,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..2_usize).prop_map(Step::Poll),
        1 => Just(Step::Send),
        1 => Just(Step::DropSender),
        1 => Just(Step::DropReceiver),
        1 => Just(Step::Close),
    ]
}

type Value = Arc<()>;

/// What a one-shot is in plain values.
#[derive(Default)]
struct Model {
    parked: Option<usize>,
    sent: bool,
    value: bool,
    gone: bool,
    woken: [usize; 2],
}

impl Model {
    fn end(&mut self, value: bool) {
        self.sent = true;
        self.value = value && !self.gone;
        if let Some(waker) = self.parked.take() {
            self.woken[waker] += 1;
        }
    }
}

fn poll(receiver: &mut Receiver<Value>, waker: &Arc<Count>) -> Poll<Option<Value>> {
    let waker = Waker::from(waker.clone());
    Pin::new(receiver).poll(&mut Context::from_waker(&waker))
}

fn check(steps: Vec<Step>) {
    let (sender, receiver) = channel::<Value>();
    let mut ends: (Option<Sender<Value>>, Option<Receiver<Value>>) = (Some(sender), Some(receiver));
    let (value, wakers) = (Arc::new(()), [Arc::new(Count::default()), Arc::new(Count::default())]);
    let mut model = Model::default();
    for step in steps {
        match (step, &mut ends) {
            (Step::Poll(waker), (_, Some(receiver))) => {
                let polled = poll(receiver, &wakers[waker]).map(|value| value.is_some());
                if model.sent {
                    assert_eq!(polled, Poll::Ready(std::mem::take(&mut model.value)));
                } else {
                    assert_eq!(polled, Poll::Pending);
                    model.parked = Some(waker);
                }
            }
            (Step::Send, (sender @ Some(_), _)) => {
                assert_eq!(sender.as_ref().unwrap().is_wanted(), !model.gone);
                let sent = sender.take().unwrap().send(value.clone());
                assert_eq!(sent.is_ok(), !model.gone);
                model.end(true);
            }
            (Step::DropSender, (sender @ Some(_), _)) => {
                drop(sender.take());
                model.end(false);
            }
            (Step::DropReceiver, (_, receiver @ Some(_))) => {
                drop(receiver.take());
                (model.gone, model.value, model.parked) = (true, false, None);
            }
            (Step::Close, (_, receiver @ Some(_))) => {
                let closed = receiver.take().unwrap().close();
                assert_eq!(closed.is_some(), model.value);
                (model.gone, model.value, model.parked) = (true, false, None);
            }
            _ => {}
        }
        assert_eq!(Arc::strong_count(&value), 1 + usize::from(model.value));
        for (number, waker) in wakers.iter().enumerate() {
            assert_eq!(waker.0.load(SeqCst), model.woken[number]);
            let held = usize::from(model.parked == Some(number));
            assert_eq!(Arc::strong_count(waker), 1 + held, "a waker is held while it is needed");
        }
    }
    drop(ends);
    assert_eq!(Arc::strong_count(&value), 1);
    assert!(wakers.iter().all(|waker| Arc::strong_count(waker) == 1));
}

proptest! {
    #[test]
    fn it_does_what_the_model_does(steps in prop::collection::vec(step(), 0..12)) {
        check(steps);
    }
}

#[test]
fn a_panic_of_the_waker_is_not_the_senders() {
    struct Panics;
    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("a waker that panics");
        }
    }
    let (sender, mut receiver) = channel();
    let waker = Waker::from(Arc::new(Panics));
    assert!(Pin::new(&mut receiver).poll(&mut Context::from_waker(&waker)).is_pending());
    sender.send(1).unwrap();
    assert_eq!(receiver.close(), Some(1));
}
