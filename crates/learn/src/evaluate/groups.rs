//! Rows by the level of a column: how a model fares for each.

use thalweg_domain::{Error, MISSING_LEVEL, Result};

use super::input::check_same;

/// A column with few levels that splits the rows.
#[derive(Debug, Clone, Copy)]
pub struct Grouping<'a> {
    /// The column's name.
    pub column: &'a str,
    /// Code into `names` per row; [`MISSING_LEVEL`] is a group of its own, called "missing".
    pub level: &'a [u32],
    /// The levels as text.
    pub names: &'a [String],
}

/// The rows of one level.
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) rows: Vec<usize>,
}

impl Grouping<'_> {
    /// The levels that have rows, in the order of their codes, the missing ones last.
    ///
    /// # Errors
    /// `TW0320` for a code beyond the names; `TW0901` for another number of rows; `TW0303` without rows.
    pub(crate) fn groups(&self, n_rows: usize) -> Result<Vec<Group>> {
        check_same(&[self.level.len(), n_rows])?;
        let mut rows = vec![Vec::new(); self.names.len() + 1];
        for (row, code) in self.level.iter().enumerate() {
            let place = if *code == MISSING_LEVEL {
                self.names.len()
            } else {
                *code as usize
            };
            match rows
                .get_mut(place)
                .filter(|_| *code == MISSING_LEVEL || place < self.names.len())
            {
                Some(rows) => rows.push(row),
                None => return Err(self.unknown(*code, row)),
            }
        }
        let names = self.names.iter().map(String::as_str).chain(["missing"]);
        let filled = names.zip(rows).filter(|(_, rows)| !rows.is_empty());
        Ok(filled
            .map(|(name, rows)| Group {
                name: name.to_owned(),
                rows,
            })
            .collect())
    }

    fn unknown(&self, code: u32, row: usize) -> Error {
        let message = format!(
            "column \"{}\" has level number {code} in row {}, but only {} levels",
            self.column,
            row + 1,
            self.names.len()
        );
        Error::new("TW0320", message).hint("number the levels from 0")
    }
}

/// The cells of some rows.
pub(crate) fn take<T: Copy>(cells: &[T], rows: &[usize]) -> Vec<T> {
    rows.iter().map(|row| cells[*row]).collect()
}
