//! From a path or a glob to the files it names, in a fixed order.

use std::fs;
use std::path::{Path, PathBuf};

use thalweg_domain::{Error, Result};

/// A file to read.
pub(crate) struct SourceFile {
    pub(crate) path: PathBuf,
    /// As the user would name it: relative to the base where it lies there.
    pub(crate) shown: String,
    pub(crate) format: Format,
}

/// What the extension says.
#[derive(Clone, Copy)]
pub(crate) enum Format {
    Csv,
    JsonLines,
    Parquet,
}

impl Format {
    fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "csv" => Some(Self::Csv),
            "jsonl" | "ndjson" | "json" => Some(Self::JsonLines),
            "parquet" | "pq" => Some(Self::Parquet),
            _ => None,
        }
    }
}

/// The files of a pattern, sorted by path.
pub(crate) fn resolve(base: &Path, pattern: &str) -> Result<Vec<SourceFile>> {
    if !pattern.contains(['*', '?', '[']) || base.join(pattern).is_file() {
        return Ok(vec![source_file(base, base.join(pattern))?]);
    }
    let full = Path::new(&glob::Pattern::escape(&base.to_string_lossy())).join(pattern);
    let paths = glob::glob(&full.to_string_lossy()).map_err(|cause| {
        Error::new("TW0222", format!("\"{pattern}\" is not a pattern: {}", cause.msg))
            .hint("write * for any characters, ? for one, [ab] for one of a set, ** for any folders")
    })?;
    let mut paths: Vec<PathBuf> = paths
        .filter_map(std::result::Result::ok)
        .filter(|path| path.is_file())
        .collect();
    paths.sort();
    if paths.is_empty() {
        return Err(Error::new("TW0222", format!("no file matches \"{pattern}\""))
            .hint(format!(
                "looked from \"{}\"; check the folder and the extension",
                base.display()
            ))
            .at(pattern, None, None));
    }
    paths.into_iter().map(|path| source_file(base, path)).collect()
}

fn source_file(base: &Path, path: PathBuf) -> Result<SourceFile> {
    let shown = path.strip_prefix(base).unwrap_or(&path).display().to_string();
    if path.is_dir() {
        return Err(unreadable(
            &shown,
            "it is a folder",
            &format!("name the files in it: \"{shown}/*.csv\""),
        ));
    }
    let format = Format::of(&path).ok_or_else(|| {
        Error::new("TW0216", format!("\"{shown}\" is of a kind that cannot be read"))
            .hint("give CSV (.csv), Parquet (.parquet) or JSON lines (.jsonl), not packed")
            .at(&shown, None, None)
    })?;
    Ok(SourceFile { path, shown, format })
}

/// The whole file.
pub(crate) fn read_bytes(path: &Path, shown: &str) -> Result<Vec<u8>> {
    fs::read(path).map_err(|cause| cannot_open(shown, "it starts from the folder of thalweg.toml", cause))
}

/// The error for a file that cannot be opened; `start` says where its path starts from.
pub(crate) fn cannot_open(shown: &str, start: &str, cause: std::io::Error) -> Error {
    let (why, hint) = match cause.kind() {
        std::io::ErrorKind::NotFound => (
            "there is no such file".to_owned(),
            format!("check the path; {start}"),
        ),
        std::io::ErrorKind::PermissionDenied => (
            "permission denied".to_owned(),
            "let this user read the file".to_owned(),
        ),
        _ => (
            cause.to_string(),
            "check the path and that the disk is there".to_owned(),
        ),
    };
    unreadable(shown, &why, &hint).cause(cause)
}

fn unreadable(shown: &str, why: &str, hint: &str) -> Error {
    Error::new("TW0201", format!("cannot read \"{shown}\": {why}"))
        .hint(hint)
        .at(shown, None, None)
}
