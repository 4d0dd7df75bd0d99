//! Running the built `thalweg` in a scratch folder.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// Folder with the real data sets, when this machine has it; says so loudly when not.
pub(crate) fn shared_data() -> Option<PathBuf> {
    let folder = root().join("../shared/data");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!(
        "REAL DATA IS NOT HERE: {} does not exist, so this test checked nothing",
        folder.display()
    );
    None
}

/// What the caller's environment could change about a command's output.
const SURROUNDINGS: &[&str] = &[
    "RAYON_NUM_THREADS",
    "NO_COLOR",
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "COLUMNS",
];

/// A `thalweg` command in a folder.
pub(crate) fn thalweg(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_thalweg"));
    command.current_dir(dir).args(args);
    for name in SURROUNDINGS {
        command.env_remove(name);
    }
    command
}

/// Runs it and gives the output.
pub(crate) fn output(dir: &Path, args: &[&str]) -> Output {
    thalweg(dir, args).output().unwrap()
}

/// Runs it, asserts success and gives stdout.
pub(crate) fn succeed(dir: &Path, args: &[&str]) -> String {
    let output = output(dir, args);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "thalweg {args:?} failed: {stderr}");
    String::from_utf8(output.stdout).unwrap()
}

/// Runs it with `--json` and gives the object.
pub(crate) fn json(dir: &Path, args: &[&str]) -> serde_json::Value {
    let mut all = args.to_vec();
    all.push("--json");
    serde_json::from_str(&succeed(dir, &all)).unwrap()
}

/// Runs it with `--json`, asserts that it fails and gives exit code and error object.
pub(crate) fn fail(dir: &Path, args: &[&str]) -> (i32, serde_json::Value) {
    let mut all = args.to_vec();
    all.push("--json");
    let output = output(dir, &all);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "thalweg {args:?} should have failed");
    assert!(output.stdout.is_empty(), "stdout must stay empty on an error");
    let line = stderr.lines().last().unwrap_or_default();
    let object: serde_json::Value =
        serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {stderr}"));
    (output.status.code().unwrap(), object["error"].clone())
}
