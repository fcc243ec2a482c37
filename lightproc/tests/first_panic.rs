//! The program's first process that can tell where a panic happened, made while the thread is panicking.
//!
//! A program of its own: the panic hook is installed once.
#![cfg(not(loom))]

use lightproc::{LightProc, Outcome, Panic};

/// Makes the program's first recoverable process when it is dropped, by an unwinding.
struct First;

impl Drop for First {
    fn drop(&mut self) {
        assert!(std::thread::panicking());
        let (process, handle) = LightProc::recoverable(async { 7 }, |_| {}, ());
        process.run();
        assert_eq!(futures_lite::future::block_on(handle), Some(7));
    }
}

#[test]
fn a_hook_that_cannot_be_installed_yet_is_installed_by_the_next_process() {
    LightProc::detached(
        async {
            let _first = First;
            panic!("the first");
        },
        |_| {},
        (),
    )
    .run();
    let (process, mut handle) = LightProc::recoverable(async { panic!("the second") }, |_| {}, ());
    process.run();
    let Outcome::Panicked(panic) = futures_lite::future::block_on(handle.outcome()) else {
        unreachable!("it has panicked")
    };
    assert_eq!(panic.message(), Some("the second"));
    assert!(panic.location().is_some());
    assert!(Panic::catch(|| ()).is_ok());
}
