//! What every simulation keeps to, whatever the order, the machine and the workload.

use super::calendar::Calendar;
use super::compare::{Job, Machine, machines};
use super::costs::Costs;
use super::idle::Idle;
use super::rules::{BASTION, FOUR_THIEVES, ORDERS, RANDOM, RING, Rules, VARIANTS, named};
use super::seats::Seats;
use super::sim::Sim;
use super::tally::Tally;
use super::workloads::{Arrival, Kind, Poll, Shape, Then, WORKLOADS, Workload};
use bastion_executor::Topology;
use bastion_executor::placement::{Placement, Request};

/// Small machines of every kind, with more and with fewer workers than there are places to look.
const SMALL: [&str; 5] = [
    "core:1",
    "core:4",
    "l3:2 core:2 pu:2",
    "node:2 l3:1 core:2 pu:2 distance:10,21/21,10",
    "pack:2 node:2 core:2 distance:10,12,20,32/12,10,32,20/20,32,10,12/32,20,12,10",
];

fn machine(text: &str) -> Machine {
    machines(&[text.to_owned()], "numa-balanced").unwrap().remove(0)
}

fn kind(name: &str) -> Kind {
    *WORKLOADS.iter().find(|kind| kind.name == name).unwrap()
}

fn simulate(text: &str, kind: Kind, rules: &Rules, costs: &Costs, seed: u64) -> Tally {
    let machine = machine(text);
    Job { machine: &machine, kind, footprint: None, seed }.simulate(rules, costs)
}

/// Runs to the end and looks after every event; says whether work was ever neglected.
fn is_ever_neglected(text: &str, kind: Kind, rules: &Rules) -> bool {
    let topology: Topology = text.parse().unwrap();
    let plan = Request::new().policy(Placement::NumaBalanced).plan(&topology).unwrap();
    let (seats, costs) = (Seats::new(&topology, &plan, rules), Costs::default());
    let (workers, nodes) = (seats.workers.len(), seats.nodes());
    let shape = Shape { workers, nodes, footprint: None, seed: 1 };
    let mut sim = Sim::new(&seats, rules, &costs, (kind.make)(shape), 1);
    let mut neglected = false;
    while sim.step() {
        neglected |= sim.is_neglected();
        assert!(sim.idle.iter().all(|idle| idle.remote_thieves <= rules.remote_thieves));
    }
    assert_eq!(sim.waiting, 0, "nothing waits at the end");
    let asleep: usize = sim.idle.iter().map(|idle| idle.sleepers.len()).sum();
    assert_eq!(asleep, seats.workers.len(), "and everybody sleeps");
    assert!(sim.idle.iter().all(|idle| idle.searching == 0 && idle.remote_thieves == 0));
    assert!(sim.busy.iter().all(|busy| *busy == 0));
    neglected
}

#[test]
fn every_due_process_is_polled_once_and_nothing_is_lost() {
    let costs = Costs::default();
    for rules in ORDERS.iter().chain(VARIANTS) {
        for text in SMALL {
            for kind in WORKLOADS {
                let tally = simulate(text, *kind, rules, &costs, 1);
                assert_eq!(tally.dues, tally.polls, "{} on {text}: {}", kind.name, rules.name);
                assert!(tally.taken_near <= tally.taken && tally.far_lines <= tally.lines);
            }
        }
    }
}

#[test]
fn nobody_sleeps_while_work_waits_that_nobody_looks_for() {
    for rules in ORDERS {
        for text in SMALL {
            for kind in WORKLOADS {
                assert!(
                    !is_ever_neglected(text, *kind, &rules),
                    "{} on {text}: {}",
                    kind.name,
                    rules.name
                );
            }
        }
    }
}

#[test]
fn the_last_searcher_has_to_pass_on_what_waits_elsewhere() {
    let rules = named("not-passed-on").unwrap();
    let is_neglected =
        |text: &&str| WORKLOADS.iter().any(|kind| is_ever_neglected(text, *kind, &rules));
    assert!(SMALL.iter().any(is_neglected), "without that rule work is neglected");
}

#[test]
fn every_rule_makes_a_difference_somewhere() {
    let costs = Costs::default();
    let machine = machine("pack:2 node:2 l3:2 core:4 pu:2");
    for rules in ORDERS[1..].iter().chain(VARIANTS) {
        let differs = |kind: &Kind| {
            let job = Job { machine: &machine, kind: *kind, footprint: None, seed: 1 };
            job.simulate(rules, &costs) != job.simulate(&BASTION, &costs)
        };
        assert!(WORKLOADS.iter().any(differs), "{}", rules.name);
    }
}

#[test]
fn one_seed_gives_one_result() {
    let costs = Costs::default();
    let text = "node:2 l3:1 core:2 pu:2";
    for kind in WORKLOADS {
        for rules in [BASTION, RANDOM] {
            let run = |seed| simulate(text, *kind, &rules, &costs, seed);
            assert_eq!(run(1), run(1), "{}", kind.name);
        }
    }
    let run = |seed| simulate(text, kind("all-to-all"), &BASTION, &costs, seed);
    assert_ne!(run(1), run(2));
}

#[test]
fn a_machine_is_no_faster_than_its_cores_and_no_slower_than_one() {
    let costs = Costs::default();
    for kind in WORKLOADS {
        for rules in [BASTION, RING] {
            let shape = Shape { workers: 4, nodes: 1, footprint: None, seed: 1 };
            let on = |text: &str| {
                let topology: Topology = text.parse().unwrap();
                let plan = Request::new().policy(Placement::Compact).plan(&topology).unwrap();
                let seats = Seats::new(&topology, &plan, &rules);
                Sim::new(&seats, &rules, &costs, (kind.make)(shape), 1).run()
            };
            let (one, four) = (on("core:1"), on("core:4"));
            let name = format!("{}, {}", kind.name, rules.name);
            assert!(four.makespan_ns * 4 >= four.work_ns, "{name}");
            assert!(one.makespan_ns >= one.work_ns, "{name}");
            assert!(four.makespan_ns <= one.makespan_ns, "{name}: {four:?} {one:?}");
            assert_eq!((one.work_ns, one.taken_near), (four.work_ns, one.taken), "{name}");
        }
    }
}

#[test]
fn where_nothing_is_far_the_orders_are_the_same_schedule() {
    let costs = Costs::default();
    for kind in WORKLOADS {
        let run = |rules| simulate("core:6", *kind, &rules, &costs, 1);
        assert_eq!(run(BASTION), run(RING), "{}", kind.name);
        assert_eq!(run(BASTION), run(FOUR_THIEVES), "{}", kind.name);
    }
}

/// Without distance only the domains themselves are left of our order. (In `groups` and `all-to-all` orders differ by luck.)
#[test]
fn where_distance_costs_nothing_only_tiny_polls_are_slower_by_domains() {
    let free = Costs {
        line_l2_ns: 0,
        line_llc_ns: 0,
        line_node_ns: 0,
        wake_up_far_ns: 0,
        ..Costs::default()
    };
    let text = "node:2 l3:1 core:4 distance:10,40/40,10";
    let times_ring = |name, seed| {
        let run = |rules| simulate(text, kind(name), &rules, &free, seed).makespan_ns as f64;
        run(BASTION) / run(RING)
    };
    for seed in 1..=3 {
        for name in ["fork-join", "sessions", "hot-node", "flood", "imbalance"] {
            let times = times_ring(name, seed);
            assert!((0.98..1.02).contains(&times), "{name}: {times}");
        }
    }
    // A wake-up takes longer than what is to be done, and a thief leaves what another node's own sleepers are woken for.
    let times = times_ring("tiny", 1);
    assert!((1.1..1.3).contains(&times), "{times}");
}

#[test]
fn data_stay_on_their_node_in_our_order() {
    let costs = Costs::default();
    let text = "node:2 l3:1 core:8 distance:10,21/21,10";
    let [ours, ring] =
        [BASTION, RING].map(|rules| simulate(text, kind("sessions"), &rules, &costs, 1));
    let far = |tally: &Tally| tally.far_line_share().unwrap();
    assert!(far(&ours) < 0.02 && far(&ring) > 0.3, "{} and {}", far(&ours), far(&ring));
    assert!(ours.near_share() > Some(0.95) && ring.near_share() < Some(0.7));
    assert!(ours.inflation() < ring.inflation());
    let far_wakes = |text| simulate(text, kind("imbalance"), &BASTION, &costs, 1).far_wake_ups;
    assert!(far_wakes(text) > 0 && far_wakes("core:16") == 0);
}

#[test]
fn a_footprint_is_what_makes_the_place_matter() {
    let machine = machine("node:2 core:4 distance:10,30/30,10");
    let data_ns = |footprint| {
        let job = Job { machine: &machine, kind: kind("groups"), footprint, seed: 1 };
        job.simulate(&RING, &Costs::default()).data_ns
    };
    assert_eq!(data_ns(Some(0)), 0);
    assert!(data_ns(Some(1_000)) > 2 * data_ns(Some(100)));
}

#[test]
fn a_thief_pays_for_a_look_at_each_queue_of_a_busy_domain() {
    let topology: Topology = "node:2 l3:1 core:2 distance:10,21/21,10".parse().unwrap();
    let plan = Request::new().policy(Placement::NumaBalanced).plan(&topology).unwrap();
    let (seats, costs) = (Seats::new(&topology, &plan, &BASTION), Costs::default());
    let takes_ns = |is_busy: bool| {
        let mut sim = Sim::new(&seats, &BASTION, &costs, Box::new(Two { left: 2 }), 1);
        sim.calendar = Calendar::default();
        if is_busy {
            sim.idle[1].sleepers.clear();
        }
        sim.look(0, 1, 0, None);
        sim.calendar.next();
        sim.calendar.now
    };
    assert_eq!(takes_ns(false), 210, "its idle word says that it needs no help");
    assert_eq!(takes_ns(true), 210 + 2 * 4, "its injector, and two queues that have not changed");
}

#[test]
fn a_push_calls_the_last_sleeper_of_another_domain_though_one_is_near() {
    // Domains that share a cache: PUs without a node are one of their own.
    let topology: Topology = "l3:2 core:3 homeless:2-5".parse().unwrap();
    let plan = Request::new().policy(Placement::Compact).plan(&topology).unwrap();
    let (seats, costs) = (Seats::new(&topology, &plan, &BASTION), Costs::default());
    let is_near = |worker: &&usize| seats.workers[**worker].llc == seats.workers[0].llc;
    assert!(seats.members[1].iter().filter(is_near).eq(&[2]));
    let mut sim = Sim::new(&seats, &BASTION, &costs, Box::new(Two { left: 2 }), 1);
    sim.notify(0, &seats.workers[0], Some(0));
    assert_eq!(sim.idle[0].sleepers, [0], "at home it is the nearest");
    sim.idle[0] = Idle::default();
    sim.notify(0, &seats.workers[0], Some(0));
    assert_eq!(sim.idle[1].sleepers, [2, 3, 4]);
}

/// Two jobs of 100 and 50 us; the second one comes 10 us later.
struct Two {
    left: usize,
}

impl Workload for Two {
    fn processes(&self) -> usize {
        2
    }

    fn arrivals(&self) -> Vec<Arrival> {
        [0, 1].map(|process| Arrival { at_ns: 10_000 * process as u64, node: 0, process }).to_vec()
    }

    fn poll(&mut self, process: usize) -> Poll {
        self.left -= 1;
        Poll::new([100_000, 50_000][process], 0, Then::End)
    }

    fn left(&self) -> usize {
        self.left
    }
}

#[test]
fn threads_of_a_core_are_slow_while_both_are_busy() {
    let makespan_us = |text: &str| {
        let topology: Topology = text.parse().unwrap();
        let plan = Request::new().policy(Placement::Compact).plan(&topology).unwrap();
        let (seats, costs) = (Seats::new(&topology, &plan, &BASTION), Costs::default());
        Sim::new(&seats, &BASTION, &costs, Box::new(Two { left: 2 }), 1).run().makespan_ns / 1_000
    };
    assert_eq!(makespan_us("core:2"), 105, "5 us to wake up");
    // The second job takes 50 / 0.62 us, in which the first one does 50, with 10 us before and 40 after.
    assert!((135..=137).contains(&makespan_us("core:1 pu:2")), "{}", makespan_us("core:1 pu:2"));
}

#[test]
fn machines_with_bare_nodes_are_simulated() {
    let costs = Costs::default();
    for kind in WORKLOADS {
        let tally = simulate("node:3 core:2 allowed:2-3", *kind, &BASTION, &costs, 1);
        assert_eq!((tally.workers, tally.dues), (2, tally.polls));
    }
}
