//! `thalweg tool profile`: the columns, and what is suspicious about them.

use std::process::ExitCode;

use thalweg_domain::Result;
use thalweg_engine::tools::profile::profile;
use thalweg_engine::wire::ProfileOut;

use crate::args::ProfileArgs;
use crate::commands::init::columns;
use crate::context::Context;
use crate::text::{heading, wrap};

pub(crate) fn run(context: &Context, args: &ProfileArgs) -> Result<ExitCode> {
    let out = profile(&args.data, args.target.as_deref(), args.positive.as_deref())?;
    context.output.result(&out, render)?;
    Ok(ExitCode::SUCCESS)
}

fn render(out: &ProfileOut) -> String {
    let mut text = columns(out.rows, &out.columns);
    if !out.warnings.is_empty() {
        text.push_str(&heading("Look at"));
    }
    for warning in &out.warnings {
        text.push_str(&wrap(&format!("{}: {}", warning.kind, warning.detail), 2));
        text.push_str(&wrap(&format!("hint: {}", warning.advice), 4));
    }
    text
}
