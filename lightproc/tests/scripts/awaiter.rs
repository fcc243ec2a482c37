//! The awaiters: wakers that note what becomes of them and do what the script has planned for that.
//!
//! They own nothing: a waker is a number.

use crate::script::{Step, When};
use crate::world::{at_or_panic, with};
use std::mem::ManuallyDrop;
use std::ptr::without_provenance;
use std::task::{RawWaker, RawWakerVTable, Waker};

static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, forget);

/// Returns a waker that counts as no clone.
pub(crate) fn borrowed(awaiter: usize) -> ManuallyDrop<Waker> {
    let data = without_provenance(awaiter);
    // SAFETY: the functions of the vtable take the pointer for a number and read no memory through it, so they may be
    // called on any thread, at any time, any number of times: that is all that the contract of a raw waker demands.
    ManuallyDrop::new(unsafe { Waker::from_raw(RawWaker::new(data, &VTABLE)) })
}

fn count(awaiter: usize, change: isize) {
    with(|world| world.sight.awaiters[awaiter] += change);
}

fn clone(data: *const ()) -> RawWaker {
    let awaiter = data.addr();
    at_or_panic(When::AwaiterClone(awaiter), None);
    count(awaiter, 1);
    RawWaker::new(data, &VTABLE)
}

fn wake(data: *const ()) {
    count(data.addr(), -1);
    wake_by_ref(data);
}

fn wake_by_ref(data: *const ()) {
    let _: Step = at_or_panic(When::AwaiterWake(data.addr()), None);
}

fn forget(data: *const ()) {
    count(data.addr(), -1);
    at_or_panic(When::AwaiterDrop(data.addr()), None);
}
