//! The acceptor: starts a process for each connection.

use super::MAX_CONNECTIONS;
use super::chaos::Order;
use super::connection;
use super::worker::Pool;
use bastion::io::TcpListener;
use bastion::plan::Backoff;
use bastion::{Address, Child, Context, Exit, SupervisorRef, child};
use futures_lite::future::or;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// The name of the supervisor of the connections, an elder sibling of the acceptor.
pub(super) const CONNECTIONS: &str = "connections";

/// How long the acceptor rests when the machine refuses a connection, for want of file descriptors for example.
const REST: Duration = Duration::from_millis(10);

/// Describes the acceptor.
pub(super) fn describe(listener: TcpListener, pool: Pool, chaos: Address<Order>) -> Child<()> {
    let numbers = Arc::new(AtomicU64::new(0));
    let acceptor = child(move |cx: Context<()>| {
        let (listener, pool) = (listener.clone(), pool.clone());
        accept(cx, listener, pool, chaos.clone(), numbers.clone())
    });
    acceptor.named("acceptor").backoff(Backoff::storm_guard())
}

async fn accept(
    cx: Context<()>,
    listener: TcpListener,
    pool: Pool,
    chaos: Address<Order>,
    numbers: Arc<AtomicU64>,
) -> Result<(), Exit> {
    let connections = connections(&cx).await?;
    let stop = cx.stop_signal();
    // Each connection holds one more reference.
    let places = Arc::new(());
    loop {
        let stopped = async {
            stop.requested().await;
            None
        };
        let accepted = async { Some(listener.accept().await) };
        let stream = match or(stopped, accepted).await {
            None => return Ok(()),
            Some(Ok((stream, _))) => stream,
            Some(Err(_)) => {
                cx.sleep(REST).await;
                continue;
            }
        };
        if Arc::strong_count(&places) > MAX_CONNECTIONS {
            continue;
        }
        let number = numbers.fetch_add(1, Relaxed);
        let guard = connection::Guard::new(number, chaos.clone(), places.clone());
        let connection = connection::describe(stream, pool.clone(), guard);
        // Before it starts, so that its end is told after it.
        let _ = chaos.tell(Order::Opened(number, connection.address()));
        connections.spawn_child(connection)?;
    }
}

/// Finds the supervisor of the connections among the siblings.
async fn connections(cx: &Context<()>) -> Result<SupervisorRef, Exit> {
    let siblings = cx.supervisor().children().await?;
    let found = siblings.into_iter().find(|sibling| sibling.name.as_deref() == Some(CONNECTIONS));
    found
        .and_then(|sibling| sibling.supervisor)
        .ok_or_else(|| Exit::error("there is no supervisor of connections"))
}
