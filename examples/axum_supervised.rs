//! A web service of axum's as supervised processes on our executor.
//!
//! The handlers ask a worker, which a bad request crashes; the listener is crashed on purpose, and serves again on the same socket.
//! At the end the service is stopped in order, and answers what it has begun.

#![forbid(unsafe_code)]

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Router, serve};
use bastion::executor::{sleep, spawn_blocking};
use bastion::typed::*;
use futures_lite::future::or;
use std::error::Error;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

/// Doubles the number in a text.
struct Double(String, Reply<u64>);

async fn worker(mut cx: Context<Double>) -> Result<(), Exit> {
    while let Some(Double(text, reply)) = cx.recv().await {
        let number: u64 = text.parse().expect("a number");
        reply.send(2 * number);
    }
    Ok(())
}

/// What the handlers know.
#[derive(Clone)]
struct Service {
    worker: Address<Double>,
    requests: Arc<AtomicU64>,
}

async fn double(
    State(service): State<Service>,
    Path(text): Path<String>,
) -> Result<String, StatusCode> {
    service.requests.fetch_add(1, SeqCst);
    match service.worker.ask(|reply| Double(text, reply)).await {
        Ok(number) => Ok(number.to_string()),
        // The worker has crashed over it; the next request finds a new one.
        Err(_) => Err(StatusCode::SERVICE_UNAVAILABLE),
    }
}

async fn slow(State(service): State<Service>) -> &'static str {
    service.requests.fetch_add(1, SeqCst);
    tokio::time::sleep(Duration::from_millis(300)).await;
    "done"
}

/// Tells the listener to crash.
struct Crash;

/// Serves on a socket that outlives it: whoever connects while it is restarted waits in the system's queue.
async fn listener(
    mut cx: Context<Crash>,
    socket: Arc<TcpListener>,
    service: Service,
) -> Result<(), Exit> {
    let socket = tokio::net::TcpListener::from_std(socket.try_clone()?)?;
    let router = Router::new().route("/double/{text}", get(double)).route("/slow", get(slow));
    let stop = cx.stop_signal();
    let served = serve(socket, router.with_state(service))
        .with_graceful_shutdown(async move { stop.requested().await });
    let crash = async {
        match cx.recv().await {
            Some(Crash) => Err(Exit::error("told to crash")),
            // A stop: the service is to end by itself, when it has answered what it has begun.
            None => std::future::pending().await,
        }
    };
    or(crash, async { Ok(served.await?) }).await
}

/// Asks the service, and returns the status and the body. Blocks.
fn ask(server: SocketAddr, path: &str) -> io::Result<(u16, String)> {
    let mut stream = TcpStream::connect(server)?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
    status.zip(body).ok_or_else(|| io::Error::other("no answer of HTTP"))
}

/// Asks on a thread that may block.
async fn get_from(server: SocketAddr, path: &'static str) -> io::Result<(u16, String)> {
    let answer = spawn_blocking(move || ask(server, path)).await;
    let answer = answer.ok_or_else(|| io::Error::other("the client has panicked"))??;
    println!("GET {path}: {} {}", answer.0, answer.1);
    Ok(answer)
}

#[bastion::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // The one panic is expected: a line is enough.
    std::panic::set_hook(Box::new(|info| println!("{info}")));
    let socket = TcpListener::bind("127.0.0.1:0")?;
    socket.set_nonblocking(true)?;
    let (server, socket) = (socket.local_addr()?, Arc::new(socket));

    let requests = Arc::new(AtomicU64::new(0));
    let worker = child(worker).named("worker");
    let service = Service { worker: worker.address(), requests: requests.clone() };
    let worker_address = worker.address();
    let listener = child(move |cx| listener(cx, socket.clone(), service.clone())).named("listener");
    let listener_address = listener.address();
    let web = Supervisor::new("web").intensity(3, Duration::from_secs(10));
    Bastion::supervise(web.child(worker).child(listener)).await?;

    assert_eq!(get_from(server, "/double/21").await?, (200, "42".to_owned()));
    // The worker panics over this one: the request fails, the service does not.
    assert_eq!(get_from(server, "/double/many").await?.0, 503);
    assert_eq!(get_from(server, "/double/4").await?, (200, "8".to_owned()));
    assert_eq!(worker_address.incarnation(), 2);

    listener_address.tell(Crash)?;
    while listener_address.incarnation() < 2 {
        sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(get_from(server, "/double/5").await?, (200, "10".to_owned()));
    print!("{}", Bastion::tree().await);

    let before = requests.load(SeqCst);
    let slow = bastion::executor::spawn(get_from(server, "/slow"));
    while requests.load(SeqCst) == before {
        sleep(Duration::from_millis(1)).await;
    }
    let stopped = Bastion::stop_within(Duration::from_secs(10)).await;
    assert!(stopped.forced.is_empty(), "{stopped:?}");
    let slow = slow.await.ok_or("the client has panicked")??;
    assert_eq!(slow, (200, "done".to_owned()), "what had begun was answered");
    assert_eq!(requests.load(SeqCst), 5);
    println!("{} requests", requests.load(SeqCst));
    Ok(())
}
