//! `savina`: programs of the Savina suite of actor benchmarks (Imam and Sarkar, AGERE 2014), and `bang` of Erlang's bencherl.
//!
//! Each is one program for all libraries, as the suite describes it, with its parameters scaled so that a run takes some tenths of a
//! second, and with a check of what came out. Only the bank differs: there an actor waits for another's answer while it handles a
//! message, and each library has its own way to do that.

/// A workload that every library runs by the same generic function. A macro, since a function cannot return a borrow of what it makes.
macro_rules! on_libraries {
    ($name:literal, $about:expr, $operations:expr, $function:ident) => {
        $crate::bench::Workload {
            name: $name,
            about: $about,
            unit: $crate::bench::Unit::Nanoseconds,
            operations: $operations,
            subjects: &[
                $crate::bench::Subject::here(
                    $crate::bench::OURS,
                    $function::<$crate::subjects::actors::Bastion>,
                ),
                $crate::bench::Subject::here(
                    "tokio-mpsc",
                    $function::<$crate::subjects::actors::Tokio>,
                ),
                $crate::bench::Subject::here("actix", $function::<$crate::subjects::actors::Actix>),
                $crate::bench::Subject::here(
                    "ractor",
                    $function::<$crate::subjects::actors::Ractor>,
                ),
            ],
        }
    };
}

mod bang;
mod bank;
mod big;
mod chameneos;
mod counting;
mod dictionary;
mod fork_join;
mod queens;

use crate::bench::Group;

pub(super) const GROUP: Group = Group {
    name: "savina",
    about: "programs of the Savina suite, each result checked; parameters: see the README",
    workloads: &[
        counting::ROW,
        fork_join::ROW,
        big::ROW,
        bang::ROW,
        chameneos::ROW,
        dictionary::ROW,
        bank::ROW,
        queens::ROW,
    ],
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::How;

    /// All of these programs check themselves; the small numbers are multiples of their actors.
    #[test]
    fn every_program_comes_to_its_result_on_every_library() {
        for row in GROUP.workloads {
            // The number of solutions is what it is.
            let operations = if row.name == "queens" { row.operations } else { 3_000 };
            for subject in row.subjects {
                let How::Here(measure) = subject.how else { panic!("{}: not here", row.name) };
                let measured = measure(operations);
                assert!(measured.is_ok(), "{}/{}: {measured:?}", row.name, subject.name);
            }
        }
    }
}
