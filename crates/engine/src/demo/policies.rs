//! The other policies: random, top risk first, and the plan that knows the truth.

use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use thalweg_domain::{Action, ActionId, ColumnData, Error, Result, Seed, Table};
use thalweg_market::Market;
use thalweg_plan::allocate::AllocateParams;
use thalweg_plan::decide::{Candidate, InformedInput, Limits, Menu, allocate_with_limits};

use super::Truth;

/// A market with the cycle's budget.
pub(super) struct Limited<'a> {
    pub(super) market: &'a Market,
    pub(super) budget: f64,
}

/// True incremental profit and true expected spend of a set of actions.
pub(super) fn truth(market: &Market, actions: &[Option<Action>]) -> Result<Truth> {
    let mut spend = 0.0;
    for (customer, action) in actions.iter().enumerate().filter(|(_, action)| action.is_some()) {
        spend += market.truth(customer, *action)?.expected_cost();
    }
    Ok(Truth {
        profit: market.profit(actions)?,
        spend,
    })
}

/// What is still free of the budget, the capacities and the caps.
struct Left {
    budget: f64,
    capacity: Vec<Option<u64>>,
    caps: Vec<Option<u64>>,
}

impl Left {
    fn new(limited: &Limited<'_>) -> Self {
        Self {
            budget: limited.budget,
            capacity: limited
                .market
                .channels()
                .iter()
                .map(|channel| channel.capacity)
                .collect(),
            caps: limited.market.offers().iter().map(|offer| offer.cap).collect(),
        }
    }

    /// Takes an action's use if there is room for it.
    fn take(&mut self, action: Action, cost: f64) -> bool {
        let capacity = self.capacity.get(action.channel).copied().flatten();
        let cap = action
            .offer
            .and_then(|offer| self.caps.get(offer).copied().flatten());
        if cost > self.budget || capacity == Some(0) || cap == Some(0) {
            return false;
        }
        self.budget -= cost;
        if let Some(Some(left)) = self.capacity.get_mut(action.channel) {
            *left -= 1;
        }
        if let Some(Some(left)) = action.offer.and_then(|offer| self.caps.get_mut(offer)) {
            *left -= 1;
        }
        true
    }
}

/// Per channel: who agreed to it.
fn consent(market: &Market) -> Result<Vec<Option<Vec<bool>>>> {
    let table = market.customers()?;
    (0..market.channels().len())
        .map(|channel| {
            market
                .consent_column(channel)
                .map(|name| flags(&table, name))
                .transpose()
        })
        .collect()
}

fn flags(table: &Table, name: &str) -> Result<Vec<bool>> {
    match table.column(name).map(|column| &column.data) {
        Some(ColumnData::Boolean(cells)) => Ok(cells.iter().map(|cell| cell.unwrap_or(false)).collect()),
        _ => Err(Error::new(
            "TW0901",
            format!("internal error: the market's consent column \"{name}\" is not true or false"),
        )),
    }
}

fn agreed(consent: &[Option<Vec<bool>>], channel: usize, customer: usize) -> bool {
    consent
        .get(channel)
        .and_then(Option::as_ref)
        .is_none_or(|flags| flags.get(customer).copied().unwrap_or(false))
}

/// Uniform over the feasible pairs of customer and action, until nothing more fits.
pub(super) fn random(limited: &Limited<'_>, seed: Seed) -> Result<Vec<Option<Action>>> {
    let market = limited.market;
    let mut rng = ChaCha8Rng::seed_from_u64(seed.0);
    let consent = consent(market)?;
    let all = Action::all(market.channels(), market.offers());
    let mut order: Vec<usize> = (0..market.n_customers()).collect();
    order.shuffle(&mut rng);
    let mut actions = vec![None; market.n_customers()];
    let mut left = Left::new(limited);
    for customer in order {
        let open: Vec<Action> = all
            .iter()
            .copied()
            .filter(|action| agreed(&consent, action.channel, customer))
            .collect();
        if open.is_empty() {
            continue;
        }
        let pick = rng.next_u64() % open.len() as u64;
        let Some(action) = usize::try_from(pick)
            .ok()
            .and_then(|pick| open.get(pick))
            .copied()
        else {
            continue;
        };
        if left.take(action, market.truth(customer, Some(action))?.expected_cost())
            && let Some(slot) = actions.get_mut(customer)
        {
            *slot = Some(action);
        }
    }
    Ok(actions)
}

/// Riskiest first, each the eligible action with the best assumed value, until the budget is used; no hold-out.
pub(super) fn top_risk(limited: &Limited<'_>, risks: &[f64]) -> Result<Vec<Option<Action>>> {
    let market = limited.market;
    let consent = consent(market)?;
    let all = Action::all(market.channels(), market.offers());
    let risk = |customer: usize| risks.get(customer).copied().unwrap_or(0.0);
    let mut order: Vec<usize> = (0..market.n_customers()).collect();
    order.sort_by(|a, b| risk(*b).total_cmp(&risk(*a)).then(a.cmp(b)));
    let mut actions = vec![None; market.n_customers()];
    let mut left = Left::new(limited);
    for customer in order {
        let mut open: Vec<(f64, Action)> = Vec::new();
        for action in all
            .iter()
            .copied()
            .filter(|action| agreed(&consent, action.channel, customer))
        {
            open.push((assumed(market, customer, action, risk(customer))?, action));
        }
        open.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        for (worth, action) in open {
            // the choice rests on what is assumed, the budget on what is spent
            if worth > 0.0 && left.take(action, market.truth(customer, Some(action))?.expected_cost()) {
                if let Some(slot) = actions.get_mut(customer) {
                    *slot = Some(action);
                }
                break;
            }
        }
    }
    Ok(actions)
}

/// What an action is assumed to be worth net of cost, before anything is measured.
fn assumed(market: &Market, customer: usize, action: Action, risk: f64) -> Result<f64> {
    let channel = market.channels().get(action.channel);
    let offer = action.offer.and_then(|offer| market.offers().get(offer));
    let channel_effect = channel.map_or(0.0, |channel| channel.assumed_effect.mean);
    let offer_effect = offer.map_or(0.0, |offer| offer.assumed_effect.mean);
    let relative = 1.0 - (1.0 - channel_effect) * (1.0 - offer_effect);
    // the price list is public: contact and offer cost are known, acceptance is assumed
    let prices = market.truth(customer, Some(action))?;
    let acceptance = offer.map_or(0.0, |offer| offer.assumed_acceptance.mean);
    let cost = prices.contact_cost + acceptance * prices.offer_cost;
    Ok(market.value(customer).unwrap_or(0.0) * risk * relative - cost)
}

/// The best allocation for one who knows true expected effects, acceptance and costs.
pub(super) fn oracle(
    limited: &Limited<'_>,
    contactable: &dyn Fn(&str) -> bool,
) -> Result<Vec<Option<Action>>> {
    let market = limited.market;
    let consent = consent(market)?;
    let all = Action::all(market.channels(), market.offers());
    let mut offsets = vec![0];
    let mut candidates = Vec::new();
    for customer in 0..market.n_customers() {
        let none = market.truth(customer, None)?;
        for (index, action) in all
            .iter()
            .enumerate()
            .filter(|(_, action)| agreed(&consent, action.channel, customer))
        {
            let id = ActionId::at(index);
            let with = market.truth(customer, Some(*action))?;
            let (effect, cost) = (none.p_outcome - with.p_outcome, with.expected_cost());
            let value = market.value(customer).unwrap_or(0.0) * effect - cost;
            candidates.push(Candidate {
                action: id,
                effect,
                effect_sd: 0.0,
                expected_value: value,
                planning_value: value,
                cost,
                acceptance: with.acceptance,
            });
        }
        offsets.push(candidates.len());
    }
    let limits = Limits::new(limited.budget, market.channels(), market.offers());
    let mask: Vec<bool> = market.keys().iter().map(|key| contactable(key)).collect();
    let menu = Menu {
        actions: &all,
        channels: market.channels(),
        offers: market.offers(),
        limits: &limits,
    };
    let input = InformedInput {
        offsets: &offsets,
        candidates: &candidates,
        menu,
        contactable: Some(&mask),
    };
    let params = AllocateParams {
        target_gap: 1e-4,
        ..AllocateParams::default()
    };
    let plan = allocate_with_limits(&input, &params)?;
    Ok(plan
        .actions
        .iter()
        .map(|id| id.and_then(|id| all.get(usize::from(id.0)).copied()))
        .collect())
}
