//! Rows out: carried columns and results, encoded on any thread, written in order, there whole or not at all.

use std::fmt::Display;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, Float64Type, Int64Type, Schema, SchemaRef};
use datafusion::arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;
use tempfile::NamedTempFile;
use thalweg_domain::{Error, Result};

use super::{Batch, Stream};
use crate::atomic::{begin, finish, not_written};

/// Rows of a row group: what the writer holds at once.
const GROUP_ROWS: usize = 1 << 17;

/// A column of results: its name and whether it holds numbers or labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutColumn {
    /// Its name in the header.
    pub name: String,
    /// Text instead of numbers.
    pub is_text: bool,
}

/// The cells of a column of results.
#[derive(Debug, Clone, PartialEq)]
pub enum OutData {
    /// Numbers.
    Number(Vec<f64>),
    /// For each row the index of its label.
    Label(Vec<u32>, Arc<[String]>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Csv,
    Parquet,
}

/// What every row of the output holds, and in which format.
#[derive(Debug, Clone)]
pub struct SinkFormat {
    kind: Kind,
    path: PathBuf,
    schema: SchemaRef,
    numbered: bool,
}

/// Encoded rows.
#[derive(Debug)]
pub struct Block(Encoded);

#[derive(Debug)]
enum Encoded {
    Csv(Vec<u8>),
    Parquet(Vec<RecordBatch>),
}

impl SinkFormat {
    /// The columns of the output: the stream's carried ones (without any, `row`: the number of the row), then results.
    ///
    /// # Errors
    /// `TW0236` when the suffix is neither `.csv` nor `.parquet`, `TW0235` when two columns have the same name, `TW0237`
    /// when the path is one of the stream's files.
    pub fn new(path: &Path, stream: &Stream, results: &[OutColumn]) -> Result<Self> {
        let kind = kind_of(path)?;
        refuse_input(path, stream)?;
        let mut fields = stream.carried_fields();
        let numbered = fields.is_empty();
        if numbered {
            fields.push(Field::new("row", DataType::Int64, false));
        }
        for column in results {
            let data_type = if column.is_text {
                DataType::Utf8
            } else {
                DataType::Float64
            };
            fields.push(Field::new(&column.name, data_type, false));
        }
        refuse_twins(&fields)?;
        Ok(Self {
            kind,
            path: path.to_owned(),
            schema: Arc::new(Schema::new(fields)),
            numbered,
        })
    }

    /// The names of the output's columns.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.schema
            .fields()
            .iter()
            .map(|field| field.name().clone())
            .collect()
    }

    /// An empty block.
    #[must_use]
    pub const fn block(&self) -> Block {
        Block(match self.kind {
            Kind::Csv => Encoded::Csv(Vec::new()),
            Kind::Parquet => Encoded::Parquet(Vec::new()),
        })
    }

    /// Adds a batch with its results to a block.
    ///
    /// # Errors
    /// `TW0901` when the results do not fit the batch (a fault of the caller).
    pub fn encode(&self, batch: &Batch, results: Vec<OutData>, block: &mut Block) -> Result<()> {
        let fields = self.schema.fields().iter();
        let carried = batch.carried.iter().zip(fields);
        let mut arrays: Vec<ArrayRef> = carried
            .map(|(array, field)| cast(array, field.data_type()).map_err(mismatch))
            .collect::<Result<_>>()?;
        if self.numbered {
            let first = i64::try_from(batch.first_row).unwrap_or(i64::MAX);
            let rows = (first..).take(batch.n_rows());
            arrays.push(Arc::new(rows.collect::<Int64Array>()));
        }
        arrays.extend(results.into_iter().map(to_array));
        let encoded = match &mut block.0 {
            Encoded::Csv(text) => write_csv(&arrays, batch.n_rows(), text),
            Encoded::Parquet(batches) => RecordBatch::try_new(Arc::clone(&self.schema), arrays)
                .map(|batch| batches.push(batch))
                .map_err(|cause| cause.to_string()),
        };
        encoded.map_err(mismatch)
    }
}

fn mismatch(cause: impl Display) -> Error {
    Error::new(
        "TW0901",
        format!("internal error: results do not fit their rows: {cause}"),
    )
}

fn kind_of(path: &Path) -> Result<Kind> {
    let suffix = path.extension().and_then(|suffix| suffix.to_str()).unwrap_or("");
    match suffix.to_ascii_lowercase().as_str() {
        "csv" => Ok(Kind::Csv),
        "parquet" | "pq" => Ok(Kind::Parquet),
        _ => Err(Error::new(
            "TW0236",
            format!("\"{}\" names no format that can be written", path.display()),
        )
        .hint("end its name in .csv or .parquet")),
    }
}

fn refuse_input(path: &Path, stream: &Stream) -> Result<()> {
    let Ok(own) = std::fs::canonicalize(path) else {
        return Ok(());
    };
    let is_own = |input: &PathBuf| std::fs::canonicalize(input).is_ok_and(|input| input == own);
    if stream.paths().iter().any(is_own) {
        return Err(Error::new(
            "TW0237",
            format!("\"{}\" is one of the files to read", path.display()),
        )
        .hint("name another file with --out; what is read is never replaced"));
    }
    Ok(())
}

fn refuse_twins(fields: &[Field]) -> Result<()> {
    let mut names: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
    names.sort_unstable();
    let twins = names.windows(2).find(|pair| pair.first() == pair.last());
    match twins.and_then(|pair| pair.first()) {
        None => Ok(()),
        Some(name) => Err(Error::new(
            "TW0235",
            format!("two columns of the output would be called \"{name}\""),
        )
        .hint("leave that column out of --key and --keep, or rename it in the data")),
    }
}

fn to_array(data: OutData) -> ArrayRef {
    match data {
        OutData::Number(cells) => Arc::new(Float64Array::from(cells)),
        OutData::Label(codes, names) => {
            let name = |code: &u32| names.get(*code as usize).map_or("", String::as_str);
            Arc::new(StringArray::from_iter_values(codes.iter().map(name)))
        }
    }
}

/// One column's cells, ready to be written one after the other.
enum Cells<'a> {
    Float(&'a Float64Array),
    Whole(&'a Int64Array),
    Text(&'a StringArray),
}

fn write_csv(arrays: &[ArrayRef], n_rows: usize, text: &mut Vec<u8>) -> Result<(), String> {
    let plain: Vec<ArrayRef> = arrays
        .iter()
        .map(|array| match array.data_type() {
            DataType::Float64 | DataType::Int64 | DataType::Utf8 => Ok(Arc::clone(array)),
            _ => cast(array, &DataType::Utf8),
        })
        .collect::<std::result::Result<_, _>>()
        .map_err(|cause| cause.to_string())?;
    let cells: Vec<Cells<'_>> = plain
        .iter()
        .map(|array| match array.data_type() {
            DataType::Float64 => Cells::Float(array.as_primitive::<Float64Type>()),
            DataType::Int64 => Cells::Whole(array.as_primitive::<Int64Type>()),
            _ => Cells::Text(array.as_string::<i32>()),
        })
        .collect();
    if plain.iter().any(|array| array.len() != n_rows) {
        return Err("columns of unequal length".to_owned());
    }
    text.reserve(n_rows * 24 * cells.len());
    for row in 0..n_rows {
        for (at, column) in cells.iter().enumerate() {
            if at > 0 {
                text.push(b',');
            }
            column.write(row, text).map_err(|cause| cause.to_string())?;
        }
        text.push(b'\n');
    }
    Ok(())
}

impl Cells<'_> {
    /// A missing cell is blank.
    fn write(&self, row: usize, text: &mut Vec<u8>) -> io::Result<()> {
        match self {
            Self::Float(cells) if cells.is_valid(row) => write!(text, "{}", cells.value(row)),
            Self::Whole(cells) if cells.is_valid(row) => write!(text, "{}", cells.value(row)),
            Self::Text(cells) if cells.is_valid(row) => {
                write_text(cells.value(row), text);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// In quotes where a comma, a quote or a line end asks for them.
fn write_text(cell: &str, text: &mut Vec<u8>) {
    if !cell
        .bytes()
        .any(|byte| matches!(byte, b',' | b'"' | b'\n' | b'\r'))
    {
        text.extend_from_slice(cell.as_bytes());
        return;
    }
    text.push(b'"');
    for byte in cell.bytes() {
        if byte == b'"' {
            text.push(b'"');
        }
        text.push(byte);
    }
    text.push(b'"');
}

/// A file that appears when it is finished.
pub struct Sink {
    path: PathBuf,
    writer: Writer,
}

enum Writer {
    Csv(BufWriter<NamedTempFile>),
    Parquet(Box<ArrowWriter<NamedTempFile>>),
}

impl Sink {
    /// Begins the file under a temporary name; it is deleted unless it is finished.
    ///
    /// # Errors
    /// `TW0229` when the folder cannot be written to.
    pub fn create(format: &SinkFormat) -> Result<Self> {
        let path = format.path.clone();
        let fail = |cause| not_written(&path, cause);
        let file = begin(&path).map_err(fail)?;
        let writer = match format.kind {
            Kind::Csv => {
                let mut writer = BufWriter::with_capacity(1 << 20, file);
                let mut header = Vec::new();
                for (at, name) in format.names().iter().enumerate() {
                    if at > 0 {
                        header.push(b',');
                    }
                    write_text(name, &mut header);
                }
                header.push(b'\n');
                writer.write_all(&header).map_err(fail)?;
                Writer::Csv(writer)
            }
            Kind::Parquet => {
                let writer = ArrowWriter::try_new(file, Arc::clone(&format.schema), Some(properties(format)))
                    .map_err(|cause| fail(io_error(cause)))?;
                Writer::Parquet(Box::new(writer))
            }
        };
        Ok(Self { path, writer })
    }

    /// Appends a block.
    ///
    /// # Errors
    /// `TW0229` when the disk fails or is full.
    pub fn write(&mut self, block: Block) -> Result<()> {
        let written = match (&mut self.writer, block.0) {
            (Writer::Csv(writer), Encoded::Csv(text)) => writer.write_all(&text),
            (Writer::Parquet(writer), Encoded::Parquet(batches)) => batches
                .iter()
                .try_for_each(|batch| writer.write(batch).map_err(io_error)),
            _ => Err(io::Error::other("a block of another format")),
        };
        written.map_err(|cause| not_written(&self.path, cause))
    }

    /// Puts the file in its place.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn finish(self) -> Result<()> {
        let file = match self.writer {
            Writer::Csv(writer) => writer.into_inner().map_err(io::IntoInnerError::into_error),
            Writer::Parquet(writer) => writer.into_inner().map_err(io_error),
        };
        file.and_then(|file| finish(file, &self.path))
            .map_err(|cause| not_written(&self.path, cause))
    }
}

/// Results hardly ever repeat, so they get no dictionary; carried columns do.
fn properties(format: &SinkFormat) -> WriterProperties {
    let mut properties = WriterProperties::builder()
        .set_created_by("thalweg".to_owned())
        .set_compression(Compression::SNAPPY)
        .set_max_row_group_row_count(Some(GROUP_ROWS));
    for field in format.schema.fields() {
        if field.data_type() == &DataType::Float64 || (format.numbered && field.name() == "row") {
            let path = ColumnPath::new(vec![field.name().clone()]);
            properties = properties.set_column_dictionary_enabled(path, false);
        }
    }
    properties.build()
}

fn io_error(cause: ParquetError) -> io::Error {
    match cause {
        ParquetError::External(inner) => match inner.downcast::<io::Error>() {
            Ok(inner) => *inner,
            Err(other) => io::Error::other(other),
        },
        other => io::Error::other(other),
    }
}
