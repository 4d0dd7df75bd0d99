//! Sources to typed tables: files are read whole, checked, typed, joined with SQL features, and stored by content.
//!
//! The public functions block; the little asynchrony that DataFusion needs stays inside.
//!
//! How cells get their type (the whole file decides, not a sample):
//! - blank, `NA`, `null` and `NaN` cells are missing, as are the tokens that the configuration lists for a column;
//! - a column whose other cells are all `true` or `false` (in any case) is a boolean; `Yes` / `No` stay a category,
//!   usable as a target with `positive = "Yes"` and as a consent flag;
//! - a column whose cells are all numbers is a number. When at least 95 % and at least 20 of them are, the first
//!   that is not is an error (`TW0203`); infinities are errors (`TW0223`). A whole number written with leading
//!   zeros (`00501`) makes the column a code: a category;
//! - ISO dates and timestamps make a date, in UTC where no offset is written, under the same 95 % rule;
//! - the rest is text when cells have 20 characters or more on average and at least half are distinct, else a category;
//! - keys are always text, so `00001` stays `00001`.

mod arrow;
mod atomic;
mod collect;
mod collected;
mod features;
mod fingerprint;
mod hash;
mod infer;
mod near;
mod panel;
mod profile;
mod rfm;
mod roles;
mod source;
mod spec;
mod sql;
mod store;
pub mod stream;

pub use atomic::write_bytes_atomic;
pub use collect::collect;
pub use collected::{Collected, Note, NoteKind, Panel, Requirement};
pub use fingerprint::source_fingerprint;
pub use hash::content_hash;
pub use profile::{ColumnProfile, Profile, profile, profile_table};
pub use rfm::RFM_COLUMNS;
pub use source::read_source;
pub use spec::{CollectSpec, Cutoffs, EventSource, MissingTokens, PanelSpec, SqlFile, TargetSpec};
pub use store::{read, read_table, write, write_table};

#[cfg(test)]
mod tests;
