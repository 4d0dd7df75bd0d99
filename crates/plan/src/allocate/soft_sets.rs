//! The best set of actions for one customer when some exclude each other, exact and smoothed, by going through the sets.

/// Below `exp(-NEGLIGIBLE)` a candidate has no share.
const NEGLIGIBLE: f64 = 32.0;
/// Sets looked at per customer, at most; [`n_sets`] says how many there can be.
pub(super) const MOST_SETS: f64 = 20_000.0;

/// Number of sets of at most `m` of `n` candidates.
pub(super) fn n_sets(n: usize, m: usize) -> f64 {
    let mut binomial = 1.0;
    let mut total = 1.0;
    for j in 0..m.min(n) {
        binomial *= (n - j) as f64 / (j + 1) as f64;
        total += binomial;
    }
    total
}

/// Exact and smoothed value of the best set of at most `m` candidates without an excluded pair, and each one's share.
///
/// Smoothed: `T log sum_S exp(sum_{a in S} x_a / T)` over the allowed sets, the empty one included; the share of `a`
/// is the weight of the sets that hold it over the weight of all. `excludes` takes two places in `x`.
pub(super) fn soft_sets(
    x: &[f64],
    m: usize,
    temperature: f64,
    excludes: impl Fn(usize, usize) -> bool,
    shares: &mut [f64],
) -> (f64, f64) {
    let (exact, _) = best_set(x, m, &excludes);
    let places: Vec<usize> = (0..x.len())
        .filter(|place| x[*place] > -NEGLIGIBLE * temperature)
        .collect();
    shares.fill(0.0);
    let mut walk = Walk {
        x,
        places: &places,
        m,
        excludes,
        visit: |taken: &[usize], value: f64| {
            let weight = ((value - exact) / temperature).exp();
            taken.iter().for_each(|place| shares[*place] += weight);
            weight
        },
    };
    let total = walk.from(0, 0.0, &mut Vec::new());
    for share in shares {
        *share /= total;
    }
    (exact, exact + temperature * total.ln())
}

/// Value and places of the best set of at most `m` positive candidates without an excluded pair; the first of equals.
pub(super) fn best_set(x: &[f64], m: usize, excludes: impl Fn(usize, usize) -> bool) -> (f64, Vec<usize>) {
    let places: Vec<usize> = (0..x.len()).filter(|place| x[*place] > 0.0).collect();
    let mut best = (0.0, Vec::new());
    Walk {
        x,
        places: &places,
        m,
        excludes,
        visit: |taken: &[usize], value: f64| {
            if value > best.0 {
                best = (value, taken.to_vec());
            }
            0.0
        },
    }
    .from(0, 0.0, &mut Vec::new());
    best
}

/// A walk through all allowed sets; adds up what `visit` gives.
struct Walk<'a, E, V> {
    x: &'a [f64],
    places: &'a [usize],
    m: usize,
    excludes: E,
    visit: V,
}

impl<E: Fn(usize, usize) -> bool, V: FnMut(&[usize], f64) -> f64> Walk<'_, E, V> {
    fn from(&mut self, next: usize, value: f64, taken: &mut Vec<usize>) -> f64 {
        let mut total = (self.visit)(taken, value);
        if taken.len() == self.m {
            return total;
        }
        for at in next..self.places.len() {
            let place = self.places[at];
            if taken.iter().any(|other| (self.excludes)(place, *other)) {
                continue;
            }
            taken.push(place);
            total += self.from(at + 1, value + self.x[place], taken);
            taken.pop();
        }
        total
    }
}

#[cfg(test)]
mod tests {
    use super::super::soft_top::soft_top;
    use super::*;

    #[test]
    fn without_exclusions_it_is_the_smoothed_sum_of_the_largest() {
        let x = [1.3, -0.2, 0.7, 0.7, 2.1, 0.0];
        for m in 1..=x.len() {
            let (mut ours, mut theirs) = ([0.0; 6], [0.0; 6]);
            let (exact, smooth) = soft_sets(&x, m, 0.5, |_, _| false, &mut ours);
            let (expected_exact, expected) = soft_top(&x, m, 0.5, &mut theirs);
            assert!((exact - expected_exact).abs() < 1e-12 && (smooth - expected).abs() < 1e-9);
            for (own, other) in ours.iter().zip(&theirs) {
                assert!((own - other).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn an_excluded_pair_is_never_taken_together() {
        let pair = |a: usize, b: usize| (a, b) == (0, 1) || (a, b) == (1, 0);
        let (value, taken) = best_set(&[3.0, 2.5, 1.0], 2, pair);
        assert!((value - 4.0).abs() < 1e-12);
        assert_eq!(taken, [0, 2]);
        let mut shares = [0.0; 3];
        soft_sets(&[3.0, 2.5, 1.0], 2, 0.01, pair, &mut shares);
        assert!((shares[0] - 1.0).abs() < 1e-9 && shares[1] < 1e-9 && (shares[2] - 1.0).abs() < 1e-9);
    }

    #[test]
    fn sets_are_counted() {
        assert!((n_sets(6, 2) - 22.0).abs() < 1e-12);
        assert!((n_sets(5, 9) - 32.0).abs() < 1e-12);
    }
}
