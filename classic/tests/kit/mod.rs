//! What the tests of the API of 0.4 share: a platform on virtual time, and a log.
#![allow(dead_code, reason = "no test uses all of it")]

use bastion_classic::platform::Platform;
use bastion_classic::prelude::*;
use bastion_supervision::{Runtime, Sim};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub(crate) const MS: Duration = Duration::from_millis(1);
pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// Runs a test on a platform of its own, which is not started.
pub(crate) fn run<F: Future>(test: impl FnOnce(Platform, Sim) -> F) -> F::Output {
    let sim = Sim::new(7);
    sim.run(test(Platform::new(Runtime::sim(&sim)), sim.clone()))
}

/// What happened, in order.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub(crate) fn add(&self, entry: impl Into<String>) {
        self.0.lock().unwrap().push(entry.into());
    }

    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    /// All five callbacks, which log themselves under a name.
    pub(crate) fn callbacks(&self, name: &'static str) -> Callbacks {
        self.restart_callbacks(
            name,
            Callbacks::new()
                .with_before_start(self.say(name, "before_start"))
                .with_after_start(self.say(name, "after_start"))
                .with_after_stop(self.say(name, "after_stop")),
        )
    }

    fn restart_callbacks(&self, name: &'static str, callbacks: Callbacks) -> Callbacks {
        callbacks
            .with_before_restart(self.say(name, "before_restart"))
            .with_after_restart(self.say(name, "after_restart"))
    }

    pub(crate) fn say(
        &self,
        name: &'static str,
        what: &'static str,
    ) -> impl Fn() + Send + Sync + use<> {
        let log = self.clone();
        move || log.add(format!("{name} {what}"))
    }
}

/// What a scripted child is told.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Order {
    Panic,
    Fail,
    Finish,
}

/// A child that logs its starts, and the end of its body, and does as it is told.
pub(crate) fn scripted(
    log: &Log,
    name: &'static str,
) -> impl Fn(BastionContext) -> Body + Send + 'static + use<> {
    let log = log.clone();
    move |ctx| {
        log.add(format!("{name} runs"));
        Box::pin(body(ctx, End(log.clone(), name)))
    }
}

type Body = Pin<Box<dyn Future<Output = Result<(), ()>> + Send>>;

async fn body(ctx: BastionContext, _end: End) -> Result<(), ()> {
    loop {
        msg! { ctx.recv().await?,
            order: Order => match order {
                Order::Panic => panic!("told to"),
                Order::Fail => return Err(()),
                Order::Finish => return Ok(()),
            };
            number: u32 =!> {
                let _ = answer!(ctx, number + 1);
            };
            _: _ => ();
        }
    }
}

/// Logs the end of a body, however it comes.
struct End(Log, &'static str);

impl Drop for End {
    fn drop(&mut self) {
        self.0.add(format!("{} ends", self.1));
    }
}

/// A group of scripted children.
pub(crate) fn group(log: &Log, name: &'static str) -> impl FnOnce(Children) -> Children + use<> {
    let (exec, callbacks) = (scripted(log, name), log.callbacks(name));
    move |children| children.with_exec(exec).with_callbacks(callbacks)
}

/// The child of a group of one.
pub(crate) fn only(group: &ChildrenRef) -> &ChildRef {
    &group.elems()[0]
}

/// Asks a scripted child, and returns what it answers.
pub(crate) async fn ask(child: &ChildRef, number: u32) -> Option<u32> {
    let answer = child.ask_anonymously(number).ok()?.await.ok()?;
    msg! { answer, answer: u32 => Some(answer); _: _ => None; }
}

/// `name` with each of these.
pub(crate) fn each(name: &str, what: &[&str]) -> Vec<String> {
    what.iter().map(|what| format!("{name} {what}")).collect()
}
