//! Text columns: terms with their TF-IDF weights, a few plain numbers, and scores of a linear model on the terms.
//!
//! The linear models read the terms themselves. Nets and trees read, for each output, the score of a linear model
//! of the terms: for training rows out of fold, so that the score says as much about its row as it will about a new
//! one (stacking, Wolpert 1992, doi 10.1016/S0893-6080(05)80023-1), for new rows by the model of all training rows.

mod encoder;
mod numbers;
mod scorer;
#[cfg(test)]
mod tests;
mod tokens;
mod vectoriser;
mod vocabulary;

pub(super) use encoder::{TextCells, TextEncoder};
