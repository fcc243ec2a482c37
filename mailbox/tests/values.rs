//! Values of any type: whatever is done with one, it is what was put in, and is dropped once.
#![cfg(not(loom))]

use bastion_mailbox::Value;
use proptest::prelude::*;
use std::any::{Any, type_name};
use std::collections::VecDeque;
use std::fmt::Debug;
use std::mem::size_of;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

/// Something with a destructor that is as large as its load, aligned as that is.
struct Counted<L> {
    load: L,
    dropped: Arc<AtomicUsize>,
    panics: bool,
}

impl<L> Counted<L> {
    fn new(load: L, dropped: &Arc<AtomicUsize>) -> Counted<L> {
        Counted { load, dropped: dropped.clone(), panics: false }
    }
}

impl<L> Drop for Counted<L> {
    fn drop(&mut self) {
        self.dropped.fetch_add(1, Relaxed);
        assert!(!self.panics, "a value that panics when it is dropped");
    }
}

trait Load: Any + Send + Sync + Clone + PartialEq + Debug {}

impl<L: Any + Send + Sync + Clone + PartialEq + Debug> Load for L {}

#[derive(Clone, Copy, PartialEq, Debug)]
#[repr(align(32))]
struct Aligned<L>(L);

/// Calls a function with values of all kinds: in the room or not, with and without bytes, aligned in several ways.
fn with_all(check: impl Check) {
    check.check(());
    check.check(7_u8);
    check.check(u64::MAX);
    check.check([1_usize]);
    check.check([1_usize, 2]);
    check.check([1_usize, 2, 3, 4]);
    check.check([3_u8; 1000]);
    check.check(Aligned(()));
    check.check(Aligned(1_u8));
    check.check(u128::MAX);
    check.check("a text".to_owned());
    check.check(vec!["some".to_owned(), "texts".to_owned()]);
    check.check(Arc::new(9));
    check.check(Some(Box::new(7)));
}

trait Check {
    fn check<L: Load>(&self, load: L);
}

/// Does something with a value, and says how often something is dropped in the end.
struct Drops<F>(F);

impl<F: Fn(Value)> Check for Drops<F> {
    fn check<L: Load>(&self, load: L) {
        let dropped = Arc::new(AtomicUsize::new(0));
        let value = || Counted::new(load.clone(), &dropped);
        (self.0)(Value::new(value()));
        assert_eq!(dropped.load(Relaxed), 1, "{}", type_name::<L>());
        (self.0)(Value::shared(Arc::new(value())));
        assert_eq!(dropped.load(Relaxed), 2, "{} shared", type_name::<L>());
        assert_eq!(Arc::strong_count(&dropped), 1);
    }
}

#[test]
fn it_is_four_words_also_when_it_may_be_missing() {
    assert_eq!(size_of::<Value>(), 4 * size_of::<usize>());
    assert_eq!(size_of::<Option<Value>>(), 4 * size_of::<usize>());
}

#[test]
fn it_can_be_sent_and_shared() {
    fn check<T: Send + Sync + Unpin + 'static>() {}
    check::<Value>();
}

#[test]
fn what_was_put_in_comes_out() {
    struct Same;
    impl Check for Same {
        fn check<L: Load>(&self, load: L) {
            let value = Value::new(load.clone());
            assert!(value.is::<L>() && !value.is_shared() && value.share().is_none());
            assert_eq!(value.downcast_ref::<L>(), Some(&load));
            assert_eq!(value.as_any().downcast_ref::<L>(), Some(&load));
            assert_eq!(value.type_name(), type_name::<L>());
            assert_eq!(
                value.downcast_ref::<L>().unwrap() as *const L as usize % align_of::<L>(),
                0
            );
            // By way of the wrong types, moved each time.
            #[derive(Debug)]
            struct Other;
            let value = value.downcast::<Other>().unwrap_err();
            let value = value.downcast_arc::<Other>().unwrap_err();
            assert!(value.downcast_ref::<Other>().is_none());
            let moved = Box::new([Some(value)]).map(Option::unwrap);
            let [value] = *Box::new(moved);
            assert_eq!(value.downcast::<L>().unwrap(), load);
            assert_eq!(*Value::new(load.clone()).downcast_arc::<L>().unwrap(), load);
        }
    }
    with_all(Same);
}

#[test]
fn one_that_is_shared_is_looked_at_and_never_moved_out() {
    struct Shared;
    impl Check for Shared {
        fn check<L: Load>(&self, load: L) {
            let counted = Arc::new(load.clone());
            let value = Value::shared(counted.clone());
            assert!(value.is::<L>() && value.is_shared());
            assert!(!value.is::<Arc<L>>(), "it is the value, not the reference");
            let again = value.share().unwrap();
            assert_eq!(Arc::strong_count(&counted), 3);
            assert!(std::ptr::eq(again.downcast_ref::<L>().unwrap(), &*counted));
            drop((value, counted));
            // Not even when it is the only one.
            let again = again.downcast::<L>().unwrap_err();
            assert_eq!(Arc::try_unwrap(again.downcast_arc::<L>().unwrap()).unwrap(), load);
        }
    }
    with_all(Shared);
    // An owned one becomes shared where it is asked to.
    let value = Value::new(5_u8).into_shared();
    assert!(value.is_shared());
    assert_eq!(value.share().unwrap().downcast_ref(), Some(&5_u8));
}

#[test]
fn each_is_dropped_once() {
    with_all(Drops(drop));
    with_all(Drops(|value: Value| drop(value.downcast::<u32>().unwrap_err())));
    with_all(Drops(|value: Value| drop(value.downcast_arc::<u32>().unwrap_err())));
    with_all(Drops(|value: Value| drop(value.into_shared().share())));
    with_all(Drops(|value: Value| drop((value.share(), value.share(), value))));
    with_all(Drops(|value: Value| drop(VecDeque::from([Some(value), None]))));
    with_all(Drops(|value: Value| std::thread::spawn(move || drop(value)).join().unwrap()));
}

#[test]
fn one_that_was_moved_out_is_the_callers() {
    struct MovedOut;
    impl Check for MovedOut {
        fn check<L: Load>(&self, load: L) {
            let dropped = Arc::new(AtomicUsize::new(0));
            let value = || Value::new(Counted::new(load.clone(), &dropped));
            let out = value().downcast::<Counted<L>>().unwrap();
            let arc = value().downcast_arc::<Counted<L>>().unwrap();
            assert_eq!((dropped.load(Relaxed), &out.load, &arc.load), (0, &load, &load));
            drop((out, arc));
            assert_eq!(dropped.load(Relaxed), 2);
        }
    }
    with_all(MovedOut);
}

#[test]
fn a_destructor_that_panics_is_called_once() {
    struct Panics;
    impl Check for Panics {
        fn check<L: Load>(&self, load: L) {
            let dropped = Arc::new(AtomicUsize::new(0));
            let value = || {
                let mut value = Counted::new(load.clone(), &dropped);
                value.panics = true;
                value
            };
            let panics = |value: Value| catch_unwind(AssertUnwindSafe(|| drop(value))).unwrap_err();
            panics(Value::new(value()));
            panics(Value::shared(Arc::new(value())));
            assert_eq!((dropped.load(Relaxed), Arc::strong_count(&dropped)), (2, 1));
        }
    }
    with_all(Panics);
}

#[test]
fn cells_in_a_value_are_changed_where_they_are() {
    let value = Value::new(AtomicU64::new(1));
    value.downcast_ref::<AtomicU64>().unwrap().fetch_add(1, Relaxed);
    assert_eq!(value.downcast::<AtomicU64>().unwrap().into_inner(), 2);
    let value = Value::new(Mutex::new(1_u16));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| *value.downcast_ref::<Mutex<u16>>().unwrap().lock().unwrap() += 1);
        }
    });
    assert_eq!(value.downcast::<Mutex<u16>>().unwrap().into_inner().unwrap(), 5);
}

/// What happens to one of several values; the first number says which.
#[derive(Clone, Debug)]
enum Act {
    New(usize),
    Shared(usize),
    Share(usize),
    IntoShared(usize),
    Out(usize),
    OutShared(usize),
    Drop(usize),
}

fn act() -> impl Strategy<Value = Act> {
    let kind = || 0..KINDS;
    prop_oneof![
        4 => kind().prop_map(Act::New),
        2 => kind().prop_map(Act::Shared),
        3 => any::<usize>().prop_map(Act::Share),
        2 => any::<usize>().prop_map(Act::IntoShared),
        3 => any::<usize>().prop_map(Act::Out),
        2 => any::<usize>().prop_map(Act::OutShared),
        2 => any::<usize>().prop_map(Act::Drop),
    ]
}

/// What a value should be: its kind, its number among all, whether it is shared.
#[derive(Clone, Copy)]
struct Model {
    kind: usize,
    number: usize,
    shared: bool,
}

const KINDS: usize = 4;
type Zero = Counted<[u8; 0]>;
type Small = Counted<u32>;
type Large = Counted<[u64; 9]>;
type Wide = Counted<Aligned<u32>>;

/// Values beside their models, and how often each number was dropped.
#[derive(Default)]
struct Both {
    values: Vec<(Value, Model)>,
    drops: Vec<Arc<AtomicUsize>>,
}

impl Both {
    fn make(&mut self, kind: usize, shared: bool) {
        fn value<L: Load>(counted: Counted<L>, shared: bool) -> Value {
            if shared { Value::shared(Arc::new(counted)) } else { Value::new(counted) }
        }
        let dropped = Arc::new(AtomicUsize::new(0));
        let value = match kind {
            0 => value(Zero::new([], &dropped), shared),
            1 => value(Small::new(7, &dropped), shared),
            2 => value(Large::new([7; 9], &dropped), shared),
            _ => value(Wide::new(Aligned(7), &dropped), shared),
        };
        self.values.push((value, Model { kind, number: self.drops.len(), shared }));
        self.drops.push(dropped);
    }

    /// Tries all types, of which one is right.
    fn out(value: Value, model: Model) -> Option<Value> {
        fn attempt<T: Any + Send + Sync>(value: Value, is_right: bool) -> Option<Value> {
            match value.downcast::<T>() {
                Ok(_) => {
                    assert!(is_right, "{}", type_name::<T>());
                    None
                }
                Err(value) => {
                    assert!(!is_right, "{}", type_name::<T>());
                    Some(value)
                }
            }
        }
        let right = |kind| kind == model.kind && !model.shared;
        let value = attempt::<Zero>(value, right(0))?;
        let value = attempt::<Small>(value, right(1))?;
        let value = attempt::<Large>(value, right(2))?;
        attempt::<Wide>(value, right(3))
    }

    fn out_shared(value: Value, kind: usize) -> Value {
        fn back<T: Any + Send + Sync>(value: Value) -> Value {
            Value::shared(value.downcast_arc::<T>().unwrap())
        }
        match kind {
            0 => back::<Zero>(value),
            1 => back::<Small>(value),
            2 => back::<Large>(value),
            _ => back::<Wide>(value),
        }
    }

    fn act(&mut self, act: &Act) {
        let mut which = |number: usize| {
            let count = self.values.len();
            (count > 0).then(|| self.values.swap_remove(number % count))
        };
        match *act {
            Act::New(kind) => self.make(kind, false),
            Act::Shared(kind) => self.make(kind, true),
            Act::Share(number) => {
                if let Some((value, model)) = which(number) {
                    let again = value.share();
                    assert_eq!(again.is_some(), model.shared);
                    self.values.extend(again.map(|again| (again, model)));
                    self.values.push((value, model));
                }
            }
            Act::IntoShared(number) => {
                if let Some((value, model)) = which(number) {
                    self.values.push((value.into_shared(), Model { shared: true, ..model }));
                }
            }
            Act::Out(number) => {
                if let Some((value, model)) = which(number) {
                    self.values.extend(Self::out(value, model).map(|value| (value, model)));
                }
            }
            Act::OutShared(number) => {
                if let Some((value, model)) = which(number) {
                    let value = Self::out_shared(value, model.kind);
                    self.values.push((value, Model { shared: true, ..model }));
                }
            }
            Act::Drop(number) => drop(which(number)),
        }
        self.compare();
    }

    fn compare(&self) {
        for (number, dropped) in self.drops.iter().enumerate() {
            let lives = self.values.iter().any(|(_, model)| model.number == number);
            assert_eq!(dropped.load(Relaxed), usize::from(!lives));
        }
        for (value, model) in &self.values {
            assert_eq!(value.is_shared(), model.shared);
            let found =
                [value.is::<Zero>(), value.is::<Small>(), value.is::<Large>(), value.is::<Wide>()];
            assert!(found.iter().enumerate().all(|(kind, is)| *is == (kind == model.kind)));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn values_are_what_their_model_says(acts in prop::collection::vec(act(), 1..60)) {
        let mut both = Both::default();
        acts.iter().for_each(|act| both.act(act));
        both.values.clear();
        both.compare();
    }
}
