//! The levels of a category and their 0/1 columns.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thalweg_domain::MISSING_LEVEL;

use super::scale::Moments;
use super::{MAX_LEVELS, MAX_RAW_ONE_HOT, RawMatrix};

/// The levels of a category, most frequent first, and one 0/1 column for each of the first [`MAX_LEVELS`], for the
/// pooled rest, and for missing cells, if training had them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Levels {
    levels: Vec<String>,
    columns: Vec<Moments>,
    other: Option<Moments>,
    missing: Option<Moments>,
}

/// A category cell as the encoder sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Rank {
    Known(usize),
    Unseen,
    Missing,
}

impl Levels {
    pub(super) fn fit(codes: &[u32], names: &[String], rows: &[usize]) -> Option<Self> {
        let mut counts = vec![0_usize; names.len()];
        let mut n_missing = 0;
        for row in rows {
            match codes[*row] {
                MISSING_LEVEL => n_missing += 1,
                code => counts[code as usize] += 1,
            }
        }
        let mut seen: Vec<usize> = (0..names.len()).filter(|level| counts[*level] > 0).collect();
        seen.sort_by(|a, b| {
            counts[*b]
                .cmp(&counts[*a])
                .then_with(|| names[*a].cmp(&names[*b]))
        });
        if seen.len() + usize::from(n_missing > 0) < 2 {
            return None;
        }
        let n = rows.len();
        let kept = if seen.len() > MAX_LEVELS {
            MAX_LEVELS
        } else {
            seen.len()
        };
        let pooled: usize = seen[kept..].iter().map(|level| counts[*level]).sum();
        Some(Self {
            columns: seen[..kept]
                .iter()
                .map(|level| Moments::of_share(counts[*level], n))
                .collect(),
            other: (pooled > 0).then(|| Moments::of_share(pooled, n)),
            missing: (n_missing > 0).then(|| Moments::of_share(n_missing, n)),
            levels: seen.into_iter().map(|level| names[level].clone()).collect(),
        })
    }

    pub(super) const fn one_hot_in_raw(&self) -> bool {
        self.levels.len() <= MAX_RAW_ONE_HOT
    }

    /// The levels of training, most frequent first.
    pub(super) fn names(&self) -> &[String] {
        &self.levels
    }

    pub(super) fn level(&self, rank: usize) -> &str {
        &self.levels[rank]
    }

    /// The ranks with a raw 0/1 column of their own: one column says all about two levels.
    pub(super) fn raw_ranks(&self) -> std::ops::Range<usize> {
        usize::from(self.levels.len() == 2)..self.levels.len()
    }

    /// The rank of each of a table's level names.
    pub(super) fn ranks(&self, names: &[String]) -> Vec<Rank> {
        let known: BTreeMap<&str, usize> = self
            .levels
            .iter()
            .enumerate()
            .map(|(rank, level)| (level.as_str(), rank))
            .collect();
        let rank = |name: &String| {
            known
                .get(name.as_str())
                .map_or(Rank::Unseen, |rank| Rank::Known(*rank))
        };
        names.iter().map(rank).collect()
    }

    /// The rank of a code, given those of [`Self::ranks`].
    pub(super) fn rank(ranks: &[Rank], code: u32) -> Rank {
        match code {
            MISSING_LEVEL => Rank::Missing,
            code => ranks[code as usize],
        }
    }

    /// The rank of one level by its name.
    pub(super) fn rank_of(&self, name: Option<&str>) -> Rank {
        let Some(name) = name else { return Rank::Missing };
        let known = self.levels.iter().position(|level| level == name);
        known.map_or(Rank::Unseen, Rank::Known)
    }

    /// The dense columns in order: kept levels, the pooled rest, missing.
    pub(super) fn dense_columns(&self) -> impl Iterator<Item = (DenseLevel, Moments)> + '_ {
        let kept = self
            .columns
            .iter()
            .enumerate()
            .map(|(rank, moments)| (DenseLevel::Kept(rank), *moments));
        let other = self.other.iter().map(|moments| (DenseLevel::Other, *moments));
        let missing = self.missing.iter().map(|moments| (DenseLevel::Missing, *moments));
        kept.chain(other).chain(missing)
    }

    /// An unseen level is *other* where the rest was pooled; else, like a missing cell that training did not
    /// have, it sets none of the columns.
    pub(super) fn write_dense(&self, ranks: &[Rank], rows: &mut [f32], (width, offset): (usize, usize)) {
        let columns: Vec<(DenseLevel, Moments)> = self.dense_columns().collect();
        let cells = |is_set| -> Vec<f32> {
            columns
                .iter()
                .map(|(_, moments)| moments.standardise(is_set))
                .collect()
        };
        let (unset, set) = (cells(false), cells(true));
        let kept = self.columns.len();
        let other = self.other.is_some().then_some(kept);
        let missing = self
            .missing
            .is_some()
            .then_some(kept + usize::from(other.is_some()));
        for (row, rank) in rows.chunks_exact_mut(width).zip(ranks) {
            let own = &mut row[offset..offset + unset.len()];
            own.copy_from_slice(&unset);
            let column = match rank {
                Rank::Known(rank) if *rank < kept => Some(*rank),
                Rank::Known(_) | Rank::Unseen => other,
                Rank::Missing => missing,
            };
            if let Some(column) = column {
                own[column] = set[column];
            }
        }
    }

    /// One-hot: unseen sets none, missing is NaN. By rank: unseen comes after the rarest level.
    pub(super) fn write_raw(&self, ranks: &[Rank], matrix: &mut RawMatrix) {
        let cell = |rank: &Rank, of_known: &dyn Fn(usize) -> f64, unseen: f64| match rank {
            Rank::Known(rank) => of_known(*rank),
            Rank::Unseen => unseen,
            Rank::Missing => f64::NAN,
        };
        if self.one_hot_in_raw() {
            for own in self.raw_ranks() {
                matrix.push_column(
                    ranks
                        .iter()
                        .map(|rank| cell(rank, &|rank| f64::from(rank == own), 0.0)),
                );
            }
        } else {
            let last = self.levels.len() as f64;
            matrix.push_column(ranks.iter().map(|rank| cell(rank, &|rank| rank as f64, last)));
        }
    }
}

/// What a dense column of a category says.
#[derive(Clone, Copy)]
pub(super) enum DenseLevel {
    Kept(usize),
    Other,
    Missing,
}
