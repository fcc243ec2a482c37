//! The step `layers`: each crate depends on no sibling but the ones below it.
//!
//! Cargo's own tree is asked, so that a dependency through a third crate counts too.

use std::fmt;

use super::Outcome;
use super::steps::cargo;
use crate::workspace::Workspace;

/// What one crate may depend on.
struct Layer {
    /// The crate.
    package: &'static str,
    /// How its features are chosen.
    features: &'static [&'static str],
    /// The members of the workspace that it may reach, itself left out.
    allowed: &'static [&'static str],
}

/// The arrows of the architecture, all of them downwards.
const LAYERS: &[Layer] = &[
    Layer { package: "lightproc", features: &["--all-features"], allowed: &[] },
    Layer { package: "bastion-mailbox", features: &[], allowed: &[] },
    Layer { package: "bastion-executor", features: &["--all-features"], allowed: &["lightproc"] },
    Layer {
        package: "bastion-supervision",
        features: &["--no-default-features", "--features", "tokio"],
        allowed: &["lightproc", "bastion-mailbox"],
    },
    Layer {
        package: "bastion-supervision",
        features: &["--all-features"],
        allowed: &["lightproc", "bastion-mailbox", "bastion-executor"],
    },
    // Who has tokio gets no second executor.
    Layer {
        package: "supervised-tokio",
        features: &[],
        allowed: &["lightproc", "bastion-mailbox", "bastion-supervision"],
    },
    Layer {
        package: "bastion-classic",
        features: &["--all-features"],
        allowed: &[
            "lightproc",
            "bastion-mailbox",
            "bastion-executor",
            "bastion-supervision",
            "bastion-macros",
        ],
    },
    Layer { package: "bastion-macros", features: &["--all-features"], allowed: &[] },
    Layer {
        package: "bastion",
        features: &["--all-features"],
        allowed: &[
            "lightproc",
            "bastion-mailbox",
            "bastion-executor",
            "bastion-supervision",
            "bastion-classic",
            "bastion-macros",
        ],
    },
    Layer { package: "xtask", features: &[], allowed: &[] },
];

/// Compares cargo's tree of each layer with what the layer may know.
pub(super) fn run(workspace: &Workspace) -> Outcome {
    let members: Vec<&str> = workspace.packages.iter().map(|member| &*member.name).collect();
    let mut failed = 0;
    for layer in LAYERS {
        let args = [&["-p", layer.package, "-e", "normal"], layer.features].concat();
        let found = tree(workspace, &args).map(|text| forbidden(&text, layer, &members));
        let verdict = match found {
            Ok(arrows) if arrows.is_empty() => "ok".to_owned(),
            Ok(arrows) => format!("must not depend on {}", arrows.join(", ")),
            Err(error) => error.to_string(),
        };
        println!("--- cargo tree {}: {verdict}", args.join(" "));
        failed += usize::from(verdict != "ok");
    }
    match failed {
        0 => Outcome::Passed,
        failed => Outcome::Failed(format!("{failed} of {} layers", LAYERS.len())),
    }
}

/// What cargo said instead of a tree.
#[derive(Debug)]
struct TreeError(String);

impl fmt::Display for TreeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.trim())
    }
}

/// Returns cargo's tree as lines of names.
fn tree(workspace: &Workspace, args: &[&str]) -> Result<String, TreeError> {
    let mut command = cargo(workspace, &["tree", "--prefix", "none"]);
    let output = command.args(args).output().map_err(|error| TreeError(error.to_string()))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(TreeError(String::from_utf8_lossy(&output.stderr).into_owned()))
    }
}

/// Returns the members in a tree that the layer must not know.
fn forbidden(tree: &str, layer: &Layer, members: &[&str]) -> Vec<String> {
    let mut arrows: Vec<String> = tree
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| members.contains(name))
        .filter(|name| *name != layer.package && !layer.allowed.contains(name))
        .map(str::to_owned)
        .collect();
    arrows.sort();
    arrows.dedup();
    arrows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_siblings_that_are_not_below_are_found() {
        let layer = Layer { package: "middle", features: &[], allowed: &["low"] };
        let members = ["low", "middle", "high"];
        let tree = "middle v1.0.0 (/r/middle)\nlow v1.0.0 (/r/low)\nserde v1.0.0\n";
        assert!(forbidden(tree, &layer, &members).is_empty());
        let tree = format!("{tree}high v1.0.0 (/r/high)\nhigh v1.0.0 (/r/high) (*)\n");
        assert_eq!(forbidden(&tree, &layer, &members), ["high"]);
    }
}
