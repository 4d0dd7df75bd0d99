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

/// Rows of a few cells of f32 each: for each row the columns that are not 0, rising, and their values.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SparseMatrix {
    offsets: Vec<usize>,
    indices: Vec<u32>,
    values: Vec<f32>,
    pub(crate) n_rows: usize,
    pub(crate) n_columns: usize,
    /// The first column of each block, a block being what one original column became.
    blocks: Vec<u32>,
}

impl SparseMatrix {
    /// Puts the rows of several blocks, each with its number of columns, side by side.
    pub(crate) fn beside(parts: &[(Vec<SparseRow>, usize)], n_rows: usize) -> Self {
        let mut matrix = Self {
            offsets: vec![0],
            indices: Vec::new(),
            values: Vec::new(),
            n_rows,
            n_columns: 0,
            blocks: Vec::new(),
        };
        for (_, width) in parts {
            matrix.blocks.push(matrix.n_columns as u32);
            matrix.n_columns += width;
        }
        for row in 0..n_rows {
            for ((rows, _), start) in parts.iter().zip(&matrix.blocks) {
                matrix
                    .indices
                    .extend(rows[row].iter().map(|(column, _)| start + column));
                matrix.values.extend(rows[row].iter().map(|(_, value)| *value));
            }
            matrix.offsets.push(matrix.indices.len());
        }
        matrix
    }

    /// Without rows or columns.
    pub(crate) fn empty() -> Self {
        Self::beside(&[], 0)
    }

    pub(crate) fn row(&self, row: usize) -> (&[u32], &[f32]) {
        let cells = self.offsets[row]..self.offsets[row + 1];
        (&self.indices[cells.clone()], &self.values[cells])
    }

    /// Number of blocks.
    pub(crate) const fn n_blocks(&self) -> usize {
        self.blocks.len()
    }

    /// The block that a column belongs to.
    pub(crate) fn block_of(&self, column: u32) -> usize {
        self.blocks
            .partition_point(|first| *first <= column)
            .saturating_sub(1)
    }

    /// Columns become rows.
    pub(crate) fn transposed(&self) -> Self {
        let mut offsets = vec![0_usize; self.n_columns + 1];
        self.indices
            .iter()
            .for_each(|column| offsets[*column as usize + 1] += 1);
        for column in 0..self.n_columns {
            offsets[column + 1] += offsets[column];
        }
        let mut next = offsets.clone();
        let mut indices = vec![0_u32; self.indices.len()];
        let mut values = vec![0.0_f32; self.values.len()];
        for row in 0..self.n_rows {
            let (columns, cells) = self.row(row);
            for (column, cell) in columns.iter().zip(cells) {
                let place = next[*column as usize];
                next[*column as usize] += 1;
                indices[place] = row as u32;
                values[place] = *cell;
            }
        }
        Self {
            offsets,
            indices,
            values,
            n_rows: self.n_columns,
            n_columns: self.n_rows,
            blocks: vec![0],
        }
    }
}

/// The cells of a sparse row that are not 0: columns, rising, and values.
pub(crate) type SparseRow = Vec<(u32, f32)>;
