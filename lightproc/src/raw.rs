//! One allocation: header, schedule function, data, and the place that future and output share.
//!
//! The only file that turns a pointer into a typed cell. Who may touch which part when follows from the state word:
//!
//! | part | written by | read by |
//! |---|---|---|
//! | state, vtable, schedule, data | the creator, before the process is shared | anybody who holds the process |
//! | awaiter | the handle, while AWAITER is clear | the handle while AWAITER and FUTURE are set; else the finisher |
//! | stage | the runner, while FUTURE is set | the handle, once COMPLETED is set and FUTURE is clear |

use crate::hooks::Hooks;
use crate::outcome::{Outcome, Panic, contain};
use crate::state::{Look, State};
use crate::sync::UnsafeCell;
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::any::{Any, TypeId};
use std::future::Future;
use std::mem::{ManuallyDrop, MaybeUninit, needs_drop};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::{Context, Poll, Waker};

/// The part of a cell that does not depend on its types, at offset 0.
pub(crate) struct Header {
    pub(crate) state: State,
    pub(crate) vtable: &'static VTable,
    pub(crate) awaiter: UnsafeCell<MaybeUninit<Waker>>,
}

/// What needs the cell's types. Each function is given the pointer of a cell of exactly the types it was made for.
pub(crate) struct VTable {
    /// Polls the future; when it is ready, replaces it by its output. The caller is the runner.
    pub(crate) poll: unsafe fn(NonNull<Header>, &mut Context<'_>) -> Poll<Output>,
    /// Drops the future. The caller is the runner; the stage is empty afterwards.
    pub(crate) drop_future: unsafe fn(NonNull<Header>),
    /// Writes the outcome into the place behind the pointer, an uninitialised `Outcome<T>`; empties the stage.
    pub(crate) take_outcome: unsafe fn(NonNull<Header>, Look, *mut ()),
    /// Drops what [`Output`] has put into the stage; empties the stage.
    pub(crate) drop_output: unsafe fn(NonNull<Header>, Output),
    /// Puts a panic's payload into the empty stage.
    pub(crate) put_panic: unsafe fn(NonNull<Header>, Box<dyn Any + Send>),
    /// Calls the schedule function with the process that the caller is the runner of.
    pub(crate) schedule: unsafe fn(NonNull<Header>),
    /// The hooks of the process's data.
    pub(crate) before_start: unsafe fn(NonNull<Header>),
    pub(crate) after_complete: unsafe fn(NonNull<Header>),
    pub(crate) after_panic: unsafe fn(NonNull<Header>),
    /// A pointer to the process's data, when it is of that type.
    pub(crate) data: unsafe fn(NonNull<Header>, TypeId) -> Option<NonNull<()>>,
    /// Drops schedule function and data, and frees the cell. The stage and the awaiter slot are empty.
    pub(crate) free: unsafe fn(NonNull<Header>),
}

/// What is in the stage of a process that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    Value,
    Panic,
}

/// Future and output share their place; the state word says which is there.
union Stage<F, T> {
    future: ManuallyDrop<F>,
    output: ManuallyDrop<T>,
    panic: ManuallyDrop<Box<dyn Any + Send>>,
}

#[repr(C)]
struct Cell<F: Future, S, D> {
    header: Header,
    schedule: S,
    data: D,
    stage: UnsafeCell<Stage<F, F::Output>>,
}

/// Allocates a process and writes it in place.
pub(crate) fn allocate<F, S, D>(future: F, schedule: S, data: D) -> NonNull<Header>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
    S: Fn(crate::LightProc) + Send + Sync + 'static,
    D: Hooks,
{
    let layout = Layout::new::<Cell<F, S, D>>();
    // SAFETY: the layout is not zero-sized: a cell holds a header.
    let cell = unsafe { alloc(layout) }.cast::<Cell<F, S, D>>();
    let Some(cell) = NonNull::new(cell) else { handle_alloc_error(layout) };
    let vtable = const { &Cell::<F, S, D>::VTABLE };
    // SAFETY: `cell` is a fresh allocation of the cell's layout, so it is valid for this write.
    unsafe {
        cell.write(Cell {
            header: Header {
                state: State::new(),
                vtable,
                awaiter: UnsafeCell::new(MaybeUninit::uninit()),
            },
            schedule,
            data,
            stage: UnsafeCell::new(Stage { future: ManuallyDrop::new(future) }),
        });
    }
    cell.cast()
}

impl<F, S, D> Cell<F, S, D>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
    S: Fn(crate::LightProc) + Send + Sync + 'static,
    D: Hooks,
{
    const VTABLE: VTable = VTable {
        poll: Self::poll,
        drop_future: Self::drop_future,
        take_outcome: Self::take_outcome,
        drop_output: Self::drop_output,
        put_panic: Self::put_panic,
        schedule: Self::schedule,
        before_start: Self::before_start,
        after_complete: Self::after_complete,
        after_panic: Self::after_panic,
        data: Self::data,
        free: Self::free,
    };

    /// # Safety
    /// `raw` is a live cell of exactly these types.
    unsafe fn of<'a>(raw: NonNull<Header>) -> &'a Self {
        // SAFETY: `repr(C)` puts the header at offset 0, so the header's address is the cell's; live by contract.
        unsafe { raw.cast::<Self>().as_ref() }
    }

    /// Tells the model checker that whoever frees the cell has it alone. Nothing otherwise.
    fn unshared(&self) {
        if cfg!(loom) {
            self.header.awaiter.with_mut(|_| ());
            self.stage.with_mut(|_| ());
        }
    }

    unsafe fn poll(raw: NonNull<Header>, cx: &mut Context<'_>) -> Poll<Output> {
        // SAFETY: live and of these types, by the vtable's contract.
        let cell = unsafe { Self::of(raw) };
        let polled = cell.stage.with_mut(|stage| {
            // SAFETY: the caller is the runner and FUTURE is set, so the stage holds the future and is ours alone. It
            // stays in this allocation until it is dropped in place, so it is pinned.
            unsafe { Pin::new_unchecked(&mut *(*stage).future).poll(cx) }
        });
        polled.map(|output| {
            // SAFETY: as above; the future is not used again.
            let dropped = catch_unwind(AssertUnwindSafe(|| unsafe { Self::drop_future(raw) }));
            match dropped {
                Ok(()) => {
                    let output = ManuallyDrop::new(output);
                    // SAFETY: the stage is empty and ours.
                    cell.stage.with_mut(|stage| unsafe { (*stage).output = output });
                    Output::Value
                }
                Err(payload) => {
                    contain(|| drop(output));
                    // SAFETY: the stage is empty and ours.
                    unsafe { Self::put_panic(raw, payload) };
                    Output::Panic
                }
            }
        })
    }

    unsafe fn drop_future(raw: NonNull<Header>) {
        // SAFETY: live and of these types, by the vtable's contract.
        let cell = unsafe { Self::of(raw) };
        // SAFETY: the caller is the runner and FUTURE is set: the stage holds the future, ours alone, dropped once.
        cell.stage.with_mut(|stage| unsafe { ManuallyDrop::drop(&mut (*stage).future) });
    }

    unsafe fn take_outcome(raw: NonNull<Header>, look: Look, into: *mut ()) {
        // SAFETY: live and of these types, by the vtable's contract.
        let cell = unsafe { Self::of(raw) };
        let outcome = cell.stage.with_mut(|stage| match look {
            Look::Completed => {
                // SAFETY: the state word says that the output is here and is the handle's, who calls this once.
                let output = unsafe { ManuallyDrop::take(&mut (*stage).output) };
                Outcome::Completed(output)
            }
            Look::Panicked => {
                // SAFETY: the same for a payload.
                let payload = unsafe { ManuallyDrop::take(&mut (*stage).panic) };
                Outcome::Panicked(Panic::new(payload))
            }
            Look::Running { .. } | Look::Empty => Outcome::Cancelled,
        });
        // SAFETY: `into` is an uninitialised `Outcome<F::Output>`, by the contract of `take_outcome`.
        unsafe { into.cast::<Outcome<F::Output>>().write(outcome) };
    }

    unsafe fn drop_output(raw: NonNull<Header>, what: Output) {
        // SAFETY: live and of these types, by the vtable's contract.
        let cell = unsafe { Self::of(raw) };
        cell.stage.with_mut(|stage| match what {
            // SAFETY: the caller says that the output is in the stage, and owns it.
            Output::Value => unsafe { ManuallyDrop::drop(&mut (*stage).output) },
            // SAFETY: the same for a payload.
            Output::Panic => unsafe { ManuallyDrop::drop(&mut (*stage).panic) },
        });
    }

    unsafe fn put_panic(raw: NonNull<Header>, payload: Box<dyn Any + Send>) {
        // SAFETY: live and of these types, by the vtable's contract.
        let cell = unsafe { Self::of(raw) };
        // SAFETY: the caller is the runner and has emptied the stage.
        cell.stage.with_mut(|stage| unsafe { (*stage).panic = ManuallyDrop::new(payload) });
    }

    unsafe fn schedule(raw: NonNull<Header>) {
        // SAFETY: the caller is the runner, and hands that role to the `LightProc`.
        let process = unsafe { crate::LightProc::from_raw(raw) };
        if size_of::<S>() == 0 && !needs_drop::<S>() {
            // SAFETY: any well-aligned pointer is a reference to a zero-sized value. The process may be run and freed while
            // the call lasts: there is no byte of it that the call could read, and no destructor that could end it.
            unsafe { NonNull::<S>::dangling().as_ref()(process) };
        } else {
            // The process may be run and freed by another thread while the call lasts: hold it.
            // SAFETY: the runner keeps the cell live until `process` is given away; the waker then does.
            let hold = unsafe { crate::waker::hold(raw) };
            // SAFETY: live and of these types, by the vtable's contract.
            let cell = unsafe { Self::of(raw) };
            (cell.schedule)(process);
            drop(hold);
        }
    }

    unsafe fn before_start(raw: NonNull<Header>) {
        // SAFETY: live and of these types, by the vtable's contract.
        unsafe { Self::of(raw) }.data.before_start();
    }

    unsafe fn after_complete(raw: NonNull<Header>) {
        // SAFETY: live and of these types, by the vtable's contract.
        unsafe { Self::of(raw) }.data.after_complete();
    }

    unsafe fn after_panic(raw: NonNull<Header>) {
        // SAFETY: live and of these types, by the vtable's contract.
        unsafe { Self::of(raw) }.data.after_panic();
    }

    unsafe fn data(raw: NonNull<Header>, wanted: TypeId) -> Option<NonNull<()>> {
        // SAFETY: live and of these types, by the vtable's contract.
        let cell = unsafe { Self::of(raw) };
        (TypeId::of::<D>() == wanted).then(|| NonNull::from(&cell.data).cast())
    }

    unsafe fn free(raw: NonNull<Header>) {
        let cell = raw.cast::<Self>().as_ptr();
        // SAFETY: nobody else holds the cell.
        unsafe { Self::of(raw) }.unshared();
        // SAFETY: dropping the cell drops schedule function and data, once; the stage is a union and the awaiter a
        // `MaybeUninit`, which drop nothing. If one destructor panics the other still runs.
        contain(|| unsafe { std::ptr::drop_in_place(cell) });
        // SAFETY: the allocation was made with this layout, and nothing of it is used again.
        unsafe { dealloc(cell.cast(), Layout::new::<Self>()) };
    }
}
