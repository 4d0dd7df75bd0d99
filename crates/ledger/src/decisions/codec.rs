//! Lists inside a decision, as compact JSON: arrays without keys, in the order that is written here.

use serde::Serialize;
use thalweg_domain::{ActionId, EligibleAction, Error, Reason, Result};

/// `[index or null, propensity, explore_probability, expected_value, effect, effect_sd, cost, acceptance]`.
pub(super) type EligibleCells = (Option<u16>, f64, f64, f64, f64, f64, f64, f64);

/// `[feature, value, contribution]`.
pub(super) type ReasonCells = (String, String, f64);

pub(super) fn eligible_to_json(eligible: &[EligibleAction]) -> Result<String> {
    let cells: Vec<EligibleCells> = eligible.iter().map(eligible_cells).collect();
    if cells.iter().any(|c| {
        ![c.1, c.2, c.3, c.4, c.5, c.6, c.7]
            .iter()
            .all(|number| number.is_finite())
    }) {
        return Err(Error::new(
            "TW0901",
            "internal error: a number of an eligible action is not finite",
        ));
    }
    to_json(&cells)
}

const fn eligible_cells(entry: &EligibleAction) -> EligibleCells {
    let index = match entry.action {
        Some(ActionId(index)) => Some(index),
        None => None,
    };
    (
        index,
        entry.propensity,
        entry.explore_probability,
        entry.expected_value,
        entry.effect,
        entry.effect_sd,
        entry.cost,
        entry.acceptance,
    )
}

pub(super) fn eligible_from_cells(cells: EligibleCells) -> EligibleAction {
    EligibleAction {
        action: cells.0.map(ActionId),
        propensity: cells.1,
        explore_probability: cells.2,
        expected_value: cells.3,
        effect: cells.4,
        effect_sd: cells.5,
        cost: cells.6,
        acceptance: cells.7,
    }
}

pub(super) fn reasons_to_json(reasons: &[Reason]) -> Result<String> {
    let cells: Vec<(&str, &str, f64)> = reasons
        .iter()
        .map(|r| (r.feature.as_str(), r.value.as_str(), r.contribution))
        .collect();
    to_json(&cells)
}

pub(super) fn reason_from_cells((feature, value, contribution): ReasonCells) -> Reason {
    Reason {
        feature,
        value,
        contribution,
    }
}

/// JSON text of anything that has one.
pub(crate) fn to_json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value)
        .map_err(|error| Error::new("TW0901", "internal error: a value has no JSON form").cause(error))
}
