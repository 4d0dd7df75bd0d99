//! The stages, one file each: load what the stage needs, call the mathematics, record what came out.

pub(crate) mod collect;
pub(crate) mod deliver;
pub(crate) mod evaluate;
pub(crate) mod feedback;
pub(crate) mod init;
pub(crate) mod iterate;
pub(crate) mod plan;
pub(crate) mod train;
