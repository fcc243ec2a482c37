//! That the drawing is well-formed, that all is where it belongs, and that it can be read.

use bastion_executor::placement::{Cores, Placement, Request, Smt};
use bastion_executor::topology::Topology;
use roxmltree::{Document, Node};

use super::canvas::SMALL;
use super::layout::{self, Tile, What};
use super::*;
use crate::machines;

fn with(topology: &Topology, request: &Request) -> String {
    let plan = request.plan(topology).unwrap_or_else(|error| panic!("{topology}: {error}"));
    draw(&Picture::new(topology, &plan))
}

/// Returns the texts of the elements of a kind.
fn texts<'a>(svg: &'a Document<'_>, tag: &str) -> Vec<&'a str> {
    let elements = svg.descendants().filter(|element| element.has_tag_name(tag));
    elements.filter_map(|element| element.text()).collect()
}

fn number(element: Node<'_, '_>, attribute: &str) -> u32 {
    let value =
        element.attribute(attribute).unwrap_or_else(|| panic!("{attribute} of {element:?}"));
    value.parse().unwrap_or_else(|error| panic!("{attribute}={value}: {error}"))
}

#[test]
fn a_machine_is_drawn_with_all_there_is_to_say() {
    let topology: Topology =
        "pack:2 node:1 l3:1 core:2 pu:2 memory:96G,96G,1T distance:10,21,40/21,10,40/40,40,10"
            .parse()
            .expect("valid");
    let written = with(&topology, &Request::new().policy(Placement::Compact).smt(Smt::Avoid));
    let svg = Document::parse(&written).expect("well-formed");
    assert_eq!(
        texts(&svg, "title"),
        [
            "PU 0, core 0, LLC 0: worker 0",
            "PU 1, core 0, LLC 0: no worker",
            "PU 2, core 1, LLC 0: worker 1",
            "PU 3, core 1, LLC 0: no worker",
            "PU 4, core 2, LLC 1: worker 2",
            "PU 5, core 2, LLC 1: no worker",
            "PU 6, core 3, LLC 1: worker 3",
            "PU 7, core 3, LLC 1: no worker",
        ]
    );
    let said = texts(&svg, "text");
    assert_eq!(said[0], topology.to_string());
    for text in [
        "policy: compact, as asked for",
        "left out: PUs 1,3,5,7 (second threads of cores), node 2 (no PUs)",
        "package 1",
        "node 0, 96 GiB",
        "LLC 1",
        "node 1: workers 2-3",
        "a PU and its worker",
        "a PU without a worker",
        "distances",
    ] {
        assert!(said.contains(&text), "{text} in {said:?}");
    }
    // A node of memory only; the table.
    for (text, times) in [("node 2, 1 TiB", 1), ("no PUs", 1), ("40", 4), ("21", 2), ("10", 3)] {
        assert_eq!(said.iter().filter(|said| **said == text).count(), times, "{text} in {said:?}");
    }
    assert!(!said.contains(&"a PU for all workers of its colour"));
}

#[test]
fn sharing_and_kinds_are_explained() {
    let topology: Topology = "l3:1 l2:4 core:2 efficiency:4-7".parse().expect("valid");
    let written = with(&topology, &Request::new().cores(Cores::Performance));
    let svg = Document::parse(&written).expect("well-formed");
    let said = texts(&svg, "text");
    for text in [
        "a PU for all workers of its colour",
        "round: efficiency core",
        "dashed around cores: level 2 cache",
        "node 0: workers 0-3",
    ] {
        assert!(said.contains(&text), "{text} in {said:?}");
    }
    let round = svg.descendants().filter(|element| element.attribute("rx") == Some("12"));
    assert_eq!(round.count(), 4);
    assert!(!said.contains(&"distances"));
}

#[test]
fn every_drawing_is_well_formed_and_readable_and_on_its_page() {
    for (text, topology) in machines::all() {
        for policy in [Placement::Spread, Placement::PerNode, Placement::Unbound] {
            let written = with(&topology, &Request::new().policy(policy));
            let svg = Document::parse(&written).unwrap_or_else(|error| panic!("{text}: {error}"));
            let [width, height] = ["width", "height"].map(|side| number(svg.root_element(), side));
            assert_eq!(texts(&svg, "title").len(), topology.pus().len(), "{text}");
            for element in svg.descendants().filter(|element| element.has_tag_name("text")) {
                assert!(number(element, "font-size") >= 9, "{text}: {element:?}");
                let size = number(element, "font-size");
                let long = text_width(element.text().unwrap_or_default(), size);
                let long = if element.has_attribute("text-anchor") { long / 2 } else { long };
                assert!(number(element, "x") + long <= width, "{text}: {:?}", element.text());
                assert!(number(element, "y") < height, "{text}: {:?}", element.text());
            }
        }
    }
}

/// Checks that what is in a box is within it, below its label, and apart from what is beside it.
fn check(text: &str, tile: &Tile) {
    let label = tile.label.len() as u32 * layout::LABEL_LINE;
    let widest = tile.label.iter().map(|line| text_width(line, LINE)).max().unwrap_or(0);
    assert!(widest <= tile.width, "{text}: {:?} in {}", tile.label, tile.width);
    for (index, ((x, y), inner)) in tile.inner.iter().enumerate() {
        assert!(*y >= label, "{text}: {:?}", inner.what);
        assert!(x + inner.width <= tile.width, "{text}: {:?} in {:?}", inner.what, tile.what);
        assert!(y + inner.height <= tile.height, "{text}: {:?} in {:?}", inner.what, tile.what);
        for ((left, top), other) in &tile.inner[..index] {
            let beside = left + other.width <= *x || x + inner.width <= *left;
            let above = top + other.height <= *y || y + inner.height <= *top;
            assert!(beside || above, "{text}: {:?} on {:?}", inner.what, other.what);
        }
        check(text, inner);
    }
}

#[test]
fn boxes_are_within_boxes_and_never_on_each_other() {
    for (text, topology) in machines::all() {
        let plan = Request::new().policy(Placement::Spread).plan(&topology).expect(text);
        let picture = Picture::new(&topology, &plan);
        let machine = layout::machine(&picture);
        check(text, &machine);
        let (width, _) = layout::pu_size(&picture);
        let widest = topology.pus().iter().map(|pu| text_width(&pu.os.to_string(), SMALL)).max();
        assert!(widest.is_some_and(|widest| widest <= width), "{text}");
    }
}

#[test]
fn large_machines_have_the_shape_of_a_page() {
    let topology: Topology = "pack:8 node:1 l3:4 core:8 pu:2".parse().expect("valid");
    let plan = Request::new().plan(&topology).expect("the default fits");
    let machine = layout::machine(&Picture::new(&topology, &plan));
    assert!(machine.width <= 1600, "{}", machine.width);
    let shape = f64::from(machine.width) / f64::from(machine.height);
    assert!((1.0..2.5).contains(&shape), "{} by {}", machine.width, machine.height);
    assert!(matches!(machine.what, What::Group(_)));
}
