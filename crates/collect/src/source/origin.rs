//! Where each row of a table came from: file and line.

/// The files of a source in order, with the line of each row.
#[derive(Default)]
pub(crate) struct Origin {
    parts: Vec<Part>,
    n_rows: usize,
}

struct Part {
    file: String,
    first_row: usize,
    /// Empty when rows are numbered from 1.
    lines: Vec<u64>,
}

impl Origin {
    /// Adds a file's rows.
    pub(crate) fn push(&mut self, file: String, n_rows: usize, lines: Vec<u64>) {
        self.parts.push(Part {
            file,
            first_row: self.n_rows,
            lines,
        });
        self.n_rows += n_rows;
    }

    /// The file and the line of a row.
    pub(crate) fn of(&self, row: usize) -> (&str, u64) {
        let after = self.parts.partition_point(|part| part.first_row <= row);
        let Some(part) = after.checked_sub(1).and_then(|at| self.parts.get(at)) else {
            return ("", 0);
        };
        let within = row - part.first_row;
        (
            &part.file,
            part.lines.get(within).copied().unwrap_or(within as u64 + 1),
        )
    }

    /// The file and line as `customers.csv:151`.
    pub(crate) fn text(&self, row: usize) -> String {
        let (file, line) = self.of(row);
        format!("{file}:{line}")
    }
}
