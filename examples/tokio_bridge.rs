//! A library that is built on tokio, in a supervised process on our own executor: hyper's client.
//!
//! The process asks a small server for squares. Once the server answers nonsense: the process crashes, its supervisor starts it
//! again, with a new client, and what waits in its mailbox is answered by the next incarnation.

#![forbid(unsafe_code)]

use bastion::executor::{spawn, spawn_detached};
use bastion::typed::*;
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, server::conn::http1};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;
use tokio::net::TcpListener;

/// Has hyper run what it does beside a request as processes, instead of tokio's tasks.
#[derive(Clone, Copy)]
struct OurWorkers;

impl<F> hyper::rt::Executor<F> for OurWorkers
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    fn execute(&self, future: F) {
        spawn_detached(future);
    }
}

/// Asks for the square of a number.
struct Square(u64, Reply<u64>);

async fn asker(mut cx: Context<Square>, server: SocketAddr) -> Result<(), Exit> {
    // Of this incarnation: the connections of one that has crashed are gone with its client.
    let client: Client<_, Empty<Bytes>> = Client::builder(OurWorkers).build_http();
    while let Some(Square(number, reply)) = cx.recv().await {
        let answer = client.get(format!("http://{server}/{number}").parse()?).await?;
        let text = answer.into_body().collect().await?.to_bytes();
        // Nonsense is no reason to go on carefully: a new incarnation knows what it has.
        reply.send(std::str::from_utf8(&text)?.parse()?);
    }
    Ok(())
}

/// Answers with the square of the number in the path; the first time that it is asked for 3, with nonsense.
fn answer(request: &Request<Incoming>, is_sober: &AtomicBool) -> String {
    match request.uri().path()[1..].parse::<u64>() {
        Ok(3) if !is_sober.swap(true, SeqCst) => "about ten".to_owned(),
        Ok(number) => (number * number).to_string(),
        Err(error) => error.to_string(),
    }
}

/// Serves each connection in a process.
async fn serve(listener: TcpListener) {
    let is_sober = Arc::new(AtomicBool::new(false));
    while let Ok((stream, _)) = listener.accept().await {
        let is_sober = is_sober.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let body = Full::new(Bytes::from(answer(&request, &is_sober)));
            async { Ok::<_, Infallible>(Response::new(body)) }
        });
        spawn_detached(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

#[bastion::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let server = listener.local_addr()?;
    spawn(serve(listener)).detach();

    let asker = child(move |cx| asker(cx, server)).named("asker");
    let address = asker.address();
    let clients = Supervisor::new("clients").intensity(3, Duration::from_secs(10)).child(asker);
    Bastion::supervise(clients).await?;

    for number in [1, 2] {
        assert_eq!(address.ask(|reply| Square(number, reply)).await?, number * number);
    }
    // The one that is answered with nonsense is lost with the incarnation; those behind it are not.
    let lost = address.ask(|reply| Square(3, reply));
    let waiting: Vec<_> =
        (3..10).map(|number| (number, address.ask(|reply| Square(number, reply)))).collect();
    assert_eq!(lost.await, Err(AskError::NoReply));
    for (number, answer) in waiting {
        let square = answer.await?;
        println!("{number} x {number} = {square}");
        assert_eq!(square, number * number);
    }
    assert_eq!(address.incarnation(), 2, "it has crashed once");
    print!("{}", Bastion::tree().await);
    Ok(())
}
