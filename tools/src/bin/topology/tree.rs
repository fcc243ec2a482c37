//! The machine as boxes within boxes, whatever holds what on it. Pure.
//!
//! It knows the topology, and neither workers nor how boxes are drawn.

use std::collections::{BTreeMap, BTreeSet};

use bastion_executor::topology::{Pu, Topology};

/// What a box stands for, by index in the lists of the topology.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Machine,
    Package(usize),
    /// None for PUs whose home node is not known.
    Node(Option<usize>),
    Llc(usize),
    Core(usize),
}

/// A box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) kind: Kind,
    /// As indices into [`Topology::pus`], smallest first; never empty.
    pub(crate) pus: Vec<usize>,
    /// False if the rest of what it stands for is in other boxes, since things overlap.
    pub(crate) whole: bool,
    /// The boxes within; none in a core.
    pub(crate) children: Vec<Group>,
}

impl Group {
    /// Returns true if cores come next.
    pub(crate) fn is_bottom(&self) -> bool {
        matches!(self.children.first(), Some(Group { kind: Kind::Core(_), .. }))
    }

    /// Counts the boxes within that `is` wanted.
    pub(crate) fn count(&self, is: fn(Kind) -> bool) -> usize {
        let below: usize = self.children.iter().map(|child| child.count(is)).sum();
        below + usize::from(is(self.kind))
    }
}

/// Puts the machine into boxes: cores in caches, nodes and packages, in the order that suits it.
pub(crate) fn tree(topology: &Topology) -> Group {
    let [outer, middle, inner] = order(topology);
    let pus: Vec<usize> = (0..topology.pus().len()).collect();
    let children = split(topology, &pus, &[outer, middle, inner, Level::Core]);
    Group { kind: Kind::Machine, pus, whole: true, children }
}

#[derive(Clone, Copy)]
enum Level {
    Package,
    Node,
    Llc,
    Core,
}

/// Every order, the usual ones first.
const ORDERS: [[Level; 3]; 6] = {
    use Level::{Llc, Node, Package};
    [
        [Package, Node, Llc],
        [Package, Llc, Node],
        [Node, Package, Llc],
        [Node, Llc, Package],
        [Llc, Package, Node],
        [Llc, Node, Package],
    ]
};

/// Returns the order in which the fewest boxes are needed: a thing that is put outside what it is in falls into several.
fn order(topology: &Topology) -> [Level; 3] {
    let boxes = |order: &[Level; 3]| -> usize {
        let path = |pu: &Pu, depth: usize| order.map(|level| level.key(pu))[..depth].to_vec();
        let at =
            |depth| topology.pus().iter().map(|pu| path(pu, depth)).collect::<BTreeSet<_>>().len();
        (1..=order.len()).map(at).sum()
    };
    ORDERS.into_iter().min_by_key(boxes).unwrap_or(ORDERS[0])
}

fn split(topology: &Topology, pus: &[usize], levels: &[Level]) -> Vec<Group> {
    let Some((level, inner)) = levels.split_first() else { return Vec::new() };
    let mut parts: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for &pu in pus {
        parts.entry(level.key(&topology.pus()[pu])).or_default().push(pu);
    }
    let group = |(key, pus): (usize, Vec<usize>)| {
        let kind = level.kind(key);
        let whole = pus.len() == size(topology, kind);
        Group { kind, whole, children: split(topology, &pus, inner), pus }
    };
    parts.into_iter().map(group).collect()
}

/// Stands for "no node" among the numbers of nodes, after all of them.
const NO_NODE: usize = usize::MAX;

impl Level {
    fn key(self, pu: &Pu) -> usize {
        match self {
            Self::Package => pu.package,
            Self::Node => pu.node.unwrap_or(NO_NODE),
            Self::Llc => pu.llc,
            Self::Core => pu.core,
        }
    }

    fn kind(self, key: usize) -> Kind {
        match self {
            Self::Package => Kind::Package(key),
            Self::Node => Kind::Node((key != NO_NODE).then_some(key)),
            Self::Llc => Kind::Llc(key),
            Self::Core => Kind::Core(key),
        }
    }
}

/// Returns the number of PUs of all boxes that stand for the same.
fn size(topology: &Topology, kind: Kind) -> usize {
    match kind {
        Kind::Machine => topology.pus().len(),
        Kind::Package(index) => topology.packages()[index].len(),
        Kind::Node(Some(index)) => topology.nodes()[index].cpus.len(),
        Kind::Node(None) => topology.pus().iter().filter(|pu| pu.node.is_none()).count(),
        Kind::Llc(index) => topology.llcs()[index].len(),
        Kind::Core(index) => topology.cores()[index].len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes the boxes down to the last above the cores: `p0(n0(l0 l1))`, `?` after those that are only a part.
    fn shape(group: &Group) -> String {
        let name = match group.kind {
            Kind::Machine => "m".to_owned(),
            Kind::Package(index) => format!("p{index}"),
            Kind::Node(Some(index)) => format!("n{index}"),
            Kind::Node(None) => "n-".to_owned(),
            Kind::Llc(index) => format!("l{index}"),
            Kind::Core(index) => format!("c{index}"),
        };
        let part = if group.whole { "" } else { "?" };
        if group.is_bottom() {
            return name + part;
        }
        let inner: Vec<String> = group.children.iter().map(shape).collect();
        format!("{name}{part}({})", inner.join(" "))
    }

    #[test]
    fn boxes_are_in_the_order_of_the_machine() {
        for (text, expected) in [
            ("core:2", "m(p0(n0(l0)))"),
            ("pack:2 node:2 l3:2 core:1", "m(p0(n0(l0 l1) n1(l2 l3)) p1(n2(l4 l5) n3(l6 l7)))"),
            // Clusters under one cache; a node around packages.
            ("pack:2 l3:1 node:2 core:1", "m(p0(l0(n0 n1)) p1(l1(n2 n3)))"),
            ("node:2 pack:2 l3:1 core:1", "m(n0(p0(l0) p1(l1)) n1(p2(l2) p3(l3)))"),
            ("node:2 l3:1 core:2 homeless:2-3", "m(p0(n0(l0) n-(l1)))"),
            // Caches whose PUs are partly without a node: one, and two that no order keeps whole.
            ("l3:1 core:2 homeless:1", "m(p0(l0(n0 n-)))"),
            ("l3:2 core:2 homeless:0,2", "m(p0(n0(l0? l1?) n-(l0? l1?)))"),
        ] {
            let topology: Topology = text.parse().expect(text);
            assert_eq!(shape(&tree(&topology)), expected, "{text}");
        }
    }

    #[test]
    fn cores_hold_their_threads_in_order() {
        let topology: Topology = "core:2 pu:2 os:0,2,1,3".parse().expect("valid");
        let bottom = &tree(&topology).children[0].children[0].children[0];
        let cores: Vec<_> = bottom.children.iter().map(|core| (core.kind, &core.pus[..])).collect();
        assert_eq!(cores, [(Kind::Core(0), &[0, 2][..]), (Kind::Core(1), &[1, 3])]);
        assert_eq!(tree(&topology).count(|kind| matches!(kind, Kind::Core(_))), 2);
    }
}
