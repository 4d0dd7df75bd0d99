//! Candidates in columns, built customer by customer, and their bytes for keeping them outside of memory.

use thalweg_domain::{Error, Result};

use super::problem::{Constraint, MaxActions, Problem};

/// Customers with their candidates: what a [`Problem`] borrows.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidates {
    /// One more entry than customers.
    pub offsets: Vec<u64>,
    /// Action of each candidate.
    pub actions: Vec<u16>,
    /// Value of each candidate, in money.
    pub values: Vec<f64>,
    /// Resource columns, one number per candidate each.
    pub resources: Vec<Vec<f64>>,
}

impl Candidates {
    /// Nobody yet.
    #[must_use]
    pub fn new(n_resources: usize) -> Self {
        Self {
            offsets: vec![0],
            actions: Vec::new(),
            values: Vec::new(),
            resources: vec![Vec::new(); n_resources],
        }
    }

    /// Number of customers.
    #[must_use]
    pub fn n_customers(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// Number of candidates.
    #[must_use]
    pub fn n_candidates(&self) -> usize {
        self.values.len()
    }

    /// The candidates pushed since the last call belong to one customer.
    pub fn end_customer(&mut self) {
        self.offsets.push(self.values.len() as u64);
    }

    /// Copies one customer of another list with the same resources.
    pub fn push_customer(&mut self, other: &Self, customer: usize) {
        let own = other.offsets[customer] as usize..other.offsets[customer + 1] as usize;
        self.actions.extend_from_slice(&other.actions[own.clone()]);
        self.values.extend_from_slice(&other.values[own.clone()]);
        for (column, from) in self.resources.iter_mut().zip(&other.resources) {
            column.extend_from_slice(&from[own.clone()]);
        }
        self.end_customer();
    }

    /// Appends another list with the same resources.
    pub fn append(&mut self, other: &Self) {
        let start = self.values.len() as u64;
        self.offsets
            .extend(other.offsets[1..].iter().map(|end| start + end));
        self.actions.extend_from_slice(&other.actions);
        self.values.extend_from_slice(&other.values);
        for (column, from) in self.resources.iter_mut().zip(&other.resources) {
            column.extend_from_slice(from);
        }
    }

    /// Calls `solve` with the problem of allocating these candidates, `max_actions` per customer at most.
    pub fn with_problem<T>(
        &self,
        max_actions: u16,
        constraints: &[Constraint],
        exclusions: &[(u16, u16)],
        solve: impl FnOnce(&Problem<'_>) -> T,
    ) -> T {
        let resources: Vec<&[f64]> = self.resources.iter().map(Vec::as_slice).collect();
        solve(&Problem {
            offsets: &self.offsets,
            actions: &self.actions,
            values: &self.values,
            resources: &resources,
            max_actions: MaxActions::Same(max_actions),
            constraints,
            exclusions,
        })
    }

    /// The bytes that [`Self::from_bytes`] reads: counts, widths, actions, values, resources; little endian.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let (customers, candidates) = (self.n_customers(), self.n_candidates());
        let mut bytes = Vec::with_capacity(12 + 4 * customers + (10 + 8 * self.resources.len()) * candidates);
        for count in [customers, candidates, self.resources.len()] {
            bytes.extend((count as u32).to_le_bytes());
        }
        for pair in self.offsets.windows(2) {
            bytes.extend(((pair[1] - pair[0]) as u32).to_le_bytes());
        }
        bytes.extend(self.actions.iter().flat_map(|action| action.to_le_bytes()));
        for column in std::iter::once(&self.values).chain(&self.resources) {
            bytes.extend(column.iter().flat_map(|number| number.to_le_bytes()));
        }
        bytes
    }

    /// Reads what [`Self::to_bytes`] wrote.
    ///
    /// # Errors
    /// `TW0501` when the bytes are not whole.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut rest = Rest(bytes);
        let mut counts = [0; 3];
        for count in &mut counts {
            *count = rest.take::<4>(1)?.map(u32::from_le_bytes).next().unwrap_or(0) as usize;
        }
        let [customers, candidates, resources] = counts;
        let mut offsets = Vec::with_capacity(customers + 1);
        let mut end = 0_u64;
        offsets.push(end);
        for width in rest.take::<4>(customers)? {
            end += u64::from(u32::from_le_bytes(width));
            offsets.push(end);
        }
        let actions = rest.take::<2>(candidates)?.map(u16::from_le_bytes).collect();
        let mut numbers =
            || -> Result<Vec<f64>> { Ok(rest.take::<8>(candidates)?.map(f64::from_le_bytes).collect()) };
        Ok(Self {
            offsets,
            actions,
            values: numbers()?,
            resources: (0..resources).map(|_| numbers()).collect::<Result<_>>()?,
        })
    }
}

/// Bytes not read yet.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take<const N: usize>(&mut self, n: usize) -> Result<impl Iterator<Item = [u8; N]> + use<'a, N>> {
        let (taken, rest) = self.0.split_at_checked(n * N).ok_or_else(|| {
            Error::new("TW0501", "candidates kept outside of memory came back incomplete")
                .hint("check that the folder for temporary files is not full, and run again")
        })?;
        self.0 = rest;
        Ok(taken.as_chunks::<N>().0.iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::Candidates;

    #[test]
    fn bytes_come_back_whole_or_not_at_all() {
        let mut some = Candidates::new(1);
        for (action, value) in [(0, 1.5), (3, -0.25), (700, f64::MIN_POSITIVE)] {
            some.actions.push(action);
            some.values.push(value);
            some.resources[0].push(10.0 * value);
        }
        some.end_customer();
        some.end_customer();
        let bytes = some.to_bytes();
        assert_eq!(Candidates::from_bytes(&bytes).unwrap(), some);
        assert_eq!(
            Candidates::from_bytes(&bytes[..bytes.len() - 1])
                .unwrap_err()
                .code,
            "TW0501"
        );
    }
}
