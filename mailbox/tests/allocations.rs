//! What is allocated: nothing at first, two blocks for a stream that never waits long, nothing for a small value of any type, and all of it is given back.
#![cfg(not(loom))]

use bastion_mailbox::{Queue, Value, oneshot};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::collections::VecDeque;

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

thread_local! {
    static MADE: Cell<usize> = const { Cell::new(0) };
    static LIVE: Cell<isize> = const { Cell::new(0) };
}

fn count(made: usize, live: isize) {
    // A thread that is ending has no place for the numbers any more.
    let _ = MADE.try_with(|number| number.set(number.get() + made));
    let _ = LIVE.try_with(|number| number.set(number.get() + live));
}

// SAFETY: every call is handed to the system's allocator unchanged; counting changes two numbers of this thread, without
// a destructor and so without an allocation.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(1, 1);
        // SAFETY: the caller's promise about the layout is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        count(0, -1);
        // SAFETY: the caller's promise is passed on; `start` came from the system's allocator, by `alloc`.
        unsafe { System.dealloc(start, layout) }
    }
}

/// Counts the allocations of a test, and checks that what it made is freed.
fn check(test: impl FnOnce()) -> usize {
    let (made, live) = (MADE.get(), LIVE.get());
    test();
    assert_eq!(LIVE.get(), live, "all is freed");
    MADE.get() - made
}

#[test]
fn a_queue_that_is_never_used_allocates_nothing() {
    let made = check(|| {
        let queue = Queue::<u64>::new();
        assert!(!queue.fetch(&mut VecDeque::new(), 9, Some(std::task::Waker::noop())));
        assert!(queue.close().is_empty());
    });
    assert_eq!(made, 0);
}

#[test]
fn a_million_messages_one_at_a_time_go_through_two_blocks() {
    let made = check(|| {
        let (queue, mut batch) = (Queue::new(), VecDeque::with_capacity(1));
        for number in 0..1_000_000_u64 {
            queue.push(number).unwrap();
            assert!(queue.fetch(&mut batch, 1, None));
            assert_eq!(batch.pop_front(), Some(number));
        }
    });
    assert_eq!(made, 3, "the batch and two blocks");
}

#[test]
fn what_is_put_back_and_what_was_never_fetched_is_freed() {
    for count in [0_u32, 1, 30, 31, 32, 61, 62, 63, 1000] {
        check(|| {
            let (queue, mut batch) = (Queue::new(), VecDeque::new());
            (0..count).try_for_each(|number| queue.push(Box::new(number))).unwrap();
            queue.fetch(&mut batch, 40, None);
            batch.pop_front();
            assert!(queue.put_back(&mut batch));
            queue.set_capacity(7);
            assert_eq!(queue.len(), count.saturating_sub(1) as usize);
        });
    }
}

#[test]
fn after_a_burst_three_spare_blocks_are_kept() {
    let (queue, mut batch) = (Queue::new(), VecDeque::with_capacity(10_000));
    let before = LIVE.get();
    (0..10_000_u32).try_for_each(|number| queue.push(number)).unwrap();
    assert!(LIVE.get() > before + 300);
    assert!(queue.fetch(&mut batch, usize::MAX, None));
    assert_eq!(LIVE.get(), before + 4);
}

#[test]
fn a_value_of_three_words_allocates_nothing_and_a_larger_one_once() {
    fn out_again<T: Copy + PartialEq + Send + Sync + 'static>(value: T) -> usize {
        check(|| assert!(Value::new(value).downcast::<T>().unwrap() == value))
    }
    assert_eq!(out_again(()), 0);
    assert_eq!(out_again([1_usize; 3]), 0);
    assert_eq!(out_again([1_usize; 4]), 1);
    assert_eq!(out_again(1_u128), 1, "it wants another alignment");
    let shared = check(|| {
        let value = Value::new([7_usize; 4]).into_shared();
        let again: [Option<Value>; 100] = std::array::from_fn(|_| value.share());
        assert!(again.iter().all(Option::is_some));
    });
    assert_eq!(shared, 2, "its box, and what all share");
}

#[test]
fn a_one_shot_is_one_allocation_and_freed_by_whoever_comes_last() {
    let made = check(|| {
        let (sender, receiver) = oneshot::channel::<[u64; 9]>();
        sender.send([7; 9]).unwrap();
        assert_eq!(receiver.close(), Some([7; 9]));
    });
    assert_eq!(made, 1);
    assert_eq!(check(|| drop(oneshot::channel::<u64>())), 1);
    let made = check(|| {
        let (sender, receiver) = oneshot::channel::<u64>();
        drop(receiver);
        assert_eq!(sender.send(7), Err(7));
    });
    assert_eq!(made, 1);
}
