//! The executor alone, without supervision: a server that adds up numbers, with a process for each connection.
//!
//! One client is served, one crashes its process, one never says a word; the others do not notice. What the executor has done is
//! printed at the end.

#![forbid(unsafe_code)]

use bastion_executor::io::{
    AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, TcpListener, TcpStream,
};
use bastion_executor::{Executor, Outcome, spawn, spawn_blocking, timeout};
use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

const CLIENTS: u64 = 100;

/// How long a client may be silent.
const PATIENCE: Duration = Duration::from_secs(2);

/// Adds up the numbers of each line, until the client has no more.
async fn connection(stream: TcpStream) -> io::Result<u64> {
    let mut lines = 0;
    let mut reader = BufReader::new(stream.clone());
    let mut writer = stream;
    loop {
        let mut line = String::new();
        let read = timeout(PATIENCE, reader.read_line(&mut line)).await;
        if read.map_err(|elapsed| io::Error::new(io::ErrorKind::TimedOut, elapsed))?? == 0 {
            return Ok(lines);
        }
        let numbers = line.split_whitespace().map(|number| {
            // Whoever sends something else crashes the process, and nobody else's.
            number.parse::<u64>().expect("a number")
        });
        let numbers: Vec<u64> = numbers.collect();
        // What takes long, or blocks, does not belong on a worker.
        let sum = spawn_blocking(move || numbers.iter().sum::<u64>()).await.unwrap_or_default();
        writer.write_all(format!("{sum}\n").as_bytes()).await?;
        lines += 1;
    }
}

/// How the connections have ended.
#[derive(Debug, Default, PartialEq)]
struct Ends {
    served: u64,
    silent: u64,
    crashed: u64,
}

/// Serves this many connections, each in a process.
async fn serve(listener: TcpListener, connections: u64) -> io::Result<Ends> {
    let mut processes = Vec::new();
    for _ in 0..connections {
        let (stream, _) = listener.accept().await?;
        processes.push(spawn(connection(stream)));
    }
    let mut ends = Ends::default();
    for mut process in processes {
        match process.outcome().await {
            Outcome::Completed(Ok(_)) => ends.served += 1,
            Outcome::Completed(Err(error)) if error.kind() == io::ErrorKind::TimedOut => {
                ends.silent += 1;
            }
            Outcome::Completed(Err(error)) => return Err(error),
            Outcome::Panicked(panic) => {
                println!("a process crashed: {panic}");
                ends.crashed += 1;
            }
            Outcome::Cancelled => unreachable!("nobody cancels"),
        }
    }
    Ok(ends)
}

/// Sends a line, and returns all that comes back until the server closes.
async fn client(server: SocketAddr, line: String) -> io::Result<String> {
    let mut stream = TcpStream::connect(server).await?;
    stream.write_all(line.as_bytes()).await?;
    if !line.is_empty() {
        stream.shutdown(std::net::Shutdown::Write)?;
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

fn main() -> Result<(), Box<dyn Error>> {
    // The one panic is told by the process that ends with it.
    std::panic::set_hook(Box::new(|_| ()));
    let executor = Executor::builder().workers(2).name("adder").build()?;
    executor.run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let server = spawn(serve(listener, CLIENTS + 2));

        let bad = spawn(client(address, "1 2 many\n".to_owned()));
        let silent = spawn(client(address, String::new()));
        let good: Vec<_> =
            (0..CLIENTS).map(|n| spawn(client(address, format!("{n} 2 3\n")))).collect();
        for (n, answer) in good.into_iter().enumerate() {
            let answer = answer.await.expect("clients do not panic")?;
            assert_eq!(answer, format!("{}\n", n + 5));
        }
        assert_eq!(bad.await.expect("clients do not panic")?, "", "its process was gone");
        assert_eq!(silent.await.expect("clients do not panic")?, "", "it was waited for enough");

        let ends = server.await.expect("the server does not panic")?;
        println!("{ends:?}");
        assert_eq!(ends, Ends { served: CLIENTS, silent: 1, crashed: 1 });
        Ok::<(), Box<dyn Error>>(())
    })?;

    let metrics = executor.metrics();
    println!("{metrics}");
    // Each client and each connection at least once, and each client once more when it was connected.
    assert!(metrics.total().polls >= 3 * CLIENTS);
    assert!(metrics.blocking.threads > 0);
    Ok(())
}
