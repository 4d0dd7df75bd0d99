//! What of a plan stays when values are drawn anew: against the analytic probability, with limits, whatever the threads.

use thalweg_domain::{Action, ActionId, Seed};
use thalweg_plan::allocate::{Constraint, Resource};
use thalweg_plan::decide::{Candidate, Survival, SurvivalInput, survival};

use crate::decide::noise;

fn candidate(action: u16, value: f64) -> Candidate {
    Candidate {
        action: ActionId(action),
        effect: 0.1,
        effect_sd: 0.1,
        expected_value: value,
        planning_value: value,
        cost: 1.0,
        acceptance: 0.0,
    }
}

/// Independent standard normal numbers (Box and Muller).
fn normal(i: usize, k: usize) -> f64 {
    let (u, v) = (1.0 - noise(i, k), noise(i, k + 1000));
    (-2.0 * u.ln()).sqrt() * (2.0 * std::f64::consts::PI * v).cos()
}

const ACTIONS: [Action; 2] = [
    Action {
        channel: 0,
        offer: None,
    },
    Action {
        channel: 1,
        offer: None,
    },
];

#[test]
fn one_customer_and_two_actions_survive_as_often_as_the_normal_distribution_says() {
    // the first is worth 10 ± 3, the second 9 ± 4, nothing 0
    let (first, second) = ((10.0, 3.0), (9.0, 4.0));
    let candidates = [candidate(0, first.0), candidate(1, second.0)];
    let limits = [Constraint::at_most("budget", Resource::Column(0), 100.0)];
    let input = SurvivalInput {
        offsets: &[0, 2],
        candidates: &candidates,
        actions: &ACTIONS,
        n_channels: 2,
        limits: &limits,
        prices: &[0.0],
        intended: &[Some(ActionId(0))],
        seed: Seed(1),
    };
    let n = 20_000;
    let found = survival(&input, n, |draw| {
        move |_: usize, own: &Candidate| match own.action.0 {
            0 => first.0 + first.1 * normal(draw, 1),
            _ => second.0 + second.1 * normal(draw, 2),
        }
    })
    .unwrap();
    // P(first > second and first > 0), by the rectangle rule over the first
    let cumulative = |z: f64| 0.5 * libm::erfc(-z / std::f64::consts::SQRT_2);
    let density = |z: f64| (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt();
    let step = 1e-3;
    let truth: f64 = (0..30_000)
        .map(|i| (f64::from(i) + 0.5) * step)
        .map(|x| density((x - first.0) / first.1) / first.1 * cumulative((x - second.0) / second.1) * step)
        .sum();
    let error = (truth * (1.0 - truth) / n as f64).sqrt();
    assert!((truth - 0.579).abs() < 1e-3, "{truth}");
    assert!(
        (found.of[0] - truth).abs() < 3.5 * error,
        "{} against {truth} ± {error}",
        found.of[0]
    );
    let of_channel = |channel: usize| found.contacts[channel].iter().sum::<usize>() as f64 / n as f64;
    assert!((of_channel(0) - found.of[0]).abs() < 1e-12);
    // the two together leave out only where both are below 0
    let none = cumulative(-first.0 / first.1) * cumulative(-second.0 / second.1);
    assert!((1.0 - of_channel(0) - of_channel(1) - none).abs() < 0.002);
}

/// More customers than are solved for, one action each, room for a fifth of them.
fn many(doubt: f64) -> Survival {
    let n = 6000;
    let offsets: Vec<usize> = (0..=n).collect();
    let candidates: Vec<Candidate> = (0..n).map(|i| candidate(0, 100.0 * noise(i, 5))).collect();
    let limits = [Constraint::at_most("capacity", Resource::Rows, 0.2 * n as f64)];
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|a, b| {
        candidates[*b]
            .expected_value
            .total_cmp(&candidates[*a].expected_value)
    });
    let mut intended = vec![None; n];
    for customer in &order[..n / 5] {
        intended[*customer] = Some(ActionId(0));
    }
    let input = SurvivalInput {
        offsets: &offsets,
        candidates: &candidates,
        actions: &ACTIONS,
        n_channels: 2,
        limits: &limits,
        prices: &[candidates[order[n / 5]].expected_value],
        intended: &intended,
        seed: Seed(3),
    };
    let draws = |draw: usize| {
        let shift = 5.0 * normal(draw, 9);
        move |customer: usize, own: &Candidate| {
            own.expected_value + shift + doubt * normal(1_000_000 * draw + customer, 10)
        }
    };
    survival(&input, 40, draws).unwrap()
}

#[test]
fn what_all_share_changes_no_choice_and_what_each_has_alone_does() {
    let shared = many(0.0);
    assert_eq!((shared.draws, shared.solved), (40, 2000));
    let mean = |found: &Survival| found.of.iter().sum::<f64>() / found.of.len() as f64;
    // the ranking stays; only those at the margin change
    assert!(mean(&shared) > 0.98, "{}", mean(&shared));
    for contacts in &shared.contacts[0] {
        assert!(
            (*contacts as f64 / 1200.0 - 1.0).abs() < 0.1,
            "{contacts} of 1200"
        );
    }
    let alone = many(20.0);
    assert!(mean(&alone) < 0.93, "{}", mean(&alone));
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| many(10.0))
    };
    assert_eq!(with(1), with(3));
}
