//! The workspace folder: where its file, its ledger and its artifacts lie, and the lock that keeps two runs apart.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use thalweg_domain::{Error, Result};

use crate::config::{self, Config};

/// Name of the configuration file.
pub const CONFIG_FILE: &str = "thalweg.toml";

/// A workspace folder with its checked configuration.
#[derive(Debug, Clone)]
pub struct Workspace {
    /// The folder.
    pub dir: PathBuf,
    /// The checked configuration.
    pub config: Config,
    /// Hash of the configuration file's text.
    pub config_hash: String,
}

impl Workspace {
    /// Reads and checks the folder's `thalweg.toml`.
    ///
    /// # Errors
    /// `TW0101` when there is none, `TW0102` to `TW0107` when it cannot be used.
    pub fn open(dir: &Path) -> Result<Self> {
        let path = dir.join(CONFIG_FILE);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(cause) => return Err(no_workspace(dir, &path, cause)),
        };
        let name = fs::canonicalize(dir)
            .ok()
            .and_then(|dir| dir.file_name().map(|name| name.to_string_lossy().into_owned()))
            .unwrap_or_else(|| "workspace".to_owned());
        let config = config::parse(CONFIG_FILE, &text, &name)?;
        let config_hash = crate::hash::content_id("c", text.as_bytes());
        Ok(Self {
            dir: dir.to_owned(),
            config,
            config_hash,
        })
    }

    /// The ledger's file.
    #[must_use]
    pub fn ledger_path(&self) -> PathBuf {
        self.dir.join("thalweg.db")
    }

    /// The path of an artifact: `artifacts/KIND/ID.EXT`.
    #[must_use]
    pub fn artifact(&self, kind: &str, id: &str, extension: &str) -> PathBuf {
        self.dir
            .join("artifacts")
            .join(kind)
            .join(format!("{id}.{extension}"))
    }

    /// Takes the workspace's lock; it is released when the file is dropped or the process dies.
    ///
    /// # Errors
    /// `TW0820` when another run holds it, `TW0821` when the folder cannot be written.
    pub fn lock(&self) -> Result<File> {
        let folder = self.dir.join("artifacts");
        let refuse = |cause: std::io::Error| {
            Error::new("TW0821", format!("cannot write in \"{}\"", folder.display()))
                .hint("the workspace folder must be writable and the disk not full")
                .cause(cause)
        };
        fs::create_dir_all(&folder).map_err(refuse)?;
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(folder.join(".lock"))
            .map_err(refuse)?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(Error::new(
                "TW0820",
                format!("another run is at work in \"{}\"", self.dir.display()),
            )
            .hint("wait for it to end, then try again")),
            Err(TryLockError::Error(cause)) => Err(refuse(cause)),
        }
    }
}

fn no_workspace(dir: &Path, path: &Path, cause: std::io::Error) -> Error {
    if cause.kind() == std::io::ErrorKind::NotFound {
        return Error::new("TW0101", format!("no {CONFIG_FILE} in \"{}\"", dir.display())).hint(
            "name the workspace folder, or make one: thalweg init DIR --from customers.csv --key customer_id --target churn",
        );
    }
    Error::new("TW0101", format!("cannot read \"{}\"", path.display()))
        .hint("check the file's permissions")
        .cause(cause)
}
