//! The ledger's tests: one file per promise.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "the helpers of tests fail the test, too"
)]

mod bulk;
mod crash;
mod cycles_and_plans;
mod delivery;
mod feedback;
mod history;
mod opening;
mod records;
mod support;
