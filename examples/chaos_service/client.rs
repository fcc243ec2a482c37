//! A client: a plain thread with a blocking socket, so that the check does not depend on the runtime that is checked.
//!
//! It sends the lines of the input round and round, many before it reads an answer, and asks again for what was not answered: the
//! service said so, the connection ended, or nothing came in time.

use crate::input::Input;
use crate::ledger::Ledger;
use crate::protocol::{MAX_ANSWER, read_answer, write_question};
use std::collections::{BTreeMap, VecDeque};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How many questions are on their way at most.
const WINDOW: usize = 32;

/// How long nothing may come before the client gives the connection up.
const SILENCE_LIMIT: Duration = Duration::from_secs(5);

/// How long a connection, or sending, may take.
const WRITE_LIMIT: Duration = Duration::from_secs(5);

/// How long a client rests that was refused a connection.
const REST: Duration = Duration::from_millis(10);

/// How long the clients may take at the end for what is on its way.
const DRAIN_LIMIT: Duration = Duration::from_secs(10);

/// Clients that run at the same time, each on its own thread.
pub(crate) struct Clients {
    threads: Vec<JoinHandle<u64>>,
    /// Set when the clients are to send nothing new: until when the rest has to be answered.
    deadline: Arc<OnceLock<Instant>>,
}

impl Clients {
    /// Starts the clients. They begin at different lines.
    ///
    /// # Errors
    /// When the machine refuses a thread; those that run are stopped.
    pub(crate) fn start(
        count: usize,
        server: SocketAddr,
        input: &Arc<Input>,
        ledger: &Arc<Ledger>,
    ) -> io::Result<Clients> {
        let mut clients = Clients { threads: Vec::new(), deadline: Arc::default() };
        for number in 0..count {
            let start = input.len() * number / count;
            let client = Client {
                server,
                input: input.clone(),
                ledger: ledger.clone(),
                deadline: clients.deadline.clone(),
                start,
                sent: 0,
                words: 0,
                waiting: BTreeMap::new(),
                again: VecDeque::new(),
            };
            let thread = thread::Builder::new().name(format!("client-{number}"));
            match thread.spawn(move || client.run()) {
                Ok(thread) => clients.threads.push(thread),
                Err(error) => {
                    clients.finish();
                    return Err(error);
                }
            }
        }
        Ok(clients)
    }

    /// Lets the clients send nothing new, waits until all is answered, and returns how many lines were not, within ten seconds.
    pub(crate) fn finish(self) -> u64 {
        self.deadline.get_or_init(|| Instant::now() + DRAIN_LIMIT);
        // A client that panicked has said so, and checked nothing: that is one loss at least.
        self.threads.into_iter().map(|thread| thread.join().unwrap_or(1)).sum()
    }
}

struct Client {
    server: SocketAddr,
    input: Arc<Input>,
    ledger: Arc<Ledger>,
    deadline: Arc<OnceLock<Instant>>,
    /// The line that it begins with.
    start: usize,
    /// How many lines it has sent, each counted once. The question of a line has its number as its id.
    sent: u64,
    /// How many words the answers say there are, in all.
    words: u64,
    /// The questions that are on their way, with their lines.
    waiting: BTreeMap<u64, usize>,
    /// The questions that are to be asked again.
    again: VecDeque<(u64, usize)>,
}

impl Client {
    /// Works until it is told to finish, and returns how many lines have no answer.
    fn run(mut self) -> u64 {
        loop {
            match self.converse() {
                Ok(()) => break,
                Err(_) if self.is_too_late() => break,
                Err(_) => {
                    let unanswered = std::mem::take(&mut self.waiting);
                    self.again.extend(unanswered);
                }
            }
        }
        let lost = (self.waiting.len() + self.again.len()) as u64;
        // Beside each answer, their sum: no line was skipped, none counted twice.
        if lost == 0 && self.words != self.input.words_in_a_row(self.start, self.sent) {
            self.ledger.wrong.fetch_add(1, Relaxed);
        }
        lost
    }

    /// Uses one connection as long as it lasts, or until there is nothing more to ask.
    fn converse(&mut self) -> io::Result<()> {
        let stream = match TcpStream::connect_timeout(&self.server, WRITE_LIMIT) {
            Ok(stream) => stream,
            Err(error) => {
                thread::sleep(REST);
                return Err(error);
            }
        };
        let result = self.ask_and_check(&stream);
        if result.is_err() {
            self.ledger.reconnects.fetch_add(1, Relaxed);
        }
        result
    }

    fn ask_and_check(&mut self, stream: &TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(WRITE_LIMIT))?;
        let mut reader = BufReader::new(stream);
        let (mut questions, mut answer) = (Vec::new(), Vec::new());
        loop {
            if self.is_too_late() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            self.fill(&mut questions);
            if self.waiting.is_empty() {
                return Ok(());
            }
            let mut writer = stream;
            writer.write_all(&questions)?;
            questions.clear();
            self.limit_silence(stream)?;
            // One answer at least, then those that came with it.
            loop {
                answer.clear();
                (&mut reader).take(MAX_ANSWER as u64).read_until(b'\n', &mut answer)?;
                if answer.pop() != Some(b'\n') {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                self.check(&answer)?;
                if !reader.buffer().contains(&b'\n') {
                    break;
                }
            }
        }
    }

    /// Writes questions until the window is full: those that are to be asked again first.
    fn fill(&mut self, questions: &mut Vec<u8>) {
        while self.waiting.len() < WINDOW {
            let (id, line) = if let Some(again) = self.again.pop_front() {
                self.ledger.retries.fetch_add(1, Relaxed);
                again
            } else if self.deadline.get().is_none() {
                let id = self.sent;
                self.sent += 1;
                (id, (self.start + (id % self.input.len() as u64) as usize) % self.input.len())
            } else {
                return;
            };
            write_question(questions, id, self.input.text(line));
            self.waiting.insert(id, line);
        }
    }

    /// Compares an answer with the sequential count.
    fn check(&mut self, answer: &[u8]) -> io::Result<()> {
        let known = read_answer(answer).ok().and_then(|(id, count)| {
            let line = self.waiting.remove(&id)?;
            Some((id, line, count))
        });
        let Some((id, line, count)) = known else {
            // Nothing that was asked for.
            self.ledger.wrong.fetch_add(1, Relaxed);
            return Err(io::ErrorKind::InvalidData.into());
        };
        let Some(count) = count else {
            self.again.push_back((id, line));
            return Ok(());
        };
        self.words += count;
        if count != self.input.words(line) {
            self.ledger.wrong.fetch_add(1, Relaxed);
        }
        self.ledger.answered.fetch_add(1, Relaxed);
        self.ledger.bytes.fetch_add(self.input.text(line).len() as u64, Relaxed);
        Ok(())
    }

    /// Lets a read wait no longer than is borne, and not beyond the end.
    fn limit_silence(&self, stream: &TcpStream) -> io::Result<()> {
        let limit = match self.deadline.get() {
            None => SILENCE_LIMIT,
            Some(deadline) => SILENCE_LIMIT.min(deadline.saturating_duration_since(Instant::now())),
        };
        // A limit of zero would mean none.
        stream.set_read_timeout(Some(limit.max(Duration::from_millis(1))))
    }

    fn is_too_late(&self) -> bool {
        self.deadline.get().is_some_and(|deadline| Instant::now() >= *deadline)
    }
}
