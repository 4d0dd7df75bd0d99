//! The ledger's tests: one file per promise.

mod bulk;
mod crash;
mod cycles_and_plans;
mod delivery;
mod feedback;
mod history;
mod opening;
mod records;
mod support;
