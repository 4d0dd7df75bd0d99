//! The `file` adapter: a CSV file per channel for a call list or mail merge, and one JSON-lines outbox per cycle.

mod config;
mod deliver;
mod outbox;
mod sheet;
#[cfg(test)]
mod tests;
mod write;

pub use config::FileConfig;
pub use deliver::FileAdapter;
