//! The best split of a budget over channels, within the changes that a manager allows.
//!
//! Each channel's expected outcome per period is tabulated over the spends it may have, in steps of one part of the
//! budget; the best combination of steps is found exactly by dynamic programming, whatever the shape of the curves.

/// How finely a budget is divided.
pub const PARTS: usize = 400;

/// The steps of the budget that one channel may take, and what each brings.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Fewest steps.
    pub least: usize,
    /// Outcome at `least`, `least + 1`, … steps.
    pub value: Vec<f64>,
}

/// Steps per channel with the highest total outcome, `parts` in all; `None` when the limits do not allow that sum.
#[must_use]
pub fn split(tables: &[Table], parts: usize) -> Option<Vec<usize>> {
    let mut best = vec![f64::NEG_INFINITY; parts + 1];
    best[0] = 0.0;
    let mut choice: Vec<Vec<usize>> = Vec::with_capacity(tables.len());
    for table in tables {
        let (mut next, mut taken) = (vec![f64::NEG_INFINITY; parts + 1], vec![usize::MAX; parts + 1]);
        for (before, own) in best.iter().enumerate().filter(|(_, own)| own.is_finite()) {
            for (extra, value) in table.value.iter().enumerate() {
                let after = before + table.least + extra;
                if after > parts {
                    break;
                }
                if own + value > next[after] {
                    next[after] = own + value;
                    taken[after] = table.least + extra;
                }
            }
        }
        best = next;
        choice.push(taken);
    }
    if !best[parts].is_finite() {
        return None;
    }
    let (mut left, mut out) = (parts, vec![0; tables.len()]);
    for (channel, taken) in choice.iter().enumerate().rev() {
        out[channel] = taken[left];
        left -= taken[left];
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn concave_curves_end_with_equal_marginal_returns() {
        // the outcome is a sqrt(x) per channel: the best spends are in the ratio of the squares, 1 : 4
        let table = |height: f64| Table {
            least: 0,
            value: (0..=400_u32).map(|own| height * f64::from(own).sqrt()).collect(),
        };
        assert_eq!(split(&[table(1.0), table(2.0)], 400), Some(vec![80, 320]));
    }

    #[test]
    fn limits_that_cannot_add_up_are_said() {
        let table = Table {
            least: 30,
            value: vec![1.0, 2.0],
        };
        assert_eq!(split(&[table.clone(), table], 59), None);
    }
}
