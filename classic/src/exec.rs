//! What the children of a group run.

use crate::context::BastionContext;
use crate::sync::lock;
use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::{Arc, Mutex};

pub(crate) type Body = Pin<Box<dyn Future<Output = Result<(), ()>> + Send>>;

/// Makes the body of a child, at each of its starts.
#[derive(Clone)]
pub(crate) struct Exec(Arc<dyn Begin>);

impl Exec {
    pub(crate) fn new<I, F>(init: I) -> Exec
    where
        I: Fn(BastionContext) -> F + Send + 'static,
        F: Future<Output = Result<(), ()>> + Send + 'static,
    {
        Exec(Arc::new(Init(Mutex::new(init))))
    }

    pub(crate) fn begin(&self, context: BastionContext) -> Body {
        self.0.begin(context)
    }
}

/// That of a group that says nothing: it ends at once.
impl Default for Exec {
    fn default() -> Self {
        Exec::new(|_| ready(Ok(())))
    }
}

trait Begin: Send + Sync {
    fn begin(&self, context: BastionContext) -> Body;
}

/// The closure need not be `Sync`, so the children of a group call it one after another, under a lock.
struct Init<I>(Mutex<I>);

impl<I, F> Begin for Init<I>
where
    I: Fn(BastionContext) -> F + Send + 'static,
    F: Future<Output = Result<(), ()>> + Send + 'static,
{
    fn begin(&self, context: BastionContext) -> Body {
        let init = lock(&self.0);
        Box::pin(init(context))
    }
}
