//! Measurement against statsmodels and scipy, and by simulation: false positives, coverage, looking every day.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use serde::Deserialize;
use thalweg_domain::{Action, ActionId, Belief, CheckVerdict, Estimate, OutcomeKind, Seed};

use super::*;

fn assert_close(found: f64, expected: f64, what: &str) {
    assert!(
        (found - expected).abs() < 1e-7 * (1.0 + expected.abs()),
        "{what}: {found}, expected {expected}"
    );
}

const fn holds(interval: Estimate, truth: f64) -> bool {
    interval.low <= truth && truth <= interval.high
}

// ---- against statsmodels and scipy -----------------------------------------------------------------------------

#[derive(Deserialize)]
struct Fixture {
    differences: Vec<Case>,
    welch: Welch,
    chi_squared_tail: Vec<(f64, f64, f64)>,
    normal_quantile: Vec<(f64, f64)>,
    normal_cdf: Vec<(f64, f64)>,
    student_quantile: Vec<(f64, f64, f64)>,
}

#[derive(Deserialize)]
struct Case {
    treated: Vec<bool>,
    outcome: Vec<f64>,
    covariates: Vec<f64>,
    n_covariates: usize,
    weight: Vec<f64>,
    stratum: Vec<u64>,
    cluster: Vec<u64>,
    effect: f64,
    standard_error: f64,
}

#[derive(Deserialize)]
struct Welch {
    treated: Vec<f64>,
    control: Vec<f64>,
    low: f64,
    high: f64,
}

fn fixture() -> Fixture {
    serde_json::from_str(include_str!("../../fixtures/measure.json")).unwrap()
}

const PLAN: DifferenceParams = DifferenceParams {
    planned_units: 1000.0,
};

#[test]
fn differences_agree_with_statsmodels() {
    for (index, case) in fixture().differences.into_iter().enumerate() {
        let units = Units {
            treated: case.treated,
            outcome: case.outcome,
            covariates: case.covariates,
            n_covariates: case.n_covariates,
            weight: case.weight,
            stratum: case.stratum,
            cluster: case.cluster,
        };
        let found = difference(&units, PLAN).unwrap();
        assert_close(found.effect.mean, case.effect, &format!("effect {index}"));
        assert_close(
            found.standard_error,
            case.standard_error,
            &format!("standard error {index}"),
        );
    }
}

#[test]
fn without_adjustment_the_interval_is_welchs() {
    let welch = fixture().welch;
    let found = difference(&plain(&welch.treated, &welch.control), PLAN).unwrap();
    assert_close(found.effect.low, welch.low, "low");
    assert_close(found.effect.high, welch.high, "high");
    assert!(found.always_valid.is_none(), "fewer than 100 per arm");
}

#[test]
fn tails_and_quantiles_agree_with_scipy() {
    let fixture = fixture();
    for (x, df, p) in fixture.chi_squared_tail {
        assert_close(chi_squared_tail(x, df) / p, 1.0, "chi-squared tail");
    }
    for (p, z) in fixture.normal_quantile {
        assert_close(normal_quantile(p), z, "normal quantile");
    }
    for (z, p) in fixture.normal_cdf {
        assert_close(normal_cdf(z) / p, 1.0, "normal probability");
    }
    for (p, df, t) in fixture.student_quantile {
        assert_close(student_quantile(p, df), t, "Student quantile");
    }
    assert!(
        normal_quantile(0.0).is_nan()
            && student_quantile(0.5, -1.0).is_nan()
            && chi_squared_tail(1.0, 0.0).is_nan()
    );
}

fn plain(treated: &[f64], control: &[f64]) -> Units {
    let n = treated.len() + control.len();
    Units {
        treated: (0..n).map(|i| i < treated.len()).collect(),
        outcome: treated.iter().chain(control).copied().collect(),
        weight: vec![1.0; n],
        stratum: vec![0; n],
        cluster: (0..n as u64).collect(),
        ..Units::default()
    }
}

#[test]
fn strata_with_one_arm_and_constant_covariates_do_no_harm() {
    let mut units = plain(&[3.0, 4.0, 5.0], &[1.0, 2.0, 3.0]);
    let before = difference(&units, PLAN).unwrap();
    units.covariates = vec![7.0; 6];
    units.n_covariates = 1;
    let with_constant = difference(&units, PLAN).unwrap();
    assert_close(with_constant.effect.mean, before.effect.mean, "effect");
    units.treated.push(true);
    units.outcome.push(1e6);
    units.covariates.push(7.0);
    units.weight.push(1.0);
    units.stratum.push(1);
    units.cluster.push(99);
    let with_lone = difference(&units, PLAN).unwrap();
    assert_close(with_lone.effect.mean, before.effect.mean, "effect");
    assert_eq!(with_lone.n_treated, 3);
    units.stratum[6] = 0;
    assert!(difference(&units, PLAN).unwrap().effect.mean > 1e4);
}

#[test]
fn bad_units_are_refused_with_a_code() {
    let sound = plain(&[1.0, 2.0], &[1.0, 3.0]);
    let code = |units: Units| difference(&units, PLAN).unwrap_err().code;
    assert_eq!(
        code(Units {
            weight: vec![0.0; 4],
            ..sound.clone()
        }),
        "TW0721"
    );
    assert_eq!(
        code(Units {
            outcome: vec![f64::NAN; 4],
            ..sound.clone()
        }),
        "TW0721"
    );
    assert_eq!(
        code(Units {
            stratum: vec![],
            ..sound.clone()
        }),
        "TW0721"
    );
    assert_eq!(
        code(Units {
            stratum: vec![0, 0, 1, 1],
            ..sound.clone()
        }),
        "TW0723"
    );
    assert_eq!(code(plain(&[1.0], &[1.0, 2.0])), "TW0723");
    assert_eq!(
        difference(&sound, DifferenceParams { planned_units: 0.0 })
            .unwrap_err()
            .code,
        "TW0724"
    );
}

// ---- lift ------------------------------------------------------------------------------------------------------

const CHURN: LiftParams = LiftParams {
    kind: OutcomeKind::Churn,
    planned_units: 1000.0,
};
const EMAIL: ActionId = ActionId(0);
const CALL: ActionId = ActionId(1);

/// A business with cycles of decisions: 70 % exploit, 30 % explore; those at high risk are intended for the call.
/// Risk is logged 0.05 too high; the e-mail's true decrease of churn is `effect` of risk, the call's twice that.
fn decisions(n: usize, effect: f64, seed: Seed) -> Vec<LiftRow> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed.0);
    let mut rows = Vec::new();
    for index in 0..n {
        let risk: f64 = rng.random_range(0.1..0.6);
        let intended = if risk > 0.4 { CALL } else { EMAIL };
        // exploration draws nothing with 1/2 to 3/4, by risk: propensities differ between customers
        let p_none = 0.5 + risk / 2.0;
        let explored = rng.random_bool(0.3);
        let action = if explored && rng.random_bool(p_none) {
            None
        } else if explored && rng.random_bool(0.2) {
            Some(if intended == CALL { EMAIL } else { CALL })
        } else {
            Some(intended)
        };
        let relative = action.map_or(0.0, |id| if id == CALL { 2.0 * effect } else { effect });
        rows.push(LiftRow {
            cycle: u32::try_from(index % 3).unwrap(),
            intended: Some(intended),
            action,
            propensity_taken: 0.7 + 0.3 * (1.0 - p_none) * 0.8,
            propensity_none: 0.3 * p_none,
            risk: risk + 0.05,
            value: 100.0,
            outcome: f64::from(u8::from(rng.random_bool(risk * (1.0 - relative)))),
            usable: true,
            cost: if action.is_some() { 2.0 } else { 0.0 },
        });
    }
    rows
}

#[test]
fn lift_finds_each_actions_effect_on_those_it_was_for() {
    let (lifts, overlap) = lift(&decisions(200_000, 0.2, Seed(1)), CHURN).unwrap();
    // mean risk of those intended for the e-mail 0.25, for the call 0.5
    for (found, truth) in lifts.iter().zip([0.2 * 0.25, 0.4 * 0.5]) {
        assert!(
            (found.effect.mean - truth).abs() < 4.0 * found.standard_error,
            "{found:?} {truth}"
        );
        assert!(
            found.standard_error < 0.005 && holds(found.always_valid.unwrap(), truth),
            "{found:?}"
        );
        let per_customer = found.value_per_treated;
        assert!(
            (per_customer.mean - 100.0 * found.effect.mean).abs() < 1e-6,
            "{found:?}"
        );
        assert!((found.incremental_value.low - per_customer.low * found.n_treated as f64).abs() < 1e-6);
        assert!((found.spend - 2.0 * found.n_treated as f64).abs() < 1e-6);
    }
    assert_eq!(
        lifts.iter().map(|lift| lift.action).collect::<Vec<_>>(),
        [EMAIL, CALL]
    );
    assert_eq!(overlap.verdict, CheckVerdict::Pass);
}

/// The figures behind "the interval is right": A/A false positives and coverage of a true effect, small samples.
#[test]
fn lift_intervals_hold_what_they_promise() {
    let share = |effect: f64, truth: f64, worlds: u64| {
        let held = (0..worlds).filter(|index| {
            let (lifts, _) = lift(&decisions(900, effect, Seed(31).nth(*index)), CHURN).unwrap();
            holds(lifts[0].effect, truth)
        });
        held.count() as f64 / worlds as f64
    };
    let (none, some) = (1.0 - share(0.0, 0.0, 1500), share(0.4, 0.4 * 0.25, 1500));
    println!(
        "lift: false positives {none:.4}, coverage {some:.4} (1,500 worlds each, about 40 to 80 controls per cycle)"
    );
    assert!((0.035..0.065).contains(&none), "{none}");
    assert!((0.935..0.965).contains(&some), "{some}");
}

#[test]
fn conversion_is_an_increase_and_value_is_money_itself() {
    let mut rows = decisions(20_000, 0.2, Seed(4));
    let churn = lift(&rows, CHURN).unwrap().0;
    let conversion = lift(
        &rows,
        LiftParams {
            kind: OutcomeKind::Conversion,
            ..CHURN
        },
    )
    .unwrap()
    .0;
    assert_close(conversion[0].effect.mean, -churn[0].effect.mean, "sign");
    assert_close(conversion[0].effect.low, -churn[0].effect.high, "ends");
    rows.iter_mut().for_each(|row| row.outcome *= 50.0);
    let value = lift(
        &rows,
        LiftParams {
            kind: OutcomeKind::Value,
            ..CHURN
        },
    )
    .unwrap()
    .0;
    assert_close(value[0].effect.mean, 50.0 * conversion[0].effect.mean, "money");
    assert_close(
        value[0].value_per_treated.mean,
        value[0].effect.mean,
        "value is not counted twice",
    );
}

#[test]
fn rows_that_say_nothing_are_left_out() {
    let mut rows = decisions(3_000, 0.2, Seed(5));
    let before = lift(&rows, CHURN).unwrap();
    let mut repaired = rows[0];
    repaired.usable = false;
    repaired.propensity_none = 0.0;
    rows.push(repaired);
    let third = LiftRow {
        intended: Some(EMAIL),
        action: Some(CALL),
        outcome: 1.0,
        ..rows[1]
    };
    rows.push(third);
    rows.push(LiftRow {
        intended: None,
        action: Some(EMAIL),
        propensity_taken: 0.0,
        ..rows[1]
    });
    assert_eq!(lift(&rows, CHURN).unwrap(), before);
}

#[test]
fn an_action_without_controls_is_named_and_bad_rows_are_refused() {
    let mut rows = decisions(3_000, 0.2, Seed(6));
    rows.retain(|row| row.intended == Some(EMAIL) || row.action.is_some());
    let (lifts, overlap) = lift(&rows, CHURN).unwrap();
    assert_eq!(lifts.len(), 1);
    assert_eq!(
        (overlap.verdict, overlap.code),
        (CheckVerdict::Review, Some("TW0404"))
    );
    assert!(overlap.detail.ends_with("action 1"), "{}", overlap.detail);
    rows[0].propensity_none = 0.0;
    assert_eq!(lift(&rows, CHURN).unwrap_err().code, "TW0721");
    rows[0].propensity_none = 0.1;
    rows[0].risk = f64::NAN;
    assert_eq!(lift(&rows, CHURN).unwrap_err().code, "TW0721");
}

#[test]
fn the_hold_out_makes_the_first_cycle_more_precise_and_leaves_the_effect() {
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    let mut without = decisions(60_000, 0.2, Seed(8));
    without.iter_mut().for_each(|row| row.cycle = 0);
    let mut with: Vec<LiftRow> = without.iter().map(|row| row.counting_holdout(0.1)).collect();
    for row in decisions(6_667, 0.0, Seed(9)) {
        let held = LiftRow {
            cycle: 0,
            action: None,
            cost: 0.0,
            ..row
        };
        with.push(LiftRow {
            usable: rng.random_bool(1.0),
            ..held.counting_holdout(0.1)
        });
    }
    let (before, after) = (lift(&without, CHURN).unwrap().0, lift(&with, CHURN).unwrap().0);
    for (index, truth) in [0.2 * 0.25, 0.4 * 0.5].into_iter().enumerate() {
        assert!(
            (after[index].effect.mean - truth).abs() < 4.0 * after[index].standard_error,
            "{after:?}"
        );
        assert!(
            after[index].standard_error < before[index].standard_error,
            "{after:?}"
        );
    }
}

// ---- total -------------------------------------------------------------------------------------------------------

/// Four cycles of churn with hazard by risk; the programme lowers the hazard by `effect`. Households of two.
fn customers(n: usize, effect: f64, seed: Seed) -> Vec<TotalRow> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed.0);
    let mut rows = Vec::new();
    for cluster in 0..n as u64 / 2 {
        let holdout = rng.random_bool(0.2);
        let household: f64 = rng.random_range(0.05..0.35);
        for _ in 0..2 {
            let hazard = if holdout {
                household
            } else {
                household * (1.0 - effect)
            };
            let left = (0..4).any(|_| rng.random_bool(hazard));
            let value = rng.random_range(50.0..150.0);
            rows.push(TotalRow {
                holdout,
                cluster,
                first_cycle: u32::from(cluster % 5 == 0),
                outcome_value: if left { value } else { 0.0 },
                first_expected: household * value,
            });
        }
    }
    rows
}

/// Value kept per customer: the mean over hazards of [1 - (1-h)^4] - [1 - (1-h(1-effect))^4], times 100.
fn true_total(effect: f64) -> f64 {
    let kept = |k: i32| {
        let hazard = 0.05 + 0.30 * (f64::from(k) + 0.5) / 10_000.0;
        (1.0 - hazard * (1.0 - effect)).powi(4) - (1.0 - hazard).powi(4)
    };
    100.0 * (0..10_000).map(kept).sum::<f64>() / 10_000.0
}

const TOTAL: TotalParams = TotalParams {
    kind: OutcomeKind::Churn,
    planned_units: 1200.0,
};

#[test]
fn totals_hold_what_they_promise() {
    let worlds = 1500_u64;
    let share = |effect: f64| {
        let held = (0..worlds).filter(|index| {
            let found = total(&customers(1200, effect, Seed(41).nth(*index)), TOTAL).unwrap();
            holds(found.per_customer, true_total(effect))
        });
        held.count() as f64 / worlds as f64
    };
    let (none, some) = (1.0 - share(0.0), share(0.3));
    println!("total: false positives {none:.4}, coverage {some:.4} ({worlds} worlds each of 600 households)");
    assert!((0.035..0.065).contains(&none), "{none}");
    assert!((0.935..0.965).contains(&some), "{some}");
}

#[test]
fn a_total_counts_those_outside_the_hold_out_and_says_how() {
    let rows = customers(4_000, 0.3, Seed(2));
    let found = total(&rows, TOTAL).unwrap();
    assert_eq!(found.n_enrolled + found.n_holdout, rows.len() as u64);
    assert_close(
        found.incremental_value.mean,
        found.per_customer.mean * found.n_enrolled as f64,
        "sum",
    );
    let (fixed, always) = (found.incremental_value, found.always_valid.unwrap());
    assert!(always.low < fixed.low && fixed.high < always.high, "{found:?}");
    assert!(found.variance_reduction > 0.02, "{found:?}");
    assert_eq!(total(&rows[..1], TOTAL).unwrap_err().code, "TW0723");
}

// ---- shrinkage ------------------------------------------------------------------------------------------------------

const fn belief(mean: f64, sd: f64) -> Belief {
    Belief { mean, sd }
}

const ACTIONS: [Action; 3] = [
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
];
const CHANNELS: [Belief; 2] = [belief(0.06, 0.04), belief(0.10, 0.05)];
const OFFERS: [Belief; 1] = [belief(0.10, 0.06)];
const PRIORS: ShrinkPriors<'_> = ShrinkPriors {
    actions: &ACTIONS,
    channels: &CHANNELS,
    offers: &OFFERS,
};

#[test]
fn one_measurement_is_weighed_against_the_prior_by_hand() {
    let measured = [Measured {
        action: ActionId(0),
        relative: 0.20,
        standard_error: 0.05,
    }];
    let shrunk = shrink(&measured, PRIORS).unwrap();
    let tau2 = shrink::fitted_tau(&measured, PRIORS).powi(2);
    let (prior, noise) = (0.04_f64.powi(2) + tau2, 0.05_f64.powi(2));
    assert_close(
        shrunk[0].relative.mean,
        0.06 + prior / (prior + noise) * 0.14,
        "the measured action",
    );
    let sd = (prior * noise / (prior + noise)).sqrt();
    assert_close(
        shrunk[0].relative.high - shrunk[0].relative.mean,
        Estimate::Z90 * sd,
        "its doubt",
    );
    // the same channel with an offer moves by the channel's part, another channel not at all
    let channel = 0.04_f64.powi(2) / (prior + noise) * 0.14;
    assert_close(
        shrunk[1].relative.mean,
        1.0 - 0.94 * 0.90 + channel,
        "its relative",
    );
    assert_close(shrunk[2].relative.mean, 0.10, "a stranger");
    assert_eq!(
        shrunk.iter().map(|one| one.measured).collect::<Vec<_>>(),
        [true, false, false]
    );
}

#[test]
fn much_data_wins_and_no_data_is_the_prior() {
    let certain = [Measured {
        action: ActionId(2),
        relative: -0.3,
        standard_error: 1e-4,
    }];
    assert!((shrink(&certain, PRIORS).unwrap()[2].relative.mean + 0.3).abs() < 1e-3);
    let nothing = shrink(&[], PRIORS).unwrap();
    assert_close(nothing[1].relative.mean, 1.0 - 0.94 * 0.90, "prior");
    let sd = (0.04_f64.powi(2) + 0.06_f64.powi(2) + 0.025_f64.powi(2)).sqrt();
    assert_close(
        nothing[1].relative.high - nothing[1].relative.mean,
        Estimate::Z90 * sd,
        "prior doubt",
    );
}

#[test]
fn the_spread_of_pairs_is_the_penalised_likelihoods_maximum() {
    let measured = [(ActionId(0), 0.20), (ActionId(2), 0.02)].map(|(action, relative)| Measured {
        action,
        relative,
        standard_error: 0.05,
    });
    // the two actions share nothing, so the likelihood is a product
    let score = |tau: f64| {
        let term = |sd: f64, miss: f64| {
            let variance = sd * sd + tau * tau + 0.05 * 0.05;
            variance.ln() + miss * miss / variance
        };
        tau.ln() - 0.5 * (tau / 0.025).powi(2) - 0.5 * (term(0.04, 0.14) + term(0.05, -0.08))
    };
    let found = score(shrink::fitted_tau(&measured, PRIORS));
    let best = (1..2000)
        .map(|step| score(f64::from(step) * 1e-4))
        .fold(f64::NEG_INFINITY, f64::max);
    assert!(found > best - 0.005 && found <= best + 1e-6, "{found} {best}");
}

/// Truths drawn from the prior with a spread per pair: shrunk beats unshrunk, and intervals cover.
#[test]
fn shrunk_effects_are_nearer_to_the_truth_and_their_intervals_cover() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let actions: Vec<Action> = (0..4)
        .flat_map(|channel| [None, Some(0), Some(1)].map(|offer| Action { channel, offer }))
        .collect();
    let (channels, offers) = ([belief(0.08, 0.05); 4], [belief(0.10, 0.06); 2]);
    let priors = ShrinkPriors {
        actions: &actions,
        channels: &channels,
        offers: &offers,
    };
    let (mut raw, mut shrunk, mut held, mut n) = (0.0, 0.0, 0, 0);
    for _ in 0..400 {
        let mut normal = |sd: f64| -> f64 { sd * Distribution::<f64>::sample(&StandardNormal, &mut rng) };
        let channel: Vec<f64> = (0..4).map(|_| 0.08 + normal(0.05)).collect();
        let offer: Vec<f64> = (0..2).map(|_| 0.10 + normal(0.06)).collect();
        let truth: Vec<f64> = actions
            .iter()
            .map(|a| channel[a.channel] + a.offer.map_or(0.0, |o| offer[o] - 0.008) + normal(0.03))
            .collect();
        let measured: Vec<Measured> = (0..9)
            .map(|index| Measured {
                action: ActionId(index),
                relative: truth[usize::from(index)] + normal(0.08),
                standard_error: 0.08,
            })
            .collect();
        for (found, truth) in shrink(&measured, priors).unwrap().iter().zip(&truth) {
            held += i32::from(holds(found.relative, *truth));
            n += 1;
            if let Some(one) = measured.get(usize::from(found.action.0)) {
                raw += (one.relative - truth).powi(2);
                shrunk += (found.relative.mean - truth).powi(2);
            }
        }
    }
    let coverage = f64::from(held) / f64::from(n);
    println!(
        "shrinkage: squared error {:.2} of unshrunk, coverage of 90 % intervals {coverage:.3}",
        shrunk / raw
    );
    assert!(shrunk < 0.5 * raw, "{shrunk} {raw}");
    assert!((0.86..0.94).contains(&coverage), "{coverage}");
}

#[test]
fn bad_measurements_are_refused() {
    let one = Measured {
        action: ActionId(0),
        relative: 0.1,
        standard_error: 0.1,
    };
    let code = |measured: &[Measured]| shrink(measured, PRIORS).unwrap_err().code;
    assert_eq!(code(&[one, one]), "TW0721");
    assert_eq!(
        code(&[Measured {
            standard_error: 0.0,
            ..one
        }]),
        "TW0721"
    );
    assert_eq!(
        code(&[Measured {
            action: ActionId(3),
            ..one
        }]),
        "TW0721"
    );
    assert_eq!(
        shrink(
            &[one],
            ShrinkPriors {
                offers: &[],
                ..PRIORS
            }
        )
        .unwrap_err()
        .code,
        "TW0720"
    );
}

// ---- always valid ------------------------------------------------------------------------------------------------------

/// Looking after every customer from the 100th per arm to the 4,000th: how often does the interval ever exclude the truth?
#[test]
fn looking_every_day_stays_honest() {
    let worlds = 1000_u64;
    let sequence = ConfidenceSequence::new(0.05, 1000.0).unwrap();
    let (mut wrong, mut wrong_fixed) = (0, 0);
    for index in 0..worlds {
        let mut rng = ChaCha8Rng::seed_from_u64(Seed(51).nth(index).0);
        let (mut sums, mut ever, mut ever_fixed) = ([0.0_f64; 2], false, false);
        for pair in 1..=4000_u32 {
            sums.iter_mut()
                .for_each(|sum| *sum += f64::from(u8::from(rng.random_bool(0.2))));
            if pair >= 100 {
                let n = f64::from(pair);
                let [a, b] = sums.map(|sum| sum / n);
                let se = ((a * (1.0 - a) + b * (1.0 - b)) / n).sqrt();
                ever |= !holds(sequence.interval(a - b, se, 2.0 * n), 0.0);
                ever_fixed |= (a - b).abs() > Estimate::Z95 * se;
            }
        }
        wrong += i32::from(ever);
        wrong_fixed += i32::from(ever_fixed);
    }
    let share = |count: i32| f64::from(count) / worlds as f64;
    println!(
        "looking at every pair from 100 to 4,000: always-valid {:.3}, fixed {:.3} ever wrong",
        share(wrong),
        share(wrong_fixed)
    );
    assert!(share(wrong) <= 0.05, "{wrong}");
    assert!(
        share(wrong_fixed) > 0.2,
        "the test must be able to fail: {wrong_fixed}"
    );
}

#[test]
fn a_sequence_is_tightest_where_it_was_planned_to_be() {
    let sequence = ConfidenceSequence::new(0.05, 1000.0).unwrap();
    // in units of a fixed interval at the same time; worked by hand: c = -2 ln .05 + ln(1 - 2 ln .05) = 7.93615
    let ratio = |n: f64| sequence.half_width(1.0, n) / Estimate::Z95;
    let c: f64 = 7.936_154_601_737_565;
    assert_close(
        ratio(1000.0),
        (2.0 * (c + 1.0) / c * ((c + 1.0).sqrt() / 0.05).ln()).sqrt() / Estimate::Z95,
        "planned",
    );
    let width = |planned: f64, n: f64| ConfidenceSequence::new(0.05, planned).unwrap().half_width(1.0, n);
    assert!(
        [250.0, 500.0, 2000.0, 4000.0]
            .iter()
            .all(|other| width(*other, 1000.0) > width(1000.0, 1000.0))
    );
    assert!(ConfidenceSequence::new(0.0, 10.0).is_err() && ConfidenceSequence::new(0.05, 0.5).is_err());
}

// ---- sample ratio and power ----------------------------------------------------------------------------------------------

#[test]
fn sample_ratio_alarms_once_in_a_thousand_and_sees_a_loss() {
    let mut rng = ChaCha8Rng::seed_from_u64(6);
    let mut alarms = 0;
    for _ in 0..3000 {
        let first = (0..1000).filter(|_| rng.random_bool(0.9)).count() as u64;
        alarms += i32::from(
            sample_ratio(&[first, 1000 - first], &[0.9, 0.1])
                .unwrap()
                .check
                .code
                .is_some(),
        );
    }
    assert!(alarms <= 12, "{alarms} of 3000");
    let lost = sample_ratio(&[8500, 1000], &[0.9, 0.1]).unwrap();
    assert_eq!(
        (lost.check.verdict, lost.check.code),
        (CheckVerdict::Pass, None),
        "5 % lost: p = {}",
        lost.p
    );
    let lost = sample_ratio(&[85_000, 10_000], &[0.9, 0.1]).unwrap();
    assert_eq!(
        (lost.check.verdict, lost.check.code),
        (CheckVerdict::Fail, Some("TW0403"))
    );
    assert!(sample_ratio(&[0, 0], &[0.5, 0.5]).unwrap().check.code.is_none());
    for (counts, shares) in [
        (&[1, 2][..], &[1.0][..]),
        (&[1, 2], &[0.5, 0.6]),
        (&[1, 2], &[1.0, 0.0]),
        (&[1], &[1.0]),
    ] {
        assert_eq!(sample_ratio(counts, shares).unwrap_err().code, "TW0724");
    }
}

#[test]
fn a_detectable_effect_is_detected_four_times_in_five() {
    let (n, worlds) = (400_u64, 2000_u64);
    let effect = detectable_effect(n, n / 2, 2.0);
    let found = (0..worlds).filter(|index| {
        let mut rng = ChaCha8Rng::seed_from_u64(Seed(61).nth(*index).0);
        let mut arm = |size: u64, mean: f64| -> Vec<f64> {
            (0..size)
                .map(|_| mean + 2.0 * Distribution::<f64>::sample(&StandardNormal, &mut rng))
                .collect()
        };
        let (treated, control) = (arm(n, effect), arm(n / 2, 0.0));
        difference(&plain(&treated, &control), PLAN).unwrap().effect.low > 0.0
    });
    let power = found.count() as f64 / worlds as f64;
    println!("power at the detectable effect: {power:.3}");
    assert!((0.77..0.83).contains(&power), "{power}");
    assert!(detectable_effect(0, 10, 1.0).is_infinite());
}
