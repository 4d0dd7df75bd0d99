//! Allocation: who gets what, for the most value within every limit, with a bound that proves how good it is.

mod candidates;
mod compiled;
mod conflicts;
mod days;
mod evaluate;
mod large;
mod moves;
mod newton;
mod problem;
mod repair;
mod search;
mod shape;
mod soft_sets;
mod soft_top;
mod solve;
mod state;
mod undecided;
mod what_if;

pub use candidates::Candidates;
pub use conflicts::Shortfall;
pub use days::{Pace, check_paces, days};
pub use large::{BlockSize, Blocks, LargeProblem, LargeSample, allocate_blocks, sample};
pub(crate) use problem::malformed;
pub use problem::{Constraint, MaxActions, Problem, Resource, Sense};
pub use solve::{AllocateParams, Allocation, ConstraintUse, allocate, improve_from};
pub use what_if::{CHANGES, WhatIf, what_if};
