//! The attribute macros: what they make works, and what they refuse is said where it is.

use bastion::typed::*;
use std::time::Duration;

async fn echo(mut cx: Context<Reply<u32>>) -> Result<(), Exit> {
    while let Some(reply) = cx.recv().await {
        reply.send(cx.incarnation());
    }
    Ok(())
}

#[bastion::test]
async fn a_test_has_a_system_of_its_own(system: System) -> Result<(), Box<dyn std::error::Error>> {
    let echo = system.spawn_child(child(echo))?;
    assert_eq!(echo.ask(|reply| reply).await?, 1);
    Ok(())
}

#[bastion::test(virtual_time, seed = 7)]
async fn a_test_on_virtual_time(system: System) {
    let start = std::time::Instant::now();
    let sleeper = child(|cx: Context<()>| async move {
        cx.sleep(Duration::from_secs(86_400)).await;
        Err(Exit::shutdown())
    });
    let sleeper = system.spawn_child(sleeper.restart(RestartType::Temporary)).unwrap();
    assert!(matches!(sleeper.ended().await, ExitReason::Shutdown));
    assert!(start.elapsed() < Duration::from_secs(3600));
}

#[bastion::test]
async fn a_test_without_an_argument() {}

#[test]
fn the_global_system_can_be_used_again_after_a_stop() {
    for _ in 0..3 {
        let answer = bastion::Bastion::run(async {
            let echo = Bastion::spawn_child(child(echo)).unwrap();
            echo.ask(|reply| reply).await
        });
        assert_eq!(answer, Ok(1));
    }
}

#[test]
fn wrong_uses_are_refused() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/compile_fail/*.rs");
    if cfg!(feature = "legacy") {
        cases.compile_fail("tests/compile_fail/legacy/*.rs");
    }
    if cfg!(feature = "distributed") {
        cases.compile_fail("tests/compile_fail/distributed/*.rs");
    }
}
