//! `thalweg export`: a model as ONNX.

use std::process::ExitCode;

use thalweg_domain::Result;
use thalweg_engine::export::export;
use thalweg_engine::wire::ExportOut;

use crate::args::ExportArgs;
use crate::context::Context;
use crate::text::{count, wrap};

pub(crate) fn run(context: &Context, args: &ExportArgs) -> Result<ExitCode> {
    let out = export(
        args.model.as_deref(),
        &context.dir(None),
        &context.options(),
        &args.out,
    )?;
    context.output.result(&out, render)?;
    Ok(ExitCode::SUCCESS)
}

fn render(out: &ExportOut) -> String {
    let mut text = wrap(
        &format!(
            "{} ({}, {}) as ONNX, operator set {}, {} bytes.",
            out.model,
            out.learner,
            out.task,
            out.opset,
            count(out.bytes)
        ),
        2,
    );
    text.push_str(&wrap(&format!("inputs: {}", out.inputs.join(", ")), 2));
    text.push_str(&format!("\nwritten {}\n", out.file));
    text
}
