//! Bastion 0.4: a TCP service in three layers: one accepts, some let pass who may, some answer. Streams are messages.
//!
//! `cargo run -p examples --example classic_middleware`

use bastion::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, TcpListener, TcpStream};
use bastion::prelude::*;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::sync::mpsc::{Sender, channel};

const CLIENTS: usize = 12;

/// What has come in.
#[derive(Debug)]
struct Connection(TcpStream);

/// What was let pass.
#[derive(Debug)]
struct Request {
    name: String,
    from: TcpStream,
}

/// Accepts, and gives each connection to the next guard.
async fn front(give: Sender<SocketAddr>, guards: Distributor) -> Result<(), ()> {
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(|_| ())?;
    give.send(listener.local_addr().map_err(|_| ())?).map_err(|_| ())?;
    loop {
        let (stream, _) = listener.accept().await.map_err(|_| ())?;
        guards.tell_one(Connection(stream)).map_err(|_| ())?;
    }
}

/// Reads who it is, and gives to the next handler whoever may pass.
async fn guard(ctx: BastionContext, handlers: Distributor) -> Result<(), ()> {
    loop {
        msg! { ctx.recv().await?,
            connection: Connection => {
                let Connection(mut stream) = connection;
                let mut line = String::new();
                // The others of the group go on while this one waits for its client.
                let read = BufReader::new(stream.clone()).read_line(&mut line).await;
                match (read, line.trim().strip_prefix("friend ")) {
                    (Ok(_), Some(name)) => {
                        let request = Request { name: name.to_owned(), from: stream };
                        handlers.tell_one(request).map_err(|_| ())?;
                    }
                    // Whoever has gone does not matter to the next.
                    _ => drop(stream.write_all(b"who are you?\n").await),
                }
            };
            _: _ => ();
        }
    }
}

async fn handler(ctx: BastionContext) -> Result<(), ()> {
    loop {
        msg! { ctx.recv().await?,
            request: Request => {
                let Request { name, mut from } = request;
                let _ = from.write_all(format!("welcome, {name}\n").as_bytes()).await;
            };
            _: _ => ();
        }
    }
}

/// A client, which knows nothing of all this.
fn request(service: SocketAddr, line: &str) -> io::Result<String> {
    let mut stream = std::net::TcpStream::connect(service)?;
    stream.write_all(format!("{line}\n").as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

fn main() -> io::Result<()> {
    Bastion::init();
    let (guards, handlers) = (Distributor::named("guards"), Distributor::named("handlers"));
    let (give, service) = channel();
    // In the order in which they depend on each other: who is restarted takes those after it along.
    Bastion::supervisor(|supervisor| {
        supervisor
            .with_strategy(SupervisionStrategy::RestForOne)
            .children(|children| {
                children.with_redundancy(3).with_distributor(handlers).with_exec(handler)
            })
            .children(|children| {
                let exec = move |ctx| guard(ctx, handlers);
                children.with_redundancy(2).with_distributor(guards).with_exec(exec)
            })
            .children(|children| children.with_exec(move |_| front(give.clone(), guards)))
    })
    .expect("the system was not stopped");
    Bastion::start();

    let service = service.recv().expect("it is there");
    for client in 0..CLIENTS {
        if client % 3 == 0 {
            assert_eq!(request(service, "foe")?, "who are you?\n");
        } else {
            let name = format!("client {client}");
            assert_eq!(request(service, &format!("friend {name}"))?, format!("welcome, {name}\n"));
        }
    }
    println!("{CLIENTS} clients were answered");
    Bastion::stop();
    Bastion::block_until_stopped();
    Ok(())
}
