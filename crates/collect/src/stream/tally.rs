//! What was noticed in the rows of a stream: missing cells, levels that training did not have, columns never seen.

use thalweg_domain::{ColumnKind, Error, Result};

/// Levels that are named as examples.
const EXAMPLES: usize = 5;

/// Counts of one column.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ColumnTally {
    /// The column's name.
    pub name: String,
    /// Missing cells.
    pub missing: u64,
    /// Cells whose level training did not have.
    pub unseen: u64,
    /// The first distinct ones among them, at most five.
    pub examples: Vec<String>,
    /// Cells that are there.
    pub(crate) present: u64,
    /// Unseen cells that are words: neither numbers nor dates nor truth values.
    pub(crate) words: u64,
    /// Whether the column was in the file at all (a key may be in no line).
    pub(crate) met: bool,
}

impl ColumnTally {
    pub(crate) fn of(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..Self::default()
        }
    }

    /// Of a column that is carried along: its missing cells, and whether the file has it.
    pub(crate) fn carried(name: &str, missing: usize, met: bool) -> Self {
        Self {
            missing: missing as u64,
            met,
            ..Self::of(name)
        }
    }

    pub(crate) fn add_example(&mut self, level: &str) {
        if self.examples.len() < EXAMPLES && !self.examples.iter().any(|known| known == level) {
            self.examples.push(level.to_owned());
        }
    }

    fn add(&mut self, other: &Self) {
        self.missing += other.missing;
        self.unseen += other.unseen;
        self.present += other.present;
        self.words += other.words;
        self.met |= other.met;
        other.examples.iter().for_each(|level| self.add_example(level));
    }
}

/// Counts of rows and of every column.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// Rows.
    pub rows: u64,
    /// One entry per column of the schema, in its order.
    pub columns: Vec<ColumnTally>,
    /// One entry per carried column.
    pub carried: Vec<ColumnTally>,
}

impl Tally {
    /// Adds the counts of the rows that follow.
    pub fn add(&mut self, other: &Self) {
        if self.rows == 0 {
            self.clone_from(other);
            return;
        }
        self.rows += other.rows;
        for (column, more) in self.columns.iter_mut().zip(&other.columns) {
            column.add(more);
        }
        for (column, more) in self.carried.iter_mut().zip(&other.carried) {
            column.add(more);
        }
    }

    /// What only the whole stream can tell: a column that no row had, a category that became a number.
    ///
    /// # Errors
    /// `TW0305`, `TW0211` and `TW0306`.
    pub fn check(&self, shown: &str) -> Result<()> {
        if let Some(column) = self.carried.iter().find(|column| self.rows > 0 && !column.met) {
            return Err(super::not_carried(&column.name, &[], shown));
        }
        for column in &self.columns {
            if self.rows > 0 && !column.met {
                return Err(super::absent(&column.name, &[], shown));
            }
            if column.present > 0 && column.unseen == column.present && column.words == 0 {
                let message = format!(
                    "column \"{}\" was of kind {} in training; here no cell is a level of then, and none is a word",
                    column.name,
                    ColumnKind::Category.as_str()
                );
                return Err(Error::new("TW0306", message)
                    .hint(format!(
                        "the first is \"{}\"; give the column the levels that it had in training",
                        column.examples.first().map_or("", String::as_str)
                    ))
                    .at(shown, None, Some(&column.name)));
            }
        }
        Ok(())
    }
}
