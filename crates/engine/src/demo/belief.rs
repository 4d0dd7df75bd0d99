//! What the engine believes, after measuring, that a cycle was worth.

use thalweg_domain::{Estimate, Result};

use crate::effects::{Effects, Menu, translated};
use crate::experience;
use crate::session::Session;
use crate::stages::collect;

/// Money that the cycle's actions brought by the posterior effects, less what they really cost; 95 % interval.
pub(super) fn of_cycle(session: &Session, cycle: u32) -> Result<Estimate> {
    let menu = Menu::of(session);
    let effects = Effects::current(session, &menu)?;
    let plans = experience::closed_plans(session)?
        .into_iter()
        .filter(|plan| plan.plan.cycle == cycle)
        .collect();
    let Some(past) = experience::join(session, plans)?.pop() else {
        return Ok(Estimate::default());
    };
    let table = collect::load(session, &past.plan.plan.data_hash)?;
    let rows: Vec<usize> = past
        .decisions
        .iter()
        .filter_map(|row| usize::try_from(row.row).ok())
        .collect();
    let risks: Vec<f64> = past.decisions.iter().map(|row| row.risk).collect();
    let phi = effects.phi(&table.features.take(&rows), &risks)?;
    let mut loads = menu.loads(&phi);
    let names = menu.translate(&past.plan.plan.actions);
    let mut cost = 0.0;
    for (index, decision) in past.decisions.iter().enumerate() {
        cost += past.realised_cost(index);
        let action = decision.action_id.and_then(|id| translated(id, &names));
        if let Some(load) = action.and_then(|id| loads.get_mut(usize::from(id.0))) {
            load.add(decision.value * decision.risk, phi.of(index));
        }
    }
    let money = effects.posterior.total(&loads);
    Ok(Estimate::normal(money.mean - cost, money.sd, Estimate::Z95))
}
