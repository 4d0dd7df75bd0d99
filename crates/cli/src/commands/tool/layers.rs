//! `thalweg tool layers`: what training in layers changes, with its doubt.

use std::process::ExitCode;

use thalweg_domain::Result;
use thalweg_engine::tools::fit::FitRequest;
use thalweg_engine::tools::layers::layers;
use thalweg_engine::wire::{ContenderOut, LayersOut};

use crate::args::LayersArgs;
use crate::context::Context;
use crate::text::{Align, Grid, wrap};

pub(crate) fn run(context: &Context, args: &LayersArgs) -> Result<ExitCode> {
    let request = FitRequest {
        data: args.data.clone(),
        target: args.target.clone(),
        key: args.key.clone(),
        positive: args.positive.clone(),
        config: args.config.clone(),
        exclude: args.exclude.clone(),
        seed: context.options().seed,
        ..FitRequest::default()
    };
    let out = layers(&request, args.segments.as_deref())?;
    context.output.result(&out, render)?;
    Ok(ExitCode::SUCCESS)
}

fn render(out: &LayersOut) -> String {
    let mut grid = Grid::new(&[
        ("training", Align::Left),
        (&out.metric, Align::Right),
        ("more than plain", Align::Right),
        ("95 %", Align::Right),
    ]);
    grid.row(vec![
        "plain".to_owned(),
        format!("{:.4}", out.plain),
        String::new(),
        String::new(),
    ]);
    let mut row = |name: &str, own: &ContenderOut| {
        let [low, high] = own.difference.ci95;
        grid.row(vec![
            name.to_owned(),
            format!("{:.4}", own.mean),
            format!("{:+.4}", own.difference.mean),
            format!("{low:+.4} to {high:+.4}"),
        ]);
    };
    row("layers pre-trained", &out.pretrained);
    if let Some(own) = &out.segmented {
        row("corrections per segment", own);
    }
    let mut text = grid.render(2);
    text.push_str(&wrap(
        &format!(
            "{} folds, the same for all; another seed of the nets changes the figures as well.",
            out.folds
        ),
        2,
    ));
    text
}
