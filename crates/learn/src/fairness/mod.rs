//! Are groups of customers treated alike? Rates by group with intervals, gaps to a reference, a verdict in words; and
//! thresholds by group that close a gap, with what they cost.
//!
//! Nothing here decides what is fair: being selected may be a favour or a burden, and rates that must not differ in one
//! use may have to in another. It measures, and says what it measured.
//!
//! ```
//! use thalweg_learn::evaluate::Grouping;
//! use thalweg_learn::fairness::{Decided, Reference, fairness};
//!
//! // two hundred customers; every second one has level "b", and far fewer of them are selected
//! let level: Vec<u32> = (0..200).map(|row| row % 2).collect();
//! let selected: Vec<bool> = (0..200).map(|row| row % 20 < 10 && (row % 2 == 0 || row % 20 == 1)).collect();
//! let came: Vec<bool> = (0..200).map(|row| row % 3 == 0).collect();
//! let customer: Vec<u64> = (0..200).collect();
//! let names = ["a".to_owned(), "b".to_owned()];
//! let column = Grouping { column: "region", level: &level, names: &names };
//! let decided = Decided { p: &[0.3; 200], selected: &selected, y: &came, group: &customer };
//! let report = fairness(&decided, &column, Reference::Level("a"))?;
//! assert!((report.comparisons[0].selection_ratio.mean - 0.2).abs() < 1e-12);
//! assert_eq!(report.check.code, Some("TW0324"));
//! # Ok::<(), thalweg_domain::Error>(())
//! ```

mod equalise;
mod rates;
mod report;
#[cfg(test)]
mod tests;

pub use equalise::{Equalised, GroupThreshold, Parity, equalise};
pub use rates::{Rate, newcombe_difference, ratio_interval};
pub use report::{Comparison, Decided, FairnessReport, GroupRates, Reference, fairness};
