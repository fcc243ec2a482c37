//! Methods of all kinds that can be messages, and blocks of all kinds.

use bastion::Context;
use bastion::typed::*;
use std::collections::BTreeMap;
use std::num::ParseIntError;

/// Private, so all that is made of it is.
#[derive(Default)]
struct Notes {
    lines: Vec<String>,
    waiting: Option<Reply<usize>>,
}

#[bastion::actor]
impl Notes {
    fn write(&mut self, mut line: String, (from, to): (usize, usize), _: bool) {
        line.replace_range(from..to, "");
        self.lines.push(line);
        self.waiting.take().into_iter().for_each(|reply| reply.send(self.lines.len()));
    }

    /// Its own error, which harms nobody.
    fn sum(&self) -> Result<u64, ParseIntError> {
        self.lines.iter().map(|line| line.parse::<u64>()).sum()
    }

    /// A reply, or the end of the process.
    async fn line(&mut self, number: usize) -> Result<String, Exit> {
        self.lines.get(number).cloned().ok_or_else(|| Exit::error("no such line"))
    }

    /// Answers when there is one more.
    fn next(&mut self, reply: Reply<usize>) {
        self.waiting = Some(reply);
    }

    /// The state itself.
    fn all(&mut self, parts: [u8; Self::PARTS]) -> (Self, [u8; Self::PARTS]) {
        (std::mem::take(self), parts)
    }

    /// Names that are used by what is made, too.
    fn names(&mut self, state: u8, message: u8, cx: u8, reply: u8) -> u8 {
        state + message + cx + reply
    }

    /// Named like methods that other types have by a trait.
    fn cmp(&self, other: u8) -> u8 {
        other
    }

    fn clone_from(&mut self, lines: Vec<String>) {
        self.lines = lines;
    }

    fn to_string(&self, between: char) -> String {
        self.lines.join(&between.to_string())
    }

    fn incarnation_of(&mut self, cx: &Context<NotesMessage>, r#type: u32) -> u32 {
        cx.incarnation() + r#type
    }

    #[cfg(not(test))]
    fn not_there(&mut self, never: Never) -> Nothing {
        unreachable!()
    }

    #[cfg(test)]
    fn r#loop(&self, _times: u32) {}

    #[deprecated = "use `write`"]
    #[allow(clippy::unused_unit)]
    fn append(&mut self, line: &'static str) -> () {
        self.lines.push(line.into())
    }
}

/// No message: it stands in a block of its own.
impl Notes {
    const PARTS: usize = 600;
}

/// What only the state needs, `S` and `D`, its address does not show.
pub(crate) struct Cache<K, V, S, const D: usize> {
    values: BTreeMap<K, V>,
    source: S,
}

/// Where values come from.
pub(crate) trait Source<K, V> {
    fn load(&mut self, key: &K) -> Option<V>;
}

#[bastion::actor]
impl<K, V: Clone + Send + 'static, S, const D: usize> Cache<K, V, S, D>
where
    K: Clone + Ord + Send + 'static,
    S: Source<K, V> + Send + 'static,
{
    pub(crate) fn get(&mut self, key: K) -> Option<V> {
        if !self.values.contains_key(&key) {
            let value = self.source.load(&key)?;
            self.values.insert(key.clone(), value);
        }
        self.values.get(&key).cloned()
    }

    pub(crate) async fn set(&mut self, key: K, value: V) {
        if self.values.len() < D {
            self.values.insert(key, value);
        }
    }
}

struct Squares;

impl Source<u32, u32> for Squares {
    fn load(&mut self, key: &u32) -> Option<u32> {
        key.checked_mul(*key)
    }
}

fn notes(system: &System) -> Address<NotesMessage> {
    system.spawn_child(Notes::child(Notes::default)).unwrap()
}

#[bastion::test(virtual_time)]
async fn an_error_is_a_reply_and_an_exit_is_an_end(system: System) {
    let notes = notes(&system);
    notes.write("1x2".into(), (1, 2), true).unwrap();
    assert_eq!(notes.sum().await.unwrap(), Ok(12));
    #[expect(deprecated)]
    notes.append("x").unwrap();
    assert!(notes.sum().await.unwrap().is_err());
    assert_eq!(notes.line(1).await.unwrap(), "x");
    assert_eq!(notes.line(7).await.unwrap_err(), AskError::NoReply);
    assert_eq!(notes.sum().await.unwrap(), Ok(0), "the next incarnation's");
}

#[bastion::test(virtual_time)]
async fn a_reply_may_come_later(system: System) {
    let notes = notes(&system);
    let next = notes.next();
    notes.write("abc".into(), (0, 2), true).unwrap();
    assert_eq!(next.await, Ok(1));
    drop(notes.next());
    notes.r#loop(1).unwrap();
    notes.write("abc".into(), (0, 2), true).unwrap();
    let (state, parts) = notes.all([1; 600]).await.unwrap();
    assert_eq!((state.lines.len(), parts), (2, [1; 600]));
}

#[bastion::test(virtual_time)]
async fn names_do_not_meet(system: System) {
    let notes = notes(&system);
    assert_eq!(notes.names(1, 2, 3, 4).await, Ok(10));
    assert_eq!(notes.incarnation_of(4).await, Ok(5));
    assert_eq!(notes.cmp(4).await, Ok(4));
    notes.clone_from(vec!["a".into(), "b".into()]).unwrap();
    assert_eq!(notes.to_string('-').await.unwrap(), "a-b");
    assert!(notes.tell(NotesMessage::Loop(1)).is_ok());
}

#[bastion::test(virtual_time)]
async fn an_address_has_the_types_of_the_messages_only(system: System) {
    let cache = Cache::<_, _, _, 2>::child(|| Cache { values: BTreeMap::new(), source: Squares });
    let cache: Address<CacheMessage<u32, u32>> = system.spawn_child(cache).unwrap();
    assert_eq!(cache.get(3).await, Ok(Some(9)));
    cache.set(3, 4).unwrap();
    cache.set(4, 4).unwrap();
    assert_eq!(cache.get(3).await, Ok(Some(4)));
    assert_eq!(cache.get(1 << 20).await, Ok(None));
}
