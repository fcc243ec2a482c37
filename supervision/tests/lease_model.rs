//! Random operations on one resource, poll by poll, against a model in plain values: also who has to be woken is.

mod lease_support;

use bastion_supervision::{Acquire, Lease, Resource, TryAcquireError};
use lease_support::{Model, PARTIES};
use proptest::collection::vec;
use proptest::prelude::*;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::task::{Context as Task, Poll, Wake, Waker};

/// Why a newcomer does not get it.
fn refusal(model: &Model) -> TryAcquireError {
    match model.holder {
        _ if model.retired => TryAcquireError::Retired,
        Some(_) => TryAcquireError::Held { holder: None },
        None => TryAcquireError::Awaited,
    }
}

/// What one party does.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Begins to wait, or looks again.
    Poll(usize),
    /// Stops waiting, or gives back.
    Drop(usize),
    TryAcquire(usize),
    /// Takes out of use what it holds.
    RetireLease(usize),
    TryRetire,
    PollRetire,
    DropRetire,
}

fn any_step() -> impl Strategy<Value = Step> {
    let party = || 0..PARTIES;
    prop_oneof![
        12 => party().prop_map(Step::Poll),
        10 => party().prop_map(Step::Drop),
        3 => party().prop_map(Step::TryAcquire),
        1 => party().prop_map(Step::RetireLease),
        1 => Just(Step::TryRetire),
        1 => Just(Step::PollRetire),
        1 => Just(Step::DropRetire),
    ]
}

#[derive(Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, SeqCst);
    }
}

/// One party, or the one that retires: its future, and whether it was woken since its last poll.
struct Waiting<F> {
    future: Pin<Box<F>>,
    woken: Arc<Flag>,
}

impl<F: Future> Waiting<F> {
    fn new(future: F) -> Self {
        Waiting { future: Box::pin(future), woken: Arc::default() }
    }

    fn poll(&mut self) -> Poll<F::Output> {
        // Another waker each time: the last one counts.
        self.woken = Arc::default();
        self.future.as_mut().poll(&mut Task::from_waker(&Waker::from(self.woken.clone())))
    }

    fn is_woken(&self) -> bool {
        self.woken.0.load(SeqCst)
    }
}

enum Party {
    Idle,
    Waiting(Waiting<Acquire<u64>>),
    Holding(Lease<u64>),
}

/// The value counts its leases itself.
fn used(lease: Lease<u64>) -> Party {
    let mut lease = lease;
    *lease += 1;
    Party::Holding(lease)
}

fn acquire(parties: &mut [Party], model: &mut Model, resource: &Resource<u64>, number: usize) {
    let party = &mut parties[number];
    if let Party::Idle = party {
        *party = Party::Waiting(Waiting::new(resource.acquire()));
    }
    let Party::Waiting(waiting) = party else { return };
    match waiting.poll() {
        Poll::Ready(Ok(lease)) => {
            assert!(model.may_take(number));
            model.take(number);
            *party = used(lease);
        }
        Poll::Ready(Err(_)) => {
            assert!(model.retired);
            *party = Party::Idle;
        }
        Poll::Pending => {
            assert!(!model.retired && !model.may_take(number));
            model.wait(number);
        }
    }
}

/// Does the steps, and looks after each one whether everything is as the model says, and who has to be woken is.
fn by_hand(steps: &[Step]) {
    let resource = Resource::new("r", 0);
    let mut parties: Vec<Party> = (0..PARTIES).map(|_| Party::Idle).collect();
    let mut model = Model::default();
    let mut retire = None;
    for step in steps {
        match *step {
            Step::Poll(number) => acquire(&mut parties, &mut model, &resource, number),
            Step::Drop(number) => {
                model.leave(number);
                model.holder.take_if(|holder| *holder == number);
                parties[number] = Party::Idle;
            }
            Step::TryAcquire(number) => {
                if let Party::Idle = parties[number] {
                    // A newcomer: nobody may wait before it.
                    let free = model.may_take(number);
                    match resource.try_acquire() {
                        Ok(lease) => {
                            assert!(free);
                            model.take(number);
                            parties[number] = used(lease);
                        }
                        Err(error) => assert_eq!((free, error), (false, refusal(&model))),
                    }
                }
            }
            Step::RetireLease(number) => {
                if let Party::Holding(lease) = std::mem::replace(&mut parties[number], Party::Idle)
                {
                    assert_eq!(Lease::retire(lease), model.leases);
                    (model.holder, model.gone) = (None, true);
                    model.retire();
                } else {
                    model.leave(number);
                }
            }
            Step::TryRetire => {
                let value = resource.try_retire().ok();
                assert_eq!(value, model.is_here().then_some(model.leases));
                if value.is_some() {
                    model.gone = true;
                    model.retire();
                }
            }
            Step::PollRetire => {
                let future = retire.get_or_insert_with(|| Waiting::new(resource.retire()));
                model.retire();
                match future.poll() {
                    Poll::Ready(value) => {
                        assert!(model.holder.is_none());
                        assert_eq!(value, (!model.gone).then_some(model.leases));
                        model.gone = true;
                        retire = None;
                    }
                    Poll::Pending => assert!(model.holder.is_some()),
                }
            }
            Step::DropRetire => retire = None,
        }
        compare(&resource, &model, &parties);
        if let Some(retire) = &retire {
            assert!(model.holder.is_some() || retire.is_woken(), "nobody wakes who retires it");
        }
    }
}

fn compare(resource: &Resource<u64>, model: &Model, parties: &[Party]) {
    assert_eq!(resource.is_held(), model.holder.is_some());
    assert_eq!(resource.waiting(), model.queue.len());
    assert_eq!(resource.leases(), model.leases);
    assert_eq!(resource.is_retired(), model.retired);
    for (number, party) in parties.iter().enumerate() {
        assert_eq!(model.holder == Some(number), matches!(party, Party::Holding(_)));
        if let Party::Waiting(waiting) = party
            && (model.retired || model.may_take(number))
        {
            assert!(waiting.is_woken(), "nobody wakes {number}, whose turn it is");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn polls_and_drops_in_any_order_do_what_the_model_does(steps in vec(any_step(), 0..60)) {
        by_hand(&steps);
    }
}
