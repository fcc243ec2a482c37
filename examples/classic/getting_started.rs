//! Bastion 0.4: the first program: a supervised group that answers, crashes, is restarted, and answers again.
//!
//! `cargo run -p examples --example classic_getting_started`

use bastion::prelude::*;

/// Greets by name, and crashes when there is none.
async fn greeter(ctx: BastionContext) -> Result<(), ()> {
    println!("{} starts", ctx.current().path());
    loop {
        msg! { ctx.recv().await?,
            ref notice: &'static str => println!("{} reads: {notice}", ctx.current().path());
            name: String =!> {
                assert!(!name.is_empty(), "whom?");
                let _ = answer!(ctx, format!("Hello, {name}!"));
            };
            unknown: _ => println!("what is {unknown:?}?");
        }
    }
}

async fn greet(greeter: &ChildRef, name: &str) -> Result<String, ()> {
    let answer = greeter.ask_anonymously(name.to_owned()).map_err(|_| ())?;
    msg! { answer.await?,
        greeting: String => Ok(greeting);
        _: _ => Err(());
    }
}

fn main() {
    // The panic is wanted, and not worth a message.
    Bastion::init_with(Config::new().hide_backtraces());
    let supervisor =
        Bastion::supervisor(|supervisor| supervisor.with_strategy(SupervisionStrategy::OneForOne))
            .expect("the system was not stopped");
    let greeters = supervisor
        .children(|children| children.with_redundancy(2).with_exec(greeter))
        .expect("the supervisor was not stopped");
    Bastion::start();

    supervisor.broadcast("we are open").expect("the supervisor was not stopped");
    let [first, second] = greeters.elems() else { panic!("two were asked for") };
    assert_eq!(run!(greet(first, "Ada")), Ok("Hello, Ada!".to_owned()));
    assert_eq!(run!(greet(first, "")), Err(()), "who crashes does not answer");
    // The reference stays valid: who was restarted is reached by it.
    assert_eq!(run!(greet(first, "Grace")), Ok("Hello, Grace!".to_owned()));
    assert_eq!(run!(greet(second, "Barbara")), Ok("Hello, Barbara!".to_owned()));
    Bastion::stop();
    Bastion::block_until_stopped();
}
