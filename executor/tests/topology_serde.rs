//! Topologies that are written down and read again: whole ones, and ones that somebody has been at.
#![cfg(feature = "serde")]

mod machines;

use bastion_executor::placement::{Cores, Placement, Plan, Request, Smt};
use bastion_executor::topology::Topology;
use proptest::prelude::*;
use serde_json::{Value, json};

fn write(topology: &Topology) -> Value {
    serde_json::to_value(topology).expect("a topology can be written")
}

fn read(value: Value) -> Result<Topology, String> {
    serde_json::from_value(value).map_err(|error| error.to_string())
}

#[test]
fn every_machine_is_read_as_it_was_written() {
    for (text, topology) in machines::all() {
        let again = read(write(&topology)).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(again, topology, "{text}");
        let request = Request::new().smt(Smt::Use).workers(topology.pus().len().min(24));
        assert_eq!(request.plan(&again), request.plan(&topology), "{text}");
    }
}

#[test]
fn this_machine_is_read_as_some_machine() {
    let here = Topology::discover();
    let again = read(write(&here)).unwrap();
    assert!(!again.is_this_machine());
    assert_eq!((again.pus(), again.nodes()), (here.pus(), here.nodes()));
    assert_eq!((again.source(), again.parallelism()), (here.source(), here.parallelism()));
}

#[test]
fn it_is_written_for_people() {
    let topology: Topology = "core:2 efficiency:1 memory:1K parallelism:2".parse().unwrap();
    let pu = |os: u32, kind: &str| {
        json!({
            "os": os, "core": os, "smt_rank": 0, "l2": os, "llc": 0, "package": 0, "node": 0,
            "kind": kind,
        })
    };
    let expected = json!({
        "pus": [pu(0, "performance"), pu(1, "efficiency")],
        "cores": ["0", "1"], "l2s": ["0", "1"], "llcs": ["0-1"], "packages": ["0-1"],
        "nodes": [{"os": 0, "cpus": "0-1", "mem_bytes": 1024}],
        "distance": null, "parallelism": 2, "source": "text",
    });
    assert_eq!(write(&topology), expected);
    let plan = Request::new().plan(&topology).unwrap();
    let written = serde_json::to_value(&plan).unwrap();
    assert_eq!(written["policy"], "unbound");
    assert_eq!(written["policy_reason"], "one-node");
    assert_eq!(written["domains"][0]["cpus"], "0-1");
    assert_eq!(written["workers"][1], json!({"cpus": null, "domain": 0, "victims": [0]}));
}

#[test]
fn requests_are_read_with_defaults_and_without_what_is_unknown() {
    let request = Request::new()
        .policy(Placement::Explicit(vec![2, 0]))
        .workers(2)
        .smt(Smt::Avoid)
        .cores(Cores::Performance)
        .reserve_cores(1);
    let written = serde_json::to_value(&request).unwrap();
    let expected = json!({
        "policy": "2,0", "workers": 2, "smt": "avoid", "cores": "performance", "reserve_cores": 1,
    });
    assert_eq!(written, expected);
    let read = |text: &str| serde_json::from_str::<Request>(text).map_err(|e| e.to_string());
    assert_eq!(read(&written.to_string()), Ok(request));
    assert_eq!(read("{}"), Ok(Request::new()));
    assert_eq!(read(r#"{"policy":"per-node"}"#), Ok(Request::new().policy(Placement::PerNode)));
    for (text, word) in [
        (r#"{"policy":"moon"}"#, "there is no placement \"moon\""),
        (r#"{"smt":"on"}"#, "there is no SMT preference \"on\""),
        (r#"{"reserve":1}"#, "unknown field `reserve`"),
    ] {
        assert!(read(text).is_err_and(|error| error.starts_with(word)), "{text}");
    }
}

/// Each is one change to a sound topology, with what is said about it.
#[test]
fn what_contradicts_itself_is_refused() {
    let text = "pack:2 node:1 l3:1 core:2 pu:2 distance:10,21/21,10 parallelism:4";
    let sound = write(&text.parse().unwrap());
    for (pointer, value, part) in [
        ("/pus", json!([]), "no PU that may be used was found"),
        ("/pus/0/os", json!(1), "the PUs"),
        ("/pus/0/os", json!(9), "the PUs"),
        ("/pus/7/os", json!(9), "the cores"),
        ("/pus/0/core", json!(99), "the PUs"),
        ("/pus/0/core", json!(1), "the PUs"),
        ("/pus/1/smt_rank", json!(0), "the PUs"),
        ("/pus/0/l2", json!(u64::MAX), "the PUs"),
        ("/pus/0/llc", json!(7), "the PUs"),
        ("/pus/0/package", json!(3), "the PUs"),
        ("/pus/0/node", json!(2), "the nodes"),
        ("/pus/0/node", json!(null), "the nodes"),
        ("/pus/0/node", json!(1), "the nodes"),
        ("/cores/0", json!("0"), "the cores"),
        ("/cores", json!([]), "the cores"),
        ("/l2s/3", json!("6-8"), "the level 2 caches"),
        ("/llcs/1", json!(""), "the last level caches"),
        ("/packages", json!(["0-7"]), "the packages"),
        ("/nodes", json!([]), "the nodes"),
        ("/nodes/0/cpus", json!(""), "the nodes"),
        ("/nodes/1/os", json!(0), "the PUs"),
        ("/distance", json!([[10]]), "the distances"),
        ("/distance", json!([]), "the distances"),
        ("/distance/1", json!([21]), "the distances"),
        ("/parallelism", json!(0), "the number of threads"),
        ("/cores/0", json!("1-0"), "`1-0` is not an id"),
        ("/cores/0", json!("0-4294967295"), "`0-4294967295` is not an id"),
        ("/source", json!("moon"), "unknown variant `moon`"),
    ] {
        let mut value = value;
        let mut changed = sound.clone();
        let place = changed.pointer_mut(pointer).expect("the field is there");
        std::mem::swap(place, &mut value);
        let error = read(changed.clone()).expect_err(&format!("{pointer} in {changed}"));
        assert!(error.starts_with(part), "{pointer}: {error}");
    }
}

/// One field of a topology in JSON, by any path.
fn paths(value: &Value) -> Vec<String> {
    let inner = |(key, value): (String, &Value)| {
        let below = paths(value).into_iter().map(move |path| format!("/{key}{path}"));
        below.collect::<Vec<_>>()
    };
    let below: Vec<(String, &Value)> = match value {
        Value::Array(items) => (0..).map(|i: usize| i.to_string()).zip(items).collect(),
        Value::Object(fields) => fields.iter().map(|(key, value)| (key.clone(), value)).collect(),
        _ => Vec::new(),
    };
    [String::new()].into_iter().chain(below.into_iter().flat_map(inner)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is changed, what is read can be planned on and written as it was read, or is an error.
    #[test]
    fn a_changed_field_is_an_error_or_another_machine(
        choice in any::<prop::sample::Index>(),
        number in 0..12_u64,
        list in "[0-9]{1,2}(-[0-9]{1,2})?(,[0-9]{1,2})?",
        as_list in any::<bool>(),
    ) {
        let text = "node:2 l3:1 core:2 pu:2 memory:1,1,1 allowed:0-6 homeless:5 efficiency:4-7 \
                    distance:10,20,30/20,10,30/30,30,10 parallelism:3";
        let mut changed = write(&text.parse().unwrap());
        let paths = paths(&changed);
        let value = if as_list { json!(list) } else { json!(number) };
        let path = &paths[choice.index(paths.len())];
        *changed.pointer_mut(path).expect("a path of this value") = value;
        if let Ok(topology) = read(changed) {
            prop_assert_eq!(read(write(&topology)), Ok(topology.clone()));
            let plan: Plan = Request::new().plan(&topology).expect("the default fits");
            prop_assert!(!plan.workers.is_empty());
        }
    }

    #[test]
    fn garbage_is_an_error(text in ".{0,60}") {
        prop_assert!(serde_json::from_str::<Topology>(&text).is_err());
    }
}
