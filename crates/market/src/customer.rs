//! A customer of the simulated business: what can be observed about them.

/// A category whose variants stand in the order of their text, so that codes index sorted levels.
macro_rules! category {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum $name { $($variant),+ }

        impl $name {
            /// The levels as text, sorted.
            pub(crate) const LEVELS: &'static [&'static str] = &[$($text),+];

            /// The index into the levels.
            pub(crate) const fn code(self) -> u32 {
                self as u32
            }
        }
    };
}

category! {
    /// Where they live.
    Region { Capital = "capital", East = "east", North = "north", South = "south", West = "west" }
}
category! {
    /// What kind of customer they are.
    Segment { Business = "business", Consumer = "consumer", Family = "family", Student = "student" }
}
category! {
    /// How long they are bound.
    Contract { Monthly = "monthly", OneYear = "one-year", TwoYear = "two-year" }
}
category! {
    /// How they pay.
    Payment { BankTransfer = "bank-transfer", Card = "card", Invoice = "invoice", Wallet = "wallet" }
}

impl Contract {
    /// Length in months; `None` when it can be ended every month.
    pub(crate) const fn months(self) -> Option<u32> {
        match self {
            Self::Monthly => None,
            Self::OneYear => Some(12),
            Self::TwoYear => Some(24),
        }
    }
}

/// Which contacts a customer allows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Consent {
    pub(crate) email: bool,
    pub(crate) sms: bool,
    pub(crate) push: bool,
    pub(crate) call: bool,
}

/// One customer: the observable record and the number that their luck derives from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Customer {
    /// Unique for ever; the key and all luck derive from it.
    pub(crate) serial: u64,
    /// Years; sometimes unknown.
    pub(crate) age: Option<u32>,
    pub(crate) region: Region,
    pub(crate) segment: Segment,
    pub(crate) tenure_months: u32,
    pub(crate) contract: Contract,
    /// Months until the contract ends; none for monthly contracts.
    pub(crate) months_to_renewal: Option<u32>,
    /// Currency units per month, in whole cents.
    pub(crate) monthly_fee: f64,
    pub(crate) products: u32,
    /// Sometimes unknown.
    pub(crate) payment: Option<Payment>,
    pub(crate) autopay: bool,
    /// Relative change of use against the three months before, -0.9 to 0.9; sometimes unknown.
    pub(crate) usage_trend: Option<f64>,
    pub(crate) app_active: bool,
    pub(crate) complaints_90d: u32,
    pub(crate) support_calls_90d: u32,
    pub(crate) late_payments_12m: u32,
    pub(crate) consent: Consent,
}

impl Customer {
    /// The key in the business's own data.
    pub(crate) fn key(&self, prefix: char) -> String {
        format!("{prefix}{:07}", self.serial)
    }
}
