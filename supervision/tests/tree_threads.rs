//! Snapshots on real threads: a worker is held by what does not yield, and with it a supervisor.
//!
//! Guards that a snapshot ends in time, and that only what is below that supervisor is unknown.

#![cfg(feature = "executor")]

use bastion_executor::{Executor, timeout};
use bastion_supervision::plan::{self, ChildState};
use bastion_supervision::{Context, Exit, Report, Runtime, Supervisor, System, child};
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

const MS: Duration = Duration::from_millis(1);
/// Who has waited this long waits for ever.
const LIMIT: Duration = Duration::from_secs(10);

async fn fail_when_told(mut cx: Context<()>) -> Result<(), Exit> {
    match cx.recv().await {
        Some(()) => Err(Exit::error("told to")),
        None => Ok(()),
    }
}

#[test]
fn a_supervisor_that_is_held_up_is_unknown_and_holds_nobody_up() {
    let executor = Executor::builder().workers(2).build().unwrap();
    let ((enter, entered), (release, released)) = (channel(), channel::<()>());
    let (enter, released) = (Mutex::new(enter), Mutex::new(released));
    // Runs in the supervisor "held", and does not come back before the test says so.
    let hook = move |report: &Report| {
        if let Report::Supervisor { supervisor, report: plan::Report::Restarting { .. }, .. } =
            report
            && &**supervisor == "held"
        {
            enter.lock().unwrap().send(()).unwrap();
            let _ = released.lock().unwrap().recv();
        }
    };
    executor.run(async {
        let system = System::with_reports(Runtime::executor(), hook);
        let failing = child(fail_when_told).named("failing");
        let address = failing.address();
        let held = Supervisor::new("held").unlimited().child(failing);
        let sound = Supervisor::new("sound").child(child(fail_when_told).named("below"));
        system
            .supervise(Supervisor::new("outer").supervisor(held).supervisor(sound))
            .await
            .unwrap();
        address.tell(()).unwrap();
        entered.recv_timeout(LIMIT).expect("nobody is held up");

        let begin = Instant::now();
        let tree = timeout(LIMIT, system.tree_within(100 * MS)).await.expect("it ends");
        assert!(begin.elapsed() >= 100 * MS, "it has waited as long as it may");
        let held = tree.find("root/outer/held").unwrap();
        assert!(held.unknown && held.state == ChildState::Running && held.children().is_empty());
        assert!(tree.to_string().contains("has not answered"), "{tree}");
        assert!(tree.to_mermaid().contains(":::unknown") && tree.to_dot().contains("unknown"));
        assert!(tree.find("root/outer/sound/below").is_some(), "{tree}");
        assert_eq!(tree.totals.unknown, 1);

        drop(release);
        let tree = timeout(LIMIT, system.tree_within(LIMIT)).await.expect("it ends");
        assert!(tree.find("root/outer/held/failing").is_some(), "{tree}");
        system.stop(LIMIT).await;
    });
}
