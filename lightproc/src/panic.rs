//! A panic as a value: its payload, its message, and the place where it happened.
//!
//! The place is known to a panic hook only. It is installed once, when the first process is made whose handle could tell
//! it, notes the place for its thread, and calls the hook that was there before. Knows nothing of processes.

use std::any::{Any, TypeId};
use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;
use std::panic::{
    AssertUnwindSafe, PanicHookInfo, catch_unwind, resume_unwind, set_hook, take_hook,
};
use std::sync::{Mutex, Once, PoisonError};

/// How many panics of a thread are remembered that nobody has caught here yet: one may happen while another unwinds.
const REMEMBERED: usize = 4;

thread_local! {
    /// Where the last panics of this thread happened that nobody has caught here yet, the oldest first.
    static NOTED: RefCell<Vec<(Identity, Location)>> = const { RefCell::new(Vec::new()) };
}

/// By what a payload is known again that the hook has seen: its text stays where it is while the payload moves into a box.
#[derive(Clone, Copy, PartialEq)]
enum Identity {
    Text(*const u8),
    Type(TypeId),
}

impl Identity {
    fn of(payload: &(dyn Any + Send)) -> Identity {
        match text(payload) {
            Some(text) => Identity::Text(text.as_ptr()),
            None => Identity::Type(payload.type_id()),
        }
    }
}

fn text(payload: &(dyn Any + Send)) -> Option<&str> {
    let literal = payload.downcast_ref::<&'static str>().copied();
    literal.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
}

/// Remembers where a panic happened. A thread that is ending has no place for it any more.
fn note(payload: &(dyn Any + Send), location: Location) {
    let _ = NOTED.try_with(|noted| {
        let mut noted = noted.borrow_mut();
        if noted.len() == REMEMBERED {
            noted.remove(0);
        }
        noted.push((Identity::of(payload), location));
    });
}

/// Takes where a panic happened. Those that came after it were caught by somebody else while it unwound.
fn noted(payload: &(dyn Any + Send)) -> Option<Location> {
    let found = NOTED.try_with(|noted| {
        let mut noted = noted.borrow_mut();
        let place = noted.iter().rposition(|(known, _)| *known == Identity::of(payload))?;
        noted.drain(place..).next().map(|(_, location)| location)
    });
    found.ok().flatten()
}

/// A panic that was caught. It is one pointer; dropping it never panics: when the payload's destructor does, the payload
/// of that second panic is leaked.
pub struct Panic(Option<Box<Caught>>);

struct Caught {
    message: Option<Cow<'static, str>>,
    location: Option<Location>,
    /// Never locked: it makes a payload that is only `Send` a part of something `Sync`.
    payload: Mutex<Box<dyn Any + Send>>,
}

/// The place of a panic in the source.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Location {
    file: Box<str>,
    line: u32,
    column: u32,
}

impl Panic {
    /// Calls a function; its panic comes back as a value.
    ///
    /// # Errors
    /// The panic. It has a [`location`](Panic::location) if [`locate`](Panic::locate) was called before it happened.
    ///
    /// # Examples
    /// ```
    /// use lightproc::Panic;
    /// std::panic::set_hook(Box::new(|_| {}));
    /// Panic::locate();
    /// let panic = Panic::catch(|| panic!("number {}", 7)).unwrap_err();
    /// assert_eq!(panic.message(), Some("number 7"));
    /// assert_eq!(panic.location().unwrap().file(), file!());
    /// ```
    #[inline(always)]
    pub fn catch<R>(f: impl FnOnce() -> R) -> Result<R, Panic> {
        catch_unwind(AssertUnwindSafe(f)).map_err(Panic::new)
    }

    /// Has the place of each panic noted from now on, by a panic hook that also calls the hook that was there before.
    /// Only the first call does something; [`LightProc::recoverable`](crate::LightProc::recoverable) calls it too.
    ///
    /// A hook that is set afterwards and neither calls this one nor [`note`](Panic::note) leaves panics without a place.
    /// A call while the thread is panicking, when no hook can be set, leaves that to the next call. A hook that another
    /// thread sets at the same moment may be lost: set the program's hook first. Never panics.
    pub fn locate() {
        static ONCE: Once = Once::new();
        if ONCE.is_completed() || std::thread::panicking() {
            return;
        }
        ONCE.call_once(|| {
            let outer = take_hook();
            set_hook(Box::new(move |info| {
                Panic::note(info);
                outer(info);
            }));
        });
    }

    /// Notes the place of a panic: for a panic hook that does not call the hook that was there before.
    ///
    /// # Examples
    /// ```
    /// use lightproc::Panic;
    /// std::panic::set_hook(Box::new(|info| Panic::note(info)));
    /// let panic = Panic::catch(|| panic!("quiet")).unwrap_err();
    /// assert_eq!(panic.location().unwrap().line(), line!() - 1);
    /// ```
    pub fn note(info: &PanicHookInfo<'_>) {
        if let Some(location) = info.location() {
            note(info.payload(), Location::from(location));
        }
    }

    #[cold]
    fn new(payload: Box<dyn Any + Send>) -> Panic {
        let message = match payload.downcast_ref::<&'static str>() {
            Some(text) => Some(Cow::Borrowed(*text)),
            None => text(&*payload).map(|text| Cow::Owned(text.to_owned())),
        };
        let location = noted(&*payload);
        Panic(Some(Box::new(Caught { message, location, payload: Mutex::new(payload) })))
    }

    fn caught(&self) -> Option<&Caught> {
        self.0.as_deref()
    }

    /// Returns the message that `panic!` was given; `None` when the payload is not text.
    pub fn message(&self) -> Option<&str> {
        self.caught()?.message.as_deref()
    }

    /// Returns where it happened; `None` when no hook of this crate saw it (see [`locate`](Panic::locate)).
    ///
    /// A payload that was carried to another thread and resumed there by [`std::panic::resume_unwind`], which calls no hook,
    /// has none; [`resume`](Panic::resume) carries the place along. A payload that is not text is known by its type: if
    /// two of the same type are on their way at once, the places may be exchanged.
    pub fn location(&self) -> Option<&Location> {
        self.caught()?.location.as_ref()
    }

    /// Returns the payload, as [`std::panic::catch_unwind`] gives it.
    pub fn into_payload(mut self) -> Box<dyn Any + Send> {
        match self.0.take() {
            Some(caught) => caught.payload.into_inner().unwrap_or_else(PoisonError::into_inner),
            None => Box::new(()),
        }
    }

    /// Goes on with the panic in the calling thread. Does not run the panic hook again.
    pub fn resume(mut self) -> ! {
        let location = self.0.as_mut().and_then(|caught| caught.location.take());
        let payload = self.into_payload();
        if let Some(location) = location {
            note(&*payload, location);
        }
        resume_unwind(payload)
    }
}

/// Calls what a user wrote at a point where a panic has nowhere to go.
#[inline(always)]
pub(crate) fn contain(f: impl FnOnce()) {
    drop(Panic::catch(f));
}

impl Drop for Panic {
    fn drop(&mut self) {
        // The payload's destructor may panic, and so may the destructor of that payload: the second is leaked.
        let Some(caught) = self.0.take() else { return };
        if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(caught))) {
            std::mem::forget(again);
        }
    }
}

impl fmt::Debug for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Panic")
            .field("message", &self.message().unwrap_or("a payload that is not text"))
            .field("location", &self.location())
            .finish()
    }
}

impl fmt::Display for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message().unwrap_or("panicked with a payload that is not text"))?;
        match self.location() {
            Some(location) => write!(f, " at {location}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Panic {}

impl Location {
    /// Returns the file, as the compiler was given it.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Returns the line, from 1.
    pub fn line(&self) -> u32 {
        self.line
    }

    /// Returns the column, from 1.
    pub fn column(&self) -> u32 {
        self.column
    }
}

impl From<&std::panic::Location<'_>> for Location {
    fn from(location: &std::panic::Location<'_>) -> Location {
        Location { file: location.file().into(), line: location.line(), column: location.column() }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}
