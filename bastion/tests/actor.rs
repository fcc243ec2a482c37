//! `#[bastion::actor]`: what it makes is used as what one writes by hand.

#[allow(unreachable_pub)] // As others would see it.
#[path = "actor/by_hand.rs"]
mod by_hand;
#[allow(unreachable_pub)]
#[path = "actor/by_macro.rs"]
mod by_macro;
#[path = "actor/kinds.rs"]
mod kinds;

use bastion::typed::*;
use bastion::{Ask, System};
use std::time::Duration;

/// The same program with either of the counters.
macro_rules! uses {
    ($($uses:ident of $counter:ident,)*) => { $(mod $uses {
        use super::$counter::{Counter, CounterAddress, CounterMessage};
        use super::*;

        fn counter(system: &System) -> Address<CounterMessage> {
            system.spawn_child(Counter::child(|| Counter { total: 1 }).named("counter")).unwrap()
        }

        #[bastion::test(virtual_time)]
        async fn what_is_told_and_what_is_asked(system: System) {
            let counter = counter(&system);
            counter.add(2).unwrap();
            assert_eq!(counter.total().await, Ok(3));
            let total: Ask<u64> = counter.ask_timeout(Duration::from_secs(1), CounterMessage::Total);
            assert_eq!(total.await, Ok(3));
            counter.send(CounterMessage::Add(1)).await.unwrap();
            assert_eq!(counter.total().await, Ok(4));
        }

        #[bastion::test(virtual_time)]
        async fn a_method_has_the_context_and_tells_its_own_process(system: System) {
            let counter = counter(&system);
            counter.add_later(5).unwrap();
            assert_eq!(counter.total().await, Ok(1));
            let later = child(|cx: Context<()>| async move {
                cx.sleep(Duration::from_secs(2)).await;
                Ok(())
            });
            let later = system.spawn_child(later.restart(RestartType::Temporary)).unwrap();
            later.ended().await;
            assert_eq!(counter.total().await, Ok(6));
        }

        #[bastion::test(virtual_time)]
        async fn an_exit_ends_the_incarnation_and_the_next_one_begins_anew(system: System) {
            let counter = counter(&system);
            counter.add(10).unwrap();
            counter.take(12).unwrap();
            assert_eq!(counter.total().await, Ok(1), "what waited is the next one's");
            assert_eq!(counter.incarnation(), 2);
            let history = system.history();
            assert!(history.records[0].report.to_string().contains("too little is there"));
        }

        #[bastion::test(virtual_time)]
        async fn a_dead_process_gives_the_message_back(system: System) {
            let temporary = Counter::child(|| Counter { total: 0 }).restart(RestartType::Temporary);
            let counter = system.spawn_child(temporary).unwrap();
            counter.take(1).unwrap();
            counter.ended().await;
            let refused = counter.add(7).unwrap_err();
            assert!(matches!(refused, TellError::Dead(CounterMessage::Add(7))));
            assert_eq!(counter.total().await, Err(AskError::Dead));
        }

        #[bastion::test(virtual_time)]
        async fn a_body_may_do_something_before_and_afterwards(system: System) {
            let before_and_after = child(|mut cx| async move {
                let mut counter = Counter { total: cx.incarnation().into() };
                counter.run(&mut cx).await?;
                assert_eq!(counter.total, 3);
                Err(Exit::error("closed"))
            });
            let counter = system.spawn_child(before_and_after).unwrap();
            counter.add(2).unwrap();
            assert_eq!(counter.total().await, Ok(3));
            system.stop(Duration::from_secs(1)).await;
            assert_eq!(counter.ended().await.to_string(), "error: closed");
        }

        #[test]
        fn the_state_is_tested_without_a_process() {
            let mut counter = Counter { total: 0 };
            counter.add(2);
            assert!(counter.take(3).is_err());
            assert_eq!(counter.total, 2);
        }
    })* };
}

uses! {
    the_attribute of by_macro,
    the_written_form of by_hand,
}
