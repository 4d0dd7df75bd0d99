//! Determinism: neither the number of threads nor where the folder lies changes a byte of what is made.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::support::{root, succeed, thalweg};

/// The clock of every command here and in the kill tests.
pub(crate) const AS_OF: &str = "2026-11-24T12:00:00Z";

/// A folder "telco" inside a new temporary folder: the example with its first customers only.
pub(crate) fn telco(customers: Option<usize>) -> (TempDir, PathBuf) {
    let parent = TempDir::new().unwrap();
    let folder = parent.path().join("telco");
    let example = root().join("examples/telco");
    fs::create_dir_all(folder.join("templates")).unwrap();
    fs::copy(example.join("thalweg.toml"), folder.join("thalweg.toml")).unwrap();
    for entry in fs::read_dir(example.join("templates")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), folder.join("templates").join(entry.file_name())).unwrap();
    }
    let table = fs::read_to_string(example.join("customers.csv")).unwrap();
    let lines = customers.map_or(usize::MAX, |customers| customers + 1);
    let cut: String = table.split_inclusive('\n').take(lines).collect();
    fs::write(folder.join("customers.csv"), cut).unwrap();
    (parent, folder)
}

/// Every file under a folder by its relative path; dot-files are nobody's artifact and are left out.
pub(crate) fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    gather(folder, "", &mut found);
    found
}

fn gather(folder: &Path, prefix: &str, found: &mut BTreeMap<String, Vec<u8>>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if entry.path().is_dir() {
            gather(&entry.path(), &format!("{prefix}{name}/"), found);
        } else if !name.starts_with('.') {
            found.insert(format!("{prefix}{name}"), fs::read(entry.path()).unwrap());
        }
    }
}

/// Asserts that two folders hold the same names with the same bytes.
pub(crate) fn assert_same(left: &BTreeMap<String, Vec<u8>>, right: &BTreeMap<String, Vec<u8>>, what: &str) {
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(left), names(right), "{what}: other file names");
    for (name, bytes) in left {
        assert!(right[name] == *bytes, "{what}: {name} has other bytes");
    }
}

#[test]
fn threads_and_place_change_no_byte() {
    let (_one, first) = telco(Some(2_000));
    let (_two, second) = telco(Some(2_000));
    let (_three, third) = telco(Some(2_000));
    succeed(&first, &["run", "--threads", "1", "--as-of", AS_OF]);
    succeed(&second, &["run", "--threads", "2", "--as-of", AS_OF]);
    let by_env = thalweg(&third, &["run", "--as-of", AS_OF])
        .env("RAYON_NUM_THREADS", "1")
        .output()
        .unwrap();
    assert!(by_env.status.success());
    let made = files(&first.join("artifacts"));
    for kind in ["tables/t-", "models/m-", "evaluations/e-", "plans/p-"] {
        let count = made.keys().filter(|name| name.starts_with(kind)).count();
        assert_eq!(count, 1, "one artifact {kind}… among {:?}", made.keys());
    }
    assert_same(&made, &files(&second.join("artifacts")), "1 and 2 threads");
    assert_same(
        &made,
        &files(&third.join("artifacts")),
        "--threads 1 and RAYON_NUM_THREADS=1",
    );
    for (name, bytes) in &made {
        eprintln!("the same with 1 and 2 threads: {name}, {} bytes", bytes.len());
    }
}
