//! What is believed about a number before and after it is measured.

/// A belief as mean and standard deviation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Belief {
    /// Expected value.
    pub mean: f64,
    /// Standard deviation, not negative.
    pub sd: f64,
}

/// Where an effect comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EffectSource {
    /// Believed, not yet measured.
    Assumed,
    /// Measured by randomisation in at least one closed cycle.
    Measured,
}

impl EffectSource {
    /// `assumed` or `measured`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Assumed => "assumed",
            Self::Measured => "measured",
        }
    }
}
