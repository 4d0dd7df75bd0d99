//! Columns cut into at most 255 bins of about as many rows each, one byte a cell, laid out for building histograms.
//!
//! Bin 0 is for missing cells; the others rise with the value. The 0/1 columns of one category, of which at most one is
//! set in a row, share one column of bytes (Ke et al. 2017 call it exclusive feature bundling).

use std::ops::Range;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use thalweg_domain::{Result, Seed};

use super::source::Source;
use crate::prepare::RawMatrix;

/// Columns that lie side by side: eight histograms of 256 cells of 8 bytes stay in the first cache.
const MAX_WIDTH: usize = 8;
/// Rows that bounds are found on.
const SAMPLE_ROWS: usize = 200_000;
/// Cells held as numbers at a time: 32 MiB for the sample, 4 MiB per thread while binning.
const SAMPLE_CELLS: usize = 4 << 20;
const CHUNK_CELLS: usize = 1 << 19;

/// What one column of bytes stands for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Slot {
    /// A raw column; bin `b` holds the cells up to `bounds[b - 1]`, the last bound is the largest number.
    Number { column: usize, bounds: Vec<f64> },
    /// The 0/1 columns of a category: bin 1 is none of them, bin `2 + k` the k-th.
    OneHot { columns: Range<usize> },
}

impl Slot {
    /// Bins, that of missing cells included.
    pub(super) fn n_bins(&self) -> usize {
        match self {
            Self::Number { bounds, .. } => 1 + bounds.len(),
            Self::OneHot { columns } => 2 + columns.len(),
        }
    }

    /// Writes the bins of a chunk's rows, `stride` bytes apart.
    fn write(&self, raw: &RawMatrix, bytes: &mut [u8], stride: usize) {
        let cells = |column: usize| &raw.data[column * raw.n_rows..(column + 1) * raw.n_rows];
        let out = bytes.iter_mut().step_by(stride);
        match self {
            Self::Number { column, bounds } => {
                let padded = padded(bounds);
                out.zip(cells(*column))
                    .for_each(|(bin, cell)| *bin = bin_of(*cell, &padded));
            }
            Self::OneHot { columns } => {
                for (row, bin) in out.enumerate().take(raw.n_rows) {
                    let set = columns.clone().position(|column| cells(column)[row] > 0.5);
                    let missing = cells(columns.start)[row].is_nan();
                    *bin = match set {
                        _ if missing => 0,
                        Some(own) => (2 + own) as u8,
                        None => 1,
                    };
                }
            }
        }
    }
}

fn padded(bounds: &[f64]) -> [f64; 256] {
    let mut padded = [f64::INFINITY; 256];
    padded[..bounds.len()].copy_from_slice(bounds);
    padded
}

/// 0 for a missing cell, else 1 + the number of bounds below it.
fn bin_of(cell: f64, bounds: &[f64; 256]) -> u8 {
    if cell.is_nan() {
        return 0;
    }
    let mut below = 0_u8;
    for step in [128_u8, 64, 32, 16, 8, 4, 2, 1] {
        let next = below.wrapping_add(step);
        below = if bounds[usize::from(next) - 1] < cell {
            next
        } else {
            below
        };
    }
    below.saturating_add(1)
}

/// Some columns of bytes, row after row.
pub(super) struct Block {
    pub(super) bytes: Vec<u8>,
    pub(super) width: usize,
    /// Index of its first slot.
    pub(super) first: usize,
}

/// The binned table.
pub(super) struct Bins {
    pub(super) slots: Vec<Slot>,
    pub(super) blocks: Vec<Block>,
    /// Where each slot's cells begin in a flat histogram; the last entry is the histogram's length.
    pub(super) offsets: Vec<usize>,
    pub(super) n_rows: usize,
    pub(super) n_columns: usize,
    /// Block and place within it, per slot.
    places: Vec<(usize, usize)>,
}

impl Bins {
    /// Bins all rows of a source with bounds found on a sample of them.
    ///
    /// # Errors
    /// Those of the source.
    pub(super) fn new(source: &dyn Source, max_bins: usize, seed: Seed) -> Result<Self> {
        let slots = find_slots(source, max_bins, seed)?;
        let n_columns = source.n_columns();
        let n_rows = source.n_rows();
        let mut offsets = vec![0];
        offsets.extend(slots.iter().scan(0, |sum, slot| {
            *sum += slot.n_bins();
            Some(*sum)
        }));
        let n_blocks = slots.len().div_ceil(MAX_WIDTH);
        let mut blocks: Vec<Block> = (0..n_blocks)
            .map(|block| {
                let first = block * slots.len() / n_blocks;
                let width = (block + 1) * slots.len() / n_blocks - first;
                Block {
                    bytes: vec![0; n_rows * width],
                    width,
                    first,
                }
            })
            .collect();
        fill(source, &slots, &mut blocks)?;
        let places = blocks
            .iter()
            .enumerate()
            .flat_map(|(index, block)| (0..block.width).map(move |place| (index, place)))
            .collect();
        Ok(Self {
            slots,
            blocks,
            offsets,
            n_rows,
            n_columns,
            places,
        })
    }

    /// The bytes of a slot: a slice that holds one every `stride`, the first at the start.
    pub(super) fn column(&self, slot: usize) -> Column<'_> {
        let (block, place) = self.places[slot];
        let block = &self.blocks[block];
        Column {
            bytes: &block.bytes,
            stride: block.width,
            place,
        }
    }

    pub(super) fn total(&self) -> usize {
        self.offsets.last().copied().unwrap_or_default()
    }
}

/// One slot's bins.
#[derive(Clone, Copy)]
pub(super) struct Column<'a> {
    bytes: &'a [u8],
    stride: usize,
    place: usize,
}

impl Column<'_> {
    #[inline]
    pub(super) fn bin(self, row: u32) -> u8 {
        self.bytes[row as usize * self.stride + self.place]
    }
}

fn fill(source: &dyn Source, slots: &[Slot], blocks: &mut [Block]) -> Result<()> {
    let n_rows = source.n_rows();
    let chunk = (CHUNK_CELLS / source.n_columns().max(1)).clamp(64, 1 << 15);
    let mut parts: Vec<Vec<(usize, usize, &mut [u8])>> = Vec::new();
    parts.resize_with(n_rows.div_ceil(chunk), Vec::new);
    for block in blocks {
        let (width, first) = (block.width, block.first);
        let slices = block.bytes.chunks_mut(chunk * width);
        parts
            .iter_mut()
            .zip(slices)
            .for_each(|(part, slice)| part.push((width, first, slice)));
    }
    parts.into_par_iter().enumerate().try_for_each(|(index, part)| {
        let rows: Vec<usize> = (index * chunk..n_rows.min((index + 1) * chunk)).collect();
        let raw = source.raw(&rows)?;
        for (width, first, bytes) in part {
            for place in 0..width {
                slots[first + place].write(&raw, &mut bytes[place..], width);
            }
        }
        Ok(())
    })
}

fn find_slots(source: &dyn Source, max_bins: usize, seed: Seed) -> Result<Vec<Slot>> {
    let n_rows = source.n_rows();
    let most = (SAMPLE_CELLS / source.n_columns().max(1)).clamp(5_000, SAMPLE_ROWS);
    let rows: Vec<usize> = if n_rows <= most {
        (0..n_rows).collect()
    } else {
        // one row drawn from each of so many equal stretches
        let mut rng = ChaCha8Rng::seed_from_u64(seed.0);
        let edge = |stretch: usize| (stretch as u128 * n_rows as u128 / most as u128) as usize;
        (0..most)
            .map(|stretch| rng.random_range(edge(stretch)..edge(stretch + 1)))
            .collect()
    };
    let raw = source.raw(&rows)?;
    let groups: Vec<Range<usize>> = source.exclusive();
    let mut columns: Vec<Range<usize>> = Vec::new();
    let mut next = 0;
    for group in groups
        .into_iter()
        .filter(|group| group.len() <= 253)
        .chain(std::iter::once(raw.n_columns..raw.n_columns))
    {
        columns.extend((next..group.start).map(|column| column..column + 1));
        next = group.end;
        columns.extend((!group.is_empty()).then_some(group));
    }
    Ok(columns
        .into_par_iter()
        .map(|columns| {
            if columns.len() > 1 {
                return Slot::OneHot { columns };
            }
            let column = columns.start;
            let cells = &raw.data[column * raw.n_rows..(column + 1) * raw.n_rows];
            Slot::Number {
                column,
                bounds: bounds(cells, max_bins),
            }
        })
        .collect())
}

/// Upper bounds of at most `max_bins` bins: one per distinct value where there are few, else about as many cells in
/// each, with a bin of its own for every value that fills one. Bounds lie half way between neighbouring values.
pub(super) fn bounds(cells: &[f64], max_bins: usize) -> Vec<f64> {
    // adding zero turns -0 into 0
    let mut sorted: Vec<f64> = cells
        .iter()
        .filter(|cell| !cell.is_nan())
        .map(|cell| cell + 0.0)
        .collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let values: Vec<(f64, usize)> = sorted
        .chunk_by(|a, b| a == b)
        .map(|run| (run[0], run.len()))
        .collect();
    let mut last_of_bin: Vec<usize> = if values.len() <= max_bins {
        (0..values.len()).collect()
    } else {
        equal_counts(&values, sorted.len(), max_bins)
    };
    last_of_bin.pop();
    let mut bounds: Vec<f64> = last_of_bin
        .into_iter()
        .map(|last| between(values[last].0, values[last + 1].0))
        .collect();
    bounds.push(f64::MAX);
    bounds
}

/// The index of the last value of each bin.
fn equal_counts(values: &[(f64, usize)], n_cells: usize, max_bins: usize) -> Vec<usize> {
    let fair = n_cells as f64 / max_bins as f64;
    let is_large = |index: usize| values.get(index).is_some_and(|(_, count)| *count as f64 >= fair);
    let large: Vec<usize> = (0..values.len()).filter(|index| is_large(*index)).collect();
    let mut cells_left = n_cells - large.iter().map(|index| values[*index].1).sum::<usize>();
    let mut bins_left = max_bins - large.len();
    let mut last_of_bin = Vec::with_capacity(max_bins);
    let mut held = 0;
    for (index, (_, count)) in values.iter().enumerate() {
        let own = is_large(index);
        if !own {
            held += count;
            cells_left -= count;
        }
        let mean = (held + cells_left) as f64 / bins_left.max(1) as f64;
        let full = own || held as f64 >= mean || (is_large(index + 1) && held as f64 >= 0.5 * mean.max(1.0));
        let room = last_of_bin.len() + 1 < max_bins;
        if full && room {
            bins_left = bins_left.saturating_sub(usize::from(!own));
            held = 0;
            last_of_bin.push(index);
        }
    }
    if last_of_bin.last() != Some(&(values.len() - 1)) {
        last_of_bin.push(values.len() - 1);
    }
    last_of_bin
}

/// A number at least `low` and below `high`.
fn between(low: f64, high: f64) -> f64 {
    let middle = 0.5 * low + 0.5 * high;
    if middle >= low && middle < high {
        middle
    } else {
        low
    }
}
