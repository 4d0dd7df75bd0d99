//! Files too large to hold: read in bounded batches that fit a known schema, in the order of their rows.
//!
//! Only the columns that are asked for are decoded. A [`Stream`] hands out [`Piece`]s one after the other; a piece is
//! then read on any thread, so that decoding, scoring and encoding run side by side while the order stays known.
//! The schema, not the cells, says what a column is: text that does not fit its kind is refused with its place.

mod carried;
mod cells;
mod csv_rows;
mod json_rows;
mod lines;
mod parquet_rows;
mod sink;
mod tally;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::arrow::datatypes::{DataType, Field};
use thalweg_domain::{ColumnSchema, Error, Result, Table};

pub use carried::{Levels, column_names};
pub use sink::{Block, OutColumn, OutData, Sink, SinkFormat};
pub use tally::{ColumnTally, Tally};

pub use crate::infer::is_missing;

use crate::near::{suggestion, unknown_column};
use crate::source::{Format, SourceFile, cannot_open, resolve};
use crate::spec::MissingTokens;
use cells::Wanted;
use csv_rows::CsvRows;
use json_rows::JsonRows;
use parquet_rows::ParquetRows;

/// Rows of a batch, at most: large enough to hide what a batch costs, small enough for the cache.
pub const BATCH_ROWS: usize = 1 << 14;
/// No row of a text file is longer; a quote that is never closed is found before memory is full.
const MAX_ROW_BYTES: u64 = 64 << 20;

/// What to read.
#[derive(Debug, Clone)]
pub struct StreamSpec {
    /// The folder that a relative pattern starts from; empty for the current one.
    pub base: PathBuf,
    /// A file or a glob of CSV, Parquet or JSON lines.
    pub pattern: String,
    /// The columns that a batch's table has.
    pub columns: Vec<ColumnSchema>,
    /// Per column, further texts that mean "missing".
    pub missing: MissingTokens,
    /// Columns that are carried along as they are, such as a key.
    pub carried: Vec<String>,
}

/// How much there is to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Rows, where the files say so (Parquet).
    Rows(u64),
    /// Bytes.
    Bytes(u64),
}

/// Rows of a stream.
pub struct Batch {
    /// The columns of the schema, in its order.
    pub table: Table,
    /// What was noticed in these rows.
    pub tally: Tally,
    /// The number of its first row, counted from 1 over all files.
    pub first_row: u64,
    carried: Vec<ArrayRef>,
}

impl Batch {
    /// Number of rows.
    #[must_use]
    pub fn n_rows(&self) -> usize {
        let carried = self.carried.first().map_or(0, |array| array.len());
        self.table.n_rows().max(carried)
    }
}

/// What every file of a stream shares.
struct Shared {
    columns: Vec<Wanted>,
    carried: Vec<String>,
    /// The type of each carried column in the first file.
    carried_types: Vec<DataType>,
}

/// One file as messages name it.
struct FileName {
    path: PathBuf,
    shown: String,
}

/// Rows in order, over all files of a pattern.
pub struct Stream {
    shared: Arc<Shared>,
    files: VecDeque<SourceFile>,
    paths: Vec<PathBuf>,
    open: Option<Rows>,
    next_row: u64,
    done_bytes: u64,
    extent: Extent,
}

enum Rows {
    Csv(Box<CsvRows>),
    Json(JsonRows),
    Parquet(Box<ParquetRows>),
}

/// A part of a stream that can be read on any thread.
pub struct Piece {
    shared: Arc<Shared>,
    first_row: u64,
    rows: PieceRows,
}

enum PieceRows {
    Csv(csv_rows::CsvPiece),
    Json(json_rows::JsonPiece),
    Parquet(parquet_rows::ParquetPiece),
}

impl Stream {
    /// Finds the files and checks the first one's columns.
    ///
    /// # Errors
    /// `TW0201` to `TW0222` for files that cannot be read, `TW0305` for a column that is not there, `TW0306` for one of
    /// another kind, `TW0211` and `TW0235` for a carried column.
    pub fn open(spec: &StreamSpec) -> Result<Self> {
        let files: VecDeque<SourceFile> = resolve(&spec.base, &spec.pattern)?.into();
        let first = files
            .front()
            .ok_or_else(|| Error::new("TW0222", format!("no file matches \"{}\"", spec.pattern)))?;
        let columns = spec
            .columns
            .iter()
            .map(|column| Wanted::new(column, &spec.missing));
        let mut shared = Shared {
            columns: columns.collect(),
            carried: spec.carried.clone(),
            carried_types: Vec::new(),
        };
        shared.carried_types = match first.format {
            Format::Parquet => parquet_rows::carried_types(first, &shared.carried)?,
            Format::Csv | Format::JsonLines => vec![DataType::Utf8; spec.carried.len()],
        };
        let mut stream = Self {
            shared: Arc::new(shared),
            paths: files.iter().map(|file| file.path.clone()).collect(),
            extent: extent(&files)?,
            files,
            open: None,
            next_row: 0,
            done_bytes: 0,
        };
        stream.advance()?;
        Ok(stream)
    }

    /// The files, in order.
    #[must_use]
    pub fn paths(&self) -> &[PathBuf] {
        &self.paths
    }

    /// How much there is to read.
    #[must_use]
    pub const fn extent(&self) -> Extent {
        self.extent
    }

    /// How much of it has been handed out.
    #[must_use]
    pub fn handed_out(&self) -> u64 {
        match (self.extent, &self.open) {
            (Extent::Rows(_), _) => self.next_row,
            (Extent::Bytes(_), Some(Rows::Csv(rows))) => self.done_bytes + rows.position(),
            (Extent::Bytes(_), Some(Rows::Json(rows))) => self.done_bytes + rows.position(),
            (Extent::Bytes(_), _) => self.done_bytes,
        }
    }

    /// Names and types of the carried columns.
    pub(crate) fn carried_fields(&self) -> Vec<Field> {
        let names = self.shared.carried.iter().zip(&self.shared.carried_types);
        names
            .map(|(name, data_type)| Field::new(name, data_type.clone(), true))
            .collect()
    }

    /// The next rows; `None` at the end of the last file.
    ///
    /// # Errors
    /// As [`Self::open`], for the further files and for rows that cannot be read.
    pub fn next_piece(&mut self) -> Result<Option<Piece>> {
        loop {
            let rows = match &mut self.open {
                None => return Ok(None),
                Some(Rows::Csv(csv)) => csv.next_piece(&self.shared)?.map(PieceRows::Csv),
                Some(Rows::Json(json)) => json.next_piece()?.map(PieceRows::Json),
                Some(Rows::Parquet(parquet)) => parquet.next_piece()?.map(PieceRows::Parquet),
            };
            if let Some(rows) = rows {
                let first_row = self.next_row + 1;
                self.next_row += rows.n_rows() as u64;
                return Ok(Some(Piece {
                    shared: Arc::clone(&self.shared),
                    first_row,
                    rows,
                }));
            }
            self.done_bytes = self.handed_out();
            self.advance()?;
        }
    }

    /// Opens the next file, if there is one.
    fn advance(&mut self) -> Result<()> {
        self.open = match self.files.pop_front() {
            None => None,
            Some(file) => Some(match file.format {
                Format::Csv => Rows::Csv(Box::new(CsvRows::open(file, &self.shared)?)),
                Format::JsonLines => Rows::Json(JsonRows::open(file)?),
                Format::Parquet => Rows::Parquet(Box::new(ParquetRows::open(file, &self.shared)?)),
            }),
        };
        Ok(())
    }
}

impl PieceRows {
    fn n_rows(&self) -> usize {
        match self {
            Self::Csv(piece) => piece.n_rows(),
            Self::Json(piece) => piece.n_rows(),
            Self::Parquet(piece) => piece.n_rows(),
        }
    }
}

impl Piece {
    /// Decodes the piece and hands its batches over, in order, each of at most [`BATCH_ROWS`] rows or so.
    ///
    /// # Errors
    /// `TW0306`, `TW0223` and others for a cell that cannot be used, with its place; what `each` returns.
    pub fn read(self, mut each: impl FnMut(Batch) -> Result<()>) -> Result<()> {
        match self.rows {
            PieceRows::Csv(piece) => each(piece.read(&self.shared, self.first_row)?),
            PieceRows::Json(piece) => each(piece.read(&self.shared, self.first_row)?),
            PieceRows::Parquet(piece) => piece.read(&self.shared, self.first_row, &mut each),
        }
    }
}

impl Shared {
    /// Counts of the carried columns; `met` says which of them the file has.
    fn carried_tally(&self, carried: &[ArrayRef], met: impl Fn(usize) -> bool) -> Vec<ColumnTally> {
        let columns = self.carried.iter().zip(carried).enumerate();
        columns
            .map(|(at, (name, array))| ColumnTally::carried(name, array.null_count(), met(at)))
            .collect()
    }

    /// Where the wanted columns are among a file's, then where the carried ones are.
    fn positions(&self, names: &[&str], shown: &str) -> Result<(Vec<usize>, Vec<usize>)> {
        let at = |name: &str| {
            let mut found = names.iter().enumerate().filter(|(_, known)| **known == name);
            let first = found.next().map(|(at, _)| at);
            match (first, found.next()) {
                (first, None) => Ok(first),
                _ => Err(Error::new("TW0208", format!("two columns are called \"{name}\""))
                    .hint("rename one of them in the header; every column needs a name of its own")
                    .at(shown, Some(1), Some(name))),
            }
        };
        let wanted = self
            .columns
            .iter()
            .map(|column| at(column.name())?.ok_or_else(|| absent(column.name(), names, shown)));
        let carried = self
            .carried
            .iter()
            .map(|name| at(name)?.ok_or_else(|| not_carried(name, names, shown)));
        Ok((wanted.collect::<Result<_>>()?, carried.collect::<Result<_>>()?))
    }
}

/// `TW0211`: a column to carry along that a file does not have.
fn not_carried(name: &str, known: &[&str], shown: &str) -> Error {
    let error = unknown_column("a column to carry along", name, known, shown);
    if known.is_empty() {
        return error.hint("no line has that key; leave the column out, or name another");
    }
    error
}

/// `TW0305`: a column of the model that a file does not have.
fn absent(name: &str, known: &[&str], shown: &str) -> Error {
    Error::new(
        "TW0305",
        format!("the model was trained with column \"{name}\", which \"{shown}\" lacks"),
    )
    .hint(match suggestion(name, known) {
        _ if known.is_empty() => {
            "add the column, its cells may be empty; or train again without it".to_owned()
        }
        known => format!("add the column, its cells may be empty; {known}"),
    })
    .at(shown, None, Some(name))
}

fn extent(files: &VecDeque<SourceFile>) -> Result<Extent> {
    if files.iter().all(|file| matches!(file.format, Format::Parquet)) {
        let rows = files.iter().map(parquet_rows::count_rows);
        return Ok(Extent::Rows(rows.sum::<Result<u64>>()?));
    }
    let bytes = files
        .iter()
        .map(|file| Ok(open_file(file)?.metadata().map_or(0, |data| data.len())));
    Ok(Extent::Bytes(bytes.sum::<Result<u64>>()?))
}

/// Opens a file of the stream.
fn open_file(file: &SourceFile) -> Result<File> {
    File::open(&file.path).map_err(|cause| {
        cannot_open(
            &file.shown,
            "a relative path starts from the current folder",
            cause,
        )
    })
}

fn no_content(shown: &str) -> Error {
    Error::new("TW0202", format!("\"{shown}\" is empty"))
        .hint("export it again, or name another file")
        .at(shown, None, None)
}

fn no_rows(shown: &str) -> Error {
    Error::new("TW0206", format!("\"{shown}\" has columns but no rows"))
        .hint("export it again with its rows, or name another file")
        .at(shown, None, None)
}

fn failing(shown: &str, cause: std::io::Error) -> Error {
    Error::new("TW0201", format!("cannot read \"{shown}\": {cause}"))
        .hint("check that the disk is there and the file is whole")
        .at(shown, None, None)
        .cause(cause)
}
