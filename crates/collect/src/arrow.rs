//! Between our columns and Arrow arrays.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::AsArray;
use datafusion::arrow::array::{
    Array, ArrayRef, BooleanArray, Float64Array, StringArray, TimestampMicrosecondArray,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{
    DataType, Field, Float64Type, Schema, TimeUnit, TimestampMicrosecondType,
};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::record_batch::RecordBatch;
use thalweg_domain::{Column, ColumnData};

use crate::infer::Reading;
use crate::source::{Cells, TextCells};

const MICROS_PER_DAY: f64 = 86_400_000_000.0;

/// Whether a column of that type is numbers, truth values, dates or text.
pub(crate) fn is_flat(data_type: &DataType) -> bool {
    match data_type {
        DataType::Null | DataType::Boolean | DataType::Date32 | DataType::Date64 => true,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Timestamp(_, _) | DataType::Duration(_) => true,
        DataType::Dictionary(_, value) => is_flat(value),
        other => other.is_numeric(),
    }
}

/// The flat columns of the batches, by name; keys are read as text whatever their type.
pub(crate) fn read_columns(
    batches: &[RecordBatch],
    readings: &BTreeMap<&str, Reading>,
) -> Result<Vec<(String, Cells)>, ArrowError> {
    let Some(schema) = batches.first().map(RecordBatch::schema) else {
        return Ok(Vec::new());
    };
    let mut columns = Vec::new();
    for (at, field) in schema.fields().iter().enumerate() {
        if !is_flat(field.data_type()) {
            continue;
        }
        let as_key = readings
            .get(field.name().as_str())
            .is_some_and(|reading| reading.is_key());
        let mut cells = empty_cells(field.data_type(), as_key);
        for batch in batches {
            extend(&mut cells, batch.column(at))?;
        }
        columns.push((field.name().clone(), cells));
    }
    Ok(columns)
}

fn empty_cells(data_type: &DataType, as_key: bool) -> Cells {
    match data_type {
        _ if as_key => Cells::Text(TextCells::default()),
        DataType::Boolean => Cells::Boolean(Vec::new()),
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(_, _) => Cells::Date(Vec::new()),
        DataType::Duration(_) => Cells::Number(Vec::new()),
        DataType::Dictionary(_, value) => empty_cells(value, as_key),
        other if other.is_numeric() => Cells::Number(Vec::new()),
        _ => Cells::Text(TextCells::default()),
    }
}

fn extend(cells: &mut Cells, array: &ArrayRef) -> Result<(), ArrowError> {
    match cells {
        Cells::Text(cells) => {
            let array = cast(array, &DataType::Utf8)?;
            array
                .as_string::<i32>()
                .iter()
                .for_each(|cell| cells.push(cell.unwrap_or_default()));
        }
        Cells::Number(cells) => cells.extend(numbers(array)?),
        Cells::Boolean(cells) => cells.extend(cast(array, &DataType::Boolean)?.as_boolean().iter()),
        Cells::Date(cells) => cells.extend(dates(array)?),
    }
    Ok(())
}

/// Numbers, missing as NaN; a duration is a number of days.
pub(crate) fn numbers(array: &ArrayRef) -> Result<Vec<f64>, ArrowError> {
    if let DataType::Duration(_) = array.data_type() {
        let micros = cast(
            &cast(array, &DataType::Duration(TimeUnit::Microsecond))?,
            &DataType::Int64,
        )?;
        return Ok(numbers(&micros)?
            .into_iter()
            .map(|micros| micros / MICROS_PER_DAY)
            .collect());
    }
    let array = cast(array, &DataType::Float64)?;
    Ok(array
        .as_primitive::<Float64Type>()
        .iter()
        .map(|cell| cell.unwrap_or(f64::NAN))
        .collect())
}

/// Microseconds since 1970 in UTC.
pub(crate) fn dates(array: &ArrayRef) -> Result<Vec<Option<i64>>, ArrowError> {
    let zone = match array.data_type() {
        DataType::Timestamp(_, zone) => zone.clone(),
        _ => None,
    };
    let array = cast(array, &DataType::Timestamp(TimeUnit::Microsecond, zone))?;
    Ok(array.as_primitive::<TimestampMicrosecondType>().iter().collect())
}

/// A column as an Arrow array: missing cells are null, a category is text, a date has no zone.
pub(crate) fn to_array(column: &Column) -> ArrayRef {
    match &column.data {
        ColumnData::Number(cells) => number_array(cells),
        ColumnData::Category { codes, levels } => {
            let level = |code: &u32| levels.get(*code as usize).map(String::as_str);
            Arc::new(codes.iter().map(level).collect::<StringArray>())
        }
        ColumnData::Boolean(cells) => Arc::new(cells.iter().copied().collect::<BooleanArray>()),
        ColumnData::Date(cells) => Arc::new(cells.iter().copied().collect::<TimestampMicrosecondArray>()),
        ColumnData::Text(cells) => Arc::new(cells.iter().map(Option::as_deref).collect::<StringArray>()),
    }
}

/// Numbers as an Arrow array; NaN is null.
pub(crate) fn number_array(cells: &[f64]) -> ArrayRef {
    Arc::new(
        cells
            .iter()
            .map(|cell| (!cell.is_nan()).then_some(*cell))
            .collect::<Float64Array>(),
    )
}

/// Named arrays of one length as a batch.
pub(crate) fn batch(columns: Vec<(String, ArrayRef)>) -> Result<RecordBatch, ArrowError> {
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, array)| Field::new(name, array.data_type().clone(), true))
        .collect();
    RecordBatch::try_new(
        Arc::new(Schema::new(fields)),
        columns.into_iter().map(|(_, array)| array).collect(),
    )
}
