//! Collected customers and plain tables as Parquet files: one file, roles in its metadata, the same bytes for the same
//! content, whole or not there at all.

mod layout;

use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use thalweg_domain::{Column, Error, Result, Table};

use crate::arrow::{batch, to_array};
use crate::atomic::write_bytes_atomic;
use crate::collected::Collected;
use crate::source::read_bytes;
use layout::{Layout, StoredTable};

/// The metadata key under which a file says what its columns are.
const METADATA_KEY: &str = "thalweg";

/// Writes collected customers to one Parquet file, atomically.
///
/// # Errors
/// `TW0229` when the file cannot be written.
pub fn write(path: &Path, collected: &Collected) -> Result<()> {
    let (layout, columns) = Layout::of(collected);
    write_columns(path, &columns, &to_json(&layout)?)
}

/// Reads what [`write`] wrote, exactly.
///
/// # Errors
/// `TW0201` when there is no such file, `TW0228` when it holds something else.
pub fn read(path: &Path) -> Result<Collected> {
    let stored = open(path)?;
    let layout: Layout = from_json(path, &stored.metadata)?;
    layout
        .collected(&stored.batch)
        .ok_or_else(|| unreadable(path, "it does not hold collected customers"))
}

/// Writes a table to a Parquet file, atomically. Other programs can read it: categories are text, dates are timestamps.
///
/// # Errors
/// `TW0229` when the file cannot be written; `TW0901` for a table with rows but no columns.
pub fn write_table(path: &Path, table: &Table) -> Result<()> {
    if table.columns().is_empty() && table.n_rows() > 0 {
        return Err(Error::new(
            "TW0901",
            "internal error: a table without columns cannot be stored",
        ));
    }
    let columns: Vec<Column> = table.columns().to_vec();
    write_columns(path, &columns, &to_json(&StoredTable::of(&columns))?)
}

/// Reads what [`write_table`] wrote, exactly.
///
/// # Errors
/// `TW0201` when there is no such file, `TW0228` when it holds something else.
pub fn read_table(path: &Path) -> Result<Table> {
    let stored = open(path)?;
    let layout: StoredTable = from_json(path, &stored.metadata)?;
    let columns = layout
        .columns(&stored.batch)
        .ok_or_else(|| unreadable(path, "it does not hold a table"))?;
    Table::new(columns)
}

fn write_columns(path: &Path, columns: &[Column], metadata: &str) -> Result<()> {
    let arrays = columns
        .iter()
        .map(|column| (column.name.clone(), to_array(column)))
        .collect();
    let bytes = batch(arrays).and_then(|batch| to_parquet(&batch, metadata).map_err(ArrowError::from));
    let bytes = bytes.map_err(|cause| {
        Error::new(
            "TW0901",
            format!("internal error: a table cannot be encoded: {cause}"),
        )
        .cause(cause)
    })?;
    write_bytes_atomic(path, &bytes)
}

/// Without dictionaries and statistics: files are read whole, and a million rows are written in a quarter of the time.
fn to_parquet(batch: &RecordBatch, metadata: &str) -> std::result::Result<Vec<u8>, ParquetError> {
    let properties = WriterProperties::builder()
        .set_created_by("thalweg".to_owned())
        .set_compression(Compression::SNAPPY)
        .set_dictionary_enabled(false)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_key_value_metadata(Some(vec![KeyValue::new(
            METADATA_KEY.to_owned(),
            metadata.to_owned(),
        )]))
        .build();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties))?;
    writer.write(batch)?;
    writer.close()?;
    Ok(bytes)
}

struct Stored {
    batch: RecordBatch,
    metadata: String,
}

fn open(path: &Path) -> Result<Stored> {
    let bytes = read_bytes(path, &path.display().to_string())?;
    let stored = from_parquet(bytes).map_err(|cause| unreadable(path, &cause.to_string()).cause(cause))?;
    stored.ok_or_else(|| unreadable(path, "Thalweg has not written it"))
}

fn from_parquet(bytes: Vec<u8>) -> std::result::Result<Option<Stored>, ParquetError> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(bytes))?;
    let pairs = builder.metadata().file_metadata().key_value_metadata();
    let found = pairs.and_then(|pairs| pairs.iter().find(|pair| pair.key == METADATA_KEY));
    let Some(metadata) = found.and_then(|pair| pair.value.clone()) else {
        return Ok(None);
    };
    let schema = Arc::clone(builder.schema());
    let batches = builder
        .with_batch_size(1 << 16)
        .build()?
        .collect::<std::result::Result<Vec<_>, _>>()?;
    let batch = datafusion::arrow::compute::concat_batches(&schema, &batches)?;
    Ok(Some(Stored { batch, metadata }))
}

fn to_json<T: serde::Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value)
        .map_err(|cause| Error::new("TW0901", "internal error: a layout cannot be encoded").cause(cause))
}

fn from_json<T: serde::de::DeserializeOwned>(path: &Path, text: &str) -> Result<T> {
    serde_json::from_str(text)
        .map_err(|cause| unreadable(path, "another version of Thalweg has written it").cause(cause))
}

fn unreadable(path: &Path, why: &str) -> Error {
    let shown = path.display().to_string();
    Error::new("TW0228", format!("\"{shown}\" cannot be read back: {why}"))
        .hint("delete it and run again; what depends on it is made anew from the sources")
        .at(shown, None, None)
}

/// A column of a batch by position.
fn array(batch: &RecordBatch, at: usize) -> Option<&ArrayRef> {
    batch.columns().get(at)
}
