//! Collecting, from the outside: small folders of files in, tables or errors out.

mod features;
mod files;
mod panel;
mod profiles;
mod real_data;
mod refusals;
mod roles;
mod stored;

use std::fs;
use std::path::Path;

use tempfile::TempDir;
use thalweg_domain::{ColumnData, Error, ExitClass, Table};

use crate::{CollectSpec, TargetSpec};

/// A folder of files that goes away after the test.
struct Folder(TempDir);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        for (name, text) in files {
            folder.put(name, text.as_bytes());
        }
        folder
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn spec(&self, source: &str) -> CollectSpec {
        CollectSpec::of(self.path(), source)
    }
}

fn target(column: &str, positive: Option<&str>) -> Option<TargetSpec> {
    Some(TargetSpec {
        column: column.to_owned(),
        positive: positive.map(str::to_owned),
    })
}

fn numbers<'a>(table: &'a Table, name: &str) -> &'a [f64] {
    match &table.column(name).unwrap().data {
        ColumnData::Number(cells) => cells,
        other => panic!("{name} is {other:?}"),
    }
}

fn cells(table: &Table, name: &str) -> Vec<String> {
    let column = table.column(name).unwrap();
    (0..column.len()).map(|row| column.cell_text(row)).collect()
}

fn kinds(table: &Table) -> Vec<(&str, &str)> {
    table
        .columns()
        .iter()
        .map(|column| (column.name.as_str(), column.kind().as_str()))
        .collect()
}

/// Code, exit class, place, and parts of the message and hint.
struct Expected<'a> {
    code: &'a str,
    at: Option<(&'a str, Option<u64>)>,
    says: &'a [&'a str],
}

fn assert_refused<T: std::fmt::Debug>(result: Result<T, Error>, expected: &Expected<'_>) {
    let error = result.expect_err(expected.code);
    let text = format!("{error}\nhint: {}", error.hint.as_deref().unwrap_or_default());
    assert_eq!(error.code, expected.code, "{text}");
    assert_eq!(error.info().unwrap().exit, ExitClass::Data, "{text}");
    assert_eq!(error.exit_code(), 3, "{text}");
    let place = error.at.as_ref().map(|place| (place.file.as_str(), place.row));
    assert_eq!(place, expected.at, "{text}");
    for part in expected.says {
        assert!(text.contains(part), "{part:?} is not in: {text}");
    }
    assert!(error.hint.is_some_and(|hint| !hint.is_empty()), "no hint: {text}");
    let first = error.message.chars().next().unwrap();
    assert!(
        !first.is_uppercase() || error.message.starts_with("UTF"),
        "{text}"
    );
    assert!(!error.message.ends_with('.'), "{text}");
}
