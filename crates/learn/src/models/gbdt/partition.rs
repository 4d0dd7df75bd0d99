//! Rows of a leaf sorted into left and right, in their order.

use rayon::prelude::*;

use super::bins::{Bins, Column, Slot};
use super::split::Split;

/// Rows that one thread sorts at a time.
const CHUNK_ROWS: usize = 1 << 15;

/// Decides for a row by its bin, as a node decides by its cell.
#[derive(Clone, Copy)]
pub(super) struct Side<'a> {
    column: Column<'a>,
    bin: u8,
    missing_left: bool,
    /// A category's level goes right, all others left.
    one_against_rest: bool,
}

impl<'a> Side<'a> {
    pub(super) fn new(bins: &'a Bins, split: &Split) -> Self {
        Self {
            column: bins.column(split.slot),
            bin: split.bin,
            missing_left: split.missing_left,
            one_against_rest: matches!(bins.slots[split.slot], Slot::OneHot { .. }),
        }
    }

    #[inline]
    pub(super) fn is_left(self, row: u32) -> bool {
        let bin = self.column.bin(row);
        let by_value = if self.one_against_rest {
            bin != self.bin
        } else {
            bin <= self.bin
        };
        if bin == 0 { self.missing_left } else { by_value }
    }

    /// How many of the rows go left.
    pub(super) fn count_left(self, rows: &[u32]) -> usize {
        rows.par_chunks(CHUNK_ROWS)
            .map(|rows| rows.iter().filter(|row| self.is_left(**row)).count())
            .sum()
    }
}

/// Room for two copies of the rows.
pub(super) struct Scratch {
    left: Vec<u32>,
    right: Vec<u32>,
}

impl Scratch {
    pub(super) fn new(n_rows: usize) -> Self {
        Self {
            left: vec![0; n_rows],
            right: vec![0; n_rows],
        }
    }

    /// Sorts the rows: those that go left first. Gives their number.
    pub(super) fn partition(&mut self, rows: &mut [u32], side: Side<'_>) -> usize {
        let n = rows.len();
        let (left, right) = (&mut self.left[..n], &mut self.right[..n]);
        if n <= CHUNK_ROWS {
            let n_left = sort_chunk(rows, left, right, side);
            rows[..n_left].copy_from_slice(&left[..n_left]);
            rows[n_left..].copy_from_slice(&right[..n - n_left]);
            return n_left;
        }
        let counts: Vec<usize> = rows
            .par_chunks(CHUNK_ROWS)
            .zip(
                left.par_chunks_mut(CHUNK_ROWS)
                    .zip(right.par_chunks_mut(CHUNK_ROWS)),
            )
            .map(|(rows, (left, right))| sort_chunk(rows, left, right, side))
            .collect();
        let n_left = counts.iter().sum();
        let (mut lefts, mut rights) = rows.split_at_mut(n_left);
        for (chunk, count) in counts.into_iter().enumerate() {
            let start = chunk * CHUNK_ROWS;
            let others = CHUNK_ROWS.min(n - start) - count;
            let (own, rest) = lefts.split_at_mut(count);
            own.copy_from_slice(&left[start..start + count]);
            lefts = rest;
            let (own, rest) = rights.split_at_mut(others);
            own.copy_from_slice(&right[start..start + others]);
            rights = rest;
        }
        n_left
    }
}

/// Writes every row to both sides and moves on by the side that it belongs to: no branch to mispredict.
fn sort_chunk(rows: &[u32], left: &mut [u32], right: &mut [u32], side: Side<'_>) -> usize {
    let (mut n_left, mut n_right) = (0, 0);
    for row in rows {
        left[n_left] = *row;
        right[n_right] = *row;
        let goes_left = usize::from(side.is_left(*row));
        n_left += goes_left;
        n_right += 1 - goes_left;
    }
    n_left
}
