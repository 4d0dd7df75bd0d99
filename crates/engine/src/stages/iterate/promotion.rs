//! Champion and challenger: the retrained model replaces the one in use unless it is clearly worse.

use thalweg_domain::Result;

use super::train_next;
use crate::experience;
use crate::session::Session;
use crate::stages::{collect, train};
use crate::wire::PromotionOut;

/// Retrains with the cycle's outcomes and compares on the rows that both scored before knowing them.
pub(super) fn retrain(session: &Session, champion: &str) -> Result<PromotionOut> {
    let evaluation = train_next(session)?;
    if evaluation.model == champion {
        return Ok(PromotionOut {
            champion: champion.to_owned(),
            challenger: None,
            decision: "keep".to_owned(),
            reason: "nothing new to learn from".to_owned(),
        });
    }
    let comparison = compare(session, &evaluation.model)?;
    let said = comparison.as_ref().map_or_else(
        || "no untreated decisions to compare on".to_owned(),
        |found| {
            format!(
                "on {} untreated decisions the retrained model's log loss is {:+.4} (± {:.4}) against the one that made them",
                found.rows,
                found.difference,
                1.96 * found.error
            )
        },
    );
    let worse =
        comparison.is_some_and(|found| found.same_table && found.difference - 1.96 * found.error > 0.0);
    let (kept, decision) = if worse {
        (champion, "keep")
    } else {
        (evaluation.model.as_str(), "promote")
    };
    if worse {
        session.ledger.retire_model(&evaluation.model)?;
        train::keep_champion(session, champion)?;
    } else {
        session
            .ledger
            .promote_model(&evaluation.model, session.options.as_of)?;
    }
    Ok(PromotionOut {
        champion: kept.to_owned(),
        challenger: Some(evaluation.model.clone()),
        decision: decision.to_owned(),
        reason: said,
    })
}

/// How two models did on the same rows.
struct Comparison {
    /// Mean difference in log loss, new minus old.
    difference: f64,
    /// Its standard error.
    error: f64,
    rows: usize,
    /// Whether the old model was trained on the table in force; only then can it go on.
    same_table: bool,
}

/// Compares on the last cycle's untreated decisions, scored by the old model when deciding and by the new one out of fold.
fn compare(session: &Session, challenger: &str) -> Result<Option<Comparison>> {
    let table =
        session.stage_result::<crate::wire::TableOut>(session.cycle()?, thalweg_domain::Stage::Collect)?;
    let Some(table) = table else { return Ok(None) };
    let collected = collect::load(session, &table.table)?;
    let rows = train::rows(session, &collected)?;
    let training = train::load(session, challenger)?;
    let plans = experience::closed_plans(session)?;
    let Some(last) = experience::join(session, plans.into_iter().rev().take(1).collect())?.pop() else {
        return Ok(None);
    };
    let old: Vec<f64> = last
        .decisions
        .iter()
        .filter(|decision| experience::is_untreated(decision))
        .map(|decision| decision.risk)
        .collect();
    // the last cycle's untreated decisions are the last training rows, in the same order
    let from = rows.target.len().saturating_sub(old.len());
    let new = training.out_of_fold.get(from..).unwrap_or_default();
    let target = rows.target.get(from..).unwrap_or_default();
    let differences: Vec<f64> = new
        .iter()
        .zip(&old)
        .zip(target)
        .map(|((new, old), happened)| loss(*new, *happened) - loss(*old, *happened))
        .collect();
    let same_table = last.plan.plan.data_hash == table.table;
    Ok(
        mean_and_error(&differences).map(|(difference, error)| Comparison {
            difference,
            error,
            rows: differences.len(),
            same_table,
        }),
    )
}

fn loss(p: f64, happened: bool) -> f64 {
    let p = p.clamp(1e-15, 1.0 - 1e-15);
    if happened { -p.ln() } else { -(1.0 - p).ln() }
}

fn mean_and_error(numbers: &[f64]) -> Option<(f64, f64)> {
    if numbers.len() < 2 {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^52")]
    let n = numbers.len() as f64;
    let mean = numbers.iter().sum::<f64>() / n;
    let variance = numbers.iter().map(|number| (number - mean).powi(2)).sum::<f64>() / (n - 1.0);
    Some((mean, (variance / n).sqrt()))
}
