//! One process for each connection: reads questions, asks the workers, writes answers.

use super::MAX_QUESTIONS;
use super::chaos::Order;
use super::worker::Pool;
use crate::protocol::{LineBuffer, Malformed, read_question, write_answer, write_refusal};
use bastion::executor::timeout;
use bastion::io::{AsyncReadExt, AsyncWriteExt, TcpStream};
use bastion::plan::RestartType;
use bastion::{Address, Ask, Child, Context, Exit, child};
use futures_lite::future::or;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long a client may be silent.
const READ_LIMIT: Duration = Duration::from_secs(30);

/// How long a client may take to read its answers.
const WRITE_LIMIT: Duration = Duration::from_secs(5);

/// How a connection is made to end.
pub(super) enum Blow {
    /// By a panic.
    Panic,
    /// By an error.
    Error,
}

/// Takes note of the end of a connection, however it ends.
pub(super) struct Guard {
    number: u64,
    chaos: Address<Order>,
    _place: Arc<()>,
}

impl Guard {
    pub(super) fn new(number: u64, chaos: Address<Order>, place: Arc<()>) -> Self {
        Self { number, chaos, _place: place }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.chaos.tell(Order::Closed(self.number));
    }
}

/// Describes the process of one connection. It is not restarted: the client connects again.
pub(super) fn describe(stream: TcpStream, pool: Pool, guard: Guard) -> Child<Blow> {
    // Taken by the only incarnation, so that the socket is closed as soon as that one ends.
    let own = Mutex::new(Some((stream, guard)));
    let connection = child(move |cx| {
        let own = own.lock().unwrap_or_else(PoisonError::into_inner).take();
        serve(cx, own, pool.clone())
    });
    connection.restart(RestartType::Temporary)
}

async fn serve(
    mut cx: Context<Blow>,
    own: Option<(TcpStream, Guard)>,
    pool: Pool,
) -> Result<(), Exit> {
    let Some((mut stream, _guard)) = own else { return Ok(()) };
    let struck = async {
        match cx.recv().await {
            None => Ok(()),
            Some(Blow::Panic) => panic!("the connection was killed"),
            Some(Blow::Error) => Err(Exit::error("the connection was killed")),
        }
    };
    or(struck, converse(&mut stream, &pool)).await
}

/// Answers until the client has no more questions.
async fn converse(stream: &mut TcpStream, pool: &Pool) -> Result<(), Exit> {
    stream.set_nodelay(true)?;
    let mut lines = LineBuffer::new();
    let mut asked = Vec::with_capacity(MAX_QUESTIONS);
    let mut answers = Vec::new();
    loop {
        let malformed = ask_all(&mut lines, pool, &mut asked).err();
        if asked.is_empty() && malformed.is_none() {
            match timeout(READ_LIMIT, stream.read(lines.room())).await?? {
                0 => return Ok(()),
                bytes => lines.arrived(bytes),
            }
            continue;
        }
        for (id, answer) in asked.drain(..) {
            write_answer(&mut answers, id, answer.await.ok());
        }
        if let Some(reason) = malformed {
            write_refusal(&mut answers, reason);
        }
        timeout(WRITE_LIMIT, stream.write_all(&answers)).await??;
        answers.clear();
        if malformed.is_some() {
            return Ok(());
        }
    }
}

/// Asks the workers what has arrived, as far as they may be asked at once.
fn ask_all(
    lines: &mut LineBuffer,
    pool: &Pool,
    asked: &mut Vec<(u64, Ask<u64>)>,
) -> Result<(), Malformed> {
    while asked.len() < MAX_QUESTIONS
        && let Some(line) = lines.next_line()?
    {
        let (id, text) = read_question(line)?;
        asked.push((id, pool.count(text.to_owned())));
    }
    Ok(())
}
