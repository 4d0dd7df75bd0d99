//! Sample ratio: whether the arms have the sizes that they were drawn with.

use thalweg_domain::{Check, CheckVerdict, Error, Result};

use super::distributions::chi_squared_tail;

/// Below this p-value the arms are not believed: a false alarm in one of a thousand looks.
const LEAST_P: f64 = 0.001;

/// The test's result.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleRatio {
    /// Chi-squared statistic.
    pub chi_squared: f64,
    /// Probability of counts at least so far off, when the arms are sound.
    pub p: f64,
    /// `sample_ratio`: PASS, or FAIL with code `TW0403`.
    pub check: Check,
}

/// Tests counts per arm against the shares that the arms were drawn with.
///
/// `X² = sum (observed - expected)² / expected`, chi-squared with arms - 1 degrees of freedom; FAIL when p < 0.001.
/// `counts`: customers per arm; `shares`: same length (two arms or more), each above 0, summing to 1. No customers at all is PASS.
///
/// Assumption that it cannot check: customers were assigned independently. Where assignment is by hash of clusters, pass
/// counts of clusters. Needs about 5 expected per arm for the p-value to be right.
///
/// Source: Fabijan et al., *Diagnosing sample ratio mismatch in online controlled experiments*, KDD 2019,
/// doi:10.1145/3292500.3330722.
///
/// # Errors
/// `TW0724` when shares and counts do not fit together.
///
/// ```
/// let ratio = thalweg_learn::measure::sample_ratio(&[9120, 880], &[0.9, 0.1])?;
/// assert!((ratio.chi_squared - 16.0).abs() < 1e-9 && ratio.check.code == Some("TW0403"));
/// # Ok::<(), thalweg_domain::Error>(())
/// ```
pub fn sample_ratio(counts: &[u64], shares: &[f64]) -> Result<SampleRatio> {
    let sum: f64 = shares.iter().sum();
    if counts.len() != shares.len() || counts.len() < 2 {
        let said = format!(
            "{} counts and {} expected shares do not fit together",
            counts.len(),
            shares.len()
        );
        return Err(Error::new("TW0724", said).hint("give one expected share per arm, for two arms or more"));
    }
    if !shares.iter().all(|share| *share > 0.0) || (sum - 1.0).abs() > 1e-6 {
        return Err(Error::new("TW0724", format!("expected shares sum to {sum}"))
            .hint("give shares above 0 that sum to 1"));
    }
    let total = counts.iter().sum::<u64>() as f64;
    let chi_squared = if total == 0.0 {
        0.0
    } else {
        statistic(counts, shares, total)
    };
    let p = chi_squared_tail(chi_squared, (counts.len() - 1) as f64);
    Ok(SampleRatio {
        chi_squared,
        p,
        check: check(counts, shares, p),
    })
}

fn statistic(counts: &[u64], shares: &[f64], total: f64) -> f64 {
    let off = |(count, share): (&u64, &f64)| (*count as f64 - share * total).powi(2) / (share * total);
    counts.iter().zip(shares).map(off).sum()
}

fn check(counts: &[u64], shares: &[f64], p: f64) -> Check {
    let list = |items: Vec<String>| items.join(", ");
    let seen = list(counts.iter().map(ToString::to_string).collect());
    let drawn = list(
        shares
            .iter()
            .map(|share| format!("{:.1} %", share * 100.0))
            .collect(),
    );
    let failed = p < LEAST_P;
    Check {
        name: "sample_ratio",
        verdict: if failed { CheckVerdict::Fail } else { CheckVerdict::Pass },
        detail: format!("{seen} customers, drawn as {drawn}; p = {p:.2e}"),
        advice: failed.then(|| {
            "find where customers of one arm went missing (delivery filter, feedback file, key) before believing any effect"
                .to_owned()
        }),
        code: failed.then_some("TW0403"),
    }
}
