//! How long work tells how far it is; the command line draws it, tests ignore it.

/// Receives progress. Calls may come from several threads.
pub trait Progress: Send + Sync {
    /// A piece of work begins; `total` steps if known.
    fn start(&self, what: &str, total: Option<usize>);
    /// So many steps are done.
    fn advance(&self, done: usize);
    /// The piece of work is over.
    fn finish(&self);
}

/// Tells nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn start(&self, _what: &str, _total: Option<usize>) {}
    fn advance(&self, _done: usize) {}
    fn finish(&self) {}
}
