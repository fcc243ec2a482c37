//! The test programs that cargo builds, to be run one by one: each with its own time, tool and verdict.
//!
//! It knows cargo's messages, and nothing of what is tested.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// One test program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Binary {
    /// The folder of its package and the name of its target: `lightproc/scripts`, `lightproc/src`.
    pub(crate) name: String,
    /// The program.
    pub(crate) program: PathBuf,
    /// The folder of its package, in which tests run.
    pub(crate) folder: PathBuf,
}

/// Says why there are no test programs.
#[derive(Debug)]
#[non_exhaustive]
pub(crate) enum BuildError {
    /// Cargo could not be run.
    NotRun(std::io::Error),
    /// The build failed; the compiler has said why.
    Failed,
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRun(error) => write!(f, "cargo did not start: {error}"),
            Self::Failed => f.write_str("it does not build"),
        }
    }
}

impl std::error::Error for BuildError {}

/// Has a `cargo test` command build without running, and returns what it built.
///
/// # Errors
/// When cargo cannot be run or the build fails.
pub(crate) fn build(mut command: Command) -> Result<Vec<Binary>, BuildError> {
    command.args(["--no-run", "--message-format=json-render-diagnostics"]);
    let args: Vec<_> = command.get_args().map(|arg| arg.to_string_lossy()).collect();
    eprintln!("--- cargo {}", args.join(" "));
    let output = command.stderr(Stdio::inherit()).output().map_err(BuildError::NotRun)?;
    if !output.status.success() {
        return Err(BuildError::Failed);
    }
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().filter_map(|line| binary(&serde_json::from_str(line).ok()?)).collect())
}

/// Returns the test program that a message of cargo tells of.
fn binary(message: &Value) -> Option<Binary> {
    let program = PathBuf::from(message["executable"].as_str()?);
    if message["profile"]["test"] != true {
        return None;
    }
    let folder = Path::new(message["manifest_path"].as_str()?).parent()?;
    let kinds = message["target"]["kind"].as_array()?;
    let integration = kinds.iter().any(|kind| kind == "test");
    let target = if integration { message["target"]["name"].as_str()? } else { "src" };
    let package = folder.file_name()?.to_string_lossy();
    Some(Binary { name: format!("{package}/{target}"), program, folder: folder.to_path_buf() })
}

impl Binary {
    /// Returns a command that runs it, in the folder where cargo would.
    pub(crate) fn command(&self) -> Command {
        self.under(&[])
    }

    /// Returns a command that runs it under a tool.
    pub(crate) fn under(&self, tool: &[String]) -> Command {
        let mut line = tool.iter().map(AsRef::as_ref).chain([self.program.as_os_str()]);
        let mut command = Command::new(line.next().unwrap_or_default());
        command.args(line).current_dir(&self.folder).env("CARGO_MANIFEST_DIR", &self.folder);
        command
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn test_programs_are_found_and_nothing_else() {
        let message = |kind: &str, test: bool| {
            json!({
                "reason": "compiler-artifact", "manifest_path": "/r/executor/Cargo.toml",
                "target": {"kind": [kind], "name": "timers"}, "profile": {"test": test},
                "executable": "/t/timers-1",
            })
        };
        let found = binary(&message("test", true)).expect("a test program");
        assert_eq!((&*found.name, &*found.folder), ("executor/timers", Path::new("/r/executor")));
        assert_eq!(found.command().get_program(), "/t/timers-1");
        let under = found.under(&["tool".to_owned(), "-q".to_owned()]);
        assert_eq!(under.get_program(), "tool");
        assert_eq!(under.get_args().collect::<Vec<_>>(), ["-q", "/t/timers-1"]);
        assert_eq!(binary(&message("lib", true)).expect("unit tests").name, "executor/src");
        assert_eq!(binary(&message("bin", false)), None);
        assert_eq!(binary(&json!({"reason": "build-finished", "success": true})), None);
    }
}
