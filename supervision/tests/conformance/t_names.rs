//! Groups Q, R and T: names by which processes are found, groups, and what monitors have to do with names.

use crate::kit::{World, count_to};
use crate::tied::{Hear, Tied, reason, start, tied};
use bastion_supervision::plan::{Backoff, ExitReason, RestartType, Strategy};
use bastion_supervision::{
    Address, Context, Exit, NameError, Names, StartChildError, TellError, TellNameError, child,
};

fn taken(by: &Tied) -> Result<(), NameError> {
    Err(NameError::Taken { holder: by.address.pid().expect("it was started") })
}

fn find(names: &Names, name: &str) -> Result<Address<Hear>, NameError> {
    names.find(name)
}

/// The names of the processes in a group.
fn members(names: &Names, group: &str) -> String {
    let members = names.members::<Hear>(group);
    let members: Vec<&str> = members.iter().filter_map(Address::name).collect();
    members.join(" ")
}

/// The error of a start that has failed for a name.
fn refusal(failed: StartChildError) -> NameError {
    let StartChildError::Failed(ExitReason::InitFailed(failure)) = failed else {
        panic!("{failed}");
    };
    *failure.downcast_ref().expect("an error of a name")
}

pub(crate) async fn row_022_a_name_that_another_process_has(w: &World) {
    let names = w.system.names();
    let foreign = start(w, "foreign");
    names.register("a", &foreign.address).unwrap();
    let s = w.start(w.supervisor("s", Strategy::OneForOne)).await;
    let refused = s.start_child(w.child("a").registered("a")).await.unwrap_err();
    assert_eq!(Err(refusal(refused)), taken(&foreign));
    count_to(&s, [0, 0, 0, 0]).await;
    assert_eq!(names.names_of(&w.address("a")), []);
    assert_eq!(find(&names, "a").as_ref(), Ok(&foreign.address));
    assert!(foreign.lives().await);
    w.check("");

    foreign.ends(ExitReason::Normal).await;
    let a = s.start_child(w.child("a").registered("a")).await.unwrap();
    assert_eq!(names.find("a").as_ref(), Ok(&a));
}

pub(crate) async fn row_022_a_declared_child_whose_name_is_taken(w: &World) {
    let foreign = start(w, "foreign");
    w.system.names().register("b", &foreign.address).unwrap();
    let s = w.supervisor("s", Strategy::OneForOne);
    let s = s.child(w.child("a")).child(w.child("b").registered("b"));
    let s = s.child(w.child("c").registered("c"));
    let failed = w.system.supervise(s).await.unwrap_err();
    assert!(failed.to_string().contains("has that name"), "{failed}");
    w.check("+a1 -a1");
    w.ended("c").await;
    assert_eq!(w.system.names().pid("c"), None, "it was there before its start");
    assert!(foreign.lives().await);
}

pub(crate) async fn row_022_a_spawned_child_whose_name_is_taken(w: &World) {
    let foreign = start(w, "foreign");
    w.system.names().register("a", &foreign.address).unwrap();
    let (child, a) = tied("a");
    w.system.spawn_child(child.registered("a")).unwrap();
    assert!(a.ended().await.contains("has that name"));
    assert_eq!(w.system.names().pid("a"), foreign.address.pid());
}

pub(crate) async fn row_022_a_declared_name_is_there_before_the_start(w: &World) {
    let (names, log) = (w.system.names(), w.log.clone());
    let (younger, y) = tied("younger");
    let elder = child(move |mut cx: Context<()>| {
        let found = cx.names().tell("younger", Hear::Text("hello"));
        log.add(format!("{found:?}"));
        async move {
            cx.recv().await;
            Ok(())
        }
    });
    let s = w.supervisor("s", Strategy::OneForOne).child(elder.named("elder"));
    w.start(s.child(younger.registered("younger"))).await;
    w.check("Ok(())");
    assert_eq!(y.hears().await, "hello");
    assert_eq!(find(&names, "younger").as_ref(), Ok(&y.address));
}

pub(crate) async fn row_213_a_monitor_by_name(w: &World) {
    let (a, b) = (start(w, "a"), start(w, "b"));
    w.system.names().register("store", &b.address).unwrap();
    a.run(|cx| cx.monitor_name("store", Hear::Down)).await.unwrap();
    // The name may go on to another process meanwhile: the watch stays where it is.
    assert!(w.system.names().unregister("store", &b.address));
    w.system.names().register("store", &a.address).unwrap();
    b.ends(reason("oops")).await;
    assert_eq!(a.hears().await, "down store: error: oops");
}

pub(crate) async fn row_200_a_monitor_by_a_name_that_nobody_has(w: &World) {
    let (a, b) = (start(w, "a"), start(w, "b"));
    a.run(|cx| cx.monitor_name("nobody", Hear::Down)).await.unwrap();
    assert_eq!(a.hears().await, "down nobody: no such process");
    w.system.names().register("b", &b.address).unwrap();
    b.ends(ExitReason::Normal).await;
    a.run(|cx| cx.monitor_name("b", Hear::Down)).await.unwrap();
    assert_eq!(a.hears().await, "down b: no such process");
    let taken_back = a.run(|cx| {
        let monitor = cx.monitor_name("b", Hear::Down);
        cx.demonitor(monitor)
    });
    assert_eq!(taken_back.await, Ok(Ok(true)));
    assert_eq!(a.hears().await, "");
}

pub(crate) async fn row_214_when_the_word_comes_the_name_is_free(w: &World) {
    for end in [ExitReason::Normal, reason("oops"), ExitReason::Killed] {
        let b = start(w, "b");
        w.system.names().register("b", &b.address).unwrap();
        w.system.names().join("group", &b.address).unwrap();
        let (other, heard) = (b.address.clone(), w.log.clone());
        let watcher = child(move |mut cx: Context<()>| {
            cx.monitor(&other, drop);
            let heard = heard.clone();
            async move {
                heard.add("watches");
                cx.recv().await;
                let names = cx.names();
                assert_eq!((names.pid("b"), names.groups().len()), (None, 0));
                names.register("b", &cx.address())?;
                Ok(())
            }
        });
        let watcher = w.system.spawn_child(watcher.restart(RestartType::Temporary)).unwrap();
        w.until("watches").await;
        w.log.take();
        b.ends(end).await;
        assert_eq!(watcher.ended().await.to_string(), "normal");
    }
}

pub(crate) async fn row_259_a_unique_name_is_taken_once(w: &World) {
    let names = w.system.names();
    let (a, b) = (start(w, "a"), start(w, "b"));
    assert_eq!(names.register("name", &a.address), Ok(()));
    assert_eq!(names.register("name", &a.address), taken(&a));
    assert_eq!(names.register("name", &b.address), taken(&a));
    let own = b.run(|cx| cx.names().register("name", &cx.address()));
    assert_eq!(own.await, Ok(taken(&a)));
    assert_eq!(names.register("other", &b.address), Ok(()));
    assert_eq!(find(&names, "name").as_ref(), Ok(&a.address));
    assert_eq!(names.pid("name"), a.address.pid());
    // One that was not given to this system, and one that has ended.
    let (not_yet, c) = tied("c");
    assert_eq!(names.register("c", &c.address), Err(NameError::NotHere));
    drop(not_yet);
    b.ends(ExitReason::Normal).await;
    assert_eq!(names.register("b", &b.address), Err(NameError::Ended));
}

pub(crate) async fn row_260_a_name_of_a_dead_process_is_free(w: &World) {
    let names = w.system.names();
    let mut last = start(w, "first");
    names.register("name", &last.address).unwrap();
    for number in 0..20 {
        let next = start(w, &format!("next {number}"));
        last.ends(reason("oops")).await;
        assert_eq!(names.register("name", &next.address), Ok(()));
        last = next;
    }
    last.ends(ExitReason::Normal).await;
}

pub(crate) async fn row_261_names_that_many_have(w: &World) {
    let names = w.system.names();
    let (a, b) = (start(w, "a"), start(w, "b"));
    assert_eq!(names.join("group", &a.address), Ok(true));
    assert_eq!(names.join("group", &b.address), Ok(true));
    assert_eq!(names.join("group", &a.address), Ok(false));
    assert_eq!(members(&names, "group"), "a b");
    names.join("other", &a.address).unwrap();
    assert_eq!(names.groups(), ["group".into(), "other".into()]);
    for member in names.members::<Hear>("group") {
        member.tell(Hear::Text("hello")).unwrap();
    }
    assert_eq!((a.hears().await, b.hears().await), ("hello".into(), "hello".into()));
    assert!(names.leave("group", &a.address));
    assert!(!names.leave("group", &a.address));
    assert_eq!(members(&names, "group"), "b");
    assert!(names.members::<String>("group").is_empty(), "nobody there takes these");
    // A group is no name.
    assert_eq!(names.pid("group"), None);
    assert_eq!(names.register("group", &a.address), Ok(()));
}

pub(crate) async fn row_262_the_end_of_an_owner_frees_its_names(w: &World) {
    let names = w.system.names();
    for end in [ExitReason::Normal, reason("oops"), ExitReason::Killed] {
        let (a, b) = (start(w, "a"), start(w, "b"));
        for number in 0..50 {
            names.register(format!("a{number}"), &a.address).unwrap();
            names.join(format!("group {number}"), &a.address).unwrap();
        }
        names.register("b", &b.address).unwrap();
        names.join("group 7", &b.address).unwrap();
        assert_eq!(names.names_of(&a.address).len(), 50);
        a.ends(end).await;
        assert!((0..50).all(|number| names.pid(&format!("a{number}")).is_none()));
        assert_eq!(names.names_of(&a.address), []);
        assert_eq!(names.groups(), ["group 7".into()]);
        assert_eq!(members(&names, "group 7"), "b");
        b.ends(ExitReason::Normal).await;
        assert_eq!((names.groups().len(), names.pid("b")), (0, None));
    }
}

pub(crate) async fn row_262_a_restart_is_no_end_for_names(w: &World) {
    let names = w.system.names();
    let (child, a) = tied("a");
    let again = child.restart(RestartType::Transient).backoff(Backoff::immediate());
    w.system.spawn_child(again.registered("declared")).unwrap();
    assert_eq!(find(&names, "declared").as_ref(), Ok(&a.address), "at once");
    names.register_with("name", &a.address, 1_u8).unwrap();
    names.join("group", &a.address).unwrap();
    for incarnation in 2..5 {
        assert!(a.address.tell(Hear::End(Exit::error("oops"))).is_ok());
        assert_eq!(a.run(|cx| cx.incarnation()).await, Ok(incarnation));
        assert_eq!(names.names_of(&a.address), ["declared".into(), "name".into()]);
        assert_eq!(names.value("name").as_deref(), Some(&1_u8));
        assert_eq!(members(&names, "group"), "a");
    }
    a.ends(ExitReason::Normal).await;
    assert_eq!(find(&names, "declared"), Err(NameError::Unknown));
    assert!(names.groups().is_empty());
}

pub(crate) async fn row_263_a_name_that_is_given_back(w: &World) {
    let names = w.system.names();
    let (a, b) = (start(w, "a"), start(w, "b"));
    names.register("name", &a.address).unwrap();
    names.register("second", &a.address).unwrap();
    assert!(!names.unregister("name", &b.address), "it is not its own");
    assert!(!names.unregister("nobody's", &a.address));
    assert!(names.unregister("name", &a.address));
    assert!(!names.unregister("name", &a.address));
    assert_eq!(find(&names, "name"), Err(NameError::Unknown));
    assert_eq!(names.names_of(&a.address), ["second".into()]);
    assert_eq!(names.register("name", &b.address), Ok(()));
    a.ends(ExitReason::Normal).await;
    assert_eq!(find(&names, "name").as_ref(), Ok(&b.address), "the end frees its own only");
}

pub(crate) async fn row_264_a_value_beside_a_name(w: &World) {
    let names = w.system.names();
    let (a, b) = (start(w, "a"), start(w, "b"));
    assert_eq!(names.register_with("name", &a.address, 1_u32), Ok(()));
    assert_eq!(names.register_with("name", &b.address, 2_u32), taken(&a));
    assert_eq!(names.value("name").as_deref(), Some(&1_u32));
    assert_eq!(names.value::<String>("name"), None, "of another type");
    assert_eq!(names.set_value("name", &b.address, 3_u32), taken(&a));
    assert_eq!(names.set_value("nobody's", &a.address, 3_u32), Err(NameError::Unknown));
    assert_eq!(names.value("name").as_deref(), Some(&1_u32));
    let own = a.run(|cx| cx.names().set_value("name", &cx.address(), "text"));
    assert_eq!(own.await, Ok(Ok(())));
    assert_eq!(names.value("name").as_deref(), Some(&"text"));
    names.register("plain", &a.address).unwrap();
    assert_eq!(names.value::<&str>("plain"), None, "none was set");
    a.ends(ExitReason::Normal).await;
    assert_eq!(names.value::<&str>("name"), None);
}

pub(crate) async fn row_266_sending_by_name(w: &World) {
    let names = w.system.names();
    let a = start(w, "a");
    let missing = names.tell("a", Hear::Text("lost")).unwrap_err();
    assert!(matches!(missing, TellNameError::NotFound { error: NameError::Unknown, .. }));
    assert!(matches!(missing.into_message(), Hear::Text("lost")));
    names.register("a", &a.address).unwrap();
    assert!(names.tell("a", Hear::Text("found")).is_ok());
    assert_eq!(a.hears().await, "found");
    let other = names.tell("a", 7_u8).unwrap_err();
    let TellNameError::NotFound { error: NameError::OtherType { registered, asked }, message } =
        other
    else {
        panic!("{other:?}");
    };
    assert_eq!((message, asked), (7, "u8"));
    assert!(registered.ends_with("Hear"), "{registered}");

    // One that has room for one message, and takes none.
    let silent = child(|cx: Context<u8>| async move {
        cx.stop_signal().requested().await;
        Ok(())
    });
    let silent = silent.mailbox_capacity(1).registered("silent");
    let silent = w.system.spawn_child(silent).unwrap();
    assert!(names.tell("silent", 1_u8).is_ok());
    let full = names.tell("silent", 2_u8).unwrap_err();
    assert!(matches!(full, TellNameError::Refused(TellError::Full(2))), "{full:?}");
    assert_eq!(silent.queued(), 1);
}

pub(crate) async fn row_268_dispatch_to_all(w: &World) {
    const GROUPS: usize = 20;
    let names = w.system.names();
    let members: Vec<Tied> = (0..10).map(|number| start(w, &format!("m{number}"))).collect();
    let listener = |room| {
        let silent = child(|cx: Context<&'static str>| async move {
            cx.stop_signal().requested().await;
            Ok(())
        });
        w.system.spawn_child(silent.mailbox_capacity(room)).unwrap()
    };
    let (wide, narrow) = (listener(1000), listener(3));
    for group in (0..GROUPS).map(|number| format!("group {number}")) {
        for member in &members {
            names.join(&*group, &member.address).unwrap();
        }
        names.join(&*group, &narrow).unwrap();
        names.join(&*group, &wide).unwrap();
    }
    // One after the other, then from all processes at the same time.
    for number in 0..GROUPS {
        let published = names.publish(&format!("group {number}"), "serial");
        let full = usize::from(number >= 3);
        assert_eq!((published.accepted, published.refused), (2 - full, full), "{number}");
    }
    assert_eq!((wide.queued(), narrow.queued()), (GROUPS, 3));
    let mut sending = Vec::new();
    for member in &members {
        sending.push(member.run(|cx| {
            (0..GROUPS)
                .map(|number| cx.names().publish(&format!("group {number}"), "parallel").accepted)
                .sum::<usize>()
        }));
    }
    for sent in sending {
        assert_eq!(sent.await, Ok(GROUPS));
    }
    assert_eq!((wide.queued(), narrow.queued()), (GROUPS + GROUPS * members.len(), 3));
    assert_eq!(names.publish("nobody", "lost").accepted, 0);
}
