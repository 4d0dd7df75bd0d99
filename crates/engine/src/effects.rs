//! What is believed about effects and acceptance: the prior, or the posterior of all closed cycles.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use thalweg_domain::{Action, ActionId, Belief, Channel, Offer, OutcomeKind, Result, Table};
use thalweg_learn::effect::{
    Acceptance, AcceptanceCount, ActionLoad, EffectDesign, EffectPosterior, EffectRows, fit,
};
use thalweg_learn::prepare::Preparer;
use thalweg_ledger::{ActionRow, DecisionRow};
use thalweg_plan::borrow::{borrow, kind_default};

use crate::experience::{self, PastCycle};
use crate::hash::{Fingerprint, json_bytes};
use crate::session::Session;
use crate::stages::collect;

/// The channels, offers and actions in force.
pub(crate) struct Menu {
    pub(crate) kind: OutcomeKind,
    pub(crate) channels: Vec<Channel>,
    pub(crate) offers: Vec<Offer>,
    pub(crate) actions: Vec<Action>,
    /// Per channel, whether nothing is assumed of its effect.
    pub(crate) borrows: Vec<bool>,
}

impl Menu {
    pub(crate) fn of(session: &Session) -> Self {
        let config = &session.workspace.config;
        let (channels, offers) = (config.domain_channels(), config.domain_offers());
        let actions = Action::all(&channels, &offers);
        Self {
            kind: config.outcome.kind,
            borrows: config.channels.iter().map(|entry| entry.borrows).collect(),
            channels,
            offers,
            actions,
        }
    }

    /// The action in force of that channel and offer name, if it still exists.
    pub(crate) fn find(&self, action: &ActionRow) -> Option<ActionId> {
        let position = self.actions.iter().position(|own| {
            self.channels
                .get(own.channel)
                .is_some_and(|channel| channel.name.as_str() == action.channel)
                && own
                    .offer
                    .and_then(|offer| self.offers.get(offer))
                    .map(|offer| offer.name.as_str())
                    == action.offer.as_deref()
        })?;
        u16::try_from(position).ok().map(ActionId)
    }

    /// An empty load per action: what a plan's total effect is added up in.
    pub(crate) fn loads(&self, phi: &Phi) -> Vec<ActionLoad> {
        (0..self.actions.len())
            .map(|index| ActionLoad::new(ActionId::at(index), phi.n_features))
            .collect()
    }

    /// The actions as the ledger keeps them.
    pub(crate) fn rows(&self) -> Vec<ActionRow> {
        self.actions
            .iter()
            .map(|action| ActionRow {
                channel: self
                    .channels
                    .get(action.channel)
                    .map_or_else(String::new, |channel| channel.name.to_string()),
                offer: action
                    .offer
                    .and_then(|offer| self.offers.get(offer))
                    .map(|offer| offer.name.to_string()),
            })
            .collect()
    }

    /// For each action of an earlier plan the one in force; `None` when it no longer exists.
    pub(crate) fn translate(&self, earlier: &[ActionRow]) -> Vec<Option<ActionId>> {
        earlier.iter().map(|action| self.find(action)).collect()
    }
}

/// The action in force that an earlier decision's id stands for.
pub(crate) fn translated(id: ActionId, table: &[Option<ActionId>]) -> Option<ActionId> {
    table.get(usize::from(id.0)).copied().flatten()
}

/// Beliefs about effects, and how customers are described to them.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Effects {
    /// `prior`, or a fingerprint of what they were learned from.
    pub(crate) id: String,
    encoder: Option<Encoder>,
    pub(crate) posterior: EffectPosterior,
    pub(crate) acceptance: Acceptance,
    /// Beliefs that channels without any of their own began with.
    pub(crate) borrowed: Vec<Borrowed>,
}

/// A belief that was borrowed.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Borrowed {
    /// The channel's place in the menu.
    pub(crate) channel: usize,
    mean: f64,
    sd: f64,
    /// Measured channels of its kind, or the default of its kind.
    pub(crate) from: Vec<String>,
}

/// Describes a customer by standardised features and the standardised log-odds of the risk.
#[derive(Clone, Serialize, Deserialize)]
struct Encoder {
    preparer: Preparer,
    log_odds_mean: f64,
    log_odds_sd: f64,
}

/// Features of many customers: `n_features` per customer, one after the other.
pub(crate) struct Phi {
    pub(crate) n_features: usize,
    cells: Vec<f64>,
}

impl Phi {
    pub(crate) fn of(&self, customer: usize) -> &[f64] {
        self.cells
            .get(customer * self.n_features..(customer + 1) * self.n_features)
            .unwrap_or_default()
    }
}

impl Effects {
    /// The beliefs in force: fitted on all closed cycles, kept as an artifact, read back when nothing changed.
    pub(crate) fn current(session: &Session, menu: &Menu) -> Result<Self> {
        let plans = experience::closed_plans(session)?;
        if plans.is_empty() {
            return Self::prior(menu);
        }
        let measured = experience::measured(session)?;
        let ids: Vec<&str> = plans.iter().map(|plan| plan.plan.plan_id.as_str()).collect();
        let id = Fingerprint::new("effects")
            .with_debug("plans", &ids)
            .with_debug("feedback", &session.ledger.complete_until()?)
            .with_debug("horizon", &session.workspace.config.outcome.horizon)
            .with_debug("event", &session.workspace.config.outcome.event)
            .with_debug("channels", &menu.channels)
            .with_debug("borrows", &menu.borrows)
            .with_debug("measured", &measured)
            .with_debug("offers", &menu.offers)
            .finish();
        let path = session.workspace.artifact("effects", &format!("f-{id}"), "json");
        if let Ok(text) = std::fs::read_to_string(&path)
            && let Ok(effects) = serde_json::from_str::<Self>(&text)
        {
            return Ok(effects);
        }
        let past = experience::join(session, plans)?;
        let effects = Self::learn(session, (menu, &measured), &past, format!("f-{id}"))?;
        thalweg_collect::write_bytes_atomic(&path, &json_bytes(&effects)?)?;
        Ok(effects)
    }

    fn prior(menu: &Menu) -> Result<Self> {
        let borrowed = borrowed(menu, &[]);
        let posterior = fit(&design(menu, &borrowed, (0, 0)), &EffectRows::default())?;
        let acceptance = Acceptance::fit(&assumed_acceptance(menu), &[])?;
        Ok(Self {
            id: "prior".to_owned(),
            encoder: None,
            posterior,
            acceptance,
            borrowed,
        })
    }

    fn learn(
        session: &Session,
        (menu, measured): (&Menu, &BTreeSet<String>),
        past: &[PastCycle],
        id: String,
    ) -> Result<Self> {
        let mut tables = Vec::new();
        for cycle in past {
            let table = collect::load(session, &cycle.plan.plan.data_hash)?;
            let rows: Vec<usize> = cycle
                .decisions
                .iter()
                .filter_map(|row| usize::try_from(row.row).ok())
                .collect();
            tables.push(table.features.take(&rows));
        }
        let mut all = Table::default();
        for table in &tables {
            all = if all.columns().is_empty() {
                table.clone()
            } else {
                all.stack(table)?
            };
        }
        let risks: Vec<f64> = past
            .iter()
            .flat_map(|cycle| cycle.decisions.iter().map(|row| row.risk))
            .collect();
        let encoder = Encoder::fit(&all, &risks)?;
        let phi = encoder.encode(&all, &risks)?;
        let rows = effect_rows(menu, past, phi.cells);
        let size = (phi.n_features, past.len());
        let first = fit(&design(menu, &borrowed(menu, &[]), size), &rows)?;
        let known = of_measured(menu, &first, measured);
        let borrowed = borrowed(menu, &known);
        let posterior = if known.is_empty() || borrowed.is_empty() {
            first
        } else {
            fit(&design(menu, &borrowed, size), &rows)?
        };
        let acceptance = Acceptance::fit(&assumed_acceptance(menu), &acceptance_counts(menu, past))?;
        Ok(Self {
            id,
            encoder: Some(encoder),
            posterior,
            acceptance,
            borrowed,
        })
    }

    /// The features that effects depend on, for the given customers.
    pub(crate) fn phi(&self, features: &Table, risks: &[f64]) -> Result<Phi> {
        match &self.encoder {
            Some(encoder) => encoder.encode(features, risks),
            None => Ok(Phi {
                n_features: 0,
                cells: Vec::new(),
            }),
        }
    }
}

impl Encoder {
    fn fit(table: &Table, risks: &[f64]) -> Result<Self> {
        let rows: Vec<usize> = (0..table.n_rows()).collect();
        let preparer = Preparer::fit(table, &rows)?;
        let odds: Vec<f64> = risks.iter().map(|risk| log_odds(*risk)).collect();
        let n = odds.iter().map(|_| 1.0).sum::<f64>().max(1.0);
        let mean = odds.iter().sum::<f64>() / n;
        let variance = odds.iter().map(|odds| (odds - mean).powi(2)).sum::<f64>() / n;
        Ok(Self {
            preparer,
            log_odds_mean: mean,
            log_odds_sd: variance.sqrt().max(1e-6),
        })
    }

    fn encode(&self, table: &Table, risks: &[f64]) -> Result<Phi> {
        let (dense, width) = self.preparer.encode(table)?;
        let n_features = width + 1;
        let mut cells = Vec::with_capacity(risks.len() * n_features);
        for (row, risk) in dense.chunks_exact(width.max(1)).zip(risks) {
            cells.extend(row.iter().map(|cell| f64::from(*cell)));
            cells.push((log_odds(*risk) - self.log_odds_mean) / self.log_odds_sd);
        }
        Ok(Phi { n_features, cells })
    }
}

fn log_odds(risk: f64) -> f64 {
    let risk = risk.clamp(1e-4, 1.0 - 1e-4);
    (risk / (1.0 - risk)).ln()
}

/// The effect of every measured channel on the average customer, without an offer, by its place in the menu.
fn of_measured(
    menu: &Menu,
    posterior: &EffectPosterior,
    measured: &BTreeSet<String>,
) -> Vec<(usize, Belief)> {
    let average = vec![0.0; posterior.design().n_features];
    let one = |channel: usize| {
        let known = menu.channels.get(channel)?;
        if !measured.contains(known.name.as_str()) {
            return None;
        }
        let own = |(_, action): &(usize, &Action)| action.channel == channel;
        let actions = || menu.actions.iter().enumerate().filter(own);
        let plain = actions().find(|(_, action)| action.offer.is_none());
        let (index, action) = plain.or_else(|| actions().next())?;
        let whole = posterior.relative(ActionId::at(index), &average);
        // what the offer adds is taken off as it is assumed: 1 - (1 - whole) / (1 - offer)
        let offer = action.offer.and_then(|offer| menu.offers.get(offer));
        let rest = offer.map_or(1.0, |offer| (1.0 - offer.assumed_effect.mean).max(0.1));
        Some((
            channel,
            Belief {
                mean: 1.0 - (1.0 - whole.mean) / rest,
                sd: whole.sd / rest,
            },
        ))
    };
    (0..menu.channels.len()).filter_map(one).collect()
}

/// What channels without a belief of their own begin with.
fn borrowed(menu: &Menu, known: &[(usize, Belief)]) -> Vec<Borrowed> {
    let kind = |channel: usize| menu.channels.get(channel).map(|own| own.kind);
    let one = |channel: usize| {
        let own = menu.channels.get(channel)?;
        let (mut from, mut others) = (Vec::new(), Vec::new());
        for (other, belief) in known
            .iter()
            .filter(|(other, _)| *other != channel && kind(*other) == Some(own.kind))
        {
            others.push(*belief);
            from.extend(menu.channels.get(*other).map(|other| other.name.to_string()));
        }
        if others.is_empty() {
            from.push(format!("the default of {} channels", own.kind.as_str()));
        }
        let belief = borrow(kind_default(own.kind), &others);
        Some(Borrowed {
            channel,
            mean: belief.mean,
            sd: belief.sd,
            from,
        })
    };
    (0..menu.channels.len())
        .filter(|channel| menu.borrows.get(*channel) == Some(&true))
        .filter_map(one)
        .collect()
}

fn design(menu: &Menu, borrowed: &[Borrowed], (n_features, n_cycles): (usize, usize)) -> EffectDesign {
    let prior = |(index, channel): (usize, &Channel)| {
        let found = borrowed.iter().find(|borrowed| borrowed.channel == index);
        found.map_or(channel.assumed_effect, |found| Belief {
            mean: found.mean,
            sd: found.sd,
        })
    };
    EffectDesign {
        kind: menu.kind,
        actions: menu.actions.clone(),
        channel_prior: menu.channels.iter().enumerate().map(prior).collect(),
        offer_prior: menu.offers.iter().map(|offer| offer.assumed_effect).collect(),
        n_features,
        n_cycles,
        heterogeneity: EffectDesign::HETEROGENEITY,
        level_sd: EffectDesign::LEVEL_SD,
        risk_sd: EffectDesign::RISK_SD,
    }
}

fn assumed_acceptance(menu: &Menu) -> Vec<Belief> {
    menu.offers.iter().map(|offer| offer.assumed_acceptance).collect()
}

/// One row per decision; decisions for actions that no longer exist have weight 0.
fn effect_rows(menu: &Menu, past: &[PastCycle], phi: Vec<f64>) -> EffectRows {
    let mut rows = EffectRows {
        phi,
        ..EffectRows::default()
    };
    for (index, cycle) in past.iter().enumerate() {
        let table = menu.translate(&cycle.plan.plan.actions);
        for (decision, outcome) in cycle.decisions.iter().zip(&cycle.outcome) {
            let action = decision.action_id.map(|id| translated(id, &table));
            rows.risk.push(decision.risk);
            rows.outcome.push(f64::from(u8::from(*outcome)));
            rows.weight.push(if action == Some(None) { 0.0 } else { 1.0 });
            rows.action.push(action.flatten());
            rows.cycle.push(index);
        }
    }
    rows
}

fn acceptance_counts(menu: &Menu, past: &[PastCycle]) -> Vec<AcceptanceCount> {
    let mut counts: Vec<AcceptanceCount> = Vec::new();
    for cycle in past {
        let table = menu.translate(&cycle.plan.plan.actions);
        for (decision, accepted) in cycle.decisions.iter().zip(&cycle.accepted) {
            if let Some((channel, offer)) = offered(menu, decision, &table) {
                count(&mut counts, (channel, offer), *accepted);
            }
        }
    }
    counts
}

fn offered(menu: &Menu, decision: &DecisionRow, table: &[Option<ActionId>]) -> Option<(usize, usize)> {
    let id = translated(decision.action_id?, table)?;
    let action = menu.actions.get(usize::from(id.0))?;
    Some((action.channel, action.offer?))
}

fn count(counts: &mut Vec<AcceptanceCount>, (channel, offer): (usize, usize), accepted: bool) {
    let found = counts
        .iter_mut()
        .find(|count| count.channel == channel && count.offer == offer);
    match found {
        Some(count) => {
            count.offered += 1;
            count.accepted += u64::from(accepted);
        }
        None => counts.push(AcceptanceCount {
            channel,
            offer,
            offered: 1,
            accepted: u64::from(accepted),
        }),
    }
}
