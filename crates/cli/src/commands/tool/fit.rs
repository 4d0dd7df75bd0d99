//! `thalweg tool fit`: what was read, and the model's figures.

use std::process::ExitCode;

use thalweg_domain::Result;
use thalweg_engine::config::{Fairness, FairnessAction};
use thalweg_engine::tools::fit::{FitRequest, fit};
use thalweg_engine::wire::FitOut;

use crate::args::FitArgs;
use crate::commands::{evaluate, exit_for};
use crate::context::Context;
use crate::text::wrap;

pub(crate) fn run(context: &Context, args: &FitArgs) -> Result<ExitCode> {
    let options = context.options();
    let action = FairnessAction::ALL
        .into_iter()
        .find(|action| action.as_str() == args.fairness_action);
    let request = FitRequest {
        data: args.data.clone(),
        target: args.target.clone(),
        key: args.key.clone(),
        kind: args.kind.map(|kind| kind.as_str().to_owned()),
        positive: args.positive.clone(),
        learner: args.learner.clone(),
        folds: args.folds.map(usize::from),
        config: args.config.clone(),
        exclude: args.exclude.clone(),
        fairness: Fairness {
            columns: args.fairness.clone(),
            action: action.unwrap_or_default(),
        },
        minutes: args.minutes,
        out: args.out.clone(),
        card: args.card.clone(),
        seed: options.seed,
    };
    let out = fit(&request, options.progress.as_ref())?;
    context.output.result(&out, render)?;
    Ok(exit_for(&out.evaluation.checks))
}

fn render(out: &FitOut) -> String {
    let mut text = evaluate::render(&out.evaluation);
    for warning in &out.warnings {
        text.push_str(&wrap(&format!("note: {warning}"), 2));
    }
    for dropped in &out.excluded {
        text.push_str(&wrap(&format!("left out: {}", dropped.reason), 2));
    }
    if let Some(file) = &out.out {
        text.push_str(&format!(
            "\nwritten {file}\nnext    thalweg score --model {file} --data FILE --out FILE\n"
        ));
    }
    text
}
