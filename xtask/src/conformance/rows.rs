//! The rows of the conformance list, as plain data: what is expected, and where a test of it can be.

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    /// Its number, three digits; or `x` and a digit for those that are in no other suite.
    pub(super) id: String,
    /// Whether it has to hold, or only if there is such a feature.
    pub(super) core: bool,
    /// The letter of its group.
    pub(super) group: char,
    /// Whether the pure half has a test; a reason: it has none.
    pub(super) pure: Result<(), Reason>,
    /// Where the driver has one.
    pub(super) driver: Result<Runs, Reason>,
    /// What it says, in one line.
    pub(super) what: String,
}

/// On which runtimes a scenario runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Runs {
    /// On all.
    All,
    /// In the simulation only: it needs time to pass.
    Time,
    /// Not in the simulation: it needs threads.
    Threads,
}

/// Why there is no test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reason {
    /// Of which kind.
    pub(super) kind: Kind,
    /// The whole text.
    pub(super) text: String,
}

/// The kinds of reasons, by the words that they begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Rust's types exclude it, or there is no such thing.
    NotApplicable,
    /// It should be, and is not.
    NotYet,
    /// Only the driver sees it.
    Driver,
}

impl Reason {
    fn read(text: &str) -> Option<Reason> {
        const WORDS: [(&str, Kind); 4] = [
            ("types: ", Kind::NotApplicable),
            ("not applicable: ", Kind::NotApplicable),
            ("not yet: ", Kind::NotYet),
            ("driver: ", Kind::Driver),
        ];
        let (_, kind) = WORDS.iter().find(|(word, _)| text.starts_with(word))?;
        Some(Reason { kind: *kind, text: text.to_owned() })
    }
}

/// Reads the table: a head, then a line of six columns for each row.
///
/// # Errors
/// The first line that says nothing, or says it twice.
pub(super) fn read(text: &str) -> Result<Vec<Row>, String> {
    let mut rows: Vec<Row> = Vec::new();
    for (number, line) in text.lines().enumerate().skip(1) {
        let row = row(line).map_err(|wrong| format!("line {}: {wrong}", number + 1))?;
        if rows.iter().any(|known| known.id == row.id) {
            return Err(format!("line {}: row {} is there twice", number + 1, row.id));
        }
        rows.push(row);
    }
    Ok(rows)
}

fn row(line: &str) -> Result<Row, &'static str> {
    let cells: Vec<&str> = line.split('\t').collect();
    let &[id, level, group, pure, driver, what] = &cells[..] else {
        return Err("not six columns");
    };
    if !is_id(id) {
        return Err("no number of a row");
    }
    let core = match level {
        "core" => true,
        "opt" => false,
        _ => return Err("the level is core or opt"),
    };
    let mut letters = group.chars();
    let (Some(group @ 'A'..='X'), None) = (letters.next(), letters.next()) else {
        return Err("no letter of a group");
    };
    let pure = match pure {
        "test" => Ok(()),
        reason => Err(Reason::read(reason).ok_or("pure: no `test`, and no reason")?),
    };
    let driver = match driver {
        "all" => Ok(Runs::All),
        "time" => Ok(Runs::Time),
        "threads" => Ok(Runs::Threads),
        reason => match Reason::read(reason) {
            Some(reason) if reason.kind != Kind::Driver => Err(reason),
            _ => return Err("driver: neither where it runs nor a reason"),
        },
    };
    if what.is_empty() {
        return Err("it does not say what is expected");
    }
    Ok(Row { id: id.to_owned(), core, group, pure, driver, what: what.to_owned() })
}

/// Says whether this is how rows are named: `007`, `x1`.
pub(super) fn is_id(text: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    match text.strip_prefix('x') {
        Some(rest) => rest.len() == 1 && digits(rest),
        None => text.len() == 3 && digits(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "row\tlevel\tgroup\tpure\tdriver\twhat\n";

    #[test]
    fn rows_are_read() {
        let text = "007\tcore\tA\ttest\ttime\tit ends\nx1\topt\tX\tdriver: no\tnot yet: z\tw\n";
        let rows = read(&format!("{HEAD}{text}")).expect("well");
        assert_eq!((&*rows[0].id, rows[0].core, rows[0].group), ("007", true, 'A'));
        assert_eq!((&rows[0].pure, &rows[0].driver), (&Ok(()), &Ok(Runs::Time)));
        let reason = rows[1].driver.as_ref().expect_err("none");
        assert_eq!((reason.kind, &*reason.text), (Kind::NotYet, "not yet: z"));
        assert_eq!(rows[1].pure.as_ref().map_err(|reason| reason.kind), Err(Kind::Driver));
    }

    #[test]
    fn wrong_lines_are_named() {
        for (line, expected) in [
            ("7\tcore\tA\ttest\tall\tw", "line 2: no number of a row"),
            ("007\tcore\tA\ttest\tall", "line 2: not six columns"),
            ("007\tmaybe\tA\ttest\tall\tw", "line 2: the level is core or opt"),
            ("007\tcore\t1\ttest\tall\tw", "line 2: no letter of a group"),
            ("007\tcore\tA\tbecause\tall\tw", "line 2: pure: no `test`, and no reason"),
            (
                "007\tcore\tA\ttest\tdriver: x\tw",
                "line 2: driver: neither where it runs nor a reason",
            ),
            ("007\tcore\tA\ttest\tall\t", "line 2: it does not say what is expected"),
            (
                "007\tcore\tA\ttest\tall\tw\n007\tcore\tA\ttest\tall\tw",
                "line 3: row 007 is there twice",
            ),
        ] {
            assert_eq!(read(&format!("{HEAD}{line}")), Err(expected.to_owned()));
        }
    }
}
