//! What of the tables is to be measured: groups by name, subjects by name, and whatever has a text in its path.

use crate::bench::{FLOOR, Group, OURS, Set, Subject, Workload};
use std::collections::BTreeSet;
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

/// What somebody wants to have measured. The default is all.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wanted<'a> {
    /// Names of groups or sets; all if there is none.
    pub(crate) names: &'a [String],
    /// A part of the path.
    pub(crate) filter: Option<&'a str>,
    /// Names of peers, beside which ours and the floor are measured; all if there is none.
    pub(crate) peers: &'a [String],
    /// Names of subjects that are left out.
    pub(crate) without: &'a [String],
}

/// Why nothing can be measured.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum SelectError {
    UnknownGroup { name: String, known: Vec<&'static str> },
    UnknownSubject { name: String, known: Vec<&'static str> },
    NothingIsLeft,
    NothingContains(String),
}

impl fmt::Display for SelectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SelectError::UnknownGroup { name, known } => {
                write!(f, "there is no group `{name}`; there are: {}", known.join(", "))
            }
            SelectError::UnknownSubject { name, known } => {
                write!(f, "there is no subject `{name}`; there are: {}", known.join(", "))
            }
            SelectError::NothingIsLeft => f.write_str("no subject is left; see --list"),
            SelectError::NothingContains(text) => {
                write!(f, "no `group/workload/subject` contains `{text}`; see --list")
            }
        }
    }
}

impl std::error::Error for SelectError {}

/// Chooses the named groups, or all if none is named, and in them the wanted subjects whose path contains the filter. A filter
/// that is a whole path chooses that subject alone, though the path may be the beginning of another.
///
/// The order is the one of the tables, whatever the order of the names.
pub(crate) fn select(
    groups: &'static [Group],
    sets: &'static [Set],
    wanted: Wanted<'_>,
) -> Result<Vec<Chosen>, SelectError> {
    let names = expanded(groups, sets, wanted.names)?;
    check_subjects(groups, wanted.peers.iter().chain(wanted.without))?;
    let named = |group: &&Group| names.is_empty() || names.contains(&group.name);
    let chosen: Vec<Chosen> = groups
        .iter()
        .filter(named)
        .map(|group| Chosen { group, rows: rows(group, wanted) })
        .filter(|chosen| !chosen.rows.is_empty())
        .collect();
    match (chosen.is_empty(), wanted.filter) {
        (false, _) => Ok(chosen),
        (true, Some(text)) => Err(SelectError::NothingContains(text.to_owned())),
        (true, None) => Err(SelectError::NothingIsLeft),
    }
}

/// Returns the names of groups that names of groups and sets stand for.
fn expanded(
    groups: &'static [Group],
    sets: &'static [Set],
    names: &[String],
) -> Result<Vec<&'static str>, SelectError> {
    let mut out = Vec::new();
    for name in names {
        let group = groups.iter().find(|group| group.name == *name).map(|group| group.name);
        let set = sets.iter().find(|set| set.name == *name);
        match (group, set) {
            (Some(group), _) => out.push(group),
            (None, Some(set)) => out.extend(set.groups),
            (None, None) => {
                let sets = sets.iter().map(|set| set.name);
                let known = groups.iter().map(|group| group.name).chain(sets).collect();
                return Err(SelectError::UnknownGroup { name: name.clone(), known });
            }
        }
    }
    Ok(out)
}

fn check_subjects<'a>(
    groups: &'static [Group],
    mut names: impl Iterator<Item = &'a String>,
) -> Result<(), SelectError> {
    let workloads = groups.iter().flat_map(|group| group.workloads);
    let subjects = workloads.flat_map(|workload| workload.subjects);
    let known: BTreeSet<&str> = subjects.map(|subject| subject.name).collect();
    match names.find(|name| !known.contains(name.as_str())) {
        None => Ok(()),
        Some(name) => {
            let known = known.into_iter().collect();
            Err(SelectError::UnknownSubject { name: name.clone(), known })
        }
    }
}

fn rows(group: &'static Group, wanted: Wanted<'_>) -> Vec<Row> {
    let is_wanted = |subject: &Subject| {
        let is_in = |names: &[String]| names.iter().any(|name| name == subject.name);
        let is_asked =
            wanted.peers.is_empty() || [OURS, FLOOR].contains(&subject.name) || is_in(wanted.peers);
        is_asked && !is_in(wanted.without)
    };
    let row = |workload: &'static Workload| {
        let path = |subject: &Subject| path(group, workload, subject);
        let whole = workload.subjects.iter().any(|subject| wanted.filter == Some(&path(subject)));
        let matches = |subject: &Subject| {
            wanted.filter.is_none_or(|text| {
                if whole { path(subject) == text } else { path(subject).contains(text) }
            })
        };
        let subjects: Vec<&Subject> = workload
            .subjects
            .iter()
            .filter(|subject| is_wanted(subject) && matches(subject))
            .collect();
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

    const SETS: &[Set] = &[Set { name: "both", groups: &["two", "one"] }];

    fn paths(names: &[&str], filter: Option<&str>) -> Result<Vec<String>, SelectError> {
        chosen_paths(Wanted { names: &owned(names), filter, ..Wanted::default() })
    }

    fn owned(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    fn chosen_paths(wanted: Wanted<'_>) -> Result<Vec<String>, SelectError> {
        let chosen = select(GROUPS, SETS, wanted)?;
        let rows = chosen.iter().flat_map(|chosen| &chosen.rows);
        Ok(rows.flat_map(|row| row.subjects.iter().map(|subject| row.path(subject))).collect())
    }

    #[test]
    fn groups_and_texts_choose() {
        let all = ["one/first/b", "one/first/bc", "two/second/b"].map(String::from).to_vec();
        assert_eq!(paths(&[], None), Ok(all.clone()));
        assert_eq!(paths(&["two", "one", "two"], None), Ok(all.clone()));
        assert_eq!(paths(&["both"], None), Ok(all.clone()));
        assert_eq!(paths(&["one"], None), Ok(all[..2].to_vec()));
        assert_eq!(paths(&[], Some("first")), Ok(all[..2].to_vec()));
        assert_eq!(paths(&[], Some("c")), Ok(all[1..].to_vec()));
        assert_eq!(paths(&[], Some("first/b")), Ok(all[..2].to_vec()));
        assert_eq!(paths(&[], Some("one/first/b")), Ok(all[..1].to_vec()));
    }

    #[test]
    fn what_is_not_there_is_said() {
        let unknown = paths(&["one", "three"], None).unwrap_err().to_string();
        assert_eq!(unknown, "there is no group `three`; there are: one, two, both");
        let nothing = paths(&["two"], Some("first")).unwrap_err().to_string();
        assert_eq!(nothing, "no `group/workload/subject` contains `first`; see --list");
    }

    #[test]
    fn names_of_subjects_choose() {
        let with = |peers: &[&str], without: &[&str]| {
            let (peers, without) = (owned(peers), owned(without));
            chosen_paths(Wanted { peers: &peers, without: &without, ..Wanted::default() })
        };
        let expected = |paths: &[&str]| Ok(owned(paths));
        assert_eq!(with(&["bc"], &[]), expected(&["one/first/bc"]));
        assert_eq!(with(&[], &["bc"]), expected(&["one/first/b", "two/second/b"]));
        assert_eq!(with(&["b"], &["b"]), Err(SelectError::NothingIsLeft));
        let unknown = with(&["b"], &["d"]).unwrap_err().to_string();
        assert_eq!(unknown, "there is no subject `d`; there are: b, bc");
    }

    #[test]
    fn ours_and_the_floor_stay_beside_the_peers_that_were_asked_for() {
        let peers = owned(&["tokio"]);
        let names = owned(&["spawn"]);
        let wanted = Wanted { peers: &peers, names: &names, ..Wanted::default() };
        let chosen = select(crate::groups::GROUPS, crate::groups::SETS, wanted).unwrap();
        let names: Vec<&str> = chosen[0].rows[0].subjects.iter().map(|one| one.name).collect();
        assert_eq!(names, [OURS, "tokio", FLOOR]);
    }

    #[test]
    fn every_path_of_the_real_tables_is_unique() {
        let chosen = select(crate::groups::GROUPS, &[], Wanted::default()).unwrap();
        let rows = chosen.iter().flat_map(|chosen| &chosen.rows);
        let mut paths: Vec<String> =
            rows.flat_map(|row| row.subjects.iter().map(|subject| row.path(subject))).collect();
        let count = paths.len();
        paths.sort();
        paths.dedup();
        assert_eq!(paths.len(), count);
    }
}
