//! export: a model for other tools.

use std::path::Path;

use thalweg_domain::Result;
use thalweg_learn::outcome::OutcomeModel;

use crate::score::{Chosen, choose_model};
use crate::session::Options;
use crate::wire::ExportOut;

/// Writes a model (an id of the workspace, `champion`, `latest`, or a file) as ONNX.
///
/// # Errors
/// `TW0113` and `TW0309` for the model, `TW034x` for what ONNX cannot express, `TW0229` when the file cannot be written.
pub fn export(model: Option<&str>, dir: &Path, options: &Options, out: &Path) -> Result<ExportOut> {
    let Chosen { name, model, .. } = choose_model(model, dir, options)?;
    let bytes = thalweg_onnx::export(&model)?;
    thalweg_collect::write_bytes_atomic(out, &bytes)?;
    Ok(describe(name, &model, bytes.len(), out))
}

fn describe(name: String, model: &OutcomeModel, bytes: usize, out: &Path) -> ExportOut {
    ExportOut {
        model: name,
        task: model.task().as_str().to_owned(),
        learner: model.kept().as_str().to_owned(),
        inputs: model.schema().into_iter().map(|column| column.name).collect(),
        opset: thalweg_onnx::OPSET,
        bytes,
        file: out.display().to_string(),
    }
}
