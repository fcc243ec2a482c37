//! Programs of lightproc 0.3: what they name (`surface`), and what their documentation promises (`behaviour`).
//!
//! The defects of 0.3 that must not come back, each with its test, where not said otherwise in `stack.rs` beside this folder:
//!
//! | | defect | test |
//! |---|---|---|
//! | L1 | `before_start` ran before every poll | `l1_before_start_runs_once_over_several_polls` |
//! | L2 | `after_complete` ran after a panic, too | `l2_after_complete_does_not_run_after_a_panic_and_l3_after_panic_needs_no_poll_of_the_handle` |
//! | L3 | `after_panic` ran only when the handle was polled | the same |
//! | L4 | the state was cast, whatever its type | `l4_a_state_of_another_type_is_refused_by_name`; here `l4_the_state_that_nobody_gave_has_each_of_its_names` |
//! | L5 | a panicking hook poisoned the state | `l5_a_panicking_hook_does_not_spoil_the_state_for_the_next` |
//! | L6 | handles of any output were `Send` and `Sync` | here `l6_handles_of_what_must_stay_on_its_thread_stay_there` |
//! | L7 | a panic of a process made by `build` ended the thread | `l7_a_panic_stays_in_its_process_whatever_its_handle` |
//! | L8 | nobody could wait for the end of a cancelled process | `l8_a_cancelled_process_can_be_waited_for_until_its_future_is_gone` |
//! | L9 | an example held L1 and L2 fast | `l9_the_classic_example_counts_each_hook_once` |
#![cfg(not(loom))]

mod behaviour;
mod surface;
