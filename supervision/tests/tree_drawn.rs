//! How snapshots are drawn: as text, for Mermaid, for Graphviz.
//!
//! Guards that a wide tree is not a long text, that what is left out is said, and that no name breaks a picture.

use bastion_supervision::plan::{Backoff, RestartType};
use bastion_supervision::{Child, Context, Exit, Runtime, Sim, Supervisor, System, Tree, child};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn idle() -> Child<()> {
    child(|cx: Context<()>| async move {
        cx.stop_signal().requested().await;
        Ok(())
    })
}

fn failing() -> Child<()> {
    let hour = Duration::from_secs(3600);
    let failing = child(|mut cx: Context<()>| async move {
        cx.recv().await;
        Err(Exit::error("told to"))
    });
    failing.backoff(Backoff::linear(hour, hour))
}

/// A snapshot of a system with these supervisors, taken a minute after they were started.
fn tree(supervisors: impl IntoIterator<Item = Supervisor>) -> Tree {
    let sim = Sim::new(1);
    let system = System::new(Runtime::sim(&sim));
    sim.run(async {
        for supervisor in supervisors {
            system.supervise(supervisor).await.unwrap();
        }
        sim.sleep(61 * SECOND).await;
        system.tree().await
    })
}

/// The text without pids, which depend on the thread.
fn without_pids(text: &str) -> String {
    let is_pid = |word: &str| word.starts_with('<') && word.ends_with('>');
    let line =
        |line: &str| line.split(' ').filter(|word| !is_pid(word)).collect::<Vec<_>>().join(" ");
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_text_has_a_line_for_each_process() {
    let broken = failing().named("broken");
    broken.address().tell(()).unwrap();
    let busy = idle().named("busy").restart(RestartType::Transient);
    (0..2).for_each(|_| busy.address().tell(()).unwrap());
    let inner = Supervisor::new("inner").intensity(5, 60 * SECOND).child(broken).child(busy);
    let tree = tree([Supervisor::new("outer").supervisor(inner), Supervisor::dynamic("pool")]);
    let expected = "\
root running for 1m 1s, temporary, one-for-one; in all 5 supervisors, 2 workers, 6 running
├─ processes running for 1m 1s, dynamic
├─ outer running for 1m 1s, one-for-one, bears 1 restart in 5s
│  └─ inner running for 1m 1s, one-for-one, bears 5 restarts in 1m
│     ├─ broken waiting for its restart, 1 restart
│     └─ busy running for 1m 1s, transient, 2 messages
└─ pool running for 1m 1s, dynamic, bears 1 restart in 5s";
    assert_eq!(without_pids(&tree.to_string()), expected);
}

#[test]
fn workers_without_a_name_that_are_alike_are_counted() {
    let pool = (0..1200).fold(Supervisor::new("pool").unlimited(), |pool, number| {
        let worker = if number % 3 == 0 { failing() } else { idle() };
        worker.address().tell(()).unwrap();
        pool.child(worker)
    });
    let pool = pool.child(idle().named("a")).child(idle().restart(RestartType::Temporary));
    let tree = tree([pool]);
    let text = without_pids(&tree.to_string());
    let lines: Vec<&str> = text.lines().skip(3).collect();
    let expected = [
        "   ├─ 400 without a name, waiting for its restart, 400 restarts",
        "   ├─ 800 without a name, running for 1m 1s, 800 messages",
        "   ├─ a running for 1m 1s",
        "   └─ running for 1m 1s, temporary",
    ];
    assert_eq!(lines, expected);
    assert_eq!(format!("{tree:#}").lines().count(), 3 + 1202, "all, if they are asked for");
}

#[test]
fn a_wide_supervisor_has_few_lines_and_says_what_is_left_out() {
    let wide = Supervisor::new("wide").unlimited();
    let wide = (0..30_000).fold(wide, |wide, number| {
        let worker = if number % 1000 == 999 { failing() } else { idle() };
        worker.address().tell(()).unwrap();
        wide.child(worker.named(format!("worker-{number}")))
    });
    let tree = tree([wide.supervisor(Supervisor::new("last"))]);
    assert_eq!(tree.totals.workers, 30_000);
    let text = without_pids(&tree.to_string());
    assert_eq!(text.lines().count(), 3 + 21);
    let last = "   └─ … and 29,981 more: 29,951 running, 30 waiting for its restart";
    assert_eq!(text.lines().last(), Some(last));
    for picture in [tree.to_mermaid(), tree.to_dot()] {
        assert!(picture.lines().count() < 80, "{} lines", picture.lines().count());
        assert!(picture.contains("29,981 more"));
    }
}

/// Names with everything that means something to one of the languages.
const HOSTILE: [&str; 6] = [
    "say \"hello\"",
    "two\nlines\tand\r\u{7}",
    "back\\slash\\",
    "](end)]:::x; %% {a} <b>&amp;`*_#35;",
    "style x:#123; classDef y:#1;",
    "größe 数 🌳",
];

fn hostile() -> Tree {
    let supervisor = Supervisor::new("]\"\\").unlimited();
    tree([HOSTILE
        .iter()
        .fold(supervisor, |supervisor, name| supervisor.child(idle().named(*name)))])
}

#[test]
fn names_are_on_one_line_of_the_text() {
    let text = hostile().to_string();
    assert_eq!(text.lines().count(), 3 + HOSTILE.len());
    assert!(text.contains("two\\nlines\\tand\\r\\u{7} <"));
    assert!(text.contains("größe 数 🌳 <"));
}

#[test]
fn names_are_data_to_mermaid() {
    let text = hostile().to_mermaid();
    assert!(text.starts_with("flowchart LR\n"));
    let mut labels = Vec::new();
    for line in text.lines().skip(1).map(str::trim) {
        let is_edge = line.split_once(" --- ").is_some_and(|(from, to)| is_id(from) && is_id(to));
        if is_edge || line.starts_with("classDef ") {
            continue;
        }
        // A node: what is between the quotes has no character that means something, but in entities and the line break.
        let (before, rest) = line.split_once('"').unwrap();
        let (label, after) = rest.split_once('"').unwrap();
        assert!(is_id(before.trim_end_matches(['(', '['])), "{line}");
        assert!(["]:::running", "]):::running"].contains(&after), "{line}");
        let label = label.replacen("<br/>", " ", 1);
        let bare = without_entities(&label);
        assert!(!bare.contains(|c: char| "\"\\[](){}<>&`*:;#%|".contains(c)), "{label}");
        labels.push(decoded(&label));
    }
    for name in HOSTILE {
        let name = name.replace('\n', "\\n").replace('\t', "\\t").replace('\r', "\\r");
        let name = name.replace('\u{7}', "\\u{7}") + " <";
        assert!(labels.iter().any(|label| label.starts_with(&name)), "{name} in {labels:#?}");
    }
}

fn is_id(text: &str) -> bool {
    text.strip_prefix('n').is_some_and(|number| number.parse::<usize>().is_ok())
}

/// Without `#number;`.
fn without_entities(label: &str) -> String {
    entities(label, |_| String::new())
}

fn decoded(label: &str) -> String {
    entities(label, |number| char::from_u32(number).unwrap().to_string())
}

fn entities(label: &str, shown: impl Fn(u32) -> String) -> String {
    let mut parts = label.split('#');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (number, rest) = part.split_once(';').expect("an entity ends");
        text = text + &shown(number.parse().expect("an entity is a number")) + rest;
    }
    text
}

#[test]
fn names_are_data_to_graphviz() {
    let text = hostile().to_dot();
    assert!(text.starts_with("graph tree {\n") && text.ends_with("}\n"));
    for line in text.lines().filter(|line| line.contains("label=")) {
        let (id, rest) = line.trim().split_once(" [label=\"").unwrap();
        assert!(is_id(id), "{line}");
        // The text ends at the first quote that is not escaped.
        let (mut escaped, mut length) = (false, 0);
        for character in rest.chars() {
            if character == '"' && !escaped {
                break;
            }
            escaped = character == '\\' && !escaped;
            length += character.len_utf8();
        }
        let after = &rest[length..];
        assert!(after.starts_with("\" class=\"running\" style=\"filled"), "{line}");
        assert!(!rest[..length].replace("&amp;", "").contains('&'), "{line}");
    }
    for name in ["say \\\"hello\\\" <", "two\\\\nlines", "back\\\\slash\\\\ <", "größe 数 🌳 <"]
    {
        assert!(text.contains(name), "{name} in {text}");
    }
}

#[test]
fn pictures_have_an_edge_to_each_process_and_show_states() {
    let broken = failing().named("broken");
    broken.address().tell(()).unwrap();
    let tree = tree([Supervisor::new("s").unlimited().child(broken).child(idle().named("sound"))]);
    let (mermaid, dot) = (tree.to_mermaid(), tree.to_dot());
    // root, processes, s, broken, sound.
    for (from, to) in [(0, 1), (0, 2), (2, 3), (2, 4)] {
        assert!(mermaid.contains(&format!("n{from} --- n{to}\n")), "{mermaid}");
        assert!(dot.contains(&format!("n{from} -- n{to}\n")), "{dot}");
    }
    let line = |text: &str, id: &str| {
        let found = text.lines().find(|line| line.trim_start().starts_with(id));
        found.unwrap_or_else(|| panic!("no {id} in {text}")).to_owned()
    };
    assert!(line(&mermaid, "n2([\"s").ends_with(":::running"));
    assert!(line(&mermaid, "n3[\"broken").ends_with(":::backoff"));
    assert!(mermaid.contains("classDef backoff fill:#"));
    assert!(line(&dot, "n3 [label=\"broken").contains("class=\"backoff\" style=\"filled\""));
    assert!(line(&dot, "n2 [label=\"s").contains("class=\"running\" style=\"filled,rounded\""));
}
