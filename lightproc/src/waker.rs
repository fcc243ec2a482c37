//! Wakers of a process: one reference each, and one vtable for all wakers of a process.

use crate::LightProc;
use crate::raw::{self, Header};
use crate::state::{DropRef, Wake};
use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::task::{RawWaker, RawWakerVTable, Waker};

/// The vtable of the wakers of processes that begin with an `H` and an `S`.
pub(crate) const fn vtable<H, S: Fn(LightProc)>() -> &'static RawWakerVTable {
    const { &RawWakerVTable::new(clone, wake::<H, S>, wake_by_ref::<H, S>, drop_waker::<H, S>) }
}

/// Makes a waker that counts as a reference.
///
/// # Safety
/// `raw` is a live process.
#[inline]
pub(crate) unsafe fn hold(raw: NonNull<Header>) -> Waker {
    // SAFETY: live by contract; `clone` adds the reference that the waker gives up when it is dropped.
    unsafe { Waker::from_raw(clone(raw.as_ptr().cast())) }
}

/// Makes a waker for the length of a poll; it counts as no reference and must not be dropped.
///
/// # Safety
/// The caller is the process's runner, and uses the waker only while it is.
#[inline]
pub(crate) unsafe fn borrowed(raw: NonNull<Header>) -> ManuallyDrop<Waker> {
    // SAFETY: the runner keeps the process live.
    let vtable = unsafe { raw.as_ref() }.vtable.waker;
    // SAFETY: the vtable is that of this process. `ManuallyDrop`: no reference is given up that was never taken.
    ManuallyDrop::new(unsafe { Waker::from_raw(RawWaker::new(raw.as_ptr().cast(), vtable)) })
}

/// # Safety
/// `data` came from `hold` or `borrowed`, whose process is live.
#[inline]
unsafe fn header<'a>(data: *const ()) -> &'a Header {
    // SAFETY: it is the pointer of a live process's header, by contract.
    unsafe { &*data.cast::<Header>() }
}

#[inline]
fn raw(data: *const ()) -> NonNull<Header> {
    // SAFETY: waker data are always made from a `NonNull`.
    unsafe { NonNull::new_unchecked(data.cast_mut().cast()) }
}

#[inline]
unsafe fn clone(data: *const ()) -> RawWaker {
    // SAFETY: the waker that is being cloned keeps the process live.
    let header = unsafe { header(data) };
    header.state.add_ref();
    RawWaker::new(data, header.vtable.waker)
}

#[inline]
unsafe fn wake<H, S: Fn(LightProc)>(data: *const ()) {
    // SAFETY: this waker's reference keeps the process live until the transition.
    match unsafe { header(data) }.state.wake_by_val() {
        Wake::Nothing => {}
        // SAFETY: the transition made us the runner.
        Wake::Schedule => unsafe { raw::schedule::<H, S>(raw(data)) },
        // SAFETY: the transition says that nobody else holds the process and that it has ended.
        Wake::Free => unsafe { free(raw(data)) },
    }
}

#[inline]
unsafe fn wake_by_ref<H, S: Fn(LightProc)>(data: *const ()) {
    // SAFETY: the waker keeps the process live.
    if let Wake::Schedule = unsafe { header(data) }.state.wake_by_ref() {
        // SAFETY: the transition made us the runner.
        unsafe { raw::schedule::<H, S>(raw(data)) };
    }
}

#[inline]
unsafe fn drop_waker<H, S: Fn(LightProc)>(data: *const ()) {
    // SAFETY: this waker's reference keeps the process live until the transition.
    match unsafe { header(data) }.state.drop_ref() {
        DropRef::Shared => {}
        // SAFETY: the transition says that nobody else holds the process and that it has ended.
        DropRef::Free => unsafe { free(raw(data)) },
        // SAFETY: the transition made us the runner of the last run, which drops the future where processes run.
        DropRef::Orphan => unsafe { raw::schedule::<H, S>(raw(data)) },
    }
}

/// Frees an ended process.
///
/// # Safety
/// Nobody else holds it, and its stage and its awaiter slot are empty.
pub(crate) unsafe fn free(raw: NonNull<Header>) {
    // SAFETY: live until this call; empty by contract.
    unsafe { (raw.as_ref().vtable.free)(raw) };
}
