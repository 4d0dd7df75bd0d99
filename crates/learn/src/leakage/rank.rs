//! How well a column's order alone separates the outcome.

use thalweg_domain::{Column, ColumnData};

use super::groups::Group;

/// The column as numbers with an order (NaN where missing); `None` for kinds that have none.
pub(super) fn scores(column: &Column) -> Option<Vec<f64>> {
    match &column.data {
        ColumnData::Number(cells) => Some(cells.clone()),
        ColumnData::Date(cells) => Some(
            cells
                .iter()
                .map(|cell| cell.map_or(f64::NAN, |t| t as f64))
                .collect(),
        ),
        ColumnData::Category { .. } | ColumnData::Boolean(_) | ColumnData::Text(_) => None,
    }
}

/// Per row the outcome's rate among rows of the same level in the *other* half of the table (halves by even and odd rank
/// within the level), the table's rate where there are none. NaN where missing.
///
/// Rates from the same rows would make every key look like a leak.
pub(super) fn cross_fitted(levels: &[Group], target: &[bool]) -> Vec<f64> {
    let base = target.iter().filter(|case| **case).count() as f64 / target.len() as f64;
    let mut scores = vec![f64::NAN; target.len()];
    for group in levels {
        for half in 0..2 {
            let other = group.rows.iter().skip(1 - half).step_by(2);
            let cases = other.clone().filter(|row| target[**row]).count() as f64;
            let rows = other.count() as f64;
            // one row of the base rate keeps a level seen once from counting as certain
            let rate = (cases + base) / (rows + 1.0);
            for row in group.rows.iter().skip(half).step_by(2) {
                scores[*row] = rate;
            }
        }
    }
    scores
}

/// AUC in the better direction, ties counting half, rows with NaN left out; `None` with fewer than `least` rows of a class.
///
/// Mann and Whitney's statistic: the mean rank of cases, shifted and scaled.
pub(super) fn auc(scores: &[f64], target: &[bool], least: usize) -> Option<f64> {
    let mut rows: Vec<(f64, bool)> = scores
        .iter()
        .copied()
        .zip(target.iter().copied())
        .filter(|(score, _)| !score.is_nan())
        .collect();
    let cases = rows.iter().filter(|(_, case)| *case).count();
    let others = rows.len() - cases;
    if cases < least || others < least {
        return None;
    }
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut before, mut won) = (0.0, 0.0);
    for tie in rows.chunk_by(|a, b| a.0 == b.0) {
        let tied_cases = tie.iter().filter(|(_, case)| *case).count() as f64;
        let tied_others = tie.len() as f64 - tied_cases;
        won += tied_cases * (before + tied_others / 2.0);
        before += tied_others;
    }
    let auc = won / (cases as f64 * others as f64);
    Some(auc.max(1.0 - auc))
}
