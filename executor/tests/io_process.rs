//! Other programs: how they end, what they say, and that nothing of them stays.
#![cfg(all(feature = "io", unix))]

use bastion_executor::io::process::{Child, Command, Stdio};
use bastion_executor::io::{AsyncReadExt, AsyncWriteExt, copy};
use bastion_executor::{Executor, sleep, spawn, timeout};
use std::future::Future;
use std::io::ErrorKind;
use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

/// Runs on two workers; what waits for ever fails.
fn check<F: Future>(future: F) -> F::Output {
    let executor = Executor::builder().workers(2).build().unwrap();
    let limit = Duration::from_secs(60);
    executor.run(async { timeout(limit, future).await.expect("it hangs") })
}

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

/// A program that lives until its input ends or it is killed.
fn waits() -> Command {
    let mut command = Command::new("cat");
    command.stdin(Stdio::piped()).stdout(Stdio::null());
    command
}

const KILLED: Option<i32> = Some(9);
const SHORT: Duration = Duration::from_millis(5);

#[test]
fn the_exit_status_is_returned_again_and_again() {
    check(async {
        for code in [0, 1, 7] {
            let mut child = shell(&format!("exit {code}")).spawn().unwrap();
            for _ in 0..3 {
                assert_eq!(child.wait().await.unwrap().code(), Some(code));
            }
            assert_eq!(child.try_wait().unwrap().unwrap().code(), Some(code));
            // There is nothing to kill any more.
            child.kill().unwrap();
        }
        assert_eq!(shell("exit 3").status().await.unwrap().code(), Some(3));
        let killed = shell("kill -9 $$").status().await.unwrap();
        assert_eq!((killed.code(), killed.signal()), (None, KILLED));
    });
}

#[test]
fn a_program_that_does_not_exist_is_an_error() {
    check(async {
        let error = Command::new("/nonexistent/program").status().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    });
}

#[test]
fn output_is_what_was_written_also_when_it_is_more_than_a_pipe_holds() {
    check(async {
        let script = "head -c 1000000 /dev/zero; head -c 500000 /dev/zero >&2; exit 4";
        let output = shell(script).output().await.unwrap();
        assert_eq!(output.status.code(), Some(4));
        assert_eq!((output.stdout.len(), output.stderr.len()), (1_000_000, 500_000));
        // Its input is empty, and what was chosen counts.
        let output = Command::new("cat").stdout(Stdio::null()).output().await.unwrap();
        assert!(output.status.success() && output.stdout.is_empty());
    });
}

#[test]
fn what_is_written_to_the_input_comes_out_byte_for_byte() {
    check(async {
        let mut child = waits().stdout(Stdio::piped()).spawn().unwrap();
        let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let data: Vec<u8> = (0..1_usize << 20).map(|n| ((n * 31) ^ (n >> 8)) as u8).collect();
        let expected = data.clone();
        let writer = spawn(async move { stdin.write_all(&data).await });
        let mut received = Vec::new();
        stdout.read_to_end(&mut received).await.unwrap();
        writer.await.unwrap().unwrap();
        assert!(received == expected);
        assert!(child.wait().await.unwrap().success());
    });
}

#[test]
fn a_pipe_goes_from_program_to_program() {
    check(async {
        let mut first = shell("echo one; echo two").stdout(Stdio::piped()).spawn().unwrap();
        let input = first.stdout.take().unwrap().into_stdio().unwrap();
        let output = Command::new("cat").stdin(input).output().await.unwrap();
        assert_eq!(output.stdout, b"one\ntwo\n");
        assert!(first.wait().await.unwrap().success());
    });
}

#[test]
fn waiting_closes_the_input_that_nobody_took() {
    check(async { assert!(waits().spawn().unwrap().wait().await.unwrap().success()) });
}

#[test]
fn waiting_can_be_given_up_and_begun_again() {
    check(async {
        let mut child = waits().spawn().unwrap();
        let stdin = child.stdin.take();
        for _ in 0..3 {
            assert!(timeout(SHORT, child.wait()).await.is_err());
            assert!(child.try_wait().unwrap().is_none());
        }
        drop(stdin);
        assert!(child.wait().await.unwrap().success());
    });
}

#[test]
fn a_killed_program_says_so() {
    check(async {
        let mut child = waits().spawn().unwrap();
        let stdin = child.stdin.take();
        child.kill().unwrap();
        assert_eq!(child.wait().await.unwrap().signal(), KILLED);
        drop(stdin);
    });
}

#[test]
fn many_programs_are_waited_for_at_once() {
    check(async {
        let all: Vec<_> = (0..20)
            .map(|code| spawn(async move { shell(&format!("exit {code}")).status().await }))
            .collect();
        for (code, status) in all.into_iter().enumerate() {
            assert_eq!(status.await.unwrap().unwrap().code(), Some(code as i32));
        }
    });
}

/// The state of a program as the system's table has it, `None` when it has left the table.
#[cfg(target_os = "linux")]
fn state(id: u32) -> Option<char> {
    let line = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    line.rsplit_once(") ")?.1.chars().next()
}

/// Waits until the program has left the system's table. `check`'s limit ends it when a zombie stays.
#[cfg(target_os = "linux")]
async fn gone(id: u32) {
    while state(id).is_some() {
        sleep(Duration::from_millis(1)).await;
    }
}

/// A program, its number, and its input.
#[cfg(target_os = "linux")]
fn started(kill_on_drop: bool) -> (Child, u32, impl Sized) {
    let mut child = waits().kill_on_drop(kill_on_drop).spawn().unwrap();
    let (id, stdin) = (child.id(), child.stdin.take());
    assert!(state(id).is_some());
    (child, id, stdin)
}

#[cfg(target_os = "linux")]
#[test]
fn dropped_with_kill_on_drop_it_is_killed_and_no_zombie_stays() {
    check(async {
        let (child, id, _stdin) = started(true);
        drop(child);
        gone(id).await;
    });
}

#[cfg(target_os = "linux")]
#[test]
fn dropped_without_it_goes_on_and_no_zombie_stays_in_the_end() {
    check(async {
        let (child, id, stdin) = started(false);
        drop(child);
        sleep(SHORT).await;
        assert!(matches!(state(id), Some(state) if state != 'Z'), "it goes on");
        drop(stdin);
        gone(id).await;
    });
}

#[cfg(target_os = "linux")]
#[test]
fn no_zombie_stays_of_one_whose_executor_has_ended_or_that_ended_first() {
    let (child, id, stdin) = started(false);
    check(async move { drop(child) });
    drop(stdin);
    check(gone(id));

    let ended = check(async {
        let mut command = shell("exit 0");
        let child = command.stdout(Stdio::piped()).spawn().unwrap();
        while state(child.id()) != Some('Z') {
            sleep(Duration::from_millis(1)).await;
        }
        child
    });
    let id = ended.id();
    drop(ended);
    assert_eq!(state(id), None, "what has ended is taken away at once");
}

#[cfg(target_os = "linux")]
#[test]
fn a_future_that_waits_kills_its_program_when_it_is_dropped() {
    check(async {
        // It tells its number, then waits for ever.
        let (mut reader, writer) = std::io::pipe().unwrap();
        let mut command = shell("echo $$; exec sleep 600");
        let status = command.stdout(writer).kill_on_drop(true).status();
        drop(command);
        let line = bastion_executor::spawn_blocking(move || {
            use std::io::Read;
            let mut bytes = [0; 16];
            let length = reader.read(&mut bytes).unwrap();
            String::from_utf8_lossy(&bytes[..length]).trim().parse::<u32>().unwrap()
        });
        let id = line.await.unwrap();
        assert!(state(id).is_some());
        assert!(timeout(SHORT, status).await.is_err());
        gone(id).await;
    });
}

#[test]
fn input_and_output_are_copied_as_any_stream() {
    check(async {
        let mut child = waits().stdout(Stdio::piped()).spawn().unwrap();
        let stdin = child.stdin.take().unwrap();
        assert_eq!(copy(&b"copied"[..], stdin).await.unwrap(), 6);
        assert_eq!(child.wait_with_output().await.unwrap().stdout, b"copied");
    });
}
