//! §1: the feature `tokio-runtime`. A program as 0.4's `hello_tokio` shows it, its `main` included; without the test harness.

use bastion::prelude::*;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    Bastion::init();
    let workers = Bastion::children(|children| {
        children.with_redundancy(2).with_exec(|ctx: BastionContext| async move {
            loop {
                msg! { ctx.recv().await?,
                    size: usize =!> {
                        let answer = over_tokio(size).await.map_err(|_| ())?;
                        let _ = answer!(ctx, answer);
                    };
                    _: _ => ();
                }
            }
        })
    })
    .expect("it was not stopped");
    Bastion::start();

    for worker in workers.elems() {
        let answer = worker.ask_anonymously(1_000_usize).expect("it runs").await;
        let read = msg! { answer.expect("it answers"), read: usize => read; _: _ => 0; };
        assert_eq!(read, 1_000);
    }
    let slept = blocking! { tokio::time::sleep(Duration::from_millis(1)).await };
    assert_eq!(slept.await, Some(()));
    run! { tokio::task::yield_now() };

    Bastion::stop();
    Bastion::block_until_stopped();
    Ok(())
}

/// Uses tokio's sockets, timers and tasks.
async fn over_tokio(size: usize) -> std::io::Result<usize> {
    tokio::time::sleep(Duration::from_millis(1)).await;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    let writer =
        tokio::spawn(
            async move { TcpStream::connect(address).await?.write_all(&vec![1; size]).await },
        );
    let mut read = Vec::new();
    listener.accept().await?.0.read_to_end(&mut read).await?;
    writer.await??;
    Ok(read.len())
}
