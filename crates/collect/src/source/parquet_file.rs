//! Parquet: types come from the file; text columns are read as text in a CSV file is.

use std::collections::BTreeMap;

use bytes::Bytes;
use datafusion::arrow::record_batch::RecordBatch;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::errors::ParquetError;
use thalweg_domain::{Error, Result};

use super::RawFile;
use crate::arrow::{is_flat, read_columns};
use crate::infer::Reading;

/// Reads the whole file; columns of lists or records are named in `nested`.
pub(crate) fn read(shown: &str, bytes: Vec<u8>, readings: &BTreeMap<&str, Reading>) -> Result<RawFile> {
    let batches = batches(bytes).map_err(|cause| broken(shown, cause))?;
    let Some(schema) = batches.first().map(RecordBatch::schema) else {
        return Ok(RawFile {
            columns: Vec::new(),
            lines: Vec::new(),
            nested: Vec::new(),
        });
    };
    let nested = schema.fields().iter().filter(|field| !is_flat(field.data_type()));
    Ok(RawFile {
        nested: nested.map(|field| field.name().clone()).collect(),
        columns: read_columns(&batches, readings).map_err(|cause| broken(shown, cause.into()))?,
        lines: Vec::new(),
    })
}

/// All rows of a Parquet file.
pub(crate) fn batches(bytes: Vec<u8>) -> std::result::Result<Vec<RecordBatch>, ParquetError> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(bytes))?
        .with_batch_size(1 << 16)
        .build()?;
    reader.map(|batch| batch.map_err(ParquetError::from)).collect()
}

/// The error for a file that is not, or not wholly, Parquet.
pub(crate) fn broken(shown: &str, cause: ParquetError) -> Error {
    let text = cause.to_string();
    let hint = if text.contains("Disabled feature") {
        "write it without compression, or with snappy or zstd"
    } else {
        "write the file again; it may have been cut off while being copied"
    };
    let first = text.lines().next().unwrap_or_default();
    Error::new(
        "TW0217",
        format!(
            "\"{shown}\" cannot be read as Parquet: {}",
            crate::infer::shortened(first)
        ),
    )
    .hint(hint)
    .at(shown, None, None)
    .cause(cause)
}
