//! Writes decisions in bulk: several rows per statement, inside the plan's transaction.

use sqlx::query_builder::Separated;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};
use thalweg_domain::Error;

use super::{DecisionRow, codec};
use crate::PlanRecord;
use crate::fault::Fault;

/// Rows per statement: few round trips, well below the limit on bound values (31 x 200 of 32,766).
const ROWS_PER_INSERT: usize = 200;

const INSERT: &str = "INSERT INTO decisions (decision_id, plan_id, cycle, customer_key, cluster_key, table_row,
    decided_at, arm, intended, intended_index, action, action_index, channel, offer, repaired, eligible, propensity,
    propensity_none, risk, effect, effect_sd, value, cost, acceptance, model_hash, config_hash, data_hash, seed,
    reasons, binding, day, survival) ";

/// Adds the decisions of a plan.
pub(crate) async fn insert(
    connection: &mut SqliteConnection,
    plan: &PlanRecord,
    decisions: &[DecisionRow],
) -> Result<(), Fault> {
    for chunk in decisions.chunks(ROWS_PER_INSERT) {
        let texts = chunk
            .iter()
            .map(|row| Texts::of(plan, row))
            .collect::<Result<Vec<_>, _>>()?;
        let mut insert = QueryBuilder::<Sqlite>::new(INSERT);
        insert.push_values(chunk.iter().zip(texts), |row, (decision, texts)| {
            bind(row, decision, texts)
        });
        insert.build().execute(&mut *connection).await?;
    }
    Ok(())
}

/// The cells that have to be written out first.
struct Texts {
    eligible: String,
    reasons: String,
    seed: String,
}

impl Texts {
    fn of(plan: &PlanRecord, row: &DecisionRow) -> Result<Self, Fault> {
        if row.plan_id != plan.plan_id || row.cycle != plan.cycle {
            return Err(Error::new("TW0901", "internal error: a decision belongs to another plan").into());
        }
        Ok(Self {
            eligible: codec::eligible_to_json(&row.eligible)?,
            reasons: codec::reasons_to_json(&row.reasons)?,
            seed: row.seed.to_string(),
        })
    }
}

fn bind(mut row: Separated<'_, Sqlite, &'static str>, decision: &DecisionRow, texts: Texts) {
    row.push_bind(&decision.decision_id)
        .push_bind(&decision.plan_id)
        .push_bind(i64::from(decision.cycle))
        .push_bind(decision.customer.reveal())
        .push_bind(decision.cluster.as_ref().map(|key| key.reveal()))
        .push_bind(i64::try_from(decision.row).unwrap_or(i64::MAX))
        .push_bind(decision.decided_at.0)
        .push_bind(decision.arm.as_str())
        .push_bind(&decision.intended)
        .push_bind(decision.intended_id.map(|id| i64::from(id.0)))
        .push_bind(&decision.action)
        .push_bind(decision.action_id.map(|id| i64::from(id.0)))
        .push_bind(&decision.channel)
        .push_bind(&decision.offer)
        .push_bind(decision.repaired)
        .push_bind(texts.eligible)
        .push_bind(decision.propensity)
        .push_bind(decision.propensity_none)
        .push_bind(decision.risk)
        .push_bind(decision.effect)
        .push_bind(decision.effect_sd)
        .push_bind(decision.value)
        .push_bind(decision.cost)
        .push_bind(decision.acceptance)
        .push_bind(&decision.model_hash)
        .push_bind(&decision.config_hash)
        .push_bind(&decision.data_hash)
        .push_bind(texts.seed)
        .push_bind(texts.reasons)
        .push_bind(&decision.binding)
        .push_bind(decision.day.map(i64::from))
        .push_bind(decision.survival);
}
