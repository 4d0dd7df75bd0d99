//! A fitted preparation as plain data, for programs that do the same elsewhere: exporters.

use thalweg_domain::ColumnKind;

use super::Preparer;
use super::column::Encoder;
use super::levels::{DenseLevel, Levels};
use super::scale::Scale;

/// What becomes of one column.
#[derive(Debug, Clone, PartialEq)]
pub struct EncodedColumn {
    /// Its name in the table.
    pub name: String,
    /// Its kind.
    pub kind: ColumnKind,
    /// How it is encoded.
    pub encoding: Encoding,
}

/// How a column is encoded.
#[derive(Debug, Clone, PartialEq)]
pub enum Encoding {
    /// A number, a boolean (0 or 1) or a date (days since 1970). Raw, it stays as it is, NaN for missing.
    Number(Scaling),
    /// A category.
    Category(Categories),
    /// Text, by terms: no plain data says what becomes of it.
    Text,
}

/// The dense cells of a number: `clamp((clamp(x or median, low, high) - mean) / sd, -limit, limit)`, 0 when `sd` is 0, in
/// double precision and then rounded to single.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scaling {
    /// Stands for a missing cell.
    pub median: f64,
    /// Least and greatest number before standardising.
    pub clip: (f64, f64),
    /// Of the clipped training cells.
    pub mean: f64,
    /// Of the clipped training cells.
    pub sd: f64,
    /// Largest standardised cell.
    pub limit: f64,
    /// The cells of a second column, which says whether the number is missing: no, yes. `None` without such a column.
    pub missing: Option<[f32; 2]>,
}

/// The levels of a category and its dense columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Categories {
    /// The levels of training, most frequent first.
    pub levels: Vec<String>,
    /// The dense columns, in order.
    pub dense: Vec<CategoryColumn>,
    /// The raw encoding.
    pub raw: RawCategories,
}

/// A dense column of a category.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CategoryColumn {
    /// When it is set.
    pub when: CategoryTest,
    /// Its cell where it is not set, and where it is.
    pub cells: [f32; 2],
}

/// When a dense column of a category is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CategoryTest {
    /// The cell is the level of this place among the levels.
    Level(usize),
    /// The cell is a level without a column of its own, or one that training did not have; not when it is missing.
    Other,
    /// The cell is missing.
    Missing,
}

/// The raw encoding of a category.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RawCategories {
    /// For each of these levels a column: 1 for the level, 0 for others and unseen ones, NaN for missing.
    OneHot(std::ops::Range<usize>),
    /// One column: the place of the level, the number of levels for an unseen one, NaN for missing.
    Rank,
}

impl Preparer {
    /// What becomes of each column that is read, in the order of the encodings.
    #[must_use]
    pub fn structure(&self) -> Vec<EncodedColumn> {
        let encoded = self.columns.iter().map(|column| EncodedColumn {
            name: column.name.clone(),
            kind: column.encoder.kind(),
            encoding: match &column.encoder {
                Encoder::Number(scale) | Encoder::Date(scale) | Encoder::Boolean(scale) => {
                    Encoding::Number(Scale::structure(scale))
                }
                Encoder::Category(levels) => Encoding::Category(categories(levels)),
                Encoder::Text(_) => Encoding::Text,
            },
        });
        encoded.collect()
    }
}

fn categories(levels: &Levels) -> Categories {
    let dense = levels.dense_columns().map(|(level, moments)| CategoryColumn {
        when: match level {
            DenseLevel::Kept(rank) => CategoryTest::Level(rank),
            DenseLevel::Other => CategoryTest::Other,
            DenseLevel::Missing => CategoryTest::Missing,
        },
        cells: [moments.standardise(false), moments.standardise(true)],
    });
    Categories {
        levels: levels.names().to_vec(),
        dense: dense.collect(),
        raw: if levels.one_hot_in_raw() {
            RawCategories::OneHot(levels.raw_ranks())
        } else {
            RawCategories::Rank
        },
    }
}
