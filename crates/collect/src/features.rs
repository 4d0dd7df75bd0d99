//! Which columns are features: the customers' own and those of `features.sql`, without roles and without those that
//! nothing can be learned from.

use thalweg_domain::{Column, ColumnData, Error, Result, Table, Timestamp};

use crate::collected::{Note, NoteKind};
use crate::infer::is_code;
use crate::near::{names, quoted, unknown_column};
use crate::profile::{ColumnProfile, profile_column};
use crate::spec::{CollectSpec, SqlFile};
use crate::sql::{FeatureQuery, run_features};

/// What features are made from.
pub(crate) struct FeatureInput<'a> {
    pub(crate) spec: &'a CollectSpec,
    pub(crate) customers: &'a Table,
    pub(crate) keys: &'a [String],
    pub(crate) events: Option<&'a Table>,
    /// The moment that `:cutoff` stands for.
    pub(crate) cutoff: Timestamp,
}

/// The features, with a note for every column that was dropped or has missing cells.
pub(crate) fn features(input: &FeatureInput<'_>, notes: &mut Vec<Note>) -> Result<Table> {
    let queried = match &input.spec.features_sql {
        None => Vec::new(),
        Some(sql) => joined(input, sql, notes)?,
    };
    let columns = overridden(input.customers, queried, input.spec);
    let candidates: Vec<Column> = columns
        .into_iter()
        .filter(|column| role_of(&column.name, input.spec).is_none())
        .collect();
    usable(candidates, input.customers, input.spec, notes)
}

/// Those of the candidates that something can be learned from, with a note for every other one and for missing cells.
pub(crate) fn usable(
    candidates: Vec<Column>,
    customers: &Table,
    spec: &CollectSpec,
    notes: &mut Vec<Note>,
) -> Result<Table> {
    check_excluded(customers, &candidates, spec)?;
    let mut kept = Vec::new();
    for column in candidates {
        match reason_to_drop(&column, spec) {
            Some(reason) => notes.push(Note::new(NoteKind::Dropped, &column.name, column.len(), reason)),
            None => kept.push(column),
        }
    }
    for column in &kept {
        let n_missing = column.n_missing();
        if n_missing > 0 {
            notes.push(Note::new(
                NoteKind::Missing,
                &column.name,
                n_missing,
                "cells are missing",
            ));
        }
        notes.extend(numbers_among_words(column));
    }
    if kept.is_empty() {
        Ok(customers.without(|_| true))
    } else {
        Table::new(kept)
    }
}

/// A category most of whose cells are numbers: the others may have been meant as missing.
fn numbers_among_words(column: &Column) -> Option<Note> {
    let ColumnData::Category { codes, levels } = &column.data else {
        return None;
    };
    let is_number: Vec<bool> = levels.iter().map(|level| level.parse::<f64>().is_ok()).collect();
    if levels.iter().any(|level| is_code(level)) || is_number.iter().all(|is| *is) {
        return None;
    }
    let of = |code: &u32| is_number.get(*code as usize).copied();
    let n_numbers = codes.iter().filter(|code| of(code) == Some(true)).count();
    let n_words = codes.iter().filter(|code| of(code) == Some(false)).count();
    let words: Vec<&String> = levels
        .iter()
        .zip(&is_number)
        .filter(|(_, is)| !**is)
        .map(|(level, _)| level)
        .take(5)
        .collect();
    let text = format!(
        "read as a category, though {n_numbers} cells are numbers; others are {}: list those that mean \"missing\"",
        quoted(&words, ", ")
    );
    (n_numbers > n_words).then(|| Note::new(NoteKind::Assumed, &column.name, n_words, text))
}

/// A column of the query takes the place of the customers' column of the same name.
pub(crate) fn overridden(customers: &Table, queried: Vec<Column>, spec: &CollectSpec) -> Vec<Column> {
    let is_role = |name: &str| role_of(name, spec).is_some();
    let mut candidates: Vec<Column> = customers.columns().to_vec();
    for column in queried.into_iter().filter(|column| !is_role(&column.name)) {
        match candidates
            .iter_mut()
            .find(|candidate| candidate.name == column.name)
        {
            Some(candidate) => *candidate = column,
            None => candidates.push(column),
        }
    }
    candidates
}

pub(crate) fn role_of(name: &str, spec: &CollectSpec) -> Option<&'static str> {
    match name {
        name if spec.key.as_deref() == Some(name) => Some("key"),
        name if spec.cluster.as_deref() == Some(name) => Some("cluster"),
        name if spec.target.as_ref().is_some_and(|target| target.column == name) => Some("target"),
        _ => None,
    }
}

fn check_excluded(customers: &Table, candidates: &[Column], spec: &CollectSpec) -> Result<()> {
    for name in &spec.exclude {
        if !candidates.iter().any(|column| column.name == *name) && customers.column(name).is_none() {
            let known: Vec<&str> = candidates.iter().map(|column| column.name.as_str()).collect();
            return Err(unknown_column(
                "[features] exclude",
                name,
                &known,
                spec.source_name(),
            ));
        }
    }
    Ok(())
}

fn reason_to_drop(column: &Column, spec: &CollectSpec) -> Option<String> {
    if spec.exclude.contains(&column.name) {
        return Some("excluded by [features] exclude".to_owned());
    }
    match profile_column(column) {
        ColumnProfile { n_missing, .. } if n_missing == column.len() => {
            Some("missing in every row".to_owned())
        }
        ColumnProfile {
            constant: true,
            n_missing: 0,
            ..
        } => Some(format!(
            "\"{}\" in every row",
            crate::infer::shortened(&column.cell_text(0))
        )),
        ColumnProfile {
            key_like: true,
            n_distinct,
            ..
        } => Some(format!(
            "looks like a key: {n_distinct} distinct values in {} rows",
            column.len()
        )),
        _ => None,
    }
}

/// The query's columns in the customers' order; customers without a row are missing.
pub(crate) fn joined(input: &FeatureInput<'_>, sql: &SqlFile, notes: &mut Vec<Note>) -> Result<Vec<Column>> {
    let key = input.spec.key.as_deref().ok_or_else(|| {
        wrong_keys(sql, "its rows cannot be joined: the customers have no key")
            .hint("set [customers] key to the column that identifies a customer")
    })?;
    let visible = input
        .customers
        .without(|name| role_of(name, input.spec) == Some("target"));
    let query = FeatureQuery {
        sql,
        cutoff: input.cutoff,
        key,
        customers: &visible,
        events: input.events,
    };
    let result = run_features(&query)?;
    let index = key_index(&result, key, sql)?;
    let row_of = |key: &String| index.binary_search_by(|(known, _)| known.cmp(key)).ok();
    let rows: Vec<usize> = input
        .keys
        .iter()
        .map(|key| {
            row_of(key)
                .and_then(|at| index.get(at))
                .map_or(usize::MAX, |(_, row)| *row)
        })
        .collect();
    let n_strangers = result.n_rows() - rows.iter().filter(|row| **row != usize::MAX).count();
    if n_strangers > 0 {
        let text = format!("rows of {} whose key no customer has; left out", sql.name);
        notes.push(Note::new(NoteKind::LeftOut, key, n_strangers, text));
    }
    Ok(result
        .columns()
        .iter()
        .filter(|column| column.name != key)
        .map(|column| column.take(&rows))
        .collect())
}

/// The keys of the result, sorted, with their rows.
fn key_index(result: &Table, key: &str, sql: &SqlFile) -> Result<Vec<(String, usize)>> {
    let column = result.column(key).ok_or_else(|| {
        wrong_keys(sql, &format!("the result has no column \"{key}\"")).hint(format!(
            "select the customers' key as well: SELECT \"{key}\", … GROUP BY \"{key}\"; {}",
            have(result)
        ))
    })?;
    let n_missing = column.n_missing();
    if n_missing > 0 {
        return Err(wrong_keys(
            sql,
            &format!("the result has {n_missing} rows without a \"{key}\""),
        )
        .hint(format!(
            "leave them out in the query: WHERE \"{key}\" IS NOT NULL"
        )));
    }
    let mut index: Vec<(String, usize)> = (0..column.len())
        .map(|row| (column.cell_text(row), row))
        .collect();
    index.sort();
    let twice = index.windows(2).find_map(|pair| match pair {
        [a, b] if a.0 == b.0 => Some(a.0.as_str()),
        _ => None,
    });
    match twice {
        None => Ok(index),
        Some(twice) => Err(wrong_keys(
            sql,
            &format!("the result has customer \"{twice}\" more than once"),
        )
        .hint(format!("one row per customer: GROUP BY \"{key}\""))),
    }
}

fn have(result: &Table) -> String {
    format!("it now gives {}", quoted(&names(result), ", "))
}

fn wrong_keys(sql: &SqlFile, what: &str) -> Error {
    Error::new("TW0221", what).at(&sql.name, None, None)
}
