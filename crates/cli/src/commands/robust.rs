//! How much of a plan stays when effects are drawn from what is believed about them.

use thalweg_engine::wire::{PlanOut, RobustOut};

use crate::text::{Align, Grid, count, heading, percent, wrap};

/// In words and one table; nothing without `[plan] robust`.
pub(crate) fn survival(plan: &PlanOut) -> String {
    let Some(robust) = &plan.robust else {
        return String::new();
    };
    let mut text = heading("How sure the choice is");
    text.push_str(&wrap(&words(robust), 2));
    if robust.samples == 0 {
        return text;
    }
    let mut grid = Grid::new(&[
        ("channel", Align::Left),
        ("meant for", Align::Right),
        ("stay the same", Align::Right),
        ("meant for, in 90 % of draws", Align::Right),
    ]);
    for channel in &robust.channels {
        grid.row(vec![
            channel.name.clone(),
            count(channel.planned),
            channel
                .survival
                .map_or_else(|| "-".to_owned(), |share| percent(share, 0)),
            format!(
                "{} to {}",
                count(channel.planned90[0]),
                count(channel.planned90[1])
            ),
        ]);
    }
    text.push_str(&grid.render(2));
    text
}

fn words(robust: &RobustOut) -> String {
    let planned = robust.planned_with();
    match robust.survival {
        Some(share) => format!(
            "{planned} Effects drawn {} times from what is believed about them, and planned anew each time: {} of the actions stay \
             the same. Everybody counts here, held out or not.",
            count(robust.samples),
            percent(share, 0)
        ),
        None => planned,
    }
}
