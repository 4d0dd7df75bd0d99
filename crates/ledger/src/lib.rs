//! The record: the only crate that knows Thalweg's own SQL tables.
//!
//! A [`Ledger`] is one SQLite file (WAL, foreign keys on, every commit on disk before a call returns). Calls block;
//! each that writes is one transaction, so a process that dies leaves either all of it or nothing. One file per
//! table; no clock: times are arguments. Do not call it from inside an async runtime's own thread.

mod audit;
mod cells;
mod connection;
mod cycles;
mod decisions;
mod deliveries;
mod events;
mod fault;
mod feedback_files;
mod measurements;
mod migrations;
mod models;
mod plans;
mod settings;
mod skips;
mod stages;

pub use audit::AuditRow;
pub use connection::Ledger;
pub use cycles::{CycleRow, CycleState};
pub use decisions::{ActionRow, DecisionRow, decision_id};
pub use deliveries::{DeliveryPlan, DeliveryRow, DeliveryState, NewDelivery, PlannedDeliveries};
pub use events::{DecisionEvent, EventRow, EventState, Inserted};
pub use feedback_files::FeedbackFile;
pub use measurements::Measurement;
pub use models::{ModelRecord, ModelRole, ModelRow};
pub use plans::{PlanInsert, PlanRecord, PlanRow, PlanState};
pub use skips::{HELD_BACK, NewSkip, SkipCount};
pub use stages::StageRecord;
