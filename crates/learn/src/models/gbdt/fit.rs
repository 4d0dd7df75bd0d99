//! Growing the trees: how many, on which rows, within which constraints.

use thalweg_domain::{ColumnKind, Error, Result, Seed};

use super::bins::Bins;
use super::boost::{Boosting, Plan};
use super::params::GbdtParams;
use super::predict::Gbdt;
use super::source::{Rows, Source};
use crate::models::Examples;
use crate::outcome::stratified_split;
use crate::task::Task;

/// Grows trees on some rows of a table; `examples` are those of the rows, in their order.
///
/// With a validation share, boosting first runs without those rows until their loss has not fallen for `patience` rounds; it
/// then runs on all rows for as many rounds as had the lowest loss. The same seed gives the same trees whatever the number
/// of threads.
///
/// # Errors
/// `TW0307` for a parameter out of range or a constraint that cannot be kept; `TW0308` when a margin stops being a
/// number; those of the preparation.
pub(crate) fn fit(rows: &Rows<'_>, examples: &Examples, params: &GbdtParams, seed: Seed) -> Result<Gbdt> {
    let monotone = monotone_columns(rows, &examples.task, params)?;
    fit_source(rows, examples, params, &monotone, seed)
}

/// As [`fit`], with one sign per raw column.
pub(super) fn fit_source(
    source: &dyn Source,
    examples: &Examples,
    params: &GbdtParams,
    monotone: &[i8],
    seed: Seed,
) -> Result<Gbdt> {
    params.check()?;
    if source.n_rows() >= 1 << 30 {
        return Err(Error::new(
            "TW0308",
            format!("{} rows are too many for the boosted trees", source.n_rows()),
        )
        .hint("train on a sample of at most a billion rows"));
    }
    let seed = seed.stream("gbdt");
    let bins = Bins::new(source, params.bins, seed.stream("bins"))?;
    let boosting = Boosting::new(&bins, examples, params, monotone);
    let (fit, validation) = stratified_split(examples, params.validation, seed.stream("validation"));
    let rounds = if validation.is_empty() {
        params.trees
    } else {
        let plan = Plan {
            fit: &fit,
            validation: &validation,
            rounds: params.trees,
        };
        boosting.run(&plan, seed.stream("search"))?.best_round
    };
    let everything: Vec<usize> = (0..bins.n_rows).collect();
    let plan = Plan {
        fit: &everything,
        validation: &[],
        rounds,
    };
    let run = boosting.run(&plan, seed.stream("final"))?;
    Ok(Gbdt {
        base: run.base,
        rounds: run.rounds,
        n_columns: bins.n_columns,
    })
}

/// The sign of each raw column.
fn monotone_columns(rows: &Rows<'_>, task: &Task, params: &GbdtParams) -> Result<Vec<i8>> {
    let sources = rows.preparer.raw_sources();
    let constrained = || params.monotone.iter().filter(|(_, sign)| **sign != 0);
    let refuse = |message: String, hint: &str| Err(Error::new("TW0307", message).hint(hint));
    if let (Some((name, _)), Task::Class { .. }) = (constrained().next(), task) {
        return refuse(
            format!("[model.gbdt.monotone] {name} has no meaning with several classes"),
            "remove the constraint, or learn one class against the others",
        );
    }
    let schema = rows.preparer.schema();
    let mut of_feature = vec![0; schema.len()];
    for (name, sign) in constrained() {
        match schema.iter().position(|column| column.name == *name) {
            Some(feature) if matches!(schema[feature].kind, ColumnKind::Category | ColumnKind::Text) => {
                return refuse(
                    format!(
                        "[model.gbdt.monotone] {name} is of kind {}",
                        schema[feature].kind.as_str()
                    ),
                    "name a number, date or boolean column: other kinds have no order",
                );
            }
            Some(feature) => of_feature[feature] = *sign,
            // a column that does not vary over these rows has no say
            None if rows.table.column(name).is_some() => {}
            None => {
                return refuse(
                    format!("[model.gbdt.monotone] {name} is not a column of the table"),
                    "name a column as it is in the source",
                );
            }
        }
    }
    Ok(sources.into_iter().map(|feature| of_feature[feature]).collect())
}
