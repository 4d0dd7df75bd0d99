//! The standard normal distribution: density, distribution function, quantile.

/// Density at `z`.
pub(crate) fn density(z: f64) -> f64 {
    (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt()
}

/// P(Z <= z), by the complementary error function.
pub(crate) fn cumulative(z: f64) -> f64 {
    0.5 * libm::erfc(-z / std::f64::consts::SQRT_2)
}

/// The z with P(Z <= z) = p for p in (0, 1), by bisection on the distribution function; error below 1e-12.
pub(crate) fn quantile(p: f64) -> f64 {
    let (mut low, mut high) = (-40.0, 40.0);
    for _ in 0..100 {
        let middle = 0.5 * (low + high);
        if cumulative(middle) < p {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

/// P(X > x) for X normal; with `sd` 0 it is 1, 0, or 1/2 at `mean` itself.
pub(crate) fn above(mean: f64, sd: f64, x: f64) -> f64 {
    if sd > 0.0 {
        return cumulative((mean - x) / sd);
    }
    if mean == x { 0.5 } else { f64::from(mean > x) }
}

/// E[(X - x)+] for X normal: `sd phi(z) + (mean - x) Phi(z)` with `z = (mean - x) / sd`.
pub(crate) fn expected_excess(mean: f64, sd: f64, x: f64) -> f64 {
    if sd <= 0.0 {
        return (mean - x).max(0.0);
    }
    let z = (mean - x) / sd;
    (sd * density(z) + (mean - x) * cumulative(z)).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_quantiles() {
        // Abramowitz and Stegun, table 26.1.
        for (p, z) in [
            (0.5, 0.0),
            (0.8, 0.841_621_233_572_914),
            (0.975, 1.959_963_984_540_054),
        ] {
            assert!((quantile(p) - z).abs() < 1e-11, "{p}");
        }
    }

    #[test]
    fn expected_excess_agrees_with_a_sum_over_the_density() {
        let (mean, sd, x): (f64, f64, f64) = (0.04, 0.03, 0.06);
        let step = 1e-5;
        let sum: f64 = (0..40_000)
            .map(|i| x + f64::from(i) * step)
            .map(|at| (at - x) * density((at - mean) / sd) / sd * step)
            .sum();
        assert!((expected_excess(mean, sd, x) - sum).abs() < 1e-7, "{sum}");
    }
}
