//! A group whose size follows its work. The engine decides ([`Sizing`](bastion_supervision::Sizing)); here is who looks at the children, starts new ones
//! and tells others to leave: a process of the group.
//!
//! A child that is to leave is taken off the list first, and out of its mailbox handles what was sent to it before. So no message is lost that was sent
//! to somebody who was on the list, and nobody waits for a child that is busy.

use crate::child;
use crate::child_ref::ChildRef;
use crate::children_ref::Group;
use crate::exec::Exec;
use crate::resizer::OptimalSizeExploringResizer;
use crate::strategy::RestartStrategy;
use crate::sync::lock;
use bastion_supervision::plan::RestartType;
use bastion_supervision::{Child, Context, Exit, Resize};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The children of a group whose size follows its work.
pub(crate) struct Crowd {
    resizer: OptimalSizeExploringResizer,
    tick: Duration,
    /// Those that are there now and are not to leave.
    present: Mutex<Arc<[ChildRef]>>,
}

impl Crowd {
    pub(crate) fn new(resizer: OptimalSizeExploringResizer, tick: Duration) -> Crowd {
        Crowd { resizer, tick, present: Mutex::default() }
    }

    pub(crate) fn present(&self) -> Arc<[ChildRef]> {
        lock(&self.present).clone()
    }

    pub(crate) fn set_present(&self, children: &[ChildRef]) {
        let former = std::mem::replace(&mut *lock(&self.present), children.into());
        drop(former);
    }
}

/// What the group knows of one of its children, beside that it has not ended.
#[derive(Default)]
pub(crate) struct Post {
    /// It waits for a message: it has nothing to do.
    waits: AtomicBool,
    /// How many messages it has taken from its mailbox and not received.
    in_hands: AtomicUsize,
    /// It has taken its last message, in this incarnation or an earlier one.
    leaves: AtomicBool,
}

impl Post {
    /// Says that the child waits, until the result is dropped.
    pub(crate) fn wait(&self) -> impl Drop + Send + '_ {
        self.waits.store(true, Relaxed);
        Waiting(self)
    }

    pub(crate) fn set_in_hands(&self, messages: usize) {
        self.in_hands.store(messages, Relaxed);
    }

    /// Says that the child is to end when nothing waits for it any more.
    pub(crate) fn leave(&self) {
        self.leaves.store(true, Relaxed);
    }

    pub(crate) fn leaves(&self) -> bool {
        self.leaves.load(Relaxed)
    }
}

struct Waiting<'a>(&'a Post);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waits.store(false, Relaxed);
    }
}

/// The last message of a child that is to leave.
#[derive(Debug)]
pub(crate) struct Leave;

/// What the process hears.
pub(crate) enum Event {
    Look,
    Ended(ChildRef),
}

/// Describes the process that lets a group grow and shrink. It ends when no child is left, and the group with it.
pub(crate) fn describe(group: Arc<Group>, exec: Exec, restart: RestartStrategy) -> Child<Event> {
    let hiring = Arc::new(Hiring { group, exec, restart });
    let process = bastion_supervision::child(move |cx| control(cx, hiring.clone()));
    process.named("resizer").restart(RestartType::Transient)
}

struct Hiring {
    group: Arc<Group>,
    exec: Exec,
    restart: RestartStrategy,
}

async fn control(mut cx: Context<Event>, hiring: Arc<Hiring>) -> Result<(), Exit> {
    let Some(crowd) = &hiring.group.crowd else { return Ok(()) };
    let mut sizing = crowd.resizer.sizing(crowd.tick);
    let mut children = hiring.group.declared().to_vec();
    children.iter().for_each(|child| watch(&mut cx, child));
    crowd.set_present(&children);
    cx.send_every(crowd.tick, || Event::Look);
    while !children.is_empty() {
        match cx.recv().await {
            None => return Ok(()),
            Some(Event::Ended(ended)) => children.retain(|child| *child != ended),
            Some(Event::Look) => {
                let (busy, waiting) = look(&children);
                match sizing.decide(children.len(), busy, waiting) {
                    Resize::Stay => continue,
                    Resize::Grow(count) => {
                        children.extend((0..count).map_while(|_| hiring.hire(&mut cx)));
                    }
                    Resize::Shrink(count) => {
                        // Those that have come last go first; told when they are off the list.
                        let leaving = children.split_off(children.len().saturating_sub(count));
                        crowd.set_present(&children);
                        children.extend(leaving.into_iter().filter(|child| !child.tell_to_leave()));
                    }
                }
            }
        }
        crowd.set_present(&children);
    }
    Ok(())
}

/// Returns how many children have something to do, and how many messages wait.
fn look(children: &[ChildRef]) -> (usize, usize) {
    let posts = || children.iter().filter_map(ChildRef::post);
    let busy = posts().filter(|post| !post.waits.load(Relaxed)).count();
    let taken: usize = posts().map(|post| post.in_hands.load(Relaxed)).sum();
    let queued: usize = children.iter().map(|child| child.address().queued()).sum();
    (busy, taken + queued)
}

fn watch(cx: &mut Context<Event>, child: &ChildRef) {
    let ended = child.clone();
    cx.monitor(child.address(), move |_| Event::Ended(ended));
}

impl Hiring {
    /// Starts a child more; none if the group is ending.
    fn hire(&self, cx: &mut Context<Event>) -> Option<ChildRef> {
        let (child, reference) = child::describe(&self.group, self.exec.clone());
        let child = child.policy(self.restart.policy()).backoff(self.restart.backoff());
        cx.supervisor().spawn_child(child).ok()?;
        watch(cx, &reference);
        Some(reference)
    }
}
