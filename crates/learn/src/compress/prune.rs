//! Gradual pruning by magnitude: the smallest weights of each layer are set to 0 in rounds, and the rest is retrained in between.

use thalweg_domain::{Result, Seed};

use crate::models::mlp::{Mlp, MlpParams, refit};
use crate::prepare::DenseMatrix;
use crate::task::Examples;

/// Rounds of pruning and retraining.
const ROUNDS: u32 = 5;
/// Passes over the rows in each round but the last, which may run as long as the parameters allow.
const EPOCHS_BETWEEN: usize = 10;

/// The net with a share `sparsity` of each layer's weights at 0.
///
/// After round t of T the share is `sparsity (1 - (1 - t / T)^3)` (Zhu and Gupta 2017, arXiv 1710.01878), so that most weights go while
/// many are left to take over.
///
/// # Errors
/// As training.
pub(super) fn prune(
    net: &Mlp,
    sparsity: f64,
    (x, examples): (&DenseMatrix, &Examples),
    params: &MlpParams,
    seed: Seed,
) -> Result<Mlp> {
    let mut pruned = net.clone();
    for round in 1..=ROUNDS {
        let left = 1.0 - f64::from(round) / f64::from(ROUNDS);
        pruned = without_smallest(&pruned, sparsity * (1.0 - left.powi(3)));
        let own = MlpParams {
            epochs: if round < ROUNDS {
                EPOCHS_BETWEEN
            } else {
                params.epochs
            },
            dropout: params.dropout * (1.0 - sparsity),
            ..params.clone()
        };
        (pruned, _) = refit(&pruned, x, examples, &own, seed.nth(u64::from(round)))?;
    }
    Ok(pruned)
}

/// Sets the smallest weights of each layer to 0; those that are 0 already count.
fn without_smallest(net: &Mlp, share: f64) -> Mlp {
    let mut layers = net.layers();
    for layer in &mut layers {
        let mut order: Vec<usize> = (0..layer.weights.len()).collect();
        order.sort_by(|a, b| layer.weights[*a].abs().total_cmp(&layer.weights[*b].abs()));
        let gone = (share * order.len() as f64).round() as usize;
        // no layer loses its last weight
        for at in order.iter().take(gone.min(order.len().saturating_sub(1))) {
            layer.weights[*at] = 0.0;
        }
    }
    net.with_layers(&layers)
}
