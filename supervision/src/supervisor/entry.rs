//! A child, to the driver: the plan knows its rules, the driver how to start it, and who waits for it.

use super::command::Request;
use super::reference::{RequestError, StartChildError};
use crate::child::{AnyChild, Described, Start};
use crate::pid::Pid;
use crate::place::Place;
use crate::process::{Life, Reply};
use std::sync::Arc;

/// Kept small: supervisors may have very many.
pub(super) struct Entry {
    pub(super) start: Arc<dyn Start>,
    /// The incarnation that this supervisor has started last.
    pub(super) life: Option<Arc<Life>>,
    rare: Option<Box<Rare>>,
}

/// What most children do not have.
#[derive(Default)]
struct Rare {
    /// Declared, not added at run time: it comes back when the supervisor itself is restarted.
    declared: bool,
    described: Option<Described>,
    starting: Option<Reply<Result<Pid, StartChildError>>>,
    changing: Vec<(Request, Reply<Result<(), RequestError>>)>,
}

impl Entry {
    pub(super) fn new(child: &AnyChild, declared: bool) -> Entry {
        let mut entry = Entry { start: child.start.clone(), life: None, rare: None };
        if declared || child.described().is_some() {
            let described = child.described().cloned();
            entry.rare = Some(Box::new(Rare { declared, described, ..Rare::default() }));
        }
        entry
    }

    pub(super) fn is_declared(&self) -> bool {
        self.rare.as_ref().is_some_and(|rare| rare.declared)
    }

    pub(super) fn is_gated(&self) -> bool {
        self.described().is_some_and(|described| described.gated)
    }

    /// Where it is to run, if it says so itself.
    pub(super) fn place(&self) -> Option<&Place> {
        self.described()?.place.as_ref()
    }

    /// By which names it is to be found.
    pub(super) fn names(&self) -> &[Arc<str>] {
        self.described().map_or(&[], |described| &described.names)
    }

    fn described(&self) -> Option<&Described> {
        self.rare.as_ref()?.described.as_ref()
    }

    /// Takes note of who waits for the first start.
    pub(super) fn wait_for_start(&mut self, reply: Reply<Result<Pid, StartChildError>>) {
        self.rare.get_or_insert_default().starting = Some(reply);
    }

    /// Takes note of who waits for what was asked for.
    pub(super) fn wait_for(&mut self, request: Request, reply: Reply<Result<(), RequestError>>) {
        self.rare.get_or_insert_default().changing.push((request, reply));
    }

    /// Answers who waits for the first start.
    pub(super) fn answer_start(&mut self, result: impl FnOnce() -> Result<Pid, StartChildError>) {
        if let Some(rare) = &mut self.rare
            && let Some(reply) = rare.starting.take()
        {
            reply.send(result());
            self.tidy();
        }
    }

    /// Answers those who asked for `request`.
    pub(super) fn answer(&mut self, request: Request, result: &Result<(), RequestError>) {
        let Some(rare) = self.rare.as_mut().filter(|rare| !rare.changing.is_empty()) else {
            return;
        };
        for (_, reply) in rare.changing.extract_if(.., |(asked, _)| *asked == request) {
            reply.send(result.clone());
        }
        self.tidy();
    }

    /// Gives back what is not needed any more.
    fn tidy(&mut self) {
        self.rare.take_if(|rare| {
            let described = rare.declared || rare.described.is_some();
            !described && rare.starting.is_none() && rare.changing.is_empty()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_small() {
        assert_eq!(size_of::<Entry>(), 32);
    }
}
