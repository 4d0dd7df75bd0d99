//! Cells before they have their final type.

/// Text cells in one allocation.
#[derive(Default)]
pub(crate) struct TextCells {
    text: String,
    ends: Vec<usize>,
}

impl TextCells {
    /// Appends a cell without the white space around it; an empty one is missing.
    pub(crate) fn push(&mut self, cell: &str) {
        self.text.push_str(cell.trim());
        self.ends.push(self.text.len());
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn get(&self, row: usize) -> &str {
        let end = self.ends.get(row).copied().unwrap_or(0);
        let start = row
            .checked_sub(1)
            .and_then(|before| self.ends.get(before))
            .copied()
            .unwrap_or(0);
        self.text.get(start..end).unwrap_or_default()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> + Clone {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts
            .zip(&self.ends)
            .map(|(start, end)| self.text.get(start..*end).unwrap_or_default())
    }

    fn append(&mut self, other: &Self) {
        let shift = self.text.len();
        self.text.push_str(&other.text);
        self.ends.extend(other.ends.iter().map(|end| end + shift));
    }
}

/// A column as its format gives it: text, or typed when the format has types.
pub(crate) enum Cells {
    Text(TextCells),
    Number(Vec<f64>),
    Boolean(Vec<Option<bool>>),
    Date(Vec<Option<i64>>),
}

impl Cells {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Text(cells) => cells.len(),
            Self::Number(cells) => cells.len(),
            Self::Boolean(cells) => cells.len(),
            Self::Date(cells) => cells.len(),
        }
    }

    /// Appends cells of the same type; `false` when the types differ.
    pub(crate) fn append(&mut self, other: Self) -> bool {
        match (self, other) {
            (Self::Text(cells), Self::Text(more)) => cells.append(&more),
            (Self::Number(cells), Self::Number(more)) => cells.extend(more),
            (Self::Boolean(cells), Self::Boolean(more)) => cells.extend(more),
            (Self::Date(cells), Self::Date(more)) => cells.extend(more),
            _ => return false,
        }
        true
    }
}
