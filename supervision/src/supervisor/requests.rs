//! What a driver does with a command: events go to the plan, requests get their answers now or when they are done.

use super::command::{Command, Foundling, Request, Signal};
use super::driver::{self, Driver};
use super::entry::Entry;
use super::reference::{ChildInfo, RequestError, StartChildError};
use super::which::Which;
use crate::child::Given;
use crate::pid::Pid;
use crate::plan::{
    self, AddError, ChildError, ChildSpec, ChildState, ChildView, ExitReason, Plan, Time,
};
use crate::process::Reply;
use crate::report::Report;
use crate::tree::Account;
use std::ptr;
use std::time::Duration;

impl Driver {
    pub(super) fn signal(&mut self, signal: Signal) {
        match signal {
            Signal::Arrived(child) => self.adopt(child),
            Signal::Started { pid, incarnation } => self.started(pid, incarnation),
            Signal::Declined { pid, incarnation } => self.declined(pid, incarnation),
            Signal::Healthy { pid, incarnation } => self.plan.healthy(pid, incarnation),
            Signal::StartFailed { pid, incarnation, reason } => {
                let now = self.now();
                self.plan.start_failed(pid, incarnation, reason, now, &mut self.actions);
            }
            Signal::Exited { pid, incarnation, reason } => {
                let now = self.now();
                self.plan.exited(pid, incarnation, reason, now, &mut self.actions);
            }
        }
    }

    pub(super) fn command(&mut self, command: Command) {
        match command {
            Command::Start { child, reply } => self.start_child(child, reply),
            Command::Request { request, which, reply } => self.request(request, &which, reply),
            Command::Children { reply } => reply.send(self.children()),
            Command::Child { which, reply } => reply.send(self.child(&which)),
            Command::Spec { which, reply } => reply.send(self.spec(&which)),
            Command::Settings { reply } => reply.send(self.plan.settings().clone()),
            Command::ChangeSettings { settings, reply } => {
                reply.send(self.plan.change_settings(*settings));
            }
            Command::Recycle { which, after, reply } => self.recycle(&which, after, reply),
            Command::Survey { question } => question.answer(self.account()),
            Command::Counts { reply } => reply.send(self.plan.counts()),
        }
    }

    fn started(&mut self, pid: Pid, incarnation: u32) {
        let now = self.now();
        self.plan.started(pid, incarnation, now, &mut self.actions);
        self.start_is_complete(pid, incarnation);
    }

    fn declined(&mut self, pid: Pid, incarnation: u32) {
        self.start_is_complete(pid, incarnation);
        let now = self.now();
        self.plan.start_ignored(pid, incarnation, now, &mut self.actions);
    }

    /// Answers those who wait for the start of this incarnation.
    fn start_is_complete(&mut self, pid: Pid, incarnation: u32) {
        let is_current = self.plan.child(pid).is_some_and(|child| child.incarnation == incarnation);
        let Some(entry) = self.table.get_mut(&pid).filter(|_| is_current) else { return };
        entry.answer_start(|| Ok(pid));
        entry.answer(Request::Restart, &Ok(()));
    }

    /// Takes in a child that runs, or has run, already.
    pub(super) fn adopt(&mut self, foundling: Foundling) {
        let Some((mut given, life, since)) = foundling.take() else { return };
        let (pid, ended) = (life.pid(), life.heard_of());
        if let Some(reason) = &ended
            && self.plan.passes_by(given.child().spec())
        {
            let (incarnation, reason) = (life.incarnation(), reason.clone());
            self.report(plan::Report::NotRestarted { pid, incarnation, reason: reason.clone() });
            return driver::end_for_good(given.take(), &reason);
        }
        self.settle(given.child());
        let spec = given.child_mut().take_spec();
        match self.plan.adopt(pid, spec, since, &mut self.actions) {
            Ok(()) => {
                let child = given.take();
                let entry = self.table.entry(pid).or_insert_with(|| Entry::new(&child, false));
                entry.life = Some(life);
                if let Some(reason) = ended {
                    let now = self.now();
                    self.plan.exited(pid, 1, reason, now, &mut self.actions);
                }
            }
            Err(error) => {
                let child = given.child().start.process().core().name().cloned();
                let supervisor = self.name().clone();
                let env = self.cx.env();
                env.report(Report::Refused { supervisor, pid, child, error });
                life.kill();
                env.orphan(&life);
            }
        }
    }

    fn start_child(&mut self, given: Given, reply: Reply<Result<Pid, StartChildError>>) {
        let core = given.child().start.process().core();
        let known = core.pid().filter(|pid| self.table.contains_key(pid));
        let (pid, now) = (self.settle(given.child()), self.now());
        let added = match known {
            Some(pid) => Err(AddError::PidInUse(pid)),
            None => self.plan.add(pid, given.child().spec().clone(), now, &mut self.actions),
        };
        match added {
            Ok(()) => {
                let child = given.take();
                self.insert(&child, false);
                Driver::claim(&child);
                if let Some(entry) = self.table.get_mut(&pid) {
                    entry.wait_for_start(reply);
                }
            }
            Err(error) => reply.send(Err(StartChildError::Refused(error))),
        }
    }

    fn request(&mut self, request: Request, which: &Which, reply: Reply<Result<(), RequestError>>) {
        let pid = match self.find(which) {
            Ok(pid) => pid,
            Err(error) => return reply.send(Err(RequestError::Refused(error))),
        };
        let ask = match request {
            Request::Stop => Plan::stop_child,
            Request::Kill => Plan::kill_child,
            Request::Restart => Plan::restart_child,
            Request::Delete => Plan::delete_child,
        };
        let now = self.now();
        if let Err(error) = ask(&mut self.plan, pid, now, &mut self.actions) {
            return reply.send(Err(RequestError::Refused(error)));
        }
        // A child at rest already: there will be no word of it.
        let done = self.plan.child(pid).is_none_or(|child| child.state == ChildState::Stopped);
        match self.table.get_mut(&pid) {
            Some(entry) if !done || matches!(request, Request::Restart | Request::Delete) => {
                entry.wait_for(request, reply);
            }
            _ => reply.send(Ok(())),
        }
    }

    /// A child has come to rest, or (`gone`) has left: whoever waited for that is told.
    pub(super) fn at_rest(&mut self, pid: Pid, gone: Option<&ExitReason>) {
        let Some(entry) = self.table.get_mut(&pid) else { return };
        let reason = gone.cloned().unwrap_or(ExitReason::Shutdown);
        entry.answer_start(|| Err(StartChildError::Failed(reason.clone())));
        entry.answer(Request::Stop, &Ok(()));
        entry.answer(Request::Kill, &Ok(()));
        entry.answer(Request::Restart, &Err(RequestError::Failed(reason)));
        if gone.is_some() {
            entry.answer(Request::Delete, &Ok(()));
        }
    }

    /// The start that somebody waits for has failed, and says why.
    pub(super) fn start_failed(&mut self, pid: Pid, reason: &ExitReason) {
        let Some(entry) = self.table.get_mut(&pid) else { return };
        entry.answer_start(|| Err(StartChildError::Failed(reason.clone())));
        entry.answer(Request::Restart, &Err(RequestError::Failed(reason.clone())));
    }

    fn find(&self, which: &Which) -> Result<Pid, ChildError> {
        let found = match which {
            Which::Pid(pid) => Some(*pid),
            Which::Name(name) => self.plan.find(name),
            Which::Process(address) => address.core().pid().filter(|pid| {
                // One of another system may have the same.
                let entry = self.table.get(pid);
                entry.is_some_and(|entry| ptr::eq(entry.start.process().core(), address.core()))
            }),
        };
        found.filter(|pid| self.plan.child(*pid).is_some()).ok_or(ChildError::NotFound)
    }

    fn recycle(&mut self, which: &Which, after: Duration, reply: Reply<Result<(), RequestError>>) {
        let now = self.now();
        let asked = self.find(which).and_then(|pid| {
            self.plan.recycle_child(pid, after, now, &mut self.actions).map(|()| pid)
        });
        match (asked, after.is_zero()) {
            (Err(error), _) => reply.send(Err(RequestError::Refused(error))),
            (Ok(_), false) => reply.send(Ok(())),
            (Ok(pid), true) => match self.table.get_mut(&pid) {
                Some(entry) => entry.wait_for(Request::Restart, reply),
                None => reply.send(Ok(())),
            },
        }
    }

    fn spec(&self, which: &Which) -> Result<ChildSpec, RequestError> {
        let found = self.find(which).map(|pid| self.plan.child(pid));
        match found.map_err(RequestError::Refused)? {
            Some(child) => Ok(child.spec.clone()),
            None => Err(RequestError::Refused(ChildError::NotFound)),
        }
    }

    fn child(&self, which: &Which) -> Result<ChildInfo, RequestError> {
        let found = self.find(which).map(|pid| self.plan.child(pid).and_then(|c| self.info(&c)));
        found.map_err(RequestError::Refused)?.ok_or(RequestError::Refused(ChildError::NotFound))
    }

    fn account(&self) -> Account {
        let now = self.now();
        Account {
            settings: self.plan.settings().clone(),
            recent_restarts: self.plan.recent_restarts(now),
            children: self.children(),
            now,
        }
    }

    fn children(&self) -> Vec<ChildInfo> {
        self.plan.children().filter_map(|child| self.info(&child)).collect()
    }

    fn info(&self, child: &ChildView<'_>) -> Option<ChildInfo> {
        let entry = self.table.get(&child.pid)?;
        let process = entry.start.process();
        Some(ChildInfo {
            pid: child.pid,
            name: process.core().name().cloned(),
            kind: child.spec.kind,
            restart: child.spec.restart,
            state: child.state,
            incarnation: child.incarnation,
            restarts: child.restarts,
            since: child.since.map(Time::as_duration),
            significant: child.spec.significant,
            queued: process.queued(),
            last_crash: process.core().last_crash(),
            workload: process.core().workload(self.now()),
            supervisor: entry.start.supervisor(),
        })
    }
}
