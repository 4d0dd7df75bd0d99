//! Writes a file whole or not at all: beside it first, then renamed.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use thalweg_domain::{Error, Result};

/// Replaces the file's contents, durably; leaves it alone when they are the same.
///
/// A process that dies leaves the old file, at worst beside a `.partial` one that the next call overwrites.
pub(super) fn whole(path: &Path, bytes: &[u8]) -> Result<()> {
    if fs::read(path).is_ok_and(|present| present == bytes) {
        return Ok(());
    }
    replace(path, bytes).map_err(|error| unusable(path, "written", error))
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    fs::create_dir_all(folder)?;
    let partial = partial_path(path);
    let mut file = File::create(&partial)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&partial, path)?;
    sync_folder(folder)
}

fn partial_path(path: &Path) -> std::path::PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".partial");
    path.with_file_name(name)
}

/// Makes the rename itself durable; only Unix can open a folder for that.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(folder)?.sync_all()
    } else {
        Ok(())
    }
}

/// The error for a file of the outbox that cannot be used.
pub(super) fn unusable(path: &Path, how: &str, error: io::Error) -> Error {
    Error::new("TW0601", format!("\"{}\" cannot be {how}", path.display()))
        .hint(
            "make the outbox's folder writable or free some space, then deliver again: nothing is sent twice",
        )
        .cause(error)
}
