//! How long an allocation takes and how good it is, by size: `cargo run --release -p thalweg-plan --example allocate_size`.
#![expect(clippy::print_stdout, reason = "an example that prints its measurements")]
#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "made-up data of known size"
)]

use std::time::Instant;

use thalweg_plan::allocate::{
    AllocateParams, Allocation, Constraint, MaxActions, Problem, Resource, allocate,
};

/// Numbers in [0, 1) by SplitMix64: the same data everywhere.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / 9_007_199_254_740_992.0
    }
}

/// Customers by candidates: channel `a % channels`, with or without one of the offers.
struct Data {
    offsets: Vec<u64>,
    actions: Vec<u16>,
    values: Vec<f64>,
    costs: Vec<f64>,
}

fn data(n: usize, width: usize, channels: usize) -> Data {
    let mut numbers = Numbers(1);
    let mut data = Data {
        offsets: vec![0],
        actions: vec![],
        values: vec![],
        costs: vec![],
    };
    for _ in 0..n {
        let stake = 40.0 + 400.0 * numbers.next() * numbers.next();
        let risk = numbers.next().powi(2);
        for action in 0..width {
            let channel = action % channels;
            let offer = action / channels;
            let effect = risk * (0.02 + 0.03 * channel as f64 + 0.04 * offer as f64) * 2.0 * numbers.next();
            let cost = 0.02 * 4_f64.powi(channel as i32) + offer as f64 * 0.02 * stake * numbers.next();
            data.actions.push(action as u16);
            data.values.push(stake * effect - cost);
            data.costs.push(cost);
        }
        data.offsets.push(data.actions.len() as u64);
    }
    data
}

/// Budget, then capacity and budget per channel, then a cap per offer, up to `rows` of them.
fn constraints(n: f64, width: u16, channels: u16, rows: usize) -> Vec<Constraint> {
    let on = |covers: &dyn Fn(u16) -> bool| (0..width).filter(|action| covers(*action)).collect::<Vec<u16>>();
    let mut all = vec![Constraint::at_most("budget", Resource::Column(0), 0.5 * n)];
    for channel in 0..channels {
        let actions = on(&|action| action % channels == channel);
        let share = 0.3 / f64::from(channel + 1);
        all.push(
            Constraint::at_most(format!("capacity {channel}"), Resource::Rows, (share * n).floor())
                .on_actions(actions),
        );
    }
    for channel in 0..channels {
        let actions = on(&|action| action % channels == channel);
        all.push(
            Constraint::at_most(format!("spend {channel}"), Resource::Column(0), 0.12 * n)
                .on_actions(actions),
        );
    }
    for offer in 1..width.div_ceil(channels) {
        let actions = on(&|action| action / channels == offer);
        all.push(
            Constraint::at_most(format!("offer {offer}"), Resource::Rows, (0.15 * n).floor())
                .on_actions(actions),
        );
    }
    all.truncate(rows);
    all
}

fn main() -> Result<(), thalweg_domain::Error> {
    println!("customers  actions  rows  seconds       gap  chosen       value");
    for (n, width, channels, rows) in [
        (7_043, 16, 6, 15),
        (10_000, 6, 3, 8),
        (100_000, 6, 3, 8),
        (1_000_000, 6, 3, 8),
    ] {
        let data = data(n, width, channels);
        let constraints = constraints(n as f64, width as u16, channels as u16, rows);
        let problem = Problem {
            offsets: &data.offsets,
            actions: &data.actions,
            values: &data.values,
            resources: &[&data.costs],
            max_actions: MaxActions::Same(1),
            constraints: &constraints,
            exclusions: &[],
        };
        let start = Instant::now();
        let plan: Allocation = allocate(&problem, &AllocateParams::default())?;
        let seconds = start.elapsed().as_secs_f64();
        println!(
            "{n:9}  {width:7}  {rows:4}  {seconds:7.4}  {:8.1e}  {:6}  {:10.2}",
            plan.gap,
            plan.chosen.len(),
            plan.value
        );
    }
    Ok(())
}
