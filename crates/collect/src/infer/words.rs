//! Words: a category with sorted levels, or text.

use std::collections::BTreeMap;

use thalweg_domain::{ColumnData, MISSING_LEVEL};

use super::cell::Cell;
use crate::source::TextCells;

/// From this average length on, in characters, words may be text.
const LONG: usize = 20;

/// Text when the cells are long and at least half of them are distinct, else a category.
pub(super) fn column(texts: &TextCells, cells: &[Cell]) -> ColumnData {
    let words: Vec<Option<&str>> = texts
        .iter()
        .zip(cells)
        .map(|(text, cell)| (*cell != Cell::Missing).then_some(text))
        .collect();
    column_of(&words)
}

/// The same, for cells that are known to be words.
pub(crate) fn column_of(words: &[Option<&str>]) -> ColumnData {
    let n_present = words.iter().flatten().count();
    let n_chars: usize = words.iter().flatten().map(|word| word.chars().count()).sum();
    let (codes, levels) = category(words);
    if n_present > 0 && n_chars >= LONG * n_present && levels.len() * 2 >= n_present {
        return ColumnData::Text(words.iter().map(|word| word.map(str::to_owned)).collect());
    }
    ColumnData::Category { codes, levels }
}

/// Codes into the sorted distinct levels.
fn category(words: &[Option<&str>]) -> (Vec<u32>, Vec<String>) {
    let mut first_seen: BTreeMap<&str, u32> = BTreeMap::new();
    let mut codes: Vec<u32> = Vec::with_capacity(words.len());
    for word in words {
        let next = u32::try_from(first_seen.len()).unwrap_or(MISSING_LEVEL);
        codes.push(word.map_or(MISSING_LEVEL, |word| *first_seen.entry(word).or_insert(next)));
    }
    let mut sorted: Vec<u32> = vec![MISSING_LEVEL; first_seen.len()];
    for (rank, seen) in (0..).zip(first_seen.values()) {
        if let Some(slot) = sorted.get_mut(*seen as usize) {
            *slot = rank;
        }
    }
    for code in &mut codes {
        *code = sorted.get(*code as usize).copied().unwrap_or(MISSING_LEVEL);
    }
    (codes, first_seen.into_keys().map(str::to_owned).collect())
}
