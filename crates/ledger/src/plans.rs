//! Plans: one active plan per cycle; an earlier one that was not delivered is superseded, its rows stay.

use sqlx::sqlite::SqliteRow;
use sqlx::{SqliteConnection, query};
use thalweg_domain::{Error, Result, Timestamp};

use crate::cells::Cells;
use crate::fault::Fault;
use crate::{ActionRow, CycleState, DecisionRow, Ledger, cycles, decisions};

/// Whether a plan is the one that counts in its cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanState {
    /// The one that is, or will be, delivered.
    Active,
    /// Replaced by a later one before it was delivered.
    Superseded,
}

impl PlanState {
    /// `active` or `superseded`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Superseded => "superseded",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Active, Self::Superseded]
            .into_iter()
            .find(|state| state.as_str() == name)
    }
}

/// A plan as it is made.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanRecord {
    /// Its name, such as `p-1a2b3c`; made of its contents, cycle included.
    pub plan_id: String,
    /// The cycle.
    pub cycle: u32,
    /// When it was made, also the time of its decisions.
    pub created_at: Timestamp,
    /// Hash of everything that it depends on.
    pub fingerprint: String,
    /// Hash of the configuration.
    pub config_hash: String,
    /// Hash of the customers' table.
    pub data_hash: String,
    /// Hash of the model that scored them.
    pub model_hash: String,
    /// The seed.
    pub seed: u64,
    /// The cycle's actions; an `ActionId` in a decision is an index into this list.
    pub actions: Vec<ActionRow>,
    /// The result, as JSON.
    pub summary: String,
}

/// A plan with what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanRow {
    /// The plan.
    pub plan: PlanRecord,
    /// Active or superseded.
    pub state: PlanState,
    /// When it was committed to delivery.
    pub delivered_at: Option<Timestamp>,
}

/// What [`Ledger::insert_plan`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanInsert {
    /// The plan is new and now active.
    Added,
    /// It was the active plan already.
    Unchanged,
    /// It was known, had been superseded, and is active again.
    Reactivated,
}

impl Ledger {
    /// Keeps a plan with its decisions, in one transaction, as the active plan of its cycle. An earlier active one is
    /// superseded. A plan that is known already is not written twice.
    ///
    /// # Errors
    /// `TW0810` when the cycle's plan was delivered already, `TW0811` when the cycle is closed, `TW0808` when it does
    /// not exist; `TW08xx` when the ledger cannot be written.
    pub fn insert_plan(&self, plan: &PlanRecord, decisions: &[DecisionRow]) -> Result<PlanInsert> {
        self.write("keeping the plan", async |connection| {
            let known = find(connection, &plan.plan_id).await?;
            if known.as_ref().is_some_and(|row| row.state == PlanState::Active) {
                return Ok(PlanInsert::Unchanged);
            }
            require_open(connection, plan.cycle).await?;
            supersede(connection, plan.cycle).await?;
            if known.is_some() {
                activate(connection, &plan.plan_id).await?;
                return Ok(PlanInsert::Reactivated);
            }
            insert(connection, plan).await?;
            decisions::insert(connection, plan, decisions).await?;
            Ok(PlanInsert::Added)
        })
    }

    /// Whether [`Ledger::insert_plan`] would take a plan of that name; for knowing before an artifact is written.
    ///
    /// # Errors
    /// As [`Ledger::insert_plan`].
    pub fn require_plannable(&self, plan_id: &str, cycle: u32) -> Result<()> {
        self.read("keeping the plan", async |connection| {
            let known = find(connection, plan_id).await?;
            if known.is_some_and(|row| row.state == PlanState::Active) {
                return Ok(());
            }
            require_open(connection, cycle).await?;
            replaceable(connection, cycle).await?;
            Ok(())
        })
    }

    /// The active plan of a cycle.
    ///
    /// # Errors
    /// `TW08xx` when the ledger cannot be read.
    pub fn active_plan(&self, cycle: u32) -> Result<Option<PlanRow>> {
        self.read("reading the plan", async |connection| {
            Ok(find_active(connection, cycle).await?)
        })
    }

    /// The plan of that name.
    ///
    /// # Errors
    /// `TW08xx` when the ledger cannot be read.
    pub fn plan(&self, plan_id: &str) -> Result<Option<PlanRow>> {
        self.read("reading the plan", async |connection| {
            Ok(find(connection, plan_id).await?)
        })
    }

    /// All plans, by cycle and time.
    ///
    /// # Errors
    /// `TW08xx` when the ledger cannot be read.
    pub fn plans(&self) -> Result<Vec<PlanRow>> {
        self.read("reading the plans", async |connection| {
            let rows = query(
                "SELECT plan_id, cycle, created_at, fingerprint, config_hash, data_hash, model_hash, seed, actions,
                 summary, state, delivered_at FROM plans ORDER BY cycle, created_at, plan_id",
            )
            .fetch_all(connection)
            .await?;
            Ok(rows.iter().map(plan_row).collect::<sqlx::Result<_>>()?)
        })
    }

    /// The plans that were carried out, by cycle.
    ///
    /// # Errors
    /// `TW08xx` when the ledger cannot be read.
    pub fn executed_plans(&self) -> Result<Vec<PlanRow>> {
        let mut plans = self.plans()?;
        plans.retain(|row| row.state == PlanState::Active && row.delivered_at.is_some());
        Ok(plans)
    }
}

/// Marks an active plan of an open cycle as delivered (the first time stays) and returns its cycle.
pub(crate) async fn mark_delivered(
    connection: &mut SqliteConnection,
    plan_id: &str,
    at: Timestamp,
) -> Result<u32, Fault> {
    let row = find(connection, plan_id)
        .await?
        .ok_or_else(|| no_such_plan(plan_id))?;
    if row.state == PlanState::Superseded {
        return Err(Error::new(
            "TW0811",
            format!("plan \"{plan_id}\" was superseded by a later one"),
        )
        .hint("deliver the active plan: thalweg deliver")
        .into());
    }
    if row.delivered_at.is_none() {
        require_open(connection, row.plan.cycle).await?;
        query("UPDATE plans SET delivered_at = $1 WHERE plan_id = $2")
            .bind(at.0)
            .bind(plan_id)
            .execute(connection)
            .await?;
    }
    Ok(row.plan.cycle)
}

fn no_such_plan(plan_id: &str) -> Fault {
    Error::new("TW0808", format!("the ledger has no plan \"{plan_id}\""))
        .hint("make one: thalweg plan")
        .into()
}

async fn require_open(connection: &mut SqliteConnection, cycle: u32) -> Result<(), Fault> {
    if cycles::require(connection, cycle).await?.state == CycleState::Open {
        return Ok(());
    }
    Err(Error::new("TW0811", format!("cycle {cycle} is closed"))
        .hint("plan and deliver in the open cycle: thalweg status names it")
        .into())
}

/// The active plan of a cycle, which another may replace.
async fn replaceable(connection: &mut SqliteConnection, cycle: u32) -> Result<Option<PlanRow>, Fault> {
    let active = find_active(connection, cycle).await?;
    match active {
        Some(row) if row.delivered_at.is_some() => {
            let message = format!(
                "plan \"{}\" of cycle {cycle} was delivered, so it cannot be replaced",
                row.plan.plan_id
            );
            Err(Error::new("TW0810", message)
                .hint("finish the cycle (thalweg iterate); changes take effect in the next one")
                .into())
        }
        other => Ok(other),
    }
}

async fn supersede(connection: &mut SqliteConnection, cycle: u32) -> Result<(), Fault> {
    let Some(active) = replaceable(connection, cycle).await? else {
        return Ok(());
    };
    query("UPDATE plans SET state = 'superseded' WHERE plan_id = $1")
        .bind(&active.plan.plan_id)
        .execute(connection)
        .await?;
    Ok(())
}

async fn activate(connection: &mut SqliteConnection, plan_id: &str) -> sqlx::Result<()> {
    query("UPDATE plans SET state = 'active' WHERE plan_id = $1")
        .bind(plan_id)
        .execute(connection)
        .await?;
    Ok(())
}

async fn insert(connection: &mut SqliteConnection, plan: &PlanRecord) -> Result<(), Fault> {
    query(
        "INSERT INTO plans (plan_id, cycle, state, created_at, fingerprint, config_hash, data_hash, model_hash, seed,
         actions, summary) VALUES ($1, $2, 'active', $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(&plan.plan_id)
    .bind(i64::from(plan.cycle))
    .bind(plan.created_at.0)
    .bind(&plan.fingerprint)
    .bind(&plan.config_hash)
    .bind(&plan.data_hash)
    .bind(&plan.model_hash)
    .bind(plan.seed.to_string())
    .bind(decisions::to_json(&plan.actions)?)
    .bind(&plan.summary)
    .execute(connection)
    .await?;
    Ok(())
}

async fn find(connection: &mut SqliteConnection, plan_id: &str) -> sqlx::Result<Option<PlanRow>> {
    let row = query(
        "SELECT plan_id, cycle, created_at, fingerprint, config_hash, data_hash, model_hash, seed, actions, summary,
         state, delivered_at FROM plans WHERE plan_id = $1",
    )
    .bind(plan_id)
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(plan_row).transpose()
}

async fn find_active(connection: &mut SqliteConnection, cycle: u32) -> sqlx::Result<Option<PlanRow>> {
    let row = query(
        "SELECT plan_id, cycle, created_at, fingerprint, config_hash, data_hash, model_hash, seed, actions, summary,
         state, delivered_at FROM plans WHERE cycle = $1 AND state = 'active'",
    )
    .bind(i64::from(cycle))
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(plan_row).transpose()
}

fn plan_row(row: &SqliteRow) -> sqlx::Result<PlanRow> {
    let mut cells = Cells::new(row);
    let plan = PlanRecord {
        plan_id: cells.text()?,
        cycle: cells.cycle()?,
        created_at: cells.time()?,
        fingerprint: cells.text()?,
        config_hash: cells.text()?,
        data_hash: cells.text()?,
        model_hash: cells.text()?,
        seed: cells.seed()?,
        actions: cells.json()?,
        summary: cells.text()?,
    };
    Ok(PlanRow {
        plan,
        state: cells.named(PlanState::from_name)?,
        delivered_at: cells.time_or_none()?,
    })
}
