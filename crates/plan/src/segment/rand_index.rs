//! How far two groupings of the same customers agree.

use std::collections::BTreeMap;

/// The adjusted Rand index of two groupings: 1 when they are the same up to names, about 0 when they agree no more than by
/// chance.
///
/// `2 (a d - b c) / ((a + b)(b + d) + (a + c)(c + d))` over ordered pairs of customers, `a` of them together in both groupings,
/// `d` apart in both, `b` and `c` together in one only (Hubert and Arabie 1985, doi:10.1007/BF01908075). `one` and
/// `other` have one group number per customer; what the longer has beyond the shorter is not looked at. No pair at all,
/// or no disagreement, is 1.
#[must_use]
pub fn adjusted_rand(one: &[usize], other: &[usize]) -> f64 {
    let mut cells: BTreeMap<(usize, usize), f64> = BTreeMap::new();
    let (mut rows, mut columns): (BTreeMap<usize, f64>, BTreeMap<usize, f64>) = <_>::default();
    for (a, b) in one.iter().zip(other) {
        *cells.entry((*a, *b)).or_default() += 1.0;
        *rows.entry(*a).or_default() += 1.0;
        *columns.entry(*b).or_default() += 1.0;
    }
    let n = rows.values().sum::<f64>();
    let squares = |counts: &mut dyn Iterator<Item = &f64>| counts.map(|count| count * count).sum::<f64>();
    let both = squares(&mut cells.values());
    let (by_row, by_column) = (squares(&mut rows.values()), squares(&mut columns.values()));
    let together = both - n;
    let (only_one, only_other) = (by_row - both, by_column - both);
    if only_one == 0.0 && only_other == 0.0 {
        return 1.0;
    }
    let apart = n * n - by_row - by_column + both;
    2.0 * (together * apart - only_one * only_other)
        / ((together + only_one) * (only_one + apart) + (together + only_other) * (only_other + apart))
}
