//! Bastion 0.4: TCP echo servers, each with a socket of its own. One is made to crash, and nobody else notices.
//!
//! `cargo run -p examples --example classic_tcp_servers`

use bastion::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use bastion::prelude::*;
use std::io::{self, BufRead, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Sender, channel};

const SERVERS: usize = 3;

/// Sends back each line. One that cannot be read, or written, ends the connection.
async fn echo(stream: Handle<TcpStream>) -> io::Result<()> {
    let (mut lines, mut answers) = (BufReader::new(&stream), &stream);
    let mut line = String::new();
    while lines.read_line(&mut line).await? > 0 {
        assert_ne!(line.trim(), "crash", "on purpose");
        answers.write_all(line.as_bytes()).await?;
        line.clear();
    }
    Ok(())
}

/// Serves one client after another.
async fn server(listening: Sender<SocketAddr>) -> Result<(), ()> {
    let listener = Handle::<TcpListener>::bind("127.0.0.1:0").map_err(|_| ())?;
    let address = listener.local_addr().map_err(|_| ())?;
    println!("a server listens at {address}");
    listening.send(address).map_err(|_| ())?;
    loop {
        let (stream, _) = listener.accept().await.map_err(|_| ())?;
        if let Err(error) = echo(stream).await {
            println!("a connection to {address} was lost: {error}");
        }
    }
}

/// Says a line, and returns what comes back: nothing when the server has crashed.
fn say(server: SocketAddr, line: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(server)?;
    stream.write_all(format!("{line}\n").as_bytes())?;
    let mut answer = String::new();
    io::BufReader::new(stream).read_line(&mut answer)?;
    Ok(answer.trim().to_owned())
}

fn main() -> io::Result<()> {
    Bastion::init_with(Config::new().hide_backtraces());
    let (listening, addresses) = channel();
    Bastion::children(|children| {
        children.with_redundancy(SERVERS).with_exec(move |_ctx| server(listening.clone()))
    })
    .expect("the system was not stopped");
    Bastion::start();

    let mut servers: Vec<SocketAddr> = addresses.iter().take(SERVERS).collect();
    for &server in &servers {
        assert_eq!(say(server, "hello")?, "hello");
    }
    assert!(say(servers[0], "crash").is_ok_and(|answer| answer.is_empty()));
    // Its next incarnation has a socket of its own; the others have theirs still.
    servers[0] = addresses.recv().expect("it is restarted");
    for &server in &servers {
        assert_eq!(say(server, "still there?")?, "still there?");
    }
    Bastion::stop();
    Bastion::block_until_stopped();
    Ok(())
}
