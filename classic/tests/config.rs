//! bastion 0.4, Config (§2.2), with DEF-24. One test, since there is one panic hook.

mod kit;

use bastion_classic::prelude::*;
use kit::{SECOND, run};
use std::panic;
use std::sync::Mutex;

static PRINTED: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// What the program's own panic hook has heard when a child and then something else panicked.
fn printed(config: Option<Config>) -> Vec<String> {
    run(|platform, sim| async move {
        if let Some(config) = config {
            config.apply();
        }
        // One that panics, one that panics in its closure, and a supervisor, in a callback.
        platform.spawn(|_| async { panic!("child") }).unwrap();
        platform.spawn(|_| -> std::future::Ready<Result<(), ()>> { panic!("child") }).unwrap();
        let callbacks = Callbacks::new().with_before_start(|| panic!("child"));
        platform.supervisor(|supervisor| supervisor.with_callbacks(callbacks)).unwrap();
        platform.start();
        sim.sleep(SECOND / 2).await;
        assert!(platform.system().stats().crashes >= 2);
        platform.kill();
        platform.ended().await;
    });
    assert!(panic::catch_unwind(|| panic!("other")).is_err());
    let mut printed = std::mem::take(&mut *PRINTED.lock().unwrap());
    printed.dedup();
    printed
}

#[test]
fn section_2_2_def_24_panics_of_children_are_hidden_and_no_others() {
    let note = |info: &panic::PanicHookInfo<'_>| {
        let message = info.payload_as_str().unwrap_or("?").to_owned();
        PRINTED.lock().unwrap().push(message);
    };
    panic::set_hook(Box::new(note));
    let result = panic::catch_unwind(|| {
        assert_eq!(printed(None), ["child", "other"], "by default they are shown");
        assert_eq!(printed(Some(Config::new().hide_backtraces())), ["other"]);
        assert_eq!(printed(None), ["other"], "it holds for the program");
        let shown = Config::new().hide_backtraces().show_backtraces();
        assert_eq!(printed(Some(shown)), ["child", "other"], "and can be taken back");
        assert_eq!(printed(Some(Config::default().hide_backtraces())), ["other"]);
        assert_eq!(printed(Some(Config::default())), ["child", "other"]);
    });
    drop(panic::take_hook());
    if let Err(panic) = result {
        panic::resume_unwind(panic);
    }
}
