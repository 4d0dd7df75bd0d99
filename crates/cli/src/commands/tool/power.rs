//! `thalweg tool power`: the size, cost and duration of a test, or what a test of a given size can show.

use std::process::ExitCode;

use thalweg_domain::Result;
use thalweg_engine::tools::power::{Direction, GivenEffect, PowerRequest, TestPlan, power};
use thalweg_engine::wire::PowerOut;

use crate::args::{EffectDirection, PowerArgs};
use crate::context::Context;
use crate::text::{cents, percent, wrap};

pub(crate) fn run(context: &Context, args: &PowerArgs) -> Result<ExitCode> {
    let absolute = args.effect.map(GivenEffect::Absolute);
    let out = power(&PowerRequest {
        baseline: args.baseline,
        effect: absolute.or_else(|| args.relative_effect.map(GivenEffect::Relative)),
        n_per_arm: args.n,
        direction: match args.direction {
            EffectDirection::Decrease => Direction::Decrease,
            EffectDirection::Increase => Direction::Increase,
        },
        plan: TestPlan {
            alpha: args.alpha,
            power: args.power,
        },
        ratio: args.ratio,
        cost: args.cost,
        per_day: args.per_day,
    })?;
    context.output.result(&out, render)?;
    Ok(ExitCode::SUCCESS)
}

fn render(out: &PowerOut) -> String {
    let effect = format!(
        "{:+.2} percentage points ({} of the baseline {}, to {})",
        100.0 * out.effect.absolute,
        signed_percent(out.effect.relative),
        percent(out.baseline, 2),
        percent(out.effect.rate, 2),
    );
    let arms = format!(
        "{} customers with the action and {} without ({} in all)",
        whole(out.n_per_arm),
        whole(out.n_control),
        whole(out.n_total)
    );
    let level = format!("two-sided level of {}", percent(out.alpha, 1));
    let answer = match out.solved_for.as_str() {
        "customers" => format!(
            "{arms} show an effect of {effect} with {} power at a {level}.",
            percent(out.power, 0)
        ),
        "effect" => format!(
            "The smallest effect that {arms} show with {} power at a {level} is {effect}.",
            percent(out.power, 0)
        ),
        _ => format!(
            "{arms} show an effect of {effect} with {} power at a {level}.",
            percent(out.power, 1)
        ),
    };
    let mut text = wrap(&answer, 0);
    if let Some(cost) = out.cost {
        text.push_str(&wrap(&format!("The contacts cost {}.", cents(cost)), 0));
    }
    if let Some(days) = out.days {
        text.push_str(&wrap(
            &format!(
                "All have entered after {} {}; the outcome's horizon comes on top.",
                whole(days),
                if days == 1 { "day" } else { "days" }
            ),
            0,
        ));
    }
    text
}

fn signed_percent(share: f64) -> String {
    format!("{:+.1} %", 100.0 * share)
}

fn whole(number: u64) -> String {
    crate::text::count(usize::try_from(number).unwrap_or(usize::MAX))
}
