//! Section X: what no suite of the others covers.

use crate::kit::{Do, End, HOUR, SECOND, Start, World, count_to, counts, state};
use bastion_supervision::plan::{Backoff, ChildState, ExitReason, RestartType, Shutdown, Strategy};
use bastion_supervision::{
    Address, Child, Context, Exit, StartChildError, Supervisor, SupervisorRef, System, child,
};
use std::fmt;
use std::future::pending;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// So long a child that does not obey is waited for: short, because on real time it passes.
const SHORT: Duration = Duration::from_millis(10);

pub(crate) async fn row_x1_a_panic_in_a_start_function(w: &World) {
    let a = w.starts("a", &[Start::Ok, Start::Panics]);
    let s = w.supervisor("s", Strategy::OneForOne).child(a).child(w.child("b"));
    let s = w.start(s).await;
    w.crash("a");
    w.until("+a3").await;
    assert_eq!((w.ping("a").await, w.ping("b").await), (Ok(3), Ok(1)));
    let error = s.start_child(w.starts("c", &[Start::Panics])).await.unwrap_err();
    assert!(matches!(error, StartChildError::Failed(ExitReason::Panic(_))), "{error}");
    assert_eq!(counts(&s).await, [2, 2, 0, 2]);
}

pub(crate) async fn row_x1_a_panic_in_a_body(w: &World) {
    let s = w.workers(w.supervisor("s", Strategy::OneForOne), "a b").await;
    w.tell("a", Do::Panic);
    w.until("+a2").await;
    assert_eq!((w.ping("a").await, w.ping("b").await), (Ok(2), Ok(1)));
    assert_eq!((counts(&s).await, w.system.stats().crashes), ([2, 2, 0, 2], 1));
}

/// Panics when it is dropped, unless that happens while another panic unwinds.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            panic!("told to, in a destructor");
        }
    }
}

pub(crate) async fn row_x1_a_panic_in_a_destructor(w: &World) {
    for shutdown in [Shutdown::Timeout(HOUR), Shutdown::Brutal] {
        let bombs = child(|mut cx: Context<()>| async move {
            let _bomb = Bomb;
            cx.recv().await;
            Ok(())
        });
        let bombs = bombs.restart(RestartType::Transient).shutdown(shutdown).named("bombs");
        let address = bombs.address();
        let s = w.supervisor("s", Strategy::OneForOne).child(bombs).child(w.child("b"));
        let s = w.start(s).await;
        // It returns well, and is dropped badly: that is abnormal, and it is restarted.
        address.tell(()).unwrap();
        w.told("restarting bombs").await;
        assert_eq!(w.ping("b").await, Ok(1));
        // Dropped badly once more, by the stop.
        s.stop_child("bombs").await.unwrap();
        assert_eq!(state(&s, "bombs").await, Some(ChildState::Stopped));
        w.system.root().stop_child("s").await.unwrap();
        s.ended().await;
    }
}

/// A lock that lives across waits, as those of async libraries do.
#[derive(Clone, Default)]
struct Token(Arc<AtomicBool>);

struct Held(Token);

impl Token {
    fn take(&self) -> Option<Held> {
        (!self.0.swap(true, SeqCst)).then(|| Held(self.clone()))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.0.store(false, SeqCst);
    }
}

pub(crate) async fn row_x2_a_future_that_is_dropped_while_it_holds_a_lock(w: &World) {
    let token = Token::default();
    let holder = |name: &'static str, shutdown: Shutdown| {
        let (token, log) = (token.clone(), w.log.clone());
        let body = move |mut cx: Context<bool>| {
            let (token, log) = (token.clone(), log.clone());
            async move {
                let _held = token.take().expect("free");
                log.add(format!("{name} holds it"));
                if cx.recv().await == Some(true) {
                    panic!("told to");
                }
                pending().await
            }
        };
        child(body).named(name).shutdown(shutdown)
    };
    for shutdown in [Shutdown::Brutal, Shutdown::Timeout(SHORT)] {
        let s = w.supervisor("s", Strategy::OneForOne);
        let a = holder("a", shutdown);
        let address = a.address();
        let s = w.start(s.child(a)).await;
        w.until("a holds it").await;
        // After a panic the next incarnation finds it free.
        address.tell(true).unwrap();
        w.log.until_many("a holds it", 2).await;
        // So does whoever comes when a stop says that it is done.
        s.stop_child("a").await.unwrap();
        drop(token.take().expect("free"));
        w.system.root().stop_child("s").await.unwrap();
        w.log.take();
    }
}

pub(crate) async fn row_x3_a_blocking_child_that_never_yields(w: &World) {
    let (release, wait) = std::sync::mpsc::channel::<()>();
    let wait = Mutex::new(wait);
    let log = w.log.clone();
    let stuck = child(move |_: Context<()>| {
        log.add("blocks");
        // The closure itself blocks: the strongest way not to yield.
        let _ = wait.lock().unwrap().recv();
        async { Ok(()) }
    });
    let stuck = stuck.named("stuck").shutdown(Shutdown::Timeout(SHORT));
    let pool = Supervisor::dynamic("pool").kill_grace(SHORT).restart(RestartType::Temporary);
    let pool = w.start(pool).await;
    let stuck = pool.spawn_child(stuck).unwrap();
    w.until("blocks").await;
    // Others go on, and the stop does not wait for it.
    pool.start_child(w.child("b")).await.unwrap();
    assert_eq!(w.ping("b").await, Ok(1));
    w.system.root().stop_child("pool").await.unwrap();
    w.told("abandoned stuck").await;
    assert!(matches!(stuck.ended().await, ExitReason::Killed));
    assert_eq!(w.system.stats().abandoned, 1);
    w.abandoned.store(1, SeqCst);
    drop(release);
}

/// A process that waits for an entry of the log and then stops a child of the root.
fn stopper(w: &World, entry: &'static str, name: &'static str) {
    let (log, root) = (w.log.clone(), w.system.root().clone());
    let body = move |_: Context<()>| {
        let (log, root) = (log.clone(), root.clone());
        async move {
            log.until(entry).await;
            root.stop_child(name).await?;
            log.add("stopped");
            Ok(())
        }
    };
    w.system.spawn_child(child(body).restart(RestartType::Temporary)).unwrap();
}

pub(crate) async fn row_x4_a_stop_during_a_start(w: &World) {
    stopper(w, "+b1", "s");
    let s = w.supervisor("s", Strategy::OneForOne).child(w.child("a"));
    let s = s.child(w.starts("b", &[Start::Hangs])).child(w.child("c"));
    let error = w.system.supervise(s).await.unwrap_err();
    assert!(matches!(error, StartChildError::Failed(_)), "{error}");
    w.until("stopped").await;
    w.check("+a1 +b1 -b1 -a1 stopped");
    count_to(w.system.root(), [1, 1, 1, 0]).await;
}

pub(crate) async fn row_x4_a_stop_during_a_restart(w: &World) {
    let a = w.starts("a", &[Start::Ok, Start::Hangs]);
    let s = w.supervisor("s", Strategy::OneForAll).child(a).child(w.child("b"));
    w.start(s).await;
    w.crash("b");
    w.until("+a2").await;
    w.system.root().stop_child("s").await.unwrap();
    w.check("+a1 +b1 -b1 -a1 +a2 -a2");
}

/// A child that, told to, has a sibling supervisor's child stopped, and waits for that.
fn rival(w: &World, name: &'static str, other: &SupervisorRef, of: &'static str) -> Child<()> {
    let (other, log) = (other.clone(), w.log.clone());
    let body = move |mut cx: Context<()>| {
        let (other, log) = (other.clone(), log.clone());
        async move {
            let _end = End(log.clone(), format!("{name} ends"));
            if cx.recv().await.is_some() {
                log.add(format!("{name} begins"));
                log.until(&format!("{of} begins")).await;
                let _ = other.stop_child(of).await;
            }
            Ok(())
        }
    };
    child(body).named(name).shutdown(Shutdown::Timeout(SHORT))
}

pub(crate) async fn row_x5_two_supervisors_that_stop_each_others_children(w: &World) {
    let (x, y) = (w.supervisor("x", Strategy::OneForOne), w.supervisor("y", Strategy::OneForOne));
    let (a, b) = (rival(w, "a", &y.reference(), "b"), rival(w, "b", &x.reference(), "a"));
    let (first, second) = (a.address(), b.address());
    let (x, y) = (w.start(x.child(a)).await, w.start(y.child(b)).await);
    first.tell(()).unwrap();
    second.tell(()).unwrap();
    // Each waits for the other, deaf to its own stop; their time is limited.
    w.until("a ends").await;
    w.until("b ends").await;
    count_to(&x, [1, 0, 0, 1]).await;
    count_to(&y, [1, 0, 0, 1]).await;
    for (supervisor, name) in [(&x, "a"), (&y, "b")] {
        supervisor.restart_child(name).await.unwrap();
        assert_eq!(counts(supervisor).await, [1, 1, 0, 1]);
    }
}

pub(crate) async fn row_x6_a_restart_storm(w: &World) {
    if !w.is_first() {
        return;
    }
    // Without optimisation a child costs 0.2 ms here, from its spawn to its stop.
    const MANY: usize = if cfg!(debug_assertions) { 20_000 } else { 100_000 };
    let pool = Supervisor::dynamic("pool").unlimited().restart(RestartType::Temporary);
    let pool = w.start(pool).await;
    let again = Arc::new(AtomicUsize::new(0));
    let (counter, log) = (again.clone(), w.log.clone());
    let body = Arc::new(move |mut cx: Context<()>| {
        let (counter, log) = (counter.clone(), log.clone());
        async move {
            if cx.incarnation() == 2 && counter.fetch_add(1, SeqCst) + 1 == MANY {
                log.add("all are back");
            }
            match cx.recv().await {
                Some(()) => Err(Exit::shutdown()),
                None => Ok(()),
            }
        }
    });
    let spawn = |_| {
        let body = body.clone();
        let child = child(move |cx| body(cx)).shutdown(Shutdown::Timeout(HOUR));
        pool.spawn_child(child).unwrap()
    };
    let children: Vec<Address<()>> = (0..MANY).map(spawn).collect();
    for child in &children {
        child.tell(()).unwrap();
    }
    w.until("all are back").await;
    assert_eq!(counts(&pool).await, [MANY, MANY, 0, MANY]);
    assert_eq!(w.system.stats().restarts, MANY as u64);
    w.system.root().stop_child("pool").await.unwrap();
    assert!(matches!(children[MANY - 1].ended().await, ExitReason::Shutdown));
}

pub(crate) async fn row_x7_durations_at_their_limits(w: &World) {
    const MAX: Duration = Duration::MAX;
    let for_ever = [Backoff::linear(MAX, MAX), Backoff::exponential(MAX, u32::MAX, MAX)];
    for backoff in for_ever {
        let a = w.child("a").backoff(backoff).shutdown(Shutdown::Timeout(MAX));
        let s = w.supervisor("s", Strategy::OneForOne).intensity(u32::MAX, MAX).kill_grace(MAX);
        let s = w.start(s.child(a).child(w.child("b"))).await;
        w.crash("a");
        w.told("restarting a").await;
        assert_eq!(state(&s, "a").await, Some(ChildState::Backoff));
        assert_eq!(w.ping("b").await, Ok(1));
        // Asked for, it does not wait.
        s.stop_child("a").await.unwrap();
        s.restart_child("a").await.unwrap();
        assert_eq!(w.ping("a").await, Ok(2));
        w.crash("a");
        w.told("restarting a").await;
        w.system.root().stop_child("s").await.unwrap();
        w.check("+a1 +b1 -a1 +a2 -a2 -b1");
    }
    assert!(w.system.stop(MAX).await.forced.is_empty());
}

pub(crate) async fn row_x8_foreign_code_panics_in_the_supervisors_task(w: &World) {
    // A hook that panics at each report, and a start closure whose captures panic when the supervisor drops them.
    let hooked = System::with_reports(w.runtime.clone(), |_| panic!("told to, in a hook"));
    let bomb = Bomb;
    let armed = child(move |mut cx: Context<()>| {
        let _captured = &bomb;
        async move {
            cx.recv().await;
            Err(Exit::error(""))
        }
    });
    let armed = armed.restart(RestartType::Temporary);
    let s = w.supervisor("s", Strategy::OneForOne).child(w.child("a")).child(armed);
    let address = match hooked.supervise(s).await {
        Ok(s) => s,
        Err(error) => panic!("{error}"),
    };
    w.crash("a");
    w.until("+a2").await;
    assert_eq!(w.ping("a").await, Ok(2));
    let children = address.children().await.unwrap();
    assert_eq!(children.len(), 2);
    address.stop_child(children[1].pid).await.unwrap();
    assert_eq!(counts(&address).await, [1, 1, 0, 1]);
    assert_eq!(hooked.stats().restarts, 1);
    hooked.stop(10 * SECOND).await;
    w.check("+a1 -a1 +a2 -a2");
}

/// An error that cannot be printed.
#[derive(Debug)]
struct Unspeakable;

impl fmt::Display for Unspeakable {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("told to, in a description")
    }
}

impl std::error::Error for Unspeakable {}

pub(crate) async fn row_x8_an_error_whose_description_panics(w: &World) {
    let s = w.supervisor("s", Strategy::OneForOne).intensity(1, HOUR).child(w.child("b"));
    let s = w.start(s.child(w.child("a"))).await;
    w.tell("a", Do::Exit(Exit::from(Unspeakable)));
    assert_eq!(w.ping("a").await, Ok(2));
    w.tell("a", Do::Exit(Exit::from(Unspeakable)));
    assert!(matches!(s.ended().await, ExitReason::ShutdownWith(_)));
    w.check("+b1 +a1 -a1 +a2 -a2 -b1");
}

pub(crate) async fn row_x8_a_supervisor_that_is_killed_while_it_works(w: &World) {
    // It cannot ask its children to stop; they go with it, and the next one begins only when they have.
    let inner = Supervisor::new("inner").shutdown(Shutdown::Brutal).unlimited();
    let inner =
        ["a", "b", "c"].map(|name| w.child(name)).into_iter().fold(inner, Supervisor::child);
    let s = w.start(w.supervisor("s", Strategy::OneForOne).supervisor(inner)).await;
    for incarnation in 2..8 {
        for name in ["a", "b", "c"] {
            let _ = w.address(name).tell(Do::Panic);
        }
        s.stop_child("inner").await.unwrap();
        s.restart_child("inner").await.unwrap();
        for name in ["a", "b", "c"] {
            assert!(w.ping(name).await.is_ok_and(|running| running >= incarnation), "{name}");
        }
    }
}
