//! Adstock: how much of a week's spend works in the weeks after, as weights that sum to one.

/// The form of the carry-over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Adstock {
    /// Weight `alpha^l` after `l` periods, alpha in (0, 1).
    #[default]
    Geometric,
    /// The Weibull density at `l + 1` with shape `k` and scale `s`: the effect may peak later.
    Weibull,
}

impl Adstock {
    /// How many parameters it has.
    pub(crate) const fn parameters(self) -> usize {
        match self {
            Self::Geometric => 1,
            Self::Weibull => 2,
        }
    }
}

/// Weights by lag, and their derivatives by each (natural) parameter.
#[derive(Debug, Clone)]
pub(crate) struct Weights {
    pub(crate) weight: Vec<f64>,
    /// `by[p][l]` = d weight\[l\] / d parameter p.
    pub(crate) by: [Vec<f64>; 2],
}

impl Weights {
    pub(crate) fn new(lags: usize) -> Self {
        Self {
            weight: vec![0.0; lags],
            by: [vec![0.0; lags], vec![0.0; lags]],
        }
    }

    /// Normalised weights `w_l = exp(f_l) / sum exp(f)`; then `dw_l = w_l (df_l - sum_m w_m df_m)`.
    ///
    /// `first` is alpha or the Weibull shape, `second` the Weibull scale.
    pub(crate) fn set(&mut self, form: Adstock, first: f64, second: f64) {
        let mut total = 0.0;
        for lag in 0..self.weight.len() {
            let (value, by) = match form {
                Adstock::Geometric => {
                    let l = lag as f64;
                    (l * first.ln(), [l / first, 0.0])
                }
                Adstock::Weibull => weibull(lag as f64 + 1.0, first, second),
            };
            self.weight[lag] = value;
            self.by[0][lag] = by[0];
            self.by[1][lag] = by[1];
        }
        let most = self.weight.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        for own in &mut self.weight {
            *own = (*own - most).exp();
            total += *own;
        }
        for own in &mut self.weight {
            *own /= total;
        }
        for by in self.by.iter_mut().take(form.parameters()) {
            let centre: f64 = by.iter().zip(&self.weight).map(|(d, w)| d * w).sum();
            for (d, w) in by.iter_mut().zip(&self.weight) {
                *d = w * (*d - centre);
            }
        }
    }

    /// The mean delay in periods.
    pub(crate) fn delay(&self) -> f64 {
        self.weight
            .iter()
            .enumerate()
            .map(|(lag, w)| lag as f64 * w)
            .sum()
    }
}

/// Log density of a Weibull at `t` up to a constant, and its derivatives by shape and scale.
fn weibull(t: f64, shape: f64, scale: f64) -> (f64, [f64; 2]) {
    let log = (t / scale).ln();
    let power = (shape * log).exp();
    (
        (shape - 1.0) * t.ln() - power,
        [t.ln() - power * log, shape * power / scale],
    )
}

/// `out[t] = sum_l weight[l] x[t - l]`: what works in period t.
pub(crate) fn carry(x: &[f64], weight: &[f64], out: &mut [f64]) {
    out.fill(0.0);
    for (lag, w) in weight.iter().enumerate().take(x.len()) {
        for (to, from) in out[lag..].iter_mut().zip(x) {
            *to += w * from;
        }
    }
}

/// `out[l] += sum_t pull[t] x[t - l]`: the derivative by each weight.
pub(crate) fn pull_back(x: &[f64], pull: &[f64], out: &mut [f64]) {
    for (lag, to) in out.iter_mut().enumerate().take(x.len()) {
        *to += dot(&pull[lag..], x);
    }
}

/// Inner product over the shorter length, in four lanes so that it vectorises.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len().min(b.len());
    let (a, b) = (&a[..n], &b[..n]);
    let mut lanes = [0.0; 8];
    let (chunks_a, chunks_b) = (a.chunks_exact(8), b.chunks_exact(8));
    let tail: f64 = chunks_a
        .remainder()
        .iter()
        .zip(chunks_b.remainder())
        .map(|(x, y)| x * y)
        .sum();
    for (x, y) in chunks_a.zip(chunks_b) {
        for (lane, (x, y)) in lanes.iter_mut().zip(x.iter().zip(y)) {
            *lane += x * y;
        }
    }
    lanes.iter().sum::<f64>() + tail
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pulse_decays_as_pymc_marketing_says() {
        // pymc_marketing.mmm.transformers.geometric_adstock([1, 0, 0, 2], alpha=0.5, l_max=3, normalize=True)
        let mut weights = Weights::new(3);
        weights.set(Adstock::Geometric, 0.5, 0.0);
        let mut out = vec![0.0; 4];
        carry(&[1.0, 0.0, 0.0, 2.0], &weights.weight, &mut out);
        for (own, known) in out.iter().zip([4.0 / 7.0, 2.0 / 7.0, 1.0 / 7.0, 8.0 / 7.0]) {
            assert!((own - known).abs() < 1e-12);
        }
        assert!((weights.delay() - 4.0 / 7.0).abs() < 1e-12);
    }

    #[test]
    fn derivatives_of_weights_are_those_of_differences() {
        for (form, first, second) in [
            (Adstock::Geometric, 0.37, 0.0),
            (Adstock::Weibull, 2.3, 1.9),
            (Adstock::Weibull, 0.7, 3.1),
        ] {
            let at = |a: f64, b: f64| {
                let mut weights = Weights::new(6);
                weights.set(form, a, b);
                weights
            };
            let (here, step) = (at(first, second), 1e-6);
            for parameter in 0..form.parameters() {
                let (da, db) = if parameter == 0 { (step, 0.0) } else { (0.0, step) };
                let (up, down) = (at(first + da, second + db), at(first - da, second - db));
                for lag in 0..6 {
                    let slope = (up.weight[lag] - down.weight[lag]) / (2.0 * step);
                    assert!(
                        (slope - here.by[parameter][lag]).abs() < 1e-7,
                        "{form:?} {parameter} {lag}"
                    );
                }
            }
        }
    }
}
