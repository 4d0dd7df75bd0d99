//! `[plan] days` and `[[plan.pacing]]`: a day of the cycle for every contact, evenly, within so many a day.

use std::collections::BTreeMap;

use thalweg_collect::Collected;
use thalweg_domain::{ActionId, Error, Result};
use thalweg_plan::allocate::{Constraint, Pace, check_paces, days};
use thalweg_plan::decide::PlanResult;

use super::{Planning, rules};
use crate::config::Plan;
use crate::config::rules::Menu as ActionMenu;
use crate::effects::Menu;
use crate::wire::PacingOut;
use crate::workspace::CONFIG_FILE;

/// What must hold over the whole cycle so that every day's limit can, one limit per pacing.
///
/// # Errors
/// As [`rules::constraints`].
pub(super) fn constraints(
    plan: &Plan,
    menu: &Menu,
    (collected, rows): (&Collected, &[usize]),
) -> Result<Vec<Constraint>> {
    let actions = ActionMenu::new(&menu.channels, &menu.offers);
    let n_days = plan.days.unwrap_or(1);
    let paces = plan.paces.iter().map(|rule| {
        let pace = Pace {
            name: rule.name.clone(),
            actions: actions.meeting(&rule.conditions),
            per_day: rule.per_day,
        };
        Ok(Constraint {
            customers: rules::customers(&rule.conditions, rule.line, (collected, rows))?,
            ..pace.constraint(n_days)
        })
    });
    paces.collect()
}

/// The paces over kinds of contacts: those that count towards the same paces.
pub(super) struct Pacing<'a> {
    planning: &'a Planning,
    n_days: u16,
    /// The whole cycle's limit of every pace.
    limits: &'a [Constraint],
    paces: Vec<Pace>,
    kinds: BTreeMap<Vec<bool>, u16>,
}

impl<'a> Pacing<'a> {
    /// The paces of a plan; `None` when contacts are not spread over days. Without `[[plan.pacing]]` every channel is spread evenly.
    ///
    /// # Errors
    /// `TW0502` when two paces overlap.
    pub(super) fn new(planning: &'a Planning, plan: &Plan) -> Result<Option<Self>> {
        let Some(n_days) = plan.days else {
            return Ok(None);
        };
        let mut pacing = Self {
            limits: planning
                .limits
                .further
                .get(plan.constraints.len()..)
                .unwrap_or_default(),
            planning,
            n_days,
            paces: Vec::new(),
            kinds: BTreeMap::new(),
        };
        pacing.find_kinds();
        let meeting = |place: usize| {
            let kinds = pacing.kinds.iter();
            kinds
                .filter(|(counts, _)| counts.get(place) == Some(&true))
                .map(|(_, code)| *code)
                .collect::<Vec<u16>>()
        };
        let of_rules = plan.paces.iter().map(|rule| (rule.name.clone(), rule.per_day));
        let of_channels = planning.menu.channels.iter();
        let named: Vec<(String, u64)> = if plan.paces.is_empty() {
            of_channels
                .map(|channel| (channel.name.to_string(), u64::MAX))
                .collect()
        } else {
            of_rules.collect()
        };
        let paces = named.into_iter().enumerate();
        pacing.paces = paces
            .map(|(place, (name, per_day))| Pace {
                name,
                actions: Some(meeting(place)),
                per_day,
            })
            .collect();
        let n_kinds = u16::try_from(pacing.kinds.len()).unwrap_or(u16::MAX);
        check_paces(&pacing.paces, n_kinds, n_days).map_err(|error| placed(error, plan))?;
        Ok(Some(pacing))
    }

    fn find_kinds(&mut self) {
        for customer in 0..self.planning.customers.len() {
            for candidate in self.planning.of(customer) {
                let counts = self.counts(customer, candidate.action);
                let next = u16::try_from(self.kinds.len()).unwrap_or(u16::MAX);
                self.kinds.entry(counts).or_insert(next);
            }
        }
    }

    /// Towards which paces an action for a customer counts.
    fn counts(&self, customer: usize, action: ActionId) -> Vec<bool> {
        if self.limits.is_empty() {
            let own = self.planning.menu.actions.get(usize::from(action.0));
            let channels = 0..self.planning.menu.channels.len();
            return channels
                .map(|channel| own.is_some_and(|own| own.channel == channel))
                .collect();
        }
        let covers = |row: &Constraint| {
            let of_action = row.actions.as_ref().is_none_or(|set| set.contains(&action.0));
            let mask = row.customers.as_ref();
            of_action && mask.is_none_or(|mask| mask.get(customer) == Some(&true))
        };
        self.limits.iter().map(covers).collect()
    }

    /// Gives every contact its day, and says how many each day has.
    pub(super) fn assign(&self, result: &mut PlanResult) -> Spread {
        let decisions = result.decisions.iter().enumerate();
        let contacts: Vec<(usize, Vec<bool>)> = decisions
            .filter_map(|(customer, decision)| Some((customer, self.counts(customer, decision.action?))))
            .collect();
        let kind = |counts: &Vec<bool>| self.kinds.get(counts).copied().unwrap_or(0);
        let kinds: Vec<u16> = contacts.iter().map(|(_, counts)| kind(counts)).collect();
        let mut spread = self.nobody();
        for ((customer, counts), day) in contacts.into_iter().zip(days(&kinds, &self.paces, self.n_days)) {
            if let Some(decision) = result.decisions.get_mut(customer) {
                decision.day = Some(day);
            }
            spread.add(day, &counts);
        }
        spread
    }

    fn nobody(&self) -> Spread {
        let days = vec![0; usize::from(self.n_days)];
        let pacing = self.paces.iter().map(|pace| PacingOut {
            name: pace.name.clone(),
            per_day: Some(pace.per_day).filter(|per_day| *per_day < u64::MAX),
            days: days.clone(),
        });
        Spread {
            pacing: pacing.collect(),
            days,
        }
    }
}

/// Contacts by day, in all and by pace.
#[derive(Default)]
pub(super) struct Spread {
    pub(super) days: Vec<usize>,
    pub(super) pacing: Vec<PacingOut>,
}

impl Spread {
    fn add(&mut self, day: u16, counts: &[bool]) {
        let paces = self.pacing.iter_mut().zip(counts);
        let paces = paces
            .filter(|(_, counts)| **counts)
            .map(|(pace, _)| &mut pace.days);
        for days in paces.chain(std::iter::once(&mut self.days)) {
            if let Some(count) = days.get_mut(usize::from(day).saturating_sub(1)) {
                *count += 1;
            }
        }
    }
}

/// At the first of the two that the message names.
fn placed(error: Error, plan: &Plan) -> Error {
    let named = |name: &str| error.message.contains(&format!("\"{name}\""));
    let line = plan
        .paces
        .iter()
        .rev()
        .find(|rule| named(&rule.name))
        .map(|rule| rule.line.0);
    error.at(CONFIG_FILE, line, None)
}
