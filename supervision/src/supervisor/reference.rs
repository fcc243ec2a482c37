//! [`SupervisorRef`]: the handle to a supervisor. It outlives it, and then answers with a typed error.

use super::builder::Supervisor;
use super::command::{Command, Foundling, Request};
use super::which::Which;
use crate::child::{self, Child, Given};
use crate::pid::Pid;
use crate::plan::{
    AddError, ChildError, ChildKind, ChildSpec, ChildState, Counts, ExitReason, RestartType,
    Settings, SettingsError, Time,
};
use crate::process::{Address, AskError, Life, Process, Reply, Shared, Workload, guard};
use crate::report::LastCrash;
use crate::system::TREE_LIMIT;
use crate::tree::Tree;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A supervisor, to those who ask something of it.
#[derive(Clone, PartialEq, Eq)]
pub struct SupervisorRef {
    address: Address<Command>,
}

impl SupervisorRef {
    pub(crate) fn new(shared: Arc<Shared<Command>>) -> SupervisorRef {
        SupervisorRef { address: Address { shared } }
    }

    /// Returns the supervisor's name.
    pub fn name(&self) -> &str {
        self.address.name().unwrap_or_default()
    }

    /// Returns the supervisor's pid; `None` before it was given to a system.
    pub fn pid(&self) -> Option<Pid> {
        self.address.pid()
    }

    /// Starts a child after all others, and waits until it is ready, or has declined to run ([`Exit::decline`](crate::Exit::decline)).
    ///
    /// # Errors
    /// See [`StartChildError`].
    ///
    /// # Cancel safety
    /// Dropping the future does not take the child back.
    pub async fn start_child<M: Send + 'static>(
        &self,
        child: Child<M>,
    ) -> Result<Address<M>, StartChildError> {
        let address = child.address();
        self.start_any(child.given).await?;
        Ok(address)
    }

    /// Starts a nested supervisor after all other children, and waits until its own children are started.
    ///
    /// # Errors
    /// See [`StartChildError`].
    pub async fn start_supervisor(
        &self,
        supervisor: Supervisor,
    ) -> Result<SupervisorRef, StartChildError> {
        let (child, nested) = supervisor.into_child();
        self.start_any(child).await?;
        Ok(nested)
    }

    async fn start_any(&self, child: Given) -> Result<Pid, StartChildError> {
        self.request(|reply| Command::Start { child, reply }).await?
    }

    /// Starts a child at once, and does not wait: it is ready when its closure has returned, and nobody waits for that. Meant for
    /// children that come and go.
    ///
    /// If the supervisor cannot take it (it is stopping, or has a child of that name), the child is killed again, as soon as the
    /// supervisor hears of it. Of a child that could not be refused, and wants nothing (no name, no watchdog, no longest lifetime; not significant), a
    /// supervisor that waits need not hear at once: it does before it answers, stops, or hears of anybody's end.
    ///
    /// # Errors
    /// [`Gone`] when the supervisor has ended.
    pub fn spawn_child<M: Send + 'static>(&self, child: Child<M>) -> Result<Address<M>, Gone> {
        let supervisor = &self.address.shared;
        let env = supervisor.core.env().ok_or(Gone)?;
        let address = child.address();
        let pid = child.shared.settle(env);
        let (life, since) = (Arc::new(Life::running(supervisor.clone(), pid, 1)), env.now());
        let given = child.given.child();
        let (start, gated) = (given.start.clone(), given.is_gated());
        let place = given.place().cloned().unwrap_or_else(|| supervisor.place());
        let core = &child.shared.core;
        core.begin(&life, since);
        child::claim(&start, given.names(), &life);
        // The supervisor has to hear of the child before it can hear of its end.
        let undemanding = given.is_undemanding();
        let foundling = Foundling::new(child.given, life.clone(), since);
        if let Err(refused) = supervisor.arrived(foundling, undemanding) {
            guard::contain(|| drop(refused));
            core.leave(&life, &ExitReason::Killed);
            return Err(Gone);
        }
        start.spawn(life, gated, place);
        Ok(address)
    }

    /// Gives a supervisor to this one, after all other children, and does not wait. If it is refused then (this one is stopping, or has a child
    /// of that name), or cannot start, nothing of it is left. What is given before this one runs waits for it.
    ///
    /// # Errors
    /// [`Gone`] when this supervisor has ended.
    pub fn spawn_supervisor(&self, supervisor: Supervisor) -> Result<SupervisorRef, Gone> {
        let (child, nested) = supervisor.into_child();
        self.post(Command::Start { child, reply: Reply::unread() })?;
        Ok(nested)
    }

    /// Asks to stop a child, and does not wait: see [`stop_child`](Self::stop_child). Nothing happens if there is no such child.
    ///
    /// # Errors
    /// [`Gone`] when the supervisor has ended.
    pub fn request_stop(&self, which: impl Into<Which>) -> Result<(), Gone> {
        let (request, which, reply) = (Request::Stop, which.into(), Reply::unread());
        self.post(Command::Request { request, which, reply })
    }

    /// Asks to kill a child: it ends at its next poll, without being asked to stop. Otherwise as [`request_stop`](Self::request_stop).
    ///
    /// # Errors
    /// [`Gone`] when the supervisor has ended.
    pub fn request_kill(&self, which: impl Into<Which>) -> Result<(), Gone> {
        let (request, which, reply) = (Request::Kill, which.into(), Reply::unread());
        self.post(Command::Request { request, which, reply })
    }

    /// Asks to forget a child, and does not wait: see [`delete_child`](Self::delete_child). Nothing happens if there is no such child, or if it runs.
    ///
    /// # Errors
    /// [`Gone`] when the supervisor has ended.
    pub fn request_delete(&self, which: impl Into<Which>) -> Result<(), Gone> {
        let (request, which, reply) = (Request::Delete, which.into(), Reply::unread());
        self.post(Command::Request { request, which, reply })
    }

    /// Asks for other rules, and does not wait: see [`change_settings`](Self::change_settings). Rules that contradict themselves change nothing.
    ///
    /// # Errors
    /// [`Gone`] when the supervisor has ended.
    pub fn request_settings(&self, settings: Settings) -> Result<(), Gone> {
        let settings = Box::new(settings);
        self.post(Command::ChangeSettings { settings, reply: Reply::unread() })
    }

    /// Says whether the supervisor has ended for good.
    pub fn has_ended(&self) -> bool {
        self.address.has_ended()
    }

    fn post(&self, command: Command) -> Result<(), Gone> {
        crate::process::circles::sends();
        self.address.shared.mailbox.push(command).map_err(|refused| {
            guard::contain(|| drop(refused));
            Gone
        })
    }

    /// Stops a child and waits until it has. A permanent or transient child stays known, and can be restarted; a temporary one,
    /// or one of a dynamic supervisor, is gone.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub async fn stop_child(&self, which: impl Into<Which>) -> Result<(), RequestError> {
        self.change(Request::Stop, which.into()).await
    }

    /// Has a child stopped, and does not wait for that.
    pub(crate) fn ask_to_stop_child(&self, pid: Pid) {
        let (request, which) = (Request::Stop, Which::Pid(pid));
        let stop = |reply| Command::Request { request, which, reply };
        drop(self.address.ask_timeout(Duration::MAX, stop));
    }

    /// Starts a child again that is known and does not run, and waits until it is ready.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub async fn restart_child(&self, which: impl Into<Which>) -> Result<(), RequestError> {
        self.change(Request::Restart, which.into()).await
    }

    /// Forgets a child that does not run.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub async fn delete_child(&self, which: impl Into<Which>) -> Result<(), RequestError> {
        self.change(Request::Delete, which.into()).await
    }

    async fn change(&self, request: Request, which: Which) -> Result<(), RequestError> {
        self.request(|reply| Command::Request { request, which, reply }).await?
    }

    /// Tells about the children, in the order in which they are started.
    ///
    /// # Errors
    /// [`Gone`] when the supervisor has ended.
    pub async fn children(&self) -> Result<Vec<ChildInfo>, Gone> {
        self.request(|reply| Command::Children { reply }).await
    }

    /// Tells about one child (OTP's `which_child`).
    ///
    /// # Errors
    /// See [`RequestError`].
    pub async fn child(&self, which: impl Into<Which>) -> Result<ChildInfo, RequestError> {
        let which = which.into();
        self.request(|reply| Command::Child { which, reply }).await?
    }

    /// Tells a child's rules (OTP's `get_childspec`).
    ///
    /// # Errors
    /// See [`RequestError`].
    pub async fn child_spec(&self, which: impl Into<Which>) -> Result<ChildSpec, RequestError> {
        let which = which.into();
        self.request(|reply| Command::Spec { which, reply }).await?
    }

    /// Restarts a child that runs, in a while, although nothing is wrong: it is stopped as its rules say, and started again, with
    /// those that are restarted when it fails. It does not count as a failure. Without a delay it waits until the child is ready again; with one it
    /// only takes note of the request.
    ///
    /// An incarnation that ends before takes the request with it.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub async fn recycle_child(
        &self,
        which: impl Into<Which>,
        after: Duration,
    ) -> Result<(), RequestError> {
        let which = which.into();
        self.request(|reply| Command::Recycle { which, after, reply }).await?
    }

    /// Tells the supervisor's own rules, as they are now.
    ///
    /// # Errors
    /// [`Gone`] when the supervisor has ended.
    pub async fn settings(&self) -> Result<Settings, Gone> {
        self.request(|reply| Command::Settings { reply }).await
    }

    /// Changes the supervisor's own rules: strategy, intensity, auto-shutdown, how many children it may have. Nothing is started or
    /// stopped for it, and what is under way goes on as it began. A supervisor that is restarted begins with its described rules again.
    ///
    /// # Errors
    /// See [`ChangeError`]. Nothing has changed then.
    ///
    /// # Examples
    /// ```
    /// use bastion_supervision::{Runtime, Sim, Supervisor, System, plan::Strategy};
    /// let sim = Sim::new(7);
    /// sim.run(async {
    ///     let system = System::new(Runtime::sim(&sim));
    ///     let store = system.supervise(Supervisor::new("store")).await.unwrap();
    ///     let settings = store.settings().await.unwrap();
    ///     store.change_settings(settings.strategy(Strategy::OneForAll)).await.unwrap();
    ///     assert_eq!(store.settings().await.unwrap().strategy, Strategy::OneForAll);
    /// });
    /// ```
    pub async fn change_settings(&self, settings: Settings) -> Result<(), ChangeError> {
        let settings = Box::new(settings);
        let changed = self.request(|reply| Command::ChangeSettings { settings, reply }).await;
        changed.map_err(|Gone| ChangeError::Gone)?.map_err(ChangeError::Refused)
    }

    /// Counts the children.
    ///
    /// # Errors
    /// [`Gone`] when the supervisor has ended.
    pub async fn counts(&self) -> Result<Counts, Gone> {
        self.request(|reply| Command::Counts { reply }).await
    }

    /// Takes a snapshot of the tree from this supervisor down, within a second: see [`System::tree_within`](crate::System::tree_within).
    /// Its own uptime is that since its last restart, or since the runtime was made. `None`: it has no system yet.
    pub async fn tree(&self) -> Option<Tree> {
        let core = &self.shared().core;
        let since = core.restarts().times().last().copied().unwrap_or_default();
        let since = Time::from_duration(since);
        Some(Tree::take(self, core.env()?, since, TREE_LIMIT).await)
    }

    /// Waits until the supervisor has ended for good, and says why.
    pub async fn ended(&self) -> ExitReason {
        self.address.ended().await
    }

    /// A supervisor always answers, or drops the question when it ends: no limit is needed.
    async fn request<T: Send + 'static>(
        &self,
        command: impl FnOnce(Reply<T>) -> Command,
    ) -> Result<T, Gone> {
        self.address.ask_timeout(Duration::MAX, command).await.map_err(|_: AskError| Gone)
    }

    pub(crate) fn shared(&self) -> &Arc<Shared<Command>> {
        &self.address.shared
    }
}

impl fmt::Debug for SupervisorRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SupervisorRef({})", self.address.shared.core)
    }
}

/// The supervisor does not run: it has ended, was stopped, or was never started; or it ended while it was being asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone;

impl fmt::Display for Gone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the supervisor does not run")
    }
}

impl std::error::Error for Gone {}

/// Why a child was not started.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum StartChildError {
    /// The supervisor has ended.
    Gone,
    /// The supervisor does not take it.
    Refused(AddError),
    /// The child has ended before it was ready. It is not kept.
    Failed(ExitReason),
}

impl fmt::Display for StartChildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartChildError::Gone => Gone.fmt(f),
            StartChildError::Refused(error) => error.fmt(f),
            StartChildError::Failed(reason) => write!(f, "the child failed to start: {reason}"),
        }
    }
}

impl std::error::Error for StartChildError {}

impl From<Gone> for StartChildError {
    fn from(_: Gone) -> Self {
        StartChildError::Gone
    }
}

/// Why a request about a child failed. Nothing has changed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum RequestError {
    /// The supervisor has ended.
    Gone,
    /// The child is unknown, or in a state that does not allow it.
    Refused(ChildError),
    /// The child that was to be restarted has ended before it was ready.
    Failed(ExitReason),
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RequestError::Gone => Gone.fmt(f),
            RequestError::Refused(error) => error.fmt(f),
            RequestError::Failed(reason) => write!(f, "the child failed to start: {reason}"),
        }
    }
}

impl std::error::Error for RequestError {}

impl From<Gone> for RequestError {
    fn from(_: Gone) -> Self {
        RequestError::Gone
    }
}

/// Why a supervisor's rules were not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChangeError {
    /// The supervisor has ended.
    Gone,
    /// The rules contradict themselves.
    Refused(SettingsError),
}

impl fmt::Display for ChangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ChangeError::Gone => Gone.fmt(f),
            ChangeError::Refused(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ChangeError {}

/// A child, as its supervisor knows it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ChildInfo {
    /// Its pid.
    pub pid: Pid,
    /// Its name.
    pub name: Option<Arc<str>>,
    /// Worker or supervisor.
    pub kind: ChildKind,
    /// Whether it is started again when it ends by itself.
    pub restart: RestartType,
    /// What it is doing.
    pub state: ChildState,
    /// Which incarnation runs, or ran last.
    pub incarnation: u32,
    /// How often it was restarted.
    pub restarts: u32,
    /// Since when it runs, if it does, in the system's time: see [`System::now`](crate::System::now).
    pub since: Option<Duration>,
    /// Whether its end may end its supervisor.
    pub significant: bool,
    /// How many messages wait in its mailbox.
    pub queued: usize,
    /// How it has crashed last, if it has. The error is kept until it crashes again, or has ended for good.
    pub last_crash: Option<LastCrash>,
    /// What it has handled, if its system measures that: see [`SystemBuilder::measure_handlers`](crate::SystemBuilder::measure_handlers).
    pub workload: Option<Workload>,
    /// The child as a supervisor, if it is one.
    pub supervisor: Option<SupervisorRef>,
}
