//! TF-IDF: how often a term occurs in a text, weighed by how rare it is (Salton and Buckley 1988,
//! doi 10.1016/0306-4573(88)90021-0).

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::tokens::{Analyzer, fold};
use super::vocabulary::{Vocabulary, hash};
use crate::prepare::matrix::SparseRow;

/// Texts that a term must occur in to be kept.
const MIN_TEXTS: usize = 2;
/// Terms kept for each analyzer at most: those that occur in most texts.
const MAX_TERMS: usize = 1 << 16;
/// Texts that vocabularies are learned from at most, evenly spread.
const MAX_TEXTS: usize = 100_000;

/// Terms and weights learned from the texts of the training rows.
///
/// A term's weight in a text is `(1 + ln count) * (1 + ln((1 + n) / (1 + n_with)))`; the weights of each vocabulary
/// have the Euclidean norm 1, divided by the root of the number of vocabularies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Vectoriser {
    vocabularies: Vec<Vocabulary>,
}

impl Vectoriser {
    pub(super) fn fit(texts: &[Option<&str>]) -> Self {
        let every = texts.len().div_ceil(MAX_TEXTS).max(1);
        let sample: Vec<&str> = texts.iter().step_by(every).flatten().copied().collect();
        let analyzers = Analyzer::of(sample.iter().copied());
        let folded: Vec<String> = sample.par_iter().map(|text| fold(text)).collect();
        let n_texts = texts.iter().step_by(every).len();
        Self {
            vocabularies: analyzers
                .into_iter()
                .map(|analyzer| learn(analyzer, &folded, n_texts))
                .collect(),
        }
    }

    /// Number of terms.
    pub(super) fn width(&self) -> usize {
        self.vocabularies.iter().map(Vocabulary::len).sum()
    }

    /// Number of terms of the first vocabulary.
    #[cfg(test)]
    pub(super) fn first_width(&self) -> usize {
        self.vocabularies.first().map_or(0, Vocabulary::len)
    }

    /// The term of a column.
    pub(super) fn term(&self, column: u32) -> &str {
        let mut number = column as usize;
        for vocabulary in &self.vocabularies {
            if number < vocabulary.len() {
                return vocabulary.term(number);
            }
            number -= vocabulary.len();
        }
        ""
    }

    /// The weights of a text's terms; none for a missing text or one without a known term.
    pub(super) fn weights(&self, text: Option<&str>) -> SparseRow {
        let Some(text) = text else { return Vec::new() };
        let folded = fold(text);
        let share = 1.0 / (self.vocabularies.len().max(1) as f64).sqrt();
        let mut row = Vec::new();
        let mut start = 0;
        for vocabulary in &self.vocabularies {
            let weights = weights_of(vocabulary, &folded);
            let norm = weights
                .iter()
                .map(|(_, weight)| weight * weight)
                .sum::<f64>()
                .sqrt();
            row.extend(
                weights
                    .into_iter()
                    .map(|(number, weight)| (start + number, (share * weight / norm) as f32)),
            );
            start += vocabulary.len() as u32;
        }
        row
    }
}

/// Before normalisation, rising by term number.
fn weights_of(vocabulary: &Vocabulary, folded: &str) -> Vec<(u32, f64)> {
    let mut found: Vec<u32> = Vec::new();
    vocabulary
        .analyzer
        .terms(folded, &mut |term| found.extend(vocabulary.find(term)));
    found.sort_unstable();
    found
        .chunk_by(|a, b| a == b)
        .map(|same| {
            let number = same[0];
            (
                number,
                (1.0 + (same.len() as f64).ln()) * f64::from(vocabulary.idf(number)),
            )
        })
        .collect()
}

/// Counts in how many texts each term occurs, by hash, and then finds the names of those that are kept.
fn learn(analyzer: Analyzer, folded: &[String], n_texts: usize) -> Vocabulary {
    let hashes_of = |text: &String| {
        let mut hashes = Vec::new();
        analyzer.terms(text, &mut |term| hashes.push(hash(term)));
        hashes.sort_unstable();
        hashes.dedup();
        hashes
    };
    let mut all: Vec<u64> = folded.par_iter().flat_map_iter(hashes_of).collect();
    all.par_sort_unstable();
    let mut kept: Vec<(usize, u64)> = all
        .chunk_by(|a, b| a == b)
        .filter(|same| same.len() >= MIN_TEXTS)
        .map(|same| (same.len(), same[0]))
        .collect();
    kept.sort_unstable_by(|a, b| b.cmp(a));
    kept.truncate(MAX_TERMS);
    kept.sort_unstable_by_key(|(_, hash)| *hash);
    let mut names: Vec<Option<String>> = vec![None; kept.len()];
    for text in folded {
        analyzer.terms(text, &mut |term| {
            if let Ok(place) = kept.binary_search_by_key(&hash(term), |(_, hash)| *hash)
                && names[place].is_none()
            {
                names[place] = Some(term.to_owned());
            }
        });
    }
    let mut terms: Vec<(String, usize)> = names
        .into_iter()
        .zip(&kept)
        .filter_map(|(name, (count, _))| name.map(|name| (name, *count)))
        .collect();
    terms.sort();
    let idf = |(_, count): &(String, usize)| (((1 + n_texts) as f64 / (1 + count) as f64).ln() + 1.0) as f32;
    let idf = terms.iter().map(idf).collect();
    Vocabulary::new(analyzer, terms.into_iter().map(|(term, _)| term).collect(), idf)
}
