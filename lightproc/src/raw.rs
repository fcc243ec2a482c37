//! One allocation: header, schedule function, data, and the place that future and output share.
//!
//! The only file that makes and frees cells, and turns a pointer into a typed one. Who may touch which part when follows
//! from the state word:
//!
//! | part | written by | read by |
//! |---|---|---|
//! | state, vtable, schedule, data | the creator, before the process is shared | anybody who holds the process |
//! | awaiter | the handle, while AWAITER is clear | the handle while AWAITER and FUTURE are set; else the finisher |
//! | stage | the runner, while FUTURE is set | the handle, once COMPLETED is set and FUTURE is clear |

use crate::LightProc;
use crate::hooks::Hooks;
use crate::panic::{Panic, contain};
use crate::proc::Polled;
use crate::state::State;
use crate::sync::UnsafeCell;
use crate::waker;
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::any::TypeId;
use std::future::IntoFuture;
use std::mem::{ManuallyDrop, MaybeUninit, needs_drop, offset_of};
use std::ptr::{NonNull, drop_in_place};
use std::task::{RawWakerVTable, Waker};

/// The part of a cell that does not depend on its types, at offset 0.
pub(crate) struct Header {
    pub(crate) state: State,
    pub(crate) vtable: &'static VTable,
    pub(crate) awaiter: UnsafeCell<MaybeUninit<Waker>>,
    /// Stands for the stage, whose place only the vtable knows: it has a byte only when a model checker watches.
    pub(crate) stage: UnsafeCell<()>,
}

/// What needs the cell's types. Each function is given the pointer of a cell of exactly the types it was made for.
pub(crate) struct VTable {
    /// Runs the process once. The caller is the runner, and gives that role up.
    pub(crate) poll: unsafe fn(NonNull<Header>) -> Polled,
    /// Drops the future and ends the process. The caller is the runner, and gives that role up.
    pub(crate) abandon: unsafe fn(NonNull<Header>),
    /// Calls the schedule function. The caller is the runner, and hands that role over.
    pub(crate) schedule: unsafe fn(NonNull<Header>),
    /// Drops schedule function and data, and frees the cell. The stage and the awaiter slot are empty.
    pub(crate) free: unsafe fn(NonNull<Header>),
    /// Returns a pointer to the process's data, when they are of that type.
    pub(crate) data: unsafe fn(NonNull<Header>, TypeId) -> Option<NonNull<()>>,
    /// Where the stage is, in bytes from the header.
    pub(crate) stage: usize,
    /// The one vtable of all wakers of this process, wherever they are made: `Waker::will_wake` compares its address.
    pub(crate) waker: &'static RawWakerVTable,
}

/// Future and output share their place; the state word says which is there.
#[repr(C)]
union Stage<F, T> {
    future: ManuallyDrop<F>,
    output: ManuallyDrop<T>,
    panic: ManuallyDrop<Panic>,
}

/// The part of a cell that wakers need: it depends on the schedule function alone.
#[repr(C)]
struct Base<S> {
    header: Header,
    schedule: S,
}

#[repr(C)]
pub(crate) struct Cell<F: Future, S, D> {
    base: Base<S>,
    data: D,
    stage: std::cell::UnsafeCell<Stage<F, F::Output>>,
}

/// A cell's memory, given back if what should become its future panics.
struct Memory {
    start: NonNull<u8>,
    layout: Layout,
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: allocated with this layout, and not given to anybody.
        unsafe { dealloc(self.start.as_ptr(), self.layout) };
    }
}

/// Allocates a process and writes it in place: `future` is turned into the future where it stays.
#[inline]
pub(crate) fn allocate<I, S, D>(future: I, schedule: S, data: D, handle: bool) -> NonNull<Header>
where
    I: IntoFuture<IntoFuture: Send + 'static, Output: Send + 'static>,
    S: Fn(LightProc) + Send + Sync + 'static,
    D: Hooks,
{
    let layout = Layout::new::<Cell<I::IntoFuture, S, D>>();
    // SAFETY: the layout is not zero-sized: a cell holds a header.
    let Some(start) = NonNull::new(unsafe { alloc(layout) }) else { handle_alloc_error(layout) };
    let memory = Memory { start, layout };
    let cell = start.cast::<Cell<I::IntoFuture, S, D>>().as_ptr();
    // SAFETY: a fresh allocation of the cell's layout is valid for writes to each of its fields. The stage is a union with
    // all fields at its start (`repr(C)`) in a transparent cell, so its place is the future's.
    unsafe {
        (&raw mut (*cell).stage).cast::<I::IntoFuture>().write(future.into_future());
        (&raw mut (*cell).base).write(Base {
            header: Header {
                state: State::new(handle),
                vtable: const { &Cell::<I::IntoFuture, S, D>::VTABLE },
                awaiter: UnsafeCell::new(MaybeUninit::uninit()),
                stage: UnsafeCell::new(()),
            },
            schedule,
        });
        (&raw mut (*cell).data).write(data);
    }
    std::mem::forget(memory);
    start.cast()
}

/// Calls the schedule function of a process.
///
/// # Safety
/// The process is live, its schedule function is an `S`, and the caller is its runner, a role that goes to the function.
pub(crate) unsafe fn schedule<S: Fn(LightProc)>(raw: NonNull<Header>) {
    // SAFETY: the caller is the runner.
    let process = unsafe { LightProc::from_raw(raw) };
    if size_of::<S>() == 0 && !needs_drop::<S>() {
        // SAFETY: any well-aligned pointer is a reference to a zero-sized value. The process may be run and freed while
        // the call lasts: there is no byte of it that the call could read, and no destructor that could end it.
        unsafe { NonNull::<S>::dangling().as_ref()(process) };
    } else {
        // The process may be run and freed by another thread while the call lasts: hold it.
        // SAFETY: the runner keeps the cell live until `process` is given away; the waker then does.
        let hold = unsafe { waker::hold(raw) };
        // SAFETY: live, and `repr(C)` puts base and header at offset 0, so the header's address is the base's.
        let base = unsafe { raw.cast::<Base<S>>().as_ref() };
        (base.schedule)(process);
        drop(hold);
    }
}

/// Returns the place of what is in a process's stage.
///
/// # Safety
/// The process is live.
pub(crate) unsafe fn stage<T>(raw: NonNull<Header>) -> *mut T {
    // SAFETY: live; the vtable's offset is that of a field of this allocation, whose address `raw` came from.
    unsafe { raw.byte_add(raw.as_ref().vtable.stage).cast::<T>().as_ptr() }
}

impl<F, S, D> Cell<F, S, D>
where
    F: Future<Output: Send + 'static> + Send + 'static,
    S: Fn(LightProc) + Send + Sync + 'static,
    D: Hooks,
{
    const VTABLE: VTable = VTable {
        poll: Self::poll,
        abandon: Self::abandon,
        schedule: schedule::<S>,
        free: Self::free,
        data: Self::data,
        stage: offset_of!(Self, stage),
        waker: waker::vtable::<S>(),
    };

    /// # Safety
    /// `raw` is a live cell of exactly these types.
    pub(crate) unsafe fn of<'a>(raw: NonNull<Header>) -> &'a Self {
        // SAFETY: `repr(C)` puts the header at offset 0, so the header's address is the cell's; live by contract.
        unsafe { raw.cast::<Self>().as_ref() }
    }

    pub(crate) fn header(&self) -> &Header {
        &self.base.header
    }

    pub(crate) fn hooks(&self) -> &D {
        &self.data
    }

    /// Returns the place of the future, of the output or of the panic, whichever the state word says is there.
    pub(crate) fn place<T>(&self) -> *mut T {
        self.stage.get().cast()
    }

    unsafe fn data(raw: NonNull<Header>, wanted: TypeId) -> Option<NonNull<()>> {
        // SAFETY: live and of these types, by the vtable's contract.
        let cell = unsafe { Self::of(raw) };
        (TypeId::of::<D>() == wanted).then(|| NonNull::from(&cell.data).cast())
    }

    pub(crate) unsafe fn free(raw: NonNull<Header>) {
        if cfg!(loom) {
            // Tells the model checker that whoever frees the cell has it alone.
            // SAFETY: nobody else holds the cell.
            let header = unsafe { Self::of(raw) }.header();
            header.awaiter.with_mut(|_| ());
            header.stage.with_mut(|_| ());
        }
        let cell = raw.cast::<Self>().as_ptr();
        // Apart, since two destructors that panic in one go would abort. The stage is a union and the awaiter a
        // `MaybeUninit`, which drop nothing.
        // SAFETY: nobody else holds the cell, and its schedule function is dropped once.
        contain(|| unsafe { drop_in_place(&raw mut (*cell).base) });
        // SAFETY: the same for the data.
        contain(|| unsafe { drop_in_place(&raw mut (*cell).data) });
        // SAFETY: the allocation was made with this layout, and nothing of it is used again.
        unsafe { dealloc(cell.cast(), Layout::new::<Self>()) };
    }
}
