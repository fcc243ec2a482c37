//! Links and monitors between processes: what holds after whatever happens, and when it happens at the same time.

use bastion_supervision::plan::{ExitReason, Failure, RestartType};
use bastion_supervision::{
    Address, Context, Down, Exit, ExitSignal, Monitor, Runtime, Sim, System, child,
};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

type Job = Box<dyn FnOnce(&mut Context<Hear>) + Send>;

enum Hear {
    Do(Job),
    Down(usize, Down),
    Exit(ExitSignal),
    End(Exit),
}

#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<String>>>);

impl Heard {
    fn add(&self, text: String) {
        self.0.lock().unwrap().push(text);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

struct Player {
    address: Address<Hear>,
    heard: Heard,
}

fn player(system: &System, name: &str) -> Player {
    let heard = Heard::default();
    let record = heard.clone();
    let body = move |mut cx: Context<Hear>| {
        let heard = record.clone();
        async move {
            while let Some(message) = cx.recv().await {
                match message {
                    Hear::Do(job) => job(&mut cx),
                    Hear::End(exit) => return Err(exit),
                    Hear::Down(number, down) => heard.add(format!("down {number} {}", down.reason)),
                    Hear::Exit(signal) => {
                        let name = signal.name.unwrap_or_else(|| "signal".into());
                        heard.add(format!("exit {name} {}", signal.reason));
                    }
                }
            }
            Ok(())
        }
    };
    let child = child(body).named(name).restart(RestartType::Temporary);
    Player { address: system.spawn_child(child).unwrap(), heard }
}

/// One thing that a process does, or that is done to it. Numbers name processes.
#[derive(Clone, Copy, Debug)]
enum Act {
    Link(usize, usize),
    Unlink(usize, usize),
    Monitor(usize, usize),
    /// Takes back a monitor: one of all that were ever made.
    Demonitor(usize, usize),
    Trap(usize, bool),
    /// Ends by itself.
    End(usize, bool),
    /// Is sent an exit signal, from outside or by a process, itself or another.
    Exit(usize, Option<usize>, Word),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Word {
    Normal,
    Oops,
    Killed,
}

impl Word {
    fn reason(self) -> ExitReason {
        match self {
            Word::Normal => ExitReason::Normal,
            Word::Oops => ExitReason::Error(Failure::new("oops")),
            Word::Killed => ExitReason::Killed,
        }
    }
}

const PLAYERS: usize = 5;
/// Virtual time passes only when nothing is left to do.
const MOMENT: Duration = Duration::from_millis(1);

fn any_act() -> impl Strategy<Value = Act> {
    let who = || 0..PLAYERS;
    let word = prop_oneof![Just(Word::Normal), Just(Word::Oops), Just(Word::Killed)];
    prop_oneof![
        6 => (who(), who()).prop_map(|(a, b)| Act::Link(a, b)),
        2 => (who(), who()).prop_map(|(a, b)| Act::Unlink(a, b)),
        5 => (who(), who()).prop_map(|(a, b)| Act::Monitor(a, b)),
        2 => (who(), 0..8_usize).prop_map(|(a, n)| Act::Demonitor(a, n)),
        3 => (who(), any::<bool>()).prop_map(|(a, traps)| Act::Trap(a, traps)),
        1 => (who(), any::<bool>()).prop_map(|(a, well)| Act::End(a, well)),
        2 => (who(), proptest::option::of(who()), word).prop_map(|(a, by, word)| Act::Exit(a, by, word)),
    ]
}

/// OTP's rules, in the most obvious way.
#[derive(Default)]
struct Model {
    ended: Vec<Option<String>>,
    traps: Vec<bool>,
    links: BTreeSet<(usize, usize)>,
    /// Owner, watched, and whether it is still to speak.
    monitors: Vec<(usize, usize, bool)>,
    heard: Vec<Vec<String>>,
}

impl Model {
    fn new() -> Model {
        let (ended, traps, heard) =
            (vec![None; PLAYERS], vec![false; PLAYERS], vec![vec![]; PLAYERS]);
        Model { ended, traps, heard, ..Model::default() }
    }

    fn lives(&self, who: usize) -> bool {
        self.ended[who].is_none()
    }

    fn pair(a: usize, b: usize) -> (usize, usize) {
        (a.min(b), a.max(b))
    }

    fn ends(&mut self, who: usize, reason: &str) {
        if !self.lives(who) {
            return;
        }
        self.ended[who] = Some(reason.to_owned());
        for number in 0..self.monitors.len() {
            let (owner, watched, open) = self.monitors[number];
            if open && watched == who {
                self.monitors[number].2 = false;
                self.hears(owner, format!("down {number} {reason}"));
            }
        }
        let linked: Vec<_> =
            (0..PLAYERS).filter(|other| self.links.remove(&Model::pair(who, *other))).collect();
        for other in linked {
            self.signal(other, &format!("p{who}"), reason, false);
        }
    }

    fn hears(&mut self, who: usize, text: String) {
        if self.lives(who) {
            self.heard[who].push(text);
        }
    }

    /// `firm`: it ends by it, whatever it is, unless it traps.
    fn signal(&mut self, who: usize, from: &str, reason: &str, firm: bool) {
        if self.lives(who) && self.traps[who] {
            self.hears(who, format!("exit {from} {reason}"));
        } else if reason != "normal" || firm {
            self.ends(who, reason);
        }
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Link(a, b) if self.lives(a) && a != b => {
                if self.lives(b) {
                    self.links.insert(Model::pair(a, b));
                } else {
                    self.signal(a, &format!("p{b}"), "no such process", false);
                }
            }
            Act::Unlink(a, b) if self.lives(a) => {
                self.links.remove(&Model::pair(a, b));
            }
            Act::Monitor(a, b) if self.lives(a) => {
                let number = self.monitors.len();
                self.monitors.push((a, b, self.lives(b)));
                if !self.lives(b) {
                    self.hears(a, format!("down {number} no such process"));
                }
            }
            Act::Demonitor(a, n) if self.lives(a) && !self.monitors.is_empty() => {
                let n = n % self.monitors.len();
                if self.monitors[n].0 == a {
                    self.monitors[n].2 = false;
                }
            }
            Act::Trap(a, traps) if self.lives(a) => self.traps[a] = traps,
            Act::End(a, well) => self.ends(a, if well { "normal" } else { "error: told to" }),
            Act::Exit(a, by, word) if by.is_none_or(|by| self.lives(by)) => {
                let reason = word.reason().to_string();
                if word == Word::Killed {
                    self.ends(a, &reason);
                } else {
                    self.signal(a, "signal", &reason, by == Some(a));
                }
            }
            _ => {}
        }
    }
}

/// Does it for real. What a process does that has ended is not done.
fn perform(
    players: &[Player],
    monitors: &Arc<Mutex<Vec<(usize, Monitor)>>>,
    act: Act,
    number: usize,
) {
    let (by, job): (usize, Job) = match act {
        Act::Link(a, b) => {
            let other = players[b].address.clone();
            (a, Box::new(move |cx| cx.link(&other)))
        }
        Act::Unlink(a, b) => {
            let other = players[b].address.clone();
            (a, Box::new(move |cx| cx.unlink(&other)))
        }
        Act::Monitor(a, b) => {
            let (other, monitors) = (players[b].address.clone(), monitors.clone());
            let watch = move |cx: &mut Context<Hear>| {
                let monitor = cx.monitor(&other, move |down| Hear::Down(number, down));
                monitors.lock().unwrap().push((a, monitor));
            };
            (a, Box::new(watch))
        }
        Act::Demonitor(a, n) => {
            let monitors = monitors.clone();
            let take_back = move |cx: &mut Context<Hear>| {
                let known = monitors.lock().unwrap();
                if let Some((owner, monitor)) = known.get(n % known.len().max(1)) {
                    assert_eq!(cx.demonitor(*monitor).is_err(), *owner != a);
                }
            };
            (a, Box::new(take_back))
        }
        Act::Trap(a, true) => (a, Box::new(|cx| cx.trap_exit(Hear::Exit))),
        Act::Trap(a, false) => (a, Box::new(Context::untrap_exit)),
        Act::End(a, well) => {
            let exit = if well { Exit::with(ExitReason::Normal) } else { Exit::error("told to") };
            let _ = players[a].address.tell(Hear::End(exit));
            return;
        }
        Act::Exit(a, None, word) => {
            players[a].address.exit(word.reason());
            return;
        }
        Act::Exit(a, Some(by), word) => {
            let other = players[a].address.clone();
            let exit = move |_: &mut Context<Hear>| {
                other.exit(word.reason());
            };
            (by, Box::new(exit))
        }
    };
    let _ = players[by].address.tell(Hear::Do(job));
}

fn check(acts: &[Act], seed: u64) {
    let sim = Sim::new(seed);
    sim.run(async {
        let system = System::new(Runtime::sim(&sim));
        let players: Vec<_> =
            (0..PLAYERS).map(|number| player(&system, &format!("p{number}"))).collect();
        let (monitors, mut model) = (Arc::default(), Model::new());
        sim.sleep(MOMENT).await;
        for (at, act) in acts.iter().enumerate() {
            perform(&players, &monitors, *act, model.monitors.len());
            model.act(*act);
            sim.sleep(MOMENT).await;
            for (number, player) in players.iter().enumerate() {
                let (mut heard, mut expected) =
                    (player.heard.take(), std::mem::take(&mut model.heard[number]));
                heard.sort();
                expected.sort();
                assert_eq!(
                    player.address.has_ended(),
                    !model.lives(number),
                    "p{number} after {at}: {act:?}"
                );
                if model.lives(number) {
                    assert_eq!(heard, expected, "p{number} after {at}: {act:?}");
                }
            }
        }
        for (player, ended) in players.iter().zip(&model.ended) {
            if let Some(reason) = ended {
                assert_eq!(player.address.ended().await.to_string(), *reason);
            }
        }
        system.stop(Duration::from_secs(5)).await;
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_processes_hear_and_what_ends_them_is_what_otp_says(acts in vec(any_act(), 0..60), seed in any::<u64>()) {
        check(&acts, seed);
    }
}

/// Row 199 with a hundred watchers and a hundred who end, all at the same time.
#[cfg(feature = "executor")]
#[test]
fn each_watch_speaks_once() {
    const MANY: usize = 100;
    let executor = bastion_executor::Executor::builder().workers(2).build().unwrap();
    executor.run(async {
        let system = System::new(Runtime::executor());
        let watched: Vec<_> = (0..MANY).map(|n| player(&system, &format!("watched {n}"))).collect();
        let watchers: Vec<_> =
            (0..MANY).map(|n| player(&system, &format!("watcher {n}"))).collect();
        let addresses: Arc<[_]> = watched.iter().map(|player| player.address.clone()).collect();
        // Nobody waits for anybody: the workers do both as they like.
        for (watcher, player) in watchers.iter().zip(&watched) {
            let all = addresses.clone();
            let watch = move |cx: &mut Context<Hear>| {
                for (number, other) in all.iter().enumerate() {
                    cx.monitor(other, move |down| Hear::Down(number, down));
                }
            };
            watcher.address.tell(Hear::Do(Box::new(watch))).unwrap();
            player.address.tell(Hear::End(Exit::with(ExitReason::Normal))).unwrap();
        }
        for player in &watched {
            player.address.ended().await;
        }
        for watcher in &watchers {
            let done = watcher.address.ask(|reply| Hear::Do(Box::new(move |_| reply.send(()))));
            done.await.unwrap();
            let mut numbers: Vec<usize> = (watcher.heard.take().iter())
                .map(|entry| entry.split(' ').nth(1).unwrap().parse().unwrap())
                .collect();
            numbers.sort_unstable();
            assert_eq!(numbers, (0..MANY).collect::<Vec<_>>());
        }
        system.stop(Duration::from_secs(5)).await;
    });
}

/// Two who are linked and end at the same time, again and again: both end, each once, and nothing of them stays.
#[cfg(feature = "executor")]
#[test]
fn links_that_are_made_and_ended_at_the_same_time_leave_nobody_behind() {
    let executor = bastion_executor::Executor::builder().workers(2).build().unwrap();
    executor.run(async {
        let system = System::new(Runtime::executor());
        for round in 0..2000 {
            let (a, b) =
                (player(&system, &format!("a{round}")), player(&system, &format!("b{round}")));
            let (to_a, to_b) = (a.address.clone(), b.address.clone());
            a.address.tell(Hear::Do(Box::new(move |cx| cx.link(&to_b)))).unwrap();
            b.address.tell(Hear::Do(Box::new(move |cx| cx.link(&to_a)))).unwrap();
            if round % 2 == 0 {
                b.address.exit(ExitReason::Error(Failure::new("oops")));
            }
            a.address.exit(ExitReason::Error(Failure::new("oops")));
            a.address.ended().await;
            // Linked or not: at the latest by its own link it ends.
            if round % 2 == 1 {
                let last = a.address.clone();
                let _ = b.address.tell(Hear::Do(Box::new(move |cx| cx.link(&last))));
            }
            b.address.ended().await;
        }
        system.stop(Duration::from_secs(5)).await;
    });
}
