//! A blend: a weighted mean of the learners' scores.

use crate::task::{Margins, Task};

use super::link::row_loss;

/// Weights are multiples of one over this.
const STEPS: usize = 10;

/// Scores of the same validation rows by several members.
pub(super) struct Stacked<'a> {
    pub(super) task: &'a Task,
    /// Per member; all on the same scale.
    pub(super) scores: Vec<&'a Margins>,
    pub(super) target: &'a [f64],
    pub(super) weight: &'a [f64],
    /// Rows of the same number do not help to find the weights that judge them.
    pub(super) cross: &'a [usize],
}

/// The best weights, and the scores and loss of each row under weights that were found without it.
pub(super) struct Blend {
    /// One per member, at least 0, adding up to 1.
    pub(super) weights: Vec<f64>,
    pub(super) loss: Vec<f64>,
    /// The mixed scores behind those.
    pub(super) scores: Margins,
}

/// Convex weights in tenths with the lowest loss (a "super learner": van der Laan, Polley and Hubbard 2007,
/// doi:10.2202/1544-6115.1309), cross-fitted for the losses.
pub(super) fn blend(stacked: &Stacked<'_>) -> Blend {
    let grid = simplex(stacked.scores.len());
    let n_cross = stacked.cross.iter().max().map_or(0, |last| last + 1);
    let sums: Vec<Vec<f64>> = grid
        .iter()
        .map(|weights| stacked.sums(weights, n_cross))
        .collect();
    let best = |without: Option<usize>| {
        let loss = |sums: &[f64]| -> f64 {
            let others = sums
                .iter()
                .enumerate()
                .filter(|(cross, _)| Some(*cross) != without);
            others.map(|(_, sum)| sum).sum()
        };
        (0..grid.len())
            .min_by(|a, b| loss(&sums[*a]).total_cmp(&loss(&sums[*b])))
            .unwrap_or_default()
    };
    let by_cross: Vec<usize> = (0..n_cross).map(|cross| best(Some(cross))).collect();
    let n_outputs = stacked.task.n_outputs();
    let rows = 0..stacked.target.len();
    let cells: Vec<f64> = rows
        .flat_map(|row| stacked.mixed(&grid[by_cross[stacked.cross[row]]], row))
        .collect();
    let rows = cells.chunks_exact(n_outputs.max(1)).zip(stacked.target);
    Blend {
        loss: rows
            .map(|(row, target)| row_loss(stacked.task, row, *target))
            .collect(),
        scores: Margins { cells, n_outputs },
        weights: grid[best(None)].clone(),
    }
}

impl Stacked<'_> {
    fn sums(&self, weights: &[f64], n_cross: usize) -> Vec<f64> {
        let mut sums = vec![0.0; n_cross];
        for row in 0..self.target.len() {
            sums[self.cross[row]] += self.weight[row] * self.loss(weights, row);
        }
        sums
    }

    fn loss(&self, weights: &[f64], row: usize) -> f64 {
        if self.task.n_outputs() > 1 {
            return row_loss(self.task, &self.mixed(weights, row), self.target[row]);
        }
        let members = self.scores.iter().zip(weights);
        let mixed = members.map(|(scores, weight)| weight * scores.cells[row]).sum();
        row_loss(self.task, &[mixed], self.target[row])
    }

    fn mixed(&self, weights: &[f64], row: usize) -> Vec<f64> {
        let n_outputs = self.task.n_outputs();
        (row * n_outputs..(row + 1) * n_outputs)
            .map(|cell| {
                let members = self.scores.iter().zip(weights);
                members.map(|(scores, weight)| weight * scores.cells[cell]).sum()
            })
            .collect()
    }
}

/// All weights in tenths that add up to 1.
fn simplex(members: usize) -> Vec<Vec<f64>> {
    let mut partial: Vec<(Vec<usize>, usize)> = vec![(Vec::new(), STEPS)];
    for member in 0..members {
        partial = partial
            .into_iter()
            .flat_map(|(taken, rest)| {
                let least = if member + 1 == members { rest } else { 0 };
                (least..=rest).map(move |own| {
                    let mut taken = taken.clone();
                    taken.push(own);
                    (taken, rest - own)
                })
            })
            .collect();
    }
    partial
        .into_iter()
        .map(|(taken, _)| taken.into_iter().map(|own| own as f64 / STEPS as f64).collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_all_tenths_that_add_up_to_one() {
        for (members, count) in [(1, 1), (2, 11), (3, 66)] {
            let all = simplex(members);
            assert_eq!(all.len(), count);
            assert!(
                all.iter()
                    .all(|weights| (weights.iter().sum::<f64>() - 1.0).abs() < 1e-12)
            );
        }
    }

    #[test]
    fn the_blend_of_two_noisy_views_is_found() {
        // the value is the sum of two halves; each member sees twice one of them
        let halves: Vec<(f64, f64)> = (0..200)
            .map(|row| (f64::from(row * 37 % 101), f64::from(row * 61 % 97)))
            .collect();
        let target: Vec<f64> = halves.iter().map(|(a, b)| a + b).collect();
        let members = [
            Margins::single(halves.iter().map(|(a, _)| 2.0 * a).collect()),
            Margins::single(halves.iter().map(|(_, b)| 2.0 * b).collect()),
        ];
        let cross: Vec<usize> = (0..200).map(|row| row % 2).collect();
        let found = blend(&Stacked {
            task: &Task::Value,
            scores: members.iter().collect(),
            target: &target,
            weight: &[1.0; 200],
            cross: &cross,
        });
        assert_eq!(found.weights, [0.5, 0.5]);
        assert!(found.loss.iter().all(|loss| *loss < 1e-18));
    }
}
