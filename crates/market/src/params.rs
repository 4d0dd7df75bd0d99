//! What can be chosen about a simulated market, and the check that it makes sense.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use thalweg_domain::{Error, Result, Seed};

use crate::ranges;

/// The size of a market and whether it is a hostile one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MarketParams {
    /// Active customers at the start: 200 to 5,000,000, default 20,000.
    pub n_customers: usize,
    /// Past customers with a known outcome, untreated: 200 to 5,000,000, default 8,000.
    pub n_history: usize,
    /// A hostile market: e-mail and SMS annoy, calls drive the elderly away, discounts are taken by
    /// those who would have stayed. `None`: the seed decides; about one in five is hostile.
    pub hostile: Option<bool>,
}

impl Default for MarketParams {
    fn default() -> Self {
        Self {
            n_customers: 20_000,
            n_history: 8_000,
            hostile: None,
        }
    }
}

impl MarketParams {
    /// Checks the ranges.
    pub(crate) fn check(&self) -> Result<()> {
        check_count("customers", self.n_customers)?;
        check_count("past customers", self.n_history)
    }

    /// Whether the market of this seed is hostile.
    pub(crate) fn is_hostile(&self, seed: Seed) -> bool {
        self.hostile.unwrap_or_else(|| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed.stream("hostile").0);
            rng.random::<f64>() < ranges::HOSTILE_SHARE
        })
    }
}

fn check_count(what: &str, count: usize) -> Result<()> {
    if (200..=5_000_000).contains(&count) {
        return Ok(());
    }
    Err(Error::new(
        "TW0590",
        format!("a simulated market of {count} {what} is outside 200 to 5000000"),
    )
    .hint("give a number of customers in that range, such as --customers 20000"))
}
