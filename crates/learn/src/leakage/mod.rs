//! Leakage: columns that give the outcome away, and columns that carry nothing (keys, constants).

mod groups;
mod rank;
#[cfg(test)]
mod tests;

use thalweg_domain::{Check, CheckVerdict, Column, ColumnData, Error, Result, Table};

use groups::{Group, groups};

/// AUC of one column alone from which it is a leak.
const LEAK_AUC: f64 = 0.99;
/// Cases (and non-cases) that an AUC needs before it is believed.
const LEAST_PER_CLASS: usize = 10;
/// Rows that a level needs before it is judged.
const LEAST_LEVEL_ROWS: usize = 20;
/// Wilson lower bound of a class's share within a level from which the level may be a leak.
const LEAK_SHARE: f64 = 0.9;
/// How many times the lower bound's odds exceed the class's odds in the whole table in a leak.
const LEAK_ODDS_RATIO: f64 = 20.0;
/// Share of distinct values from which text and categories are key-like.
const KEY_SHARE: f64 = 0.95;
/// Rows from which a column may be called key-like.
const LEAST_KEY_ROWS: usize = 20;

/// What is wrong with a column.
#[derive(Debug, Clone, PartialEq)]
pub enum FindingKind {
    /// The column's order (or its levels' cross-fitted rates) separates the outcome: AUC, at least 0.99.
    LeakByOrder {
        /// Area under the ROC curve, the better direction.
        auc: f64,
    },
    /// One level of the column goes with one class nearly always.
    LeakByLevel {
        /// The level as text: a value, `missing`, `present`, `not 0`.
        level: String,
        /// Which class: true is the outcome.
        class: bool,
        /// Rows with the level.
        rows: u64,
        /// Share of the class among them.
        share: f64,
        /// Its Wilson 95 % lower bound.
        lower: f64,
        /// Share of the class in the whole table.
        base: f64,
    },
    /// Nearly every row has a value of its own.
    KeyLike {
        /// Distinct values.
        distinct: u64,
    },
    /// All rows have the same value, or none.
    Constant,
}

/// One finding.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The column.
    pub column: String,
    /// What is wrong.
    pub kind: FindingKind,
    /// The same in words, with numbers.
    pub detail: String,
    /// What to do.
    pub advice: String,
}

impl Finding {
    /// Whether the column gives the outcome away (keys and constants only waste space).
    #[must_use]
    pub const fn is_leak(&self) -> bool {
        matches!(
            self.kind,
            FindingKind::LeakByOrder { .. } | FindingKind::LeakByLevel { .. }
        )
    }

    /// The row of the error table: `TW0401` for a leak, `TW0402` otherwise.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        if self.is_leak() { "TW0401" } else { "TW0402" }
    }
}

/// Looks at each column alone. At most one finding per column, in the table's order; a leak goes before a key.
///
/// *Leak by order*: AUC of the column (numbers, dates: their order, either direction, missing cells apart; other columns: the
/// rate of the outcome per level in the other half of the rows) is at least 0.99, with 10 rows or more of each class.
///
/// *Leak by level*: a level with 20 rows or more, where the Wilson 95 % lower bound `w` of one class's share is at least 0.9 and
/// far above the class's base rate `b`: `[w / (1 - w)] / [b / (1 - b)] >= 20`. For a class of 50 % that asks for 0.953, for one
/// of 3 % for 0.9 only; a class of 74 % needs 0.983, so that ordinary strong predictors of the *usual* outcome pass.
/// Levels are categories, truth values and texts, numbers with at most 5 distinct values, `missing` against `present`, and, for a
/// number with more, of which one value makes up half the rows, that value against all others (a refund of 0 or not).
///
/// *Key-like*: of 20 rows or more, at least 95 % of the filled cells distinct (categories, and text if every cell is one
/// word of plain characters), or all (whole numbers).
/// *Constant*: one value without missing cells, or missing cells only.
///
/// `target`: the outcome per row; leave the target's own column out of the table.
///
/// What it cannot see: leaks through several columns together, and leaks weaker than these bounds. A column that tells the outcome
/// beforehand by law of nature is found as well: people decide.
///
/// Source: the Wilson interval, doi:10.1080/01621459.1927.10502953; leakage as a notion, Kaufman et al. 2012,
/// doi:10.1145/2382577.2382579.
///
/// # Errors
/// `TW0721` when `target` has not one entry per row.
pub fn scan(table: &Table, target: &[bool]) -> Result<Vec<Finding>> {
    if target.len() != table.n_rows() {
        let said = format!("{} outcomes do not fit {} rows", target.len(), table.n_rows());
        return Err(Error::new("TW0721", said));
    }
    Ok(table
        .columns()
        .iter()
        .filter_map(|column| scan_column(column, target))
        .collect())
}

/// Keys and constants alone, for a table without a target. As [`scan`] otherwise.
#[must_use]
pub fn scan_columns(table: &Table) -> Vec<Finding> {
    let carries_nothing = |column: &Column| {
        if is_constant(column) {
            Some(constant(column))
        } else {
            key_like(column)
        }
    };
    table.columns().iter().filter_map(carries_nothing).collect()
}

/// The findings as one check named `leakage`: FAIL with `TW0401` when a leak is among them, REVIEW with `TW0402` when only
/// keys or constants are, else PASS.
#[must_use]
pub fn leakage_check(findings: &[Finding]) -> Check {
    let worst = findings.iter().max_by_key(|finding| finding.is_leak());
    let details = || {
        let chosen = findings
            .iter()
            .filter(|finding| Some(finding.is_leak()) == worst.map(Finding::is_leak));
        chosen
            .map(|finding| finding.detail.clone())
            .collect::<Vec<_>>()
            .join("; ")
    };
    Check {
        name: "leakage",
        verdict: match worst {
            None => CheckVerdict::Pass,
            Some(finding) if finding.is_leak() => CheckVerdict::Fail,
            Some(_) => CheckVerdict::Review,
        },
        detail: if worst.is_some() {
            details()
        } else {
            "no column alone gives the outcome away".to_owned()
        },
        advice: worst.map(|_| exclude(findings, worst.is_some_and(Finding::is_leak))),
        code: worst.map(Finding::code),
    }
}

fn exclude(findings: &[Finding], leaks: bool) -> String {
    let names = findings
        .iter()
        .filter(|finding| finding.is_leak() == leaks)
        .map(|f| format!("\"{}\"", f.column));
    format!("[features] exclude = [{}]", names.collect::<Vec<_>>().join(", "))
}

fn scan_column(column: &Column, target: &[bool]) -> Option<Finding> {
    if is_constant(column) {
        return Some(constant(column));
    }
    let levels = groups(column);
    by_order(column, &levels, target)
        .or_else(|| by_level(column, &levels, target))
        .or_else(|| key_like(column))
}

fn finding(column: &Column, kind: FindingKind, detail: String) -> Finding {
    let name = &column.name;
    let advice = match kind {
        FindingKind::LeakByOrder { .. } | FindingKind::LeakByLevel { .. } => format!(
            "exclude it: [features] exclude = [\"{name}\"]; keep it only if it is known before the outcome"
        ),
        FindingKind::KeyLike { .. } => {
            format!("if it is the key, name it: [customers] key = \"{name}\"; otherwise exclude it")
        }
        FindingKind::Constant => format!("exclude it: [features] exclude = [\"{name}\"]"),
    };
    Finding {
        column: name.clone(),
        kind,
        detail,
        advice,
    }
}

fn constant(column: &Column) -> Finding {
    let detail = format!("column \"{}\" has the same value in all rows", column.name);
    finding(column, FindingKind::Constant, detail)
}

fn is_constant(column: &Column) -> bool {
    let missing = column.n_missing();
    missing == column.len() || (missing == 0 && groups::distinct(column) == 1)
}

fn by_order(column: &Column, levels: &[Group], target: &[bool]) -> Option<Finding> {
    let scores = rank::scores(column).unwrap_or_else(|| rank::cross_fitted(levels, target));
    let auc = rank::auc(&scores, target, LEAST_PER_CLASS).filter(|auc| *auc >= LEAK_AUC)?;
    let detail = format!(
        "column \"{}\" alone separates the outcome: AUC {auc:.3}",
        column.name
    );
    Some(finding(column, FindingKind::LeakByOrder { auc }, detail))
}

fn by_level(column: &Column, levels: &[Group], target: &[bool]) -> Option<Finding> {
    let base = target.iter().filter(|case| **case).count() as f64 / target.len() as f64;
    let splits = groups::splits(column);
    let judged = levels
        .iter()
        .chain(&splits)
        .filter_map(|group| judge(group, target, base));
    let worst = judged.max_by(|a, b| a.1.total_cmp(&b.1))?.0;
    let FindingKind::LeakByLevel {
        level,
        class,
        rows,
        share,
        base,
        ..
    } = &worst
    else {
        return None;
    };
    let detail = format!(
        "column \"{}\" gives the outcome away where it is {level}: {:.1} % of {rows} rows {} (all rows: {:.1} %)",
        column.name,
        share * 100.0,
        if *class {
            "have the outcome"
        } else {
            "do not have the outcome"
        },
        base * 100.0
    );
    Some(finding(column, worst, detail))
}

/// The level as a leak with its odds ratio, if it is one.
fn judge(group: &Group, target: &[bool], base: f64) -> Option<(FindingKind, f64)> {
    let rows = group.rows.len();
    if rows < LEAST_LEVEL_ROWS {
        return None;
    }
    let share = group.rows.iter().filter(|row| target[**row]).count() as f64 / rows as f64;
    let class = share >= 0.5;
    let (share, base) = if class {
        (share, base)
    } else {
        (1.0 - share, 1.0 - base)
    };
    let lower = wilson_lower(share, rows as f64);
    let ratio = odds(lower) / odds(base);
    let leak = lower >= LEAK_SHARE && ratio >= LEAK_ODDS_RATIO;
    let kind = FindingKind::LeakByLevel {
        level: group.label.clone(),
        class,
        rows: rows as u64,
        share,
        lower,
        base,
    };
    leak.then_some((kind, ratio))
}

fn odds(p: f64) -> f64 {
    p / (1.0 - p)
}

/// Lower end of the Wilson 95 % interval of a share among `n` rows.
fn wilson_lower(share: f64, n: f64) -> f64 {
    let z2 = thalweg_domain::Estimate::Z95.powi(2);
    let centre = share + z2 / (2.0 * n);
    let half = (z2 * (share * (1.0 - share) / n + z2 / (4.0 * n * n))).sqrt();
    (centre - half) / (1.0 + z2 / n)
}

/// A word of plain characters: prose is distinct in every row as well, and is no key.
fn is_identifier(text: &str) -> bool {
    text.is_ascii() && !text.contains(char::is_whitespace)
}

fn key_like(column: &Column) -> Option<Finding> {
    let filled = column.len() - column.n_missing();
    let distinct = groups::distinct(column);
    let share = match &column.data {
        ColumnData::Text(cells) if !cells.iter().flatten().all(|text| is_identifier(text)) => return None,
        ColumnData::Text(_) | ColumnData::Category { .. } => KEY_SHARE,
        ColumnData::Number(cells) if cells.iter().all(|cell| cell.is_nan() || cell.fract() == 0.0) => 1.0,
        ColumnData::Number(_) | ColumnData::Boolean(_) | ColumnData::Date(_) => return None,
    };
    if filled < LEAST_KEY_ROWS || (distinct as f64) < share * filled as f64 {
        return None;
    }
    let detail = format!(
        "column \"{}\" has {distinct} distinct values in {filled} rows",
        column.name
    );
    Some(finding(
        column,
        FindingKind::KeyLike {
            distinct: distinct as u64,
        },
        detail,
    ))
}
