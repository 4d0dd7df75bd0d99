//! Sources: a file or a glob becomes one typed table that remembers where each row came from.

mod cells;
pub(crate) mod csv_file;
pub(crate) mod json_lines;
mod locate;
mod origin;
pub(crate) mod parquet_file;

use std::collections::BTreeMap;
use std::path::Path;

use thalweg_domain::{Column, Error, Result, Table};

pub(crate) use cells::{Cells, TextCells};
pub(crate) use locate::{Format, SourceFile, cannot_open, read_bytes, resolve};
pub(crate) use origin::Origin;

use crate::fingerprint::Fingerprint;
use crate::infer::{self, Fault, Reading};
use crate::near::{quoted, unknown_column};
use crate::spec::MissingTokens;

/// One file's columns, untyped where the format is.
pub(crate) struct RawFile {
    pub(crate) columns: Vec<(String, Cells)>,
    /// The line of each row; empty when rows are numbered (Parquet).
    pub(crate) lines: Vec<u64>,
    /// Columns that hold lists or records, which no table of ours can.
    pub(crate) nested: Vec<String>,
}

/// How to read the columns of a source.
pub(crate) struct ReadParams<'a> {
    pub(crate) base: &'a Path,
    /// A file or a glob.
    pub(crate) pattern: &'a str,
    pub(crate) missing: &'a MissingTokens,
    /// Columns with a role that fixes their type, by name.
    pub(crate) readings: BTreeMap<&'a str, Reading>,
}

/// A source as a table.
pub(crate) struct Source {
    pub(crate) table: Table,
    pub(crate) origin: Origin,
    pub(crate) nested: Vec<String>,
}

/// Reads a table of CSV, Parquet or JSON lines (a file or a glob) with its types.
///
/// # Errors
/// The codes `TW0201` to `TW0223` that concern files, rows and cells.
pub fn read_source(base: &Path, pattern: &str, missing: &MissingTokens) -> Result<Table> {
    let params = ReadParams {
        base,
        pattern,
        missing,
        readings: BTreeMap::new(),
    };
    let source = load(&params, &mut Fingerprint::new())?;
    check_tokens(missing, &[&source.table], pattern)?;
    Ok(source.table)
}

/// `TW0211` when a column with missing tokens is in none of the tables.
pub(crate) fn check_tokens(missing: &MissingTokens, tables: &[&Table], file: &str) -> Result<()> {
    for name in missing.keys() {
        if tables.iter().all(|table| table.column(name).is_none()) {
            let known: Vec<&str> = tables
                .iter()
                .flat_map(|table| crate::near::names(table))
                .collect();
            return Err(unknown_column(
                &format!("[features.columns.{name}]"),
                name,
                &known,
                file,
            ));
        }
    }
    Ok(())
}

/// Reads a source and adds its bytes to the fingerprint.
pub(crate) fn load(params: &ReadParams<'_>, fingerprint: &mut Fingerprint) -> Result<Source> {
    let mut all: Option<RawFile> = None;
    let mut origin = Origin::default();
    for file in resolve(params.base, params.pattern)? {
        let bytes = read_bytes(&file.path, &file.shown)?;
        fingerprint.add(&file.shown, &bytes);
        let mut raw = read_file(&file, bytes, params)?;
        let n_rows = raw.columns.first().map_or(0, |(_, cells)| cells.len());
        origin.push(file.shown.clone(), n_rows, std::mem::take(&mut raw.lines));
        match &mut all {
            None => all = Some(raw),
            Some(first) => append(first, raw, &file.shown)?,
        }
    }
    let raw = all.ok_or_else(|| Error::new("TW0222", format!("no file matches \"{}\"", params.pattern)))?;
    let known: Vec<&str> = raw.columns.iter().map(|(name, _)| name.as_str()).collect();
    for (name, reading) in &params.readings {
        if !known.contains(name) {
            return Err(unknown_column(reading.role(), name, &known, params.pattern));
        }
    }
    let columns = raw
        .columns
        .into_iter()
        .map(|(name, cells)| typed(name, cells, params, &origin));
    Ok(Source {
        table: Table::new(columns.collect::<Result<_>>()?)?,
        origin,
        nested: raw.nested,
    })
}

fn read_file(file: &SourceFile, bytes: Vec<u8>, params: &ReadParams<'_>) -> Result<RawFile> {
    let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes);
    if text.iter().all(u8::is_ascii_whitespace) {
        return Err(Error::new("TW0202", format!("\"{}\" is empty", file.shown))
            .hint("export it again, or name another file as source")
            .at(&file.shown, None, None));
    }
    let raw = match file.format {
        Format::Csv => csv_file::read(&file.shown, &bytes),
        Format::JsonLines => json_lines::read(&file.shown, &bytes),
        Format::Parquet => parquet_file::read(&file.shown, bytes, &params.readings),
    }?;
    if raw.columns.first().is_none_or(|(_, cells)| cells.len() == 0) {
        return Err(
            Error::new("TW0206", format!("\"{}\" has columns but no rows", file.shown))
                .hint("export it again with its rows, or name another file as source")
                .at(&file.shown, None, None),
        );
    }
    check_names(&raw, &file.shown)?;
    Ok(raw)
}

fn check_names(raw: &RawFile, shown: &str) -> Result<()> {
    let mut names: Vec<&str> = raw.columns.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    match names
        .windows(2)
        .find(|pair| pair.first() == pair.last())
        .and_then(|pair| pair.first())
    {
        None => Ok(()),
        Some(name) => Err(Error::new("TW0208", format!("two columns are called \"{name}\""))
            .hint("rename one of them in the header; every column needs a name of its own")
            .at(shown, Some(1), Some(name))),
    }
}

/// Appends the rows of a further file of the same glob.
fn append(first: &mut RawFile, mut next: RawFile, shown: &str) -> Result<()> {
    for (name, cells) in &mut first.columns {
        let found = next.columns.iter().position(|(candidate, _)| candidate == name);
        let appended = found.is_some_and(|at| cells.append(next.columns.swap_remove(at).1));
        if !appended {
            let what = if found.is_some() {
                "has another type of column"
            } else {
                "lacks column"
            };
            return Err(unlike(shown, &format!("{what} \"{name}\"")));
        }
    }
    match next.columns.first() {
        None => Ok(()),
        Some(_) => {
            let extra: Vec<&str> = next.columns.iter().map(|(name, _)| name.as_str()).collect();
            Err(unlike(
                shown,
                &format!("has further columns: {}", quoted(&extra, ", ")),
            ))
        }
    }
}

fn unlike(shown: &str, what: &str) -> Error {
    Error::new(
        "TW0226",
        format!("\"{shown}\" {what}, unlike the first file of the same pattern"),
    )
    .hint("files that one pattern matches must have the same columns; narrow the pattern or mend the file")
    .at(shown, None, None)
}

fn typed(name: String, cells: Cells, params: &ReadParams<'_>, origin: &Origin) -> Result<Column> {
    let tokens = params.missing.get(&name).map_or(&[] as &[String], Vec::as_slice);
    let reading = params
        .readings
        .get(name.as_str())
        .copied()
        .unwrap_or(Reading::Infer);
    match infer::column(cells, reading, tokens) {
        Ok(data) => Ok(Column { name, data }),
        Err(fault) => Err(cell_error(&name, &fault, origin)),
    }
}

fn cell_error(name: &str, fault: &Fault, origin: &Origin) -> Error {
    let (file, line) = origin.of(fault.row);
    let shown = infer::shortened(&fault.text);
    let error = match fault.expected {
        None => Error::new(
            "TW0223",
            format!("column \"{name}\" has an infinite number, \"{shown}\""),
        )
        .hint(format!(
            "mend the cell, or list it as missing: {}",
            token_line(name, &fault.others)
        )),
        Some(kind) if fault.fixed => Error::new(
            "TW0227",
            format!("column \"{name}\" must hold a {kind} in every row, here it is \"{shown}\""),
        )
        .hint("write moments as 2026-03-31 or 2026-03-31T14:05:00Z (UTC where no offset is given)"),
        Some(kind) => Error::new(
            "TW0203",
            format!("column \"{name}\" is a {kind} everywhere else, here it is \"{shown}\""),
        )
        .hint(format!(
            "mend the cell, or list it as missing: {}",
            token_line(name, &fault.others)
        )),
    };
    error.at(file, Some(line), Some(name))
}

/// The line of configuration that makes these texts missing.
fn token_line(name: &str, texts: &[String]) -> String {
    let bare = !name.is_empty()
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    let key = if bare {
        name.to_owned()
    } else {
        format!("{name:?}")
    };
    let texts: Vec<String> = texts.iter().map(|text| format!("{text:?}")).collect();
    format!("[features.columns.{key}] missing = [{}]", texts.join(", "))
}
