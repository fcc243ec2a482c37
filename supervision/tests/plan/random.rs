//! Random events at random times, in any order: what must hold whatever happens.

use std::time::Duration;

use crate::support::world::{Kid, Life, World};
use bastion_supervision::pid::Pid;
use bastion_supervision::plan::{
    Action, Backoff, ChildSpec, ExitReason, Failure, Intensity, Order, Plan, Quarantine, Report,
    RestartPolicy, RestartType, Settings, Shutdown, Strategy as Rule,
};
use proptest::collection::vec;
use proptest::prelude::*;

/// One thing that happens. Numbers pick a child among those to which it can happen.
#[derive(Clone, Debug)]
enum Step {
    /// A child that has something to answer (to its start, its stop, its kill) answers so.
    Answer(usize, usize),
    /// A living child ends.
    Exit(usize, usize),
    /// News of another incarnation than the living one.
    Stale(usize, bool),
    Add(ChildSpec),
    Adopt(ChildSpec),
    StopChild(usize),
    RestartChild(usize),
    DeleteChild(usize),
    RecycleChild(usize, u64),
    /// A child makes no progress any more, or makes some again.
    Quiet(usize),
    Change(Rule, Option<Intensity>),
    Wait(u64),
    Start,
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn reason(number: usize) -> ExitReason {
    match number % 4 {
        0 => ExitReason::Normal,
        1 => ExitReason::Shutdown,
        2 => ExitReason::Killed,
        _ => ExitReason::Error(Failure::new("x")),
    }
}

fn any_spec() -> impl Strategy<Value = ChildSpec> {
    let restart = prop_oneof![
        2 => Just(RestartType::Permanent),
        1 => Just(RestartType::Transient),
        1 => Just(RestartType::Temporary),
    ];
    let shutdown = prop_oneof![
        1 => Just(Shutdown::Brutal),
        4 => (0..300_u64).prop_map(|time| Shutdown::Timeout(ms(time))),
        1 => Just(Shutdown::Infinity),
    ];
    let policy = prop_oneof![
        5 => Just(RestartPolicy::Always),
        1 => Just(RestartPolicy::Never),
        2 => (0..3_u32).prop_map(RestartPolicy::Tries),
        1 => (0..3_u32, 1..300_u64)
            .prop_map(|(max, period)| RestartPolicy::Within(Intensity::new(max, ms(period)))),
    ];
    let backoff = prop_oneof![
        2 => Just(Backoff::immediate()),
        1 => Just(Backoff::storm_guard()),
        1 => (1..80_u64).prop_map(|step| Backoff::linear(ms(step), ms(100)).healthy_after(ms(200))),
    ];
    let jitter = (0..3_u32).prop_map(|tenths| 10 * tenths);
    (any::<bool>(), restart, shutdown, policy, (backoff, jitter), any_extras()).prop_map(
        |(worker, restart, shutdown, policy, (backoff, jitter), extras)| {
            let spec = if worker { ChildSpec::worker() } else { ChildSpec::supervisor() };
            let mut spec = spec.restart(restart).shutdown(shutdown).policy(policy);
            spec.backoff = backoff.jitter(jitter);
            (spec.watchdog, spec.max_lifetime, spec.quarantine) = extras.0;
            spec.depends_on = extras.1.into_iter().map(|n| format!("c{n}").into()).collect();
            spec
        },
    )
}

type Extras = ((Option<Duration>, Option<Duration>, Option<Quarantine>), Vec<usize>);

/// What goes beyond OTP; children that depend on one that is not there are refused.
fn any_extras() -> impl Strategy<Value = Extras> {
    let time = || prop_oneof![4 => Just(None), 1 => (1..300_u64).prop_map(|time| Some(ms(time)))];
    let quarantine = prop_oneof![
        3 => Just(None),
        1 => (1..200_u64, 0..300_u64)
            .prop_map(|(cool_down, trial)| Some(Quarantine::new(ms(cool_down), ms(trial)))),
    ];
    ((time(), time(), quarantine), prop_oneof![2 => Just(Vec::new()), 3 => vec(0..6_usize, 1..3)])
}

fn any_settings() -> impl Strategy<Value = Settings> {
    let rules = prop_oneof![
        Just((Rule::OneForOne, Order::Ordered)),
        Just((Rule::OneForAll, Order::Ordered)),
        Just((Rule::RestForOne, Order::Ordered)),
        Just((Rule::OneForOne, Order::Unordered)),
    ];
    let intensity = prop_oneof![
        2 => Just(None),
        1 => (0..9_u32, 1..900_u64).prop_map(|(max, period)| Some(Intensity::new(max, ms(period)))),
    ];
    (rules, intensity, 0..200_u64).prop_map(|((strategy, order), intensity, grace)| {
        Settings::default()
            .strategy(strategy)
            .order(order)
            .intensity(intensity)
            .kill_grace(ms(grace))
    })
}

fn any_step() -> impl Strategy<Value = Step> {
    let who = || 0..12_usize;
    prop_oneof![
        20 => (who(), 0..12_usize).prop_map(|(who, how)| Step::Answer(who, how)),
        8 => (who(), 0..12_usize).prop_map(|(who, how)| Step::Exit(who, how)),
        1 => (who(), any::<bool>()).prop_map(|(who, before)| Step::Stale(who, before)),
        3 => any_spec().prop_map(Step::Add),
        2 => any_spec().prop_map(Step::Adopt),
        2 => who().prop_map(Step::StopChild),
        2 => who().prop_map(Step::RestartChild),
        1 => who().prop_map(Step::DeleteChild),
        1 => (who(), 0..200_u64).prop_map(|(who, after)| Step::RecycleChild(who, after)),
        2 => who().prop_map(Step::Quiet),
        1 => (any_settings(), 0..4_usize).prop_map(|(settings, rare)| {
            let strategy = if rare == 0 { settings.strategy } else { Rule::OneForOne };
            Step::Change(strategy, settings.intensity)
        }),
        6 => (0..400_u64).prop_map(Step::Wait),
        1 => Just(Step::Start),
    ]
}

/// Picks a child for which `f` holds.
fn pick(world: &World, who: usize, f: impl Fn(&Kid) -> bool) -> Option<Pid> {
    let fit: Vec<_> = world.kids.iter().filter(|(_, kid)| f(kid)).map(|(&pid, _)| pid).collect();
    fit.get(who % fit.len().max(1)).copied()
}

fn answer(world: &mut World, pid: Pid, how: usize) {
    let starting = world.kid(pid).life == Life::Starting;
    match (starting, how) {
        (true, 0..=5) => world.started(pid),
        (true, 6..=8) => world.start_failed(pid, reason(how)),
        (true, 9) => world.start_ignored(pid),
        _ => world.exited(pid, reason(if how < 6 { 1 } else { how })),
    }
}

fn stale(world: &mut World, pid: Pid, before: bool) {
    let incarnation = world.kid(pid).incarnation;
    let other = if before { incarnation.wrapping_sub(1) } else { incarnation + 1 };
    let (_, actions) = world.call(|plan, now, out| {
        plan.exited(pid, other, ExitReason::Killed, now, out);
        plan.started(pid, other, now, out);
        plan.start_failed(pid, other, ExitReason::Killed, now, out);
    });
    assert_eq!(actions, 0, "stale news changed something");
}

/// A child that may pass by leaves at once, when it is adopted all the same, and changes nothing.
fn pass_by(world: &mut World, reason: ExitReason) {
    let spec = ChildSpec::worker().restart(RestartType::Temporary);
    if !world.plan.passes_by(&spec) {
        return;
    }
    let look = |plan: &Plan| {
        let children: Vec<_> = plan.children().map(|child| (child.pid, child.state)).collect();
        (children, plan.counts(), plan.next_deadline(), plan.is_ending())
    };
    let (pid, now, before) = (Pid::new(u32::MAX, 0), world.now, look(&world.plan));
    let mut out = Vec::new();
    world.plan.adopt(pid, spec, now, &mut out).expect("at ease it takes anybody");
    world.plan.exited(pid, 1, reason, now, &mut out);
    let [Action::Report(Report::NotRestarted { .. }), Action::Removed { .. }] = out[..] else {
        panic!("it does more: {out:?}");
    };
    assert_eq!(look(&world.plan), before);
}

fn take(world: &mut World, step: &Step) {
    let lives = |kid: &Kid| kid.life != Life::None;
    match step {
        Step::Answer(who, how) => {
            let waits = |kid: &Kid| kid.life == Life::Starting || (lives(kid) && kid.is_told());
            if let Some(pid) = pick(world, *who, waits) {
                answer(world, pid, *how);
            }
        }
        Step::Exit(who, how) => {
            if let Some(pid) = pick(world, *who, lives) {
                world.exited(pid, reason(*how));
            }
        }
        Step::Stale(who, before) => {
            if let Some(pid) = pick(world, *who, |_| true) {
                stale(world, pid, *before);
            }
        }
        Step::Add(spec) => world.add(spec.clone(), false),
        Step::Adopt(spec) => {
            (0..4).for_each(|number| pass_by(world, reason(number)));
            world.add(spec.clone(), true);
        }
        Step::StopChild(who) => {
            if let Some(pid) = pick(world, *who, |_| true) {
                world.stop_child(pid);
            }
        }
        Step::RestartChild(who) => {
            if let Some(pid) = pick(world, *who, |_| true) {
                world.restart_child(pid);
            }
        }
        Step::DeleteChild(who) => {
            if let Some(pid) = pick(world, *who, |_| true) {
                let (_, _) = world.call(|plan, now, out| plan.delete_child(pid, now, out));
            }
        }
        Step::RecycleChild(who, after) => {
            if let Some(pid) = pick(world, *who, |_| true) {
                let _ = world.call(|plan, now, out| plan.recycle_child(pid, ms(*after), now, out));
            }
        }
        Step::Quiet(who) => {
            if let Some(pid) = pick(world, *who, lives) {
                let kid = world.kid(pid);
                kid.quiet = !kid.quiet;
            }
        }
        Step::Change(strategy, intensity) => {
            let settings = world.settings().clone();
            world.change(settings.strategy(*strategy).intensity(*intensity));
        }
        Step::Wait(time) => world.wait(ms(*time)),
        Step::Start => world.start(),
    }
}

/// How a run ends.
#[derive(Clone, Copy, Debug)]
enum End {
    /// Everybody answers, and all must be in order; then a stop.
    Settled,
    /// A stop with a deadline, during which nobody answers any more.
    Silent(u64),
    /// A stop without a deadline, during which all goes on; then silence, and a deadline.
    Noisy,
}

fn check(settings: &Settings, steps: &[Step], end: End, rest: &[Step]) {
    let mut world = World::new(settings.clone());
    let grace = settings.kill_grace;
    for step in steps {
        take(&mut world, step);
    }
    match end {
        End::Settled => {
            world.start();
            world.settle();
            world.judge_rest();
            world.stop(None);
            world.settle();
        }
        End::Silent(time) => {
            world.stop(Some(ms(time)));
            world.wait(ms(time) + grace);
        }
        End::Noisy => {
            world.stop(None);
            for step in rest {
                take(&mut world, step);
            }
            world.stop(Some(ms(100)));
            for step in rest {
                take(&mut world, step);
            }
            world.wait(ms(100) + grace);
        }
    }
    assert!(world.finished, "no end: {:?}", world.plan);
    assert_eq!(world.plan.next_deadline(), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn whatever_happens(
        settings in any_settings(),
        declared in vec(any_spec(), 0..6),
        started in any::<bool>(),
        steps in vec(any_step(), 0..150),
        end in prop_oneof![
            2 => Just(End::Settled),
            1 => (0..500_u64).prop_map(End::Silent),
            1 => Just(End::Noisy),
        ],
        rest in vec(any_step(), 0..20),
    ) {
        let mut all: Vec<_> = declared.into_iter().map(Step::Add).collect();
        all.extend(started.then_some(Step::Start));
        all.extend(steps);
        check(&settings, &all, end, &rest);
    }
}
