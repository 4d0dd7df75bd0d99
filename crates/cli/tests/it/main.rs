//! The command line as a whole: scenarios, contracts, crash safety, real data, and tidiness of the tree.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test that meets the unexpected should stop there"
)]

mod allocate;
mod bad_input;
mod budget_stop;
mod demo;
mod determinism;
mod docs;
mod golden;
mod kill;
mod onnx;
mod pacing;
mod people;
mod plan_response;
mod plan_rules;
mod real_data;
mod response;
mod response_models;
mod robust;
mod scenarios;
mod score;
mod support;
mod terminal;
mod tidy;
mod tools;
mod what_if;
