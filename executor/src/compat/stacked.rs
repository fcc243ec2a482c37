//! How a process carries a [`ProcStack`]: in its data, for its hooks and its handle, and in its future, which says at each poll whose it is.

use crate::on_panic::OnPanic;
use crate::shared::Shared;
use crate::sync::thread_local;
use lightproc::{Hooks, Panic, ProcStack};
use pin_project_lite::pin_project;
use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

thread_local! {
    /// The stack of the process that this thread polls.
    static CURRENT: RefCell<Option<Arc<ProcStack>>> = const { RefCell::new(None) };
}

/// Returns the stack of the process that calls it: a clone, with its pid of this moment, and the same state.
///
/// A process has one that was spawned with it, by [`pool::spawn`](crate::pool::spawn) or
/// [`blocking::spawn_blocking`](crate::blocking::spawn_blocking), and so has what [`run::run`](crate::run::run()) runs.
///
/// # Panics
/// When it is called from anywhere else.
///
/// # Examples
/// ```
/// use bastion_executor::{prelude::*, worker};
/// use lightproc::prelude::*;
/// let pid = async { worker::current().get_pid() };
/// assert_eq!(run(spawn(pid, ProcStack::default().with_pid(7)), ProcStack::default()), Some(7));
/// ```
pub fn current() -> ProcStack {
    let current = CURRENT.try_with(|current| current.borrow().clone()).ok().flatten();
    let current =
        current.expect("`worker::current` was called outside of a process that has a ProcStack");
    ProcStack::clone(&current)
}

/// Makes `stack` the one that [`current`] returns on this thread, until the guard is dropped.
pub(super) fn enter(stack: Arc<ProcStack>) -> Entered {
    Entered(replace(Some(stack)))
}

/// Puts back the stack that was there before.
pub(super) struct Entered(Option<Arc<ProcStack>>);

impl Drop for Entered {
    fn drop(&mut self) {
        // Dropped, and with it a state perhaps, when nothing is borrowed any more.
        drop(replace(self.0.take()));
    }
}

fn replace(stack: Option<Arc<ProcStack>>) -> Option<Arc<ProcStack>> {
    // During the destruction of the thread's locals there is no process any more.
    CURRENT.try_with(|current| current.replace(stack)).ok().flatten()
}

/// The data of a process that has a stack.
pub(super) struct Stacked {
    stack: Arc<ProcStack>,
    on_panic: OnPanic,
}

impl Hooks for Stacked {
    fn before_start(&self) {
        self.stack.before_start();
    }

    fn after_complete(&self) {
        self.stack.after_complete();
    }

    fn after_panic(&self) {
        self.stack.after_panic();
    }

    fn unheard(&self, panic: &Panic) {
        self.on_panic.unheard(panic);
    }

    fn stack(&self) -> Option<&ProcStack> {
        Some(&self.stack)
    }
}

pin_project! {
    /// The future of a process that has a stack.
    pub(super) struct Within<F> {
        #[pin]
        future: F,
        stack: Arc<ProcStack>,
    }
}

impl<F: Future> Future for Within<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _entered = enter(this.stack.clone());
        this.future.poll(cx)
    }
}

/// Takes a future and its stack apart, for a process of `shared`: what is polled, and what the process carries.
pub(super) fn parts<F: Future>(
    shared: &Shared,
    future: F,
    stack: ProcStack,
) -> (Within<F>, Stacked) {
    let stack = Arc::new(stack);
    let data = Stacked { stack: stack.clone(), on_panic: shared.on_panic.clone() };
    (Within { future, stack }, data)
}
