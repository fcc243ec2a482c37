//! Tests and rows together: which row is tested where, and with what result.

use super::rows::{Kind, Reason, Row, Runs, is_id};

/// A test that bears the number of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Test {
    /// Its name, with its modules.
    pub(super) name: String,
    /// The rows that its name begins with.
    pub(super) rows: Vec<String>,
    /// What it tests.
    pub(super) column: Column,
    /// Whether it passed; `None`: it was not run.
    pub(super) passed: Option<bool>,
}

/// What can be tested: the pure half, and the driver on each runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    Pure,
    Sim,
    Executor,
    Tokio,
}

/// All, in the order in which they are printed.
pub(super) const COLUMNS: [Column; 4] =
    [Column::Pure, Column::Sim, Column::Executor, Column::Tokio];

impl Column {
    /// Its name.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Column::Pure => "pure",
            Column::Sim => "sim",
            Column::Executor => "executor",
            Column::Tokio => "tokio",
        }
    }
}

impl Test {
    /// Reads a line of libtest: `test sim::row_049_permanent_normal ... ok`. `None`: it is none, or of a test without a row.
    pub(super) fn read(program: &str, line: &str) -> Option<Test> {
        let (name, result) = line.strip_prefix("test ")?.rsplit_once(" ... ")?;
        let passed = match result.split_whitespace().next()? {
            "ok" => true,
            "FAILED" => false,
            _ => return None,
        };
        let name = name.split(" - ").next()?;
        Some(Test { passed: Some(passed), ..Test::of(program, name)? })
    }

    /// Returns the test of that name in a program, by whose name tests of the pure half are known.
    pub(super) fn of(program: &str, name: &str) -> Option<Test> {
        let rows = rows_of(name.rsplit("::").next()?);
        let column = match name.split("::").next()? {
            "sim" => Column::Sim,
            "executor" => Column::Executor,
            "tokio" => Column::Tokio,
            _ if program.ends_with("/src") || program.ends_with("/plan") => Column::Pure,
            // A test of the driver that is no scenario: those are on virtual time.
            _ => Column::Sim,
        };
        (!rows.is_empty()).then(|| Test { name: name.to_owned(), rows, column, passed: None })
    }

    /// Says whether it was run, and failed.
    pub(super) fn failed(&self) -> bool {
        self.passed == Some(false)
    }
}

/// The rows that a function's name begins with: `row_043_044_and_166_who_may_be_significant` has three.
fn rows_of(name: &str) -> Vec<String> {
    let Some(rest) = name.strip_prefix("row_").or_else(|| name.strip_prefix("rows_")) else {
        return Vec::new();
    };
    let parts = rest.split('_').take_while(|part| is_id(part) || *part == "and");
    parts.filter(|part| *part != "and").map(str::to_owned).collect()
}

/// A row with its tests.
#[derive(Debug)]
pub(super) struct Judged<'a> {
    pub(super) row: &'a Row,
    /// In the order of [`COLUMNS`].
    pub(super) cells: [Cell<'a>; 4],
}

/// One column of a row.
#[derive(Debug)]
pub(super) struct Cell<'a> {
    pub(super) state: State,
    pub(super) tests: Vec<&'a Test>,
}

/// What is known of one column of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Passed,
    Failed,
    /// There should be a test.
    Missing,
    /// There should be none: the list gives a reason.
    Surplus,
    /// The simulation has it.
    Time,
    /// The others have it.
    Threads,
    Reason(Kind),
}

impl State {
    /// How it is printed.
    pub(super) const fn mark(self) -> &'static str {
        match self {
            State::Passed => "passed",
            State::Failed => "FAILED",
            State::Missing => "missing",
            State::Surplus => "surplus",
            State::Time => "time",
            State::Threads => "threads",
            State::Reason(Kind::Driver) => "driver",
            State::Reason(Kind::NotApplicable) => "n/a",
            State::Reason(Kind::NotYet) => "not yet",
        }
    }
}

/// What has become of a whole row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It holds wherever it can.
    Passed,
    /// It holds where it is tested, and something is not there yet.
    Partly,
    NotYet,
    NotApplicable,
    Bad,
}

impl Judged<'_> {
    /// Says whether it is not as the list says.
    pub(super) fn is_bad(&self) -> bool {
        let bad = [State::Failed, State::Missing, State::Surplus];
        self.cells.iter().any(|cell| bad.contains(&cell.state))
    }

    /// Says what has become of it.
    pub(super) fn verdict(&self) -> Verdict {
        let has = |state| self.cells.iter().any(|cell| cell.state == state);
        match (has(State::Passed), has(State::Reason(Kind::NotYet))) {
            _ if self.is_bad() => Verdict::Bad,
            (true, false) => Verdict::Passed,
            (true, true) => Verdict::Partly,
            (false, true) => Verdict::NotYet,
            (false, false) => Verdict::NotApplicable,
        }
    }

    /// Says what is not as the list says.
    pub(super) fn problems(&self) -> Vec<String> {
        let problem = |(column, cell): (&Column, &Cell<'_>)| {
            let (id, column) = (&self.row.id, column.name());
            match cell.state {
                State::Failed => {
                    let failed = cell.tests.iter().filter(|test| test.failed());
                    let names: Vec<_> = failed.map(|test| &*test.name).collect();
                    Some(format!("row {id}, {column}: {} failed", names.join(", ")))
                }
                State::Missing => Some(format!("row {id}, {column}: no test, and no reason")),
                State::Surplus => {
                    let name = cell.tests.first().map_or("", |test| &test.name);
                    Some(format!("row {id}, {column}: `{name}`, and a reason why there is none"))
                }
                _ => None,
            }
        };
        COLUMNS.iter().zip(&self.cells).filter_map(problem).collect()
    }

    /// Why there is no test, where that is so.
    pub(super) fn reason(&self) -> Option<&Reason> {
        let driver = self.row.driver.as_ref().err();
        driver.or(self.row.pure.as_ref().err().filter(|reason| reason.kind != Kind::Driver))
    }
}

/// Looks for the tests of each row.
pub(super) fn judge<'a>(rows: &'a [Row], tests: &'a [Test]) -> Vec<Judged<'a>> {
    let judged = |row: &'a Row| {
        let cells = COLUMNS.map(|column| {
            let its = |test: &&Test| test.column == column && test.rows.contains(&row.id);
            let tests: Vec<&Test> = tests.iter().filter(its).collect();
            Cell { state: state(row, column, &tests), tests }
        });
        Judged { row, cells }
    };
    rows.iter().map(judged).collect()
}

fn state(row: &Row, column: Column, tests: &[&Test]) -> State {
    let absent = match (column, &row.pure, &row.driver) {
        (Column::Pure, Ok(()), _) => None,
        (Column::Pure, Err(reason), _) | (_, _, Err(reason)) => Some(State::Reason(reason.kind)),
        (Column::Executor | Column::Tokio, _, Ok(Runs::Time)) => Some(State::Time),
        (Column::Sim, _, Ok(Runs::Threads)) => Some(State::Threads),
        (_, _, Ok(_)) => None,
    };
    match (absent, tests.is_empty()) {
        _ if tests.iter().any(|test| test.failed()) => State::Failed,
        (None, true) => State::Missing,
        (None, false) => State::Passed,
        (Some(state), true) => state,
        // Where it need not run it may.
        (Some(State::Time | State::Threads), false) => State::Passed,
        (Some(_), false) => State::Surplus,
    }
}

/// Names the tests of rows that are not in the list; with part of the list, no others can be told from those.
pub(super) fn strangers(rows: &[Row], tests: &[Test], whole: bool) -> Vec<String> {
    let unknown = |id: &&String| whole && !rows.iter().any(|row| row.id == **id);
    tests
        .iter()
        .flat_map(|test| test.rows.iter().filter(unknown).map(move |id| (test, id)))
        .map(|(test, id)| format!("`{}`: there is no row {id}", test.name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::rows::read;
    use super::*;

    fn test(program: &str, line: &str) -> Test {
        Test::read(program, line).expect(line)
    }

    #[test]
    fn names_bear_rows() {
        for (name, expected) in [
            ("row_049_permanent_normal", &["049"][..]),
            ("row_043_044_and_166_who_may_be", &["043", "044", "166"]),
            ("rows_100_and_241_children_stop", &["100", "241"]),
            ("row_x1_a_panic", &["x1"]),
            ("row_of_something", &[]),
            ("grow_049", &[]),
        ] {
            assert_eq!(rows_of(name), expected, "{name}");
        }
    }

    #[test]
    fn lines_are_read() {
        let sim = test("supervision/conformance", "test sim::row_049_a ... ok");
        assert_eq!((sim.column, sim.passed), (Column::Sim, Some(true)));
        let unit = test("supervision/src", "test plan::backoff::tests::row_271_b ... FAILED");
        assert_eq!((unit.column, unit.failed()), (Column::Pure, true));
        assert_eq!(test("supervision/plan", "test admin::row_127_c ... ok").column, Column::Pure);
        assert_eq!(test("supervision/driver", "test row_127_c ... ok").column, Column::Sim);
        assert_eq!(test("s/c", "test tokio::row_001_d ... ok").column, Column::Tokio);
        let strange = ["test result: ok. 3 passed", "test a ... ok", "test row_001_e ... ignored"];
        assert!(strange.iter().all(|line| Test::read("s/src", line).is_none()));
    }

    #[test]
    fn each_column_is_judged() {
        let rows = read(
            "head\n001\tcore\tA\ttest\tall\tw\n002\tcore\tA\ttest\ttime\tw\n\
             003\tcore\tA\ttypes: t\tnot yet: n\tw\n004\tcore\tA\tdriver: d\tthreads\tw\n",
        );
        let rows = rows.expect("well");
        let tests = [
            test("s/plan", "test row_001_002_a ... ok"),
            test("s/c", "test sim::row_001_a ... FAILED"),
            test("s/c", "test executor::row_001_a ... ok"),
            test("s/c", "test sim::row_002_b ... ok"),
            test("s/c", "test executor::row_004_c ... ok"),
            test("s/c", "test tokio::row_004_c ... ok"),
            test("s/c", "test tokio::row_009_d ... ok"),
        ];
        let judged = judge(&rows, &tests);
        let marks: Vec<_> =
            judged.iter().map(|row| row.cells.each_ref().map(|cell| cell.state.mark())).collect();
        let expected = [
            ["passed", "FAILED", "passed", "missing"],
            ["passed", "passed", "time", "time"],
            ["n/a", "not yet", "not yet", "not yet"],
            ["driver", "threads", "passed", "passed"],
        ];
        assert_eq!(marks, expected);
        let verdicts: Vec<_> = judged.iter().map(Judged::verdict).collect();
        use Verdict::{Bad, NotYet, Passed};
        assert_eq!(verdicts, [Bad, Passed, NotYet, Passed]);
        let problems: Vec<_> = judged.iter().flat_map(Judged::problems).collect();
        let expected =
            ["row 001, sim: sim::row_001_a failed", "row 001, tokio: no test, and no reason"];
        assert_eq!(problems, expected);
        assert_eq!(strangers(&rows, &tests, true), ["`tokio::row_009_d`: there is no row 009"]);
        assert_eq!(strangers(&rows, &tests, false), [""; 0]);
    }

    #[test]
    fn a_reason_that_is_none_any_more_is_found() {
        let rows = read("head\n003\tcore\tA\tnot yet: p\tnot yet: n\tw\n").expect("well");
        let tests = [test("s/c", "test sim::row_003_a ... ok")];
        let judged = judge(&rows, &tests);
        assert!(judged[0].is_bad());
        let problems = judged[0].problems();
        assert_eq!(problems, ["row 003, sim: `sim::row_003_a`, and a reason why there is none"]);
    }
}
