//! `[[plan.constraint]]` over the customers of a cycle: which of them and which actions each limit covers.

use thalweg_collect::Collected;
use thalweg_domain::{Column, ColumnData, Error, Result};
use thalweg_plan::allocate::{Constraint, Resource, Sense};

use crate::config::rules::{ACTION_COLUMNS, Menu as ActionMenu, same};
use crate::config::{Conditions, Line, Rule, nearest_name};
use crate::effects::Menu;
use crate::workspace::CONFIG_FILE;

/// The expected cost, as the plan adds it up.
const COST: Resource = Resource::Column(0);
/// A message lists so many values of a column at most.
const LISTED: usize = 12;

/// The limits for the customers in `rows` of the table.
///
/// # Errors
/// `TW0105`, with the line, for a column that customers do not have and for a value that none has in it.
pub(super) fn constraints(
    rules: &[Rule],
    menu: &Menu,
    (collected, rows): (&Collected, &[usize]),
) -> Result<Vec<Constraint>> {
    let actions = ActionMenu::new(&menu.channels, &menu.offers);
    let constraint = |rule: &Rule| {
        let resource = if rule.resource.is_some() {
            COST
        } else {
            Resource::Rows
        };
        let plain = match rule.sense {
            Sense::AtMost => Constraint::at_most(&rule.name, resource, rule.limit),
            Sense::AtLeast => Constraint::at_least(&rule.name, resource, rule.limit),
        };
        Ok(Constraint {
            actions: actions.meeting(&rule.conditions),
            customers: customers(&rule.conditions, rule.line, (collected, rows))?,
            ..plain
        })
    };
    rules.iter().map(constraint).collect()
}

/// Whether each customer meets the conditions on customers; `None` when there are none.
pub(super) fn customers(
    conditions: &Conditions,
    line: Line,
    (collected, rows): (&Collected, &[usize]),
) -> Result<Option<Vec<bool>>> {
    let mut mask: Option<Vec<bool>> = None;
    for (name, values) in conditions {
        if ACTION_COLUMNS.contains(&name.as_str()) {
            continue;
        }
        let column = column(collected, name).map_err(|error| at(error, line))?;
        let meets = meeting(column, values).map_err(|error| at(error, line))?;
        let own = |row: &usize| meets.get(*row).copied().unwrap_or(false);
        let before = mask.unwrap_or_else(|| vec![true; rows.len()]);
        mask = Some(
            before
                .into_iter()
                .zip(rows)
                .map(|(before, row)| before && own(row))
                .collect(),
        );
    }
    Ok(mask)
}

fn at(error: Error, Line(line): Line) -> Error {
    error.at(CONFIG_FILE, Some(line), Some("where"))
}

fn column<'a>(collected: &'a Collected, name: &str) -> Result<&'a Column> {
    let tables = [&collected.raw, &collected.features];
    tables.iter().find_map(|table| table.column(name)).ok_or_else(|| {
        let columns = tables.iter().flat_map(|table| table.columns());
        let mut known: Vec<&str> = columns.map(|column| column.name.as_str()).collect();
        known.sort_unstable();
        known.dedup();
        known.extend(ACTION_COLUMNS);
        let message = format!("where names the column \"{name}\", which the customers do not have");
        Error::new("TW0105", message).hint(match nearest_name(name, known.iter().copied()) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("columns are {}", known.join(", ")),
        })
    })
}

/// Whether each row of a column has one of the values; every value must be some row's.
fn meeting(column: &Column, values: &[String]) -> Result<Vec<bool>> {
    let mut met = vec![false; values.len()];
    let mut meets = |cell: &str| {
        let mut any = false;
        for (value, met) in values.iter().zip(&mut met) {
            let counts = same(cell, value);
            *met |= counts;
            any |= counts;
        }
        any
    };
    let rows = 0..column.len();
    let mask: Vec<bool> = match &column.data {
        ColumnData::Category { codes, levels } => {
            let counts: Vec<bool> = levels.iter().map(|level| meets(level)).collect();
            let own = |row: usize| {
                let code = codes.get(row).filter(|_| !column.is_missing(row));
                code.and_then(|code| counts.get(*code as usize))
            };
            rows.map(|row| own(row).copied().unwrap_or(false)).collect()
        }
        _ => rows
            .map(|row| !column.is_missing(row) && meets(&column.cell_text(row)))
            .collect(),
    };
    match values.iter().zip(met).find(|(_, met)| !met) {
        Some((value, _)) => Err(unmet(column, value)),
        None => Ok(mask),
    }
}

fn unmet(column: &Column, value: &str) -> Error {
    let message = format!("where: no customer has {} = \"{value}\"", column.name);
    let mut known: Vec<String> = (0..column.len())
        .filter(|row| !column.is_missing(*row))
        .map(|row| column.cell_text(row))
        .collect();
    known.sort_unstable();
    known.dedup();
    let near = nearest_name(value, known.iter().map(String::as_str));
    Error::new("TW0105", message).hint(match near {
        Some(near) => format!("did you mean \"{near}\"?"),
        None if known.len() <= LISTED => format!("its values are {}", known.join(", ")),
        None => "check the value after where: it must be one of the column's".to_owned(),
    })
}
