//! Models in layers: one for everybody, and corrections for segments that are shrunk to what their rows can carry.

mod compare;
mod evidence;
mod model;
mod segments;
mod study;
#[cfg(test)]
mod tests;

pub use compare::{LayeredComparison, compare};
pub use model::{LayeredModel, train};
pub use segments::SegmentParams;
pub use study::{Contender, LayerStudy, StudyParams, study};
