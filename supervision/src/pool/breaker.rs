//! The circuit breaker: a state machine without a clock.
//!
//! Closed, it lets everything through and counts failures that no success comes between. At the limit it opens: everything is refused, for a while.
//! Then it is half-open: one message is let through as a trial, and the others are refused until it is known how that went. A question says so
//! by its answer; when its time is over and nobody has looked, the next message is the trial. A message that wants no answer has passed
//! when nothing has failed for as long as the breaker was open.

use crate::plan::Time;
use std::time::Duration;

pub(super) struct Breaker {
    /// So many failures open it.
    limit: u32,
    open_for: Duration,
    state: State,
    /// How often it has opened: what was let through before is not this time's trial.
    opened: u64,
}

#[derive(Clone, Copy)]
enum State {
    Closed {
        failures: u32,
    },
    Open {
        since: Time,
    },
    /// A trial is under way, until then at most: a question, or a message that was told.
    Trial {
        until: Time,
        told: bool,
    },
}

/// What a message was let through as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pass {
    /// Like any other.
    Free,
    /// As the trial after this opening.
    Trial(u64),
}

impl Breaker {
    /// Opens at `limit` failures in a row, for so long.
    pub(super) fn new(limit: u32, open_for: Duration) -> Breaker {
        Breaker { limit, open_for, state: State::Closed { failures: 0 }, opened: 0 }
    }

    /// Lets a message through, or says in what time to try again. A question has its time limit.
    pub(super) fn admit(&mut self, limit: Option<Duration>, now: Time) -> Result<Pass, Duration> {
        let until = match self.state {
            State::Closed { .. } => return Ok(Pass::Free),
            State::Open { since } => since + self.open_for,
            State::Trial { until, .. } => until,
        };
        if now < until {
            return Err(until.since(now));
        }
        if let State::Trial { told: true, .. } = self.state {
            self.state = State::Closed { failures: 0 };
            return Ok(Pass::Free);
        }
        let until = now + limit.unwrap_or(self.open_for);
        self.state = State::Trial { until, told: limit.is_none() };
        Ok(Pass::Trial(self.opened))
    }

    /// Takes note of an answer.
    pub(super) fn succeeded(&mut self, pass: Pass) {
        if self.counts(pass) {
            self.state = State::Closed { failures: 0 };
        }
    }

    /// Takes note of a question without an answer.
    pub(super) fn failed(&mut self, pass: Pass, now: Time) {
        if self.counts(pass) {
            self.fail(now);
        }
    }

    /// Takes note of a worker that crashed over a message that nobody waits for an answer of.
    pub(super) fn crashed(&mut self, now: Time) {
        if !matches!(self.state, State::Open { .. } | State::Trial { told: false, .. }) {
            self.fail(now);
        }
    }

    /// Takes note of a message that was let through and not sent, or of a question that nobody waits for any more.
    pub(super) fn given_up(&mut self, pass: Pass, now: Time) {
        if matches!(pass, Pass::Trial(_)) && self.counts(pass) {
            // The next one may try at once.
            let since = Time::from_duration(now.as_duration().saturating_sub(self.open_for));
            self.state = State::Open { since };
        }
    }

    /// Says whether what comes of a message that was let through so says anything about now.
    fn counts(&self, pass: Pass) -> bool {
        match (self.state, pass) {
            (State::Closed { .. }, Pass::Free) => true,
            (State::Trial { .. }, Pass::Trial(opened)) => opened == self.opened,
            _ => false,
        }
    }

    fn fail(&mut self, now: Time) {
        match &mut self.state {
            State::Closed { failures } if *failures + 1 < self.limit => *failures += 1,
            _ => {
                self.state = State::Open { since: now };
                self.opened += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const TOLD: Option<Duration> = None;
    const ASKED: Option<Duration> = Some(Duration::from_secs(5));

    fn at(seconds: u64) -> Time {
        Time::from_duration(seconds as u32 * SECOND)
    }

    /// One that three failures open for ten seconds, and that has had them at the third second.
    fn open() -> Breaker {
        let mut breaker = Breaker::new(3, 10 * SECOND);
        for second in 1..=3 {
            let pass = breaker.admit(ASKED, at(second)).unwrap();
            breaker.failed(pass, at(second));
        }
        breaker
    }

    #[test]
    fn failures_in_a_row_open_it_and_a_success_between_does_not_let_them() {
        let mut breaker = Breaker::new(3, 10 * SECOND);
        for _ in 0..5 {
            for _ in 0..2 {
                assert_eq!(breaker.admit(ASKED, at(0)), Ok(Pass::Free));
                breaker.failed(Pass::Free, at(0));
            }
            breaker.succeeded(Pass::Free);
        }
        breaker.crashed(at(1));
        breaker.crashed(at(1));
        assert_eq!(breaker.admit(TOLD, at(1)), Ok(Pass::Free));
        breaker.crashed(at(1));
        assert_eq!(breaker.admit(TOLD, at(1)), Err(10 * SECOND));
    }

    #[test]
    fn while_it_is_open_it_says_how_long_and_then_lets_one_through() {
        let mut breaker = open();
        assert_eq!(breaker.admit(ASKED, at(3)), Err(10 * SECOND));
        assert_eq!(breaker.admit(TOLD, at(12)), Err(SECOND));
        assert_eq!(breaker.admit(ASKED, at(13)), Ok(Pass::Trial(1)));
        assert_eq!(breaker.admit(ASKED, at(13)), Err(5 * SECOND), "one at a time");
        assert_eq!(breaker.admit(TOLD, at(17)), Err(SECOND), "until its answer is known");
        breaker.succeeded(Pass::Trial(1));
        assert_eq!(breaker.admit(ASKED, at(17)), Ok(Pass::Free));
    }

    #[test]
    fn a_trial_that_fails_opens_it_again_for_the_whole_time() {
        let mut breaker = open();
        assert_eq!(breaker.admit(ASKED, at(20)), Ok(Pass::Trial(1)));
        breaker.failed(Pass::Trial(1), at(22));
        assert_eq!(breaker.admit(ASKED, at(31)), Err(SECOND));
        assert_eq!(breaker.admit(ASKED, at(32)), Ok(Pass::Trial(2)));
    }

    #[test]
    fn what_was_let_through_before_says_nothing_about_now() {
        let mut breaker = open();
        breaker.succeeded(Pass::Free);
        breaker.failed(Pass::Free, at(9));
        assert_eq!(breaker.admit(ASKED, at(12)), Err(SECOND), "neither closed nor prolonged");
        assert_eq!(breaker.admit(ASKED, at(13)), Ok(Pass::Trial(1)));
        breaker.failed(Pass::Free, at(13));
        breaker.crashed(at(13));
        breaker.succeeded(Pass::Free);
        assert_eq!(breaker.admit(ASKED, at(14)), Err(4 * SECOND));
        breaker.failed(Pass::Trial(1), at(14));
        assert_eq!(breaker.admit(ASKED, at(24)), Ok(Pass::Trial(2)));
        breaker.succeeded(Pass::Trial(1));
        assert!(breaker.admit(ASKED, at(24)).is_err(), "that was the one before");
    }

    #[test]
    fn a_trial_that_is_given_up_leaves_its_turn() {
        let mut breaker = open();
        let pass = breaker.admit(ASKED, at(13)).unwrap();
        breaker.given_up(pass, at(14));
        assert_eq!(breaker.admit(ASKED, at(14)), Ok(Pass::Trial(1)));
        breaker.succeeded(Pass::Trial(1));
        breaker.given_up(Pass::Trial(1), at(15));
        assert_eq!(breaker.admit(ASKED, at(15)), Ok(Pass::Free), "it was over");
        breaker.given_up(Pass::Free, at(15));
        assert_eq!(breaker.admit(ASKED, at(15)), Ok(Pass::Free));
    }

    #[test]
    fn a_trial_that_nobody_looks_at_leaves_its_turn_when_its_time_is_over() {
        let mut breaker = open();
        assert_eq!(breaker.admit(ASKED, at(13)), Ok(Pass::Trial(1)));
        assert_eq!(breaker.admit(TOLD, at(18)), Ok(Pass::Trial(1)));
        assert_eq!(breaker.admit(TOLD, at(20)), Err(8 * SECOND), "the next one's turn");
        breaker.failed(Pass::Trial(1), at(21));
        assert_eq!(breaker.admit(TOLD, at(30)), Err(SECOND), "a late answer counts all the same");
    }

    #[test]
    fn a_message_without_an_answer_has_passed_when_nothing_failed_since() {
        let mut breaker = open();
        assert_eq!(breaker.admit(TOLD, at(13)), Ok(Pass::Trial(1)));
        assert_eq!(breaker.admit(TOLD, at(22)), Err(SECOND));
        assert_eq!(breaker.admit(TOLD, at(23)), Ok(Pass::Free));
        let mut breaker = open();
        assert_eq!(breaker.admit(TOLD, at(13)), Ok(Pass::Trial(1)));
        breaker.crashed(at(20));
        assert_eq!(breaker.admit(TOLD, at(29)), Err(SECOND));
    }
}
