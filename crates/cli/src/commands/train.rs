//! `thalweg train`: which learner was chosen and what tells most.

use std::process::ExitCode;

use thalweg_domain::Result;

use super::run::single;
use crate::context::Context;
use crate::text::{Align, Grid, count, percent, wrap};

pub(crate) fn run(context: &Context) -> Result<ExitCode> {
    let session = context.session(None)?;
    let (stage, out) = session.train()?;
    context.output.result(&out, |out| {
        let mut text = single(&stage);
        text.push_str(&wrap(
            &format!(
                "Model {}: {} on {} rows (worth {} equally weighted ones), {} of them from earlier decisions.",
                out.model,
                out.learner,
                count(out.rows),
                crate::text::amount(out.effective_rows),
                count(out.rows_from_decisions)
            ),
            2,
        ));
        let mut grid = Grid::new(&[("what tells most", Align::Left), ("share", Align::Right)]);
        for (name, share) in out.importance.iter().take(10) {
            grid.row(vec![name.clone(), percent(*share, 1)]);
        }
        text.push_str(&grid.render(2));
        text.push_str(&format!("\nnext    {}\n", session.suggest("evaluate")));
        text
    })?;
    Ok(ExitCode::SUCCESS)
}
