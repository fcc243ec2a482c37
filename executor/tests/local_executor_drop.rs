//! The end of a local executor: every future is dropped, on its thread, whatever happens meanwhile.
#![cfg(not(loom))]

mod local;

use bastion_executor::{LocalExecutor, run, spawn_local, yield_now};
use local::{Guard, quiet, waiting};
use std::cell::{Cell, RefCell};
use std::future::pending;
use std::rc::Rc;
use std::sync::mpsc;
use std::task::Waker;
use std::thread::{self, ThreadId};

#[test]
fn dropping_it_drops_every_process_here() {
    let dropped = Rc::new(Cell::new(0));
    let executor = LocalExecutor::new();
    let (wakers, polled) = mpsc::channel();
    // 100 that wait, one of them woken, then 100 that were never polled.
    let mut handles: Vec<_> =
        (0..100).map(|_| waiting(&executor, Guard::new(&dropped), wakers.clone())).collect();
    executor.run(async {
        while polled.try_recv().is_err() {
            yield_now().await
        }
    });
    executor.run(yield_now());
    let wakers_of_the_waiting: Vec<_> = polled.try_iter().collect();
    wakers_of_the_waiting[0].wake_by_ref();
    let (unheard, _) = mpsc::channel();
    handles.extend((0..100).map(|_| waiting(&executor, Guard::new(&dropped), unheard.clone())));
    drop(executor);
    assert_eq!(dropped.get(), 200);
    // Wakes after that do nothing, here or there.
    wakers_of_the_waiting.iter().for_each(Waker::wake_by_ref);
    thread::spawn(move || wakers_of_the_waiting.into_iter().for_each(Waker::wake)).join().unwrap();
    for handle in handles {
        assert_eq!(run(handle), None);
    }
}

#[test]
fn an_output_that_nobody_took_is_dropped_with_its_handle() {
    let dropped = Rc::new(Cell::new(0));
    let executor = LocalExecutor::new();
    let guard = Guard::new(&dropped);
    let handle = executor.spawn_local(async move { guard });
    executor.run(yield_now());
    assert!(handle.is_finished());
    drop(executor);
    assert_eq!(dropped.get(), 0, "the output outlives the executor");
    drop(handle);
    assert_eq!(dropped.get(), 1);
}

/// Spawns one more when it is dropped, as long as there are more to come.
struct Spawner {
    left: usize,
    dropped: Rc<Cell<usize>>,
}

impl Drop for Spawner {
    fn drop(&mut self) {
        self.dropped.set(self.dropped.get() + 1);
        if self.left > 0 {
            let next = Spawner { left: self.left - 1, dropped: self.dropped.clone() };
            spawn_local(async move {
                let _next = next;
                unreachable!("it is not polled any more");
            })
            .detach();
        }
    }
}

#[test]
fn what_destructors_spawn_during_the_drop_is_dropped_too_and_needs_no_deep_stack() {
    const LENGTH: usize = 50_000;
    let dropped = Rc::new(Cell::new(0));
    let executor = LocalExecutor::new();
    let first = Spawner { left: LENGTH, dropped: dropped.clone() };
    executor
        .spawn_local(async move {
            let _first = first;
            pending::<()>().await;
        })
        .detach();
    executor.run(yield_now());
    drop(executor);
    assert_eq!(dropped.get(), LENGTH + 1);
}

#[test]
fn a_destructor_that_panics_spares_the_others() {
    quiet();
    struct Panics(Rc<Cell<usize>>);
    impl Drop for Panics {
        fn drop(&mut self) {
            self.0.set(self.0.get() + 1);
            panic!("in a destructor");
        }
    }
    let dropped = Rc::new(Cell::new(0));
    let executor = LocalExecutor::new();
    for _ in 0..10 {
        let panics = Panics(dropped.clone());
        executor
            .spawn_local(async move {
                let _panics = panics;
                pending::<()>().await;
            })
            .detach();
    }
    executor.run(yield_now());
    drop(executor);
    assert_eq!(dropped.get(), 10);
}

#[test]
fn a_drop_beside_threads_that_wake_drops_everything_here() {
    for _ in 0..200 {
        let dropped = Rc::new(Cell::new(0));
        let executor = LocalExecutor::new();
        let (wakers, polled) = mpsc::channel();
        for _ in 0..20 {
            waiting(&executor, Guard::new(&dropped), wakers.clone()).detach();
        }
        executor.run(yield_now());
        let woken: Vec<Waker> = polled.try_iter().collect();
        assert_eq!(woken.len(), 20);
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let woken = woken.clone();
                thread::spawn(move || woken.into_iter().for_each(Waker::wake))
            })
            .collect();
        drop(executor);
        assert_eq!(dropped.get(), 20);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    }
}

#[test]
fn it_may_be_dropped_with_its_thread() {
    thread_local!(static LAST: RefCell<Option<LocalExecutor>> = const { RefCell::new(None) });
    struct Tells(mpsc::Sender<ThreadId>);
    impl Drop for Tells {
        fn drop(&mut self) {
            let _ = self.0.send(thread::current().id());
        }
    }
    let (tell, told) = mpsc::channel();
    let thread = thread::spawn(move || {
        LAST.with(|_| ());
        let executor = LocalExecutor::new();
        for _ in 0..2 {
            let tells = Tells(tell.clone());
            executor
                .spawn_local(async move {
                    let _tells = tells;
                    pending::<()>().await;
                })
                .detach();
        }
        executor.run(yield_now());
        LAST.set(Some(executor));
        thread::current().id()
    });
    let id = thread.join().unwrap();
    assert_eq!(told.iter().collect::<Vec<_>>(), [id, id]);
}
