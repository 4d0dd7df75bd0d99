//! What a table holds, column by column: for `init`, which guesses from it, and for `tool profile`.

mod hints;

use std::path::Path;

use thalweg_domain::{Column, ColumnData, ColumnKind, MISSING_LEVEL, Result, Table};

use crate::source::read_source;
use crate::spec::MissingTokens;

/// From this many rows on a column can look like a key.
const KEY_ROWS: usize = 20;
/// From this share of distinct cells on, in percent, words look like keys.
const KEY_PERCENT: usize = 98;
/// How many levels a profile lists.
const TOP_LEVELS: usize = 10;

/// A table's columns at a glance.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// Number of rows.
    pub n_rows: usize,
    /// In the order of the source.
    pub columns: Vec<ColumnProfile>,
}

/// One column at a glance.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnProfile {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: ColumnKind,
    /// Number of missing cells.
    pub n_missing: usize,
    /// Number of distinct cells, missing ones aside.
    pub n_distinct: usize,
    /// Least and greatest number, or date in microseconds since 1970.
    pub range: Option<(f64, f64)>,
    /// The most frequent cells of a category or boolean with their counts, at most ten.
    pub top_levels: Vec<(String, usize)>,
    /// Every cell its own: identifiers without a blank (98 % distinct), or distinct whole numbers without a gap or
    /// with a name such as `customer_id`; from 20 rows on.
    pub key_like: bool,
    /// One distinct cell at most.
    pub constant: bool,
    /// Numbers at or above zero under a name such as `monthly_charges`, `price` or `income`.
    pub money_like: bool,
}

/// Profiles a file (CSV, Parquet or JSON lines) or a glob.
///
/// # Errors
/// As [`read_source`].
pub fn profile(base: &Path, pattern: &str, missing: &MissingTokens) -> Result<Profile> {
    Ok(profile_table(&read_source(base, pattern, missing)?))
}

/// Profiles a table.
#[must_use]
pub fn profile_table(table: &Table) -> Profile {
    Profile {
        n_rows: table.n_rows(),
        columns: table.columns().iter().map(profile_column).collect(),
    }
}

pub(crate) fn profile_column(column: &Column) -> ColumnProfile {
    let facts = Facts::of(&column.data);
    let n_present = column.len() - facts.n_missing;
    ColumnProfile {
        name: column.name.clone(),
        kind: column.kind(),
        n_missing: facts.n_missing,
        n_distinct: facts.n_distinct,
        range: facts.range,
        key_like: n_present >= KEY_ROWS && facts.is_key(&column.name, n_present),
        constant: facts.n_distinct <= 1,
        money_like: column.kind() == ColumnKind::Number
            && facts
                .range
                .is_some_and(|(least, most)| least >= 0.0 && most > 0.0)
            && hints::is_money(&column.name),
        top_levels: facts.top_levels,
    }
}

#[derive(Default)]
struct Facts {
    n_missing: usize,
    n_distinct: usize,
    range: Option<(f64, f64)>,
    top_levels: Vec<(String, usize)>,
    /// Words none of which has a blank in it.
    identifiers: bool,
    whole_numbers: bool,
}

impl Facts {
    fn of(data: &ColumnData) -> Self {
        match data {
            ColumnData::Number(cells) => Self::of_numbers(
                cells.iter().copied().filter(|cell| !cell.is_nan()).collect(),
                cells.len(),
            ),
            ColumnData::Date(cells) => {
                #[expect(clippy::cast_precision_loss, reason = "a range for display")]
                let micros = cells.iter().flatten().map(|cell| *cell as f64).collect();
                Self {
                    whole_numbers: false,
                    ..Self::of_numbers(micros, cells.len())
                }
            }
            ColumnData::Boolean(cells) => {
                let count = |truth| cells.iter().filter(|cell| **cell == Some(truth)).count();
                Self::of_levels(
                    vec![
                        ("false".to_owned(), count(false)),
                        ("true".to_owned(), count(true)),
                    ],
                    cells.len(),
                )
            }
            ColumnData::Category { codes, levels } => Self::of_levels(counted(codes, levels), codes.len()),
            ColumnData::Text(cells) => Self::of_texts(cells),
        }
    }

    fn of_numbers(mut present: Vec<f64>, n_rows: usize) -> Self {
        let n_missing = n_rows - present.len();
        let whole_numbers = present.iter().all(|cell| cell.fract() == 0.0);
        present.sort_unstable_by(f64::total_cmp);
        let range = present.first().copied().zip(present.last().copied());
        present.dedup();
        Self {
            n_missing,
            n_distinct: present.len(),
            range,
            whole_numbers,
            ..Self::default()
        }
    }

    fn of_levels(mut levels: Vec<(String, usize)>, n_rows: usize) -> Self {
        levels.retain(|(_, n)| *n > 0);
        let n_present: usize = levels.iter().map(|(_, n)| n).sum();
        let n_distinct = levels.len();
        let identifiers = !levels
            .iter()
            .any(|(level, _)| level.contains(char::is_whitespace));
        levels.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        levels.truncate(TOP_LEVELS);
        Self {
            n_missing: n_rows - n_present,
            n_distinct,
            top_levels: levels,
            identifiers,
            ..Self::default()
        }
    }

    fn of_texts(cells: &[Option<String>]) -> Self {
        let mut present: Vec<&str> = cells.iter().flatten().map(String::as_str).collect();
        let n_missing = cells.len() - present.len();
        let identifiers = !present
            .iter()
            .any(|text| text.contains(char::is_whitespace) || !text.is_ascii());
        present.sort_unstable();
        present.dedup();
        Self {
            n_missing,
            n_distinct: present.len(),
            identifiers,
            ..Self::default()
        }
    }

    fn is_key(&self, name: &str, n_present: usize) -> bool {
        if self.identifiers {
            return self.n_distinct * 100 >= n_present * KEY_PERCENT;
        }
        let all_distinct = self.whole_numbers && self.n_distinct == n_present;
        #[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^52")]
        let gapless = self
            .range
            .is_some_and(|(least, most)| most - least == (n_present as f64) - 1.0);
        all_distinct && (gapless || hints::is_key(name))
    }
}

fn counted(codes: &[u32], levels: &[String]) -> Vec<(String, usize)> {
    let mut counts = vec![0_usize; levels.len()];
    for code in codes.iter().filter(|code| **code != MISSING_LEVEL) {
        if let Some(count) = counts.get_mut(*code as usize) {
            *count += 1;
        }
    }
    levels.iter().cloned().zip(counts).collect()
}
