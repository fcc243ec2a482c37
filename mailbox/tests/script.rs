//! Random sequences of operations by one thread, beside a model that is a plain queue.
#![cfg(not(loom))]

use bastion_mailbox::{PushError, Queue};
use proptest::prelude::*;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Wake, Waker};

#[derive(Clone, Debug)]
enum Act {
    Push(usize),
    Fetch(usize),
    FetchOrWait(usize),
    FetchFirst(usize),
    FetchFirstOrWait(usize),
    PutBack,
    Handle(usize),
    Wake,
    Close,
    Open,
    PopOldest,
    SetCapacity(usize),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        8 => (1..70_usize).prop_map(Act::Push),
        4 => (0..80_usize).prop_map(Act::Fetch),
        4 => (0..80_usize).prop_map(Act::FetchOrWait),
        2 => (0..80_usize).prop_map(Act::FetchFirst),
        4 => (0..80_usize).prop_map(Act::FetchFirstOrWait),
        2 => Just(Act::PutBack),
        2 => (0..80_usize).prop_map(Act::Handle),
        1 => Just(Act::Wake),
        1 => Just(Act::Close),
        2 => Just(Act::Open),
        2 => Just(Act::PopOldest),
        1 => (0..200_usize).prop_map(Act::SetCapacity),
    ]
}

struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Relaxed);
    }
}

/// The queue, and what it should be.
struct Both {
    queue: Queue<usize>,
    batch: VecDeque<usize>,
    model: VecDeque<usize>,
    model_batch: VecDeque<usize>,
    capacity: usize,
    closed: bool,
    waits: bool,
    wakes: usize,
    sent: usize,
    woken: Arc<Count>,
}

impl Both {
    fn new() -> Both {
        Both {
            queue: Queue::new(),
            batch: VecDeque::new(),
            model: VecDeque::new(),
            model_batch: VecDeque::new(),
            capacity: 1 << 20,
            closed: false,
            waits: false,
            wakes: 0,
            sent: 0,
            woken: Arc::new(Count(AtomicUsize::new(0))),
        }
    }

    fn wakes_who_waits(&mut self) {
        self.wakes += usize::from(std::mem::take(&mut self.waits));
    }

    fn push(&mut self) {
        self.sent += 1;
        let expected = if self.closed {
            Err(PushError::Closed(self.sent))
        } else if self.model.len() >= self.capacity {
            Err(PushError::Full(self.sent))
        } else {
            self.model.push_back(self.sent);
            self.wakes_who_waits();
            Ok(())
        };
        assert_eq!(self.queue.push(self.sent), expected);
    }

    fn fetch(&mut self, max: usize, waits: bool) {
        let waker = Waker::from(self.woken.clone());
        let found = self.queue.fetch(&mut self.batch, max, waits.then_some(&waker));
        let count = self.model.len().min(max);
        self.model_batch.extend(self.model.drain(..count));
        assert_eq!(found, count > 0);
        self.waits |= waits && !found && max > 0;
    }

    fn fetch_first(&mut self, max: usize, waits: bool) {
        let waker = Waker::from(self.woken.clone());
        let (mut first, waker) = (None, waits.then_some(&waker));
        let found = self.queue.fetch_first(&mut self.batch, max, waker, &mut first);
        assert_eq!(found, first.is_some());
        let mut fetched = self.model.drain(..self.model.len().min(max));
        assert_eq!(first, fetched.next());
        self.model_batch.extend(fetched);
        self.waits |= waits && first.is_none() && max > 0;
    }

    fn put_back(&mut self) {
        assert_eq!(
            self.queue.put_back(&mut self.batch),
            !self.closed || self.model_batch.is_empty()
        );
        if !self.closed && !self.model_batch.is_empty() {
            self.model_batch.append(&mut self.model);
            std::mem::swap(&mut self.model, &mut self.model_batch);
            self.wakes_who_waits();
        }
    }

    fn act(&mut self, act: &Act) {
        match *act {
            Act::Push(count) => (0..count).for_each(|_| self.push()),
            Act::Fetch(max) => self.fetch(max, false),
            Act::FetchOrWait(max) => self.fetch(max, true),
            Act::FetchFirst(max) => self.fetch_first(max, false),
            Act::FetchFirstOrWait(max) => self.fetch_first(max, true),
            Act::PutBack => self.put_back(),
            Act::Handle(count) => {
                let count = self.batch.len().min(count);
                assert!(self.batch.drain(..count).eq(self.model_batch.drain(..count)));
            }
            Act::Wake => {
                self.queue.wake();
                self.wakes_who_waits();
            }
            Act::Close => {
                (self.closed, self.waits) = (true, false);
                assert_eq!(self.queue.close(), std::mem::take(&mut self.model));
            }
            Act::Open => {
                self.queue.open();
                self.closed = false;
            }
            Act::PopOldest => assert_eq!(self.queue.pop_oldest(), self.model.pop_front()),
            Act::SetCapacity(capacity) => {
                self.queue.set_capacity(capacity);
                self.capacity = capacity;
            }
        }
        assert_eq!(self.queue.len(), self.model.len());
        assert_eq!(self.queue.is_closed(), self.closed);
        assert_eq!(self.batch, self.model_batch);
        assert_eq!(self.woken.0.load(Relaxed), self.wakes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_queue_does_what_its_model_does(acts in prop::collection::vec(act(), 1..60)) {
        let mut both = Both::new();
        acts.iter().for_each(|act| both.act(act));
    }
}
