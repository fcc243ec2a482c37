//! What of the tables is to be measured: groups by name, workloads and subjects by a text.

use crate::bench::{Group, Subject, Workload};
use std::fmt;

/// A group with those of its workloads and subjects that were chosen.
pub(crate) struct Chosen {
    pub(crate) group: &'static Group,
    pub(crate) rows: Vec<Row>,
}

/// A workload with those of its subjects that were chosen.
pub(crate) struct Row {
    pub(crate) group: &'static Group,
    pub(crate) workload: &'static Workload,
    pub(crate) subjects: Vec<&'static Subject>,
}

impl Row {
    /// Returns the name of a subject in this row, unique over all groups: `group/workload/subject`.
    pub(crate) fn path(&self, subject: &Subject) -> String {
        path(self.group, self.workload, subject)
    }
}

fn path(group: &Group, workload: &Workload, subject: &Subject) -> String {
    format!("{}/{}/{}", group.name, workload.name, subject.name)
}

/// Why nothing can be measured.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum SelectError {
    UnknownGroup { name: String, known: Vec<&'static str> },
    NothingContains(String),
}

impl fmt::Display for SelectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SelectError::UnknownGroup { name, known } => {
                write!(f, "there is no group `{name}`; there are: {}", known.join(", "))
            }
            SelectError::NothingContains(text) => {
                write!(f, "no `group/workload/subject` contains `{text}`; see --list")
            }
        }
    }
}

/// Chooses the named groups, or all if none is named, and in them the subjects whose path contains the filter. A filter that
/// is a whole path chooses that subject alone, though the path may be the beginning of another.
///
/// The order is the one of the tables, whatever the order of the names.
pub(crate) fn select(
    groups: &'static [Group],
    names: &[String],
    filter: Option<&str>,
) -> Result<Vec<Chosen>, SelectError> {
    if let Some(name) = names.iter().find(|name| !groups.iter().any(|group| group.name == **name)) {
        let known = groups.iter().map(|group| group.name).collect();
        return Err(SelectError::UnknownGroup { name: name.clone(), known });
    }
    let named = |group: &&Group| names.is_empty() || names.iter().any(|name| name == group.name);
    let chosen: Vec<Chosen> = groups
        .iter()
        .filter(named)
        .map(|group| Chosen { group, rows: rows(group, filter) })
        .filter(|chosen| !chosen.rows.is_empty())
        .collect();
    if chosen.is_empty() {
        return Err(SelectError::NothingContains(filter.unwrap_or_default().to_owned()));
    }
    Ok(chosen)
}

fn rows(group: &'static Group, filter: Option<&str>) -> Vec<Row> {
    let row = |workload: &'static Workload| {
        let path = |subject: &Subject| path(group, workload, subject);
        let whole = workload.subjects.iter().any(|subject| filter == Some(&path(subject)));
        let is_chosen = |subject: &&Subject| {
            filter.is_none_or(|text| {
                if whole { path(subject) == text } else { path(subject).contains(text) }
            })
        };
        let subjects: Vec<&Subject> = workload.subjects.iter().filter(is_chosen).collect();
        (!subjects.is_empty()).then_some(Row { group, workload, subjects })
    };
    group.workloads.iter().filter_map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::Unit;

    const GROUPS: &[Group] = &[
        Group {
            name: "one",
            about: "",
            workloads: &[Workload {
                name: "first",
                about: "",
                unit: Unit::Nanoseconds,
                operations: 1,
                subjects: &[Subject::not("b", ""), Subject::not("bc", "")],
            }],
        },
        Group {
            name: "two",
            about: "",
            workloads: &[Workload {
                name: "second",
                about: "",
                unit: Unit::Nanoseconds,
                operations: 1,
                subjects: &[Subject::not("b", "")],
            }],
        },
    ];

    fn paths(names: &[&str], filter: Option<&str>) -> Result<Vec<String>, SelectError> {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let chosen = select(GROUPS, &names, filter)?;
        let rows = chosen.iter().flat_map(|chosen| &chosen.rows);
        Ok(rows.flat_map(|row| row.subjects.iter().map(|subject| row.path(subject))).collect())
    }

    #[test]
    fn groups_and_texts_choose() {
        let all = ["one/first/b", "one/first/bc", "two/second/b"].map(String::from).to_vec();
        assert_eq!(paths(&[], None), Ok(all.clone()));
        assert_eq!(paths(&["two", "one", "two"], None), Ok(all.clone()));
        assert_eq!(paths(&["one"], None), Ok(all[..2].to_vec()));
        assert_eq!(paths(&[], Some("first")), Ok(all[..2].to_vec()));
        assert_eq!(paths(&[], Some("c")), Ok(all[1..].to_vec()));
        assert_eq!(paths(&[], Some("first/b")), Ok(all[..2].to_vec()));
        assert_eq!(paths(&[], Some("one/first/b")), Ok(all[..1].to_vec()));
    }

    #[test]
    fn what_is_not_there_is_said() {
        let unknown = paths(&["one", "three"], None).unwrap_err().to_string();
        assert_eq!(unknown, "there is no group `three`; there are: one, two");
        let nothing = paths(&["two"], Some("first")).unwrap_err().to_string();
        assert_eq!(nothing, "no `group/workload/subject` contains `first`; see --list");
    }

    #[test]
    fn every_path_of_the_real_tables_is_unique() {
        let chosen = select(crate::groups::GROUPS, &[], None).unwrap();
        let rows = chosen.iter().flat_map(|chosen| &chosen.rows);
        let mut paths: Vec<String> =
            rows.flat_map(|row| row.subjects.iter().map(|subject| row.path(subject))).collect();
        let count = paths.len();
        paths.sort();
        paths.dedup();
        assert_eq!(paths.len(), count);
    }
}
