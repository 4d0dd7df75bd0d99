//! What every metric refuses: no rows, lists of different lengths, numbers that are none.

use thalweg_domain::{Error, Result};

/// Refuses an empty list, other lengths, scores that are not numbers, weights that are negative or all 0.
pub(crate) fn check_rows(scores: &[f64], n_targets: usize, weight: Option<&[f64]>) -> Result<()> {
    check_same(&[scores.len(), n_targets, weight.map_or(n_targets, <[f64]>::len)])?;
    check_finite("score", scores)?;
    weight.map_or(Ok(()), check_weight)
}

pub(crate) fn check_weight(weight: &[f64]) -> Result<()> {
    if weight.iter().all(|weight| weight.is_finite() && *weight >= 0.0)
        && weight.iter().any(|weight| *weight > 0.0)
    {
        return Ok(());
    }
    Err(Error::new(
        "TW0320",
        "a weight is negative or not a number, or all weights are 0",
    )
    .hint("weights are numbers of at least 0, one of them above 0"))
}

pub(crate) fn check_finite(what: &str, numbers: &[f64]) -> Result<()> {
    match numbers.iter().position(|number| !number.is_finite()) {
        None => Ok(()),
        Some(row) => Err(Error::new(
            "TW0320",
            format!("the {what} is {} in row {}", numbers[row], row + 1),
        )
        .hint("give every row a finite number, or leave the row out")),
    }
}

/// Refuses no rows and lists of different lengths.
pub(crate) fn check_same(lengths: &[usize]) -> Result<()> {
    let first = lengths.first().copied().unwrap_or_default();
    if lengths.iter().any(|length| *length != first) {
        let message = format!("internal error: lists of {lengths:?} rows are evaluated together");
        return Err(Error::new("TW0901", message));
    }
    if first == 0 {
        return Err(
            Error::new("TW0303", "there are no rows to evaluate").hint("check the source of the table")
        );
    }
    Ok(())
}
