//! Names and groups in simulations: random operations against a model in plain values; systems beside each other; values that use the names.

use bastion_supervision::plan::{self, Backoff, ExitReason, RestartType};
use bastion_supervision::{
    Address, Child, Context, Exit, NameError, Names, Runtime, Sim, Supervisor, System, child,
};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

#[derive(Clone)]
enum Hear {
    End,
    Crash,
    News,
}

/// One that is started again when it crashes.
fn new_player() -> Child<Hear> {
    let body = |mut cx: Context<Hear>| async move {
        while let Some(message) = cx.recv().await {
            match message {
                Hear::End => return Ok(()),
                Hear::Crash => return Err(Exit::error("told to")),
                Hear::News => {}
            }
        }
        Ok(())
    };
    child(body).restart(RestartType::Transient).backoff(Backoff::immediate())
}

/// One whose messages are others.
fn new_deaf() -> Child<u8> {
    let body = |cx: Context<u8>| async move {
        cx.stop_signal().requested().await;
        Ok(())
    };
    child(body).restart(RestartType::Temporary)
}

const PLAYERS: usize = 4;
const NAMES: usize = 3;
/// Virtual time passes only when nothing is left to do.
const MOMENT: Duration = Duration::from_millis(1);

/// The first number is a process, the second a name or a group.
#[derive(Clone, Copy, Debug)]
enum Act {
    Register(usize, usize, Option<u8>),
    Unregister(usize, usize),
    SetValue(usize, usize, u8),
    Join(usize, usize),
    Leave(usize, usize),
    Publish(usize),
    Crash(usize),
    /// It ends for good, and another comes in its place.
    End(usize, bool),
}

fn any_act() -> impl Strategy<Value = Act> {
    let (who, name) = (|| 0..PLAYERS, || 0..NAMES);
    let value = || proptest::option::of(any::<u8>());
    prop_oneof![
        6 => (who(), name(), value()).prop_map(|(who, name, value)| Act::Register(who, name, value)),
        2 => (who(), name()).prop_map(|(who, name)| Act::Unregister(who, name)),
        2 => (who(), name(), any::<u8>()).prop_map(|(who, name, value)| Act::SetValue(who, name, value)),
        5 => (who(), name()).prop_map(|(who, group)| Act::Join(who, group)),
        2 => (who(), name()).prop_map(|(who, group)| Act::Leave(who, group)),
        2 => name().prop_map(Act::Publish),
        2 => who().prop_map(Act::Crash),
        2 => (who(), any::<bool>()).prop_map(|(who, killed)| Act::End(who, killed)),
    ]
}

/// The rules, in the most obvious way. The last process has other messages.
#[derive(Default)]
struct Model {
    names: BTreeMap<usize, (usize, Option<u8>)>,
    /// Group and process, in the order in which they joined.
    members: Vec<(usize, usize)>,
}

impl Model {
    fn ends(&mut self, who: usize) {
        self.names.retain(|_, (holder, _)| *holder != who);
        self.members.retain(|(_, member)| *member != who);
    }

    fn members(&self, group: usize) -> impl Iterator<Item = usize> {
        let of_it = self.members.iter().filter(move |(known, _)| *known == group);
        of_it.map(|(_, member)| *member)
    }
}

fn key(name: usize) -> String {
    format!("name {name}")
}

struct World {
    system: System,
    names: Names,
    players: Vec<Address<Hear>>,
    deaf: Address<u8>,
    model: Model,
}

impl World {
    fn new(sim: &Sim) -> World {
        let system = System::new(Runtime::sim(sim));
        let players = (0..PLAYERS - 1).map(|_| system.spawn_child(new_player()).unwrap()).collect();
        let deaf = system.spawn_child(new_deaf()).unwrap();
        World { names: system.names(), system, players, deaf, model: Model::default() }
    }

    /// Does something with the address of a process, whatever its type.
    fn register(&self, who: usize, name: usize, value: Option<u8>) -> Result<(), NameError> {
        let key = key(name);
        match (self.players.get(who), value) {
            (Some(player), None) => self.names.register(key, player),
            (Some(player), Some(value)) => self.names.register_with(key, player, value),
            (None, None) => self.names.register(key, &self.deaf),
            (None, Some(value)) => self.names.register_with(key, &self.deaf, value),
        }
    }

    fn taken(&self, by: usize) -> NameError {
        let pid = self.players.get(by).map_or(self.deaf.pid(), Address::pid);
        NameError::Taken { holder: pid.expect("it was started") }
    }

    async fn act(&mut self, act: Act) {
        match act {
            Act::Register(who, name, value) => {
                let expected = match self.model.names.get(&name) {
                    Some((holder, _)) => Err(self.taken(*holder)),
                    None => Ok(()),
                };
                assert_eq!(self.register(who, name, value), expected);
                self.model.names.entry(name).or_insert((who, value));
            }
            Act::Unregister(who, name) => {
                let done = match self.players.get(who) {
                    Some(player) => self.names.unregister(&key(name), player),
                    None => self.names.unregister(&key(name), &self.deaf),
                };
                let holds = self.model.names.get(&name).is_some_and(|(holder, _)| *holder == who);
                assert_eq!(done, holds);
                if holds {
                    self.model.names.remove(&name);
                }
            }
            Act::SetValue(who, name, value) => {
                let done = match self.players.get(who) {
                    Some(player) => self.names.set_value(&key(name), player, value),
                    None => self.names.set_value(&key(name), &self.deaf, value),
                };
                let expected = match self.model.names.get(&name) {
                    Some((holder, _)) if *holder == who => Ok(()),
                    Some((holder, _)) => Err(self.taken(*holder)),
                    None => Err(NameError::Unknown),
                };
                assert_eq!(done, expected);
                if done.is_ok() {
                    self.model.names.insert(name, (who, Some(value)));
                }
            }
            Act::Join(..) | Act::Leave(..) | Act::Publish(_) => self.act_on_group(act),
            Act::Crash(who) => {
                if let Some(player) = self.players.get(who) {
                    player.tell(Hear::Crash).unwrap();
                }
            }
            Act::End(who, killed) => self.end(who, killed).await,
        }
    }

    fn act_on_group(&mut self, act: Act) {
        match act {
            Act::Join(who, group) => {
                let joined = match self.players.get(who) {
                    Some(player) => self.names.join(key(group), player),
                    None => self.names.join(key(group), &self.deaf),
                };
                let is_new = !self.model.members.contains(&(group, who));
                assert_eq!(joined, Ok(is_new));
                if is_new {
                    self.model.members.push((group, who));
                }
            }
            Act::Leave(who, group) => {
                let left = match self.players.get(who) {
                    Some(player) => self.names.leave(&key(group), player),
                    None => self.names.leave(&key(group), &self.deaf),
                };
                assert_eq!(left, self.model.members.contains(&(group, who)));
                self.model.members.retain(|member| *member != (group, who));
            }
            Act::Publish(group) => {
                let published = self.names.publish(&key(group), Hear::News);
                let expected = self.model.members(group).filter(|who| *who < self.players.len());
                assert_eq!((published.accepted, published.refused), (expected.count(), 0));
            }
            _ => unreachable!("not of a group"),
        }
    }

    async fn end(&mut self, who: usize, killed: bool) {
        let Some(player) = self.players.get_mut(who) else { return };
        let last = std::mem::replace(player, self.system.spawn_child(new_player()).unwrap());
        if killed {
            // What it does not survive is a crash: it is started again, and then told to end.
            last.exit(ExitReason::Killed);
        }
        last.tell(Hear::End).unwrap();
        last.ended().await;
        self.model.ends(who);
        assert_eq!(self.names.names_of(&last), []);
        assert_eq!(self.names.register("ended", &last), Err(NameError::Ended));
        assert_eq!(self.names.join("ended", &last), Err(NameError::Ended));
    }

    fn check(&self) {
        for name in 0..NAMES {
            let holder = self.model.names.get(&name);
            let pid = holder
                .and_then(|(who, _)| self.players.get(*who).map_or(self.deaf.pid(), Address::pid));
            assert_eq!(self.names.pid(&key(name)), pid);
            let value = holder.and_then(|(_, value)| *value);
            assert_eq!(self.names.value(&key(name)).as_deref(), value.as_ref());
            match (holder, self.names.find::<Hear>(&key(name))) {
                (None, found) => assert_eq!(found, Err(NameError::Unknown)),
                (Some((who, _)), Ok(found)) => assert_eq!(self.players.get(*who), Some(&found)),
                (Some((who, _)), Err(error)) => {
                    assert_eq!(*who, self.players.len());
                    assert!(
                        matches!(error, NameError::OtherType { asked, .. } if asked.ends_with("Hear"))
                    );
                }
            }
            let members = self.model.members(name).filter_map(|who| self.players.get(who));
            let members: Vec<_> = members.cloned().collect();
            assert_eq!(self.names.members::<Hear>(&key(name)), members);
            let deaf = self.model.members(name).filter(|who| *who == self.players.len());
            assert_eq!(self.names.members::<u8>(&key(name)).len(), deaf.count());
        }
        for (who, player) in self.players.iter().enumerate() {
            let names = self.model.names.iter().filter(|(_, (holder, _))| *holder == who);
            let names: Vec<_> = names.map(|(name, _)| key(*name).into()).collect();
            assert_eq!(self.names.names_of(player), names);
        }
        let groups = (0..NAMES).filter(|group| self.model.members(*group).next().is_some());
        let groups: Vec<_> = groups.map(|group| key(group).into()).collect();
        assert_eq!(self.names.groups(), groups);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn names_and_groups_are_what_the_model_says(acts in vec(any_act(), 0..60), seed in any::<u64>()) {
        let sim = Sim::new(seed);
        sim.run(async {
            let mut world = World::new(&sim);
            for act in acts {
                world.act(act).await;
                // Before whoever is to be started again is, and after it.
                world.check();
                sim.sleep(MOMENT).await;
                world.check();
            }
            world.system.stop(Duration::from_secs(5)).await;
            world.model = Model::default();
            world.check();
        });
    }
}

#[test]
fn systems_do_not_see_each_others_names() {
    let sim = Sim::new(1);
    sim.run(async {
        let (here, there) = (System::new(Runtime::sim(&sim)), System::new(Runtime::sim(&sim)));
        let (a, b) =
            (here.spawn_child(new_player()).unwrap(), there.spawn_child(new_player()).unwrap());
        here.names().register_with("name", &a, 1_u8).unwrap();
        here.names().join("group", &a).unwrap();
        assert_eq!(there.names().find::<Hear>("name"), Err(NameError::Unknown));
        assert_eq!(there.names().register("name", &b), Ok(()));
        // Nobody is taken for one of the other system.
        for name in ["name", "other"] {
            assert_eq!(there.names().register(name, &a), Err(NameError::NotHere));
        }
        assert_eq!(there.names().join("group", &a), Err(NameError::NotHere));
        assert!(!there.names().unregister("name", &a));
        assert!(!there.names().leave("group", &a));
        assert!(there.names().set_value("name", &a, 2_u8).is_err());
        assert_eq!(there.names().names_of(&a), []);
        assert_eq!(here.names().value("name").as_deref(), Some(&1_u8));
        assert_eq!(here.names().find("name"), Ok(a.clone()));
        assert_eq!(here.names().members("group"), vec![a]);
    });
}

/// Guards against a supervisor that takes the name again when it hears of a child that was spawned.
#[test]
fn a_name_that_is_given_back_at_once_stays_free() {
    for seed in 0..20 {
        let sim = Sim::new(seed);
        sim.run(async {
            let system = System::new(Runtime::sim(&sim));
            let gives_back = child(|cx: Context<()>| {
                assert!(cx.names().unregister("name", &cx.address()));
                async move {
                    cx.stop_signal().requested().await;
                    Ok(())
                }
            });
            let child = gives_back.registered("name").restart(RestartType::Temporary);
            let address = system.spawn_child(child).unwrap();
            sim.sleep(MOMENT).await;
            assert!(!address.has_ended());
            assert_eq!(system.names().pid("name"), None, "seed {seed}");
        });
    }
}

#[test]
fn nothing_is_left_of_names_when_their_system_is_dropped() {
    let sim = Sim::new(1);
    sim.run(async {
        let (system, token) = (System::new(Runtime::sim(&sim)), Arc::new(()));
        let (names, a) = (system.names(), system.spawn_child(new_player()).unwrap());
        // In a circle: the value leads to the process, and that to the names.
        names.register_with("name", &a, (token.clone(), a.clone())).unwrap();
        names.join("group", &a).unwrap();
        drop((system, a));
        sim.sleep(MOMENT).await;
        assert_eq!(Arc::strong_count(&token), 1);
        assert_eq!((names.pid("name"), names.groups().len()), (None, 0));
    });
}

#[test]
fn a_process_that_is_stopped_and_kept_keeps_its_name() {
    let sim = Sim::new(1);
    sim.run(async {
        let system = System::new(Runtime::sim(&sim));
        let (names, other) = (system.names(), system.spawn_child(new_player()).unwrap());
        let s = system.supervise(Supervisor::new("s")).await.unwrap();
        let a = s.start_child(new_player().named("a").registered("name")).await.unwrap();
        names.join("group", &a).unwrap();
        s.stop_child("a").await.unwrap();
        assert_eq!(names.find("name"), Ok(a.clone()));
        assert!(names.register("name", &other).is_err());
        let published = names.publish("group", Hear::News);
        assert_eq!(published.accepted + published.refused, 1);
        s.restart_child("a").await.unwrap();
        assert_eq!((a.incarnation(), names.names_of(&a).len()), (2, 1));
        s.stop_child("a").await.unwrap();
        s.delete_child("a").await.unwrap();
        assert_eq!(names.register("name", &other), Ok(()));
        assert_eq!(names.groups(), []);
    });
}

/// A description holds for each start, also of a child that somebody has waited for.
#[test]
fn a_name_that_was_given_back_is_taken_again_by_the_next_start() {
    let sim = Sim::new(1);
    sim.run(async {
        let system = System::new(Runtime::sim(&sim));
        let pool = system.supervise(Supervisor::dynamic("pool")).await.unwrap();
        let a = pool.start_child(new_player().registered("name")).await.unwrap();
        assert!(system.names().unregister("name", &a));
        a.tell(Hear::Crash).unwrap();
        sim.sleep(MOMENT).await;
        assert_eq!(system.names().find("name"), Ok(a));
    });
}

/// It has its name as soon as its supervisor has it, also while that waits for an elder sibling.
#[test]
fn an_added_child_is_found_before_it_is_started() {
    let sim = Sim::new(1);
    sim.run(async {
        let system = System::new(Runtime::sim(&sim));
        let s = Supervisor::new("s").strategy(plan::Strategy::OneForAll);
        let s = system.supervise(s).await.unwrap();
        let elder = child(|mut cx: Context<()>| async move {
            cx.recv().await;
            cx.ready();
            cx.recv().await;
            Ok(())
        });
        let elder = elder.gated();
        let (address, younger) = (elder.address(), new_player().registered("younger"));
        let (mut first, mut second) = (pin!(s.start_child(elder)), pin!(s.start_child(younger)));
        poll_fn(|task| Poll::Ready(first.as_mut().poll(task).is_ready())).await;
        poll_fn(|task| Poll::Ready(second.as_mut().poll(task).is_ready())).await;
        sim.sleep(MOMENT).await;
        let found = system.names().find::<Hear>("younger").unwrap();
        assert_eq!(found.incarnation(), 0, "it waits");
        address.tell(()).unwrap();
        first.await.unwrap();
        assert_eq!(second.await.unwrap(), found);
    });
}

/// A name that is taken is waited for: whoever is spawned for it tries again, as its rules say.
#[test]
fn a_spawned_child_whose_name_is_taken_is_started_when_it_is_free() {
    let sim = Sim::new(1);
    sim.run(async {
        let system = System::new(Runtime::sim(&sim));
        let leader = || new_player().registered("leader");
        let first = system.spawn_child(leader()).unwrap();
        let second = system.spawn_child(leader()).unwrap();
        for _ in 0..3 {
            sim.sleep(MOMENT).await;
        }
        assert_eq!(system.names().find("leader"), Ok(first.clone()));
        first.tell(Hear::End).unwrap();
        first.ended().await;
        sim.sleep(Duration::from_secs(60)).await;
        assert_eq!(system.names().find("leader"), Ok(second));
    });
}

/// Values are foreign: their destructors use the names themselves.
#[test]
fn values_are_dropped_where_names_can_be_asked() {
    struct Asks(Names, Address<Hear>);
    impl Drop for Asks {
        fn drop(&mut self) {
            self.0.pid("name");
            self.0.groups();
            self.0.names_of(&self.1);
            assert!(self.0.publish("group", Hear::News).accepted <= 1);
        }
    }
    let sim = Sim::new(1);
    sim.run(async {
        let system = System::new(Runtime::sim(&sim));
        let (a, names) = (system.spawn_child(new_player()).unwrap(), system.names());
        names.join("group", &a).unwrap();
        names.register_with("name", &a, Asks(names.clone(), a.clone())).unwrap();
        names.register_with("name", &a, Asks(names.clone(), a.clone())).unwrap_err();
        names.set_value("name", &a, Asks(names.clone(), a.clone())).unwrap();
        assert!(names.unregister("name", &a));
        names.register_with("name", &a, Asks(names.clone(), a.clone())).unwrap();
        a.tell(Hear::End).unwrap();
        a.ended().await;
        assert_eq!(names.pid("name"), None);
    });
}

#[test]
fn of_several_names_one_that_is_taken_leaves_the_others_free() {
    let sim = Sim::new(1);
    sim.run(async {
        let system = System::new(Runtime::sim(&sim));
        let pool = system.supervise(Supervisor::dynamic("pool")).await.unwrap();
        let first = pool.start_child(new_deaf().registered("taken")).await.unwrap();
        // It waits to try again.
        let hour = Duration::from_secs(3600);
        let both = new_player().registered("free").registered("taken");
        system.spawn_child(both.backoff(Backoff::linear(hour, hour))).unwrap();
        sim.sleep(Duration::from_secs(1)).await;
        assert_eq!(system.names().pid("free"), None);
        assert_eq!(system.names().pid("taken"), first.pid());
        system.stop(Duration::from_secs(1)).await;
    });
}
