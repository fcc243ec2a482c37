//! What holds for every request on every machine: described ones and random ones.

mod machines;

use std::collections::{BTreeMap, BTreeSet};

use bastion_executor::placement::{Cores, Placement, Plan, Request, Smt};
use bastion_executor::topology::{CpuSet, Pu, PuKind, Topology};
use proptest::prelude::*;

/// What is asked for.
#[derive(Clone, Debug)]
struct Wish {
    policy: Placement,
    workers: Option<usize>,
    smt: Smt,
    cores: Cores,
    reserve: usize,
}

impl Wish {
    /// Asks for a policy and a number of workers only.
    fn plain(policy: Placement, workers: usize) -> Self {
        let (smt, cores) = (Smt::default(), Cores::default());
        Self { policy, workers: Some(workers), smt, cores, reserve: 0 }
    }

    fn request(&self) -> Request {
        let request = Request::new().smt(self.smt).cores(self.cores).reserve_cores(self.reserve);
        request.policy(self.policy.clone()).workers(self.workers)
    }

    fn is_loose(&self) -> bool {
        matches!(self.policy, Placement::Unbound | Placement::PerNode)
    }

    /// The PUs that workers may get, by the words of the documentation.
    fn eligible(&self, topology: &Topology) -> CpuSet {
        if let Placement::Explicit(list) = &self.policy {
            return list.iter().copied().collect();
        }
        let pus = topology.pus();
        let is_reserved = |pu: &Pu| {
            let same_node = pus.iter().filter(|other| other.node == pu.node);
            let higher = same_node.filter(|other| other.core > pu.core).map(|other| other.core);
            higher.collect::<BTreeSet<_>>().len() < self.reserve
        };
        let is_wanted = |pu: &Pu| match self.cores {
            Cores::Any => true,
            Cores::Performance => pu.kind != PuKind::Efficiency,
            Cores::Efficiency => pu.kind != PuKind::Performance,
        };
        let left = pus.iter().filter(|pu| !is_reserved(pu) && is_wanted(pu));
        let mut begun = BTreeSet::new();
        let first = left.filter(|pu| begun.insert(pu.core) || self.smt != Smt::Avoid);
        first.map(|pu| pu.os).collect()
    }
}

fn policies(topology: &Topology) -> Vec<Placement> {
    let reversed = topology.pus().iter().rev().map(|pu| pu.os).collect();
    vec![
        Placement::Unbound,
        Placement::Compact,
        Placement::Spread,
        Placement::NumaBalanced,
        Placement::PerNode,
        Placement::Explicit(reversed),
    ]
}

/// Checks every promise for one machine and one wish, which may be one that cannot be granted.
fn check(topology: &Topology, wish: &Wish) {
    let result = wish.request().plan(topology);
    assert_eq!(result, wish.request().plan(topology), "equal input, equal plan");
    let eligible = wish.eligible(topology);
    let threads = topology.parallelism().unwrap_or(usize::MAX).min(eligible.len());
    let usual = if let Placement::Explicit(list) = &wish.policy { list.len() } else { threads };
    let workers = wish.workers.unwrap_or(usual);
    let fits = wish.is_loose() || workers <= eligible.len();
    assert_eq!(result.is_ok(), workers > 0 && fits && !eligible.is_empty(), "{wish:?}: {result:?}");
    let Ok(plan) = result else { return };
    assert_eq!((plan.workers.len(), &plan.policy), (workers, &wish.policy));
    assert!(plan.explain().to_string().lines().count() >= 4 + plan.domains.len());
    check_domains(topology, &plan);
    check_victims(topology, &plan);
    check_cpus(topology, wish, &plan, &eligible);
    match wish.policy {
        Placement::Spread | Placement::NumaBalanced => check_balance(topology, &plan, &eligible),
        Placement::PerNode if workers <= eligible.len() => {
            check_balance(topology, &plan, &eligible);
        }
        Placement::Compact => check_compact(topology, wish, &plan, &eligible),
        _ => {}
    }
    if wish.smt == Smt::Use && matches!(wish.policy, Placement::Compact | Placement::Spread) {
        check_together(topology, &plan, &eligible);
    }
}

fn check_domains(topology: &Topology, plan: &Plan) {
    let used: BTreeSet<usize> = plan.workers.iter().map(|place| place.domain).collect();
    assert_eq!(used, (0..plan.domains.len()).collect(), "every domain has a worker");
    for (own, domain) in plan.domains.iter().enumerate() {
        let all: BTreeSet<usize> = domain.others.iter().copied().chain([own]).collect();
        assert_eq!(all, used, "the others are all the others");
        assert_eq!(domain.others.len() + 1, used.len(), "each once");
        assert_eq!(domain.distances.len(), domain.others.len());
        let known: Vec<u32> = domain.distances.iter().flatten().copied().collect();
        assert!(known.is_sorted(), "nearest first");
        assert!(!domain.cpus.is_empty());
    }
    for pu in topology.pus() {
        let nearest = plan.nearest_domain(pu.os).expect("every PU is near something");
        let own = pu.node.map(|node| topology.nodes()[node].os);
        let is_in_use = own.is_some() && plan.domains.iter().any(|domain| domain.node == own);
        assert!(!is_in_use || plan.domains[nearest].node == own, "PU {}", pu.os);
    }
}

fn check_victims(topology: &Topology, plan: &Plan) {
    let node = |worker: usize| {
        let os = plan.domains[plan.workers[worker].domain].node?;
        topology.nodes().iter().position(|node| node.os == os)
    };
    // Where a cache spans nodes, who shares it is nearer than who shares the node.
    let spans = |set: &CpuSet| {
        let nodes = topology.pus().iter().filter(|pu| set.contains(pu.os)).map(|pu| pu.node);
        nodes.collect::<BTreeSet<_>>().len() > 1
    };
    let distance = topology.distance().filter(|_| !topology.llcs().iter().any(spans));
    for (worker, place) in plan.workers.iter().enumerate() {
        let victims: BTreeSet<usize> = place.victims.iter().copied().collect();
        assert_eq!(victims.len(), place.victims.len(), "no victim twice");
        let others = (0..plan.workers.len()).filter(|other| *other != worker);
        assert_eq!(victims, others.collect(), "all the others");
        let Some((own, distance)) = node(worker).zip(distance) else { continue };
        let of = |victim: &usize| node(*victim).map(|node| (node != own, distance[own][node]));
        let known: Vec<_> = place.victims.iter().filter_map(of).collect();
        assert!(known.is_sorted(), "worker {worker} steals from {:?}", place.victims);
    }
}

fn check_cpus(topology: &Topology, wish: &Wish, plan: &Plan, eligible: &CpuSet) {
    let (mut taken, mut cores) = (BTreeSet::new(), BTreeSet::new());
    for place in &plan.workers {
        let Some(cpus) = &place.cpus else {
            assert_eq!((&wish.policy, eligible), (&Placement::Unbound, &topology.allowed()));
            continue;
        };
        assert!(!cpus.is_empty() && cpus.iter().all(|os| eligible.contains(os)), "{wish:?}");
        match wish.policy {
            Placement::Unbound => assert_eq!(cpus, eligible),
            Placement::PerNode => assert_eq!(cpus, &plan.domains[place.domain].cpus),
            _ => {
                assert_eq!(cpus.len(), 1);
                assert!(taken.insert(cpus.clone()), "PU {cpus} is used twice: {wish:?}");
                let is_new = cores.insert(pu(topology, cpus.as_slice()[0]).core);
                let is_listed = matches!(wish.policy, Placement::Explicit(_));
                assert!(is_new || is_listed || wish.smt != Smt::Avoid, "a core is used twice");
            }
        }
    }
}

fn pu(topology: &Topology, os: u32) -> &Pu {
    topology.pus().iter().find(|pu| pu.os == os).expect("a PU of the machine")
}

/// The PU of every worker, under a policy that gives each one.
fn pus<'a>(topology: &'a Topology, plan: &Plan) -> Vec<&'a Pu> {
    let os = plan.workers.iter().map(|place| place.cpus.as_ref().expect("bound").as_slice()[0]);
    os.map(|os| pu(topology, os)).collect()
}

/// Workers and PUs of every node that has PUs for them, those without a node last.
fn shares(topology: &Topology, plan: &Plan, eligible: &CpuSet) -> Vec<(usize, usize)> {
    let mut shares: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
    let key = |os| pu(topology, os).node.unwrap_or(usize::MAX);
    for os in eligible.iter() {
        shares.entry(key(os)).or_default().1 += 1;
    }
    for cpus in plan.workers.iter().filter_map(|place| place.cpus.as_ref()) {
        shares.entry(key(cpus.as_slice()[0])).or_default().0 += 1;
    }
    shares.into_values().collect()
}

/// No node has two workers more than another one that has a PU left.
fn check_balance(topology: &Topology, plan: &Plan, eligible: &CpuSet) {
    let shares = shares(topology, plan, eligible);
    let most = shares.iter().map(|(workers, _)| *workers).max().unwrap_or(0);
    for (workers, pus) in &shares {
        assert!(most <= workers + 1 || workers == pus, "{shares:?}");
    }
}

/// No node has a worker before the ones with lower numbers are full; in a node first threads of cores come before second ones, unless
/// they are to be together, and fast cores before frugal ones.
fn check_compact(topology: &Topology, wish: &Wish, plan: &Plan, eligible: &CpuSet) {
    let shares = shares(topology, plan, eligible);
    if let Some(open) = shares.iter().position(|(workers, pus)| workers < pus) {
        assert!(shares[open + 1..].iter().all(|(workers, _)| *workers == 0), "{shares:?}");
    }
    let order = pus(topology, plan).into_iter().map(|pu| {
        let thread = if wish.smt == Smt::Use { 0 } else { pu.smt_rank };
        (pu.node.unwrap_or(usize::MAX), thread, pu.kind == PuKind::Efficiency)
    });
    assert!(order.is_sorted(), "{wish:?}: {plan:?}");
}

/// In a node no core begins while another one that has begun has a PU left. Of a core whose PUs have different homes nothing is promised.
fn check_together(topology: &Topology, plan: &Plan, eligible: &CpuSet) {
    let homes = |set: &CpuSet| set.iter().map(|os| pu(topology, os).node).collect::<BTreeSet<_>>();
    if topology.cores().iter().any(|core| homes(core).len() > 1) {
        return;
    }
    let mut last = BTreeMap::new();
    let mut taken: Vec<u32> = Vec::new();
    for pu in pus(topology, plan) {
        if let Some(core) = last.insert(pu.node, pu.core).filter(|core| *core != pu.core) {
            let mut left = topology.cores()[core].iter().filter(|os| eligible.contains(*os));
            assert!(left.all(|os| taken.contains(&os)), "core {core} is left half used");
        }
        taken.push(pu.os);
    }
}

#[test]
fn there_are_enough_machines() {
    let texts: BTreeSet<&str> = machines::all().map(|(text, _)| text).collect();
    assert!(texts.len() >= 40, "{}", texts.len());
}

#[test]
fn described_machines_with_few_and_many_workers() {
    for (_, topology) in machines::all() {
        let pus = topology.pus().len();
        // A plan for many workers takes long, for each of them lists all the others.
        let counts: Vec<usize> = match pus {
            0..=40 => (0..=8).chain([pus / 2, pus - 1, pus, pus + 1, pus * 2]).collect(),
            41..=100 => vec![7, pus, pus + 1],
            _ => vec![pus],
        };
        for workers in counts {
            for policy in policies(&topology) {
                check(&topology, &Wish::plain(policy, workers));
            }
            let auto = Request::new().workers(workers).plan(&topology);
            assert_eq!(auto.is_ok(), workers > 0, "the default policy always works");
        }
    }
}

#[test]
fn described_machines_with_preferences() {
    for (_, topology) in machines::all() {
        let workers = (topology.pus().len() > 40).then_some(24);
        let is_hybrid = topology.pus()[0].kind != PuKind::Uniform;
        let kinds = [Cores::Efficiency, Cores::Any, Cores::Performance];
        for cores in &kinds[..if is_hybrid { 3 } else { 1 }] {
            for smt in [Smt::Last, Smt::Avoid, Smt::Use] {
                for reserve in [0, 1, 2] {
                    for policy in policies(&topology) {
                        check(&topology, &Wish { policy, workers, smt, cores: *cores, reserve });
                    }
                }
            }
        }
    }
}

/// A machine's text form: levels of random width, with every adjustment at random.
fn random_machine() -> impl Strategy<Value = String> {
    let widths = (1..4_usize, 1..4_usize, 0..3_usize, 0..3_usize, 1..4_usize, 1..4_usize);
    let choices = prop::collection::vec(any::<bool>(), 9);
    let dice = prop::collection::vec(any::<u8>(), 200);
    (widths, choices, any::<prop::sample::Index>(), dice).prop_map(
        |((pack, node, l3, l2, core, pu), choices, one, dice)| {
            let level =
                |name: &str, n: usize| if n > 0 { format!("{name}:{n} ") } else { String::new() };
            let (pack_level, node_level) = (level("pack", pack), level("node", node));
            let [outside, shuffled, restricted, frugal, homeless, sized, numbered, far, quota] =
                choices[..]
            else {
                unreachable!("nine were made")
            };
            let outer = if outside { node_level + &pack_level } else { pack_level + &node_level };
            let inner = [level("l3", l3), level("l2", l2), level("core", core), level("pu", pu)];
            let mut text = outer + &inner.concat();
            let pus = pack * node * l3.max(1) * l2.max(1) * core * pu;
            let mut nodes = node * if outside { 1 } else { pack };
            let die = |index: usize| usize::from(dice[index % dice.len()]);
            let mut ids: Vec<usize> = (0..pus).collect();
            let mut add = |name: &str, list: &[usize]| text += &format!("{name}:{} ", join(list));
            let some = |ids: &[usize], salt: usize| -> Vec<usize> {
                ids.iter().copied().filter(|id| die(id * salt + 3) > 100).collect()
            };
            if shuffled {
                ids.sort_by_key(|id| (die(*id), *id));
                add("os", &ids);
            }
            if frugal {
                // A core has threads of one kind.
                let cores = ids.chunks(pu).zip(0..).filter(|(_, core)| die(core * 5 + 3) > 100);
                add("efficiency", &cores.flat_map(|(ids, _)| ids).copied().collect::<Vec<_>>());
            }
            if homeless {
                add("homeless", &some(&ids, 11));
            }
            if restricted {
                // At least one stays.
                let kept = one.index(pus);
                ids.retain(|id| *id == kept || die(id * 7 + 3) > 100);
                add("allowed", &ids);
            }
            if sized {
                // Up to two nodes of memory only.
                nodes += die(1) % 3;
                add("memory", &(0..nodes).map(|node| die(node) << 20).collect::<Vec<_>>());
            }
            if numbered {
                add("node-os", &(0..nodes).rev().map(|node| node * 3 + 1).collect::<Vec<_>>());
            }
            if quota {
                add("parallelism", &[1 + die(2) % 40]);
            }
            if far {
                let row =
                    |a: usize| join(&(0..nodes).map(|b| die(a * nodes + b)).collect::<Vec<_>>());
                text += &format!("distance:{} ", (0..nodes).map(row).collect::<Vec<_>>().join("/"));
            }
            text
        },
    )
}

fn random_wish() -> impl Strategy<Value = (usize, Option<f64>, Smt, Cores, usize)> {
    let smt = prop_oneof![Just(Smt::Last), Just(Smt::Avoid), Just(Smt::Use)];
    let cores = prop_oneof![Just(Cores::Any), Just(Cores::Performance), Just(Cores::Efficiency)];
    (0..6_usize, prop::option::of(0.0..1.2), smt, cores, 0..3_usize)
}

fn join(ids: &[usize]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_machines(
        text in random_machine(),
        (policy, part, smt, cores, reserve) in random_wish(),
    ) {
        let topology: Topology = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        let workers = part.map(|part| (topology.pus().len() as f64 * part) as usize);
        let policy = policies(&topology).swap_remove(policy);
        check(&topology, &Wish { policy, workers, smt, cores, reserve });
    }

    #[test]
    fn any_text_is_a_machine_or_an_error(text in "[a-z0-9:, /-]{0,40}") {
        let _ = text.parse::<Topology>();
    }

    #[test]
    fn nearly_right_text_is_a_machine_or_an_error(
        words in prop::collection::vec(
            (
                "(pack|node|l3|l2|core|pu|os|allowed|efficiency|homeless|memory|node-os|distance|\
                  parallelism)",
                "[0-9,/G-]{0,4}",
            ),
            0..7,
        ),
    ) {
        let text: Vec<String> = words.iter().map(|(name, value)| format!("{name}:{value}")).collect();
        if let Ok(topology) = text.join(" ").parse::<Topology>() {
            prop_assert!(!topology.pus().is_empty());
            if topology.pus().len() <= 64 {
                for policy in policies(&topology) {
                    check(&topology, &Wish::plain(policy, 3));
                }
            }
        }
    }
}
