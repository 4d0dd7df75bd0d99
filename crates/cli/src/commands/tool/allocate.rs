//! `thalweg tool allocate`: what the choice is worth, what each constraint costs, and what another budget would bring.

use std::process::ExitCode;

use thalweg_domain::Result;
use thalweg_engine::tools::allocate::{AllocateRequest, allocate};
use thalweg_engine::wire::AllocateOut;

use crate::args::AllocateArgs;
use crate::context::Context;
use crate::text::{Align, Grid, amount, cents, count, heading, wrap};

pub(crate) fn run(context: &Context, args: &AllocateArgs) -> Result<ExitCode> {
    let out = allocate(&AllocateRequest {
        candidates: args.candidates.clone(),
        constraints: args.constraints.clone(),
        out: args.out.clone(),
        customer: args.customer.clone(),
        action: args.action.clone(),
        value: args.value.clone(),
        doubt: args.value_sd.clone().zip(args.risk_aversion),
    })?;
    context.output.result(&out, render)?;
    Ok(if out.feasible {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(4)
    })
}

fn render(out: &AllocateOut) -> String {
    let read = format!(
        "{} customers, {} candidates",
        count(out.customers),
        count(out.candidates)
    );
    let mut text = if out.feasible {
        wrap(
            &format!(
                "{read}: {} chosen, worth {}{}. {}",
                count(out.chosen),
                cents(out.value),
                out.mean_value.map_or_else(String::new, |mean| format!(
                    " after doubt, {} expected",
                    cents(mean)
                )),
                within(out)
            ),
            2,
        )
    } else {
        wrap(&format!("{read}: {}", infeasible(out)), 2)
    };
    if !out.constraints.is_empty() {
        text.push_str(&heading("Constraints"));
        text.push_str(&constraints(out).render(2));
    }
    if !out.what_if.is_empty() {
        text.push_str(&heading(&format!(
            "With another {}",
            out.budget.as_deref().unwrap_or("budget")
        )));
        text.push_str(&what_if(out).render(2));
        if out.what_if_customers < out.customers {
            let note = format!(
                "Reckoned from {} of the customers and scaled up, all but the row without change.",
                count(out.what_if_customers)
            );
            text.push_str(&wrap(&note, 2));
        }
    }
    if let (Some(least), Some(most)) = (out.days.iter().min(), out.days.iter().max()) {
        let days = format!(
            "{} days with {} to {} chosen rows each.",
            out.days.len(),
            count(*least),
            count(*most)
        );
        text.push_str(&wrap(&days, 2));
    }
    for warning in &out.warnings {
        text.push_str(&wrap(&format!("note: {warning}"), 2));
    }
    let seconds = &out.timings;
    text.push_str(&format!(
        "\n  read {:.2} s · solved {:.2} s · other budgets {:.2} s · written {:.2} s\n",
        seconds.load, seconds.solve, seconds.what_if, seconds.write
    ));
    if let Some(file) = &out.file {
        text.push_str(&format!("written {file}\n"));
    }
    text
}

fn within(out: &AllocateOut) -> String {
    if out.gap == 0.0 {
        "No choice is worth more.".to_owned()
    } else {
        format!(
            "No choice is worth more than {}: this one is within {} %.",
            cents(out.upper_bound),
            short(100.0 * out.gap)
        )
    }
}

/// Two digits that say something.
fn short(number: f64) -> String {
    let places = if number <= 0.0 {
        0.0
    } else {
        (1.0 - number.log10().floor()).clamp(0.0, 9.0)
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and 9 by the clamp"
    )]
    let places = places as usize;
    format!("{number:.places$}")
}

fn infeasible(out: &AllocateOut) -> String {
    let names: Vec<String> = out.conflicts.iter().map(|name| format!("\"{name}\"")).collect();
    let mut text = if out.infeasibility_proved || !out.shortfalls.is_empty() {
        format!(
            "the constraints cannot all be kept. {} conflict",
            names.join(", ")
        )
    } else {
        format!(
            "nothing was found that keeps all constraints, without proof that there is nothing. The closest breaks {}",
            names.join(", ")
        )
    };
    for short in &out.shortfalls {
        text.push_str(&format!(
            "; \"{}\" requires {}, at most {} can be reached while the others hold",
            short.name,
            cents(short.required),
            cents(short.reachable)
        ));
    }
    text.push_str(". Nothing is chosen. Lower what is required at least, or raise a limit, of one of them.");
    text
}

fn constraints(out: &AllocateOut) -> Grid {
    let used = if out.feasible { "used" } else { "closest" };
    let mut grid = Grid::new(&[
        ("constraint", Align::Left),
        ("", Align::Left),
        ("limit", Align::Right),
        (used, Align::Right),
        ("one more unit", Align::Right),
    ]);
    for row in &out.constraints {
        let sense = if row.sense == "at_least" {
            "at least"
        } else {
            "at most"
        };
        grid.row(vec![
            row.name.clone(),
            sense.to_owned(),
            cents(row.limit),
            cents(row.used),
            format!("{:.4}", row.shadow_price),
        ]);
    }
    grid
}

fn what_if(out: &AllocateOut) -> Grid {
    let mut grid = Grid::new(&[
        ("change", Align::Right),
        ("limit", Align::Right),
        ("used", Align::Right),
        ("worth", Align::Right),
        ("one more unit", Align::Right),
    ]);
    for row in &out.what_if {
        let worth = if row.feasible {
            amount(row.value)
        } else {
            "not possible".to_owned()
        };
        grid.row(vec![
            format!("{:+.0} %", 100.0 * row.change),
            cents(row.limit),
            cents(row.used),
            worth,
            format!("{:.4}", row.shadow_price),
        ]);
    }
    grid
}
