//! Effects against an independent solve, against known truths by simulation, and their saved form.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use serde::Deserialize;
use thalweg_domain::{Action, ActionId, Belief, EffectSource, OutcomeKind, Seed};

use super::{Acceptance, AcceptanceCount, ActionLoad, EffectDesign, EffectPosterior, EffectRows, fit};

const fn belief(mean: f64, sd: f64) -> Belief {
    Belief { mean, sd }
}

fn assert_close(found: f64, expected: f64, what: &str) {
    assert!(
        (found - expected).abs() < 1e-9 * (1.0 + expected.abs()),
        "{what}: {found}, expected {expected}"
    );
}

fn assert_belief(found: Belief, expected: (f64, f64), what: &str) {
    assert_close(found.mean, expected.0, &format!("mean of {what}"));
    assert_close(found.sd, expected.1, &format!("sd of {what}"));
}

// ---- against numpy -------------------------------------------------------------------------------------------

#[derive(Deserialize)]
struct Fixture {
    actions: Vec<(usize, Option<usize>)>,
    channels: Vec<(f64, f64)>,
    offers: Vec<(f64, f64)>,
    features: usize,
    cycles: usize,
    heterogeneity: f64,
    level_sd: f64,
    probes: Vec<Vec<f64>>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    kind: String,
    data: Data,
    expected: Expected,
}

#[derive(Deserialize)]
struct Data {
    phi: Vec<Vec<f64>>,
    risk: Vec<f64>,
    outcome: Vec<f64>,
    action: Vec<Option<u16>>,
    cycle: Vec<usize>,
    weight: Vec<f64>,
}

#[derive(Deserialize)]
struct Expected {
    relative: Vec<(f64, f64)>,
    total: (f64, f64),
    levels: Vec<(f64, f64)>,
}

fn fixture() -> Fixture {
    serde_json::from_str(include_str!("../../fixtures/effect.json")).unwrap()
}

impl Fixture {
    fn design(&self, kind: OutcomeKind) -> EffectDesign {
        let beliefs = |pairs: &[(f64, f64)]| pairs.iter().map(|(mean, sd)| belief(*mean, *sd)).collect();
        EffectDesign {
            kind,
            actions: self
                .actions
                .iter()
                .map(|(channel, offer)| Action {
                    channel: *channel,
                    offer: *offer,
                })
                .collect(),
            channel_prior: beliefs(&self.channels),
            offer_prior: beliefs(&self.offers),
            n_features: self.features,
            n_cycles: self.cycles,
            heterogeneity: self.heterogeneity,
            level_sd: self.level_sd,
            risk_sd: 0.0,
        }
    }

    fn posterior(&self, case: &Case) -> EffectPosterior {
        let data = &case.data;
        let rows = EffectRows {
            phi: data.phi.concat(),
            risk: data.risk.clone(),
            outcome: data.outcome.clone(),
            action: data.action.iter().map(|action| action.map(ActionId)).collect(),
            cycle: data.cycle.clone(),
            weight: data.weight.clone(),
        };
        fit(&self.design(OutcomeKind::from_name(&case.kind).unwrap()), &rows).unwrap()
    }
}

#[test]
fn agrees_with_a_dense_solve_in_numpy() {
    let fixture = fixture();
    for case in &fixture.cases {
        let posterior = fixture.posterior(case);
        let n_probes = fixture.probes.len();
        for (index, expected) in case.expected.relative.iter().enumerate() {
            let (action, probe) = (
                ActionId(u16::try_from(index / n_probes).unwrap()),
                index % n_probes,
            );
            let what = format!("{} action {} probe {probe}", case.kind, action.0);
            assert_belief(
                posterior.relative(action, &fixture.probes[probe]),
                *expected,
                &what,
            );
        }
        for (cycle, expected) in case.expected.levels.iter().enumerate() {
            assert_belief(
                posterior.level(cycle),
                *expected,
                &format!("{} level {cycle}", case.kind),
            );
        }
        let mut loads: Vec<ActionLoad> = [0, 1, 3]
            .map(|id| ActionLoad::new(ActionId(id), fixture.features))
            .into();
        for (j, phi) in fixture.probes.iter().enumerate() {
            for load in &mut loads {
                load.add(j as f64 + f64::from(load.action.0) + 1.0, phi);
            }
        }
        assert_belief(
            posterior.total(&loads),
            case.expected.total,
            &format!("{} total", case.kind),
        );
    }
}

#[test]
fn draws_have_the_posteriors_mean_and_sd_and_hang_together() {
    let fixture = fixture();
    let posterior = fixture.posterior(&fixture.cases[0]);
    let phi = &fixture.probes[1];
    let n = 20_000;
    let draws: Vec<(f64, f64)> = (0..n)
        .map(|i| posterior.sample(Seed(3).nth(i)))
        .map(|draw| (draw.relative(ActionId(1), phi), draw.relative(ActionId(4), phi)))
        .collect();
    let mean = |f: &dyn Fn(&(f64, f64)) -> f64| draws.iter().map(f).sum::<f64>() / n as f64;
    let (expected, other) = (
        posterior.relative(ActionId(1), phi),
        posterior.relative(ActionId(4), phi),
    );
    let found = mean(&|d| d.0);
    let sd = mean(&|d| (d.0 - found).powi(2)).sqrt();
    assert!(
        (found - expected.mean).abs() < 4.0 * expected.sd / (n as f64).sqrt(),
        "{found} {expected:?}"
    );
    assert!((sd / expected.sd - 1.0).abs() < 0.03, "{sd} {expected:?}");
    // actions 1 and 4 share a channel: the sd of their sum is that of `total`, not that of independent terms
    let load = |id: u16| ActionLoad {
        action: ActionId(id),
        weight: 1.0,
        weighted_phi: phi.clone(),
    };
    let both = posterior.total(&[load(1), load(4)]);
    let sum = mean(&|d| d.0 + d.1);
    let sum_sd = mean(&|d| (d.0 + d.1 - sum).powi(2)).sqrt();
    assert!((sum_sd / both.sd - 1.0).abs() < 0.03, "{sum_sd} {both:?}");
    assert!(both.sd > 1.05 * expected.sd.hypot(other.sd), "{both:?}");
}

#[test]
fn the_same_seed_gives_the_same_draw_and_another_seed_another() {
    let fixture = fixture();
    let posterior = fixture.posterior(&fixture.cases[1]);
    assert_eq!(posterior.sample(Seed(1)), posterior.sample(Seed(1)));
    assert_ne!(posterior.sample(Seed(1)), posterior.sample(Seed(2)));
}

#[test]
fn is_saved_without_loss_and_refuses_damage() {
    let fixture = fixture();
    let posterior = fixture.posterior(&fixture.cases[0]);
    let text = serde_json::to_string(&posterior).unwrap();
    let again: EffectPosterior = serde_json::from_str(&text).unwrap();
    assert_eq!(again, posterior);
    assert_eq!(serde_json::to_string(&again).unwrap(), text);
    let damaged = text.replacen("\"mean\":[", "\"mean\":[0.0,", 1);
    assert!(
        serde_json::from_str::<EffectPosterior>(&damaged)
            .unwrap_err()
            .to_string()
            .contains("differ in size")
    );
    let unknown = text.replacen("\"churn\"", "\"joy\"", 1);
    assert!(
        serde_json::from_str::<EffectPosterior>(&unknown)
            .unwrap_err()
            .to_string()
            .contains("joy")
    );
}

// ---- the prior ------------------------------------------------------------------------------------------------

fn two_by_two(n_features: usize, n_cycles: usize) -> EffectDesign {
    EffectDesign {
        kind: OutcomeKind::Churn,
        actions: vec![
            Action {
                channel: 0,
                offer: None,
            },
            Action {
                channel: 0,
                offer: Some(0),
            },
            Action {
                channel: 1,
                offer: None,
            },
        ],
        channel_prior: vec![belief(0.06, 0.04), belief(0.10, 0.06)],
        offer_prior: vec![belief(0.10, 0.06)],
        n_features,
        n_cycles,
        heterogeneity: EffectDesign::HETEROGENEITY,
        level_sd: EffectDesign::LEVEL_SD,
        risk_sd: 0.0,
    }
}

#[test]
fn without_data_it_is_the_prior() {
    let posterior = fit(&two_by_two(4, 0), &EffectRows::default()).unwrap();
    let zero = [0.0; 4];
    assert_belief(posterior.relative(ActionId(0), &zero), (0.06, 0.04), "channel");
    assert_belief(
        posterior.relative(ActionId(1), &zero),
        (1.0 - 0.94 * 0.90, 0.04_f64.hypot(0.06)),
        "channel and offer",
    );
    // a typical customer, |phi|² = p, is as far from the average as the average is doubted
    let typical = [1.0, -1.0, 1.0, -1.0];
    assert_belief(
        posterior.relative(ActionId(0), &typical),
        (0.06, 0.04 * 2.0_f64.sqrt()),
        "typical customer",
    );
    assert_eq!(posterior.source(ActionId(0)), EffectSource::Assumed);
    assert_eq!(posterior.relative(ActionId(9), &zero), belief(0.0, 0.0));
}

#[test]
fn an_average_is_the_effect_at_the_weighted_mean_customer() {
    let posterior = fit(&two_by_two(2, 0), &EffectRows::default()).unwrap();
    let mut load = ActionLoad::new(ActionId(0), 2);
    load.add(1.0, &[1.0, 0.0]);
    load.add(3.0, &[-1.0, 2.0]);
    assert_eq!(
        posterior.average(&load),
        posterior.relative(ActionId(0), &[-0.5, 1.5])
    );
    let total = posterior.total(&[load.clone()]);
    let average = posterior.average(&load);
    assert_close(total.mean, 4.0 * average.mean, "mean");
    assert_close(total.sd, 4.0 * average.sd, "sd");
}

#[test]
fn heterogeneity_zero_says_the_same_for_everybody() {
    let design = EffectDesign {
        heterogeneity: 0.0,
        ..two_by_two(2, 0)
    };
    let posterior = fit(&design, &EffectRows::default()).unwrap();
    let (here, there) = (
        posterior.relative(ActionId(0), &[0.0, 0.0]),
        posterior.relative(ActionId(0), &[3.0, -3.0]),
    );
    assert!(
        (here.sd - there.sd).abs() < 1e-6 && here.mean == there.mean,
        "{here:?} {there:?}"
    );
}

// ---- simulations with a known truth ---------------------------------------------------------------------------

struct World {
    design: EffectDesign,
    /// Per action: constant and slopes of the true relative effect.
    truth: Vec<Vec<f64>>,
    level: f64,
}

impl World {
    fn relative(&self, action: ActionId, phi: &[f64]) -> f64 {
        let beta = &self.truth[usize::from(action.0)];
        beta[0] + beta[1..].iter().zip(phi).map(|(b, x)| b * x).sum::<f64>()
    }

    fn rows(&self, n: usize, seed: Seed) -> EffectRows {
        let mut rng = ChaCha8Rng::seed_from_u64(seed.0);
        let mut rows = EffectRows::default();
        let n_arms = self.design.actions.len() + 1;
        for _ in 0..n {
            let phi: Vec<f64> = (0..self.design.n_features)
                .map(|_| StandardNormal.sample(&mut rng))
                .collect();
            let risk = rng.random_range(0.1..0.6);
            let arm = rng.random_range(0..n_arms);
            let action = (arm > 0).then(|| ActionId(u16::try_from(arm - 1).unwrap()));
            let relative = action.map_or(0.0, |id| self.relative(id, &phi));
            let p = risk * (1.0 + self.level + self.design.sign() * relative);
            rows.outcome
                .push(f64::from(u8::from(rng.random_bool(p.clamp(0.0, 1.0)))));
            rows.phi.extend(phi);
            rows.risk.push(risk);
            rows.action.push(action);
            rows.cycle.push(0);
            rows.weight.push(1.0);
        }
        rows
    }
}

/// A truth drawn from the design's own prior.
fn drawn_world(design: EffectDesign, seed: Seed) -> World {
    let draw = fit(&design, &EffectRows::default()).unwrap().sample(seed);
    let mut rng = ChaCha8Rng::seed_from_u64(seed.stream("level").0);
    let noise: f64 = StandardNormal.sample(&mut rng);
    let p = design.n_features;
    let coefficients = |id: ActionId| {
        let constant = draw.relative(id, &vec![0.0; p]);
        let slope = |j: usize| {
            draw.relative(
                id,
                &(0..p).map(|k| f64::from(u8::from(k == j))).collect::<Vec<_>>(),
            )
        };
        std::iter::once(constant)
            .chain((0..p).map(|j| slope(j) - constant))
            .collect()
    };
    let truth = (0..design.actions.len())
        .map(|id| coefficients(ActionId(u16::try_from(id).unwrap())))
        .collect();
    World {
        truth,
        level: noise * design.level_sd,
        design,
    }
}

#[test]
fn recovers_heterogeneous_effects_and_the_level() {
    for kind in [OutcomeKind::Churn, OutcomeKind::Conversion] {
        let truth = vec![
            vec![0.20, 0.15, 0.0],
            vec![0.40, 0.15, -0.15],
            vec![-0.10, 0.0, 0.10],
        ];
        let design = EffectDesign {
            kind,
            channel_prior: vec![belief(0.06, 0.2); 2],
            offer_prior: vec![belief(0.10, 0.2)],
            ..two_by_two(2, 1)
        };
        let world = World {
            design,
            truth,
            level: 0.08,
        };
        let posterior = fit(&world.design, &world.rows(200_000, Seed(5))).unwrap();
        for (action, phi) in [
            (0, [0.0, 0.0]),
            (0, [1.0, 1.0]),
            (1, [-1.0, 1.0]),
            (2, [0.0, 2.0]),
        ] {
            let (found, expected) = (
                posterior.relative(ActionId(action), &phi),
                world.relative(ActionId(action), &phi),
            );
            assert!(
                (found.mean - expected).abs() < 4.0 * found.sd && found.sd < 0.04,
                "{found:?} {expected}"
            );
        }
        let level = posterior.level(0);
        assert!(
            (level.mean - 0.08).abs() < 4.0 * level.sd && level.sd < 0.01,
            "{level:?}"
        );
        assert_eq!(posterior.source(ActionId(2)), EffectSource::Measured);
    }
}

/// The figure behind "90 % intervals hold 90 % of the truths": over truths drawn from the prior, small data sets.
#[test]
fn intervals_cover_the_truth() {
    let (mut hits, mut total_hits, mut n, worlds) = (0, 0, 0, 400);
    for index in 0..worlds {
        let world = drawn_world(two_by_two(3, 1), Seed(17).nth(index));
        let posterior = fit(&world.design, &world.rows(600, Seed(23).nth(index))).unwrap();
        let mut load = ActionLoad::new(ActionId(1), 3);
        let mut truth = 0.0;
        for phi in [[0.0, 0.0, 0.0], [1.0, -1.0, 0.5], [-0.5, 2.0, 0.0]] {
            for id in [ActionId(0), ActionId(1), ActionId(2)] {
                let found = posterior.relative(id, &phi);
                hits += i32::from((found.mean - world.relative(id, &phi)).abs() < 1.644_854 * found.sd);
                n += 1;
            }
            load.add(100.0, &phi);
            truth += 100.0 * world.relative(ActionId(1), &phi);
        }
        let total = posterior.total(&[load]);
        total_hits += i32::from((total.mean - truth).abs() < 1.644_854 * total.sd);
    }
    let (coverage, total) = (
        f64::from(hits) / f64::from(n),
        f64::from(total_hits) / worlds as f64,
    );
    println!("coverage of 90 % intervals: customers {coverage:.3} of {n}, totals {total:.3} of {worlds}");
    assert!((0.85..=0.95).contains(&coverage), "{coverage}");
    assert!((0.85..=0.95).contains(&total), "{total}");
}

#[test]
fn what_was_never_tried_stays_near_the_prior() {
    let design = EffectDesign {
        channel_prior: vec![belief(0.06, 0.2), belief(0.10, 0.06)],
        ..two_by_two(2, 1)
    };
    let mut world = drawn_world(design, Seed(2));
    world.truth = vec![vec![0.3, 0.0, 0.0]; 3];
    let mut rows = world.rows(20_000, Seed(4));
    for row in 0..rows.len() {
        if rows.action[row] == Some(ActionId(2)) {
            (rows.action[row], rows.weight[row]) = (None, 0.0);
        }
    }
    let posterior = fit(&world.design, &rows).unwrap();
    let phi = [0.0, 0.0];
    let tried = posterior.relative(ActionId(0), &phi);
    assert!(
        (tried.mean - 0.3).abs() < 4.0 * tried.sd && tried.sd < 0.03,
        "{tried:?}"
    );
    assert_belief(
        posterior.relative(ActionId(2), &phi),
        (0.10, 0.06),
        "the action never tried",
    );
    assert_eq!(posterior.source(ActionId(2)), EffectSource::Assumed);
}

#[test]
fn many_rows_and_parameters_are_accumulated_in_the_same_way_each_time() {
    let design = two_by_two(12, 1);
    let world = drawn_world(design, Seed(9));
    let rows = world.rows(5_000, Seed(9));
    assert_eq!(
        fit(&world.design, &rows).unwrap(),
        fit(&world.design, &rows).unwrap()
    );
}

// ---- what is refused --------------------------------------------------------------------------------------------

#[test]
fn bad_input_is_refused_with_a_code() {
    let design = two_by_two(1, 1);
    let row = EffectRows {
        phi: vec![0.0],
        risk: vec![0.3],
        outcome: vec![1.0],
        action: vec![None],
        cycle: vec![0],
        weight: vec![1.0],
    };
    assert!(fit(&design, &row).is_ok());
    for (rows, word) in [
        (
            EffectRows {
                phi: vec![],
                ..row.clone()
            },
            "length",
        ),
        (
            EffectRows {
                risk: vec![f64::NAN],
                ..row.clone()
            },
            "finite",
        ),
        (
            EffectRows {
                weight: vec![-1.0],
                ..row.clone()
            },
            "weight of -1",
        ),
        (
            EffectRows {
                cycle: vec![1],
                ..row.clone()
            },
            "cycle 1",
        ),
        (
            EffectRows {
                action: vec![Some(ActionId(7))],
                ..row.clone()
            },
            "action 7",
        ),
    ] {
        let error = fit(&design, &rows).unwrap_err();
        assert!(error.code == "TW0721" && error.message.contains(word), "{error}");
    }
    for bad in [
        EffectDesign {
            heterogeneity: -1.0,
            ..design.clone()
        },
        EffectDesign {
            level_sd: 0.0,
            ..design.clone()
        },
        EffectDesign {
            channel_prior: vec![belief(f64::NAN, 0.1); 2],
            ..design.clone()
        },
        EffectDesign {
            offer_prior: vec![],
            ..design.clone()
        },
    ] {
        assert_eq!(fit(&bad, &row).unwrap_err().code, "TW0720");
    }
}

// ---- acceptance -----------------------------------------------------------------------------------------------------

const fn count(channel: usize, offered: u64, accepted: u64) -> AcceptanceCount {
    AcceptanceCount {
        channel,
        offer: 0,
        offered,
        accepted,
    }
}

#[test]
fn acceptance_is_the_assumed_until_seen() {
    let acceptance = Acceptance::fit(&[belief(0.25, 0.10)], &[]).unwrap();
    assert_belief(
        acceptance.rate(Action {
            channel: 3,
            offer: Some(0),
        }),
        (0.25, 0.10),
        "assumed",
    );
    assert_eq!(
        acceptance.rate(Action {
            channel: 3,
            offer: None
        }),
        belief(0.0, 0.0)
    );
}

#[test]
fn acceptance_updates_by_counts_and_borrows_the_mean_across_channels() {
    // mean 0.25, sd 0.10 is Beta(4.4375, 13.3125)
    let acceptance = Acceptance::fit(&[belief(0.25, 0.10)], &[count(0, 100, 10), count(0, 100, 20)]).unwrap();
    let (a, n) = (4.4375 + 30.0, 17.75 + 200.0_f64);
    let mean = a / n;
    let sd = (mean * (1.0 - mean) / (n + 1.0)).sqrt();
    assert_belief(
        acceptance.rate(Action {
            channel: 0,
            offer: Some(0),
        }),
        (mean, sd),
        "own counts",
    );
    let other = acceptance.rate(Action {
        channel: 1,
        offer: Some(0),
    });
    let doubt = (mean * (1.0 - mean) / 18.75).sqrt();
    assert_belief(
        other,
        (mean, doubt),
        "another channel: the mean moves, the doubt stays",
    );
}

#[test]
fn acceptance_refuses_what_cannot_be() {
    assert_eq!(
        Acceptance::fit(&[belief(1.5, 0.1)], &[]).unwrap_err().code,
        "TW0720"
    );
    assert_eq!(
        Acceptance::fit(&[belief(0.5, 0.1)], &[count(0, 1, 2)])
            .unwrap_err()
            .code,
        "TW0721"
    );
    assert_eq!(
        Acceptance::fit(&[], &[count(0, 2, 1)]).unwrap_err().code,
        "TW0721"
    );
}
