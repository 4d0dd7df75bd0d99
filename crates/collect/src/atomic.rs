//! Files that appear whole or not at all.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use tempfile::{Builder, NamedTempFile};
use thalweg_domain::{Error, Result};

/// Writes a file under a temporary name in the same folder, flushes it to disk and renames it into place; the folder
/// is made when absent.
///
/// # Errors
/// `TW0229` when the folder cannot be written to.
pub fn write_bytes_atomic(path: &Path, bytes: &[u8]) -> Result<()> {
    write_whole(path, bytes).map_err(|cause| not_written(path, cause))
}

/// The error for a file that cannot be written.
pub(crate) fn not_written(path: &Path, cause: std::io::Error) -> Error {
    Error::new("TW0229", format!("cannot write \"{}\": {cause}", path.display()))
        .hint("see that the folder exists, may be written to, and that the disk is not full")
        .cause(cause)
}

fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = begin(path)?;
    file.write_all(bytes)?;
    finish(file, path)
}

/// A file under a temporary name in the folder of `path`, which is made when absent; dropped, it is deleted.
pub(crate) fn begin(path: &Path) -> std::io::Result<NamedTempFile> {
    let folder = folder_of(path);
    fs::create_dir_all(folder)?;
    let mut builder = Builder::new();
    builder.prefix(".writing-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

/// Flushes a file that was begun to disk and gives it its name.
pub(crate) fn finish(file: NamedTempFile, path: &Path) -> std::io::Result<()> {
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    sync_folder(folder_of(path))
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// On Unix a rename is durable only once its folder is.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> std::io::Result<()> {
    Ok(())
}
