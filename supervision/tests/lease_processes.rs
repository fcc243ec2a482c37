//! Random acquiring, leaving, crashes, kills and retirement of processes on virtual time, against a model in plain values.

mod lease_support;

use bastion_supervision::plan::Shutdown;
use bastion_supervision::{
    Address, Child, Context, Exit, Reply, Resource, Runtime, Sim, Supervisor, SupervisorRef,
    System, child, current_pid,
};
use lease_support::{Model, PARTIES};
use proptest::collection::vec;
use proptest::prelude::*;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Once;
use std::task::Poll;
use std::time::Duration;

/// What a process is told, or what is done to it.
#[derive(Clone, Copy, Debug)]
enum Event {
    Acquire(usize),
    /// Waits for a second only.
    AcquireForASecond(usize),
    /// Stops waiting, or gives back.
    Leave(usize),
    Error(usize),
    Panic(usize),
    /// Killed and started again.
    Kill(usize),
    Wait,
    Retire,
}

fn any_event() -> impl Strategy<Value = Event> {
    let party = || 0..PARTIES;
    prop_oneof![
        60 => party().prop_map(Event::Acquire),
        20 => party().prop_map(Event::AcquireForASecond),
        20 => party().prop_map(Event::Leave),
        20 => party().prop_map(Event::Error),
        20 => party().prop_map(Event::Panic),
        10 => party().prop_map(Event::Kill),
        10 => Just(Event::Wait),
        1 => Just(Event::Retire),
    ]
}

enum Order {
    Acquire(Duration),
    Leave,
    Error,
    Panic,
    /// Does it have the resource?
    Holds(Reply<bool>),
}

const NO_LIMIT: Duration = Duration::from_secs(1_000_000);

async fn party(mut cx: Context<Order>, resource: Resource<u64>) -> Result<(), Exit> {
    let mut lease = None;
    while let Some(order) = cx.recv().await {
        let limit = match order {
            Order::Acquire(limit) if lease.is_none() => limit,
            Order::Acquire(_) => continue,
            Order::Leave => {
                lease = None;
                continue;
            }
            Order::Error => return Err(Exit::error("told to")),
            Order::Panic => panic!("told to"),
            Order::Holds(reply) => {
                reply.send(lease.is_some());
                continue;
            }
        };
        // It listens while it waits.
        let mut timer = pin!(cx.sleep(limit));
        let mut acquire = Some(resource.acquire());
        while let Some(waiting) = &mut acquire {
            let mut next = pin!(cx.recv());
            let heard = poll_fn(|task| {
                if let Poll::Ready(acquired) = Pin::new(&mut *waiting).poll(task) {
                    return Poll::Ready(Ok(acquired));
                }
                match next.as_mut().poll(task) {
                    Poll::Ready(order) => Poll::Ready(Err(order)),
                    Poll::Pending => timer.as_mut().poll(task).map(|()| Err(Some(Order::Leave))),
                }
            });
            match heard.await {
                Ok(acquired) => {
                    lease = acquired.ok();
                    if let Some(lease) = &mut lease {
                        **lease += 1;
                    }
                    acquire = None;
                }
                Err(None) => return Ok(()),
                Err(Some(Order::Leave)) => acquire = None,
                Err(Some(Order::Error)) => return Err(Exit::error("told to")),
                Err(Some(Order::Panic)) => panic!("told to"),
                Err(Some(Order::Holds(reply))) => reply.send(false),
                Err(Some(Order::Acquire(_))) => {}
            }
        }
    }
    Ok(())
}

/// The processes of a run, and what is expected of them.
struct World {
    resource: Resource<u64>,
    parties: Vec<Address<Order>>,
    supervisor: SupervisorRef,
    model: Model,
    /// How long those that wait only for a second still wait, in milliseconds.
    limits: [Option<u64>; PARTIES],
}

impl World {
    /// Somebody has left or given back: who is next has it.
    fn settle(&mut self) {
        if let Some(&next) = self.model.queue.front()
            && self.model.may_take(next)
        {
            self.model.take(next);
            self.limits[next] = None;
        }
    }

    fn release(&mut self, party: usize) {
        self.model.leave(party);
        self.model.holder.take_if(|holder| *holder == party);
        self.limits[party] = None;
        self.settle();
    }

    fn wants(&mut self, party: usize, limit: Option<u64>) {
        let waits = self.model.queue.contains(&party);
        if !waits && !self.model.retired && self.model.holder != Some(party) {
            self.model.wait(party);
            self.limits[party] = limit;
            self.settle();
        }
    }

    fn passes(&mut self, ms: u64) {
        for party in 0..PARTIES {
            self.limits[party] = self.limits[party].map(|rest| rest.saturating_sub(ms));
            if self.limits[party] == Some(0) {
                self.release(party);
            }
        }
    }

    async fn happens(&mut self, sim: &Sim, event: Event) {
        match event {
            Event::Acquire(party) => {
                self.tell(party, Order::Acquire(NO_LIMIT));
                self.wants(party, None);
            }
            Event::AcquireForASecond(party) => {
                self.tell(party, Order::Acquire(Duration::from_secs(1)));
                self.wants(party, Some(1000));
            }
            Event::Leave(party) => {
                self.tell(party, Order::Leave);
                self.release(party);
            }
            Event::Error(party) => {
                self.tell(party, Order::Error);
                self.release(party);
            }
            Event::Panic(party) => {
                self.tell(party, Order::Panic);
                self.release(party);
            }
            Event::Kill(party) => {
                let pid = self.parties[party].pid().unwrap();
                self.supervisor.stop_child(pid).await.unwrap();
                self.supervisor.restart_child(pid).await.unwrap();
                self.release(party);
            }
            Event::Wait => {
                sim.sleep(Duration::from_millis(600)).await;
                self.passes(600);
            }
            Event::Retire => {
                self.model.retire();
                self.limits = [None; PARTIES];
                if let Some(holder) = self.model.holder {
                    self.tell(holder, Order::Leave);
                }
                let value = self.resource.retire().await;
                assert_eq!(value, (!self.model.gone).then_some(self.model.leases));
                (self.model.holder, self.model.gone) = (None, true);
            }
        }
        // Time in which all that follows happens, and in which no limit passes.
        sim.sleep(Duration::from_millis(1)).await;
        self.passes(1);
    }

    fn tell(&self, party: usize, order: Order) {
        assert!(self.parties[party].tell(order).is_ok());
    }

    async fn compare(&self) {
        let (resource, model) = (&self.resource, &self.model);
        let holder = model.holder.and_then(|holder| self.parties[holder].pid());
        assert_eq!((resource.holder(), resource.is_held()), (holder, holder.is_some()));
        assert_eq!(resource.waiting(), model.queue.len());
        assert_eq!(resource.leases(), model.leases);
        for (number, party) in self.parties.iter().enumerate() {
            let holds = party.ask(Order::Holds).await.unwrap();
            assert_eq!(holds, model.holder == Some(number), "party {number}");
        }
    }
}

fn described(resource: &Resource<u64>) -> Child<Order> {
    let resource = resource.clone();
    child(move |cx| party(cx, resource.clone())).shutdown(Shutdown::Brutal)
}

/// Silences the panics of processes, which are wanted.
fn quiet() {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let outer = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if current_pid().is_none() {
                outer(info);
            }
        }));
    });
}

fn by_processes(seed: u64, events: &[Event]) {
    quiet();
    let sim = Sim::new(seed);
    sim.run(async {
        let system = System::new(Runtime::sim(&sim));
        let resource = Resource::new("r", 0);
        let children: Vec<_> = (0..PARTIES).map(|_| described(&resource)).collect();
        let parties = children.iter().map(Child::address).collect();
        let top = children.into_iter().fold(Supervisor::new("top").unlimited(), Supervisor::child);
        let supervisor = system.supervise(top).await.unwrap();
        let (model, limits) = (Model::default(), [None; PARTIES]);
        let mut world = World { resource, parties, supervisor, model, limits };
        for event in events {
            world.happens(&sim, *event).await;
            world.compare().await;
        }
        system.stop(Duration::from_secs(1)).await;
        assert!(!world.resource.is_held() && world.resource.waiting() == 0);
        if !world.model.gone {
            // The last to be stopped may have had their turn.
            assert_eq!(world.resource.try_retire(), Ok(world.resource.leases()));
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn processes_that_crash_do_what_the_model_does(
        seed in any::<u64>(),
        events in vec(any_event(), 0..60),
    ) {
        by_processes(seed, &events);
    }
}
