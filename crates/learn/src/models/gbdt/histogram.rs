//! Sums of first and second derivatives per bin.
//!
//! Both sums of a cell live in one integer, the first derivatives' in the upper 32 bits and the second derivatives' in the
//! lower 32, so that a row costs one addition, and the order of the rows makes no difference to the bits.

use rayon::prelude::*;

use super::bins::{Bins, Block};

/// Rows that one thread adds up at a time.
const CHUNK_ROWS: usize = 1 << 15;
/// Additions below which a second thread does not pay.
const MIN_PARALLEL: usize = 1 << 18;

/// The sums of some rows over all slots, flat; see [`Bins::offsets`].
pub(super) type Histogram = Vec<i64>;

/// Sums the derivatives of `rows` per bin. Blocks of which no slot is `used` stay zero.
pub(super) fn build(bins: &Bins, derivatives: &[i64], rows: &[u32], used: &[bool]) -> Histogram {
    let wanted = |block: &&Block| used[block.first..block.first + block.width].contains(&true);
    let blocks: Vec<&Block> = bins.blocks.iter().filter(wanted).collect();
    let mut sums = vec![0; bins.total()];
    let is_small = rows.len() * bins.slots.len() < MIN_PARALLEL;
    if !is_small && rows.len() >= 2 * CHUNK_ROWS {
        return by_rows(bins, &blocks, derivatives, rows, sums);
    }
    if is_small {
        for block in blocks {
            add_into(bins, block, &sum_block(block, derivatives, rows), &mut sums);
        }
    } else {
        let parts: Vec<Cells> = blocks
            .par_iter()
            .map(|block| sum_block(block, derivatives, rows))
            .collect();
        blocks
            .iter()
            .zip(&parts)
            .for_each(|(block, part)| add_into(bins, block, part, &mut sums));
    }
    sums
}

fn by_rows(bins: &Bins, blocks: &[&Block], derivatives: &[i64], rows: &[u32], zero: Histogram) -> Histogram {
    rows.par_chunks(CHUNK_ROWS)
        .fold(
            || zero.clone(),
            |mut sums, rows| {
                for block in blocks {
                    add_into(bins, block, &sum_block(block, derivatives, rows), &mut sums);
                }
                sums
            },
        )
        .reduce_with(|mut sums, other| {
            sums.iter_mut()
                .zip(other)
                .for_each(|(sum, other)| *sum = sum.wrapping_add(other));
            sums
        })
        .unwrap_or_else(|| zero.clone())
}

/// 256 cells per column of a block.
type Cells = Vec<[i64; 256]>;

fn add_into(bins: &Bins, block: &Block, cells: &Cells, sums: &mut [i64]) {
    for (place, cells) in cells.iter().enumerate() {
        let slot = block.first + place;
        let own = &mut sums[bins.offsets[slot]..bins.offsets[slot + 1]];
        own.iter_mut()
            .zip(cells)
            .for_each(|(sum, cell)| *sum = sum.wrapping_add(*cell));
    }
}

fn sum_block(block: &Block, derivatives: &[i64], rows: &[u32]) -> Cells {
    match block.width {
        1 => sum::<1>(block, derivatives, rows),
        2 => sum::<2>(block, derivatives, rows),
        3 => sum::<3>(block, derivatives, rows),
        4 => sum::<4>(block, derivatives, rows),
        5 => sum::<5>(block, derivatives, rows),
        6 => sum::<6>(block, derivatives, rows),
        7 => sum::<7>(block, derivatives, rows),
        _ => sum::<8>(block, derivatives, rows),
    }
}

fn sum<const WIDTH: usize>(block: &Block, derivatives: &[i64], rows: &[u32]) -> Cells {
    let (bytes, _) = block.bytes.as_chunks::<WIDTH>();
    let mut cells = Box::new([[0_i64; 256]; WIDTH]);
    for row in rows {
        let row = *row as usize;
        let (bins, own) = (&bytes[row], derivatives[row]);
        for place in 0..WIDTH {
            let cell = &mut cells[place][usize::from(bins[place])];
            *cell = cell.wrapping_add(own);
        }
    }
    cells.to_vec()
}

/// The sums of the rows that are in `whole` and not in `part`, in place.
pub(super) fn subtract(whole: &mut Histogram, part: &[i64]) {
    whole
        .iter_mut()
        .zip(part)
        .for_each(|(whole, part)| *whole = whole.wrapping_sub(*part));
}
