//! Which files are read: those that are named, and what is in the folders that are named.

use super::InputError;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Finds the files: those that are given and those in the folders given, each folder's sorted; the repository's own `.md` and `.rs`
/// files when nothing is given. `note` is told what is left out.
///
/// In a folder, what is hidden is passed over, and so are folders named `target` and symbolic links.
///
/// # Errors
/// When something given does not exist.
pub(super) fn find(
    given: &[PathBuf],
    note: &mut dyn FnMut(String),
) -> Result<Vec<PathBuf>, InputError> {
    if given.is_empty() {
        let is_own = |path: &Path| path.extension().is_some_and(|ext| ext == "md" || ext == "rs");
        let mut files = in_folder(&repository(), note);
        files.retain(|path| is_own(path));
        return Ok(files);
    }
    let mut files = Vec::new();
    for path in given {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => files.extend(in_folder(path, note)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(InputError::NoSuchFile(path.clone()));
            }
            // What cannot be read says so when it is read.
            _ => files.push(path.clone()),
        }
    }
    Ok(files)
}

/// The repository that the program was built from, or, where that is gone, the current folder.
fn repository() -> PathBuf {
    let built_from = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
    if built_from.is_dir() { built_from.to_owned() } else { PathBuf::from(".") }
}

fn in_folder(folder: &Path, note: &mut dyn FnMut(String)) -> Vec<PathBuf> {
    let (mut files, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        let entries =
            fs::read_dir(&folder).and_then(|entries| entries.collect::<Result<Vec<_>, _>>());
        let entries = match entries {
            Ok(entries) => entries,
            Err(error) => {
                note(format!("{}: unreadable, left out: {error}", folder.display()));
                continue;
            }
        };
        for entry in entries {
            let name = entry.file_name();
            let Ok(kind) = entry.file_type() else { continue };
            if name.as_encoded_bytes().starts_with(b".") {
                continue;
            }
            if kind.is_file() {
                files.push(entry.path());
            } else if kind.is_dir() && name != "target" {
                folders.push(entry.path());
            }
        }
    }
    files.sort();
    files
}
