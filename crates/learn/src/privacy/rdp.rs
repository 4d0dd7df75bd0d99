//! The Renyi divergence of the Poisson-subsampled Gaussian mechanism, at whole and fractional orders.

/// Renyi-DP of order `order` of one release of the sampled Gaussian mechanism: each unit joins a batch independently
/// with probability `q`, the sum of what they add (norm at most 1 each) is released with Gaussian noise of
/// standard deviation `sigma` in every coordinate. Neighbours differ by one unit, added or removed.
///
/// `ln(A) / (order - 1)` with `A = E[((1 - q) + q L)^order]`, where `z ~ N(0, sigma^2)` and
/// `L = exp((2 z - 1) / (2 sigma^2))` is the likelihood ratio of the two noises (Mironov, Talwar and Zhang 2019, arXiv
/// 1908.10530, theorem 4 and corollary 7, which also show that removing is never worse than adding). Whole orders use the
/// finite sum of section 3.3, fractional ones the integral itself. Both work with `A - 1`, whose terms are all
/// positive, so that nothing cancels when the divergence is tiny.
///
/// `sigma` above 0, `q` in [0, 1], `order` above 1; the result is in nats, infinite when it exceeds what f64 holds.
pub(super) fn sampled_gaussian(sigma: f64, q: f64, order: f64) -> f64 {
    if q == 0.0 {
        return 0.0;
    }
    if q >= 1.0 {
        return order / (2.0 * sigma * sigma);
    }
    let excess = if order.fract() == 0.0 {
        log_excess_whole(sigma, q, order)
    } else {
        log_excess_fractional(sigma, q, order)
    };
    softplus(excess) / (order - 1.0)
}

/// `ln(A - 1)` by the binomial sum: `A - 1 = sum_(i >= 2) C(a, i) (1 - q)^(a - i) q^i (exp((i^2 - i) / (2 sigma^2)) - 1)`,
/// as the binomial weights alone add up to 1.
fn log_excess_whole(sigma: f64, q: f64, order: f64) -> f64 {
    let (log_q, log_rest) = (q.ln(), (-q).ln_1p());
    let mut log_binomial = 0.0;
    let mut sum = LogSum::default();
    for i in 1..=order as u32 {
        let i = f64::from(i);
        log_binomial += ((order - i + 1.0) / i).ln();
        let weight = log_binomial + i * log_q + (order - i) * log_rest;
        sum.add(weight + log_expm1((i * i - i) / (2.0 * sigma * sigma)));
    }
    sum.log()
}

/// Standard deviations beyond the outermost peaks at which the integrand is cut: what is left out is below 1e-30 of it.
const TAIL: f64 = 12.0;

/// `ln(A - 1)` as the integral of `N(z; 0, sigma^2) ((1 + x)^a - 1 - a x)` with `x = q (L - 1)`, which is `A - 1`
/// because `E[x] = 0`. The integrand is positive (Bernoulli's inequality), analytic in a strip of half-width `pi sigma^2`
/// and falls off like a Gaussian, so the trapezoidal rule converges geometrically (Trefethen and Weideman 2014,
/// doi:10.1137/130932132); with this step its error is below 1e-30 of the integral.
fn log_excess_fractional(sigma: f64, q: f64, order: f64) -> f64 {
    let step = sigma.min(sigma * sigma) / 4.0;
    let start = -TAIL * sigma;
    let points = ((order + 2.0 * TAIL * sigma) / step).ceil() as u64;
    let mut sum = LogSum::default();
    for point in 0..=points {
        let z = start + point as f64 * step;
        let log_ratio = (2.0 * z - 1.0) / (2.0 * sigma * sigma);
        sum.add(-z * z / (2.0 * sigma * sigma) + log_bernoulli_gap(q, log_ratio, order));
    }
    sum.log() + (step / sigma).ln() - 0.5 * std::f64::consts::TAU.ln()
}

/// `ln((1 + x)^order - 1 - order x)` with `x = q (exp(log_ratio) - 1)`, which is above -1.
fn log_bernoulli_gap(q: f64, log_ratio: f64, order: f64) -> f64 {
    if log_ratio > 100.0 {
        // x is so large that 1 + x is q exp(log_ratio) and the power dwarfs the rest unless the order is close to 1
        let log_power = order * (log_ratio + q.ln());
        let log_line = order.ln() + log_ratio + q.ln();
        return log_power + (-(log_line - log_power).exp()).ln_1p();
    }
    let x = q * log_ratio.exp_m1();
    if (order * x).abs() < 1e-3 {
        let a = order;
        let tail = x * (a - 2.0) / 3.0 * (1.0 + x * (a - 3.0) / 4.0 * (1.0 + x * (a - 4.0) / 5.0));
        return (0.5 * a * (a - 1.0) * x * x * (1.0 + tail)).ln();
    }
    let log_power = order * x.ln_1p();
    if log_power > 30.0 {
        return log_power + (-(order.mul_add(x, 1.0)) * (-log_power).exp()).ln_1p();
    }
    (log_power.exp_m1() - order * x).ln()
}

/// `ln(exp(x) - 1)` for x >= 0.
fn log_expm1(x: f64) -> f64 {
    if x > 30.0 {
        x + (-(-x).exp()).ln_1p()
    } else {
        x.exp_m1().ln()
    }
}

/// `ln(1 + exp(x))`.
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// A sum of positive terms that are given and returned as logarithms.
struct LogSum {
    largest: f64,
    /// The sum divided by the largest term.
    scaled: f64,
}

impl Default for LogSum {
    fn default() -> Self {
        Self {
            largest: f64::NEG_INFINITY,
            scaled: 0.0,
        }
    }
}

impl LogSum {
    fn add(&mut self, log_term: f64) {
        if log_term == f64::NEG_INFINITY {
            return;
        }
        if log_term <= self.largest {
            self.scaled += (log_term - self.largest).exp();
        } else {
            self.scaled = self.scaled * (self.largest - log_term).exp() + 1.0;
            self.largest = log_term;
        }
    }

    fn log(&self) -> f64 {
        self.largest + self.scaled.ln()
    }
}
