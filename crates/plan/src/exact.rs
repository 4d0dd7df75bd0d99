//! Sums in twice the working precision, so that "to the cent" does not depend on the order of addition.

/// A running sum held as an unevaluated pair `high + low` (error about 1e-32 of the largest partial sum).
///
/// Error-free addition after Knuth (TAOCP 2, 4.2.2) and double-double accumulation after Dekker 1971
/// (doi:10.1007/BF01397083).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Exact {
    high: f64,
    low: f64,
}

impl Exact {
    /// Nothing.
    pub(crate) const ZERO: Self = Self { high: 0.0, low: 0.0 };

    /// The sum with `x` added.
    pub(crate) fn plus(self, x: f64) -> Self {
        let (sum, error) = two_sum(self.high, x);
        let (high, low) = two_sum(sum, error + self.low);
        Self { high, low }
    }

    /// The sum with another sum added.
    pub(crate) fn join(self, other: Self) -> Self {
        self.plus(other.high).plus(other.low)
    }

    /// The sum rounded to the nearest double.
    pub(crate) fn get(self) -> f64 {
        self.high + self.low
    }
}

fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let part = sum - a;
    (sum, (a - (sum - part)) + (b - part))
}

/// The sum of numbers, correctly rounded for all practical purposes.
pub(crate) fn exact_sum(numbers: impl IntoIterator<Item = f64>) -> f64 {
    numbers.into_iter().fold(Exact::ZERO, Exact::plus).get()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_dimes_make_a_dollar() {
        let naive: f64 = (0..10).map(|_| 0.1).sum();
        assert!(naive < 1.0);
        assert_eq!(exact_sum((0..10).map(|_| 0.1)).to_bits(), 1.0_f64.to_bits());
    }

    #[test]
    fn taking_back_what_was_added_leaves_nothing() {
        let numbers = [1e16, 0.1, -7.3, 1e-9, 123_456.789];
        let there = numbers.iter().fold(Exact::ZERO, |sum, x| sum.plus(*x));
        let back = numbers.iter().fold(there, |sum, x| sum.plus(-*x));
        assert!(back.get().abs() < 1e-15, "{}", back.get());
    }
}
