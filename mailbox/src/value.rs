//! [`Value`]: an owned value of any type, a small one without an allocation.
//!
//! Knows no queue. All of the unsafe code stands on one rule: a form and what is in the room beside it are put together in
//! `Value::with`, and never apart from each other.

use std::any::{Any, TypeId, type_name};
use std::cell::UnsafeCell;
use std::fmt;
use std::mem::{ManuallyDrop, MaybeUninit};
use std::ptr::fn_addr_eq;
use std::sync::Arc;

/// Room for three words, that hold what a [`Value`] has, or a pointer to it.
///
/// A cell, because what is in there may have cells itself, and is looked at through a shared reference. Pointers, because bytes in
/// integers would lose what they may point to.
type Room = UnsafeCell<MaybeUninit<[*mut (); 3]>>;

/// An owned value of any type that is `Send` and `Sync`: what `Box<dyn Any>` is, in four words, and without an allocation for what takes
/// three words at most.
///
/// A value may be shared: it is looked at, never moved out, and [`Value::share`] gives another reference to it.
///
/// # Examples
/// ```
/// use bastion_mailbox::Value;
/// use std::sync::Arc;
///
/// let value = Value::new(7_u32);
/// assert_eq!(value.downcast_ref(), Some(&7_u32));
/// let value = value.downcast::<String>().unwrap_err();
/// assert_eq!(value.downcast::<u32>().unwrap(), 7);
///
/// let shared = Value::shared(Arc::new("news".to_owned()));
/// let again = shared.share().unwrap();
/// assert_eq!(again.downcast_ref::<String>(), shared.downcast_ref::<String>());
/// assert!(again.downcast::<String>().is_err());
/// ```
pub struct Value {
    room: Room,
    form: &'static Form,
}

/// How a value of one type lies in the room, and what can be done with it there.
///
/// The pointers are to a room that holds what the form is of.
struct Form {
    type_id: fn() -> TypeId,
    type_name: fn() -> &'static str,
    is_shared: bool,
    look: unsafe fn(*const Room) -> *const (dyn Any + Send + Sync),
    share: unsafe fn(*const Room) -> Option<Value>,
    into_shared: unsafe fn(*const Room) -> Value,
    drop: unsafe fn(*mut Room),
}

impl Form {
    /// Says whether it is a form of values of this type.
    #[inline]
    fn is_of<T: Any>(&self) -> bool {
        // One function answers the same, so there is mostly no need to ask. It may be there more than once.
        fn_addr_eq(self.type_id, TypeId::of::<T> as fn() -> TypeId)
            || (self.type_id)() == TypeId::of::<T>()
    }
}

/// What lies in the room: a value itself, its box, or a reference that is counted.
trait Content: Send + Sync + Sized + 'static {
    type Value: Any + Send + Sync;

    const FORM: &'static Form = &Form {
        type_id: TypeId::of::<Self::Value>,
        type_name: type_name::<Self::Value>,
        is_shared: Self::IS_SHARED,
        look: look::<Self>,
        share: share::<Self>,
        into_shared: into_shared::<Self>,
        drop: drop_content::<Self>,
    };
    const IS_SHARED: bool = false;

    fn value(&self) -> &Self::Value;
    fn into_shared(self) -> Arc<Self::Value>;
    fn share(&self) -> Option<Arc<Self::Value>> {
        None
    }
}

struct InPlace<T>(T);

impl<T: Any + Send + Sync> Content for InPlace<T> {
    type Value = T;

    fn value(&self) -> &T {
        &self.0
    }

    fn into_shared(self) -> Arc<T> {
        Arc::new(self.0)
    }
}

impl<T: Any + Send + Sync> Content for Box<T> {
    type Value = T;

    fn value(&self) -> &T {
        self
    }

    fn into_shared(self) -> Arc<T> {
        self.into()
    }
}

impl<T: Any + Send + Sync> Content for Arc<T> {
    type Value = T;
    const IS_SHARED: bool = true;

    fn value(&self) -> &T {
        self
    }

    fn into_shared(self) -> Arc<T> {
        self
    }

    fn share(&self) -> Option<Arc<T>> {
        Some(self.clone())
    }
}

/// Says whether something can lie in the room.
const fn fits<C>() -> bool {
    size_of::<C>() <= size_of::<Room>() && align_of::<C>() <= align_of::<Room>()
}

/// # Safety
/// The room holds a `C`.
unsafe fn look<C: Content>(room: *const Room) -> *const (dyn Any + Send + Sync) {
    // SAFETY: the caller promises that a `C` is there. It is looked at, and cells in it lie in a cell.
    unsafe { &*room.cast::<C>() }.value()
}

/// # Safety
/// The room holds a `C`.
unsafe fn share<C: Content>(room: *const Room) -> Option<Value> {
    // SAFETY: as in `look`.
    unsafe { &*room.cast::<C>() }.share().map(Value::with)
}

/// # Safety
/// The room holds a `C`, which is the callee's from now on.
unsafe fn into_shared<C: Content>(room: *const Room) -> Value {
    // SAFETY: the caller promises that a `C` is there, and gives it away.
    Value::with(unsafe { room.cast::<C>().read() }.into_shared())
}

/// # Safety
/// The room holds a `C`, which is not used any more.
unsafe fn drop_content<C: Content>(room: *mut Room) {
    // SAFETY: the caller promises that a `C` is there, for the last time.
    unsafe { room.cast::<C>().drop_in_place() }
}

// SAFETY: what is in the room is a `Content`, and so `Send`; the form is a constant.
unsafe impl Send for Value {}

// SAFETY: what is in the room is a `Content`, and so `Sync`; through a shared `Value` it is looked at, and cloned if it is a counted
// reference, whose value is `Send` and `Sync`.
unsafe impl Sync for Value {}

impl Value {
    /// Takes a value.
    #[inline]
    pub fn new<T: Any + Send + Sync>(value: T) -> Value {
        if fits::<InPlace<T>>() {
            Value::with(InPlace(value))
        } else {
            Value::with(Box::new(value))
        }
    }

    /// Takes a reference to a value that others may have too.
    pub fn shared<T: Any + Send + Sync>(value: Arc<T>) -> Value {
        Value::with(value)
    }

    /// Puts something into the room, and its form beside it.
    #[inline]
    fn with<C: Content>(content: C) -> Value {
        // Known to the compiler, and true where this is called.
        assert!(fits::<C>());
        // All of it is written, so that it is moved in large pieces: a part that was not would hold that up (measured: 5 ns a message).
        let room = Room::new(MaybeUninit::zeroed());
        // SAFETY: the room is large enough and aligned, as was just asserted, and nobody else's.
        unsafe { room.get().cast::<C>().write(content) };
        Value { room, form: C::FORM }
    }

    /// Says whether the value is a `T`.
    #[inline]
    pub fn is<T: Any>(&self) -> bool {
        self.form.is_of::<T>()
    }

    /// Says whether others may have the value too.
    #[inline]
    pub fn is_shared(&self) -> bool {
        self.form.is_shared
    }

    /// Returns the name of the value's type, for people to read: see [`type_name`].
    pub fn type_name(&self) -> &'static str {
        (self.form.type_name)()
    }

    /// Looks at the value, whatever its type.
    #[inline]
    pub fn as_any(&self) -> &(dyn Any + Send + Sync) {
        // SAFETY: the form is that of what is in the room. What it points to lives as long as `self` is borrowed: it lies in the room,
        // or belongs to what does.
        unsafe { &*(self.form.look)(&self.room) }
    }

    /// Looks at the value, if it is a `T`.
    #[inline]
    pub fn downcast_ref<T: Any>(&self) -> Option<&T> {
        self.as_any().downcast_ref()
    }

    /// Returns the value, if it is a `T`, and not shared.
    ///
    /// # Errors
    /// Gives it back otherwise.
    #[inline]
    pub fn downcast<T: Any>(self) -> Result<T, Value> {
        if self.is_shared() || !self.is::<T>() {
            return Err(self);
        }
        // The same choice as in `new`, which has made it: it is a `T`, and not shared.
        if fits::<InPlace<T>>() {
            // SAFETY: so there is an `InPlace<T>`.
            Ok(unsafe { self.take::<InPlace<T>>() }.0)
        } else {
            // SAFETY: so there is a `Box<T>`.
            Ok(*unsafe { self.take::<Box<T>>() })
        }
    }

    /// Returns a reference to the value, if it is a `T`. One that was not shared is from now on.
    ///
    /// # Errors
    /// Gives it back otherwise.
    pub fn downcast_arc<T: Any>(self) -> Result<Arc<T>, Value> {
        if !self.is::<T>() {
            return Err(self);
        }
        // SAFETY: a value that is shared, and a `T`, was made by `shared`, which puts an `Arc<T>` into the room.
        Ok(unsafe { self.into_shared().take() })
    }

    /// Returns another reference to a value that is shared.
    pub fn share(&self) -> Option<Value> {
        // SAFETY: the form is that of what is in the room.
        unsafe { (self.form.share)(&self.room) }
    }

    /// Makes it a value that is shared, if it is not yet.
    #[must_use = "the value is moved"]
    pub fn into_shared(self) -> Value {
        if self.is_shared() {
            return self;
        }
        let this = ManuallyDrop::new(self);
        // SAFETY: the form is that of what is in the room, which nobody drops any more.
        unsafe { (this.form.into_shared)(&this.room) }
    }

    /// # Safety
    /// A `C` is in the room.
    unsafe fn take<C>(self) -> C {
        let this = ManuallyDrop::new(self);
        // SAFETY: the caller promises that a `C` is there, and nobody drops it any more.
        unsafe { this.room.get().cast::<C>().read() }
    }
}

impl Drop for Value {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: the form is that of what is in the room, and who has moved it out forgets the `Value`.
        unsafe { (self.form.drop)(&mut self.room) }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Value({})", self.type_name())
    }
}
