//! What each channel brought in each closed cycle, against those who would have got it and got nothing.

use std::collections::BTreeMap;

use thalweg_domain::{Estimate, Result, Timestamp};
use thalweg_learn::measure::{LiftParams, lift};

use super::measure::{lift_rows, planned_units};
use crate::effects::Menu;
use crate::experience;
use crate::session::Session;

/// One channel in one cycle: money before cost, of the customers who were compared.
pub(crate) struct CycleLift {
    pub(crate) cycle: u32,
    /// When the decisions were made; outcomes count from here over the horizon.
    pub(crate) from: Timestamp,
    pub(crate) channel: String,
    pub(crate) money: f64,
    /// Its standard error.
    pub(crate) sd: f64,
    /// What their contacts and accepted offers cost.
    pub(crate) spend: f64,
}

/// Every channel of every closed cycle that could be measured. The actions of a channel have controls of their own (a
/// customer is a control for the one action intended for it), so their errors are added as independent ones.
pub(crate) fn by_cycle(session: &Session, menu: &Menu) -> Result<Vec<CycleLift>> {
    let past = experience::join(session, experience::closed_plans(session)?)?;
    let rows = lift_rows(menu, &past);
    let params = LiftParams {
        kind: menu.kind,
        planned_units: planned_units(&rows),
    };
    let mut out = Vec::new();
    for cycle in &past {
        let own: Vec<_> = rows
            .iter()
            .filter(|row| row.cycle == cycle.cycle)
            .copied()
            .collect();
        let mut channels: BTreeMap<usize, (f64, f64, f64)> = BTreeMap::new();
        for found in lift(&own, params)?.0 {
            let Some(action) = menu.actions.get(usize::from(found.action.0)) else {
                continue;
            };
            let sum = channels.entry(action.channel).or_default();
            let money = found.incremental_value;
            sum.0 += money.mean;
            sum.1 += ((money.high - money.low) / (2.0 * Estimate::Z95)).powi(2);
            sum.2 += found.spend;
        }
        out.extend(
            channels
                .into_iter()
                .filter_map(|(channel, (money, variance, spend))| {
                    Some(CycleLift {
                        cycle: cycle.cycle,
                        from: cycle.plan.plan.created_at,
                        channel: menu.channels.get(channel)?.name.to_string(),
                        money,
                        sd: variance.sqrt(),
                        spend,
                    })
                }),
        );
    }
    Ok(out)
}
