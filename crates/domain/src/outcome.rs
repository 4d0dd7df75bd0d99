//! What the loop wants to change.

/// The kind of outcome; decides the sign of an effect and how value enters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OutcomeKind {
    /// A customer leaves; an effect is a *decrease* of the probability.
    Churn,
    /// A customer buys; an effect is an *increase* of the probability.
    Conversion,
    /// Money; an effect is an increase of it.
    Value,
}

impl OutcomeKind {
    /// `churn`, `conversion` or `value`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Churn => "churn",
            Self::Conversion => "conversion",
            Self::Value => "value",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Churn, Self::Conversion, Self::Value]
            .into_iter()
            .find(|kind| kind.as_str() == name)
    }
}
