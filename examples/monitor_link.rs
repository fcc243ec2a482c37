//! Links and monitors: a chat lobby whose sessions are two processes each.
//!
//! A session's reader and writer are linked: when one fails, the other ends with it, since half a session is of no use. The lobby
//! watches the readers with monitors: it hears of each end exactly once, and takes the guest off its list. The
//! secretary, who is linked with one session too, traps exits: it hears of the failure as a message instead of ending by it.

#![forbid(unsafe_code)]

use bastion::plan::RestartType;
use bastion::typed::*;
use bastion::{Down, ExitSignal, Gone};

enum Lobby {
    Enter(Address<Order>),
    /// What a monitor brings.
    Left(Down),
    Guests(Reply<Vec<String>>),
}

enum Order {
    Fail,
    Leave,
}

async fn lobby(mut cx: Context<Lobby>) -> Result<(), Exit> {
    let mut guests = Vec::new();
    while let Some(message) = cx.recv().await {
        match message {
            Lobby::Enter(reader) => {
                cx.monitor(&reader, Lobby::Left);
                guests.push(reader.name().unwrap_or("somebody").to_owned());
            }
            Lobby::Left(down) => {
                let name = down.name.as_deref().unwrap_or("somebody");
                println!("lobby: {name} has left ({})", down.reason);
                guests.retain(|guest| guest != name);
            }
            Lobby::Guests(reply) => reply.send(guests.clone()),
        }
    }
    Ok(())
}

/// One half of a session. The reader makes the link; it holds in both directions.
fn half(name: String, other: Option<Address<Order>>) -> Child<Order> {
    let body = move |mut cx: Context<Order>| {
        if let Some(other) = &other {
            cx.link(other);
        }
        async move {
            match cx.recv().await {
                Some(Order::Fail) => Err(Exit::error("connection reset")),
                Some(Order::Leave) | None => Ok(()),
            }
        }
    };
    child(body).named(name).restart(RestartType::Temporary)
}

/// Starts a session, and returns its writer and its reader.
fn session(guest: &str) -> Result<(Address<Order>, Address<Order>), Gone> {
    let writer = half(format!("{guest}'s writer"), None);
    let reader = half(format!("{guest}'s reader"), Some(writer.address()));
    Ok((Bastion::spawn_child(writer)?, Bastion::spawn_child(reader)?))
}

#[bastion::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let lobby = Bastion::spawn_child(child(lobby).named("lobby"))?;
    let (ann_writer, ann) = session("ann")?;
    let (_, bob) = session("bob")?;
    let (_, eve) = session("eve")?;
    for reader in [&ann, &bob, &eve] {
        lobby.tell(Lobby::Enter(reader.clone()))?;
    }

    let ann_too = ann.clone();
    let secretary = child(move |mut cx: Context<ExitSignal>| {
        cx.trap_exit(|signal| signal);
        cx.link(&ann_too);
        async move {
            cx.ready();
            if let Some(signal) = cx.recv().await {
                println!("secretary: {} ({})", signal.name.unwrap_or_default(), signal.reason);
            }
            Ok(())
        }
    });
    let secretary = secretary.named("secretary").restart(RestartType::Temporary).gated();
    let secretary_address = secretary.address();
    let office = Supervisor::new("office").child(secretary);
    Bastion::supervise(office).await?;

    ann_writer.tell(Order::Fail)?;
    // The reader ends for the same reason, and the secretary by itself: it has trapped the signal.
    assert_eq!(ann.ended().await.to_string(), "error: connection reset");
    assert_eq!(secretary_address.ended().await.to_string(), "normal");

    // Whoever ends well takes nobody along.
    bob.tell(Order::Leave)?;
    assert_eq!(bob.ended().await.to_string(), "normal");

    let guests = lobby.ask(Lobby::Guests).await?;
    println!("still here: {}", guests.join(", "));
    assert_eq!(guests, ["eve's reader"]);
    Ok(())
}
