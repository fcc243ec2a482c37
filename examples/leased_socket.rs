//! A server that crashes while clients are connected, and whose socket does not: it is leased, and the next incarnation goes on with it.
//!
//! The address is bound once. So nobody is refused: who connects while the server is busy, crashes, or is not there at all waits in the
//! system's queue, and is answered by the next incarnation.

#![forbid(unsafe_code)]

use bastion::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, TcpListener, TcpStream};
use bastion::typed::*;
use futures_lite::future::or;
use std::error::Error;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

const CRASHES: u32 = 10;

/// Serves one connection after another, with a socket that it has for as long as it lives.
async fn server(cx: Context<()>, socket: Resource<TcpListener>) -> Result<(), Exit> {
    let socket = socket.acquire().await?;
    let stop = cx.stop_signal();
    let stopped = async {
        stop.requested().await;
        Ok(())
    };
    let served = async {
        loop {
            let (stream, _) = socket.accept().await?;
            serve(stream, cx.incarnation()).await?;
        }
    };
    or(stopped, served).await
}

/// Answers each line, or crashes over it.
async fn serve(stream: TcpStream, incarnation: u32) -> Result<(), Exit> {
    let (mut requests, mut answers) = (BufReader::new(stream.clone()), stream);
    let mut line = String::new();
    while requests.read_line(&mut line).await.unwrap_or(0) > 0 {
        match line.trim() {
            "panic" => panic!("told to"),
            "error" => return Err(Exit::error("told to")),
            text => answers.write_all(format!("{text} from {incarnation}\n").as_bytes()).await?,
        }
        line.clear();
    }
    Ok(())
}

struct Client(BufReader<TcpStream>);

impl Client {
    async fn connect(server: SocketAddr) -> io::Result<Client> {
        Ok(Client(BufReader::new(TcpStream::connect(server).await?)))
    }

    async fn say(&mut self, request: &str) -> io::Result<()> {
        self.0.get_mut().write_all(format!("{request}\n").as_bytes()).await
    }

    /// Returns the answer; none: the server has gone.
    async fn answer(&mut self) -> io::Result<Option<String>> {
        let mut line = String::new();
        match self.0.read_line(&mut line).await {
            Ok(0) => Ok(None),
            Ok(_) => Ok(Some(line.trim().to_owned())),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn ask(&mut self, request: &str) -> io::Result<Option<String>> {
        self.say(request).await?;
        self.answer().await
    }
}

fn hello(incarnation: u32) -> Option<String> {
    Some(format!("hello from {incarnation}"))
}

#[bastion::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // The panics are wanted, and not worth a message.
    std::panic::set_hook(Box::new(|panic| {
        if bastion::current_pid().is_none() {
            eprintln!("{panic}");
        }
    }));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let place = listener.local_addr()?;
    let socket = Resource::new("socket", listener);
    let lent = socket.clone();
    let server = child(move |cx| server(cx, lent.clone())).named("server");
    let address = server.address();
    let web = Supervisor::new("web").intensity(CRASHES, Duration::from_secs(60)).child(server);
    let web = Bastion::supervise(web).await?;

    let mut client = Client::connect(place).await?;
    assert_eq!(client.ask("hello").await?, hello(1));
    for crash in 1..=CRASHES {
        // The server is busy with the first one: this one waits.
        let mut waiting = Client::connect(place).await?;
        waiting.say("hello").await?;
        let request = if crash % 2 == 0 { "panic" } else { "error" };
        assert_eq!(client.ask(request).await?, None, "it has crashed");
        assert_eq!(waiting.answer().await?, hello(crash + 1));
        client = waiting;
    }
    assert_eq!(socket.holder(), address.pid());
    println!("{CRASHES} crashes, and who waited meanwhile was answered");

    // Now there is no server for a while.
    web.stop_child("server").await?;
    assert!(!socket.is_held());
    let mut early = Client::connect(place).await?;
    early.say("hello").await?;
    web.restart_child("server").await?;
    assert_eq!(early.answer().await?, hello(CRASHES + 2));
    println!("who came while there was no server was answered by the next");
    print!("{}", Bastion::tree().await);

    assert!(Bastion::stop_within(Duration::from_secs(10)).await.forced.is_empty());
    assert_eq!(socket.leases(), u64::from(address.incarnation()));
    let listener = socket.retire().await.ok_or("the socket has gone")?;
    assert_eq!(listener.local_addr()?, place);
    println!("{} incarnations had the socket, which was bound once", socket.leases());
    Ok(())
}
