//! Every way a process can go from its birth to its end: all that happens counted, and every allocation.
//!
//! The table is a cross product, 7290 cases: 9 bodies x 10 wakes x 3 schedule functions x (2 entries with a handle x 13
//! lives of the handle + 1 entry without one). `case` has the dimensions, `world` the parts that count, `drive` leads a
//! process through a case, `expected` has the rules. What is here beside the table is what a table cannot say.
// Allocations are counted, which the feature `magazines` makes fewer.
#![cfg(not(any(loom, feature = "magazines")))]

mod alloc;
mod case;
mod drive;
mod expected;
mod handle;
mod single;
mod stack;
mod world;

use drive::PanicCost;

#[test]
fn every_lifecycle() {
    assert_eq!(case::CASES, 7290, "the head comment says how many there are");
    let cost = PanicCost::measure();
    let mut checked = 0;
    case::for_each(|case| {
        assert_eq!(drive::drive(case, &cost), expected::expected(case), "{case:?}");
        checked += 1;
    });
    assert_eq!(checked, case::CASES);
}
