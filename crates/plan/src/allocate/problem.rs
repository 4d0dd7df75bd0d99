//! The allocation problem as its caller states it: candidates in rows, constraints by name.

use std::ops::Range;

use thalweg_domain::{Error, Result};

use super::soft_sets::{MOST_SETS, n_sets};
use crate::chunks::map_chunks;

/// Who may get what, at which value: customers by candidates in compressed rows.
///
/// Customer `i` owns the candidates `offsets[i]..offsets[i + 1]`. A candidate has an action, a value
/// (already net of cost) and one number per resource column.
#[derive(Debug, Clone, Copy)]
pub struct Problem<'a> {
    /// One more entry than there are customers; starts at 0, never falls, ends at the number of candidates.
    pub offsets: &'a [u64],
    /// Action of each candidate; any numbering, small numbers cost less memory.
    pub actions: &'a [u16],
    /// Value of each candidate, in money, may be negative.
    pub values: &'a [f64],
    /// Resource columns, each with one number per candidate.
    pub resources: &'a [&'a [f64]],
    /// How many candidates a customer may get.
    pub max_actions: MaxActions<'a>,
    /// What must hold over all customers.
    pub constraints: &'a [Constraint],
    /// Pairs of actions that may not go to the same customer; a pair of an action with itself forbids it twice.
    pub exclusions: &'a [(u16, u16)],
}

/// How many candidates a customer may get.
#[derive(Debug, Clone, Copy)]
pub enum MaxActions<'a> {
    /// The same number for everyone.
    Same(u16),
    /// One number per customer.
    Each(&'a [u16]),
}

impl MaxActions<'_> {
    pub(super) fn of(&self, customer: usize) -> usize {
        match self {
            Self::Same(m) => usize::from(*m),
            Self::Each(each) => usize::from(each[customer]),
        }
    }
}

/// What a constraint adds up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// The number of chosen candidates.
    Rows,
    /// A resource column, by its index.
    Column(usize),
}

/// Which side of the limit is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sense {
    /// The sum may not exceed the limit.
    AtMost,
    /// The sum may not fall short of the limit.
    AtLeast,
}

impl Sense {
    /// -1 turns "at least" into "at most".
    pub(super) const fn sign(self) -> f64 {
        match self {
            Self::AtMost => 1.0,
            Self::AtLeast => -1.0,
        }
    }
}

/// One row: the sum of a resource over the chosen candidates it covers, against a limit.
#[derive(Debug, Clone, PartialEq)]
pub struct Constraint {
    /// How results and errors call it.
    pub name: String,
    /// What is added up.
    pub resource: Resource,
    /// Only candidates with one of these actions count; `None` is all.
    pub actions: Option<Vec<u16>>,
    /// Only customers with `true` count; `None` is all.
    pub customers: Option<Vec<bool>>,
    /// The limit, in the resource's unit.
    pub limit: f64,
    /// At most or at least.
    pub sense: Sense,
}

impl Constraint {
    /// At most `limit` of a resource over all candidates.
    #[must_use]
    pub fn at_most(name: impl Into<String>, resource: Resource, limit: f64) -> Self {
        Self {
            name: name.into(),
            resource,
            actions: None,
            customers: None,
            limit,
            sense: Sense::AtMost,
        }
    }

    /// At least `limit` of a resource over all candidates.
    #[must_use]
    pub fn at_least(name: impl Into<String>, resource: Resource, limit: f64) -> Self {
        Self {
            sense: Sense::AtLeast,
            ..Self::at_most(name, resource, limit)
        }
    }

    /// The same constraint over some actions only.
    #[must_use]
    pub fn on_actions(mut self, actions: Vec<u16>) -> Self {
        self.actions = Some(actions);
        self
    }

    /// The same constraint with another limit.
    #[must_use]
    pub fn with_limit(self, limit: f64) -> Self {
        Self { limit, ..self }
    }

    /// The same constraint over some customers only.
    #[must_use]
    pub fn on_customers(mut self, customers: Vec<bool>) -> Self {
        self.customers = Some(customers);
        self
    }
}

impl Problem<'_> {
    /// Number of customers.
    #[must_use]
    pub const fn n_customers(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// Checks lengths, order of the offsets, finiteness, and that constraints name what exists.
    pub(super) fn check(&self) -> Result<()> {
        self.check_shape()?;
        self.check_numbers()?;
        self.check_exclusions()?;
        self.constraints
            .iter()
            .try_for_each(|constraint| self.check_constraint(constraint))
    }

    fn check_shape(&self) -> Result<()> {
        let n = self.values.len();
        let starts = self.offsets.first() == Some(&0) && self.offsets.last() == Some(&(n as u64));
        if !starts || self.offsets.windows(2).any(|pair| pair[0] > pair[1]) {
            return Err(malformed(format!(
                "the row offsets do not run from 0 to the {n} candidates"
            )));
        }
        if self.actions.len() != n {
            return Err(malformed(format!(
                "{} actions for {n} candidates",
                self.actions.len()
            )));
        }
        if let Some(column) = self.resources.iter().position(|column| column.len() != n) {
            return Err(malformed(format!(
                "resource column {column} does not have {n} numbers"
            )));
        }
        match self.max_actions {
            MaxActions::Each(each) if each.len() != self.n_customers() => Err(malformed(format!(
                "{} action limits for {} customers",
                each.len(),
                self.n_customers()
            ))),
            _ => Ok(()),
        }
    }

    fn check_numbers(&self) -> Result<()> {
        let columns =
            std::iter::once(("value", self.values)).chain(self.resources.iter().map(|c| ("resource", *c)));
        for (what, column) in columns {
            if let Some(row) = first_not_finite(column) {
                return Err(malformed(format!(
                    "{what} {} of candidate {row} is not a finite number",
                    column[row]
                )));
            }
        }
        Ok(())
    }

    /// With exclusions the sets of a customer's actions are gone through one by one: there may not be too many.
    fn check_exclusions(&self) -> Result<()> {
        if self.exclusions.is_empty() {
            return Ok(());
        }
        let customers = 0..self.n_customers();
        let sets = customers.map(|customer| {
            let width = (self.offsets[customer + 1] - self.offsets[customer]) as usize;
            let m = self.max_actions.of(customer);
            if m > 1 { n_sets(width, m) } else { 1.0 }
        });
        check_sets(sets.fold(0.0, f64::max))
    }

    fn check_constraint(&self, constraint: &Constraint) -> Result<()> {
        let wrong = |what: String| {
            Err(
                Error::new("TW0502", format!("constraint \"{}\" {what}", constraint.name))
                    .hint("name a resource column that exists and give a finite limit"),
            )
        };
        if !constraint.limit.is_finite() {
            return wrong(format!("has the limit {}", constraint.limit));
        }
        if let Resource::Column(column) = constraint.resource
            && column >= self.resources.len()
        {
            return wrong(format!(
                "uses resource column {column} of {}",
                self.resources.len()
            ));
        }
        match &constraint.customers {
            Some(mask) if mask.len() != self.n_customers() => wrong(format!(
                "covers {} customers of {}",
                mask.len(),
                self.n_customers()
            )),
            _ => Ok(()),
        }
    }
}

/// `TW0502` when exclusions leave a customer with too many sets of actions to go through.
pub(super) fn check_sets(sets: f64) -> Result<()> {
    if sets <= MOST_SETS {
        return Ok(());
    }
    let message = format!(
        "with exclusions a customer's sets of actions are gone through one by one, and one customer has {sets}"
    );
    Err(Error::new("TW0502", message).hint(format!(
        "give that customer fewer candidates, or lower max_actions: {MOST_SETS} sets are the most"
    )))
}

fn first_not_finite(column: &[f64]) -> Option<usize> {
    let found = |range: Range<usize>| {
        let start = range.start;
        let part = &column[range];
        // One pass without branches finds most columns clean.
        let clean = part.iter().fold(0.0, |sum, x| sum + 0.0 * x) == 0.0;
        if clean {
            None
        } else {
            part.iter().position(|x| !x.is_finite()).map(|at| start + at)
        }
    };
    map_chunks(column.len(), found).into_iter().flatten().next()
}

pub(crate) fn malformed(what: String) -> Error {
    Error::new("TW0501", format!("cannot plan: {what}")).hint(
        "every customer needs finite values and costs; look for a missing value or an overflow upstream",
    )
}
