//! Bastion 0.4: a child gives messages to a dispatcher, whose members, of two groups, receive them in turn.
//!
//! `cargo run -p examples --example classic_dispatchers`

use bastion::prelude::*;
use std::sync::{Arc, mpsc};

fn main() {
    Bastion::init();
    let (give, take) = mpsc::channel();
    for name in ["left", "right"] {
        let give = give.clone();
        Bastion::children(|children| {
            children
                .with_name(name)
                .with_dispatcher(Dispatcher::with_type(DispatcherType::Named("both".to_owned())))
                .with_exec(move |ctx| {
                    let give = give.clone();
                    async move {
                        loop {
                            msg! { ctx.recv().await?,
                                message: Arc<SignedMessage> => {
                                    let message = Arc::try_unwrap(message).map_err(|_| ())?;
                                    msg! { message,
                                        ref text: &'static str => {
                                            println!("{}: {text}", ctx.current().name());
                                            give.send(ctx.current().name().to_owned()).map_err(|_| ())?;
                                        };
                                        _: _ => ();
                                    }
                                };
                                _: _ => ();
                            }
                        }
                    }
                })
        })
        .expect("the system was not stopped");
    }
    Bastion::start();
    Bastion::spawn(|ctx| async move {
        // It is started after both groups, whose children are members then.
        for _ in 0..4 {
            ctx.broadcast_message(BroadcastTarget::Group("both".to_owned()), "your turn");
        }
        Ok(())
    })
    .expect("the system was not stopped");
    let mut heard: Vec<String> = take.iter().take(4).collect();
    heard.sort();
    assert_eq!(heard, ["left", "left", "right", "right"]);
    Bastion::stop();
    Bastion::block_until_stopped();
}
