//! The market: its table, its truth, and one cycle at a time.

use thalweg_domain::{Action, Channel, Error, Offer, Result, Seed, Table, Timestamp};

use crate::catalogue;
use crate::customer::Customer;
use crate::events::{Fate, MarketEvent};
use crate::evolve::evolve;
use crate::generate::{Arrival, generate};
use crate::luck::Luck;
use crate::params::MarketParams;
use crate::ranges;
use crate::table;
use crate::truth::{Person, Truth};
use crate::world::World;

/// Days within which leaving counts as the outcome of a cycle.
pub const HORIZON_DAYS: u32 = 30;

/// Key prefix of current customers.
const CURRENT: char = 'C';
/// Key prefix of past customers.
const PAST: char = 'H';

/// A past customer and whether they left.
#[derive(Debug, Clone)]
struct Past {
    customer: Customer,
    churned: bool,
}

/// A simulated subscription business.
///
/// A clone is the same business with the same luck ahead: give each policy its own.
#[derive(Debug, Clone)]
pub struct Market {
    seed: Seed,
    hostile: bool,
    world: World,
    channels: Vec<Channel>,
    offers: Vec<Offer>,
    past: Vec<Past>,
    people: Vec<Person>,
    keys: Vec<String>,
    cycle: u64,
    next_serial: u64,
    newcomers_per_cycle: u64,
}

impl Market {
    /// A market: the world, the past and the present are drawn from the seed.
    ///
    /// # Errors
    /// `TW0590` when a count is out of range.
    pub fn new(params: &MarketParams, seed: Seed) -> Result<Self> {
        params.check()?;
        let hostile = params.is_hostile(seed);
        let world = World::draw(seed, hostile);
        let n_customers = params.n_customers as u64;
        let people = populate(&world, seed.stream("people"), 0..n_customers, Arrival::Earlier);
        let mut market = Self {
            seed,
            hostile,
            channels: catalogue::channels(params.n_customers)?,
            offers: catalogue::offers(params.n_customers)?,
            past: past(&world, seed, params.n_history as u64),
            newcomers_per_cycle: newcomers(&people),
            keys: Vec::new(),
            people,
            world,
            cycle: 0,
            next_serial: n_customers,
        };
        market.refresh_keys();
        Ok(market)
    }

    /// The channels, in the order that [`Action::channel`] indexes.
    #[must_use]
    pub fn channels(&self) -> &[Channel] {
        &self.channels
    }

    /// The offers, in the order that [`Action::offer`] indexes.
    #[must_use]
    pub fn offers(&self) -> &[Offer] {
        &self.offers
    }

    /// The boolean column that must be true before the channel may be used, if it needs consent.
    #[must_use]
    pub fn consent_column(&self, channel: usize) -> Option<&'static str> {
        catalogue::CONSENT_COLUMN.get(channel).copied().flatten()
    }

    /// Cost of an accepted offer as a SQL expression over the customers' columns.
    #[must_use]
    pub fn offer_cost_sql(&self, offer: usize) -> Option<&'static str> {
        catalogue::OFFER_COST_SQL.get(offer).copied()
    }

    /// Money at stake when a customer leaves, as a SQL expression over the customers' columns.
    #[must_use]
    pub const fn value_sql(&self) -> &'static str {
        catalogue::VALUE_SQL
    }

    /// Name of the key column.
    #[must_use]
    pub const fn key_column(&self) -> &'static str {
        table::KEY_COLUMN
    }

    /// Name of the outcome column in [`Self::history`]; `Yes` is leaving.
    #[must_use]
    pub const fn outcome_column(&self) -> &'static str {
        table::OUTCOME_COLUMN
    }

    /// Whether the seed (or the parameters) made it a hostile market.
    #[must_use]
    pub const fn is_hostile(&self) -> bool {
        self.hostile
    }

    /// Number of customers now.
    #[must_use]
    pub const fn n_customers(&self) -> usize {
        self.people.len()
    }

    /// Cycles that have passed.
    #[must_use]
    pub const fn cycle(&self) -> u64 {
        self.cycle
    }

    /// Keys of the customers now, in the order of [`Self::customers`].
    #[must_use]
    pub fn keys(&self) -> &[String] {
        &self.keys
    }

    /// Past customers, never contacted, with the outcome column.
    ///
    /// # Errors
    /// `TW0901`, a fault of the program.
    pub fn history(&self) -> Result<Table> {
        let customers: Vec<Customer> = self.past.iter().map(|past| past.customer).collect();
        table::labelled(
            self.past_keys(),
            &customers,
            self.past.iter().map(|past| Some(past.churned)),
        )
    }

    /// The customers now, without the outcome column.
    ///
    /// # Errors
    /// `TW0901`, a fault of the program.
    pub fn customers(&self) -> Result<Table> {
        let customers: Vec<Customer> = self.people.iter().map(|person| person.customer).collect();
        Table::new(table::columns(self.keys.clone(), &customers))
    }

    /// One table as the business would export it: past customers with their outcome, then the customers
    /// now with an empty one.
    ///
    /// # Errors
    /// `TW0901`, a fault of the program.
    pub fn snapshot(&self) -> Result<Table> {
        let past = self.past.iter().map(|past| past.customer);
        let customers: Vec<Customer> = past
            .chain(self.people.iter().map(|person| person.customer))
            .collect();
        let mut keys = self.past_keys();
        keys.extend_from_slice(&self.keys);
        let known = self.past.iter().map(|past| Some(past.churned));
        table::labelled(keys, &customers, known.chain(self.people.iter().map(|_| None)))
    }

    /// Money at stake when the customer leaves: [`Self::value_sql`]. `None` beyond the last customer.
    #[must_use]
    pub fn value(&self, customer: usize) -> Option<f64> {
        self.people
            .get(customer)
            .map(|person| catalogue::value(&person.customer))
    }

    /// What is true in expectation, given everything observable, if the customer gets the action.
    ///
    /// Consent and capacity are the policy's affair: the answer holds with or without them.
    ///
    /// # Errors
    /// `TW0901` when there is no such customer or action (a fault of the caller).
    pub fn truth(&self, customer: usize, action: Option<Action>) -> Result<Truth> {
        let unit_cost = self.unit_cost(action)?;
        let person = self.people.get(customer).ok_or_else(|| {
            Error::new(
                "TW0901",
                format!("internal error: no customer {customer} in the market"),
            )
        })?;
        Ok(person.truth(&self.world, action, unit_cost))
    }

    /// True incremental profit of a set of actions against doing nothing:
    /// sum over customers of value x (p_none - p_action) - expected cost.
    ///
    /// # Errors
    /// `TW0901` unless there is one valid action (or none) per customer.
    pub fn profit(&self, actions: &[Option<Action>]) -> Result<f64> {
        self.check_length(actions)?;
        let mut profit = 0.0;
        for (person, action) in self.people.iter().zip(actions) {
            let truth = person.truth(&self.world, *action, self.unit_cost(*action)?);
            profit += catalogue::value(&person.customer) * (person.p_alone - truth.p_outcome);
            profit -= truth.expected_cost();
        }
        Ok(profit)
    }

    /// Lives through one cycle that starts at `at`: what every customer does, sorted by time, then by
    /// the order of the customers. Leavers go, newcomers arrive (the same ones under every policy), and
    /// the records of those who stay change.
    ///
    /// # Errors
    /// `TW0901` unless there is one valid action (or none) per customer; nothing has changed then.
    pub fn step(&mut self, actions: &[Option<Action>], at: Timestamp) -> Result<Vec<MarketEvent>> {
        self.check_length(actions)?;
        for action in actions {
            self.unit_cost(*action)?;
        }
        let mut events = Vec::new();
        let mut stayers = Vec::with_capacity(self.people.len());
        for ((person, key), action) in self.people.iter().zip(&self.keys).zip(actions) {
            let mut luck = Luck::draw(self.seed, person.customer.serial, self.cycle);
            let fate = Fate::decide(&self.world, person, *action, &luck);
            events.extend(fate.events(key, *action, at));
            if fate.left.is_none() {
                let next = evolve(&person.customer, *action, &fate, &mut luck.change);
                stayers.push(Person::new(&self.world, next));
            }
        }
        events.sort_by_key(|event| event.at);
        self.people = stayers;
        self.welcome_newcomers();
        self.cycle += 1;
        Ok(events)
    }

    fn welcome_newcomers(&mut self) {
        let serials = self.next_serial..self.next_serial + self.newcomers_per_cycle;
        self.next_serial = serials.end;
        self.people.extend(populate(
            &self.world,
            self.seed.stream("people"),
            serials,
            Arrival::New,
        ));
        self.refresh_keys();
    }

    fn refresh_keys(&mut self) {
        self.keys = self
            .people
            .iter()
            .map(|person| person.customer.key(CURRENT))
            .collect();
    }

    fn past_keys(&self) -> Vec<String> {
        self.past.iter().map(|past| past.customer.key(PAST)).collect()
    }

    /// The contact cost of a valid action; 0 for none.
    fn unit_cost(&self, action: Option<Action>) -> Result<f64> {
        let Some(action) = action else { return Ok(0.0) };
        self.channels
            .get(action.channel)
            .filter(|channel| self.is_sold(action, channel))
            .map(|channel| channel.unit_cost.get())
            .ok_or_else(|| {
                let label = action.label(&self.channels, &self.offers);
                Error::new(
                    "TW0901",
                    format!("internal error: the market has no action \"{label}\""),
                )
            })
    }

    fn is_sold(&self, action: Action, channel: &Channel) -> bool {
        match action.offer {
            None => channel.plain,
            Some(offer) => self
                .offers
                .get(offer)
                .is_some_and(|offer| offer.channels.contains(&action.channel)),
        }
    }

    fn check_length(&self, actions: &[Option<Action>]) -> Result<()> {
        let (given, wanted) = (actions.len(), self.people.len());
        if given == wanted {
            return Ok(());
        }
        Err(Error::new(
            "TW0901",
            format!("internal error: {given} actions for a market of {wanted} customers"),
        ))
    }
}

fn populate(world: &World, population: Seed, serials: std::ops::Range<u64>, arrival: Arrival) -> Vec<Person> {
    serials
        .map(|serial| Person::new(world, generate(population, serial, arrival)))
        .collect()
}

fn past(world: &World, seed: Seed, count: u64) -> Vec<Past> {
    populate(world, seed.stream("past people"), 0..count, Arrival::Earlier)
        .into_iter()
        .map(|person| {
            let luck = Luck::draw(seed.stream("past"), person.customer.serial, 0);
            Past {
                churned: person.leaves(world, None, &luck),
                customer: person.customer,
            }
        })
        .collect()
}

/// Newcomers that replace those who leave in a cycle when nobody is contacted.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of at most 5e6 people"
)]
fn newcomers(people: &[Person]) -> u64 {
    let in_time: f64 = people.iter().map(|person| person.p_alone).sum();
    let late = ranges::LATE_LEAVERS * (people.len() as f64 - in_time);
    (ranges::NEWCOMERS_PER_LEAVER * (in_time + late)).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Labels of the past: as many as their probabilities say, overall and in each fifth of risk.
    #[test]
    fn history_follows_the_baseline() {
        let market = Market::new(
            &MarketParams {
                n_history: 50_000,
                ..MarketParams::default()
            },
            Seed(3),
        )
        .unwrap();
        let mut past: Vec<(f64, bool)> = market
            .past
            .iter()
            .map(|past| (Person::new(&market.world, past.customer).p_alone, past.churned))
            .collect();
        past.sort_by(|a, b| a.0.total_cmp(&b.0));
        for fifth in past.chunks(past.len() / 5) {
            let expected: f64 = fifth.iter().map(|(p, _)| p).sum();
            let variance: f64 = fifth.iter().map(|(p, _)| p * (1.0 - p)).sum();
            let observed = fifth.iter().filter(|(_, churned)| *churned).count() as f64;
            let z = (observed - expected) / variance.sqrt();
            assert!(
                z.abs() < 4.0,
                "{observed} left where {expected:.1} were expected (z = {z:.2})"
            );
        }
    }
}
