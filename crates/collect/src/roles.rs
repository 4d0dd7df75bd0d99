//! Roles of columns: keys, clusters, target and consent.

mod flag;
mod key;
mod target;

pub(crate) use flag::flag;
pub(crate) use key::{clusters, keys};
pub(crate) use target::target;
