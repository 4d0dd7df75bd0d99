//! Money and probabilities: numbers that exist only when they make sense.

use crate::{Error, Result};

/// A finite amount in the workspace's currency (cents are not rounded away in sums).
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
pub struct Money(f64);

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0.0);

    /// A finite amount.
    ///
    /// # Errors
    /// `TW0104` for NaN or infinity.
    pub fn new(amount: f64) -> Result<Self> {
        if amount.is_finite() {
            return Ok(Self(amount));
        }
        Err(Error::new(
            "TW0104",
            format!("{amount} is not an amount of money"),
        ))
    }

    /// The amount.
    #[must_use]
    pub const fn get(self) -> f64 {
        self.0
    }
}

/// A number in [0, 1].
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Probability(f64);

impl Probability {
    /// Checks that `p` lies in [0, 1].
    ///
    /// # Errors
    /// `TW0104` outside of it, or for NaN.
    pub fn new(p: f64) -> Result<Self> {
        if (0.0..=1.0).contains(&p) {
            return Ok(Self(p));
        }
        Err(Error::new("TW0104", format!("{p} is not a probability")).hint("give a number between 0 and 1"))
    }

    /// The nearest probability to a finite number (NaN becomes 0).
    #[must_use]
    pub fn clamped(p: f64) -> Self {
        Self(if p.is_nan() { 0.0 } else { p.clamp(0.0, 1.0) })
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> f64 {
        self.0
    }
}
