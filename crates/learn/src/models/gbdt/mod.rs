//! Gradient-boosted trees by `forust-ml`.

mod fit;
mod params;
mod predict;
#[cfg(test)]
mod tests;

pub use params::GbdtParams;

pub(crate) use fit::fit;
pub(crate) use predict::Gbdt;
