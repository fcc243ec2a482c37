//! Runs that are kept under a name, to compare later ones with.

use crate::machine::Machine;
use crate::results::Results;
use crate::stats::Summary;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

/// The version of the format.
const FORMAT: u64 = 1;

/// A run that was kept.
#[derive(Debug, PartialEq)]
pub(crate) struct Saved {
    pub(crate) name: String,
    pub(crate) date: String,
    pub(crate) commit: String,
    pub(crate) workers: u64,
    figures: BTreeMap<String, Summary>,
}

impl Saved {
    /// Makes one of invented figures.
    #[cfg(test)]
    pub(crate) fn new(name: &str, figures: BTreeMap<String, Summary>) -> Saved {
        let (date, commit) = ("today".to_owned(), "abc".to_owned());
        Saved { name: name.to_owned(), date, commit, workers: 2, figures }
    }

    /// Returns the figures of `group/workload/subject`, if they were taken.
    pub(crate) fn figures(&self, path: &str) -> Option<Summary> {
        self.figures.get(path).copied()
    }
}

/// Why a run could not be kept or found.
#[derive(Debug)]
#[non_exhaustive]
pub(crate) enum SavedError {
    /// Nothing was kept under that name.
    Missing { name: String, known: Vec<String> },
    /// A file could not be read or written.
    File(PathBuf, io::Error),
    /// A file is not one of ours.
    Content(PathBuf),
}

impl fmt::Display for SavedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SavedError::Missing { name, known } if known.is_empty() => {
                write!(f, "no run was saved, so there is no `{name}`")
            }
            SavedError::Missing { name, known } => {
                write!(f, "no run was saved as `{name}`; there are: {}", known.join(", "))
            }
            SavedError::File(path, error) => write!(f, "{}: {error}", path.display()),
            SavedError::Content(path) => write!(f, "{} is no saved run", path.display()),
        }
    }
}

impl std::error::Error for SavedError {}

fn path(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.json"))
}

/// Keeps a run.
///
/// # Errors
/// [`SavedError::File`].
pub(crate) fn save(
    folder: &Path,
    name: &str,
    results: &Results<'_>,
    machine: &Machine,
    workers: usize,
) -> Result<PathBuf, SavedError> {
    let path = path(folder, name);
    let text = written(results, machine, workers).to_string();
    let done = fs::create_dir_all(folder).and_then(|()| fs::write(&path, text + "\n"));
    match done {
        Ok(()) => Ok(path),
        Err(error) => Err(SavedError::File(path, error)),
    }
}

/// Finds a run that was kept.
///
/// # Errors
/// Any [`SavedError`].
pub(crate) fn load(folder: &Path, name: &str) -> Result<Saved, SavedError> {
    let path = path(folder, name);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(SavedError::Missing { name: name.to_owned(), known: known(folder) });
        }
        Err(error) => return Err(SavedError::File(path, error)),
    };
    serde_json::from_str(&text)
        .ok()
        .and_then(|value| read(name, &value))
        .ok_or(SavedError::Content(path))
}

fn known(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    let name =
        |file: fs::DirEntry| Some(file.file_name().to_str()?.strip_suffix(".json")?.to_owned());
    let mut names: Vec<String> = files.filter_map(name).collect();
    names.sort();
    names
}

fn written(results: &Results<'_>, machine: &Machine, workers: usize) -> Value {
    let figures: Vec<Value> = results
        .figures()
        .map(|(path, unit, figures)| {
            let Summary { median, min, max, q1, q3, runs } = figures;
            json!({
                "path": path, "unit": unit.label(), "median": median, "min": min, "max": max,
                "q1": q1, "q3": q3, "runs": runs,
            })
        })
        .collect();
    json!({ "format": FORMAT, "machine": machine.json(), "workers": workers, "figures": figures })
}

fn read(name: &str, value: &Value) -> Option<Saved> {
    if value["format"].as_u64() != Some(FORMAT) {
        return None;
    }
    let figures = |value: &Value| {
        let number = |name: &str| value[name].as_f64();
        let summary = Summary {
            median: number("median")?,
            min: number("min")?,
            max: number("max")?,
            q1: number("q1")?,
            q3: number("q3")?,
            runs: usize::try_from(value["runs"].as_u64()?).ok()?,
        };
        Some((value["path"].as_str()?.to_owned(), summary))
    };
    let text = |name: &str| Some(value["machine"][name].as_str()?.to_owned());
    Some(Saved {
        name: name.to_owned(),
        date: text("date")?,
        commit: text("commit")?,
        workers: value["workers"].as_u64()?,
        figures: value["figures"].as_array()?.iter().map(figures).collect::<Option<_>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::sample;

    fn machine() -> Machine {
        let text = String::from;
        Machine {
            cpu: text("c"),
            processors: 2,
            system: text("s"),
            rustc: text("r"),
            commit: text("abc"),
            date: text("today"),
            settings: text("none"),
        }
    }

    #[test]
    fn what_was_kept_is_found_again() {
        let results = sample::results(&[("bastion", 100.0), ("tokio", 250.0)]);
        let saved = read("base", &written(&results, &machine(), 3)).expect("our own format");
        assert_eq!((saved.name.as_str(), saved.commit.as_str(), saved.workers), ("base", "abc", 3));
        assert_eq!(saved.figures("g/w/tokio"), Some(sample::figures(250.0)));
        assert_eq!(saved.figures("g/w/nobody"), None);
    }

    #[test]
    fn what_is_not_ours_is_refused() {
        let mut value = written(&sample::results(&[("bastion", 1.0)]), &machine(), 2);
        value["figures"][0]["q1"] = json!("much");
        assert_eq!(read("x", &value), None);
        value["format"] = json!(0);
        assert_eq!(read("x", &value), None);
    }

    #[test]
    fn an_unknown_name_is_said_with_those_that_are_known() {
        let known = vec!["a".to_owned(), "b".to_owned()];
        let some = SavedError::Missing { name: "x".to_owned(), known };
        assert_eq!(some.to_string(), "no run was saved as `x`; there are: a, b");
        let none = SavedError::Missing { name: "x".to_owned(), known: Vec::new() };
        assert_eq!(none.to_string(), "no run was saved, so there is no `x`");
    }
}
