//! `tool allocate`: a file of candidates and a file of constraints give the best choice within them, with its certificate.
//!
//! Few candidates are held in memory; many lie in a temporary file and are read in blocks, so that memory hardly grows
//! with the file.

mod load;
mod rules;
mod spill;
#[cfg(test)]
mod tests;
mod write;

use std::path::{Path, PathBuf};
use std::time::Instant;

use thalweg_domain::{Error, Result};
use thalweg_plan::allocate::{
    AllocateParams, Allocation, CHANGES, Constraint, LargeProblem, LargeSample, Pace, Problem, Resource,
    Sense, WhatIf, allocate as solve, allocate_blocks, check_paces, days, sample, what_if,
};

use crate::config::{Conditions, nearest_name};
use crate::wire::{
    AllocateConstraintOut, AllocateOut, AllocateTimingsOut, AllocateWhatIfOut, ShortfallOut, sense,
};
use load::{ColumnNames, Doubt, Loaded, Reading, load};
use rules::Rules;
use spill::{Kept, Source};

/// What to allocate, under which constraints, and where to.
#[derive(Debug, Clone)]
pub struct AllocateRequest {
    /// A file or a glob of CSV or Parquet: one row per customer and action.
    pub candidates: String,
    /// The file of constraints.
    pub constraints: PathBuf,
    /// Where the chosen rows go, `.csv` or `.parquet`.
    pub out: Option<PathBuf>,
    /// The column of customers.
    pub customer: String,
    /// The column of actions.
    pub action: String,
    /// The column of values.
    pub value: String,
    /// The column of their standard deviations, and how many of them are taken off each value.
    pub doubt: Option<(String, f64)>,
}

/// Allocates.
///
/// # Errors
/// `TW0102` to `TW0107` for the file of constraints, `TW0201` to `TW0237` for the candidates and the file to write, `TW0501`
/// and `TW0502` for numbers and constraints that cannot be used, `TW0510` and `TW0511` for rows that do not belong. Constraints
/// that cannot be kept are no error here but a result that is not feasible.
pub fn allocate(request: &AllocateRequest) -> Result<AllocateOut> {
    let shown = request.constraints.display().to_string();
    let text = crate::files::read_text(Path::new(""), &shown)?;
    let rules = rules::rules(&shown, &text)?;
    let doubt = request.doubt.as_ref().map(|(column, multiple)| Doubt {
        column,
        multiple: *multiple,
    });
    if let Some(doubt) = doubt.filter(|doubt| !(doubt.multiple.is_finite() && doubt.multiple >= 0.0)) {
        let message = format!("--risk-aversion {} is not a number of 0 or more", doubt.multiple);
        return Err(Error::new("TW0502", message).hint("1 takes one standard deviation off every value"));
    }
    if let Some(out) = &request.out {
        write::check(out, &request.candidates, !rules.paces.is_empty())?;
    }
    let reading = Reading {
        data: &request.candidates,
        rules_file: &shown,
        rules: &rules,
        names: ColumnNames {
            customer: &request.customer,
            action: &request.action,
            value: &request.value,
            doubt,
        },
    };
    let begun = Instant::now();
    let loaded = load(&reading, Kept::new())?;
    let mut timings = AllocateTimingsOut {
        load: begun.elapsed().as_secs_f64(),
        ..AllocateTimingsOut::default()
    };
    let asked = Asked::new(&reading, &loaded)?;
    let solved = asked.solve(&loaded, &mut timings)?;
    let mean = mean_value(&loaded, &solved.plan, doubt)?;
    let begun = Instant::now();
    let days = asked.days(&loaded, &solved.plan)?;
    let written = request.out.as_ref().filter(|_| solved.plan.feasible);
    if let Some(out) = written {
        let rows = rows(&loaded, &solved.plan);
        write::chosen(&request.candidates, out, &rows, days.as_deref())?;
    }
    timings.write = begun.elapsed().as_secs_f64();
    Ok(AllocateOut {
        candidates_file: request.candidates.clone(),
        file: written.map(|out| out.display().to_string()),
        days: per_day(days.as_deref().unwrap_or_default(), rules.days),
        timings,
        mean_value: mean,
        ..describe(&asked, &loaded, solved)
    })
}

/// The constraints over the numbers that stand for actions.
struct Asked {
    constraints: Vec<Constraint>,
    exclusions: Vec<(u16, u16)>,
    paces: Vec<Pace>,
    n_days: u16,
    max_actions: u16,
    budget: Option<usize>,
}

/// The plan, and the plans under other budgets.
struct Solved {
    plan: Allocation,
    what_if: Vec<WhatIf>,
    what_if_customers: usize,
}

impl Asked {
    fn new(reading: &Reading<'_>, loaded: &Loaded) -> Result<Self> {
        let rules = reading.rules;
        if let Some(unmet) = loaded.unmet.first() {
            return Err(nobody_has(reading, unmet));
        }
        let resources = rules.resources();
        let mut constraints = Vec::new();
        for (bit, rule) in (0..).zip(&rules.constraints) {
            let column = rule
                .resource
                .as_deref()
                .and_then(|name| resources.iter().position(|own| *own == name));
            constraints.push(Constraint {
                actions: (!rule.conditions.is_empty()).then(|| meeting(loaded, bit)),
                sense: rule.sense,
                ..Constraint::at_most(
                    &rule.name,
                    column.map_or(Resource::Rows, Resource::Column),
                    rule.limit,
                )
            });
        }
        let mut paces = Vec::new();
        for (bit, rule) in (rules.constraints.len()..).zip(&rules.paces) {
            paces.push(Pace {
                name: rule.name.clone(),
                actions: (!rule.conditions.is_empty()).then(|| meeting(loaded, bit)),
                per_day: rule.per_day,
            });
        }
        let n_kinds = u16::try_from(loaded.kinds.len()).unwrap_or(u16::MAX);
        check_paces(&paces, n_kinds, rules.days).map_err(|error| error.at(reading.rules_file, None, None))?;
        constraints.extend(paces.iter().map(|pace| pace.constraint(rules.days)));
        Ok(Self {
            budget: budget(rules),
            exclusions: exclusions(reading, loaded)?,
            constraints,
            paces,
            n_days: rules.days,
            max_actions: rules.max_actions,
        })
    }

    fn solve(&self, loaded: &Loaded, timings: &mut AllocateTimingsOut) -> Result<Solved> {
        let params = AllocateParams::default();
        match &loaded.source {
            Source::Memory(all) => {
                let own = |problem: &Problem<'_>| {
                    let begun = Instant::now();
                    let plan = solve(problem, &params)?;
                    timings.solve = begun.elapsed().as_secs_f64();
                    let begun = Instant::now();
                    let table = self.what_if(problem, &plan, &params)?;
                    timings.what_if = begun.elapsed().as_secs_f64();
                    Ok(Solved {
                        plan,
                        what_if: table,
                        what_if_customers: loaded.n_customers,
                    })
                };
                all.with_problem(self.max_actions, &self.constraints, &self.exclusions, own)
            }
            Source::File(blocks) => {
                let problem = LargeProblem {
                    blocks,
                    max_actions: self.max_actions,
                    constraints: &self.constraints,
                    exclusions: &self.exclusions,
                };
                let begun = Instant::now();
                let sample = sample(&problem)?;
                let plan = allocate_blocks(&problem, &sample, &params)?;
                timings.solve = begun.elapsed().as_secs_f64();
                let begun = Instant::now();
                let what_if = self.what_if_of_sample(&sample, &plan, &params)?;
                timings.what_if = begun.elapsed().as_secs_f64();
                Ok(Solved {
                    plan,
                    what_if,
                    what_if_customers: sample.candidates.n_customers(),
                })
            }
        }
    }

    fn what_if(
        &self,
        problem: &Problem<'_>,
        plan: &Allocation,
        params: &AllocateParams,
    ) -> Result<Vec<WhatIf>> {
        match self.budget {
            Some(budget) if plan.feasible => what_if(problem, plan, (budget, &CHANGES), params),
            _ => Ok(Vec::new()),
        }
    }

    /// Other budgets for the sample, scaled up to everyone; no change is the plan itself.
    fn what_if_of_sample(
        &self,
        sample: &LargeSample,
        plan: &Allocation,
        params: &AllocateParams,
    ) -> Result<Vec<WhatIf>> {
        let scaled = sample.constraints(&self.constraints);
        let own = |problem: &Problem<'_>| {
            let params = AllocateParams {
                warm_start: Some(plan.prices.clone()),
                ..params.clone()
            };
            let base = solve(problem, &params)?;
            self.what_if(problem, &base, &params)
        };
        let mut table = sample
            .candidates
            .with_problem(self.max_actions, &scaled, &self.exclusions, own)?;
        let scale = sample.n_customers as f64 / sample.candidates.n_customers().max(1) as f64;
        for row in &mut table {
            row.limit *= scale;
            row.value *= scale;
            row.upper_bound *= scale;
            row.used *= scale;
        }
        if let (Some(row), Some(budget)) = (table.iter_mut().find(|row| row.change == 0.0), self.budget)
            && budget < plan.constraints.len()
        {
            *row = WhatIf::of(plan, budget, 0.0);
        }
        Ok(table)
    }

    /// A day for every chosen candidate, with pacing.
    fn days(&self, loaded: &Loaded, plan: &Allocation) -> Result<Option<Vec<u16>>> {
        if self.paces.is_empty() || !plan.feasible {
            return Ok(None);
        }
        let actions = loaded.source.actions_of(&plan.chosen)?;
        Ok(Some(days(&actions, &self.paces, self.n_days)))
    }
}

/// At the rule that asks for the value.
fn nobody_has(reading: &Reading<'_>, (column, value): &(String, String)) -> Error {
    let asks = |conditions: &Conditions| {
        let mut own = conditions.iter().filter(|(name, _)| name == column);
        own.any(|(_, values)| values.contains(value))
    };
    let rules = reading.rules.constraints.iter();
    let rules = rules.map(|rule| (&rule.conditions, rule.line.0));
    let paces = reading.rules.paces.iter();
    let mut all = rules.chain(paces.map(|pace| (&pace.conditions, pace.line.0)));
    let line = all.find(|(own, _)| asks(own)).map(|(_, line)| line);
    Error::new("TW0105", format!("no candidate has {column} = \"{value}\""))
        .hint("check the value after where: it must be one of the column's")
        .at(reading.rules_file, line, None)
}

/// The numbers of the kinds of rows that meet a rule's conditions.
fn meeting(loaded: &Loaded, bit: usize) -> Vec<u16> {
    let kinds = (0_u16..).zip(&loaded.kinds);
    kinds
        .filter(|(_, kind)| kind.meets >> bit & 1 == 1)
        .map(|(code, _)| code)
        .collect()
}

/// The constraint that is the budget: the one that the file names, else the first limit of a column over all rows.
fn budget(rules: &Rules) -> Option<usize> {
    let mut all = rules.constraints.iter();
    match &rules.budget {
        Some(name) => all.position(|rule| &rule.name == name),
        None => all.position(|rule| {
            rule.resource.is_some() && rule.conditions.is_empty() && rule.sense == Sense::AtMost
        }),
    }
}

/// Every pair of numbers whose actions exclude each other.
fn exclusions(reading: &Reading<'_>, loaded: &Loaded) -> Result<Vec<(u16, u16)>> {
    let codes = |name: &String, line: u64| {
        let Some(action) = loaded.actions.iter().position(|own| own == name) else {
            let error = Error::new(
                "TW0105",
                format!("[[exclude]] names the action \"{name}\", which no candidate has"),
            );
            let near = nearest_name(name, loaded.actions.iter().map(String::as_str));
            let hint = near.map_or_else(
                || format!("actions are {}", loaded.actions.join(", ")),
                |near| format!("did you mean \"{near}\"?"),
            );
            return Err(error.hint(hint).at(reading.rules_file, Some(line), None));
        };
        let own = (0_u16..)
            .zip(&loaded.kinds)
            .filter(|(_, kind)| kind.action == action);
        Ok(own.map(|(code, _)| code).collect::<Vec<u16>>())
    };
    let mut pairs = Vec::new();
    for rule in &reading.rules.exclusions {
        let groups: Vec<Vec<u16>> = rule
            .actions
            .iter()
            .map(|name| codes(name, rule.line))
            .collect::<Result<_>>()?;
        for (at, group) in groups.iter().enumerate() {
            for other in groups.iter().skip(at + 1) {
                pairs.extend(group.iter().flat_map(|a| other.iter().map(move |b| (*a, *b))));
            }
        }
    }
    Ok(pairs)
}

/// The sum of the values as they are in the file, when something was taken off them.
fn mean_value(loaded: &Loaded, plan: &Allocation, doubt: Option<Doubt<'_>>) -> Result<Option<f64>> {
    let Some(doubt) = doubt else { return Ok(None) };
    let sds = loaded.source.last_resource_of(&plan.chosen)?;
    Ok(Some(plan.value + doubt.multiple * sds.iter().sum::<f64>()))
}

/// Rows of the file that are chosen, from 0; in the order of the plan's candidates.
fn rows(loaded: &Loaded, plan: &Allocation) -> Vec<u64> {
    match &loaded.rows {
        None => plan.chosen.clone(),
        Some(rows) => {
            let row = |chosen: &u64| usize::try_from(*chosen).ok().and_then(|at| rows.get(at)).copied();
            plan.chosen.iter().filter_map(row).collect()
        }
    }
}

fn per_day(days: &[u16], n_days: u16) -> Vec<usize> {
    let mut counts = vec![0; if days.is_empty() { 0 } else { usize::from(n_days) }];
    for day in days {
        if let Some(count) = counts.get_mut(usize::from(*day).saturating_sub(1)) {
            *count += 1;
        }
    }
    counts
}

fn describe(asked: &Asked, loaded: &Loaded, solved: Solved) -> AllocateOut {
    let plan = solved.plan;
    let rows = plan.constraints.iter();
    let constraints: Vec<AllocateConstraintOut> = rows
        .map(|own| AllocateConstraintOut {
            name: own.name.clone(),
            sense: sense(own.sense).to_owned(),
            limit: own.limit,
            used: own.used,
            // without a plan the prices are those of a proof, which say nothing about money
            shadow_price: if plan.feasible { own.shadow_price } else { 0.0 },
        })
        .collect();
    let table = solved.what_if.iter().map(|row| AllocateWhatIfOut {
        change: row.change,
        limit: row.limit,
        used: row.used,
        value: row.value,
        gap: row.gap,
        feasible: row.feasible,
        shadow_price: row.shadow_price,
    });
    let mut warnings = Vec::new();
    if loaded.rows.is_some() {
        warnings.push("the rows of some customers are not together; they were brought together".to_owned());
    }
    AllocateOut {
        customers: loaded.n_customers,
        candidates: loaded.n_candidates,
        chosen: plan.chosen.len(),
        value: plan.value,
        upper_bound: plan.upper_bound,
        gap: plan.gap,
        feasible: plan.feasible,
        infeasibility_proved: plan.infeasibility_proved,
        conflicts: plan.conflicts,
        shortfalls: plan
            .shortfalls
            .into_iter()
            .map(|short| ShortfallOut {
                name: short.name,
                required: short.required,
                reachable: short.reachable,
            })
            .collect(),
        what_if: table.collect(),
        budget: asked
            .budget
            .and_then(|budget| constraints.get(budget))
            .map(|row| row.name.clone()),
        what_if_customers: solved.what_if_customers,
        constraints,
        warnings,
        ..AllocateOut::default()
    }
}
