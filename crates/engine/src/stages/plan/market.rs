//! The market sheet: per industry, region or the like the size, the need, the reach, what is planned and what is left to gain.

use std::collections::BTreeMap;

use thalweg_collect::Collected;
use thalweg_domain::{Belief, Column, Error, Result};
use thalweg_plan::decide::PlanResult;

use super::Planning;
use super::group::{Best, Planned, chosen, interval, is_held_out, mean, reach, share, shared_sd};
use crate::session::Session;
use crate::wire::{MarketOut, MarketRowOut};

/// Values with fewer customers are pooled.
const SMALL: usize = 30;
/// So many rows at most; the values with fewer customers are pooled.
const MOST_ROWS: usize = 30;
/// A column with more values than this is no market.
const MOST_VALUES: usize = 1000;

/// The column of the sheet.
///
/// # Errors
/// `TW0105` when the table has no such column, or one in which nearly every customer has a value of their own.
pub(crate) fn column<'a>(session: &Session, collected: &'a Collected) -> Result<Option<&'a Column>> {
    let Some(name) = &session.workspace.config.plan.market else {
        return Ok(None);
    };
    let found = collected
        .raw
        .column(name)
        .or_else(|| collected.features.column(name));
    let Some(column) = found else {
        let names = collected.raw.columns().iter().map(|column| column.name.as_str());
        let error = Error::new(
            "TW0105",
            format!("[plan] market names the column \"{name}\", which the customers do not have"),
        );
        let hint = match crate::config::nearest_name(name, names.clone()) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("columns are {}", names.collect::<Vec<_>>().join(", ")),
        };
        return Err(error.hint(hint));
    };
    let mut values: Vec<String> = (0..column.len()).map(|row| column.cell_text(row)).collect();
    values.sort();
    values.dedup();
    if values.len() > MOST_VALUES || values.len() * 2 > column.len().max(2) {
        return Err(Error::new(
            "TW0105",
            format!(
                "[plan] market names the column \"{name}\", which has {} different values for {} customers",
                values.len(),
                column.len()
            ),
        )
        .hint("name a column with few values, such as an industry, a region or a country"));
    }
    Ok(Some(column))
}

/// The sheet, if the workspace names a column.
pub(super) fn sheet(
    session: &Session,
    collected: &Collected,
    planning: &Planning,
    result: &PlanResult,
) -> Result<Option<MarketOut>> {
    let Some(column) = column(session, collected)? else {
        return Ok(None);
    };
    let best = Best::of_all(planning);
    let mut rows: Vec<MarketRowOut> = groups(column, &planning.rows)
        .into_iter()
        .map(|group| row((planning, result), &best, group))
        .collect();
    rows.sort_by(|a, b| {
        let pooled = (a.pooled > 1).cmp(&(b.pooled > 1));
        pooled.then(b.at_stake.mean.total_cmp(&a.at_stake.mean))
    });
    Ok(Some(MarketOut {
        column: column.name.clone(),
        rows,
    }))
}

/// The customers of one row.
struct Group {
    name: String,
    pooled: usize,
    customers: Vec<usize>,
}

/// Customers by value in the order of the values, the small ones pooled; two small ones or more make a pool.
fn groups(column: &Column, rows: &[usize]) -> Vec<Group> {
    let mut by_value: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (customer, row) in rows.iter().enumerate() {
        by_value.entry(column.cell_text(*row)).or_default().push(customer);
    }
    let mut sizes: Vec<usize> = by_value.values().map(Vec::len).collect();
    sizes.sort_unstable_by(|a, b| b.cmp(a));
    // the smallest size that still gets a row
    let least = sizes.get(MOST_ROWS).map_or(SMALL, |next| SMALL.max(next + 1));
    let is_small = |customers: &Vec<usize>| customers.len() < least;
    let n_small = by_value.values().filter(|customers| is_small(customers)).count();
    let (small, large): (Vec<_>, Vec<_>) = by_value
        .into_iter()
        .partition(|(_, customers)| n_small > 1 && is_small(customers));
    let mut groups: Vec<Group> = large
        .into_iter()
        .map(|(name, customers)| Group {
            name: if name.is_empty() {
                "(missing)".to_owned()
            } else {
                name
            },
            pooled: 1,
            customers,
        })
        .collect();
    if !small.is_empty() {
        let pooled = small.len();
        let mut customers: Vec<usize> = small.into_iter().flat_map(|(_, customers)| customers).collect();
        customers.sort_unstable();
        groups.push(Group {
            name: format!("other ({pooled} small groups)"),
            pooled,
            customers,
        });
    }
    groups
}

fn row((planning, result): (&Planning, &PlanResult), best: &Best, group: Group) -> MarketRowOut {
    let customers = &group.customers;
    let risk = |customer: &usize| {
        planning
            .customers
            .get(*customer)
            .map_or(0.0, |person| person.risk)
    };
    let planned = Planned::of(planning, result, customers);
    let plan_doubt = shared_sd(
        planning,
        customers.iter().filter_map(|customer| {
            let action = chosen(planning, result, *customer)?.action;
            Some((*customer, action, planning.stake(*customer, action)))
        }),
    );
    MarketRowOut {
        name: group.name,
        pooled: group.pooled,
        customers: customers.len(),
        share: share(customers.len(), planning.customers.len()),
        risk: interval(mean(customers.iter().map(risk))),
        at_stake: interval(at_stake(planning, customers)),
        reach: reach(planning, customers),
        contacts: planned.treated,
        spend: planned.spend,
        expected_gain: interval(Belief {
            mean: planned.gain,
            sd: plan_doubt,
        }),
        headroom: interval(headroom((planning, result), best, customers)),
    }
}

/// Sum of risk times value, in doubt by who of these customers it will be: the variance is `sum value^2 risk (1 - risk)`.
fn at_stake(planning: &Planning, customers: &[usize]) -> Belief {
    let people = customers
        .iter()
        .filter_map(|customer| planning.customers.get(*customer));
    let (mut mean, mut variance) = (0.0, 0.0);
    for person in people {
        mean += person.risk * person.value;
        variance += person.value * person.value * person.risk * (1.0 - person.risk);
    }
    Belief {
        mean,
        sd: variance.sqrt(),
    }
}

/// What the best paying action would add to what the plan does, over the customers who may be contacted.
fn headroom((planning, result): (&Planning, &PlanResult), best: &Best, customers: &[usize]) -> Belief {
    let mut mean = 0.0;
    let mut parts = Vec::new();
    for customer in customers
        .iter()
        .filter(|customer| !is_held_out(result, **customer))
    {
        let Some(wanted) = best.paying(*customer) else {
            continue;
        };
        let own = chosen(planning, result, *customer);
        if own.is_some_and(|own| own.action == wanted.action) {
            continue;
        }
        let stake = |action| planning.stake(*customer, action);
        mean += wanted.expected_value - own.map_or(0.0, |own| own.expected_value);
        parts.push((*customer, wanted.action, stake(wanted.action)));
        parts.extend(own.map(|own| (*customer, own.action, -stake(own.action))));
    }
    Belief {
        mean,
        sd: shared_sd(planning, parts.into_iter()),
    }
}

#[cfg(test)]
mod tests {
    use thalweg_domain::{Column, ColumnData};

    use super::groups;

    /// So many customers per value.
    fn column(sizes: &[(&str, usize)]) -> Column {
        let cells = sizes.iter().flat_map(|(name, n)| {
            let cell = (!name.is_empty()).then(|| (*name).to_owned());
            std::iter::repeat_n(cell, *n)
        });
        Column {
            name: "region".to_owned(),
            data: ColumnData::Text(cells.collect()),
        }
    }

    fn rows(sizes: &[(&str, usize)]) -> Vec<(String, usize, usize)> {
        let column = column(sizes);
        let all: Vec<usize> = (0..column.len()).collect();
        groups(&column, &all)
            .into_iter()
            .map(|group| (group.name, group.pooled, group.customers.len()))
            .collect()
    }

    #[test]
    fn small_values_are_pooled_and_counted() {
        assert_eq!(
            rows(&[("north", 40), ("east", 5), ("", 31), ("west", 7)]),
            [
                ("(missing)".to_owned(), 1, 31),
                ("north".to_owned(), 1, 40),
                ("other (2 small groups)".to_owned(), 2, 12),
            ]
        );
    }

    #[test]
    fn a_single_small_value_keeps_its_name() {
        assert_eq!(
            rows(&[("north", 40), ("east", 5)]),
            [("east".to_owned(), 1, 5), ("north".to_owned(), 1, 40)]
        );
    }

    #[test]
    fn many_values_leave_room_for_the_largest() {
        let names: Vec<String> = (0..50).map(|index| format!("r{index:02}")).collect();
        let sizes: Vec<(&str, usize)> = names
            .iter()
            .enumerate()
            .map(|(index, name)| (name.as_str(), 40 + index))
            .collect();
        let found = rows(&sizes);
        assert_eq!(found.len(), 31);
        assert_eq!(
            found.iter().map(|(_, _, n)| n).sum::<usize>(),
            sizes.iter().map(|(_, n)| n).sum::<usize>()
        );
        assert_eq!(found[30].1, 20);
    }
}
