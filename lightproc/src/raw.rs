//! One allocation: header, schedule function, data, and the place that future and output share.
//!
//! The only file that makes and frees cells, and turns a pointer into a typed one. Who may touch which part when follows
//! from the state word:
//!
//! | part | written by | read by |
//! |---|---|---|
//! | state, vtable, schedule, data | the creator, before the process is shared | anybody who holds the process |
//! | awaiter, if made with a handle | the handle, while AWAITER is clear | the handle: what it has written; the finisher, which moves it out |
//! | stage | the runner, while FUTURE is set | the handle, once COMPLETED is set and FUTURE is clear |

use crate::LightProc;
use crate::hooks::Hooks;
use crate::memory::{alloc, dealloc};
use crate::panic::{Panic, contain};
use crate::proc::Polled;
use crate::stack::ProcStack;
use crate::state::State;
use crate::sync::UnsafeCell;
use crate::waker;
use std::alloc::{Layout, handle_alloc_error};
use std::any::TypeId;
use std::future::IntoFuture;
use std::mem::{ManuallyDrop, MaybeUninit, needs_drop, offset_of};
use std::ptr::{NonNull, drop_in_place};
use std::task::{RawWakerVTable, Waker};

/// The part that every cell begins with.
pub(crate) struct Header {
    pub(crate) state: State,
    pub(crate) vtable: &'static VTable,
    /// Stands for the stage, whose place only the vtable knows: it has a byte only when a model checker watches.
    pub(crate) stage: UnsafeCell<()>,
}

/// What a process begins with that was made with a handle.
#[repr(C)]
pub(crate) struct Awaited {
    header: Header,
    awaiter: UnsafeCell<MaybeUninit<Waker>>,
}

/// What a cell begins with: a [`Header`] alone, or [`Awaited`] by a handle.
pub(crate) trait Head: 'static {
    /// Whether the process is made with a handle; without, it never has one.
    const HANDLE: bool;
    fn new(header: Header) -> Self;
    fn header(&self) -> &Header;
    /// Tells the model checker that the caller has the head alone.
    fn unshared(&self);
}

impl Head for Header {
    const HANDLE: bool = false;

    fn new(header: Header) -> Header {
        header
    }

    fn header(&self) -> &Header {
        self
    }

    fn unshared(&self) {
        self.stage.with_mut(|_| ());
    }
}

impl Head for Awaited {
    const HANDLE: bool = true;

    fn new(header: Header) -> Awaited {
        Awaited { header, awaiter: UnsafeCell::new(MaybeUninit::uninit()) }
    }

    fn header(&self) -> &Header {
        &self.header
    }

    fn unshared(&self) {
        self.header.unshared();
        self.awaiter.with_mut(|_| ());
    }
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
    /// Tells the hook of the panic in the stage, and drops it. The caller has the process's HANDLE flag, and the process has panicked.
    pub(crate) drop_unheard: unsafe fn(NonNull<Header>),
    /// Returns a pointer to the process's data, when they are of that type, or to the stack in them, when that is wanted.
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

/// The part of a cell that wakers need: it does not depend on the future.
#[repr(C)]
struct Base<H, S> {
    head: H,
    schedule: S,
}

#[repr(C)]
pub(crate) struct Cell<F: Future, H, S, D> {
    base: Base<H, S>,
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
pub(crate) fn allocate<H, I, S, D>(future: I, schedule: S, data: D) -> NonNull<Header>
where
    H: Head,
    I: IntoFuture<IntoFuture: Send + 'static, Output: Send + 'static>,
    S: Fn(LightProc) + Send + Sync + 'static,
    D: Hooks,
{
    let layout = Layout::new::<Cell<I::IntoFuture, H, S, D>>();
    // SAFETY: the layout is not zero-sized: a cell holds a header.
    let Some(start) = NonNull::new(unsafe { alloc(layout) }) else { handle_alloc_error(layout) };
    let memory = Memory { start, layout };
    let cell = start.cast::<Cell<I::IntoFuture, H, S, D>>().as_ptr();
    // SAFETY: a fresh allocation of the cell's layout is valid for writes to each of its fields. The stage is a union with
    // all fields at its start (`repr(C)`) in a transparent cell, so its place is the future's.
    unsafe {
        (&raw mut (*cell).stage).cast::<I::IntoFuture>().write(future.into_future());
        let header = Header {
            state: State::new(H::HANDLE),
            vtable: const { &Cell::<I::IntoFuture, H, S, D>::VTABLE },
            stage: UnsafeCell::new(()),
        };
        (&raw mut (*cell).base).write(Base { head: H::new(header), schedule });
        (&raw mut (*cell).data).write(data);
    }
    std::mem::forget(memory);
    start.cast()
}

/// Calls the schedule function of a process.
///
/// # Safety
/// The process is live and begins with an `H` and an `S`; the caller is its runner, a role that goes to the function.
pub(crate) unsafe fn schedule<H, S: Fn(LightProc)>(raw: NonNull<Header>) {
    // SAFETY: the caller is the runner.
    let process = unsafe { LightProc::from_header(raw) };
    if size_of::<S>() == 0 && !needs_drop::<S>() {
        // SAFETY: any well-aligned pointer is a reference to a zero-sized value. The process may be run and freed while
        // the call lasts: there is no byte of it that the call could read, and no destructor that could end it.
        unsafe { NonNull::<S>::dangling().as_ref()(process) };
    } else {
        // The process may be run and freed by another thread while the call lasts: hold it.
        // SAFETY: the runner keeps the cell live until `process` is given away; the waker then does.
        let hold = unsafe { waker::hold(raw) };
        // SAFETY: live, and `repr(C)` puts base and head at offset 0, so the header's address is the base's.
        let base = unsafe { raw.cast::<Base<H, S>>().as_ref() };
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

/// Returns the awaiter slot of a process.
///
/// # Safety
/// The process is live for `'a` and was made with a handle.
pub(crate) unsafe fn awaiter<'a>(raw: NonNull<Header>) -> &'a UnsafeCell<MaybeUninit<Waker>> {
    // SAFETY: live, and it begins with an `Awaited`, whose address is the header's (`repr(C)`).
    unsafe { &raw.cast::<Awaited>().as_ref().awaiter }
}

impl<F, H, S, D> Cell<F, H, S, D>
where
    H: Head,
    F: Future<Output: Send + 'static> + Send + 'static,
    S: Fn(LightProc) + Send + Sync + 'static,
    D: Hooks,
{
    const VTABLE: VTable = VTable {
        poll: Self::poll,
        abandon: Self::abandon,
        schedule: schedule::<H, S>,
        free: Self::free,
        drop_unheard: Self::drop_unheard,
        data: Self::data,
        stage: offset_of!(Self, stage),
        waker: waker::vtable::<H, S>(),
    };

    /// # Safety
    /// `raw` is a live cell of exactly these types.
    pub(crate) unsafe fn of<'a>(raw: NonNull<Header>) -> &'a Self {
        // SAFETY: `repr(C)` puts the header at offset 0, so the header's address is the cell's; live by contract.
        unsafe { raw.cast::<Self>().as_ref() }
    }

    pub(crate) fn header(&self) -> &Header {
        self.base.head.header()
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
        if TypeId::of::<D>() == wanted {
            return Some(NonNull::from(&cell.data).cast());
        }
        // Borrowed from the data, so it lives as long as they are only shared.
        let stack = (TypeId::of::<ProcStack>() == wanted).then(|| cell.data.stack())??;
        Some(NonNull::from(stack).cast())
    }

    pub(crate) unsafe fn free(raw: NonNull<Header>) {
        if cfg!(loom) {
            // SAFETY: nobody else holds the cell.
            unsafe { Self::of(raw) }.base.head.unshared();
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
