//! Carries out a script on real processes and on the model, and compares after every operation.

use crate::model::Model;
use crate::script::{Act, BYTES, End, Id, Op, PROCESSES, decode};
use crate::{allocations, world};
use lightproc::LightProc;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

/// How many operations may follow a script until everything is gone.
const FINALE: usize = 10_000;

/// How real processes and the model came to differ.
#[derive(Debug)]
pub(crate) struct Difference {
    /// What was carried out, to the operation after which they differed.
    ops: Vec<Op>,
    what: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "the script:")?;
        for (number, op) in self.ops.iter().enumerate() {
            writeln!(f, "  {number:3} {op:?}")?;
        }
        write!(f, "{}", self.what)
    }
}

/// Silences panics, and has everything allocated that is allocated once for a thread.
pub(crate) fn prepare() {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        // The first such process installs a hook that notes places: ours comes after it, and notes nothing.
        drop(LightProc::recoverable(async {}, drop, ()));
        std::panic::set_hook(Box::new(|_| {}));
    });
    let _ = check(&[0; 4 * BYTES]);
}

/// Reads bytes as a script and compares.
///
/// # Errors
/// The first difference.
pub(crate) fn check(bytes: &[u8]) -> Result<(), Difference> {
    let script = decode(bytes);
    // The list of what was done is there before the counting begins, and stays.
    let done = Vec::with_capacity(script.len() + 1);
    let before = allocations::live();
    let mut run = Run { model: Model::default(), done };
    let result = run.whole(&script);
    world::reset(result.is_err());
    let Run { model, done } = run;
    drop(model);
    let left = allocations::live() - before;
    match result {
        Ok(()) if left == 0 => Ok(()),
        Ok(()) => Err(Difference { ops: done, what: format!("allocations that are left: {left}") }),
        Err(what) => Err(Difference { ops: done, what }),
    }
}

/// A script that is being carried out.
struct Run {
    model: Model,
    done: Vec<Op>,
}

impl Run {
    fn whole(&mut self, script: &[Op]) -> Result<(), String> {
        script.iter().try_for_each(|op| self.step(*op))?;
        self.let_go()
    }

    fn step(&mut self, op: Op) -> Result<(), String> {
        self.done.push(op);
        if catch_unwind(AssertUnwindSafe(|| world::perform(op))).is_err() {
            return Err("a panic came out of the last operation".to_owned());
        }
        self.model.perform(op);
        let (real, model) = (world::look(), self.model.look());
        if real == model {
            return Ok(());
        }
        Err(format!("after the last operation there is\n{real}and should be\n{model}"))
    }

    /// Lets everything go; then all must be gone.
    fn let_go(&mut self) -> Result<(), String> {
        world::calm();
        self.model.calm();
        let begin = self.done.len();
        loop {
            let sight = self.model.look();
            let drops = (0..PROCESSES).flat_map(|id: Id| {
                let handle = sight.handles[id].map(|_| Act::DropHandle(id));
                handle.into_iter().chain((sight.wakers[id] > 0).then_some(Act::DropWaker(id)))
            });
            let runs = (!sight.queue.is_empty()).then_some(Act::Run(End::Oldest));
            let acts: Vec<Act> = runs.into_iter().chain(drops).collect();
            if acts.is_empty() {
                break;
            }
            for act in acts {
                self.step(Op::Do(act))?;
            }
            if self.done.len() > begin + FINALE {
                return Err("it does not come to rest".to_owned());
            }
        }
        let left = self.model.left();
        if left.is_empty() { Ok(()) } else { Err(format!("never freed in the model: {left:?}")) }
    }
}
