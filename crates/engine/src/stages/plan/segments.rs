//! Segments: the groups of customers that differ in risk, value and response, with what the plan does for each.

use thalweg_collect::{Collected, RFM_COLUMNS};
use thalweg_domain::{Result, Table};
use thalweg_plan::decide::PlanResult;
use thalweg_plan::segment::{Leaf, SegmentParams, segments};

use super::Planning;
use super::group::{Best, Planned, interval, mean, reach, share, shared_sd, with_doubt};
use crate::count::to_f64;
use crate::session::Session;
use crate::wire::{SegmentOut, SegmentsOut, StabilityOut};

/// The groups, found on expected gain, risk and value.
pub(super) fn find(
    session: &Session,
    collected: &Collected,
    planning: &Planning,
    result: &PlanResult,
) -> Result<SegmentsOut> {
    let best = Best::of_all(planning);
    let n = planning.customers.len();
    let gain: Vec<f64> = (0..n).map(|customer| best.gain(customer)).collect();
    let risk: Vec<f64> = planning.customers.iter().map(|person| person.risk).collect();
    let value: Vec<f64> = planning.customers.iter().map(|person| person.value).collect();
    let table = described(session, collected, &planning.rows)?;
    let params = SegmentParams::new(session.seed().stream("segments"));
    let found = segments(&table, &[&gain, &risk, &value], &params)?;
    let mut groups: Vec<SegmentOut> = found
        .leaves
        .iter()
        .enumerate()
        .map(|(index, leaf)| {
            let own = (0..n).filter(|customer| found.leaf_of.get(*customer) == Some(&index));
            let all: Vec<usize> = own.collect();
            let honest = |customer: &usize| found.honest.get(*customer) == Some(&true);
            let members = Members {
                estimated: all.iter().copied().filter(honest).collect(),
                all,
            };
            group((planning, result), &best, leaf, &members)
        })
        .collect();
    groups.sort_by(|a, b| b.expected_gain.mean.total_cmp(&a.expected_gain.mean));
    let stability = found
        .stability
        .map_or_else(StabilityOut::default, |stability| StabilityOut {
            resamples: stability.resamples,
            same_first_split: stability.same_column,
            near_threshold: stability.near_threshold,
            adjusted_rand: stability.adjusted_rand,
        });
    Ok(SegmentsOut {
        explained: found.explained,
        first_split: found.first,
        stability,
        groups,
    })
}

/// The columns that groups may be told by: the features, and recency, frequency and monetary value where there are events.
fn described(session: &Session, collected: &Collected, rows: &[usize]) -> Result<Table> {
    let excluded = &session.workspace.config.features.exclude;
    let is_new =
        |name: &&&str| collected.features.column(name).is_none() && !excluded.iter().any(|own| own == **name);
    let more = RFM_COLUMNS.iter().filter(is_new);
    let columns = collected
        .features
        .columns()
        .iter()
        .chain(more.filter_map(|name| collected.raw.column(name)));
    Table::new(columns.map(|column| column.take(rows)).collect())
}

/// The customers of a group, and those of them whom its figures come from.
struct Members {
    all: Vec<usize>,
    estimated: Vec<usize>,
}

fn group(
    (planning, result): (&Planning, &PlanResult),
    best: &Best,
    leaf: &Leaf,
    members: &Members,
) -> SegmentOut {
    let sample = &members.estimated;
    let person = |customer: &usize| planning.customers.get(*customer);
    let risk = |customer: &usize| person(customer).map_or(0.0, |person| person.risk);
    let value = |customer: &usize| person(customer).map_or(0.0, |person| person.value);
    let n = to_f64(sample.len().max(1));
    let effect_doubt = shared_sd(
        planning,
        sample.iter().filter_map(|customer| {
            let action = best.of(*customer)?.action;
            Some((*customer, action, risk(customer) / n))
        }),
    );
    let gain_doubt = shared_sd(
        planning,
        sample.iter().filter_map(|customer| {
            let action = best.paying(*customer)?.action;
            Some((*customer, action, planning.stake(*customer, action) / n))
        }),
    );
    let effect = mean(
        sample
            .iter()
            .map(|customer| best.of(*customer).map_or(0.0, |best| best.effect)),
    );
    let gain = mean(sample.iter().map(|customer| best.gain(*customer)));
    let planned = Planned::of(planning, result, &members.all);
    SegmentOut {
        name: name(leaf),
        rules: leaf.rules.clone(),
        customers: members.all.len(),
        share: share(members.all.len(), planning.customers.len()),
        estimated_on: sample.len(),
        risk: interval(mean(sample.iter().map(risk))),
        value: interval(mean(sample.iter().map(value))),
        effect: interval(with_doubt(effect, effect_doubt)),
        expected_gain: interval(with_doubt(gain, gain_doubt)),
        reach: reach(planning, &members.all),
        channel: planned.channel(planning),
        treated: planned.treated,
        spend: planned.spend,
    }
}

fn name(leaf: &Leaf) -> String {
    if leaf.rules.is_empty() {
        "everyone".to_owned()
    } else {
        leaf.rules.join(" and ")
    }
}
