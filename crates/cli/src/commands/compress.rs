//! `thalweg compress`: what a smaller model saves and costs.

use std::process::ExitCode;

use thalweg_domain::Result;
use thalweg_engine::compress::CompressRequest;
use thalweg_engine::wire::CompressOut;

use crate::args::CompressArgs;
use crate::context::Context;
use crate::text::{Align, Grid, amount, plus_minus, wrap};

pub(crate) fn run(context: &Context, args: &CompressArgs) -> Result<ExitCode> {
    let session = context.session(None)?;
    let out = session.compress(&CompressRequest {
        model: args.model.clone(),
        to: args.to.clone(),
        sparsity: args.sparsity,
        hidden: args.hidden.clone(),
        bound: args.bound,
        out: args.out.clone(),
        replace: args.replace,
    })?;
    context.output.result(&out, render)?;
    Ok(ExitCode::SUCCESS)
}

fn render(out: &CompressOut) -> String {
    let mut grid = Grid::new(&[
        ("", Align::Left),
        ("before", Align::Right),
        (&out.to, Align::Right),
        ("ratio", Align::Right),
    ]);
    let mut row = |name: &str, [before, after]: [f64; 2]| {
        grid.row(vec![
            name.to_owned(),
            amount(before),
            amount(after),
            format!("{:.2}", before / after.max(1e-9)),
        ]);
    };
    row("bytes of the file", out.bytes.map(to_f64));
    if let Some(bytes) = out.net_bytes {
        row("bytes of the net", bytes.map(to_f64));
    }
    row("rows a second", out.rows_per_second);
    let mut text = format!("{} to {}\n\n{}", out.model, out.to, grid.render(2));
    text.push_str(&wrap(
        &format!(
            "{} on unseen rows: {:.4} before, {:.4} after; loss {} (bound {}).",
            out.metric,
            out.before,
            out.after,
            plus_minus(out.loss.mean, out.loss.ci95, 4),
            out.bound
        ),
        2,
    ));
    let verdict = match (&out.replaced, out.within_bound) {
        (Some(id), _) => format!("In use now: {id}."),
        (None, true) => {
            "The whole interval lies within the bound: --replace would put it in place.".to_owned()
        }
        (None, false) => "The loss may be beyond the bound: --replace would be refused.".to_owned(),
    };
    text.push_str(&wrap(&verdict, 2));
    if let Some(file) = &out.file {
        text.push_str(&format!("\nwritten {file}\n"));
    }
    text
}

#[expect(clippy::cast_precision_loss, reason = "file sizes for display")]
const fn to_f64(bytes: usize) -> f64 {
    bytes as f64
}
