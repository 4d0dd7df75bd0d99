//! The pieces of mathematics on a plain table, without a workspace: `thalweg tool …`.

pub mod allocate;
pub mod fit;
pub mod layers;
pub mod power;
pub mod profile;
pub mod response;
