//! `thalweg show`: one model, plan, decision, channel or run, in full.

use std::process::ExitCode;

use thalweg_domain::Result;
use thalweg_engine::show::{self, Shown};

use crate::args::{ShowArgs, ShowKind};
use crate::context::Context;
use crate::text::wrap;

pub(crate) fn run(context: &Context, args: &ShowArgs) -> Result<ExitCode> {
    let session = context.session(None)?;
    let shown = match args.what {
        ShowKind::Model => show::model(&session, &args.id),
        ShowKind::Plan => show::plan(&session, &args.id),
        ShowKind::Decision => show::decision(&session, &args.id),
        ShowKind::Channel => show::channel(&session, &args.id),
        ShowKind::Run => show::run(&session, &args.id),
    }?;
    context.output.result(&shown.json, |_| render(&shown))?;
    Ok(ExitCode::SUCCESS)
}

/// A title line, then `label  text` lines.
fn render(shown: &Shown) -> String {
    let mut text = wrap(&shown.title, 0);
    for (label, line) in &shown.lines {
        text.push_str(&labelled(label, &wrap(line, MARGIN)));
    }
    text
}

/// Where the texts begin.
const MARGIN: usize = 26;

/// The label in the margin of its text, or above it when it is too long for that.
fn labelled(label: &str, wrapped: &str) -> String {
    let room = MARGIN - 2;
    if label.chars().count() >= room {
        return format!("  {label}\n{wrapped}");
    }
    let body = wrapped.get(MARGIN..).unwrap_or("\n");
    format!("{}{}", format!("  {label:<room$}{body}").trim_end(), "\n")
}
