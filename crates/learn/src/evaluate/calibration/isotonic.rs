//! The isotonic curve by pooling adjacent violators.

use super::Calibrator;

/// The isotonic map. A positive row below all others and a negative one above them keep it away from 0 and 1.
pub(super) fn isotonic(margins: &[f64], target: &[bool], weight: &[f64]) -> Calibrator {
    let lowest = margins.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = margins.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let blocks = pool(
        &[margins, &[lowest, highest]].concat(),
        &[target, &[true, false]].concat(),
        &[weight, &[1.0, 1.0]].concat(),
    );
    let ends = blocks.iter().flat_map(|block| [block.low, block.high]).collect();
    let probabilities = blocks
        .iter()
        .flat_map(|block| [block.share(), block.share()])
        .collect();
    Calibrator::Isotonic {
        margins: ends,
        probabilities,
    }
}

/// Pool adjacent violators: blocks of rows by rising log-odds whose shares of positives rise strictly.
fn pool(margins: &[f64], target: &[bool], weight: &[f64]) -> Vec<Block> {
    let mut order: Vec<usize> = (0..margins.len()).collect();
    order.sort_by(|a, b| margins[*a].total_cmp(&margins[*b]));
    let mut blocks: Vec<Block> = Vec::new();
    for tie in order.chunk_by(|a, b| margins[*a] == margins[*b]) {
        let mut block = Block::at(tie.first().map_or(0.0, |row| margins[*row]));
        tie.iter().for_each(|row| block.add(target[*row], weight[*row]));
        while let Some(last) = blocks.last().filter(|last| last.share() >= block.share()) {
            block.merge(last);
            blocks.pop();
        }
        blocks.push(block);
    }
    blocks
}

/// The unsmoothed share of each row's block, for rows given by rising log-odds.
#[cfg(test)]
pub(crate) fn isotonic_shares(margins: &[f64], target: &[bool], weight: &[f64]) -> Vec<f64> {
    let blocks = pool(margins, target, weight);
    let sizes = blocks.iter().map(|block| (block.share(), block.n_rows));
    sizes
        .flat_map(|(share, n_rows)| std::iter::repeat_n(share, n_rows))
        .collect()
}

/// The unsmoothed isotonic share of each row, in the order of the rows; `scores` need not be sorted.
pub(crate) fn isotonic_fit(scores: &[f64], target: &[bool], weight: &[f64]) -> Vec<f64> {
    let blocks = pool(scores, target, weight);
    let highs: Vec<f64> = blocks.iter().map(|block| block.high).collect();
    let share = |score: &f64| blocks[highs.partition_point(|high| high < score)].share();
    scores.iter().map(share).collect()
}

/// Rows with log-odds from `low` to `high`.
struct Block {
    low: f64,
    high: f64,
    weight: f64,
    positives: f64,
    n_rows: usize,
}

impl Block {
    const fn at(margin: f64) -> Self {
        Self {
            low: margin,
            high: margin,
            weight: 0.0,
            positives: 0.0,
            n_rows: 0,
        }
    }

    fn add(&mut self, positive: bool, weight: f64) {
        self.weight += weight;
        self.positives += weight * f64::from(positive);
        self.n_rows += 1;
    }

    /// Takes in the block below.
    fn merge(&mut self, below: &Self) {
        self.low = below.low;
        self.weight += below.weight;
        self.positives += below.positives;
        self.n_rows += below.n_rows;
    }

    fn share(&self) -> f64 {
        self.positives / self.weight
    }
}

pub(super) fn interpolate(xs: &[f64], ys: &[f64], x: f64) -> f64 {
    let above = xs.partition_point(|own| *own < x);
    match (above.checked_sub(1), xs.get(above)) {
        (None, _) => ys.first().copied().unwrap_or(0.5),
        (Some(below), None) => ys[below],
        (Some(below), Some(right)) => {
            let width = right - xs[below];
            let share = if width > 0.0 { (x - xs[below]) / width } else { 0.0 };
            ys[below] + share * (ys[above] - ys[below])
        }
    }
}
