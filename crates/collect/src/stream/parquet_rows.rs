//! Parquet in pieces: small row groups are decoded where they are scored, large ones batch after batch.

use std::fs::File;
use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::arrow::record_batch::RecordBatch;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::errors::ParquetError;
use thalweg_domain::{Error, Result, Table};

use super::cells::Trouble;
use super::tally::Tally;
use super::{BATCH_ROWS, Batch, Shared, SourceFile, no_content, no_rows, not_carried, open_file};
use crate::arrow::is_flat;
use crate::source::parquet_file::broken;

/// A row group of at most so many rows is one piece.
const WHOLE_GROUP_ROWS: usize = 1 << 17;

/// A Parquet file that is being read.
pub(super) struct ParquetRows {
    file: Arc<ParquetSource>,
    next_group: usize,
    /// The row group that is read batch after batch.
    open: Option<ParquetRecordBatchReader>,
    next_row: u64,
}

/// What reading any part of the file needs.
struct ParquetSource {
    source: SourceFile,
    metadata: ArrowReaderMetadata,
    mask: ProjectionMask,
    /// Where the wanted and the carried columns are among those that are decoded.
    wanted: Vec<usize>,
    carried: Vec<usize>,
}

/// Rows of a Parquet file.
pub(super) struct ParquetPiece {
    file: Arc<ParquetSource>,
    /// The row before the first, in this file.
    row: u64,
    rows: Undecoded,
}

enum Undecoded {
    Group { at: usize, n_rows: usize },
    Batch(RecordBatch),
}

/// Rows that the file says it has.
pub(super) fn count_rows(file: &SourceFile) -> Result<u64> {
    let metadata = load(file, &open_file(file)?)?;
    Ok(u64::try_from(metadata.metadata().file_metadata().num_rows()).unwrap_or(0))
}

/// The names of the columns, in order.
pub(super) fn column_names(file: &SourceFile) -> Result<Vec<String>> {
    let metadata = load(file, &open_file(file)?)?;
    let fields = metadata.schema().fields().iter();
    Ok(fields.map(|field| field.name().clone()).collect())
}

/// The types of the columns to carry along.
pub(super) fn carried_types(file: &SourceFile, carried: &[String]) -> Result<Vec<DataType>> {
    let metadata = load(file, &open_file(file)?)?;
    let types = carried
        .iter()
        .map(|name| carried_type(name, metadata.schema(), &file.shown));
    types.collect()
}

fn carried_type(name: &str, schema: &Schema, shown: &str) -> Result<DataType> {
    let Ok(field) = schema.field_with_name(name) else {
        let known: Vec<&str> = schema
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .collect();
        return Err(not_carried(name, &known, shown));
    };
    if !is_flat(field.data_type()) {
        return Err(Error::new(
            "TW0235",
            format!("column \"{name}\" holds lists or records, which cannot be written beside the scores"),
        )
        .hint("leave it out, or name one of its plain parts")
        .at(shown, None, Some(name)));
    }
    Ok(match field.data_type() {
        DataType::Dictionary(_, value) => value.as_ref().clone(),
        plain => plain.clone(),
    })
}

fn load(file: &SourceFile, opened: &File) -> Result<ArrowReaderMetadata> {
    if opened.metadata().is_ok_and(|data| data.len() == 0) {
        return Err(no_content(&file.shown));
    }
    ArrowReaderMetadata::load(opened, ArrowReaderOptions::new()).map_err(|cause| broken(&file.shown, cause))
}

impl ParquetRows {
    pub(super) fn open(file: SourceFile, shared: &Shared) -> Result<Self> {
        let metadata = load(&file, &open_file(&file)?)?;
        if metadata.metadata().file_metadata().num_rows() == 0 {
            return Err(no_rows(&file.shown));
        }
        let schema = Arc::clone(metadata.schema());
        let names: Vec<&str> = schema
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .collect();
        let (wanted, carried) = shared.positions(&names, &file.shown)?;
        for (column, at) in shared.columns.iter().zip(&wanted) {
            let data_type = schema.field(*at).data_type();
            if !column.fits(data_type) {
                return Err(column.misfit(words(data_type), &file.shown));
            }
        }
        for (name, expected) in shared.carried.iter().zip(&shared.carried_types) {
            refuse_another_type(name, expected, &schema, &file.shown)?;
        }
        let mut decoded: Vec<usize> = wanted.iter().chain(&carried).copied().collect();
        decoded.sort_unstable();
        decoded.dedup();
        let mask = ProjectionMask::roots(metadata.parquet_schema(), decoded.iter().copied());
        let among = |at: &usize| decoded.partition_point(|other| other < at);
        let source = ParquetSource {
            wanted: wanted.iter().map(among).collect(),
            carried: carried.iter().map(among).collect(),
            source: file,
            metadata,
            mask,
        };
        Ok(Self {
            file: Arc::new(source),
            next_group: 0,
            open: None,
            next_row: 0,
        })
    }

    /// The next rows; `None` at the end of the file.
    pub(super) fn next_piece(&mut self) -> Result<Option<ParquetPiece>> {
        loop {
            if let Some(open) = &mut self.open {
                let batch = open.next().transpose();
                if let Some(batch) = batch.map_err(|cause| self.file.broken(cause.into()))? {
                    return Ok(Some(self.piece(batch.num_rows(), Undecoded::Batch(batch))));
                }
                self.open = None;
            }
            let at = self.next_group;
            let Some(group) = self.file.metadata.metadata().row_groups().get(at) else {
                return Ok(None);
            };
            let n_rows = usize::try_from(group.num_rows()).unwrap_or(0);
            self.next_group += 1;
            if n_rows > WHOLE_GROUP_ROWS {
                self.open = Some(self.file.reader(at)?);
            } else if n_rows > 0 {
                return Ok(Some(self.piece(n_rows, Undecoded::Group { at, n_rows })));
            }
        }
    }

    fn piece(&mut self, n_rows: usize, rows: Undecoded) -> ParquetPiece {
        let row = self.next_row;
        self.next_row += n_rows as u64;
        ParquetPiece {
            file: Arc::clone(&self.file),
            row,
            rows,
        }
    }
}

impl ParquetSource {
    /// A reader of one row group with a file position of its own.
    fn reader(&self, group: usize) -> Result<ParquetRecordBatchReader> {
        let file = open_file(&self.source)?;
        ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.metadata.clone())
            .with_projection(self.mask.clone())
            .with_row_groups(vec![group])
            .with_batch_size(BATCH_ROWS)
            .build()
            .map_err(|cause| self.broken(cause))
    }

    fn broken(&self, cause: ParquetError) -> Error {
        broken(&self.source.shown, cause)
    }

    /// The batch of these rows; `row` is the one before the first, in this file.
    fn decode(&self, batch: &RecordBatch, shared: &Shared, row: u64) -> Result<Decoded> {
        let mut columns = Vec::with_capacity(self.wanted.len());
        let mut tally = Tally {
            rows: batch.num_rows() as u64,
            ..Tally::default()
        };
        for (wanted, at) in shared.columns.iter().zip(&self.wanted) {
            let (column, counts) =
                wanted
                    .array_column(self.array(batch, *at)?)
                    .map_err(|trouble| match trouble {
                        Trouble::Array(cause) => self.broken(cause.into()),
                        Trouble::Cell(fault) => wanted.unusable(&fault).at(
                            &self.source.shown,
                            Some(row + fault.row as u64 + 1),
                            Some(wanted.name()),
                        ),
                    })?;
            columns.push(column);
            tally.columns.push(counts);
        }
        let carried = self.carried.iter().map(|at| self.array(batch, *at).cloned());
        let carried: Vec<ArrayRef> = carried.collect::<Result<_>>()?;
        tally.carried = shared.carried_tally(&carried, |_| true);
        Ok(Decoded {
            carried,
            table: Table::new(columns)?,
            tally,
        })
    }

    fn array<'b>(&self, batch: &'b RecordBatch, at: usize) -> Result<&'b ArrayRef> {
        batch.columns().get(at).ok_or_else(|| {
            self.broken(ParquetError::General(
                "fewer columns than its schema says".to_owned(),
            ))
        })
    }
}

struct Decoded {
    table: Table,
    tally: Tally,
    carried: Vec<ArrayRef>,
}

impl Decoded {
    fn batch(self, first_row: u64) -> Batch {
        Batch {
            table: self.table,
            tally: self.tally,
            first_row,
            carried: self.carried,
        }
    }
}

impl ParquetPiece {
    pub(super) fn n_rows(&self) -> usize {
        match &self.rows {
            Undecoded::Group { n_rows, .. } => *n_rows,
            Undecoded::Batch(batch) => batch.num_rows(),
        }
    }

    pub(super) fn read(
        self,
        shared: &Shared,
        first_row: u64,
        each: &mut impl FnMut(Batch) -> Result<()>,
    ) -> Result<()> {
        match self.rows {
            Undecoded::Batch(batch) => each(self.file.decode(&batch, shared, self.row)?.batch(first_row)),
            Undecoded::Group { at, .. } => {
                let mut done = 0;
                for batch in self.file.reader(at)? {
                    let batch = batch.map_err(|cause| self.file.broken(cause.into()))?;
                    let decoded = self.file.decode(&batch, shared, self.row + done)?;
                    each(decoded.batch(first_row + done))?;
                    done += batch.num_rows() as u64;
                }
                Ok(())
            }
        }
    }
}

fn refuse_another_type(name: &str, expected: &DataType, schema: &Schema, shown: &str) -> Result<()> {
    if carried_type(name, schema, shown)? == *expected {
        return Ok(());
    }
    Err(Error::new(
        "TW0226",
        format!("\"{shown}\" has another type of column \"{name}\" than the first file of the same pattern"),
    )
    .hint("files that one pattern matches must hold a carried column as the same type")
    .at(shown, None, Some(name)))
}

/// A type in plain words.
fn words(data_type: &DataType) -> &'static str {
    match data_type {
        DataType::Boolean => "boolean",
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(_, _) => "date",
        other if other.is_numeric() => "number",
        other if is_flat(other) => "text",
        _ => "a list or a record",
    }
}
