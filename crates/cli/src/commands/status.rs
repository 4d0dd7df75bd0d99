//! `thalweg status`: where the loop stands.

use std::process::ExitCode;

use thalweg_domain::Result;
use thalweg_engine::wire::StatusOut;

use crate::args::PlaceArgs;
use crate::context::Context;
use crate::text::{Align, Grid, count};

pub(crate) fn run(context: &Context, args: &PlaceArgs) -> Result<ExitCode> {
    let session = context.session(args.place.as_deref())?;
    let out = session.status()?;
    context.output.result(&out, render)?;
    Ok(ExitCode::SUCCESS)
}

fn render(out: &StatusOut) -> String {
    let plan = out
        .plan
        .as_ref()
        .map_or_else(|| "no plan yet".to_owned(), |plan| format!("plan {plan}"));
    let mut text = format!("{}: cycle {}, {plan}\n\n", out.workspace, out.cycle);
    let mut grid = Grid::new(&[
        ("stage", Align::Left),
        ("state", Align::Left),
        ("finished", Align::Left),
        ("what", Align::Left),
    ]);
    for stage in &out.stages {
        let finished = stage
            .finished_at
            .as_deref()
            .and_then(|at| at.get(..16))
            .unwrap_or("")
            .replace('T', " ");
        grid.row(vec![
            stage.stage.clone(),
            stage.state.clone(),
            finished,
            stage.summary.clone(),
        ]);
    }
    text.push_str(&grid.render(2));
    let until = out
        .complete_until
        .as_deref()
        .map_or_else(String::new, |until| format!(", complete until {until}"));
    text.push_str(&format!(
        "\n  {} messages out this cycle · {} events known{until}\n",
        count(out.delivered),
        count(out.events)
    ));
    text.push_str(&format!("\nnext    {}\n", out.next));
    text
}
