//! The smoothed sum of the m largest positive numbers, for customers who may get several actions.

/// Exact and smoothed sum of the at most `m` largest positive numbers, and each number's share in it.
///
/// Smoothed: `T log sum_{S, |S| <= m} exp(sum_{a in S} x_a / T)`, by elementary symmetric polynomials
/// `e_0..e_m` of `w_a = exp(x_a / T)`, kept as logarithms so that nothing overflows; the share of `a` is `w_a sum_{j < m} e_j(w without a) / sum_{j <= m} e_j(w)`
/// (conditional Bernoulli, Chen, Dempster and Liu 1994, doi:10.1093/biomet/81.3.457). `m` is at most the number of entries; `shares` gets one per entry.
pub(super) fn soft_top(x: &[f64], m: usize, temperature: f64, shares: &mut [f64]) -> (f64, f64) {
    let mut sorted: Vec<f64> = x.iter().copied().filter(|x| *x > 0.0).collect();
    sorted.sort_unstable_by(|a, b| b.total_cmp(a));
    let exact = sorted.iter().take(m).sum();
    let weights: Vec<f64> = x.iter().map(|x| x / temperature).collect();
    let log_total = log_sum(log_symmetric(&weights, m).into_iter());
    for (place, share) in shares.iter_mut().enumerate() {
        let mut rest = weights.clone();
        let weight = rest.swap_remove(place);
        let without = log_symmetric(&rest, m - 1);
        *share = (weight + log_sum(without.into_iter()) - log_total).exp().min(1.0);
    }
    (exact, temperature * log_total)
}

/// Logarithms of the elementary symmetric polynomials `e_0..=e_m`, from logarithms of the weights.
fn log_symmetric(log_weights: &[f64], m: usize) -> Vec<f64> {
    let mut logs = vec![f64::NEG_INFINITY; m + 1];
    logs[0] = 0.0;
    for weight in log_weights {
        for j in (1..=m).rev() {
            logs[j] = log_sum([logs[j], logs[j - 1] + weight].into_iter());
        }
    }
    logs
}

fn log_sum(logs: impl Iterator<Item = f64> + Clone) -> f64 {
    let top = logs.clone().fold(f64::NEG_INFINITY, f64::max);
    if top == f64::NEG_INFINITY {
        return top;
    }
    top + logs.map(|log| (log - top).exp()).sum::<f64>().ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All subsets of at most m entries, written out.
    fn by_enumeration(x: &[f64], m: usize, temperature: f64) -> (f64, Vec<f64>) {
        let mut total = 0.0;
        let mut shares = vec![0.0; x.len()];
        for set in 0_u32..1 << x.len() {
            if set.count_ones() as usize > m {
                continue;
            }
            let inside = |a: &usize| set >> a & 1 == 1;
            let weight = ((0..x.len()).filter(inside).map(|a| x[a]).sum::<f64>() / temperature).exp();
            total += weight;
            (0..x.len()).filter(inside).for_each(|a| shares[a] += weight);
        }
        (
            temperature * total.ln(),
            shares.iter().map(|share| share / total).collect(),
        )
    }

    #[test]
    fn agrees_with_enumeration_of_all_subsets() {
        let x = [1.3, -0.2, 0.7, 0.7, 2.1, 0.0];
        for m in 1..=x.len() {
            for temperature in [0.1, 0.5, 2.0] {
                let mut shares = [0.0; 6];
                let (_, smooth) = soft_top(&x, m, temperature, &mut shares);
                let (expected, expected_shares) = by_enumeration(&x, m, temperature);
                assert!(
                    (smooth - expected).abs() < 1e-10,
                    "m {m} T {temperature}: {smooth} {expected}"
                );
                for (share, expected) in shares.iter().zip(&expected_shares) {
                    assert!((share - expected).abs() < 1e-10);
                }
            }
        }
    }

    #[test]
    fn does_not_overflow_when_cold() {
        let mut shares = [0.0; 3];
        let (exact, smooth) = soft_top(&[5000.0, 4000.0, -1.0], 2, 1e-3, &mut shares);
        assert!((smooth - exact).abs() < 1e-6 && (exact - 9000.0).abs() < 1e-9);
        assert!((shares[0] - 1.0).abs() < 1e-9 && (shares[1] - 1.0).abs() < 1e-9 && shares[2] < 1e-9);
    }
}
