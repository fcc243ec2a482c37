//! In place of `circles` in release builds: nothing is noted, and no circle is found.

use super::core::Core;
use crate::env::Env;
use crate::pid::Pid;
use std::sync::Arc;
use std::task::Waker;

pub(crate) type Circle = Vec<(Pid, Option<Arc<str>>)>;

#[derive(Default)]
pub(crate) struct Waits;

#[derive(Default)]
pub(crate) struct Watch;

/// There is none.
pub(super) enum Replier {}

/// There is none.
pub(super) enum Asker {}

impl Watch {
    pub(super) fn begin(&self, _task: &Waker, _name: Option<&Arc<str>>, _incarnation: u32) {}

    pub(super) fn waker(&self) -> Option<Waker> {
        None
    }

    #[inline(always)]
    pub(super) fn begin_poll(&self) -> Option<Waker> {
        None
    }

    pub(super) fn end_poll(&self) {}

    pub(super) fn end(&self) {}
}

pub(crate) fn sends() {}

pub(super) fn ask(_env: &Env, _asked: &Core) -> Option<(Replier, Asker)> {
    None
}

impl Replier {
    pub(super) fn answers(&self) {
        match *self {}
    }
}

impl Asker {
    pub(super) fn waits(&mut self, _waker: &Waker) -> bool {
        match *self {}
    }
}

impl Waits {
    pub(super) fn circle(&self, _pid: Pid) -> Option<Circle> {
        None
    }
}
