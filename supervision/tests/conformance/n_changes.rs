//! Groups M and N: rules that change while a supervisor runs.

use crate::kit::{Do, HOUR, World, count_to, counts};
use bastion_supervision::plan::{
    AutoShutdown, ExitReason, Intensity, Order, RestartType, SettingsError, Strategy,
};
use bastion_supervision::{ChangeError, Child};
use std::time::Duration;

fn significant(w: &World, name: &str) -> Child<Do> {
    w.child(name).restart(RestartType::Temporary).significant(true)
}

pub(crate) async fn row_167_auto_shutdown_changes(w: &World) {
    use AutoShutdown::{AllSignificant, AnySignificant, Never};
    for (before, after, ends) in [
        (AnySignificant, Never, false),
        (AllSignificant, Never, false),
        (AnySignificant, AllSignificant, false),
        (AllSignificant, AnySignificant, true),
    ] {
        let s = w.supervisor("s", Strategy::OneForOne).auto_shutdown(before);
        let s = s.child(significant(w, "a")).child(significant(w, "b"));
        let s = w.start(s).await;
        let settings = s.settings().await.unwrap();
        s.change_settings(settings.auto_shutdown(after)).await.unwrap();
        w.tell("a", Do::Finish);
        if ends {
            assert!(matches!(s.ended().await, ExitReason::Shutdown));
        } else {
            count_to(&s, [1, 1, 0, 1]).await;
            w.system.root().stop_child("s").await.unwrap();
        }
    }
    // From never on, significant children can be added.
    let s = w.start(w.supervisor("s", Strategy::OneForOne)).await;
    s.start_child(significant(w, "a")).await.unwrap_err();
    let settings = s.settings().await.unwrap();
    s.change_settings(settings.auto_shutdown(AnySignificant)).await.unwrap();
    s.start_child(significant(w, "a")).await.unwrap();
    w.tell("a", Do::Finish);
    assert!(matches!(s.ended().await, ExitReason::Shutdown));
}

pub(crate) async fn row_168_new_rules_start_and_stop_nobody(w: &World) {
    let s = w.workers(w.supervisor("s", Strategy::OneForOne), "a b").await;
    let settings = s.settings().await.unwrap();
    let settings = settings.strategy(Strategy::OneForAll);
    let settings = settings.intensity(Some(Intensity::new(1, HOUR)));
    s.change_settings(settings.clone()).await.unwrap();
    assert_eq!(s.settings().await.unwrap(), settings);
    assert_eq!(counts(&s).await, [2, 2, 0, 2]);
    w.check("+a1 +b1");
    w.crash("a");
    w.until("+b2").await;
    w.check("-a1 -b1 +a2 +b2");
    w.crash("b");
    s.ended().await;
}

pub(crate) async fn row_169_wrong_rules_change_nothing(w: &World) {
    let s = w.workers(w.supervisor("s", Strategy::OneForOne), "a b").await;
    let settings = s.settings().await.unwrap();
    let zero = settings.clone().intensity(Some(Intensity::new(1, Duration::ZERO)));
    for (wrong, expected) in [
        (zero.strategy(Strategy::OneForAll), SettingsError::InvalidPeriod(Duration::ZERO)),
        (settings.clone().order(Order::Unordered), SettingsError::OrderIsFixed),
    ] {
        assert_eq!(s.change_settings(wrong).await, Err(ChangeError::Refused(expected)));
        assert_eq!(s.settings().await.unwrap(), settings);
    }
    w.crash("a");
    assert_eq!(w.ping("a").await, Ok(2));
    w.check("+a1 +b1 -a1 +a2");
}
