//! Parallel work in chunks of a fixed size, so that sums do not depend on the number of threads.

use std::ops::Range;

use rayon::prelude::*;

/// Customers per chunk. Part of the result's bytes: partial sums are added in chunk order.
const CHUNK: usize = 512;

/// Number of chunks of `0..n`.
pub(crate) const fn n_chunks(n: usize) -> usize {
    n.div_ceil(CHUNK)
}

/// Runs `work` on every chunk of `0..n` in parallel; results come back in chunk order.
pub(crate) fn map_chunks<T: Send>(n: usize, work: impl Fn(Range<usize>) -> T + Sync) -> Vec<T> {
    map_ranges(n, CHUNK, work)
}

/// As [`map_chunks`], with chunks of another size.
pub(crate) fn map_ranges<T: Send>(n: usize, size: usize, work: impl Fn(Range<usize>) -> T + Sync) -> Vec<T> {
    let chunks = n.div_ceil(size);
    let range = |chunk: usize| chunk * size..((chunk + 1) * size).min(n);
    if chunks <= 1 {
        return (0..chunks).map(|chunk| work(range(chunk))).collect();
    }
    (0..chunks)
        .into_par_iter()
        .map(|chunk| work(range(chunk)))
        .collect()
}
