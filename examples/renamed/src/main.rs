//! A program that knows the crate as `fort`: in its `Cargo.toml` stands `fort = { package = "bastion", … }`. All macros work under that name.
//!
//! `cargo run --package renamed`

use fort::prelude::*;

#[fort::root(redundancy = 2)]
async fn main(_ctx: BastionContext) -> Result<(), ()> {
    let quiet = children! {
        supervisor: supervisor! {},
    };
    let adder = Bastion::spawn(|ctx: BastionContext| async move {
        msg! { ctx.recv().await?,
            number: u64 =!> {
                answer!(ctx, number + 1).expect("somebody waits");
            };
            _: _ => ();
        }
        Ok(())
    })?;
    quiet.elems()[0].tell_anonymously("ignored").expect("it runs");
    let answer = adder.elems()[0].ask_anonymously(41_u64).expect("it runs").await?;
    let answer = msg! { answer, number: u64 => number; _: _ => 0; };
    println!("{answer}");
    assert_eq!(answer, 42);
    Bastion::stop();
    Ok(())
}

struct Counter(u64);

#[fort::actor]
impl Counter {
    fn add(&mut self, n: u64) {
        self.0 += n;
    }

    fn total(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fort::typed::System;

    #[fort::test(virtual_time)]
    async fn an_actor(system: System) {
        let counter = system.spawn_child(Counter::child(|| Counter(40))).unwrap();
        counter.add(2).unwrap();
        assert_eq!(counter.total().await, Ok(42));
    }

    mod program {
        #[fort::main]
        pub(super) async fn main() -> u32 {
            42
        }
    }

    #[test]
    fn main_under_another_name() {
        assert_eq!(program::main(), 42);
    }

    #[test]
    fn root_under_another_name() {
        main();
    }
}
