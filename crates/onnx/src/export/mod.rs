//! Our own models as ONNX: preparation, model and calibration in one graph.

mod body;
mod builder;
mod columns;
mod link;

use thalweg_domain::{ColumnKind, Error, Result};
use thalweg_learn::models::structure::{Body, EncodedColumn, Encoding, Part, Structure};
use thalweg_learn::outcome::OutcomeModel;
use thalweg_learn::task::Task;

use builder::{Builder, Value};

use crate::proto::{Element, GraphProto, ModelProto};

/// Version of the default operator set that is written.
pub const OPSET: i64 = 18;
/// Version of the `ai.onnx.ml` operator set that is written.
pub const ML_OPSET: i64 = 3;
const IR_VERSION: i64 = 8;

/// The model as the bytes of an ONNX file (operator sets [`OPSET`] and [`ML_OPSET`]).
///
/// One input per column, named like it, with the shape rows x 1: numbers, booleans (0 or 1) and dates (days since
/// 1970-01-01, UTC) in double precision with NaN for missing, categories as text with the empty text for missing. One
/// output: `probabilities` (rows x 2: no outcome, outcome; or rows x classes) in single precision, or `prediction`
/// (rows x 1) in double precision; `_` follows the name where a column is called so. The file's metadata name the task, the classes in order and each column's kind.
///
/// Double precision for numbers because a threshold that two neighbouring numbers straddle must not be rounded onto
/// one of them.
///
/// # Errors
/// `TW0345` for a model that reads text columns, which ONNX has no operators for that all programs share, and for one that
/// was itself registered from a file.
pub fn export(model: &OutcomeModel) -> Result<Vec<u8>> {
    write(&model.structure())
}

fn write(structure: &Structure) -> Result<Vec<u8>> {
    refuse_text(structure)?;
    if structure.parts.iter().any(|part| part.body == Body::Foreign) {
        return Err(Error::new("TW0345", "the model was trained elsewhere, and its calibration is all that is ours")
            .hint("use the ONNX file that was registered; or compress it to a net of ours: thalweg compress --to distilled"));
    }
    let mut builder = Builder::default();
    let mut scores: Option<Value> = None;
    for part in &structure.parts {
        let own = weighted(&mut builder, part)?;
        scores = Some(match scores {
            Some(sum) => builder.op("Add", &[&sum, &own]),
            None => own,
        });
    }
    let scores = scores.ok_or_else(nothing)?;
    let predictions = link::predictions(&mut builder, &scores, &structure.link);
    output(&mut builder, &predictions, &structure.task);
    Ok(file(builder.finish("thalweg"), structure).write())
}

fn nothing() -> Error {
    Error::new(
        "TW0345",
        "the model reads no column, so there is nothing to export",
    )
    .hint("train it on a table with at least one column that varies")
}

fn refuse_text(structure: &Structure) -> Result<()> {
    let is_text = |column: &&EncodedColumn| column.encoding == Encoding::Text;
    let mut texts: Vec<&str> = structure
        .parts
        .iter()
        .flat_map(|part| part.columns.iter().filter(is_text))
        .map(|column| column.name.as_str())
        .collect();
    texts.sort_unstable();
    texts.dedup();
    if texts.is_empty() {
        return Ok(());
    }
    let message = format!(
        "the model reads text (\"{}\"), which ONNX cannot express",
        texts.join("\", \"")
    );
    Err(Error::new("TW0345", message)
        .hint("train a model without the text columns for export: [features] exclude"))
}

/// `factor * (scores + offset)`.
fn weighted(builder: &mut Builder, part: &Part) -> Result<Value> {
    let mut scores = body::scores(builder, part).ok_or_else(nothing)?;
    if part.offset.iter().any(|offset| *offset != 0.0) {
        let offset = builder.doubles(part.offset.clone());
        scores = builder.op("Add", &[&scores, &offset]);
    }
    #[expect(clippy::float_cmp, reason = "a factor of exactly 1 changes nothing")]
    if part.factor != 1.0 {
        let factor = builder.doubles(vec![part.factor]);
        scores = builder.op("Mul", &[&scores, &factor]);
    }
    Ok(scores)
}

fn output(builder: &mut Builder, predictions: &Value, task: &Task) {
    match task {
        Task::Value => builder.output(predictions, "prediction", (Element::Double, 1)),
        Task::Binary => {
            let one = builder.doubles(vec![1.0]);
            let rest = builder.op("Sub", &[&one, predictions]);
            let both = builder.beside(&[rest, predictions.clone()]);
            let both = builder.as_float(&both);
            builder.output(&both, "probabilities", (Element::Float, 2));
        }
        Task::Class { classes } => {
            let all = builder.as_float(predictions);
            builder.output(&all, "probabilities", (Element::Float, classes.len()));
        }
    }
}

fn file(graph: GraphProto, structure: &Structure) -> ModelProto {
    let mut metadata = vec![("task".to_owned(), structure.task.as_str().to_owned())];
    if let Task::Class { classes } = &structure.task {
        let named = classes.iter().enumerate();
        metadata.extend(named.map(|(place, class)| (format!("class {place}"), class.clone())));
    }
    let columns = structure.parts.iter().flat_map(|part| &part.columns);
    for column in columns {
        let key = format!("column {}", column.name);
        if !metadata.iter().any(|(own, _)| *own == key) {
            metadata.push((key, meaning(column.kind).to_owned()));
        }
    }
    ModelProto {
        ir_version: IR_VERSION,
        producer: "thalweg".to_owned(),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        doc: "One input per column: missing numbers are NaN, missing categories the empty text.".to_owned(),
        graph,
        opsets: vec![(String::new(), OPSET), ("ai.onnx.ml".to_owned(), ML_OPSET)],
        metadata,
        has_functions: false,
    }
}

const fn meaning(kind: ColumnKind) -> &'static str {
    match kind {
        ColumnKind::Number => "number",
        ColumnKind::Boolean => "boolean: 0 or 1",
        ColumnKind::Date => "date: days since 1970-01-01",
        ColumnKind::Category => "category",
        ColumnKind::Text => "text",
    }
}
