//! The plan against a slow, obvious model: `supervisor.erl` written down again, with a plain list
//! of children and calls that block. Children answer at once here, so both must do the same, step
//! by step.

use std::collections::VecDeque;

use crate::support::{Start, Sup, dynamic, error, ms, settings, shutdown_with, unordered};
use bastion_supervision::plan::{ChildState, ExitReason, RestartType, Strategy};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::Strategy as _;

/// A child's pid field in OTP.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Field {
    Alive,
    Undefined,
    Restarting,
}

#[derive(Clone, Debug)]
struct Child {
    number: usize,
    restart: RestartType,
    field: Field,
    incarnation: u32,
}

/// `supervisor.erl`'s state, and what it did since the last step.
#[derive(Debug)]
struct Otp {
    strategy: Strategy,
    simple: bool,
    max: u32,
    now: u64,
    restarts: Vec<u64>,
    children: Vec<Child>,
    starts: VecDeque<Start>,
    ended: bool,
    log: Vec<String>,
}

impl Otp {
    fn position(&self, number: usize) -> usize {
        self.children.iter().position(|child| child.number == number).expect("a child")
    }

    /// `do_start_child`.
    fn start(&mut self, child: &mut Child) -> Start {
        child.incarnation += 1;
        self.log.push(match child.incarnation {
            1 => format!("start d{}", child.number),
            n => format!("start d{}.{n}", child.number),
        });
        let answer = self.starts.pop_front().unwrap_or(Start::Ready);
        child.field = if answer == Start::Ready { Field::Alive } else { Field::Undefined };
        answer
    }

    /// `start_children`: starts all from here on; the number of the one that failed.
    fn start_children(&mut self, from: usize) -> Result<(), usize> {
        let mut index = from;
        while index < self.children.len() {
            let mut child = self.children[index].clone();
            let answer = self.start(&mut child);
            let temporary = child.restart == RestartType::Temporary;
            let number = child.number;
            self.children[index] = child;
            match answer {
                Start::Ignores if temporary => drop(self.children.remove(index)),
                Start::Fails => return Err(number),
                _ => index += 1,
            }
        }
        Ok(())
    }

    /// `terminate_children`: stops all from here on, in reverse; the temporary ones are gone.
    fn terminate_children(&mut self, from: usize) {
        for child in self.children[from..].iter_mut().rev() {
            if child.field == Field::Alive {
                self.log.push(format!("stop d{}", child.number));
            }
            child.field = Field::Undefined;
        }
        let mut index = 0;
        self.children.retain(|child| {
            index += 1;
            index <= from || child.restart != RestartType::Temporary
        });
    }

    fn end(&mut self) {
        self.terminate_children(0);
        self.children.clear();
        self.ended = true;
    }

    /// `init`: a failed start ends it.
    fn init(&mut self) {
        if let Err(number) = self.start_children(0) {
            // What was not started is not terminated either.
            let index = self.position(number);
            self.children.truncate(index);
            self.end();
        }
    }

    /// `handle_start_child`.
    fn start_child(&mut self, number: usize, restart: RestartType) {
        let mut child = Child { number, restart, field: Field::Undefined, incarnation: 0 };
        match self.start(&mut child) {
            Start::Ready => self.children.push(child),
            Start::Ignores if !self.simple && restart != RestartType::Temporary => {
                self.children.push(child);
            }
            _ => {}
        }
    }

    /// The `EXIT` of a child: `restart_child`, `do_restart`.
    fn exit(&mut self, number: usize, reason: &ExitReason) {
        let index = self.position(number);
        let abnormal = matches!(reason, ExitReason::Error(_) | ExitReason::Killed);
        match self.children[index].restart {
            RestartType::Permanent => self.restart(number),
            RestartType::Transient if abnormal => self.restart(number),
            RestartType::Transient if !self.simple => self.children[index].field = Field::Undefined,
            _ => drop(self.children.remove(index)),
        }
    }

    /// `restart`, and the `try_again_restart` that it may send to itself.
    fn restart(&mut self, number: usize) {
        let mut number = number;
        loop {
            let now = self.now;
            self.restarts.retain(|at| at + 10_000 >= now);
            self.restarts.push(now);
            let index = self.position(number);
            if self.restarts.len() > self.max as usize {
                self.children.remove(index);
                return self.end();
            }
            let again = match self.strategy {
                Strategy::OneForOne => self.restart_one(index),
                Strategy::OneForAll => self.restart_many(index, 0),
                Strategy::RestForOne => self.restart_many(index, index),
            };
            match again {
                Err(failed) => {
                    let index = self.position(failed);
                    self.children[index].field = Field::Restarting;
                    number = failed;
                }
                Ok(()) => return,
            }
        }
    }

    fn restart_one(&mut self, index: usize) -> Result<(), usize> {
        let mut child = self.children[index].clone();
        let answer = self.start(&mut child);
        let number = child.number;
        self.children[index] = child;
        match answer {
            Start::Ignores if self.simple => drop(self.children.remove(index)),
            Start::Fails => return Err(number),
            _ => {}
        }
        Ok(())
    }

    fn restart_many(&mut self, failed: usize, from: usize) -> Result<(), usize> {
        self.children[failed].field = Field::Undefined;
        self.terminate_children(from);
        self.start_children(from)
    }

    fn terminate_child(&mut self, number: usize) {
        let index = self.position(number);
        if self.children[index].field == Field::Alive {
            self.log.push(format!("stop d{number}"));
        }
        self.children[index].field = Field::Undefined;
        if self.simple || self.children[index].restart == RestartType::Temporary {
            self.children.remove(index);
        }
    }

    /// `restart_child`; whether it is allowed.
    fn restart_child(&mut self, number: usize) -> bool {
        let index = self.position(number);
        if self.simple || self.children[index].field != Field::Undefined {
            return false;
        }
        let mut child = self.children[index].clone();
        self.start(&mut child);
        self.children[index] = child;
        true
    }

    /// `delete_child`; whether it is allowed.
    fn delete_child(&mut self, number: usize) -> bool {
        let index = self.position(number);
        let allowed = !self.simple && self.children[index].field == Field::Undefined;
        if allowed {
            self.children.remove(index);
        }
        allowed
    }
}

#[derive(Clone, Debug)]
enum Step {
    Exit(usize, ExitReason),
    Add(RestartType),
    Terminate(usize),
    Restart(usize),
    Delete(usize),
    Wait(u64),
}

fn any_restart() -> impl proptest::strategy::Strategy<Value = RestartType> {
    prop_oneof![
        Just(RestartType::Permanent),
        Just(RestartType::Transient),
        Just(RestartType::Temporary)
    ]
}

fn any_step() -> impl proptest::strategy::Strategy<Value = Step> {
    let reason = prop_oneof![
        2 => Just(error("x")),
        1 => Just(ExitReason::Killed),
        1 => Just(ExitReason::Normal),
        1 => Just(ExitReason::Shutdown),
        1 => Just(shutdown_with("x")),
    ];
    prop_oneof![
        6 => (0..9_usize, reason).prop_map(|(who, reason)| Step::Exit(who, reason)),
        2 => any_restart().prop_map(Step::Add),
        2 => (0..9_usize).prop_map(Step::Terminate),
        2 => (0..9_usize).prop_map(Step::Restart),
        1 => (0..9_usize).prop_map(Step::Delete),
        2 => (0..12_000_u64).prop_map(Step::Wait),
    ]
}

fn any_start() -> impl proptest::strategy::Strategy<Value = Start> {
    prop_oneof![4 => Just(Start::Ready), 2 => Just(Start::Fails), 1 => Just(Start::Ignores)]
}

/// The two side by side.
struct Pair {
    sup: Sup,
    otp: Otp,
    added: usize,
}

impl Pair {
    fn new(
        strategy: Option<Strategy>,
        max: u32,
        declared: &[RestartType],
        starts: Vec<Start>,
    ) -> Self {
        let settings = strategy.map_or(unordered(max), |strategy| settings(strategy, max));
        // A `simple_one_for_one` supervisor starts without children.
        let declared = if strategy.is_some() { declared } else { &[] };
        let mut sup = Sup::declared(settings, declared.iter().copied().map(dynamic));
        let children = declared.iter().enumerate().map(|(number, &restart)| Child {
            number,
            restart,
            field: Field::Undefined,
            incarnation: 0,
        });
        let mut otp = Otp {
            strategy: strategy.unwrap_or_default(),
            simple: strategy.is_none(),
            max,
            now: 0,
            restarts: Vec::new(),
            children: children.collect(),
            starts: starts.iter().copied().collect(),
            ended: false,
            log: Vec::new(),
        };
        sup.starts = starts.into_iter().collect();
        otp.init();
        sup.start();
        Self { sup, otp, added: declared.len() }
    }

    fn step(&mut self, step: &Step) {
        let field = |field| move |child: &&Child| field == child.field;
        let alive: Vec<_> = self.otp.children.iter().filter(field(Field::Alive)).collect();
        let alive: Vec<_> = alive.iter().map(|child| child.number).collect();
        let all: Vec<_> = self.otp.children.iter().map(|child| child.number).collect();
        let pick = |from: &[usize], who: usize| from.get(who % from.len().max(1)).copied();
        let (sup, otp) = (&mut self.sup, &mut self.otp);
        match step {
            Step::Exit(who, reason) => {
                let Some(number) = pick(&alive, *who) else { return };
                otp.exit(number, reason);
                sup.exit(&format!("d{number}"), reason.clone());
            }
            Step::Add(restart) => {
                otp.start_child(self.added, *restart);
                sup.add(dynamic(*restart)).unwrap();
                self.added += 1;
            }
            Step::Terminate(who) => {
                let Some(number) = pick(&all, *who) else { return };
                otp.terminate_child(number);
                sup.stop_child(&format!("d{number}")).unwrap();
            }
            Step::Restart(who) => {
                let Some(number) = pick(&all, *who) else { return };
                let allowed = otp.restart_child(number);
                assert_eq!(sup.restart_child(&format!("d{number}")).is_ok(), allowed);
            }
            Step::Delete(who) => {
                let Some(number) = pick(&all, *who) else { return };
                let allowed = otp.delete_child(number);
                assert_eq!(sup.delete_child(&format!("d{number}")).is_ok(), allowed);
            }
            Step::Wait(time) => {
                otp.now += time;
                sup.wait(ms(*time));
            }
        }
    }

    /// Compares what was done since the last call, and who is there.
    fn check(&mut self) {
        let mut log = self.sup.take_log();
        let finished = log.iter().any(|line| {
            ["finish", "gave up", "start failed"].iter().any(|end| line.starts_with(end))
        });
        log.retain(|line| line.starts_with("start d") || line.starts_with("stop d"));
        assert_eq!(log, std::mem::take(&mut self.otp.log));
        assert_eq!(finished, self.otp.ended);
        let children = self.sup.plan.children().map(|child| {
            let field = match child.state {
                ChildState::Running => Field::Alive,
                ChildState::Stopped => Field::Undefined,
                other => panic!("{other:?} although all answer at once"),
            };
            (child.pid.slot() as usize, field, child.incarnation)
        });
        let expected = self.otp.children.iter().map(|c| (c.number, c.field, c.incarnation));
        assert_eq!(children.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
        let counts = self.sup.plan.counts();
        let alive = self.otp.children.iter().filter(|child| child.field == Field::Alive);
        assert_eq!((counts.specs, counts.active), (self.otp.children.len(), alive.count()));
    }
}

/// Runs both through the same steps.
fn check(
    strategy: Option<Strategy>,
    max: u32,
    declared: &[RestartType],
    starts: Vec<Start>,
    steps: &[Step],
) {
    let mut pair = Pair::new(strategy, max, declared, starts);
    pair.check();
    for step in steps {
        if pair.otp.ended {
            return;
        }
        pair.step(step);
        pair.check();
    }
    if !pair.otp.ended {
        pair.otp.end();
        pair.sup.stop();
        pair.check();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_plan_does_what_supervisor_erl_does(
        strategy in prop_oneof![
            Just(Some(Strategy::OneForOne)),
            Just(Some(Strategy::OneForAll)),
            Just(Some(Strategy::RestForOne)),
            Just(None),
        ],
        max in 0..9_u32,
        declared in vec(any_restart(), 0..6),
        // The first starts mostly succeed, or there is not much to see.
        good in 0..7_usize,
        starts in vec(any_start(), 0..40),
        steps in vec(any_step(), 0..40),
    ) {
        let good = std::iter::repeat_n(Start::Ready, good);
        let starts = good.chain(starts).collect();
        check(strategy, max, &declared, starts, &steps);
    }
}

#[test]
fn a_failing_child_in_the_middle_of_everything() {
    use RestartType::{Permanent, Temporary, Transient};
    let declared = [Permanent, Temporary, Transient, Permanent];
    let mut starts = vec![Start::Ready; 5];
    starts.extend([Start::Fails, Start::Ignores, Start::Fails]);
    let steps = [Step::Exit(2, ExitReason::Normal), Step::Exit(2, ExitReason::Killed)];
    for strategy in [Strategy::OneForOne, Strategy::OneForAll, Strategy::RestForOne] {
        check(Some(strategy), 5, &declared, starts.clone(), &steps);
    }
}
