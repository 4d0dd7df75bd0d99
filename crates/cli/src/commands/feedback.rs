//! `thalweg feedback`: what was loaded, what was set aside.

use std::process::ExitCode;

use thalweg_domain::Result;
use thalweg_engine::clock::parse_time;
use thalweg_engine::wire::FeedbackOut;

use crate::args::FeedbackArgs;
use crate::context::Context;
use crate::text::{count, wrap};

pub(crate) fn run(context: &Context, args: &FeedbackArgs) -> Result<ExitCode> {
    let session = context.session(None)?;
    let until = args.complete_until.as_deref().map(parse_time).transpose()?;
    let out = session.feedback(&args.file, until)?;
    context.output.result(&out, |out| {
        format!("{}\nnext    {}\n", render(out), session.suggest("iterate"))
    })?;
    Ok(ExitCode::SUCCESS)
}

fn render(out: &FeedbackOut) -> String {
    let mut text = wrap(
        &format!(
            "{}: {} events, {} new, {} seen before; complete until {}",
            out.file,
            count(out.events),
            count(out.new),
            count(out.duplicates),
            out.complete_until
        ),
        0,
    );
    for (event, number) in &out.by_event {
        text.push_str(&wrap(&format!("{} {event}", count(*number)), 2));
    }
    for aside in &out.quarantined {
        text.push_str(&wrap(
            &format!("{} set aside: {}", count(aside.count), aside.reason),
            2,
        ));
    }
    for warning in &out.warnings {
        text.push_str(&wrap(&format!("note: {warning}"), 2));
    }
    text
}
