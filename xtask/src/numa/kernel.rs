//! The kernel that the machines boot: one that the user names, one that was fetched, or the one of this system.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use crate::process::{self, Elevation, RunError};

/// The package that depends on the newest kernel. Another distribution's has another name, and its kernel another place.
const PACKAGE: &str = "linux-image-amd64";

/// How long one of the package manager's commands may take.
const LIMIT: Duration = Duration::from_secs(300);

/// Finds a kernel that can be read: a fetched one, which is in `folder`, before that of this system.
pub(super) fn find(folder: &Path) -> Option<PathBuf> {
    [folder, Path::new("/boot")].into_iter().find_map(newest)
}

/// Returns the newest kernel of a folder, by the time of the file.
fn newest(folder: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).ok()?.filter_map(Result::ok);
    let kernels = entries.filter(|entry| {
        entry.file_name().to_string_lossy().starts_with("vmlinuz")
            // On some systems only root may read them.
            && fs::File::open(entry.path()).is_ok()
    });
    let newest = kernels.max_by_key(|entry| entry.metadata().and_then(|data| data.modified()).ok());
    newest.map(|entry| entry.path())
}

/// Says why no kernel could be fetched.
#[derive(Debug)]
pub(super) enum FetchError {
    /// It is known only how Debian packs its kernels.
    NotDebian,
    /// A command did not run to its end.
    NotRun(RunError),
    /// A command failed, with this last line.
    Failed(&'static str, String),
    /// The folder cannot be used.
    Folder(io::Error),
    /// The package has no kernel in it.
    NotThere,
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotDebian => f.write_str("it is not yet known how to fetch one but on Debian"),
            Self::NotRun(error) => error.fmt(f),
            Self::Failed(program, line) => write!(f, "{program}: {line}"),
            Self::Folder(error) => error.fmt(f),
            Self::NotThere => f.write_str("the package has no kernel where Debian's have it"),
        }
    }
}

impl std::error::Error for FetchError {}

/// Downloads Debian's newest kernel and unpacks it into a folder; nothing is installed.
///
/// # Errors
/// See [`FetchError`].
pub(super) fn fetch(folder: &Path) -> Result<PathBuf, FetchError> {
    fs::create_dir_all(folder).map_err(FetchError::Folder)?;
    let name = {
        let text = output("apt-cache", &["depends", PACKAGE], folder);
        let text = text.map_err(|_| FetchError::NotDebian)?;
        dependency(&text).ok_or(FetchError::NotDebian)?.to_owned()
    };
    eprintln!("kernel: downloading {name} into {} ...", folder.display());
    output("apt-get", &["download", &name], folder)?;
    let package = package(folder, &name).ok_or(FetchError::NotThere)?;
    let unpacked = unpack(&package, folder);
    // It is eight times as large as what is needed of it; if it stays, it is only in the way.
    let _ = fs::remove_file(&package);
    unpacked?;
    newest(folder).ok_or(FetchError::NotThere)
}

/// Finds the line `  Depends: linux-image-6.1.0-56-amd64`.
fn dependency(text: &str) -> Option<&str> {
    text.lines().find_map(|line| line.trim().strip_prefix("Depends: "))
}

fn package(folder: &Path, name: &str) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).ok()?.filter_map(Result::ok);
    let is_it = |file: &str| file.starts_with(&format!("{name}_")) && file.ends_with(".deb");
    entries
        .map(|entry| entry.path())
        .find(|path| path.file_name().is_some_and(|file| is_it(&file.to_string_lossy())))
}

/// Takes the kernel out of a package.
fn unpack(package: &Path, folder: &Path) -> Result<(), FetchError> {
    let not_run =
        |program: &str, error| FetchError::NotRun(RunError::NotStarted(program.into(), error));
    let mut reading = Command::new("dpkg-deb")
        .arg("--fsys-tarfile")
        .arg(package)
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| not_run("dpkg-deb", error))?;
    let files = reading.stdout.take().map_or_else(Stdio::null, Stdio::from);
    let written = extract(files, folder).map_err(|error| not_run("tar", error));
    let read = reading.wait().map_err(|error| not_run("dpkg-deb", error))?;
    match (read.success(), written?.success()) {
        (true, true) => Ok(()),
        (false, _) => Err(FetchError::Failed("dpkg-deb", read.to_string())),
        (true, false) => Err(FetchError::Failed("tar", "it cannot unpack the kernel".to_owned())),
    }
}

/// Takes the kernel out of the files of a package.
fn extract(files: Stdio, folder: &Path) -> io::Result<ExitStatus> {
    Command::new("tar")
        // The folder counts for what is named behind it.
        .args(["--extract", "--directory"])
        .arg(folder)
        .args(["--strip-components=2", "--wildcards", "./boot/vmlinuz-*"])
        .stdin(files)
        .status()
}

/// Runs a command in a folder and returns what it writes.
fn output(program: &'static str, args: &[&str], folder: &Path) -> Result<String, FetchError> {
    let mut command = Command::new(program);
    command.args(args).current_dir(folder).env("LC_ALL", "C");
    let run = process::capture(command, LIMIT, Elevation::Own).map_err(FetchError::NotRun)?;
    if run.status.success() {
        return Ok(run.output);
    }
    let last = run.output.lines().map(str::trim).rfind(|line| !line.is_empty());
    Err(FetchError::Failed(program, last.unwrap_or("it failed").to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_own_package_is_found() {
        let text = "linux-image-amd64\n  Depends: linux-image-6.1.0-56-amd64\n  Suggests: x\n";
        assert_eq!(dependency(text), Some("linux-image-6.1.0-56-amd64"));
        assert_eq!(dependency("<linux-image-amd64>\n"), None);
    }

    /// Calls a test with a folder of its own.
    fn in_folder(name: &str, test: impl FnOnce(&Path)) {
        let folder = std::env::temp_dir().join(format!("xtask-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        test(&folder);
        fs::remove_dir_all(&folder).expect("it is there");
    }

    #[test]
    fn the_newest_kernel_of_a_folder_is_taken() {
        in_folder("newest", |folder| {
            assert_eq!(newest(folder), None);
            for name in ["vmlinuz-2", "initrd.img-2", "vmlinuz-1", "config-0"] {
                let file = fs::File::create(folder.join(name)).expect("a file");
                let hours = name.bytes().last().map_or(0, |digit| u64::from(b'9' - digit));
                let time = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(3600 * hours);
                file.set_modified(time).expect("the time of a file can be set");
            }
            assert_eq!(newest(folder), Some(folder.join("vmlinuz-1")));
        });
    }

    #[test]
    fn a_package_has_the_whole_name() {
        in_folder("package", |folder| {
            assert_eq!(package(folder, "linux-image-1"), None);
            fs::write(folder.join("linux-image-1_6.1_amd64.deb"), "").expect("a file");
            assert!(package(folder, "linux-image-1").is_some());
            assert_eq!(package(folder, "linux-image"), None);
        });
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn only_the_kernel_is_unpacked_and_into_the_folder() {
        in_folder("unpack", |folder| {
            let (inner, outer) = (folder.join("a/boot"), folder.join("b"));
            fs::create_dir_all(&inner).expect("a folder");
            fs::create_dir_all(&outer).expect("a folder");
            for name in ["vmlinuz-1", "config-1"] {
                fs::write(inner.join(name), name).expect("a file");
            }
            let mut packing = Command::new("tar");
            packing.args(["--create", "--directory"]).arg(folder.join("a")).arg("./boot");
            let mut packing = packing.stdout(Stdio::piped()).spawn().expect("tar runs");
            let files = packing.stdout.take().expect("a pipe");
            assert!(extract(files.into(), &outer).expect("tar runs").success());
            assert!(packing.wait().expect("it was started").success());
            let found: Vec<_> = fs::read_dir(&outer).expect("it is there").collect();
            assert_eq!(found.len(), 1);
            assert_eq!(newest(&outer), Some(outer.join("vmlinuz-1")));
        });
    }
}
