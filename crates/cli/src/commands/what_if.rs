//! What other budgets would bring: one row per budget, each the best plan within it.

use thalweg_engine::wire::PlanOut;

use crate::text::{Align, Grid, amount, cents, count, heading, wrap};

/// The table of a plan; nothing without one.
pub(crate) fn table(plan: &PlanOut, currency: &str) -> String {
    let near = |budget: f64| (budget - plan.budget).abs();
    let Some(now) = plan
        .what_if
        .iter()
        .min_by(|a, b| near(a.budget).total_cmp(&near(b.budget)))
    else {
        return String::new();
    };
    let mut grid = Grid::new(&[
        ("budget", Align::Right),
        ("change", Align::Right),
        ("expected gain", Align::Right),
        ("against today's", Align::Right),
        ("per unit more", Align::Right),
    ]);
    for row in &plan.what_if {
        let (gain, more) = (row.expected_value - now.expected_value, row.budget - now.budget);
        let is_now = near(row.budget) <= 1e-9 * plan.budget.abs().max(1.0);
        let change = 100.0 * (row.budget / plan.budget.max(f64::MIN_POSITIVE) - 1.0);
        grid.row(vec![
            cents(row.budget),
            if is_now {
                "today".to_owned()
            } else {
                format!("{change:+.0} %")
            },
            amount(row.expected_value),
            if is_now { String::new() } else { plus(gain) },
            if is_now || more == 0.0 {
                String::new()
            } else {
                cents(gain / more)
            },
        ]);
    }
    let mut text = heading(&format!("What other budgets would bring, {currency}"));
    text.push_str(&grid.render(2));
    let learning = match plan.explore {
        0 => String::new(),
        some => format!(
            " Here nobody is randomised; this plan randomises {} to learn, so that it expects {}.",
            count(some),
            amount(plan.expected_value.mean)
        ),
    };
    text.push_str(&wrap(
        &format!("Every row is the best plan within its budget, the hold-out kept.{learning}"),
        2,
    ));
    text
}

/// `+1,234`.
fn plus(gain: f64) -> String {
    let text = amount(gain);
    if text.starts_with('-') || text == "0" {
        text
    } else {
        format!("+{text}")
    }
}
