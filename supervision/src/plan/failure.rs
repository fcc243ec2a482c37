//! What follows when a child's incarnation has ended.

use std::sync::Arc;
use std::time::Duration;

use super::action::{Action, Finish, Report};
use super::backoff::Backoff;
use super::children::{Cause, Child, State};
use super::exit::{ExitClass, ExitReason, Failure};
use super::intensity::{Verdict, Window};
use super::machine::{Phase, Plan};
use super::quarantine::Quarantine;
use super::restart::{RestartDecision, RestartPolicy, RestartType};
use super::settings::AutoShutdown;
use super::time::Time;
use super::upkeep::Stuck;
use crate::pid::Pid;

impl Plan {
    /// Takes note that the living incarnation of a child is gone.
    pub(super) fn ended(
        &mut self,
        pid: Pid,
        reason: ExitReason,
        failed_start: bool,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        self.upkeep.remove(&pid);
        self.no_longer_goes(pid);
        let Some(child) = self.children.get_mut(pid) else { return };
        let stuck = std::mem::take(&mut child.stuck) && !child.asked;
        let (state, asked, spec) = (child.state, child.asked, Arc::clone(&child.spec));
        if (stuck || !state.is_ending()) && !self.has_to_end(pid) {
            let reason = match spec.watchdog.filter(|_| stuck) {
                Some(limit) => ExitReason::Error(Failure::new(Stuck { limit })),
                None => reason,
            };
            return self.failed(pid, reason, failed_start, now, out);
        }
        let Some(child) = self.children.get(pid) else { return };
        // It was stopped, or would have been in a moment: nothing is decided about it alone.
        if !stuck && !is_expected(spec.restart, state, &reason) {
            let (incarnation, reason) = (child.incarnation, reason.clone());
            out.push(Action::Report(Report::UnexpectedEnd { pid, incarnation, reason }));
        }
        if matches!(self.phase, Phase::Ending(_)) || !(asked || spec.comes_back()) {
            self.remove(pid, reason, out);
        } else if asked {
            self.put_to_rest(pid, reason, out);
        } else {
            self.children.set_state(pid, State::Stopped);
            self.touch(pid);
            self.come_back(pid, out);
        }
    }

    /// A child ended by itself: what OTP's table says about it.
    fn failed(
        &mut self,
        pid: Pid,
        reason: ExitReason,
        failed_start: bool,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        self.credit_run(pid, now);
        let Some(child) = self.children.get(pid) else { return };
        let (incarnation, cause, half_open) = (child.incarnation, child.cause, child.half_open);
        let (restart, policy, restarts) = (child.spec.restart, child.spec.policy, child.restarts);
        let ends = self.ends_with(child.spec.significant);
        let auto_shutdown = Action::Report(Report::AutoShutdown { pid, incarnation });
        if failed_start {
            let reason = reason.clone();
            out.push(Action::Report(Report::StartFailed { pid, incarnation, reason }));
        }
        let class = if failed_start { ExitClass::Abnormal } else { reason.class() };
        match cause {
            Cause::First | Cause::Adopted if failed_start => {
                self.start_undone(pid, reason, now, out)
            }
            Cause::Asked if failed_start => self.put_to_rest(pid, reason, out),
            _ if restart.decide(class) != RestartDecision::Restart => {
                let told = reason.clone();
                out.push(Action::Report(Report::NotRestarted { pid, incarnation, reason: told }));
                out.extend(ends.then_some(auto_shutdown));
                self.put_to_rest(pid, reason, out);
                self.auto_shutdown_if(ends, now, out);
            }
            _ if half_open => self.isolate(pid, reason, now, out),
            _ if self.has_budget(pid, policy, restarts, now) => self.restart(pid, reason, now, out),
            _ if self.children.get(pid).is_some_and(|child| child.spec.quarantine.is_some()) => {
                self.isolate(pid, reason, now, out);
            }
            _ => {
                let told = reason.clone();
                out.push(Action::Report(match policy {
                    RestartPolicy::Tries(_) | RestartPolicy::Within(_) => {
                        Report::Exhausted { pid, incarnation, reason: told, restarts }
                    }
                    _ => Report::NotRestarted { pid, incarnation, reason: told },
                }));
                out.extend(ends.then_some(auto_shutdown));
                self.remove(pid, reason, out);
                self.auto_shutdown_if(ends, now, out);
            }
        }
    }

    /// Returns whether a child may be restarted once more by its own budget, and counts that.
    fn has_budget(&mut self, pid: Pid, policy: RestartPolicy, restarts: u32, now: Time) -> bool {
        let RestartPolicy::Within(budget) = policy else { return policy.allows(restarts) };
        let window = self.budgets.entry(pid).or_insert_with(|| Window::new(budget));
        window.record(now) == Verdict::Within
    }

    /// A child that runs is going to end, for whatever reason: a run that was long enough ends its row of failures, and its trial.
    pub(super) fn credit_run(&mut self, pid: Pid, now: Time) {
        let default = self.settings.backoff;
        let Some(child) = self.children.get_mut(pid) else { return };
        let State::Running { since } = child.state else { return };
        let run = now.since(since);
        if backoff(child, default).is_healthy(run) {
            child.failures = 0;
        }
        child.half_open &= child.spec.quarantine.is_some_and(|rule| run < rule.trial);
    }

    /// Puts a child that fails too often into quarantine.
    fn isolate(&mut self, pid: Pid, reason: ExitReason, now: Time, out: &mut Vec<Action>) {
        let Some(child) = self.children.get_mut(pid) else { return };
        let Some(Quarantine { cool_down, .. }) = child.spec.quarantine else { return };
        child.half_open = true;
        let incarnation = child.incarnation;
        out.push(Action::Report(Report::Quarantined { pid, incarnation, reason, cool_down }));
        self.put_off(pid, cool_down, now, out);
    }

    /// Says whether the supervisor ends with this child, one that has ended by itself and is not restarted, but does not rest yet (rows 156 to 165).
    fn ends_with(&self, significant: bool) -> bool {
        significant
            && match self.settings.auto_shutdown {
                AutoShutdown::Never | AutoShutdown::WhenEmpty => false,
                AutoShutdown::AnySignificant => true,
                // It is the only one that does not rest.
                AutoShutdown::AllSignificant => self.children.significant() == 1,
            }
    }

    fn auto_shutdown_if(&mut self, ends: bool, now: Time, out: &mut Vec<Action>) {
        if ends {
            self.end(Finish::Stopped(ExitReason::Shutdown), None, now, out);
        }
    }

    /// The very first start of a child failed.
    fn start_undone(&mut self, pid: Pid, reason: ExitReason, now: Time, out: &mut Vec<Action>) {
        let Some(child) = self.children.get(pid) else { return };
        let (declared, id) = (child.declared, child.spec.id.as_ref().map(Arc::clone));
        self.remove(pid, reason.clone(), out);
        if declared {
            self.end(Finish::StartFailed { pid, id, reason }, None, now, out);
        }
    }

    /// Restarts a child that failed, if the supervisor bears one more restart.
    fn restart(&mut self, pid: Pid, reason: ExitReason, now: Time, out: &mut Vec<Action>) {
        let verdict = self.window.as_mut().map_or(Verdict::Within, |window| window.record(now));
        let (random, default) = (self.draw(), self.settings.backoff);
        let Some(child) = self.children.get_mut(pid) else { return };
        let incarnation = child.incarnation;
        if let Verdict::Exceeded { restarts } = verdict {
            if child.spec.quarantine.is_some() {
                return self.isolate(pid, reason, now, out);
            }
            let id = child.spec.id.as_ref().map(Arc::clone);
            let told = reason.clone();
            out.push(Action::Report(Report::GaveUp { pid, incarnation, reason: told, restarts }));
            // The failing child's entry goes first, then the others in reverse (row 72).
            self.remove(pid, reason.clone(), out);
            return self.end(Finish::GaveUp { pid, id, reason, restarts }, None, now, out);
        }
        let delay = backoff(child, default).jittered(child.failures, random);
        child.failures = child.failures.saturating_add(1);
        out.push(Action::Report(Report::Restarting { pid, incarnation, reason, delay }));
        self.put_off(pid, delay, now, out);
    }

    /// Restarts a child that failed, and what has to be restarted with it, after a delay.
    fn put_off(&mut self, pid: Pid, delay: Duration, now: Time, out: &mut Vec<Action>) {
        if let Some(child) = self.children.get_mut(pid) {
            child.restarts = child.restarts.saturating_add(1);
        }
        self.wait(pid, delay, now);
        self.settle(pid);
        if !self.is_one_for_one() {
            return self.restart_group(pid);
        }
        self.followed(pid);
        if delay.is_zero() {
            self.launch_in_turn(pid, out);
        }
    }

    /// Puts a failed child's restart off.
    fn wait(&mut self, pid: Pid, delay: Duration, now: Time) {
        if delay.is_zero() {
            return self.children.set_state(pid, State::Stopped);
        }
        let until = now + delay;
        self.children.set_state(pid, State::Backoff { until });
        self.timers.arm(until, pid);
    }

    /// A child's back-off has elapsed.
    pub(super) fn resume(&mut self, pid: Pid, out: &mut Vec<Action>) {
        self.forget_backoff(pid);
        if !matches!(self.phase, Phase::Ending(_)) && !self.is_grouped(pid) {
            self.launch_in_turn(pid, out);
        }
    }
}

/// The back-off of a child, of its own or its supervisor's.
fn backoff(child: &Child, default: Backoff) -> Backoff {
    match child.spec.backoff {
        own if own != Backoff::immediate() => own,
        _ => default,
    }
}

/// Returns whether a child that was being stopped, or is lost in a group restart, may end so
/// without a word: with `Shutdown`, or killed if that was done to it. A permanent child that ends
/// otherwise is reported, as in OTP (row 119); another may also end normally.
fn is_expected(restart: RestartType, state: State, reason: &ExitReason) -> bool {
    match reason {
        ExitReason::Shutdown => true,
        ExitReason::Killed => matches!(state, State::Killing { .. }),
        ExitReason::Normal | ExitReason::ShutdownWith(_) => restart != RestartType::Permanent,
        _ => false,
    }
}
