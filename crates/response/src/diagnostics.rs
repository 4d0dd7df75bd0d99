//! Whether chains have converged: rank-normalised split R-hat, bulk and tail effective sample size.
//!
//! Vehtari, Gelman, Simpson, Carpenter and Buerkner 2021 (doi:10.1214/20-BA1221); the same figures as ArviZ.

use crate::normal::{mean, quantile, quantile_of};

/// The three figures of one quantity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Diagnosis {
    /// The greater of the R-hats of the ranks and of the folded ranks; 1 when chains agree.
    pub r_hat: f64,
    /// Independent draws that the mean is worth.
    pub ess_bulk: f64,
    /// Independent draws that the 5 % and 95 % quantiles are worth, the lesser.
    pub ess_tail: f64,
}

/// Judges one quantity; `chains` are of equal length, at least four draws each. NaN where nothing varies.
#[must_use]
pub fn diagnose(chains: &[Vec<f64>]) -> Diagnosis {
    let halves = split(chains);
    let ranked = rank_normalised(&halves);
    let centre = quantile_of(&sorted(&halves), 0.5);
    let folded: Vec<Vec<f64>> = halves
        .iter()
        .map(|half| half.iter().map(|own| (own - centre).abs()).collect())
        .collect();
    Diagnosis {
        r_hat: r_hat(&ranked).max(r_hat(&rank_normalised(&folded))),
        ess_bulk: effective(&ranked),
        ess_tail: tail(chains, 0.05).min(tail(chains, 0.95)),
    }
}

fn split(chains: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let mut out = Vec::with_capacity(2 * chains.len());
    for chain in chains {
        let half = chain.len() / 2;
        out.push(chain[..half].to_vec());
        out.push(chain[chain.len() - half..].to_vec());
    }
    out
}

fn sorted(chains: &[Vec<f64>]) -> Vec<f64> {
    let mut all: Vec<f64> = chains.iter().flatten().copied().collect();
    all.sort_by(f64::total_cmp);
    all
}

/// Average ranks over all chains, turned into normal scores by Blom's formula.
fn rank_normalised(chains: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let flat: Vec<f64> = chains.iter().flatten().copied().collect();
    let mut order: Vec<usize> = (0..flat.len()).collect();
    order.sort_by(|a, b| flat[*a].total_cmp(&flat[*b]));
    let (mut scores, mut start) = (vec![0.0; flat.len()], 0);
    let size = flat.len() as f64;
    while start < order.len() {
        let ties = order[start..]
            .iter()
            .take_while(|own| flat[**own] == flat[order[start]])
            .count()
            .max(1);
        let rank = start as f64 + 0.5 * (ties as f64 + 1.0);
        let score = quantile((rank - 0.375) / (size + 0.25));
        for own in &order[start..start + ties] {
            scores[*own] = score;
        }
        start += ties;
    }
    let mut rest = scores.as_slice();
    let mut out = Vec::with_capacity(chains.len());
    for chain in chains {
        let (own, after) = rest.split_at(chain.len());
        out.push(own.to_vec());
        rest = after;
    }
    out
}

fn variance(values: &[f64]) -> f64 {
    let centre = mean(values);
    values.iter().map(|own| (own - centre).powi(2)).sum::<f64>() / (values.len() as f64 - 1.0)
}

fn r_hat(chains: &[Vec<f64>]) -> f64 {
    let n = chains.first().map_or(0, Vec::len) as f64;
    let means: Vec<f64> = chains.iter().map(|own| mean(own)).collect();
    let within = mean(&chains.iter().map(|own| variance(own)).collect::<Vec<f64>>());
    (variance(&means) / within + (n - 1.0) / n).sqrt()
}

fn tail(chains: &[Vec<f64>], p: f64) -> f64 {
    let bound = quantile_of(&sorted(chains), p);
    let below: Vec<Vec<f64>> = chains
        .iter()
        .map(|chain| {
            chain
                .iter()
                .map(|own| f64::from(u8::from(*own <= bound)))
                .collect()
        })
        .collect();
    effective(&split(&below))
}

/// Geyer's initial monotone sequence over the chains' joint autocorrelation; lags are computed only as far as needed.
fn effective(chains: &[Vec<f64>]) -> f64 {
    let (m, n) = (chains.len(), chains.first().map_or(0, Vec::len));
    if n < 4 {
        return f64::NAN;
    }
    let centred: Vec<Vec<f64>> = chains
        .iter()
        .map(|chain| {
            let centre = mean(chain);
            chain.iter().map(|own| own - centre).collect()
        })
        .collect();
    let covariance = |lag: usize| {
        let sum: f64 = centred
            .iter()
            .map(|own| crate::carry::dot(&own[lag..], own))
            .sum();
        sum / (n * m) as f64
    };
    let size = n as f64;
    let within = covariance(0) * size / (size - 1.0);
    let means: Vec<f64> = chains.iter().map(|own| mean(own)).collect();
    let between = if m > 1 { variance(&means) } else { 0.0 };
    let pooled = within * (size - 1.0) / size + between;
    let correlation = |lag: usize| 1.0 - (within - covariance(lag)) / pooled;
    let mut rho = vec![1.0, correlation(1)];
    let (mut even, mut odd, mut t) = (1.0, rho[1], 1);
    while t + 3 < n && even + odd > 0.0 {
        even = correlation(t + 1);
        odd = correlation(t + 2);
        let kept = even + odd >= 0.0;
        rho.push(if kept { even } else { 0.0 });
        rho.push(if kept { odd } else { 0.0 });
        t += 2;
    }
    let Some(last) = t.checked_sub(2) else {
        return (m * n) as f64;
    };
    if even > 0.0 && last + 1 < rho.len() {
        rho[last + 1] = even;
    }
    let mut t = 1;
    while t + 2 <= last {
        let before = rho[t - 1] + rho[t];
        if rho[t + 1] + rho[t + 2] > before {
            rho[t + 1] = 0.5 * before;
            rho[t + 2] = 0.5 * before;
        }
        t += 2;
    }
    let total = (m * n) as f64;
    let next = rho.get(last + 1).copied().unwrap_or(0.0);
    let tau = -1.0 + 2.0 * rho[..=last].iter().sum::<f64>() + next;
    total / tau.max(1.0 / total.log10())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `bench/fixtures/diagnostics.py`.
    fn chains(phi: f64, shift: f64, n: usize) -> Vec<Vec<f64>> {
        let mut state = 12_345_u64;
        (0..4)
            .map(|chain| {
                let mut x = 0.0;
                (0..n)
                    .map(|_| {
                        state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
                        x = phi * x + state as f64 / 2_147_483_648.0 - 0.5;
                        x + if chain == 3 { shift } else { 0.0 }
                    })
                    .collect()
            })
            .collect()
    }

    #[test]
    fn figures_are_those_of_arviz() {
        for ((phi, shift, n), [r_hat, bulk, tail]) in [
            (
                (0.0, 0.0, 250),
                [
                    0.999_348_348_244_670_2,
                    1_072.406_727_923_840_4,
                    913.749_283_733_910_8,
                ],
            ),
            (
                (0.7, 0.0, 500),
                [
                    1.007_338_087_254_482_4,
                    407.126_148_671_944_86,
                    777.040_594_883_574_6,
                ],
            ),
            (
                (0.95, 0.0, 401),
                [
                    1.068_185_566_143_719,
                    56.902_693_975_590_665,
                    128.930_437_056_249_93,
                ],
            ),
            (
                (-0.5, 0.0, 300),
                [
                    0.998_039_735_677_405_8,
                    3_695.017_495_257_149_7,
                    1_221.161_855_617_834_6,
                ],
            ),
            (
                (0.7, 0.4, 500),
                [1.105_915_235_677_79, 36.105_877_731_040_42, 441.758_227_539_256_7],
            ),
        ] {
            near(&chains(phi, shift, n), [r_hat, bulk, tail]);
        }
        let tied: Vec<Vec<f64>> = chains(0.5, 0.0, 200)
            .into_iter()
            .map(|chain| {
                chain
                    .into_iter()
                    .map(|own| (own * 4.0).round_ties_even())
                    .collect()
            })
            .collect();
        near(
            &tied,
            [1.004_348_934_794_161, 269.113_601_714_044, 456.586_387_348_687_2],
        );
    }

    fn near(chains: &[Vec<f64>], [r_hat, bulk, tail]: [f64; 3]) {
        let own = diagnose(chains);
        for (mine, theirs) in [(own.r_hat, r_hat), (own.ess_bulk, bulk), (own.ess_tail, tail)] {
            assert!(
                (mine / theirs - 1.0).abs() < 1e-6,
                "{own:?} and {r_hat} {bulk} {tail}"
            );
        }
    }
}
