//! Small problems searched to the end: branch and bound with the dual as bound.

use super::compiled::Compiled;
use super::moves::Pricing;
use crate::exact::Exact;

/// What the search found.
pub(super) struct Searched {
    /// The best assignment, if it beats the one given.
    pub(super) better: Option<Vec<bool>>,
    /// True when everything was looked at or ruled out: nothing beats the best assignment known.
    pub(super) complete: bool,
}

/// Looks at candidates one by one, taking or leaving each, within `nodes` steps.
///
/// Pruned where value so far + best reduced value of the rest + price of what is left of each limit does not
/// beat the best known, and where a limit cannot be kept any more.
pub(super) fn search(compiled: &Compiled<'_>, prices: &[f64], known: Option<f64>, nodes: usize) -> Searched {
    let mut tree = Tree::new(compiled, prices, known, nodes);
    let complete = tree.descend(0, 0);
    Searched {
        better: tree.best,
        complete,
    }
}

/// One candidate in the order of the search.
struct Step {
    customer: usize,
    candidate: usize,
    m: usize,
    first_of_customer: bool,
}

struct Tree<'a> {
    compiled: &'a Compiled<'a>,
    prices: &'a [f64],
    steps: Vec<Step>,
    /// Best reduced value of the customers after each step's customer, and of the step's own customer from there on.
    rest: Vec<f64>,
    /// Least that the steps from here on must add to each row, `steps x rows`.
    least: Vec<f64>,
    used: Vec<Exact>,
    value: Exact,
    chosen: Vec<bool>,
    incumbent: f64,
    best: Option<Vec<bool>>,
    nodes: usize,
}

impl<'a> Tree<'a> {
    fn new(compiled: &'a Compiled<'a>, prices: &'a [f64], known: Option<f64>, nodes: usize) -> Self {
        let pricing = Pricing::new(compiled, prices);
        let mut steps = Vec::new();
        for customer in 0..compiled.n_customers {
            let m = compiled.problem.max_actions.of(customer);
            let mut own: Vec<usize> = compiled.candidates(customer).collect();
            let reduced = |c: &usize| compiled.reduced(pricing.table(), compiled.cell(customer, *c), *c);
            own.sort_by(|a, b| reduced(b).total_cmp(&reduced(a)));
            for (place, candidate) in own.into_iter().enumerate() {
                steps.push(Step {
                    customer,
                    candidate,
                    m,
                    first_of_customer: place == 0,
                });
            }
        }
        let mut tree = Self {
            compiled,
            prices,
            rest: vec![0.0; steps.len() + 1],
            least: vec![0.0; (steps.len() + 1) * compiled.n_rows],
            steps,
            used: vec![Exact::ZERO; compiled.n_rows],
            value: Exact::ZERO,
            chosen: vec![false; compiled.values.len()],
            incumbent: known.unwrap_or(f64::NEG_INFINITY),
            best: None,
            nodes,
        };
        tree.look_ahead(&pricing);
        tree
    }

    /// Fills `rest` and `least` from the end; both are bounds (each step counted as if taken at will).
    fn look_ahead(&mut self, pricing: &Pricing<'_>) {
        let k = self.compiled.n_rows;
        for place in (0..self.steps.len()).rev() {
            let (customer, candidate) = (self.steps[place].customer, self.steps[place].candidate);
            let cell = self.compiled.cell(customer, candidate);
            let reduced = self.compiled.reduced(pricing.table(), cell, candidate).max(0.0);
            self.rest[place] = self.rest[place + 1] + self.capped(place, reduced);
            for row in 0..k {
                self.least[place * k + row] = self.least[(place + 1) * k + row];
            }
            for (row, amount) in self.compiled.uses(customer, candidate) {
                self.least[place * k + row] += amount.min(0.0);
            }
        }
    }

    /// A customer's candidates come best first, so only the first `m` of them can count from the first on;
    /// from a later one on, the later ones may count instead.
    fn capped(&self, place: usize, reduced: f64) -> f64 {
        let step = &self.steps[place];
        let first = (0..=place)
            .rev()
            .find(|p| self.steps[*p].first_of_customer)
            .unwrap_or(place);
        if place - first < step.m { reduced } else { 0.0 }
    }

    /// Room for the dual bound from this step on, `taken` of this customer's `m` used up.
    fn bound(&self, place: usize) -> f64 {
        let left: f64 = (0..self.compiled.n_rows)
            .map(|row| self.prices[row] * (self.compiled.limits[row] - self.used[row].get()))
            .sum();
        self.value.get() + self.rest_from(place) + left
    }

    fn rest_from(&self, place: usize) -> f64 {
        // Within a customer the candidates beyond the first m were not counted; add the best of those that follow.
        let Some(step) = self.steps.get(place) else {
            return 0.0;
        };
        if step.first_of_customer {
            return self.rest[place];
        }
        let end = (place..self.steps.len())
            .find(|p| self.steps[*p].customer != step.customer)
            .unwrap_or(self.steps.len());
        let pricing_free: f64 = (place..end).take(step.m).map(|p| self.own_reduced(p)).sum();
        self.rest[end] + pricing_free
    }

    fn own_reduced(&self, place: usize) -> f64 {
        let step = &self.steps[place];
        let paid: f64 = self
            .compiled
            .uses(step.customer, step.candidate)
            .map(|(row, amount)| self.prices[row] * amount)
            .sum();
        (self.compiled.values[step.candidate] - paid).max(0.0)
    }

    fn possible(&self, place: usize) -> bool {
        let k = self.compiled.n_rows;
        (0..k).all(|row| {
            let slack = 1e-12 * self.compiled.limits[row].abs();
            self.used[row].get() + self.least[place * k + row] <= self.compiled.limits[row] + slack
        })
    }

    fn keeps_limits(&self) -> bool {
        (0..self.compiled.n_rows).all(|row| self.used[row].get() <= self.compiled.limits[row])
    }

    /// Searches from a step on; false when the steps allowed have run out.
    fn descend(&mut self, place: usize, taken: usize) -> bool {
        if self.nodes == 0 {
            return false;
        }
        self.nodes -= 1;
        let taken = if self.steps.get(place).is_some_and(|step| step.first_of_customer) {
            0
        } else {
            taken
        };
        if !self.possible(place) || self.bound(place) <= self.incumbent + 1e-12 * self.incumbent.abs() {
            return true;
        }
        let Some(step) = self.steps.get(place) else {
            if self.keeps_limits() && self.value.get() > self.incumbent {
                self.incumbent = self.value.get();
                self.best = Some(self.chosen.clone());
            }
            return true;
        };
        let mut complete = true;
        if taken < step.m {
            let before = (self.used.clone(), self.value);
            let candidate = step.candidate;
            self.take(place);
            complete &= self.descend(place + 1, taken + 1);
            (self.used, self.value) = before;
            self.chosen[candidate] = false;
        }
        complete && self.descend(place + 1, taken)
    }

    fn take(&mut self, place: usize) {
        let (customer, candidate) = (self.steps[place].customer, self.steps[place].candidate);
        self.chosen[candidate] = true;
        self.value = self.value.plus(self.compiled.values[candidate]);
        for (row, amount) in self.compiled.uses(customer, candidate) {
            self.used[row] = self.used[row].plus(amount);
        }
    }
}
