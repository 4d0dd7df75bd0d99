//! An allocation under a cycle's limits alone: no hold-out, no exploration (for oracles and what-if questions).

use thalweg_domain::{ActionId, Result};

use super::input::{Candidate, Menu, check_candidates};
use super::limits::{Columns, constraints};
use crate::allocate::{AllocateParams, Allocation, malformed};

/// Who may get what under a cycle's limits.
#[derive(Debug, Clone, Copy)]
pub struct InformedInput<'a> {
    /// One more entry than customers.
    pub offsets: &'a [usize],
    /// Candidate actions; `planning_value` is added up and `cost` is used.
    pub candidates: &'a [Candidate],
    /// Channels, offers, actions, limits.
    pub menu: Menu<'a>,
    /// Who may be contacted, one entry per customer; `None` is everyone.
    pub contactable: Option<&'a [bool]>,
}

/// The action of each customer with the certificate of the allocation.
#[derive(Debug, Clone, PartialEq)]
pub struct InformedPlan {
    /// One entry per customer; `None` is nothing.
    pub actions: Vec<Option<ActionId>>,
    /// Value, bound, gap, use and prices; its `chosen` counts the candidates of contactable customers only.
    pub allocation: Allocation,
}

/// The most valuable plan within the limits, one action per customer at most.
///
/// # Errors
/// `TW0501` and `TW0502` when numbers or limits cannot be used.
pub fn allocate_with_limits(input: &InformedInput<'_>, params: &AllocateParams) -> Result<InformedPlan> {
    input.menu.check(input.offsets.len().saturating_sub(1))?;
    check_candidates(input.offsets, input.candidates, input.menu.actions.len())?;
    if input
        .contactable
        .is_some_and(|mask| mask.len() + 1 != input.offsets.len())
    {
        return Err(malformed(
            "there is not one contactable flag per customer".to_owned(),
        ));
    }
    let included = |customer: usize, _: &Candidate| input.contactable.is_none_or(|mask| mask[customer]);
    let columns = Columns::new(input.offsets, input.candidates, included);
    let allocation = columns.allocate(&constraints(&input.menu), params)?;
    Ok(InformedPlan {
        actions: columns.actions_of(&allocation),
        allocation,
    })
}
