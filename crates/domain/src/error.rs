//! The one error type: what was being done, with which value, where, and what to do next.

use std::fmt;

use crate::codes::{CodeInfo, ExitClass, code_info};

/// `Result` with Thalweg's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Where in a user's file something is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// The file, as the user named it.
    pub file: String,
    /// The line in a text file, counted from 1 (in a CSV file the header is line 1).
    pub row: Option<u64>,
    /// The column or key.
    pub column: Option<String>,
}

/// An error that a person can act on.
///
/// `code` is one of [`crate::CODES`]; `message` is lower case, without a full stop, in the user's words.
#[derive(Debug)]
pub struct Error {
    /// Stable code, such as `TW0203`.
    pub code: &'static str,
    /// What is wrong, with the value that is wrong.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
    /// Where.
    pub at: Option<Place>,
    /// What was being done, such as `collecting telco`.
    pub doing: Option<String>,
    /// The error beneath, if another library reported one.
    pub cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error with a code from the table and a message.
    #[must_use]
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        debug_assert!(code_info(code).is_some(), "code {code} is not in the table");
        Self {
            code,
            message: message.into(),
            hint: None,
            at: None,
            doing: None,
            cause: None,
        }
    }

    /// The same error with advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same error, placed in a file.
    #[must_use]
    pub fn at(mut self, file: impl Into<String>, row: Option<u64>, column: Option<&str>) -> Self {
        self.at = Some(Place {
            file: file.into(),
            row,
            column: column.map(str::to_owned),
        });
        self
    }

    /// The same error with what was being done; an inner statement is kept.
    #[must_use]
    pub fn doing(mut self, doing: impl Into<String>) -> Self {
        self.doing.get_or_insert(doing.into());
        self
    }

    /// The same error with the error that caused it.
    #[must_use]
    pub fn cause(mut self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// The row of the error table for this code.
    #[must_use]
    pub fn info(&self) -> Option<&'static CodeInfo> {
        code_info(self.code)
    }

    /// The process exit code that this error leads to.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        self.info().map_or(ExitClass::Internal, |info| info.exit).code()
    }
}

impl fmt::Display for Error {
    /// `error[TW0203]: customers.csv:151: …`, on one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error[{}]: ", self.code)?;
        if let Some(place) = &self.at {
            write!(f, "{}", place.file)?;
            if let Some(row) = place.row {
                write!(f, ":{row}")?;
            }
            write!(f, ": ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_ref().map(|cause| {
            let cause: &(dyn std::error::Error + 'static) = cause.as_ref();
            cause
        })
    }
}
