//! Group R: monitors. And of group V, what a watch that is taken back brings.

use crate::kit::{Stop, World};
use crate::tied::{Hear, Tied, reason, start, tied};
use bastion_supervision::plan::{Backoff, ExitReason, RestartType, Strategy};
use bastion_supervision::{Context, Exit, ForeignMonitor, Monitor, child};

async fn demonitor(watcher: &Tied, monitor: Monitor) -> Result<bool, ForeignMonitor> {
    watcher.run(move |cx| cx.demonitor(monitor)).await.expect("it lives")
}

pub(crate) async fn row_199_one_word_of_the_end(w: &World) {
    for end in [ExitReason::Normal, ExitReason::Shutdown, reason("oops")] {
        let (a, b) = (start(w, "a"), start(w, "b"));
        a.watches(&b).await;
        let ended = b.ends(end).await;
        assert_eq!(a.hears().await, format!("down b: {ended}"));
        a.ends(ExitReason::Normal).await;
    }
}

pub(crate) async fn row_199_the_reason_is_its_own_also_when_its_supervisor_ends(w: &World) {
    let watcher = start(w, "watcher");
    let a = w.stops("a", Stop::Exits(|| Exit::error("late")));
    let address = a.address();
    w.start(w.supervisor("s", Strategy::OneForOne).child(a)).await;
    let watch = watcher.run(move |cx| cx.monitor(&address, Hear::Down));
    watch.await.unwrap();
    w.system.root().stop_child("s").await.unwrap();
    w.ended("a").await;
    assert_eq!(watcher.hears().await, "down a: error: late");
}

pub(crate) async fn row_200_one_that_has_ended(w: &World) {
    let (a, b) = (start(w, "a"), start(w, "b"));
    b.ends(ExitReason::Normal).await;
    a.watches(&b).await;
    assert_eq!(a.hears().await, "down b: no such process");
}

pub(crate) async fn row_201_a_word_for_each_monitor(w: &World) {
    let (a, b) = (start(w, "a"), start(w, "b"));
    let first = a.watches(&b).await;
    let second = a.watches(&b).await;
    let third = a.watches(&b).await;
    assert!(first != second && second != third && first != third);
    assert_eq!(demonitor(&a, second).await, Ok(true));
    b.ends(ExitReason::Normal).await;
    assert_eq!(a.hears().await, "down b: normal, down b: normal");
}

pub(crate) async fn row_202_a_watcher_that_dies_before(w: &World) {
    let (a, b) = (start(w, "a"), start(w, "b"));
    a.watches(&b).await;
    let watcher = a.address.clone();
    b.run(move |_| watcher.exit(ExitReason::Killed)).await.unwrap();
    assert_eq!(a.ended().await, "killed");
    assert!(b.lives().await);
    assert_eq!(b.ends(ExitReason::Normal).await, "normal");
    assert!(a.heard.take().is_empty());
}

pub(crate) async fn row_203_a_monitor_that_is_taken_back(w: &World) {
    let (a, b) = (start(w, "a"), start(w, "b"));
    let monitor = a.watches(&b).await;
    assert_eq!(demonitor(&a, monitor).await, Ok(true));
    b.ends(ExitReason::Normal).await;
    assert_eq!(a.hears().await, "");
}

pub(crate) async fn row_204_taken_back_twice(w: &World) {
    let (a, b) = (start(w, "a"), start(w, "b"));
    let monitor = a.watches(&b).await;
    assert_eq!(demonitor(&a, monitor).await, Ok(true));
    assert_eq!(demonitor(&a, monitor).await, Ok(false));
}

pub(crate) async fn row_206_taken_back_with_what_waits(w: &World) {
    let b = start(w, "b");
    let (other, heard) = (b.address.clone(), w.log.clone());
    let watcher = child(move |mut cx: Context<&'static str>| {
        let (other, heard) = (other.clone(), heard.clone());
        async move {
            let monitor = cx.monitor(&other, |_| "down");
            cx.monitor(&other, |_| "other");
            let own = cx.address();
            own.tell("one")?;
            own.tell("two")?;
            heard.add("watches");
            other.ended().await;
            assert_eq!(cx.demonitor(monitor), Ok(true));
            while let Some(text) = cx.recv().await {
                heard.add(text);
            }
            Ok(())
        }
    });
    w.system.spawn_child(watcher.restart(RestartType::Temporary)).unwrap();
    w.until("watches").await;
    b.ends(ExitReason::Normal).await;
    w.until("two").await;
    assert_eq!(w.log.take(), ["watches", "other", "one", "two"]);
}

pub(crate) async fn row_207_whether_it_was_still_there(w: &World) {
    for _ in 0..20 {
        let (a, b) = (start(w, "a"), start(w, "b"));
        let monitor = a.watches(&b).await;
        assert!(b.address.tell(Hear::End(Exit::with(ExitReason::Normal))).is_ok());
        let was_there = demonitor(&a, monitor).await.unwrap();
        b.ended().await;
        assert_eq!(a.hears().await, if was_there { "" } else { "down b: normal" });
        a.ends(ExitReason::Normal).await;
    }
}

pub(crate) async fn row_208_taken_back_by_somebody_else(w: &World) {
    let (a, b, c) = (start(w, "a"), start(w, "b"), start(w, "c"));
    let monitor = a.watches(&b).await;
    assert_eq!(demonitor(&c, monitor).await, Err(ForeignMonitor));
    b.ends(ExitReason::Normal).await;
    assert_eq!(a.hears().await, "down b: normal");
}

pub(crate) async fn row_209_a_monitor_that_is_over(w: &World) {
    let (a, b) = (start(w, "a"), start(w, "b"));
    let monitor = a.watches(&b).await;
    b.ends(ExitReason::Normal).await;
    assert_eq!(a.hears().await, "down b: normal");
    assert_eq!(demonitor(&a, monitor).await, Ok(false));
}

pub(crate) async fn row_210_a_process_that_watches_itself(w: &World) {
    let a = start(w, "a");
    let monitor = a.watches(&a.clone()).await;
    assert_eq!(demonitor(&a, monitor).await, Ok(true));
    assert_eq!(demonitor(&a, monitor).await, Ok(false));
    a.watches(&a.clone()).await;
    assert_eq!(a.ends(ExitReason::Normal).await, "normal");
    assert!(a.heard.take().is_empty());
}

pub(crate) async fn row_215_thousands_of_monitors_leave_nothing(w: &World) {
    let (child, watched) = tied("watched");
    let alive = std::sync::Arc::new(());
    w.system.spawn_child(child).unwrap();
    let watcher = start(w, "watcher");
    let (other, token) = (watched.address.clone(), alive.clone());
    let watch = watcher.run(move |cx| {
        for _ in 0..5000 {
            let token = token.clone();
            cx.monitor(&other, move |down| {
                drop(token);
                Hear::Down(down)
            });
        }
    });
    watch.await.unwrap();
    assert_eq!(std::sync::Arc::strong_count(&alive), 5001);
    watcher.ends(ExitReason::Normal).await;
    assert_eq!(std::sync::Arc::strong_count(&alive), 1);
    assert!(watched.lives().await);
    watched.ends(ExitReason::Normal).await;
}

pub(crate) async fn row_304_a_restart_is_not_an_end_for_watchers(w: &World) {
    let (child, a) = tied("a");
    let again = child.restart(RestartType::Transient).backoff(Backoff::immediate());
    w.system.spawn_child(again).unwrap();
    let watcher = start(w, "watcher");
    watcher.watches(&a).await;
    assert!(a.address.tell(Hear::End(Exit::error("oops"))).is_ok());
    assert_eq!(a.run(|cx| cx.incarnation()).await, Ok(2));
    assert_eq!(watcher.hears().await, "");
    a.ends(ExitReason::Normal).await;
    assert_eq!(watcher.hears().await, "down a: normal");
}

pub(crate) async fn row_308_a_message_of_its_own(w: &World) {
    let (a, b) = (start(w, "a"), start(w, "b"));
    let other = b.address.clone();
    a.run(move |cx| cx.monitor(&other, |_| Hear::Text("its own"))).await.unwrap();
    b.ends(ExitReason::Normal).await;
    assert_eq!(a.hears().await, "its own");
}

pub(crate) async fn row_305_a_word_that_waits_when_its_watch_is_taken_back(w: &World) {
    let (a, b) = (start(w, "a"), start(w, "b"));
    b.ends(ExitReason::Normal).await;
    let other = b.address.clone();
    let taken_back = a.run(move |cx| {
        // Its word is there at once.
        let monitor = cx.monitor(&other, Hear::Down);
        cx.demonitor(monitor)
    });
    assert_eq!(taken_back.await, Ok(Ok(true)));
    assert_eq!(a.hears().await, "");
}
