//! Snapshots for machines: the fields, under the names that programs rely on.

#![cfg(feature = "serde")]

use bastion_supervision::plan::{AutoShutdown, Backoff, RestartType};
use bastion_supervision::{Context, Exit, Pid, Runtime, Sim, Supervisor, System, Tree, child};
use serde_json::{Value, json};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn snapshot() -> Tree {
    let sim = Sim::new(1);
    let system = System::new(Runtime::sim(&sim));
    sim.run(async {
        let failing = child(|mut cx: Context<()>| async move {
            cx.recv().await;
            Err(Exit::error("told to"))
        });
        let failing = failing.named("failing \"1\"").restart(RestartType::Transient);
        let failing = failing.significant(true).backoff(Backoff::linear(9 * SECOND, 9 * SECOND));
        failing.address().tell(()).unwrap();
        let batch = Supervisor::new("batch")
            .intensity(3, 1500 * SECOND / 1000)
            .auto_shutdown(AutoShutdown::AnySignificant)
            .child(failing);
        system.supervise(batch).await.unwrap();
        sim.sleep(SECOND).await;
        system.tree().await
    })
}

#[test]
fn the_fields_have_their_names() {
    let tree = snapshot();
    let pid = |path: &str| tree.find(path).unwrap().pid.to_string();
    let supervision = |bears: Value, order: &str, recent: u32, auto: &str, children: Value| {
        json!({
            "strategy": "one-for-one", "order": order, "intensity": bears,
            "recent_restarts": recent, "auto_shutdown": auto, "children": children,
        })
    };
    let branch = |path: &str, name: &str, kind: &str, restart: &str, below: Value| {
        json!({
            "pid": pid(path), "name": name, "kind": kind, "restart": restart, "significant": false,
            "state": "running", "incarnation": 1, "restarts": 0, "uptime_ms": 1000, "queued": 0,
            "crashed_ms": null, "crash": null, "workload": null, "unknown": false, "supervision": below,
        })
    };
    let failing = json!({
        "pid": pid("root/batch/failing \"1\""), "name": "failing \"1\"", "kind": "worker",
        "restart": "transient", "significant": true, "state": "backoff", "incarnation": 1,
        "restarts": 1, "uptime_ms": null, "queued": 0, "crashed_ms": 0,
        "crash": "error: told to", "workload": null, "unknown": false, "supervision": null,
    });
    let bears = json!({ "max": 3, "period_ms": 1500 });
    let batch = supervision(bears, "ordered", 1, "any-significant", json!([failing]));
    let processes = supervision(Value::Null, "unordered", 0, "never", json!([]));
    let children = json!([
        branch("root/processes", "processes", "supervisor", "permanent", processes),
        branch("root/batch", "batch", "supervisor", "permanent", batch),
    ]);
    let root = supervision(Value::Null, "ordered", 0, "never", children);
    let expected = json!({
        "taken_ms": 1000,
        "totals": {
            "supervisors": 3, "workers": 1, "running": 3, "restarts": 1, "deepest": 2, "unknown": 0,
        },
        "root": branch("root", "root", "supervisor", "temporary", root),
    });
    assert_eq!(serde_json::to_value(&tree).unwrap(), expected);
}

#[test]
fn what_is_written_is_read_again() {
    let tree = snapshot();
    let text = serde_json::to_string(&tree).unwrap();
    let read: Tree = serde_json::from_str(&text).unwrap();
    assert_eq!(read, tree);
    assert_eq!(read.to_string(), tree.to_string());
    assert!(serde_json::from_str::<Pid>("\"<1.2\"").is_err());
}

#[test]
fn the_deepest_snapshot_is_read_again() {
    let sim = Sim::new(1);
    let system = System::new(Runtime::sim(&sim));
    sim.run(async {
        let deep =
            (0..60).fold(Supervisor::new("s"), |inner, _| Supervisor::new("s").supervisor(inner));
        system.supervise(deep).await.unwrap();
        let tree = system.tree().await;
        let text = serde_json::to_string(&tree).unwrap();
        assert_eq!(serde_json::from_str::<Tree>(&text).unwrap(), tree);
    });
}
