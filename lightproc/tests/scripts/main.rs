//! Random scripts: what real processes do on one thread, operation by operation, against a model in plain values.
//!
//! Users' code is part of the scripts: futures, destructors, hooks, schedule functions and awaiters do in their calls
//! what else is done from outside, and panic. What concurrency adds is checked by loom.
// Allocations are counted, which the feature `magazines` makes fewer.
#![cfg(not(any(loom, feature = "magazines")))]

mod allocations;
mod awaiter;
mod check;
mod event;
mod model;
mod process;
mod rules;
mod script;
mod world;

use proptest::prelude::*;
use proptest::test_runner::{TestError, TestRunner};

#[test]
fn random_scripts_do_what_the_model_does() {
    check::prepare();
    let operation = any::<[u8; script::BYTES]>();
    let scripts = prop::collection::vec(operation, 0..script::LENGTH);
    let mut config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = 20_000;
    }
    config.max_shrink_iters = 100_000;
    let result = TestRunner::new(config).run(&scripts, |script| {
        check::check(script.as_flattened())
            .map_err(|difference| TestCaseError::fail(difference.to_string()))
    });
    if let Err(TestError::Fail(difference, script)) = result {
        let _ = std::panic::take_hook();
        panic!("{difference}\nthe bytes: {:?}", script.as_flattened());
    }
}
