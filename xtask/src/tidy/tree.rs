//! The project's text files in memory, as the rules see them.

use std::collections::VecDeque;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::code;

/// All text files of the project.
#[derive(Debug, Default)]
pub(super) struct Tree {
    /// The files, in the order of their paths.
    pub(super) files: Vec<File>,
}

/// One text file.
#[derive(Debug)]
pub(super) struct File {
    /// Its path from the root, with forward slashes.
    pub(super) path: String,
    /// Its content.
    pub(super) text: String,
    /// The content of a Rust file with comments and literals blanked out; else nothing.
    pub(super) code: String,
}

/// One package of the workspace, seen from its manifest.
#[derive(Debug, Clone, Copy)]
pub(super) struct Package<'a> {
    /// Its folder.
    pub(super) folder: &'a str,
    /// Its manifest.
    pub(super) manifest: &'a File,
    /// Whether it may be published.
    pub(super) published: bool,
}

/// A place that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Violation {
    /// The file, from the root.
    pub(super) path: String,
    /// The line, counted from 1.
    pub(super) line: usize,
    /// What is wrong.
    pub(super) message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.message)
    }
}

impl File {
    /// Prepares one file for the rules.
    pub(super) fn new(path: &str, text: &str) -> Self {
        let code = if path.ends_with(".rs") { code::only(text) } else { String::new() };
        Self { path: path.to_owned(), text: text.to_owned(), code }
    }

    /// Returns the violation at a line of this file.
    pub(super) fn violation(&self, line: usize, message: impl Into<String>) -> Violation {
        Violation { path: self.path.clone(), line, message: message.into() }
    }

    /// Returns the lines of the text with their numbers.
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }
}

impl Tree {
    /// Returns a tree of these paths and texts.
    #[cfg(test)]
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        Self { files: files.iter().map(|(path, text)| File::new(path, text)).collect() }
    }

    /// Reads the files that git tracks or would track, or, without git, all outside `target`.
    ///
    /// # Errors
    /// When a file or folder that exists cannot be read.
    pub(super) fn read(root: &Path) -> io::Result<Self> {
        let mut paths = match listed_by_git(root) {
            Some(paths) if !paths.is_empty() => paths,
            _ => walked(root)?,
        };
        paths.sort();
        paths.dedup();
        let mut files = Vec::new();
        for path in paths {
            let bytes = match fs::read(root.join(&path)) {
                Ok(bytes) => bytes,
                // Git still lists what was deleted a moment ago.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                // A tracked folder is another repository.
                Err(error) if error.kind() == io::ErrorKind::IsADirectory => continue,
                Err(error) => return Err(error),
            };
            // What is not text is no business of any rule.
            if let Ok(text) = String::from_utf8(bytes) {
                files.push(File::new(&path, &text));
            }
        }
        Ok(Self { files })
    }

    /// Returns the file at a path.
    pub(super) fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Returns the Rust files.
    pub(super) fn rust(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.path.ends_with(".rs"))
    }

    /// Returns the packages: the folders at the root whose manifest describes one.
    pub(super) fn packages(&self) -> impl Iterator<Item = Package<'_>> {
        self.files.iter().filter_map(|manifest| {
            let folder = manifest.path.strip_suffix("/Cargo.toml")?;
            let is_package = manifest.text.lines().any(|line| line.trim() == "[package]");
            let private = |line: &str| line.replace(' ', "").starts_with("publish=false");
            let published = !manifest.text.lines().any(private);
            (is_package && !folder.contains('/')).then_some(Package { folder, manifest, published })
        })
    }
}

/// Asks git for the tracked files and for the new ones that are not ignored.
fn listed_by_git(root: &Path) -> Option<Vec<String>> {
    let output = Command::new("git")
        .current_dir(root)
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .output()
        .ok()?;
    if !output.status.success() {
        return None;
    }
    let paths = output.stdout.split(|byte| *byte == 0).filter(|path| !path.is_empty());
    Some(paths.map(|path| String::from_utf8_lossy(path).into_owned()).collect())
}

/// Walks through the folders, without what is built and without git's own.
fn walked(root: &Path) -> io::Result<Vec<String>> {
    let mut paths = Vec::new();
    let mut folders = VecDeque::from([PathBuf::new()]);
    while let Some(folder) = folders.pop_front() {
        for entry in fs::read_dir(root.join(&folder))? {
            let entry = entry?;
            let name = entry.file_name();
            let path = folder.join(&name);
            let kind = entry.file_type()?;
            if kind.is_dir() && name != "target" && name != ".git" {
                folders.push_back(path);
            } else if kind.is_file() {
                let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
                paths.push(parts.join("/"));
            }
        }
    }
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_folders_with_a_package() {
        let tree = Tree::of(&[
            ("Cargo.toml", "[workspace]\n"),
            ("a/Cargo.toml", "[package]\nname = \"a\"\n"),
            ("b/Cargo.toml", "[package]\npublish = false\n"),
            ("b/tests/x/Cargo.toml", "[package]\n"),
        ]);
        let packages: Vec<_> = tree.packages().map(|p| (p.folder, p.published)).collect();
        assert_eq!(packages, [("a", true), ("b", false)]);
    }

    #[test]
    fn both_ways_find_this_file_and_leave_the_target_out() {
        let root = crate::process::root();
        let own = "xtask/src/tidy/tree.rs".to_owned();
        let walked = walked(&root).expect("readable");
        assert!(walked.contains(&own));
        assert!(!walked.iter().any(|path| path.starts_with("target/")));
        let tree = Tree::read(&root).expect("readable");
        assert!(tree.file(&own).is_some_and(|file| !file.code.is_empty()));
    }
}
