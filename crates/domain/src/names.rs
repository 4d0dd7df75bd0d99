//! Names that exist only when valid: customers, channels, offers.

use std::fmt;

use crate::{Error, Result};

/// The customer's key in the user's own data. Personal data: `Debug` and `Display` redact it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CustomerKey(String);

impl CustomerKey {
    /// A key; any non-empty text.
    ///
    /// # Errors
    /// `TW0204` when empty.
    pub fn new(key: impl Into<String>) -> Result<Self> {
        let key = key.into();
        if key.is_empty() {
            return Err(Error::new("TW0204", "a customer key is empty")
                .hint("every customer needs a key of their own; fill the cell or drop the row"));
        }
        Ok(Self(key))
    }

    /// The key itself: for files and the ledger, never for logs.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for CustomerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CustomerKey(…)")
    }
}

impl fmt::Display for CustomerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("customer …")
    }
}

/// Letters, digits, `-`, `_` and `.`, up to 64 characters: safe in file names and reports.
fn checked_name(what: &str, name: String) -> Result<String> {
    let fits = !name.is_empty()
        && name.chars().count() <= 64
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))
        && !name.starts_with('.')
        && name != "none";
    if fits {
        return Ok(name);
    }
    Err(
        Error::new("TW0104", format!("\"{name}\" cannot be the name of a {what}"))
            .hint("use letters, digits, -, _ and ., at most 64 of them, and not \"none\""),
    )
}

/// A channel's name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelName(String);

/// An offer's name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OfferName(String);

macro_rules! name_type {
    ($type:ident, $what:literal) => {
        impl $type {
            /// Checks and wraps a name.
            ///
            /// # Errors
            /// `TW0104` when it is empty, too long, or not fit for a file name.
            pub fn new(name: impl Into<String>) -> Result<Self> {
                checked_name($what, name.into()).map(Self)
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name_type!(ChannelName, "channel");
name_type!(OfferName, "offer");
