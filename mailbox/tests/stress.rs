//! Eight threads and random operations: nothing is lost, nothing comes twice, each sender's messages stay in order.
#![cfg(not(loom))]

use bastion_mailbox::Queue;
use std::collections::VecDeque;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

/// Who sent it, and its number; on the heap, so that a tool for memory sees it taken twice.
type Message = Box<(usize, usize)>;

struct Unpark(Thread, AtomicBool);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.1.store(true, SeqCst);
        self.0.unpark();
    }
}

/// Waits for a wake. Never returns if one is lost.
fn wait(unpark: &Unpark) {
    while !unpark.1.swap(false, SeqCst) {
        thread::park();
    }
}

/// Sends messages until so many were accepted.
fn send(queue: &Queue<Message>, sender: usize, count: usize) {
    for number in 0..count {
        let mut message = Box::new((sender, number));
        while let Err(refused) = queue.push(message) {
            message = refused.into_message();
            thread::yield_now();
        }
    }
}

/// Checks that each sender's messages came in order, and all of them.
struct Seen(Vec<usize>);

impl Seen {
    fn take(&mut self, message: &Message) {
        let (sender, number) = **message;
        assert_eq!(self.0[sender], number, "of sender {sender}");
        self.0[sender] += 1;
    }
}

/// One receiver that waits, fetches random numbers, and puts random rests back, while seven send.
#[test]
fn seven_senders_and_a_receiver_that_waits() {
    const SENDERS: usize = 7;
    const EACH: usize = if cfg!(debug_assertions) { 5_000 } else { 50_000 };
    for capacity in [3, 1000, 1 << 20] {
        let queue = Queue::new();
        queue.set_capacity(capacity);
        thread::scope(|scope| {
            for sender in 0..SENDERS {
                let queue = &queue;
                scope.spawn(move || send(queue, sender, EACH));
            }
            let mut random = fastrand::Rng::with_seed(capacity as u64);
            let unpark = Arc::new(Unpark(thread::current(), AtomicBool::new(false)));
            let waker = Waker::from(unpark.clone());
            let (mut seen, mut batch) = (Seen(vec![0; SENDERS]), VecDeque::new());
            while seen.0.iter().sum::<usize>() < SENDERS * EACH {
                let max = random.usize(1..100);
                if random.bool() {
                    // The batch is empty here: this one is the oldest.
                    let mut first = None;
                    if !queue.fetch_first(&mut batch, max, Some(&waker), &mut first) {
                        wait(&unpark);
                        continue;
                    }
                    first.iter().for_each(|first| seen.take(first));
                } else if !queue.fetch(&mut batch, max, Some(&waker)) {
                    wait(&unpark);
                    continue;
                }
                let handled = random.usize(0..=batch.len());
                batch.drain(..handled).for_each(|message| seen.take(&message));
                if random.bool() {
                    assert!(queue.put_back(&mut batch));
                } else {
                    batch.drain(..).for_each(|message| seen.take(&message));
                }
            }
        });
        assert_eq!(queue.len(), 0);
    }
}

/// Eight threads that do anything. What was accepted is taken out by somebody, once.
#[test]
fn eight_threads_that_do_anything() {
    const ACTS: usize = if cfg!(debug_assertions) { 5_000 } else { 50_000 };
    let (queue, accepted, taken) =
        (Queue::<Message>::new(), AtomicUsize::new(0), AtomicUsize::new(0));
    queue.set_capacity(500);
    thread::scope(|scope| {
        for thread in 0..8 {
            let (queue, accepted, taken) = (&queue, &accepted, &taken);
            scope.spawn(move || {
                let mut random = fastrand::Rng::with_seed(thread as u64);
                let mut batch = VecDeque::new();
                let take = |count| _ = taken.fetch_add(count, SeqCst);
                for number in 0..ACTS {
                    match random.u8(0..32) {
                        0..16 => {
                            let pushed = queue.push(Box::new((thread, number)));
                            accepted.fetch_add(usize::from(pushed.is_ok()), SeqCst);
                        }
                        16..22 => {
                            let (max, waker) = (random.usize(0..40), Some(Waker::noop()));
                            if random.bool() {
                                queue.fetch(&mut batch, max, waker);
                            } else {
                                let found = queue.fetch_first(&mut batch, max, waker, &mut None);
                                take(usize::from(found));
                            }
                        }
                        22..24 => _ = queue.put_back(&mut batch),
                        24..27 => take(batch.drain(..).count()),
                        27..29 => take(usize::from(queue.pop_oldest().is_some())),
                        29 => take(queue.close().len()),
                        30 => queue.open(),
                        _ => queue.wake(),
                    }
                }
                take(batch.len());
            });
        }
    });
    let left = queue.close().len();
    assert_eq!(taken.into_inner() + left, accepted.into_inner());
    assert!(queue.is_empty());
}

/// Senders that rather lose an old message: the receiver sees gaps, and never goes back.
#[test]
fn the_oldest_gives_way() {
    const EACH: usize = if cfg!(debug_assertions) { 5_000 } else { 50_000 };
    let (queue, lost) = (Queue::<Message>::new(), AtomicUsize::new(0));
    queue.set_capacity(8);
    let mut next = [0; 4];
    let mut came = 0;
    let mut look = |batch: &mut VecDeque<Message>| {
        for message in batch.drain(..) {
            let (sender, number) = *message;
            assert!(number >= next[sender]);
            next[sender] = number + 1;
            came += 1;
        }
    };
    thread::scope(|scope| {
        let senders: Vec<_> = (0..4)
            .map(|sender| {
                let (queue, lost) = (&queue, &lost);
                scope.spawn(move || {
                    for number in 0..EACH {
                        let mut message = Box::new((sender, number));
                        while let Err(full) = queue.push(message) {
                            message = full.into_message();
                            lost.fetch_add(usize::from(queue.pop_oldest().is_some()), SeqCst);
                        }
                    }
                })
            })
            .collect();
        let mut batch = VecDeque::new();
        while !senders.iter().all(|sender| sender.is_finished()) {
            queue.fetch(&mut batch, 4, None);
            look(&mut batch);
        }
    });
    look(&mut queue.close());
    assert_eq!(came + lost.into_inner(), 4 * EACH);
}

/// Sends a message, and waits for room; at random it gives up at a wake. True: it was sent.
fn send_or_give_up(queue: &Queue<Message>, message: Message, random: &mut fastrand::Rng) -> bool {
    let unpark = Arc::new(Unpark(thread::current(), AtomicBool::new(false)));
    let waker = Waker::from(unpark.clone());
    let mut send = pin!(queue.send(message));
    loop {
        if let Poll::Ready(result) = send.as_mut().poll(&mut Context::from_waker(&waker)) {
            return result.is_ok();
        }
        wait(&unpark);
        if random.u8(..) < 20 {
            return false;
        }
    }
}

/// Senders that wait for room, and now and then give up when they are woken: what was sent arrives once, in order, and nobody waits for ever.
#[test]
fn senders_that_wait_for_room_and_some_that_give_up() {
    const SENDERS: usize = 4;
    const EACH: usize = if cfg!(debug_assertions) { 2_000 } else { 20_000 };
    for capacity in [1, 3] {
        let queue = Queue::new();
        queue.set_capacity(capacity);
        let left = AtomicUsize::new(SENDERS);
        let (sent, received) = thread::scope(|scope| {
            let (queue, left) = (&queue, &left);
            let send_all = move |sender: usize| {
                let mut random = fastrand::Rng::with_seed(sender as u64);
                let sent: Vec<_> = (0..EACH)
                    .filter(|number| {
                        send_or_give_up(queue, Box::new((sender, *number)), &mut random)
                    })
                    .collect();
                left.fetch_sub(1, SeqCst);
                queue.wake();
                sent
            };
            let senders: Vec<_> =
                (0..SENDERS).map(|sender| scope.spawn(move || send_all(sender))).collect();
            let unpark = Arc::new(Unpark(thread::current(), AtomicBool::new(false)));
            let (waker, mut received) = (Waker::from(unpark.clone()), VecDeque::new());
            loop {
                if queue.fetch(&mut received, 2, Some(&waker)) {
                    continue;
                }
                // Looked at when the waker is there: the wake of the last sender finds that, or this finds its reason.
                if left.load(SeqCst) == 0 {
                    break;
                }
                wait(&unpark);
            }
            received.extend(queue.close());
            let sent: Vec<_> = senders.into_iter().map(|sender| sender.join().unwrap()).collect();
            (sent, received)
        });
        for (sender, numbers) in sent.iter().enumerate() {
            let of_one = received.iter().filter(|message| message.0 == sender);
            assert!(of_one.map(|message| message.1).eq(numbers.iter().copied()), "of {sender}");
            assert!(numbers.len() > EACH / 2, "most were sent");
        }
        assert_eq!(received.len(), sent.iter().map(Vec::len).sum::<usize>());
    }
}
