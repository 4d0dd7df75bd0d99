//! `tool profile`: what a table holds, and what about it should make somebody stop.

use std::path::Path;

use thalweg_collect::{MissingTokens, profile_table, read_source};
use thalweg_domain::Result;
use thalweg_learn::leakage::{self, Finding, FindingKind};

use crate::stages::init::column_out;
use crate::target;
use crate::wire::{ColumnWarningOut, ProfileOut};

/// Profiles a file (CSV, Parquet or JSON lines) or a glob; with a target column also looks for leaks.
///
/// # Errors
/// `TW02xx` when the table cannot be read or the target cannot be used.
pub fn profile(data: &str, target: Option<&str>, positive: Option<&str>) -> Result<ProfileOut> {
    let table = read_source(Path::new(""), data, &MissingTokens::new())?;
    let profile = profile_table(&table);
    let findings = match target {
        None => leakage::scan_columns(&table),
        Some(name) => {
            let target = target::binary(&table, name, positive)?;
            let known: Vec<usize> = (0..table.n_rows())
                .filter(|row| target.happened.get(*row).copied().flatten().is_some())
                .collect();
            let happened: Vec<bool> = target.happened.iter().flatten().copied().collect();
            leakage::scan(&table.without(|own| own == name).take(&known), &happened)?
        }
    };
    Ok(ProfileOut {
        data: data.to_owned(),
        rows: profile.n_rows,
        columns: profile.columns.iter().map(column_out).collect(),
        warnings: findings.iter().map(warning).collect(),
    })
}

fn warning(finding: &Finding) -> ColumnWarningOut {
    let kind = match finding.kind {
        FindingKind::LeakByOrder { .. } | FindingKind::LeakByLevel { .. } => "leakage",
        FindingKind::KeyLike { .. } => "key-like",
        FindingKind::Constant => "constant",
    };
    ColumnWarningOut {
        column: finding.column.clone(),
        kind: kind.to_owned(),
        detail: finding.detail.clone(),
        advice: finding.advice.clone(),
    }
}
