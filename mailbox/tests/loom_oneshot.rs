//! The one-shot under every interleaving of its two ends.
#![cfg(loom)]

mod loom_support;

use bastion_mailbox::oneshot::{Receiver, Sender, channel};
use loom::cell::Cell;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use loom::thread;
use loom_support::counted;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// A value whose drops are counted, and whose content the model watches.
struct Value(Cell<u8>, Arc<AtomicUsize>);

impl Value {
    fn read(&self) -> u8 {
        self.0.get()
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        self.0.set(0);
        self.1.fetch_add(1, SeqCst);
    }
}

type Ends = (Sender<Value>, Receiver<Value>, Value);

/// Checks a model of the two ends, with a value to send, which must be dropped once in the end.
fn model(check: fn(Ends)) {
    loom::model(move || {
        let dropped = Arc::new(AtomicUsize::new(0));
        let (sender, receiver) = channel();
        check((sender, receiver, Value(Cell::new(7), dropped.clone())));
        assert_eq!(dropped.load(SeqCst), 1);
    });
}

fn poll(receiver: &mut Receiver<Value>, waker: &Waker) -> Poll<Option<Value>> {
    Pin::new(receiver).poll(&mut Context::from_waker(waker))
}

/// Polls, and checks that who has to wait is woken, and has the value then.
fn value_of(mut receiver: Receiver<Value>, sends: thread::JoinHandle<bool>) {
    let (waker, woken) = counted();
    match poll(&mut receiver, &waker) {
        Poll::Ready(value) => {
            assert_eq!(value.unwrap().read(), 7);
            drop(receiver);
            assert!(sends.join().unwrap());
            assert_eq!(woken.load(SeqCst), 0);
        }
        Poll::Pending => {
            assert!(sends.join().unwrap());
            assert_eq!(woken.load(SeqCst), 1);
            let Poll::Ready(Some(value)) = poll(&mut receiver, &waker) else { panic!("sent") };
            assert_eq!(value.read(), 7);
        }
    }
}

#[test]
fn send_against_poll() {
    model(|(sender, receiver, value)| {
        let sends = thread::spawn(move || sender.send(value).is_ok());
        value_of(receiver, sends);
    });
}

#[test]
fn send_against_a_poll_with_another_waker() {
    model(|(sender, mut receiver, value)| {
        let (first, first_woken) = counted();
        assert!(poll(&mut receiver, &first).is_pending());
        let sends = thread::spawn(move || sender.send(value).is_ok());
        let (second, woken) = counted();
        let polled = poll(&mut receiver, &second);
        if let Poll::Ready(value) = &polled {
            assert_eq!(value.as_ref().unwrap().read(), 7);
            drop((polled, receiver));
            assert!(sends.join().unwrap());
            assert!(first_woken.load(SeqCst) <= 1);
        } else {
            assert!(sends.join().unwrap());
            assert_eq!((first_woken.load(SeqCst), woken.load(SeqCst)), (0, 1));
            assert!(matches!(poll(&mut receiver, &second), Poll::Ready(Some(_))));
        }
    });
}

#[test]
fn send_against_a_parked_receiver_that_looks_and_leaves() {
    model(|(sender, mut receiver, value)| {
        let (waker, woken) = counted();
        assert!(poll(&mut receiver, &waker).is_pending());
        let sends = thread::spawn(move || sender.send(value).map_err(|value| value.read()));
        let polled = poll(&mut receiver, &waker);
        let closed = receiver.close();
        let sent = sends.join().unwrap();
        let took = matches!(polled, Poll::Ready(Some(_))) || closed.is_some();
        assert_eq!(sent, if took { Ok(()) } else { Err(7) }, "it is the asker's, or comes back");
        assert_eq!(woken.load(SeqCst), usize::from(took));
    });
}

#[test]
fn send_against_a_receiver_that_is_dropped() {
    for parked in [false, true] {
        loom::model(move || {
            let dropped = Arc::new(AtomicUsize::new(0));
            let (sender, mut receiver) = channel();
            let value = Value(Cell::new(7), dropped.clone());
            let (waker, _woken) = counted();
            if parked {
                assert!(poll(&mut receiver, &waker).is_pending());
            }
            let drops = thread::spawn(move || drop(receiver));
            let wanted = sender.is_wanted();
            let sent = sender.send(value);
            assert!(wanted || sent.is_err(), "once gone, always gone");
            drops.join().unwrap();
            drop(sent);
            assert_eq!(dropped.load(SeqCst), 1);
        });
    }
}

#[test]
fn a_dropped_sender_against_poll() {
    model(|(sender, mut receiver, _value)| {
        let (waker, woken) = counted();
        let drops = thread::spawn(move || drop(sender));
        let polled = poll(&mut receiver, &waker);
        drops.join().unwrap();
        assert_eq!(woken.load(SeqCst), usize::from(polled.is_pending()));
        assert!(matches!(poll(&mut receiver, &waker), Poll::Ready(None)));
    });
}

#[test]
fn both_ends_are_dropped() {
    for parked in [false, true] {
        loom::model(move || {
            let (sender, mut receiver) = channel();
            let (waker, woken) = counted();
            if parked {
                assert!(poll(&mut receiver, &waker).is_pending());
            }
            let drops = thread::spawn(move || drop(sender));
            drop(receiver);
            drops.join().unwrap();
            assert!(woken.load(SeqCst) <= usize::from(parked));
        });
    }
}
