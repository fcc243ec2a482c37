//! The tables of `ProcStack`: which hooks run when one of them panics, and which states go together.

use lightproc::{LightProc, Outcome, Panic, ProcStack};
use std::panic::resume_unwind;

const START: usize = 0;
const COMPLETE: usize = 1;
const PANIC: usize = 2;

/// What was called, and with how many earlier calls in the state.
type Calls = [Option<usize>; 3];

fn note(calls: &mut Calls, hook: usize) {
    assert_eq!(calls[hook], None, "a hook is called once");
    calls[hook] = Some(calls.iter().flatten().count());
}

/// A stack whose hooks note their call, then panic if they are that one.
fn noting(bad: Option<usize>) -> ProcStack {
    let hook = move |number: usize| {
        move |calls: &mut Calls| {
            note(calls, number);
            if bad == Some(number) {
                resume_unwind(Box::new("a hook"));
            }
        }
    };
    ProcStack::default()
        .with_before_start(hook(START))
        .with_after_complete(hook(COMPLETE))
        .with_after_panic(hook(PANIC))
}

#[test]
fn the_hooks_of_a_stack_run_in_their_order_and_a_panic_in_one_stops_no_other() {
    for bad in [None, Some(START), Some(COMPLETE), Some(PANIC)] {
        for panics in [false, true] {
            let stack = noting(bad).with_state::<Calls>([None; 3]);
            let body = async move {
                if panics {
                    resume_unwind(Box::new("the body"));
                }
            };
            let (process, mut handle) = LightProc::recoverable(body, |_| {}, stack.clone());
            process.run();
            let failed = panics || bad == Some(START);
            let after = if failed { [Some(0), None, Some(1)] } else { [Some(0), Some(1), None] };
            // The state is what the hooks made it, also when one has panicked with it in its hands.
            assert_eq!(stack.state::<Calls>(), Some(after), "{bad:?} {panics}");
            let seen = handle.data::<ProcStack>().and_then(|stack| stack.state::<Calls>());
            assert_eq!(seen, Some(after), "{bad:?} {panics}: through the handle");
            let outcome = futures_lite::future::block_on(handle.outcome());
            assert_eq!(matches!(outcome, Outcome::Panicked(_)), failed, "{bad:?} {panics}");
        }
    }
}

#[test]
fn a_clone_starts_with_the_pid_and_gets_hooks_of_its_own() {
    let stack = ProcStack::default().with_pid(1).with_state(0_u8);
    assert_eq!(stack.clone().get_pid(), 1);
    let clone = stack.clone().with_pid(2).with_before_start(|calls: &mut u8| *calls += 1);
    LightProc::detached(async {}, |_| {}, clone.clone()).run();
    assert_eq!((stack.get_pid(), clone.get_pid()), (1, 2));
    assert_eq!((stack.get_state::<u8>(), clone.get_state::<u8>()), (1, 1));
    // The hook is the clone's alone.
    LightProc::detached(async {}, |_| {}, stack.clone()).run();
    assert_eq!(stack.get_state::<u8>(), 1);
}

#[test]
fn a_stack_refuses_a_second_type_of_state() {
    type Step = fn(ProcStack) -> ProcStack;
    let firsts: [Step; 4] = [
        |stack| stack.with_state(1_u8),
        |stack| stack.with_before_start(|_: &mut u8| {}),
        |stack| stack.with_after_complete(|_: &mut u8| {}),
        |stack| stack.with_after_panic(|_: &mut u8| {}),
    ];
    let others: [Step; 4] = [
        |stack| stack.with_state(1_u16),
        |stack| stack.with_before_start(|_: &mut u16| {}),
        |stack| stack.with_after_complete(|_: &mut u16| {}),
        |stack| stack.with_after_panic(|_: &mut u16| {}),
    ];
    for first in firsts {
        for same in firsts {
            drop(same(first(ProcStack::default())));
        }
        for other in others {
            let stack = first(ProcStack::default());
            let refused = Panic::catch(|| other(stack)).unwrap_err();
            let message = refused.message().expect("a message with the types");
            assert!(message.contains("`u8`") && message.contains("`u16`"), "{message}");
        }
    }
}
