//! What a program does when it is sent signals: this program starts itself again, as the one that is sent them.
#![cfg(all(unix, feature = "signals", feature = "executor"))]

use bastion_supervision::plan::Shutdown;
use bastion_supervision::{
    Child, Context, Runtime, SignalError, Stopped, Supervisor, System, child, termination,
};
use std::io::{BufRead, BufReader, Read};
use std::process::{self, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

/// Says which program to be.
const SCENARIO: &str = "BASTION_SIGNALS_SCENARIO";

/// What the program says begins with this; what the test harness says does not.
const MARK: &str = "says: ";

/// Longer than signals count as one; the tests wait for it only between two that are to be two.
const ONE_MORE: Duration = Duration::from_millis(300);

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(30);

fn say(text: impl std::fmt::Display) {
    println!("\n{MARK}{text}");
}

/// The other program, from outside.
struct Program {
    process: process::Child,
    lines: Receiver<String>,
}

impl Program {
    fn start(scenario: &str) -> Program {
        Program::run(&mut Command::new(std::env::current_exe().unwrap()), scenario)
    }

    fn run(command: &mut Command, scenario: &str) -> Program {
        command.args(["--exact", "the_program_that_is_sent_signals", "--nocapture"]);
        command.env(SCENARIO, scenario).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let (tell, lines) = channel();
        let out = BufReader::new(process.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if let Some(said) = line.strip_prefix(MARK) {
                    let _ = tell.send(said.to_owned());
                }
            }
        });
        let program = Program { process, lines };
        program.says("up");
        program
    }

    #[track_caller]
    fn says(&self, expected: &str) {
        assert_eq!(self.lines.recv_timeout(LONG).as_deref(), Ok(expected));
    }

    fn signal(&self, signal: &str) {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &pid]).status().unwrap().success());
    }

    /// Sends one that counts as another than the last.
    fn signal_again(&self, signal: &str) {
        assert_eq!(self.lines.recv_timeout(ONE_MORE), Err(RecvTimeoutError::Timeout));
        self.signal(signal);
    }

    fn ended(mut self) -> ExitStatus {
        assert_eq!(self.lines.recv_timeout(LONG), Err(RecvTimeoutError::Disconnected));
        // Waiting would close it, for which some of these programs wait.
        let _open = self.process.stdin.take();
        self.process.wait().unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // One that has ended is not found.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn each_signal_that_asks_for_the_end_stops_everything_in_order() {
    for signal in ["TERM", "INT", "HUP"] {
        let program = Program::start("service");
        program.signal(signal);
        for line in ["c stops", "b stops", "a stops", "forced []"] {
            program.says(line);
        }
        assert_eq!(program.ended().code(), Some(7), "the exit code is the program's own");
    }
}

#[test]
fn a_second_signal_kills_what_still_runs() {
    let program = Program::start("deaf");
    program.signal("TERM");
    program.says("c stops");
    program.signal_again("INT");
    // The one that does not listen, and the one whose turn would have been next.
    program.says(r#"forced ["a", "deaf"]"#);
    assert_eq!(program.ended().code(), Some(7));
}

#[test]
fn a_third_signal_ends_a_program_that_hangs() {
    let program = Program::start("hangs");
    program.signal("TERM");
    program.says("1");
    program.signal_again("TERM");
    program.says("2");
    program.signal_again("TERM");
    assert_eq!(program.ended().code(), Some(130));
}

#[test]
fn who_only_waits_for_signals_is_not_ended_by_them() {
    let program = Program::start("waits");
    program.signal("TERM");
    program.says("1");
    for number in ["2", "3", "4"] {
        program.signal_again("HUP");
        program.says(number);
    }
    assert_eq!(program.ended().code(), Some(7));
}

#[test]
fn a_handler_of_somebody_else_is_told_and_stays() {
    for scenario in ["taken by ctrlc", "taken by tokio"] {
        let program = Program::start(scenario);
        program.signal("TERM");
        program.says("the other handler");
        assert_eq!(program.ended().code(), Some(7));
    }
}

#[test]
fn a_stop_by_somebody_else_is_waited_for() {
    let program = Program::start("stopped otherwise");
    program.says("forced []");
    assert_eq!(program.ended().code(), Some(7));
}

#[cfg(target_os = "linux")]
#[test]
fn signals_that_were_ignored_are_heeded() {
    let mut shell = Command::new("sh");
    shell.args(["-c", r#"trap "" HUP INT; exec "$0" "$@""#]).arg(std::env::current_exe().unwrap());
    let program = Program::run(&mut shell, "service");
    program.signal("HUP");
    program.says("c stops");
    for line in ["b stops", "a stops", "forced []"] {
        program.says(line);
    }
    assert_eq!(program.ended().code(), Some(7));
}

/// No test when it is not started by another one.
#[test]
fn the_program_that_is_sent_signals() {
    let Ok(scenario) = std::env::var(SCENARIO) else { return };
    match &*scenario {
        "service" => run(&["a", "b", "c"]),
        "deaf" => run(&["a", "deaf", "c"]),
        "hangs" => hangs(),
        "waits" => waits(),
        "taken by ctrlc" => {
            ctrlc::set_handler(|| other_handler()).unwrap();
            taken();
        }
        "taken by tokio" => taken_by_tokio(),
        "stopped otherwise" => stopped_otherwise(),
        other => panic!("no scenario {other}"),
    }
}

/// A child that says when it stops; or, when it is to be deaf, never does.
fn service(name: &'static str) -> Child<()> {
    let service = child(move |mut cx: Context<()>| async move {
        if name == "deaf" {
            std::future::pending::<()>().await;
        }
        while cx.recv().await.is_some() {}
        say(format_args!("{name} stops"));
        Ok(())
    });
    service.named(name).shutdown(Shutdown::Infinity)
}

fn run(names: &[&'static str]) -> ! {
    bastion_executor::run(async {
        let system = System::new(Runtime::executor());
        let top = Supervisor::new("top");
        let top = names.iter().fold(top, |top, name| top.child(service(name)));
        system.supervise(top).await.unwrap();
        let first = termination().unwrap();
        assert!(!first.is_requested());
        say("up");
        // Longer than the test waits.
        let stopped = system.stop_on_signal(LONG * 60).await.unwrap();
        assert!(first.is_requested());
        first.clone().await;
        finish(stopped)
    })
}

fn finish(stopped: Stopped) -> ! {
    let mut forced = stopped.forced;
    forced.sort();
    say(format_args!("forced {forced:?}"));
    process::exit(7)
}

/// Counts signals, on a thread of its own.
fn count(up_to: usize) -> std::thread::JoinHandle<()> {
    let mut signal = termination().unwrap();
    std::thread::spawn(move || {
        for number in 1..=up_to {
            bastion_executor::run(signal.clone());
            say(number);
            signal = signal.again();
        }
    })
}

/// Begins to wait for the signal, and then does nothing any more.
fn hangs() {
    let system = System::new(Runtime::executor());
    bastion_executor::run(async {
        let mut stop = std::pin::pin!(system.stop_on_signal(LONG));
        std::future::poll_fn(|task| {
            assert!(stop.as_mut().poll(task).is_pending());
            std::task::Poll::Ready(())
        })
        .await;
        count(2);
        say("up");
        // Until the other program has ended.
        let _ = std::io::stdin().read(&mut [0]);
        process::exit(1);
    });
}

fn waits() {
    let counted = count(4);
    say("up");
    counted.join().unwrap();
    process::exit(7);
}

fn other_handler() -> ! {
    say("the other handler");
    process::exit(7)
}

fn taken() -> ! {
    assert!(matches!(termination(), Err(SignalError::Taken)));
    let system = System::new(Runtime::executor());
    let refused = bastion_executor::run(system.stop_on_signal(LONG));
    assert!(matches!(refused, Err(SignalError::Taken)));
    assert!(!system.has_ended());
    say("up");
    let _ = std::io::stdin().read(&mut [0]);
    process::exit(1)
}

fn taken_by_tokio() {
    let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let tokio = tokio.unwrap();
    let _entered = tokio.enter();
    let kind = tokio::signal::unix::SignalKind::terminate();
    let mut signals = tokio::signal::unix::signal(kind).unwrap();
    tokio.spawn(async move {
        signals.recv().await;
        other_handler();
    });
    taken();
}

fn stopped_otherwise() {
    bastion_executor::run(async {
        let system = System::new(Runtime::executor());
        let other = system.clone();
        say("up");
        let mut is_first = true;
        let mut on_signal = std::pin::pin!(system.stop_on_signal(LONG));
        let stopped = std::future::poll_fn(|task| {
            let polled = on_signal.as_mut().poll(task);
            if std::mem::take(&mut is_first) {
                let other = other.clone();
                bastion_executor::spawn(async move { other.stop(LONG).await }).detach();
            }
            polled
        });
        finish(stopped.await.unwrap())
    })
}
