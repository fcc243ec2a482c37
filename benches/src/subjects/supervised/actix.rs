//! actix. Its actors are not supervised here: its supervisor does not notice failures.

use super::super::actix::arbiter;
use super::Starts;
use crate::bench::Measured;
use crate::latch::{Countdown, latch};
use actix::{Actor, ActorContext, Context};
use std::time::Instant;
use tokio::sync::oneshot;

/// Who learns of an actor's end.
enum Listener {
    All(&'static Countdown),
    One(Option<oneshot::Sender<()>>),
}

/// Ends as soon as it has started.
struct Ender(Listener);

impl Actor for Ender {
    type Context = Context<Ender>;

    fn started(&mut self, cx: &mut Context<Ender>) {
        cx.stop();
    }

    fn stopped(&mut self, _: &mut Context<Ender>) {
        match &mut self.0 {
            Listener::All(countdown) => countdown.arrive(),
            Listener::One(sender) => {
                let _ = sender.take().map(|sender| sender.send(()));
            }
        }
    }
}

pub(crate) struct Actix;

impl Starts for Actix {
    fn all(count: u32) -> Measured {
        let (finish, mut wait) = latch();
        let countdown = Countdown::leaked(count, finish);
        wait.start();
        arbiter(0).spawn(async move {
            for _ in 0..count {
                drop(Ender(Listener::All(countdown)).start());
            }
        });
        wait.measured()
    }

    fn each(count: u32) -> Measured {
        let (finish, wait) = latch();
        arbiter(0).spawn(async move {
            let each = async {
                let start = Instant::now();
                for _ in 0..count {
                    let (sender, ended) = oneshot::channel();
                    drop(Ender(Listener::One(Some(sender))).start());
                    ended.await?;
                }
                Ok(start.elapsed().into())
            };
            finish.result(each.await);
        });
        wait.measured()
    }
}
