//! Small problems searched to the end: branch and bound with the dual as bound.

use super::compiled::Compiled;
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
    /// Candidates that the customer may get.
    m: usize,
    first_of_customer: bool,
    /// The first step of the next customer.
    next_customer: usize,
    /// Value less price of use, not below 0; falls within a customer.
    reduced: f64,
}

struct Tree<'a> {
    compiled: &'a Compiled<'a>,
    prices: &'a [f64],
    steps: Vec<Step>,
    /// From each first step of a customer: the most that this customer and those after can add in reduced value.
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
        let steps = steps(compiled, prices);
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
        tree.look_ahead();
        tree
    }

    /// Fills `rest` and `least` from the end.
    fn look_ahead(&mut self) {
        let k = self.compiled.n_rows;
        for place in (0..self.steps.len()).rev() {
            let step = &self.steps[place];
            if step.first_of_customer {
                self.rest[place] = self.own_rest(place, 0) + self.rest[step.next_customer];
            }
            let (customer, candidate) = (step.customer, step.candidate);
            self.least
                .copy_within((place + 1) * k..(place + 2) * k, place * k);
            for (row, amount) in self.compiled.uses(customer, candidate) {
                self.least[place * k + row] += amount.min(0.0);
            }
        }
    }

    /// The most that the rest of a step's customer can add in reduced value when `taken` are chosen already: the
    /// candidates come best first.
    fn own_rest(&self, place: usize, taken: usize) -> f64 {
        let step = &self.steps[place];
        let left = step.m.saturating_sub(taken);
        self.steps[place..step.next_customer]
            .iter()
            .take(left)
            .map(|step| step.reduced)
            .sum()
    }

    /// No completion of the choices made before this step is worth more.
    fn bound(&self, place: usize, taken: usize) -> f64 {
        let left: f64 = (0..self.compiled.n_rows)
            .map(|row| self.prices[row] * (self.compiled.shape.limits[row] - self.used[row].get()))
            .sum();
        let rest = self.steps.get(place).map_or(0.0, |step| {
            self.own_rest(place, taken) + self.rest[step.next_customer]
        });
        self.value.get() + rest + left
    }

    fn possible(&self, place: usize) -> bool {
        let k = self.compiled.n_rows;
        (0..k).all(|row| {
            let slack = 1e-12 * self.compiled.shape.limits[row].abs();
            self.used[row].get() + self.least[place * k + row] <= self.compiled.shape.limits[row] + slack
        })
    }

    fn keeps_limits(&self) -> bool {
        (0..self.compiled.n_rows).all(|row| self.used[row].get() <= self.compiled.shape.limits[row])
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
        if !self.possible(place) || self.bound(place, taken) <= self.incumbent + 1e-12 * self.incumbent.abs()
        {
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
        if taken < step.m && !self.excluded(step) {
            let before = (self.used.clone(), self.value);
            let candidate = step.candidate;
            self.take(place);
            complete &= self.descend(place + 1, taken + 1);
            (self.used, self.value) = before;
            self.chosen[candidate] = false;
        }
        complete && self.descend(place + 1, taken)
    }

    /// Something that the customer has already excludes the step's candidate.
    fn excluded(&self, step: &Step) -> bool {
        let mut own = self.compiled.candidates(step.customer);
        self.compiled.shape.has_exclusions()
            && own.any(|other| self.chosen[other] && self.compiled.excludes(step.candidate, other))
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

/// All candidates, customer by customer, best reduced value first.
fn steps(compiled: &Compiled<'_>, prices: &[f64]) -> Vec<Step> {
    let table = compiled.price_table(prices);
    let mut steps = Vec::new();
    for customer in 0..compiled.n_customers {
        let reduced = |c: usize| compiled.reduced(&table, compiled.cell(customer, c), c).max(0.0);
        let mut own: Vec<usize> = compiled.candidates(customer).collect();
        own.sort_by(|a, b| reduced(*b).total_cmp(&reduced(*a)));
        let next_customer = steps.len() + own.len();
        for (place, candidate) in own.into_iter().enumerate() {
            steps.push(Step {
                customer,
                candidate,
                m: compiled.problem.max_actions.of(customer),
                first_of_customer: place == 0,
                next_customer,
                reduced: reduced(candidate),
            });
        }
    }
    steps
}
