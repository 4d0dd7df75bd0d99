//! Reads decisions: of a plan, of a cycle, of a customer.

use sqlx::query;
use sqlx::sqlite::SqliteRow;
use thalweg_domain::{ActionId, Arm, CustomerKey, Result};

use super::DecisionRow;
use super::codec::{self, EligibleCells, ReasonCells};
use crate::cells::Cells;
use crate::{Ledger, PlanRow};

/// The columns in the order in which [`decision_row`] takes them.
macro_rules! select {
    ($tail:literal) => {
        concat!(
            "SELECT d.decision_id, d.plan_id, d.cycle, d.customer_key, d.cluster_key, d.table_row, d.decided_at, d.arm,
             d.intended, d.intended_index, d.action, d.action_index, d.channel, d.offer, d.repaired, d.eligible,
             d.propensity, d.propensity_none, d.risk, d.effect, d.effect_sd, d.value, d.cost, d.acceptance,
             d.model_hash, d.config_hash, d.data_hash, d.seed, d.reasons, d.binding, d.day, d.survival FROM decisions d ",
            $tail
        )
    };
}

impl Ledger {
    /// The decisions of a plan, in the order of the table's rows.
    ///
    /// # Errors
    /// `TW08xx` when the ledger cannot be read.
    pub fn decisions(&self, plan_id: &str) -> Result<Vec<DecisionRow>> {
        self.read("reading the decisions", async |connection| {
            let rows = query(select!("WHERE d.plan_id = $1 ORDER BY d.table_row"))
                .bind(plan_id)
                .fetch_all(connection)
                .await?;
            Ok(rows.iter().map(decision_row).collect::<sqlx::Result<_>>()?)
        })
    }

    /// The decisions of a cycle's active plan, in the order of the table's rows; none before it is planned.
    ///
    /// # Errors
    /// `TW08xx` when the ledger cannot be read.
    pub fn decisions_of_cycle(&self, cycle: u32) -> Result<Vec<DecisionRow>> {
        match self.active_plan(cycle)? {
            Some(row) => self.decisions(&row.plan.plan_id),
            None => Ok(Vec::new()),
        }
    }

    /// The decisions of every plan that was carried out, by cycle, each with its plan.
    ///
    /// # Errors
    /// `TW08xx` when the ledger cannot be read.
    pub fn executed_decisions(&self) -> Result<Vec<(PlanRow, Vec<DecisionRow>)>> {
        let with_decisions = |row: PlanRow| {
            let decisions = self.decisions(&row.plan.plan_id)?;
            Ok((row, decisions))
        };
        self.executed_plans()?.into_iter().map(with_decisions).collect()
    }

    /// The decision of that name.
    ///
    /// # Errors
    /// `TW08xx` when the ledger cannot be read.
    pub fn decision(&self, decision_id: &str) -> Result<Option<DecisionRow>> {
        self.read("reading the decision", async |connection| {
            let row = query(select!("WHERE d.decision_id = $1"))
                .bind(decision_id)
                .fetch_optional(connection)
                .await?;
            Ok(row.as_ref().map(decision_row).transpose()?)
        })
    }

    /// What the active plans decided for a customer, the newest cycle first.
    ///
    /// # Errors
    /// `TW08xx` when the ledger cannot be read.
    pub fn decisions_for_customer(&self, customer: &CustomerKey) -> Result<Vec<DecisionRow>> {
        self.read("reading a customer's decisions", async |connection| {
            let rows = query(select!(
                "JOIN plans p ON p.plan_id = d.plan_id
                 WHERE d.customer_key = $1 AND p.state = 'active' ORDER BY d.cycle DESC"
            ))
            .bind(customer.reveal())
            .fetch_all(connection)
            .await?;
            Ok(rows.iter().map(decision_row).collect::<sqlx::Result<_>>()?)
        })
    }
}

fn decision_row(row: &SqliteRow) -> sqlx::Result<DecisionRow> {
    let mut cells = Cells::new(row);
    Ok(DecisionRow {
        decision_id: cells.text()?,
        plan_id: cells.text()?,
        cycle: cells.cycle()?,
        customer: cells.customer()?,
        cluster: cells.customer_or_none()?,
        row: cells.whole()?,
        decided_at: cells.time()?,
        arm: cells.named(Arm::from_name)?,
        intended: cells.text()?,
        intended_id: cells.whole_or_none()?.map(ActionId),
        action: cells.text()?,
        action_id: cells.whole_or_none()?.map(ActionId),
        channel: cells.text_or_none()?,
        offer: cells.text_or_none()?,
        repaired: cells.take()?,
        eligible: eligible(&mut cells)?,
        propensity: cells.number()?,
        propensity_none: cells.number()?,
        risk: cells.number()?,
        effect: cells.number()?,
        effect_sd: cells.number()?,
        value: cells.number()?,
        cost: cells.number()?,
        acceptance: cells.number()?,
        model_hash: cells.text()?,
        config_hash: cells.text()?,
        data_hash: cells.text()?,
        seed: cells.seed()?,
        reasons: reasons(&mut cells)?,
        binding: cells.text_or_none()?,
        day: cells.whole_or_none()?,
        survival: cells.take()?,
    })
}

fn eligible(cells: &mut Cells<'_>) -> sqlx::Result<Vec<thalweg_domain::EligibleAction>> {
    let entries: Vec<EligibleCells> = cells.json()?;
    Ok(entries.into_iter().map(codec::eligible_from_cells).collect())
}

fn reasons(cells: &mut Cells<'_>) -> sqlx::Result<Vec<thalweg_domain::Reason>> {
    let entries: Vec<ReasonCells> = cells.json()?;
    Ok(entries.into_iter().map(codec::reason_from_cells).collect())
}
