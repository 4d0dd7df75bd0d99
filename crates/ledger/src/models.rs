//! Models and their roles: one champion at most, challengers beside it, the rest retired.

use sqlx::sqlite::SqliteRow;
use sqlx::{SqliteConnection, query};
use thalweg_domain::{Error, Result, Timestamp};

use crate::Ledger;
use crate::cells::Cells;
use crate::fault::Fault;

/// What a model is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelRole {
    /// Scores customers for the next plan.
    Champion,
    /// Measured beside the champion.
    Challenger,
    /// No longer used; kept because decisions name it.
    Retired,
}

impl ModelRole {
    const ALL: [Self; 3] = [Self::Champion, Self::Challenger, Self::Retired];

    /// `champion`, `challenger` or `retired`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Champion => "champion",
            Self::Challenger => "challenger",
            Self::Retired => "retired",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }
}

/// A model as it is recorded: always as a challenger first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelRecord {
    /// Hash of the saved model.
    pub model_hash: String,
    /// The cycle it was trained in.
    pub cycle: u32,
    /// Its learner, such as `gbdt`.
    pub learner: String,
    /// When it was trained.
    pub recorded_at: Timestamp,
    /// Its evaluation, as JSON.
    pub payload: String,
}

/// A model with its role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelRow {
    /// The model.
    pub model: ModelRecord,
    /// What it is used for.
    pub role: ModelRole,
    /// When it last became champion.
    pub promoted_at: Option<Timestamp>,
}

impl Ledger {
    /// Records a model as challenger; one that is known already keeps its role, and its record.
    ///
    /// # Errors
    /// `TW08xx` when the ledger cannot be written.
    pub fn record_model(&self, model: &ModelRecord) -> Result<()> {
        self.write("recording a model", async |connection| {
            query(
                "INSERT INTO models (model_hash, cycle, role, learner, recorded_at, payload)
                 VALUES ($1, $2, 'challenger', $3, $4, $5) ON CONFLICT (model_hash) DO NOTHING",
            )
            .bind(&model.model_hash)
            .bind(i64::from(model.cycle))
            .bind(&model.learner)
            .bind(model.recorded_at.0)
            .bind(&model.payload)
            .execute(connection)
            .await?;
            Ok(())
        })
    }

    /// Makes a recorded model the champion and retires the one before; promoting the champion again changes nothing.
    ///
    /// # Errors
    /// `TW0808` for a model that was never recorded; `TW08xx` when the ledger cannot be written.
    pub fn promote_model(&self, model_hash: &str, at: Timestamp) -> Result<()> {
        self.write("promoting a model", async |connection| {
            match find(connection, model_hash).await? {
                None => Err(no_such_model(model_hash)),
                Some(row) if row.role == ModelRole::Champion => Ok(()),
                Some(_) => Ok(crown(connection, model_hash, at).await?),
            }
        })
    }

    /// Takes a challenger out of use; the champion stays until another is promoted.
    ///
    /// # Errors
    /// `TW0808` for a model that was never recorded; `TW08xx` when the ledger cannot be written.
    pub fn retire_model(&self, model_hash: &str) -> Result<()> {
        self.write("retiring a model", async |connection| {
            find(connection, model_hash)
                .await?
                .ok_or_else(|| no_such_model(model_hash))?;
            query("UPDATE models SET role = 'retired' WHERE model_hash = $1 AND role = 'challenger'")
                .bind(model_hash)
                .execute(connection)
                .await?;
            Ok(())
        })
    }

    /// The champion, if one was promoted.
    ///
    /// # Errors
    /// `TW08xx` when the ledger cannot be read.
    pub fn champion(&self) -> Result<Option<ModelRow>> {
        Ok(self
            .models()?
            .into_iter()
            .find(|row| row.role == ModelRole::Champion))
    }

    /// The model of that hash.
    ///
    /// # Errors
    /// `TW08xx` when the ledger cannot be read.
    pub fn model(&self, model_hash: &str) -> Result<Option<ModelRow>> {
        self.read("reading a model", async |connection| {
            Ok(find(connection, model_hash).await?)
        })
    }

    /// All models, the oldest first.
    ///
    /// # Errors
    /// `TW08xx` when the ledger cannot be read.
    pub fn models(&self) -> Result<Vec<ModelRow>> {
        self.read("reading the models", async |connection| {
            let rows = query(
                "SELECT model_hash, cycle, learner, recorded_at, payload, role, promoted_at FROM models
                 ORDER BY recorded_at, model_hash",
            )
            .fetch_all(connection)
            .await?;
            Ok(rows.iter().map(model_row).collect::<sqlx::Result<_>>()?)
        })
    }
}

async fn crown(connection: &mut SqliteConnection, model_hash: &str, at: Timestamp) -> sqlx::Result<()> {
    query("UPDATE models SET role = 'retired' WHERE role = 'champion'")
        .execute(&mut *connection)
        .await?;
    query("UPDATE models SET role = 'champion', promoted_at = $1 WHERE model_hash = $2")
        .bind(at.0)
        .bind(model_hash)
        .execute(connection)
        .await?;
    Ok(())
}

async fn find(connection: &mut SqliteConnection, model_hash: &str) -> sqlx::Result<Option<ModelRow>> {
    let row = query(
        "SELECT model_hash, cycle, learner, recorded_at, payload, role, promoted_at FROM models WHERE model_hash = $1",
    )
    .bind(model_hash)
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(model_row).transpose()
}

fn no_such_model(model_hash: &str) -> Fault {
    Error::new("TW0808", format!("the ledger has no model \"{model_hash}\""))
        .hint("train one first: thalweg train")
        .into()
}

fn model_row(row: &SqliteRow) -> sqlx::Result<ModelRow> {
    let mut cells = Cells::new(row);
    let model = ModelRecord {
        model_hash: cells.text()?,
        cycle: cells.cycle()?,
        learner: cells.text()?,
        recorded_at: cells.time()?,
        payload: cells.text()?,
    };
    Ok(ModelRow {
        model,
        role: cells.named(ModelRole::from_name)?,
        promoted_at: cells.time_or_none()?,
    })
}
