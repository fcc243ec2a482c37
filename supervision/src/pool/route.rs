//! [`Route`]: which worker a message goes to. The decisions are pure: they know how many workers there are, and nothing of messages.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// Makes the number of a message's key.
type KeyOf<M> = Arc<dyn Fn(&M) -> u64 + Send + Sync>;

/// Which worker of a [`Pool`](crate::Pool) a message goes to. The sender decides, without a process in between.
///
/// Except with a key, a worker whose queue is full is passed over: a pool is full when all of them are.
pub struct Route<M>(pub(super) Kind<M>);

pub(super) enum Kind<M> {
    RoundRobin,
    Random,
    LeastLoaded,
    Key(KeyOf<M>),
    Shared,
}

impl<M> Route<M> {
    /// One worker after another. The default.
    pub fn round_robin() -> Route<M> {
        Route(Kind::RoundRobin)
    }

    /// Any worker.
    pub fn random() -> Route<M> {
        Route(Kind::Random)
    }

    /// The worker with the fewest messages, counting the one that it is handling. Of those that have none the first in turn.
    pub fn least_loaded() -> Route<M> {
        Route(Kind::LeastLoaded)
    }

    /// Always the same worker for messages with equal keys (rendezvous hashing). When a worker comes, it takes its share from all others,
    /// one of n; when one goes, its keys are shared among the others; no other key moves. While that happens, two workers may have messages
    /// with one key. It looks at every worker, a few nanoseconds each.
    ///
    /// # Examples
    /// ```
    /// use bastion_supervision::Route;
    /// struct Order { customer: u64 }
    /// let route = Route::by_key(|order: &Order| order.customer);
    /// ```
    pub fn by_key<K: Hash>(key: impl Fn(&M) -> K + Send + Sync + 'static) -> Route<M> {
        Route(Kind::Key(Arc::new(move |message| {
            let mut hasher = DefaultHasher::new();
            key(message).hash(&mut hasher);
            hasher.finish()
        })))
    }

    /// One queue for all: a worker that is free takes the next message, so none waits behind a slow one while another worker has nothing
    /// to do. For work that takes differently long.
    pub fn shared_queue() -> Route<M> {
        Route(Kind::Shared)
    }
}

impl<M> Default for Route<M> {
    fn default() -> Self {
        Route::round_robin()
    }
}

impl<M> fmt::Debug for Route<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Kind::RoundRobin => "RoundRobin",
            Kind::Random => "Random",
            Kind::LeastLoaded => "LeastLoaded",
            Kind::Key(_) => "ByKey",
            Kind::Shared => "SharedQueue",
        })
    }
}

/// Returns which of `count` is least loaded, looking from `turn` on; the first one without any load will do.
pub(super) fn least_loaded(count: usize, turn: usize, load: impl Fn(usize) -> usize) -> usize {
    let mut least = (usize::MAX, 0);
    for step in 0..count {
        let place = (turn + step) % count;
        let load = load(place);
        if load == 0 {
            return place;
        }
        if load < least.0 {
            least = (load, place);
        }
    }
    least.1
}

/// Returns which of `count` has a key: each has a number of its own, and the pair of it and the key says how much it wants the key.
/// It does not matter at which places they stand.
pub(super) fn owner(count: usize, key: u64, number: impl Fn(usize) -> usize) -> usize {
    (0..count).max_by_key(|place| mix(key ^ mix(number(*place) as u64))).unwrap_or_default()
}

/// Makes all bits depend on all bits (the finalizer of SplitMix64).
fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_least_loaded_is_chosen_and_of_equals_the_first_in_turn() {
        for (loads, turn, expected) in [
            (&[3, 1, 2][..], 0, 1),
            (&[3, 1, 2], 2, 1),
            (&[2, 2, 2], 0, 0),
            (&[2, 2, 2], 1, 1),
            (&[0, 5, 0], 1, 2),
            (&[0, 5, 0], 0, 0),
            (&[7], 0, 0),
        ] {
            let chosen = least_loaded(loads.len(), turn, |place| loads[place]);
            assert_eq!(chosen, expected, "{loads:?} from {turn}");
        }
        let looked = std::cell::Cell::new(0);
        let load = |place| {
            looked.set(looked.get() + 1);
            [0, 1, 9][place]
        };
        assert_eq!((least_loaded(3, 1, load), looked.get()), (0, 3));
        looked.set(0);
        assert_eq!((least_loaded(3, 0, load), looked.get()), (0, 1), "idle: no other is looked at");
    }

    fn owners(numbers: &[usize], keys: &[u64]) -> Vec<usize> {
        let owner_of = |key: &u64| numbers[owner(numbers.len(), *key, |place| numbers[place])];
        keys.iter().map(owner_of).collect()
    }

    proptest! {
        #[test]
        fn only_keys_of_who_comes_or_goes_move(
            size in 1..40_usize, gone in 0..40_usize, keys in proptest::collection::vec(any::<u64>(), 1..200),
        ) {
            let all: Vec<usize> = (0..=size).collect();
            let gone = gone % all.len();
            let rest: Vec<usize> = all.iter().copied().filter(|number| *number != gone).rev().collect();
            for (with, without) in owners(&all, &keys).into_iter().zip(owners(&rest, &keys)) {
                prop_assert!(with == without || with == gone);
                prop_assert!(without != gone);
            }
        }
    }

    #[test]
    fn each_has_its_share_of_the_keys() {
        let keys: Vec<u64> = (0..20_000).collect();
        for size in [2, 3, 10, 50] {
            let numbers: Vec<usize> = (0..size).collect();
            let mut shares = vec![0_usize; size];
            owners(&numbers, &keys).into_iter().for_each(|owner| shares[owner] += 1);
            let fair = keys.len() / size;
            for share in &shares {
                assert!(share.abs_diff(fair) < fair / 4, "{size}: {shares:?}");
            }
        }
    }
}
