//! How a snapshot is taken: all supervisors are asked at the same time, and none is waited for longer than the limit.

use super::{Branch, Supervision, Totals, Tree};
use crate::env::Env;
use crate::plan::{ChildKind, ChildState, ExitReason, RestartType, Settings, Time};
use crate::process::{Process, guard};
use crate::supervisor::{ChildInfo, Command, SupervisorRef};
use crate::sync::lock;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Duration;

/// How many levels are asked. Deeper trees could not be read again by serde_json, whose limit is 128 values in each other.
const LEVELS: usize = 40;

/// What a supervisor tells.
pub(crate) struct Account {
    pub(crate) settings: Settings,
    pub(crate) recent_restarts: usize,
    pub(crate) children: Vec<ChildInfo>,
    pub(crate) now: Time,
}

/// What a supervisor is asked. Dropped, it is an answer too: the supervisor does not run.
pub(crate) struct Question {
    about: usize,
    desk: Arc<Desk>,
}

impl Question {
    pub(crate) fn answer(self, account: Account) {
        self.desk.put(self.about, Some(account));
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        // Of no effect after an answer.
        self.desk.put(self.about, None);
    }
}

/// Where answers come in.
#[derive(Default)]
struct Desk(Mutex<State>);

#[derive(Default)]
struct State {
    answers: Vec<(usize, Option<Account>)>,
    asker: Option<Waker>,
    closed: bool,
}

impl Desk {
    fn put(&self, about: usize, account: Option<Account>) {
        let mut state = lock(&self.0);
        if state.closed {
            drop(state);
            return drop(account);
        }
        state.answers.push((about, account));
        let asker = state.asker.take();
        drop(state);
        if let Some(asker) = asker {
            guard::wake(asker);
        }
    }
}

/// The side of the one who asks. Dropped, it lets late answers go: they have addresses in them.
struct Asker(Arc<Desk>);

impl Asker {
    /// Waits for answers. `None`: the time is over.
    async fn answers(
        &self,
        mut timer: impl Future<Output = ()> + Unpin,
    ) -> Option<Vec<(usize, Option<Account>)>> {
        poll_fn(|task| {
            let waker = task.waker().clone();
            let mut state = lock(&self.0.0);
            if !state.answers.is_empty() {
                return Poll::Ready(Some(std::mem::take(&mut state.answers)));
            }
            let replaced = state.asker.replace(waker);
            drop(state);
            drop(replaced);
            pin!(&mut timer).poll(task).map(|()| None)
        })
        .await
    }

    fn ask(&self, supervisor: &SupervisorRef, about: usize) {
        let question = Question { about, desk: self.0.clone() };
        // Refused, it is dropped, and that is the answer.
        let refused = supervisor.shared().mailbox.push(Command::Survey { question });
        guard::contain(|| drop(refused));
    }
}

impl Drop for Asker {
    fn drop(&mut self) {
        let mut state = lock(&self.0.0);
        state.closed = true;
        let left = (std::mem::take(&mut state.answers), state.asker.take());
        drop(state);
        guard::contain(|| drop(left));
    }
}

/// A supervisor that is asked.
struct Asked {
    /// Whose child it is, and its place there. The root is its own.
    parent: (usize, usize),
    level: usize,
    open: bool,
    supervision: Option<Supervision>,
}

/// Those that are asked. A child comes after its parent.
struct Survey {
    asker: Asker,
    asked: Vec<Asked>,
    open: usize,
}

impl Survey {
    fn ask(&mut self, supervisor: &SupervisorRef, parent: (usize, usize), level: usize) {
        let open = level < LEVELS;
        let about = self.asked.len();
        self.asked.push(Asked { parent, level, open: true, supervision: None });
        // One that is too deep stays open, and is not waited for.
        if open {
            self.open += 1;
            self.asker.ask(supervisor, about);
        }
    }

    fn heard(&mut self, about: usize, account: Option<Account>) {
        let asked = &mut self.asked[about];
        if !std::mem::replace(&mut asked.open, false) {
            return;
        }
        self.open -= 1;
        let Some(account) = account else { return };
        let (level, now) = (asked.level, account.now.as_duration());
        let children = account.children.iter().map(|info| Branch::of(info, now)).collect();
        let Settings { strategy, order, intensity, auto_shutdown, .. } = account.settings;
        let recent_restarts = account.recent_restarts;
        asked.supervision = Some(Supervision {
            strategy,
            order,
            intensity,
            recent_restarts,
            auto_shutdown,
            children,
        });
        for (place, info) in account.children.iter().enumerate() {
            // One that waits for its restart, or rests, would answer when it runs again.
            if let (
                Some(nested),
                ChildState::Running | ChildState::Starting | ChildState::Stopping,
            ) = (&info.supervisor, info.state)
            {
                self.ask(nested, (about, place), level + 1);
            }
        }
    }

    /// Puts everything in its place, from below.
    fn assemble(mut self, root: &mut Branch) {
        while let Some(Asked { parent: (parent, place), open, supervision, .. }) = self.asked.pop()
        {
            let branch = match self.asked.get_mut(parent) {
                None => &mut *root,
                Some(parent) => {
                    let Some(supervision) = &mut parent.supervision else { continue };
                    &mut supervision.children[place]
                }
            };
            branch.unknown = open;
            branch.supervision = supervision;
        }
    }
}

impl Tree {
    /// Asks all supervisors from the root down.
    pub(crate) async fn take(
        root: &SupervisorRef,
        env: &Env,
        began: Time,
        limit: Duration,
    ) -> Tree {
        let taken = env.now();
        let mut timer = Box::pin(env.runtime().callers_timer(limit));
        let asker = Asker(Arc::default());
        let mut survey = Survey { asker, asked: Vec::new(), open: 0 };
        survey.ask(root, (0, 0), 0);
        while survey.open > 0 {
            let Some(answers) = survey.asker.answers(&mut timer).await else { break };
            for (about, account) in answers {
                survey.heard(about, account);
            }
        }
        let root = Branch::root(root, taken.since(began));
        let taken = taken.as_duration();
        let mut tree = Tree { taken, totals: Totals::default(), root };
        survey.assemble(&mut tree.root);
        tree.count();
        tree
    }
}

/// The text of a reason; an error's own is foreign code.
fn text(reason: &ExitReason) -> Arc<str> {
    let mut text = String::from("an error whose text cannot be had");
    guard::contain(|| text = reason.to_string());
    text.into()
}

impl Branch {
    fn of(info: &ChildInfo, now: Duration) -> Branch {
        Branch {
            pid: info.pid,
            name: info.name.clone(),
            kind: info.kind,
            restart: info.restart,
            significant: info.significant,
            state: info.state,
            incarnation: info.incarnation,
            restarts: info.restarts.into(),
            uptime: info.since.map(|since| now.saturating_sub(since)),
            queued: info.queued,
            crashed: info.last_crash.as_ref().map(|crash| crash.at),
            crash: info.last_crash.as_ref().map(|crash| text(&crash.reason)),
            workload: info.workload,
            unknown: false,
            supervision: None,
        }
    }

    /// The root has no supervisor that would tell of it.
    fn root(root: &SupervisorRef, uptime: Duration) -> Branch {
        let shared = root.shared();
        let runs = !shared.core.has_ended();
        Branch {
            pid: root.pid().expect("the root has a system"),
            name: shared.core.name().cloned(),
            kind: ChildKind::Supervisor,
            restart: RestartType::Temporary,
            significant: false,
            state: if runs { ChildState::Running } else { ChildState::Stopped },
            incarnation: shared.core.incarnation(),
            restarts: 0,
            uptime: runs.then_some(uptime),
            queued: shared.queued(),
            crashed: None,
            crash: None,
            workload: None,
            unknown: false,
            supervision: None,
        }
    }
}
