//! What is said of a child's mailbox: how much it holds, what becomes of more, and in which order its messages are received.

use crate::child::Child;
use crate::process::Overflow;
use std::hash::Hash;

impl<M: Send + 'static> Child<M> {
    /// Sets how many messages may wait: 1,048,576 when nothing is said, without a limit when this is [`usize::MAX`]. The receiver takes messages in batches,
    /// so up to 64 more may be in its hands.
    ///
    /// A supervisor refuses a child with a capacity of 0: [`SpecError::ZeroCapacity`](crate::plan::SpecError::ZeroCapacity).
    ///
    /// # Examples
    /// ```
    /// use bastion_supervision::plan::{AddError, SpecError};
    /// use bastion_supervision::{Context, Runtime, Sim, StartChildError, Supervisor, System, child};
    /// let sim = Sim::new(1);
    /// sim.run(async {
    ///     let system = System::new(Runtime::sim(&sim));
    ///     let pool = system.supervise(Supervisor::dynamic("pool")).await.unwrap();
    ///     let no_room = child(async |_: Context<u32>| Ok(())).mailbox_capacity(0);
    ///     let Err(StartChildError::Refused(error)) = pool.start_child(no_room).await else { panic!() };
    ///     assert_eq!(error, AddError::Invalid(SpecError::ZeroCapacity));
    /// });
    /// ```
    pub fn mailbox_capacity(mut self, messages: usize) -> Self {
        let capacity = &mut self.given.child_mut().spec_mut().capacity;
        if *capacity != Some(0) {
            *capacity = Some(messages);
        }
        if messages > 0 {
            self.shared.set_capacity(messages);
        }
        self
    }

    /// Sets what `tell` does when the mailbox is full. Default: [`Overflow::Refuse`]. Said twice, the first word stands.
    ///
    /// # Examples
    /// ```
    /// use bastion_supervision::{child, Context, Exit, Overflow};
    /// async fn show(mut cx: Context<f64>) -> Result<(), Exit> {
    ///     while let Some(temperature) = cx.recv().await {
    ///         println!("{temperature}");
    ///     }
    ///     Ok(())
    /// }
    /// // Only the last reading matters.
    /// let display = child(show).mailbox_capacity(1).overflow(Overflow::DropOldest);
    /// ```
    pub fn overflow(self, rule: Overflow) -> Self {
        self.shared.set_overflow(rule);
        self
    }

    /// Has messages received by priority, the highest one first; those of the same priority in the order in which they came. The control lane comes before
    /// all of them. While there are always messages of a high priority, those of a low one wait.
    ///
    /// # Rules for messages
    /// This, [`coalesce_by`](Child::coalesce_by) and [`mailbox_bytes`](Child::mailbox_bytes) look at every message when it is sent, in the sender's code:
    /// a panic there is the sender's, and nothing is sent. They look again when a message comes back that a process has taken and not handled; one of which they
    /// panic then comes first. They are for messages that are sent after they were set; said twice, the first word stands.
    ///
    /// The mailbox of such a process is one ordered queue with a lock, where others have one without. Its messages are taken one by
    /// one, so that a more urgent one that comes late is not behind a batch; what [`recv_matching`](crate::Context::recv_matching) has passed over goes back
    /// to its place before anything else is received. With [`Overflow::DropOldest`] the oldest message of the lowest priority gives way; a message of a still lower one
    /// is itself dropped. Those who wait to [`send`](crate::Address::send) have their turn in the order in which they came, whatever their messages.
    ///
    /// # Examples
    /// ```
    /// use bastion_supervision::{Context, Exit, Runtime, Sim, System, child, plan::RestartType};
    /// enum Job { Report, Alarm }
    /// let sim = Sim::new(1);
    /// sim.run(async {
    ///     let system = System::new(Runtime::sim(&sim));
    ///     let worker = child(|mut cx: Context<Job>| async move {
    ///         assert!(matches!(cx.recv().await, Some(Job::Alarm)));
    ///         assert!(matches!(cx.recv().await, Some(Job::Report)));
    ///         Ok(())
    ///     });
    ///     let worker = worker.priority(|job| match job {
    ///         Job::Report => 0,
    ///         Job::Alarm => 1,
    ///     });
    ///     let address = worker.address();
    ///     address.tell(Job::Report).unwrap();
    ///     address.tell(Job::Alarm).unwrap();
    ///     system.spawn_child(worker.restart(RestartType::Temporary)).unwrap();
    ///     assert_eq!(address.ended().await.to_string(), "normal");
    /// });
    /// ```
    pub fn priority(self, rule: impl Fn(&M) -> u8 + Send + Sync + 'static) -> Self {
        self.shared.set_priority(rule);
        self
    }

    /// Has a message take the place of an older one with the same key that still waits. For states of which only the last one matters, of each of
    /// many things. `None`: a message that replaces none and is replaced by none.
    ///
    /// The newer one stands where the older one stood, so that the one of a key that is updated often is received all the same; if its
    /// [priority](Child::priority) is higher, it is queued there. It needs no room of its own, so a full mailbox takes it. What was replaced was superseded, not lost: it is
    /// no dead letter, and counted as [`Stats::superseded`](crate::Stats::superseded). A question that is replaced is answered with an error, as any that is dropped.
    ///
    /// Keys are the same when their [`Hash`] writes the same. Otherwise as [`priority`](Child::priority).
    ///
    /// # Examples
    /// ```
    /// use bastion_supervision::{Context, Exit, Runtime, Sim, System, child, plan::RestartType};
    /// struct Price { share: &'static str, cents: u32 }
    /// let sim = Sim::new(1);
    /// sim.run(async {
    ///     let system = System::new(Runtime::sim(&sim));
    ///     let board = child(|mut cx: Context<Price>| async move {
    ///         let prices = cx.recv_many(10).await;
    ///         assert!(prices.iter().map(|price| price.cents).eq([12, 50]));
    ///         Ok(())
    ///     });
    ///     let board = board.coalesce_by(|price| Some(price.share));
    ///     let address = board.address();
    ///     for (share, cents) in [("A", 10), ("B", 50), ("A", 11), ("A", 12)] {
    ///         address.tell(Price { share, cents }).unwrap();
    ///     }
    ///     system.spawn_child(board.restart(RestartType::Temporary)).unwrap();
    ///     assert_eq!(address.ended().await.to_string(), "normal");
    ///     assert_eq!(system.stats().superseded, 2);
    /// });
    /// ```
    pub fn coalesce_by<K: Hash>(
        self,
        rule: impl Fn(&M) -> Option<K> + Send + Sync + 'static,
    ) -> Self {
        self.shared.set_key(rule);
        self
    }

    /// Limits how much the messages that wait may weigh, beside how many they are: bytes, or any other measure that `rule` has of them.
    ///
    /// A message that alone weighs more than that comes back in [`TellError::TooLarge`](crate::TellError::TooLarge), whatever the [`Overflow`]. A supervisor
    /// refuses a child with a limit of 0. Otherwise as [`priority`](Child::priority).
    ///
    /// # Examples
    /// ```
    /// use bastion_supervision::{Context, TellError, child};
    /// let store = child(async |mut cx: Context<Vec<u8>>| {
    ///     while let Some(_block) = cx.recv().await {}
    ///     Ok(())
    /// });
    /// let store = store.mailbox_bytes(1000, Vec::len);
    /// let address = store.address();
    /// address.tell(vec![0; 900]).unwrap();
    /// assert!(matches!(address.tell(vec![0; 101]), Err(TellError::Full(_))));
    /// assert!(matches!(address.tell(vec![0; 1001]), Err(TellError::TooLarge(_))));
    /// address.tell(vec![0; 100]).unwrap();
    /// ```
    pub fn mailbox_bytes(
        mut self,
        limit: usize,
        rule: impl Fn(&M) -> usize + Send + Sync + 'static,
    ) -> Self {
        if limit == 0 {
            self.given.child_mut().spec_mut().capacity = Some(0);
        }
        self.shared.set_weight(limit, rule);
        self
    }
}
