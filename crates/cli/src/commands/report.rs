//! `thalweg report`: one HTML file that can be looked at anywhere.

use std::process::ExitCode;

use serde_json::json;
use thalweg_domain::Result;

use crate::args::ReportArgs;
use crate::context::Context;

pub(crate) fn run(context: &Context, args: &ReportArgs) -> Result<ExitCode> {
    let session = context.session(args.place.as_deref())?;
    let path = session.report(args.out.as_deref())?;
    let shown = path.display().to_string();
    context.output.result(&json!({ "file": shown }), |_| {
        format!("report written: {shown}\n")
    })?;
    Ok(ExitCode::SUCCESS)
}
