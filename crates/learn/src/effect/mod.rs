//! Effects: what an action changes, for whom, and how sure that is; how often an offer is taken.

mod acceptance;
mod design;
mod fit;
mod posterior;
mod rows;
#[cfg(test)]
mod tests;

pub use acceptance::{Acceptance, AcceptanceCount};
pub use design::EffectDesign;
pub use fit::fit;
pub use posterior::{ActionLoad, EffectDraw, EffectPosterior};
pub use rows::EffectRows;
