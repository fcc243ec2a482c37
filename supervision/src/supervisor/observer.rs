//! [`Observer`]: somebody who is told when a supervisor's children start, and when it has stopped.

use crate::env::Env;
use crate::plan::Settings;
use std::sync::Arc;

/// Is told what becomes of a supervisor, at the moments at which something can still be done beside it.
///
/// [`starting`](Self::starting), [`rules`](Self::rules) and [`started`](Self::started) are called by the supervisor's own process, which does nothing else meanwhile:
/// an observer that blocks holds it up, and whoever waits for it. A panic is contained, and reported.
///
/// # Examples
/// ```
/// use bastion_supervision::{Context, Exit, Observer, Runtime, Sim, Supervisor, System, child};
/// use std::sync::{Arc, Mutex};
/// use std::time::Duration;
/// #[derive(Default)]
/// struct Log(Mutex<Vec<&'static str>>);
/// impl Observer for Log {
///     fn starting(&self) {
///         self.0.lock().unwrap().push("starting");
///     }
///     fn started(&self) {
///         self.0.lock().unwrap().push("started");
///     }
///     fn stopped(&self) {
///         self.0.lock().unwrap().push("stopped");
///     }
/// }
/// async fn wait(cx: Context<()>) -> Result<(), Exit> {
///     cx.stop_signal().requested().await;
///     Ok(())
/// }
/// let (sim, log) = (Sim::new(1), Arc::new(Log::default()));
/// sim.run(async {
///     let system = System::new(Runtime::sim(&sim));
///     let store = Supervisor::new("store").observed_by(log.clone()).child(child(wait));
///     system.supervise(store).await.unwrap();
///     system.stop(Duration::from_secs(1)).await;
/// });
/// assert_eq!(log.0.lock().unwrap()[..3], ["starting", "started", "stopped"]);
/// ```
pub trait Observer: Send + Sync + 'static {
    /// An incarnation begins: its children are started when this has returned.
    fn starting(&self) {}

    /// Returns the rules that this incarnation begins with, for one whose rules are kept elsewhere. Otherwise, or if it panics, they are those that it was
    /// described with, whatever they were changed to while an earlier one ran. Those that contradict themselves fail the start.
    fn rules(&self) -> Option<Settings> {
        None
    }

    /// All children that it was described with are ready.
    fn started(&self) {}

    /// It has ended and is not to be started again, as far as is known: called at the end of an incarnation that was not asked to stop only to be
    /// restarted, and, by the supervisor above, when it is given up or put to rest. So it may be called more than once, and another start
    /// may follow, with a sibling that is restarted.
    fn stopped(&self) {}
}

/// The observers of one supervisor, in the order in which they were added.
#[derive(Clone, Default)]
pub(crate) struct Observers(Vec<Arc<dyn Observer>>);

impl Observers {
    pub(super) fn add(&mut self, observer: Arc<dyn Observer>) {
        self.0.push(observer);
    }

    /// The rules of the first of them that has some.
    pub(super) fn rules(&self, env: &Env) -> Option<Settings> {
        self.0.iter().find_map(|observer| {
            let mut rules = None;
            env.contain(|| rules = observer.rules());
            rules
        })
    }

    /// Tells them; `env`: where a panic is reported.
    pub(super) fn tell(&self, env: Option<&Env>, what: impl Fn(&dyn Observer)) {
        for observer in &self.0 {
            match env {
                Some(env) => env.contain(|| what(&**observer)),
                // It has never been anywhere.
                None => crate::process::guard::contain(|| what(&**observer)),
            }
        }
    }
}
