//! What cargo says about the workspace: packages, features, targets.
//!
//! One call of `cargo metadata --no-deps`, reduced to the few facts that the commands use.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::process;

/// The workspace as cargo sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Workspace {
    /// The folder with the root manifest.
    pub(crate) root: PathBuf,
    /// The folder that cargo builds into.
    pub(crate) target: PathBuf,
    /// The members.
    pub(crate) packages: Vec<Package>,
}

/// One member of the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Package {
    /// Its name, as in `cargo -p`.
    pub(crate) name: String,
    /// Whether it may be published.
    pub(crate) published: bool,
    /// Its features, without `default`, in alphabetical order.
    pub(crate) features: Vec<String>,
    /// Those of them that only turn on others, of this package or another, if they turn on anything.
    pub(crate) passed_on: Vec<String>,
    /// The folder of its manifest.
    pub(crate) folder: PathBuf,
    /// What can be built from it.
    pub(crate) targets: Vec<Target>,
}

/// One library, program, example or test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// Its name.
    pub(crate) name: String,
    /// Its kinds as cargo calls them: `lib`, `proc-macro`, `bin`, `example`, `test` …
    pub(crate) kinds: Vec<String>,
    /// The features without which it is not built.
    pub(crate) required_features: Vec<String>,
}

/// Says why the workspace could not be read.
#[derive(Debug)]
#[non_exhaustive]
pub(crate) enum WorkspaceError {
    /// Cargo could not be run.
    Cargo(process::RunError),
    /// Cargo refused, with this message.
    Refused(String),
    /// Cargo's answer lacks this part.
    Malformed(&'static str),
}

impl fmt::Display for WorkspaceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cargo(error) => write!(f, "cargo metadata: {error}"),
            Self::Refused(message) => write!(f, "cargo metadata: {}", message.trim()),
            Self::Malformed(part) => write!(f, "cargo metadata: no usable `{part}` in the answer"),
        }
    }
}

impl std::error::Error for WorkspaceError {}

impl Workspace {
    /// Asks cargo about the workspace that this program belongs to.
    ///
    /// # Errors
    /// When cargo cannot be run, refuses the manifests, or answers in an unknown form.
    pub(crate) fn read() -> Result<Self, WorkspaceError> {
        let mut command = process::cargo();
        command
            .args(["metadata", "--no-deps", "--format-version", "1", "--manifest-path"])
            .arg(process::root().join("Cargo.toml"));
        let output = command
            .output()
            .map_err(|error| process::RunError::NotStarted("cargo".into(), error))
            .map_err(WorkspaceError::Cargo)?;
        if !output.status.success() {
            return Err(WorkspaceError::Refused(
                String::from_utf8_lossy(&output.stderr).into_owned(),
            ));
        }
        let json = serde_json::from_slice(&output.stdout)
            .map_err(|_| WorkspaceError::Malformed("metadata"))?;
        Self::from_json(&json)
    }

    /// Reads cargo's answer.
    ///
    /// # Errors
    /// When a part that is needed is missing.
    pub(crate) fn from_json(json: &Value) -> Result<Self, WorkspaceError> {
        let path = |part| json[part].as_str().ok_or(WorkspaceError::Malformed(part));
        let packages = json["packages"].as_array().ok_or(WorkspaceError::Malformed("packages"))?;
        Ok(Self {
            root: path("workspace_root")?.into(),
            target: path("target_directory")?.into(),
            packages: packages.iter().map(Package::from_json).collect::<Result<_, _>>()?,
        })
    }

    /// Returns the member of that name.
    pub(crate) fn package(&self, name: &str) -> Option<&Package> {
        self.packages.iter().find(|package| package.name == name)
    }

    /// Returns the members that may be published.
    pub(crate) fn published(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| package.published)
    }
}

/// Returns a cargo command that works in the workspace.
pub(crate) fn cargo(workspace: &Workspace, args: &[&str]) -> Command {
    let mut command = process::cargo();
    command.args(args).current_dir(&workspace.root);
    command
}

/// Adds compiler flags to those of the environment.
pub(crate) fn add_flags(command: &mut Command, flags: &str) {
    let mut all = std::env::var_os("RUSTFLAGS").unwrap_or_default();
    all.push(" ");
    all.push(flags);
    // The encoded form would win over this one.
    command.env("RUSTFLAGS", all).env_remove("CARGO_ENCODED_RUSTFLAGS");
}

impl Package {
    fn from_json(json: &Value) -> Result<Self, WorkspaceError> {
        let targets = json["targets"].as_array().ok_or(WorkspaceError::Malformed("targets"))?;
        let all = json["features"].as_object().ok_or(WorkspaceError::Malformed("features"))?;
        let mut features: Vec<String> =
            all.keys().filter(|name| *name != "default").cloned().collect();
        features.sort();
        let passes_on = |name: &String| {
            let values = list(&json["features"], name);
            values.iter().all(|value| value.contains('/') || features.contains(value))
        };
        let passed_on = features.iter().filter(|name| passes_on(name)).cloned().collect();
        let manifest = text(json, "manifest_path")?;
        Ok(Self {
            name: text(json, "name")?,
            // `null` is any registry, an empty list is none.
            published: json["publish"].as_array().is_none_or(|list| !list.is_empty()),
            features,
            passed_on,
            folder: Path::new(&manifest).parent().map(Path::to_owned).unwrap_or_default(),
            targets: targets.iter().map(Target::from_json).collect::<Result<_, _>>()?,
        })
    }

    /// Returns the targets of one kind.
    pub(crate) fn targets<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Target> {
        self.targets.iter().filter(move |target| target.kinds.iter().any(|own| own == kind))
    }
}

impl Target {
    fn from_json(json: &Value) -> Result<Self, WorkspaceError> {
        Ok(Self {
            name: text(json, "name")?,
            kinds: list(json, "kind"),
            required_features: list(json, "required-features"),
        })
    }
}

fn text(json: &Value, part: &'static str) -> Result<String, WorkspaceError> {
    json[part].as_str().map(str::to_owned).ok_or(WorkspaceError::Malformed(part))
}

fn list(json: &Value, part: &str) -> Vec<String> {
    let items = json[part].as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_used_facts_are_read() {
        let workspace = Workspace::from_json(&json!({
            "workspace_root": "/r", "target_directory": "/r/target",
            "packages": [
                {"name": "a", "publish": null, "manifest_path": "/r/a/Cargo.toml",
                 "features": {"default": ["x"], "x": [], "b": ["c/d"], "e": ["c/d", "dep:f"]},
                 "targets": [{"name": "a", "kind": ["lib"]}]},
                {"name": "tools", "publish": [], "features": {}, "manifest_path": "/r/t/Cargo.toml",
                 "targets": [{"name": "one", "kind": ["example"], "required-features": ["y"]}]},
            ],
        }))
        .expect("complete");
        let a = workspace.package("a").expect("present");
        assert!(a.published);
        assert_eq!(a.features, ["b", "e", "x"]);
        assert_eq!(a.passed_on, ["b", "x"]);
        assert_eq!(a.folder, Path::new("/r/a"));
        let tools = workspace.package("tools").expect("present");
        assert!(!tools.published);
        let example = tools.targets("example").next().expect("present");
        assert_eq!(
            (example.name.as_str(), &example.required_features[..]),
            ("one", &["y".into()][..])
        );
        assert_eq!(workspace.published().count(), 1);
    }

    #[test]
    fn a_missing_part_is_named() {
        let error = Workspace::from_json(&json!({"workspace_root": "/r"})).expect_err("incomplete");
        assert_eq!(error.to_string(), "cargo metadata: no usable `packages` in the answer");
    }
}
