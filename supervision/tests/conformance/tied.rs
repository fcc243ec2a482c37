//! Processes that are tied to others: they do what they are told with their own context, and record what they hear.

use crate::kit::{HOUR, Record, World};
use bastion_supervision::plan::{ExitReason, Failure, RestartType};
use bastion_supervision::{
    Address, AskError, Child, Context, Down, Exit, ExitSignal, Monitor, Reply, child,
};

type Job = Box<dyn FnOnce(&mut Context<Hear>) + Send>;

pub(crate) enum Hear {
    Do(Job),
    Text(&'static str),
    End(Exit),
    Down(Down),
    Exit(ExitSignal),
}

/// One that is not restarted, unless a test says so.
#[derive(Clone)]
pub(crate) struct Tied {
    pub(crate) address: Address<Hear>,
    pub(crate) heard: Record,
}

pub(crate) fn reason(text: &'static str) -> ExitReason {
    ExitReason::Error(Failure::new(text))
}

pub(crate) fn tied(name: &str) -> (Child<Hear>, Tied) {
    let heard = Record::default();
    let record = heard.clone();
    let child = child(move |cx| body(cx, record.clone())).restart(RestartType::Temporary);
    let address = child.address();
    (child.named(name), Tied { address, heard })
}

/// Starts one.
pub(crate) fn start(w: &World, name: &str) -> Tied {
    let (child, tied) = tied(name);
    w.system.spawn_child(child).expect("the system runs");
    tied
}

async fn body(mut cx: Context<Hear>, heard: Record) -> Result<(), Exit> {
    while let Some(message) = cx.recv().await {
        match message {
            Hear::Do(job) => job(&mut cx),
            Hear::Text(text) => heard.add(text),
            Hear::End(exit) => return Err(exit),
            Hear::Down(down) => {
                let name = down.name.as_deref().unwrap_or("unnamed");
                heard.add(format!("down {name}: {}", down.reason));
            }
            Hear::Exit(signal) => {
                let name = signal.name.as_deref().unwrap_or("a signal");
                heard.add(format!("exit {name}: {}", signal.reason));
            }
        }
    }
    Ok(())
}

impl Tied {
    /// Has it do something, and waits for what comes of it.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Context<Hear>) -> T + Send + 'static,
    ) -> Result<T, AskError> {
        let job = |reply: Reply<T>| Hear::Do(Box::new(move |cx| reply.send(job(cx))));
        self.address.ask_timeout(HOUR, job).await
    }

    pub(crate) async fn lives(&self) -> bool {
        self.run(|_| ()).await.is_ok()
    }

    pub(crate) async fn traps(&self) {
        self.run(|cx| cx.trap_exit(Hear::Exit)).await.expect("it lives");
    }

    pub(crate) async fn links(&self, other: &Tied) {
        let other = other.address.clone();
        self.run(move |cx| cx.link(&other)).await.expect("it lives");
    }

    pub(crate) async fn unlinks(&self, other: &Tied) {
        let other = other.address.clone();
        self.run(move |cx| cx.unlink(&other)).await.expect("it lives");
    }

    pub(crate) async fn watches(&self, other: &Tied) -> Monitor {
        let other = other.address.clone();
        self.run(move |cx| cx.monitor(&other, Hear::Down)).await.expect("it lives")
    }

    /// Ends it by itself, and waits until it has ended for good.
    pub(crate) async fn ends(&self, reason: ExitReason) -> String {
        assert!(self.address.tell(Hear::End(Exit::with(reason))).is_ok(), "it takes messages");
        self.ended().await
    }

    /// Waits until it has ended for good.
    pub(crate) async fn ended(&self) -> String {
        self.address.ended().await.to_string()
    }

    /// What it has heard since the last look, of what was sent before this.
    pub(crate) async fn hears(&self) -> String {
        assert!(self.lives().await);
        self.heard.take().join(", ")
    }
}
