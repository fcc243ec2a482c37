//! The rules of an order: who is looked at, who is woken, and when it goes beyond a node.

/// In which order a thief looks into the queues of a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Victims {
    /// As the plan says: same core, level 2, last level cache, node.
    Near,
    /// From its own number up.
    Ring,
    /// From a random one up, drawn for each search.
    Random,
}

/// Who of a domain's sleepers is woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sleepers {
    /// On another core that shares the last level cache, then beside the waker, then any; the last one among equals. Only of those who are
    /// bound that is known.
    Near,
    /// The same, but the other core is to be idle; and an idle core anywhere comes before a thread beside a busy one of another core.
    NearIdle,
    /// On an idle core, at first in the last level cache, then in the node; only then beside a busy thread, the near before the far.
    IdleCore,
    /// Who went to sleep last.
    Last,
}

/// Where a thief begins to look in another domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Abroad {
    /// As the plan says: with the worker that sits there where the thief sits in its own domain.
    Plan,
    /// With a random one.
    Random,
}

/// What a push to a domain whose workers are all busy makes of a searcher in another domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// That domain does as much as it has idle workers; if more waits where the push was, the next one is asked.
    ForAsMany,
    /// It is enough for that domain, and the next one is asked; if somebody searches in all that are idle, that is enough.
    NextDomain,
    /// It is enough for all, if it is in the nearest domain that is not busy.
    Content,
    /// Nothing: a sleeper is woken beside the searcher.
    Never,
}

/// What an order does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rules {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    /// A domain for each of the plan's, with an injector, searchers and sleepers of its own. Otherwise the machine is one.
    pub(super) by_domain: bool,
    pub(super) victims: Victims,
    pub(super) sleepers: Sleepers,
    /// How many workers of a domain may look into other domains at once.
    pub(super) remote_thieves: usize,
    /// A domain that has an idle worker of its own is left alone: it sleeps only where nothing waits, or searches.
    pub(super) leaves_alone: bool,
    /// So many processes must wait in one place of a domain before others help: more, if the worker there will have done them before
    /// another is awake.
    pub(super) remote_least: usize,
    /// The most processes that one steal takes from another domain.
    pub(super) remote_batch: usize,
    /// The last searcher that finds work has another look also for what still waits in other domains; otherwise for its own domain only.
    pub(super) passes_on: bool,
    /// A push that finds all workers of its domain busy wakes one of another; otherwise others only come by themselves.
    pub(super) calls_others: bool,
    pub(super) trust: Trust,
    /// Who is woken looks into the waker's queue first.
    pub(super) hint: bool,
    pub(super) abroad: Abroad,
}

/// Our order.
pub(super) const BASTION: Rules = Rules {
    name: crate::bench::OURS,
    about: "the own node first, everything nearest first",
    by_domain: true,
    victims: Victims::Near,
    sleepers: Sleepers::Near,
    remote_thieves: 1,
    leaves_alone: true,
    remote_least: 1,
    remote_batch: 32,
    passes_on: true,
    calls_others: true,
    trust: Trust::ForAsMany,
    hint: false,
    abroad: Abroad::Plan,
};

/// One list of sleepers and one injector for all; victims in the order of their numbers. Since workers are numbered node by node, even
/// this order is near at first.
pub(super) const RING: Rules = Rules {
    name: "ring",
    about: "one injector, last sleeper first, victims from the own number up",
    by_domain: false,
    victims: Victims::Ring,
    sleepers: Sleepers::Last,
    ..BASTION
};

/// The same, with victims from a random worker on.
pub(super) const RANDOM: Rules = Rules {
    name: "random",
    about: "one injector, last sleeper first, victims from a random one up",
    victims: Victims::Random,
    ..RING
};

/// What is open about our order: more thieves bring more at once, and pull on the same cache lines. What that costs is assumed here.
pub(super) const FOUR_THIEVES: Rules = Rules {
    name: "4-thieves",
    about: "not built: ours, but four of a domain's searchers may look into other domains",
    remote_thieves: 4,
    ..BASTION
};

/// What is always compared, ours first.
pub(super) const ORDERS: [Rules; 4] = [BASTION, RING, RANDOM, FOUR_THIEVES];

/// Our order with one rule changed each.
pub(super) const VARIANTS: &[Rules] = &[
    Rules {
        name: "next-domain",
        about: "a push passes by a domain where somebody searches, however little waits",
        trust: Trust::NextDomain,
        ..BASTION
    },
    Rules {
        name: "content",
        about: "a push is content with a searcher in the nearest domain that is not busy",
        trust: Trust::Content,
        ..BASTION
    },
    Rules {
        name: "no-trust",
        about: "a push is never content with a searcher in another domain",
        trust: Trust::Never,
        ..BASTION
    },
    Rules {
        name: "any-thieves",
        about: "all of a domain's searchers may look into other domains",
        remote_thieves: usize::MAX,
        ..BASTION
    },
    Rules {
        name: "random-abroad",
        about: "a thief begins in another domain with a random worker",
        abroad: Abroad::Random,
        ..BASTION
    },
    Rules {
        name: "least-4",
        about: "other domains help only where at least 4 processes wait in one place",
        remote_least: 4,
        ..BASTION
    },
    Rules { name: "least-32", about: "the same with 32", remote_least: 32, ..BASTION },
    Rules {
        name: "batch-8",
        about: "a remote steal takes up to 8 processes",
        remote_batch: 8,
        ..BASTION
    },
    Rules {
        name: "batch-128",
        about: "a remote steal takes up to 128",
        remote_batch: 128,
        ..BASTION
    },
    Rules {
        name: "not-called",
        about: "a push never wakes another domain's worker",
        calls_others: false,
        ..BASTION
    },
    Rules {
        name: "not-passed-on",
        about: "the last searcher that finds work looks no further than its domain",
        passes_on: false,
        ..BASTION
    },
    Rules {
        name: "no-respect",
        about: "other domains are stolen from though they have idle workers",
        leaves_alone: false,
        ..BASTION
    },
    Rules {
        name: "hint",
        about: "who is woken looks into the waker's queue first",
        hint: true,
        ..BASTION
    },
    Rules {
        name: "idle-near",
        about: "wakes an idle core under the same cache before a thread beside a busy one",
        sleepers: Sleepers::NearIdle,
        ..BASTION
    },
    Rules {
        name: "idle-core",
        about: "wakes an idle core of the node before a thread beside a busy one",
        sleepers: Sleepers::IdleCore,
        ..BASTION
    },
    Rules {
        name: "last-sleeper",
        about: "wakes the last sleeper of the domain",
        sleepers: Sleepers::Last,
        ..BASTION
    },
    Rules {
        name: "ring-victims",
        about: "victims in the order of their numbers",
        victims: Victims::Ring,
        ..BASTION
    },
    Rules {
        name: "random-victims",
        about: "victims from a random one up",
        victims: Victims::Random,
        ..BASTION
    },
];

/// Returns the rules of this name.
#[cfg(test)]
pub(super) fn named(name: &str) -> Option<Rules> {
    ORDERS.iter().chain(VARIANTS).copied().find(|rules| rules.name == name)
}
