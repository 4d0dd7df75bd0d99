//! The two shapes of numbers that models read.

/// Rows of f32, one row after the other.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DenseMatrix {
    pub(crate) data: Vec<f32>,
    pub(crate) n_rows: usize,
    pub(crate) n_columns: usize,
}

impl DenseMatrix {
    pub(crate) fn zeros(n_rows: usize, n_columns: usize) -> Self {
        Self {
            data: vec![0.0; n_rows * n_columns],
            n_rows,
            n_columns,
        }
    }

    pub(crate) fn row(&self, row: usize) -> &[f32] {
        &self.data[row * self.n_columns..(row + 1) * self.n_columns]
    }

    pub(crate) fn set(&mut self, row: usize, column: usize, value: f32) {
        self.data[row * self.n_columns + column] = value;
    }

    pub(crate) fn take(&self, rows: &[usize]) -> Self {
        let data = rows
            .iter()
            .flat_map(|row| self.row(*row).iter().copied())
            .collect();
        Self {
            data,
            n_rows: rows.len(),
            n_columns: self.n_columns,
        }
    }
}

/// Columns of f64, one column after the other; NaN is missing.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RawMatrix {
    pub(crate) data: Vec<f64>,
    pub(crate) n_rows: usize,
    pub(crate) n_columns: usize,
}

impl RawMatrix {
    pub(crate) const fn with_rows(n_rows: usize) -> Self {
        Self {
            data: Vec::new(),
            n_rows,
            n_columns: 0,
        }
    }

    pub(crate) fn push_column(&mut self, cells: impl Iterator<Item = f64>) {
        self.data.extend(cells);
        self.n_columns += 1;
    }
}
