//! Machines that the tests of topology and placement go through: what servers, laptops and boards are, and what containers make of
//! them. Sizes are often smaller than the real ones where that changes nothing but the time that a test takes.

use bastion_executor::topology::Topology;

/// Returns every machine with its text form.
pub(crate) fn all() -> impl Iterator<Item = (&'static str, Topology)> {
    let texts = [UNIFORM, MANY_CACHES, HYBRID, MEMORY, ODD_NUMBERS, RESTRICTED, LARGE];
    texts
        .into_iter()
        .flatten()
        .map(|text| (*text, text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))))
}

/// One kind of core, one kind of memory.
const UNIFORM: &[&str] = &[
    // One core; a small virtual machine; threads without known cores; a laptop.
    "core:1",
    "l3:1 core:2",
    "pu:4",
    "pack:1 l3:1 l2:4 core:1 pu:2",
    // Two packages of Xeon Gold 6230, numbered as a tree.
    "pack:2 node:1 l3:1 l2:20 core:1 pu:2 memory:96G,96G distance:10,21/21,10",
    // The same in small, with the siblings numbered as Linux does.
    "pack:2 node:1 l3:1 core:2 pu:2 os:0,4,1,5,2,6,3,7 memory:96G,96G distance:10,21/21,10",
    // Four packages of Xeon Platinum, all at the same distance.
    "pack:4 node:1 l3:1 l2:4 core:1 pu:2 distance:10,21,21,21/21,10,21,21/21,21,10,21/21,21,21,10",
    // Sub-NUMA clustering under one cache: two nodes a package, then four.
    "pack:2 l3:1 node:2 core:10 pu:2 distance:10,11,21,21/11,10,21,21/21,21,10,11/21,21,11,10",
    "pack:2 l3:1 node:4 core:3 pu:2",
    // An ARM server without a level 3 cache that the kernel knows; the same with nodes.
    "pack:1 l2:64 core:1",
    "pack:2 l2:4 core:2",
    // Kunpeng 920: two nodes a package, no threads.
    "pack:2 node:2 l3:1 core:8 distance:10,12,20,22/12,10,22,24/20,22,10,12/22,24,12,10",
    // A ring of four, with unequal distances.
    "node:4 core:2 distance:10,16,21,31/16,10,31,21/21,31,10,16/31,21,16,10",
    // Firmware that gives one way another length than the way back, and one that gives none.
    "node:3 core:2 distance:10,15,40/20,10,15/12,30,10",
    "node:2 core:2 distance:10,10/10,10",
];

/// Several last level caches in a node.
const MANY_CACHES: &[&str] = &[
    // Ryzen 5950X.
    "pack:1 l3:2 l2:8 core:1 pu:2",
    // EPYC 7451: one package, then two, of four nodes with two caches each.
    "pack:1 node:4 l3:2 core:3 pu:2 distance:10,16,16,16/16,10,16,16/16,16,10,16/16,16,16,10",
    "pack:2 node:4 l3:2 core:3 pu:2 distance:\
     10,16,16,16,32,32,32,32/16,10,16,16,32,32,32,32/16,16,10,16,32,32,32,32/16,16,16,10,32,32,32,32/\
     32,32,32,32,10,16,16,16/32,32,32,32,16,10,16,16/32,32,32,32,16,16,10,16/32,32,32,32,16,16,16,10",
    // EPYC 7742 with one node and sixteen caches.
    "pack:1 node:1 l3:16 core:4 pu:2",
    // Zen 4 with twelve caches: one node, then four nodes of three.
    "pack:1 node:1 l3:12 core:8",
    "pack:1 node:4 l3:3 core:4 pu:2",
    // Bulldozer: two cores share a level 2 cache.
    "pack:2 node:2 l3:1 l2:2 core:2",
];

/// Fast cores and frugal ones.
const HYBRID: &[&str] = &[
    // Core i7-1370P: six fast cores with two threads, the rest frugal.
    "l3:1 l2:14 core:1 pu:2 allowed:0-12,14,16,18,20,22,24,26 efficiency:12-27",
    // Alder Lake: eight fast cores, two clusters of four frugal ones that share a level 2 cache.
    "l3:1 l2:10 core:4 pu:2 efficiency:64-79 \
     allowed:0-1,8-9,16-17,24-25,32-33,40-41,48-49,56-57,64,66,68,70,72,74,76,78",
    // Meteor Lake: the last two frugal cores, on another tile, do not share the last level cache.
    "l3:2 l2:8 core:4 pu:2 efficiency:48-127 \
     allowed:0-1,8-9,16-17,24-25,32-33,40-41,48,50,52,54,56,58,60,62,64,66",
    // Lunar Lake: no threads, the frugal cores apart.
    "l3:2 core:4 efficiency:4-7",
    // A phone's processor: the frugal cores have the lowest numbers.
    "l3:1 l2:8 core:1 efficiency:0-3",
    // GB10: two clusters of five fast and five frugal cores.
    "l3:2 l2:10 core:1 efficiency:0-4,10-14",
    // A hybrid machine with two nodes, which nobody builds yet.
    "node:2 l3:1 core:4 pu:2 efficiency:4-7,12-15",
    // A container that got frugal cores only: no preference can tell them apart.
    "l3:1 core:8 efficiency:4-7 allowed:4-6",
];

/// Nodes of memory only, and nodes without memory.
const MEMORY: &[&str] = &[
    // Knights Landing in four clusters: each has MCDRAM as a node of its own; four threads a core, no level 3 cache.
    "pack:1 node:4 l2:2 core:2 pu:4 memory:24G,24G,24G,24G,4G,4G,4G,4G",
    // Xeon Max: HBM beside DDR5, and again in four clusters a package.
    "pack:2 node:1 l3:1 core:8 pu:2 memory:128G,128G,64G,64G \
     distance:10,21,13,23/21,10,23,13/13,23,10,23/23,13,23,10",
    "pack:2 l3:1 node:4 core:2 pu:2 memory:\
     32G,32G,32G,32G,32G,32G,32G,32G,16G,16G,16G,16G,16G,16G,16G,16G",
    // CXL memory behind a bridge; the same, numbered before the nodes with PUs.
    "pack:2 node:1 l3:1 core:4 memory:64G,64G,512G distance:10,21,24/21,10,34/24,34,10",
    "pack:2 node:1 l3:1 core:4 memory:64G,64G,512G node-os:1,2,0",
    // POWER9 with the memory of two accelerators.
    "pack:2 node:1 l3:2 core:2 pu:4 memory:256G,256G,16G,16G node-os:0,8,254,255",
    // A package whose slots are empty.
    "pack:2 node:1 l3:1 core:4 memory:64G,0 distance:10,21/21,10",
];

/// Ids with gaps, in other orders, and PUs without a home.
const ODD_NUMBERS: &[&str] = &[
    // PUs numbered by turns between packages.
    "pack:2 core:4 os:0,2,4,6,1,3,5,7",
    // POWER8: eight threads a core; all of them, then two of eight, with nodes 0 and 16.
    "pack:2 node:1 l2:3 core:1 pu:8 node-os:0,16",
    "pack:2 node:1 l2:3 core:1 pu:8 node-os:0,16 allowed:0-1,8-9,16-17,24-25,32-33,40-41",
    // Opterons in a chassis that numbers its boards.
    "pack:4 node:2 l3:1 core:3 node-os:0,1,2,33,34,45,72,73",
    // Ids far apart, as virtual machines with hotplug have them.
    "node:2 core:2 os:7,1023,4096,65535 node-os:3,17",
    // Itanium: many packages of one core, two a node.
    "node:16 pack:2 core:1",
    // Nodes around packages.
    "node:2 pack:2 l3:1 core:2 pu:2",
    // PUs whose node the kernel does not tell: those of one node, and all.
    "node:2 l3:1 core:2 pu:2 homeless:4-7",
    "core:4 homeless:0-3",
];

/// Offline PUs, containers, quotas.
const RESTRICTED: &[&str] = &[
    // Four packages with most PUs offline.
    "pack:4 core:2 pu:2 os:0,8,4,12,1,9,5,13,2,10,6,14,3,11,7,15 allowed:0-1,3-4,6,12,15",
    // PU 0 and all of its node are offline.
    "node:2 core:2 allowed:2-3",
    // Part of two nodes; one package of four; one thread of each core; a single PU.
    "pack:2 node:1 l3:1 core:4 pu:2 allowed:0-5,12",
    "pack:4 node:2 core:4 allowed:12-15",
    "node:2 l3:1 core:4 pu:2 allowed:0,2,4,6,8,10,12,14",
    "pack:2 node:2 l3:2 core:2 pu:2 allowed:13",
    // Nodes of very different size.
    "node:3 core:8 allowed:0-7,8,16-18",
    // Quotas: three PUs' time on two nodes; less than two on a large machine; more than there is.
    "node:2 core:4 parallelism:3",
    "pack:2 node:1 l3:1 core:4 pu:2 parallelism:1",
    "core:2 parallelism:64",
];

/// Where a slow algorithm shows.
const LARGE: &[&str] = &[
    // Eight nodes of 64 PUs.
    "pack:8 node:1 l3:4 core:8 pu:2",
    // SGI UV: 24 packages.
    "pack:24 node:1 l3:1 core:4 pu:2",
    // Eight threads a core on eight nodes.
    "node:8 core:4 pu:8",
];
