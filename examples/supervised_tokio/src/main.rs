//! A tokio program whose tasks are supervised. Our own executor is not in its tree.
//!
//! A server is a worker; each connection is a process of its own, which the server spawns beside itself. One connection crashes,
//! then the server itself: the program goes on, and stops in order. A part with much to do has threads of its own.

#![forbid(unsafe_code)]

use bastion_supervision::plan::Shutdown;
use bastion_supervision::{
    Exit, InitializationError, ProcessShutdown, Supervisable, Supervisor, SupervisorFuture,
    one_shot, spawn, worker,
};
use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

const SECOND: Duration = Duration::from_secs(1);

/// Answers lines: `double N`, or a crash of the connection, or of the server.
struct Server {
    address: SocketAddr,
    incarnations: Arc<AtomicU32>,
}

impl Supervisable for Server {
    fn name(&self) -> &str {
        "server"
    }

    async fn initialize(
        &self,
        shutdown: ProcessShutdown,
    ) -> Result<SupervisorFuture, InitializationError> {
        let listener = TcpListener::bind(self.address).await?;
        self.incarnations.fetch_add(1, SeqCst);
        Ok(Box::pin(async move {
            let (crash, mut crashed) = mpsc::channel::<()>(1);
            loop {
                tokio::select! {
                    () = shutdown.requested() => return Ok(()),
                    Some(()) = crashed.recv() => panic!("the server was told to crash"),
                    accepted = listener.accept() => {
                        let (stream, _) = accepted?;
                        // Not a bare task: a crash is reported, and the end of the program waits for it.
                        spawn(one_shot(serve(stream, crash.clone())))?;
                    }
                }
            }
        }))
    }
}

async fn serve(stream: TcpStream, crash: mpsc::Sender<()>) -> Result<(), Exit> {
    let mut lines = BufReader::new(stream).lines();
    while let Some(line) = lines.next_line().await? {
        let answer = match line.split_once(' ') {
            Some(("double", number)) => 2 * number.parse::<u64>()?,
            _ if line == "crash" => {
                crash.send(()).await?;
                continue;
            }
            _ => continue,
        };
        lines.get_mut().write_all(format!("{answer}\n").as_bytes()).await?;
    }
    Ok(())
}

/// Sends a line on a connection of its own.
async fn send(server: SocketAddr, line: &str) -> Result<BufReader<TcpStream>, Box<dyn Error>> {
    let mut stream = loop {
        match TcpStream::connect(server).await {
            Ok(stream) => break stream,
            // The server is being restarted.
            Err(_) => tokio::time::sleep(Duration::from_millis(1)).await,
        }
    };
    stream.write_all(format!("{line}\n").as_bytes()).await?;
    Ok(BufReader::new(stream))
}

/// Sends a line, and returns the answer. `None`: the connection was closed instead.
async fn ask(server: SocketAddr, line: &str) -> Result<Option<String>, Box<dyn Error>> {
    let mut lines = send(server, line).await?.lines();
    let answer = lines.next_line().await.unwrap_or_default();
    println!("{line}: {}", answer.as_deref().unwrap_or("no answer"));
    Ok(answer)
}

/// What a user of the service does, and finds.
async fn use_it(server: SocketAddr, incarnations: &AtomicU32) -> Result<(), Box<dyn Error>> {
    assert_eq!(ask(server, "double 21").await?.as_deref(), Some("42"));
    assert_eq!(ask(server, "double many").await?, None, "this connection has failed");
    assert_eq!(ask(server, "double 4").await?.as_deref(), Some("8"));
    let crash = send(server, "crash").await?;
    while incarnations.load(SeqCst) < 2 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    drop(crash);
    assert_eq!(ask(server, "double 5").await?.as_deref(), Some("10"));
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // The one panic is expected: a line is enough.
    std::panic::set_hook(Box::new(|info| println!("{info}")));
    // A free port.
    let address = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
    let incarnations = Arc::new(AtomicU32::new(0));
    let server = Server { address, incarnations: incarnations.clone() };
    let (tell, told) = std::sync::mpsc::channel();
    let crunch = worker("crunch", move |shutdown| {
        let _ = tell.send(std::thread::current().name().map(str::to_owned));
        async move {
            shutdown.await;
            Ok(())
        }
    });
    let app = Supervisor::new("app")
        .shutdown(Shutdown::Timeout(10 * SECOND))
        .intensity(3, 10 * SECOND)
        .add_worker(server)
        .supervisor(Supervisor::new("batch").dedicated(2).add_worker(crunch));
    let reference = app.reference();
    let used = async {
        use_it(address, &incarnations).await.expect("the service works");
        print!("{}", reference.tree().await.expect("it runs"));
    };
    let stopped = app.run_with_shutdown(used).await?;
    assert!(stopped.forced.is_empty(), "{stopped:?}");
    assert_eq!(told.recv()?.as_deref(), Some("batch"));
    println!("stopped in order");
    Ok(())
}
