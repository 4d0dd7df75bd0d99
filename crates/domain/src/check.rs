//! Named checks: the health of a result, as part of the result.

/// What a check says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CheckVerdict {
    /// Nothing to do.
    Pass,
    /// A person should look.
    Review,
    /// The loop stops here.
    Fail,
}

impl CheckVerdict {
    /// `PASS`, `REVIEW` or `FAIL`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::Review => "REVIEW",
            Self::Fail => "FAIL",
        }
    }
}

/// One named check with what it saw and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Stable name, such as `leakage`.
    pub name: &'static str,
    /// PASS, REVIEW or FAIL.
    pub verdict: CheckVerdict,
    /// What was seen, with numbers.
    pub detail: String,
    /// What to do; absent when it passed.
    pub advice: Option<String>,
    /// The row of the error table that explains it; absent when it passed.
    pub code: Option<&'static str>,
}
