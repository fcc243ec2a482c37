//! [`Callbacks`]: what is called when an element of the tree starts, is restarted, and stops.

use std::fmt;
use std::sync::Arc;

type Callback = Arc<dyn Fn() + Send + Sync>;

/// What is called in the life of a supervisor or a group of children, each exactly once for what it stands for.
///
/// | callback | when |
/// |---|---|
/// | `before_start` | before the element is started: for the first time, or again after it had stopped |
/// | `after_start` | after such a start, when its children are members of their distributors and dispatchers |
/// | `before_restart` | when its supervisor restarts it and it had not stopped; without one, `after_stop` instead |
/// | `after_restart` | after that, before it runs again; without one, `before_start` instead |
/// | `after_stop` | when it has stopped, was stopped or killed, and is not restarted |
///
/// When one child of a group is restarted alone, the last four are the group's. They are called in the process that they concern: one that
/// blocks holds up that element. A panic in one is contained, and reported.
///
/// # Examples
/// ```
/// use bastion_classic::callbacks::Callbacks;
/// let callbacks = Callbacks::new()
///     .with_before_start(|| println!("starts"))
///     .with_after_stop(|| println!("stopped"));
/// assert!(callbacks.has_before_start() && !callbacks.has_before_restart());
/// ```
#[derive(Clone, Default)]
pub struct Callbacks {
    before_start: Option<Callback>,
    after_start: Option<Callback>,
    before_restart: Option<Callback>,
    after_restart: Option<Callback>,
    after_stop: Option<Callback>,
}

impl Callbacks {
    /// Makes a set without any callback.
    ///
    /// # Examples
    /// ```
    /// use bastion_classic::prelude::*;
    /// assert!(!Callbacks::new().has_after_stop());
    /// ```
    pub fn new() -> Self {
        Callbacks::default()
    }

    /// Sets what is called before the element is started.
    ///
    /// # Examples
    /// ```
    /// use bastion_classic::prelude::*;
    /// let callbacks = Callbacks::new().with_before_start(|| println!("starts"));
    /// assert!(callbacks.has_before_start());
    /// ```
    pub fn with_before_start<C>(mut self, before_start: C) -> Self
    where
        C: Fn() + Send + Sync + 'static,
    {
        self.before_start = Some(Arc::new(before_start));
        self
    }

    /// Sets what is called after the element was started.
    ///
    /// # Examples
    /// ```
    /// use bastion_classic::prelude::*;
    /// let callbacks = Callbacks::new().with_after_start(|| println!("has started"));
    /// assert!(callbacks.has_after_start());
    /// ```
    pub fn with_after_start<C>(mut self, after_start: C) -> Self
    where
        C: Fn() + Send + Sync + 'static,
    {
        self.after_start = Some(Arc::new(after_start));
        self
    }

    /// Sets what is called when the element is to be restarted.
    ///
    /// # Examples
    /// ```
    /// use bastion_classic::prelude::*;
    /// let callbacks = Callbacks::new().with_before_restart(|| println!("failed"));
    /// assert!(callbacks.has_before_restart());
    /// ```
    pub fn with_before_restart<C>(mut self, before_restart: C) -> Self
    where
        C: Fn() + Send + Sync + 'static,
    {
        self.before_restart = Some(Arc::new(before_restart));
        self
    }

    /// Sets what is called before the element runs again.
    ///
    /// # Examples
    /// ```
    /// use bastion_classic::prelude::*;
    /// let callbacks = Callbacks::new().with_after_restart(|| println!("runs again"));
    /// assert!(callbacks.has_after_restart());
    /// ```
    pub fn with_after_restart<C>(mut self, after_restart: C) -> Self
    where
        C: Fn() + Send + Sync + 'static,
    {
        self.after_restart = Some(Arc::new(after_restart));
        self
    }

    /// Sets what is called when the element has stopped.
    ///
    /// # Examples
    /// ```
    /// use bastion_classic::prelude::*;
    /// let callbacks = Callbacks::new().with_after_stop(|| println!("stopped"));
    /// assert!(callbacks.has_after_stop());
    /// ```
    pub fn with_after_stop<C>(mut self, after_stop: C) -> Self
    where
        C: Fn() + Send + Sync + 'static,
    {
        self.after_stop = Some(Arc::new(after_stop));
        self
    }

    /// Says whether `before_start` is set.
    ///
    /// # Examples
    /// ```
    /// use bastion_classic::prelude::*;
    /// assert!(!Callbacks::new().has_before_start());
    /// assert!(Callbacks::new().with_before_start(|| ()).has_before_start());
    /// ```
    pub fn has_before_start(&self) -> bool {
        self.before_start.is_some()
    }

    /// Says whether `after_start` is set.
    ///
    /// # Examples
    /// ```
    /// use bastion_classic::prelude::*;
    /// assert!(!Callbacks::new().has_after_start());
    /// assert!(Callbacks::new().with_after_start(|| ()).has_after_start());
    /// ```
    pub fn has_after_start(&self) -> bool {
        self.after_start.is_some()
    }

    /// Says whether `before_restart` is set.
    ///
    /// # Examples
    /// ```
    /// use bastion_classic::prelude::*;
    /// assert!(!Callbacks::new().has_before_restart());
    /// assert!(Callbacks::new().with_before_restart(|| ()).has_before_restart());
    /// ```
    pub fn has_before_restart(&self) -> bool {
        self.before_restart.is_some()
    }

    /// Says whether `after_restart` is set.
    ///
    /// # Examples
    /// ```
    /// use bastion_classic::prelude::*;
    /// assert!(!Callbacks::new().has_after_restart());
    /// assert!(Callbacks::new().with_after_restart(|| ()).has_after_restart());
    /// ```
    pub fn has_after_restart(&self) -> bool {
        self.after_restart.is_some()
    }

    /// Says whether `after_stop` is set.
    ///
    /// # Examples
    /// ```
    /// use bastion_classic::prelude::*;
    /// assert!(!Callbacks::new().has_after_stop());
    /// assert!(Callbacks::new().with_after_stop(|| ()).has_after_stop());
    /// ```
    pub fn has_after_stop(&self) -> bool {
        self.after_stop.is_some()
    }

    pub(crate) fn before_start(&self) {
        call(&self.before_start);
    }

    pub(crate) fn after_start(&self) {
        call(&self.after_start);
    }

    /// Of one that is restarted.
    pub(crate) fn before_restart(&self) {
        call(if self.has_before_restart() { &self.before_restart } else { &self.after_stop });
    }

    /// Of one that is restarted.
    pub(crate) fn after_restart(&self) {
        call(if self.has_after_restart() { &self.after_restart } else { &self.before_start });
    }

    pub(crate) fn after_stop(&self) {
        call(&self.after_stop);
    }
}

fn call(callback: &Option<Callback>) {
    if let Some(callback) = callback {
        callback();
    }
}

impl fmt::Debug for Callbacks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callbacks")
            .field("before_start", &self.has_before_start())
            .field("after_start", &self.has_after_start())
            .field("before_restart", &self.has_before_restart())
            .field("after_restart", &self.has_after_restart())
            .field("after_stop", &self.has_after_stop())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn section_2_3_debug_tells_each_callback_apart() {
        let text = format!("{:?}", Callbacks::new().with_after_restart(|| ()));
        assert!(text.contains("before_start: false") && text.contains("after_restart: true"));
        assert_eq!(text.matches("true").count(), 1);
    }
}
