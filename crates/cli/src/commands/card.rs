//! `thalweg card`: the model card as Markdown or JSON.

use std::process::ExitCode;

use thalweg_domain::Result;

use crate::context::Context;

pub(crate) fn run(context: &Context) -> Result<ExitCode> {
    let card = context.session(None)?.card()?;
    context.output.result(&card, thalweg_engine::card::markdown)?;
    Ok(ExitCode::SUCCESS)
}
