//! Names and groups: a newsroom whose subscribers come and go, crash, and read too slowly.
//!
//! A topic is a group: whoever has joined it receives what is published. A subscriber stays in it over restarts, and is gone from it
//! with its end. One that does not keep up misses what its mailbox has no room for, and nobody waits for it. The archive, to which
//! they tell what they have read, is found by its name.

#![forbid(unsafe_code)]

use bastion::plan::RestartType;
use bastion::typed::*;
use bastion::{Names, Published};
use std::time::Duration;

/// What is published: each member of a topic gets its own copy.
#[derive(Clone)]
enum News {
    Text(&'static str),
    Misprint,
    Enough,
}

enum Archive {
    Read(String),
    /// Answered as soon as so much has been read, with all of it.
    Take(usize, Reply<Vec<String>>),
}

async fn archive(mut cx: Context<Archive>) -> Result<(), Exit> {
    let (mut read, mut asked) = (Vec::new(), None);
    while let Some(message) = cx.recv().await {
        match message {
            Archive::Read(line) => read.push(line),
            Archive::Take(count, reply) => asked = Some((count, reply)),
        }
        if let Some((_, reply)) = asked.take_if(|(count, _)| read.len() >= *count) {
            read.sort();
            reply.send(std::mem::take(&mut read));
        }
    }
    Ok(())
}

/// One that reads everything that is published on its topics.
fn subscriber(name: &'static str, topics: &'static [&'static str]) -> Child<News> {
    let body = move |mut cx: Context<News>| async move {
        let names = cx.names();
        for topic in topics {
            names.join(*topic, &cx.address())?;
        }
        cx.ready();
        while let Some(news) = cx.recv().await {
            let text = match news {
                News::Text(text) => text,
                News::Misprint => return Err(Exit::error("nobody can read this")),
                News::Enough => return Ok(()),
            };
            let line = Archive::Read(format!("{name}: {text}"));
            names.tell("archive", line)?;
        }
        Ok(())
    };
    child(body).named(name).restart(RestartType::Transient).gated()
}

/// One that reads nothing as long as it lives, and has room for two.
fn sleeper(topic: &'static str) -> Child<News> {
    let body = move |cx: Context<News>| async move {
        cx.names().join(topic, &cx.address())?;
        cx.ready();
        cx.stop_signal().requested().await;
        Ok(())
    };
    child(body).named("sleeper").mailbox_capacity(2).gated()
}

/// Publishes, and says how many got it and how many did not.
fn publish(names: &Names, topic: &str, text: &'static str) -> (usize, usize) {
    let Published { accepted, refused, .. } = names.publish(topic, News::Text(text));
    println!("{topic}: {text} ({accepted} got it, {refused} did not)");
    (accepted, refused)
}

/// What the next so many entries of the archive are.
async fn read(names: &Names, count: usize) -> Result<String, Box<dyn std::error::Error>> {
    let archive = names.find::<Archive>("archive")?;
    let lines = archive.ask(|reply| Archive::Take(count, reply)).await?.join(", ");
    println!("read by {lines}");
    Ok(lines)
}

#[bastion::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let names = Bastion::system().names();
    Bastion::spawn_child(child(archive).registered("archive"))?;
    let readers = Supervisor::dynamic("readers").intensity(5, Duration::from_secs(1));
    let readers = Bastion::supervise(readers).await?;
    let ann = readers.start_child(subscriber("ann", &["sports", "weather"])).await?;
    let bob = readers.start_child(subscriber("bob", &["weather"])).await?;
    readers.start_child(sleeper("weather")).await?;
    println!("topics: {}", names.groups().join(", "));

    assert_eq!(publish(&names, "weather", "rain"), (3, 0));
    assert_eq!(publish(&names, "sports", "2:1"), (1, 0));
    assert_eq!(read(&names, 3).await?, "ann: 2:1, ann: rain, bob: rain");

    // The sleeper's mailbox is full now. The others do not notice.
    assert_eq!(publish(&names, "weather", "hail"), (3, 0));
    assert_eq!(publish(&names, "weather", "snow"), (2, 1));
    assert_eq!(read(&names, 4).await?, "ann: hail, ann: snow, bob: hail, bob: snow");

    // A crash is no end: what is published meanwhile waits for the next incarnation.
    bob.tell(News::Misprint)?;
    assert_eq!(publish(&names, "weather", "fog"), (2, 1));
    assert_eq!(read(&names, 2).await?, "ann: fog, bob: fog");
    assert_eq!(bob.incarnation(), 2);

    // One leaves the topic, one ends, one comes.
    assert!(names.leave("weather", &ann));
    bob.tell(News::Enough)?;
    bob.ended().await;
    readers.start_child(subscriber("eve", &["weather"])).await?;
    assert_eq!(publish(&names, "weather", "sun"), (1, 1));
    assert_eq!(publish(&names, "sports", "3:1"), (1, 0));
    assert_eq!(read(&names, 2).await?, "ann: 3:1, eve: sun");
    let members = names.members::<News>("weather");
    let members: Vec<_> = members.iter().filter_map(Address::name).collect();
    assert_eq!(members, ["sleeper", "eve"]);
    Ok(())
}
