//! Fairness against published intervals and populations with and without a gap.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use thalweg_domain::{CheckVerdict, Estimate};

use super::{Decided, Parity, Rate, Reference, equalise, fairness, newcombe_difference, ratio_interval};
use crate::evaluate::{Grouping, Payoff};

fn rate(hits: usize, n: usize) -> Rate {
    let cells: Vec<bool> = (0..n).map(|row| row < hits).collect();
    let group: Vec<u64> = (0..n as u64).collect();
    Rate::of(&cells, &group)
}

#[track_caller]
fn near(found: f64, published: f64, tolerance: f64) {
    assert!(
        (found - published).abs() < tolerance,
        "{found}, published {published}"
    );
}

#[test]
fn differences_are_newcombes_published_examples() {
    // Newcombe 1998, table II, method 10: (a) 56/70 - 48/80, (e) 5/56 - 0/29, (g) 10/10 - 0/10
    for (a, b, low, high) in [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ] {
        let found = newcombe_difference(&rate(a.0, a.1), &rate(b.0, b.1), Estimate::Z95);
        near(found.low, low, 6e-5);
        near(found.high, high, 6e-5);
    }
}

#[test]
fn ratios_are_katzs_and_bear_none_at_all() {
    let found = ratio_interval(&rate(30, 100), &rate(60, 120), Estimate::Z95);
    // ln(0.6) ± 1.96 sqrt(1/30 - 1/100 + 1/60 - 1/120)
    let reach = Estimate::Z95 * (1.0 / 30.0 - 0.01 + 1.0 / 60.0 - 1.0 / 120.0_f64).sqrt();
    near(found.mean, 0.6, 1e-12);
    near(found.low, 0.6 * (-reach).exp(), 1e-12);
    near(found.high, 0.6 * reach.exp(), 1e-12);
    let none = ratio_interval(&rate(0, 50), &rate(10, 50), Estimate::Z95);
    assert!(none.mean > 0.0 && none.mean < 0.1 && none.high < 1.0, "{none:?}");
    assert_eq!(
        ratio_interval(&rate(0, 0), &rate(1, 5), Estimate::Z95).high,
        f64::INFINITY
    );
}

#[test]
fn rows_of_the_same_customer_count_less() {
    let hits: Vec<bool> = (0..400).map(|row| row / 4 < 30).collect();
    let same: Vec<u64> = (0..400).map(|row| row / 4).collect();
    let rate = Rate::of(&hits, &same);
    near(rate.effective_n, 99.0, 0.01);
    let none = Rate::of(&[false; 400], &same);
    assert_eq!(none.effective_n, 100.0, "no spread: one row per customer");
}

struct Population {
    p: Vec<f64>,
    y: Vec<bool>,
    selected: Vec<bool>,
    level: Vec<u32>,
    group: Vec<u64>,
}

/// Two groups; the second one's scores are lower by `shift` than its outcomes deserve.
fn population(n: usize, seed: u64, shift: f64) -> Population {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let level: Vec<u32> = (0..n).map(|row| (row % 2) as u32).collect();
    let truth: Vec<f64> = (0..n).map(|_| rng.random_range(0.05..0.95)).collect();
    let y = truth.iter().map(|p| rng.random::<f64>() < *p).collect();
    let p: Vec<f64> = truth
        .iter()
        .zip(&level)
        .map(|(p, level)| (p - shift * f64::from(*level)).max(0.0))
        .collect();
    let selected = p.iter().map(|p| *p >= 0.5).collect();
    Population {
        p,
        y,
        selected,
        level,
        group: (0..n as u64).collect(),
    }
}

impl Population {
    fn report(&self, reference: Reference<'_>) -> super::FairnessReport {
        let names = ["F", "M"].map(str::to_owned);
        let column = Grouping {
            column: "sex",
            level: &self.level,
            names: &names,
        };
        let decided = Decided {
            p: &self.p,
            selected: &self.selected,
            y: &self.y,
            group: &self.group,
        };
        fairness(&decided, &column, reference).unwrap()
    }
}

#[test]
fn a_group_that_is_passed_over_fails_in_plain_words() {
    let report = population(4000, 1, 0.3).report(Reference::Largest);
    assert_eq!(
        (report.reference.as_str(), report.check.verdict),
        ("F", CheckVerdict::Fail)
    );
    assert_eq!(report.check.code, Some("TW0324"));
    let detail = &report.check.detail;
    assert!(
        detail.starts_with("column \"sex\": ") && detail.contains("\"M\" is selected"),
        "{detail}"
    );
    let comparison = &report.comparisons[0];
    assert!(
        comparison.selection_ratio.high < 0.8 && comparison.true_positive_gap.high < -0.1,
        "{comparison:?}"
    );
    // whichever group is the reference, the same is said
    let turned = population(4000, 1, 0.3).report(Reference::Level("M"));
    assert_eq!(
        (turned.reference.as_str(), turned.check.verdict),
        ("M", CheckVerdict::Fail)
    );
    near(
        turned.comparisons[0].selection_ratio.mean,
        1.0 / comparison.selection_ratio.mean,
        1e-9,
    );
    let small = population(70, 1, 0.3).report(Reference::Largest);
    assert_eq!(
        small.check.verdict,
        CheckVerdict::Review,
        "{}",
        small.check.detail
    );
    let tiny = population(40, 1, 0.3).report(Reference::Largest);
    assert_eq!(tiny.check.verdict, CheckVerdict::Pass, "{}", tiny.check.detail);
    assert!(
        tiny.check.detail.contains("no second group"),
        "{}",
        tiny.check.detail
    );
}

#[test]
fn equal_treatment_passes() {
    for seed in 0..40 {
        let check = population(4000, seed, 0.0).report(Reference::Largest).check;
        assert_eq!(check.verdict, CheckVerdict::Pass, "{}", check.detail);
    }
}

#[test]
fn probabilities_that_mean_less_for_a_group_are_reported() {
    let mut people = population(4000, 3, 0.07);
    people.selected = people.level.iter().zip(0..).map(|(_, row)| row % 4 < 2).collect();
    let check = people.report(Reference::Largest).check;
    assert_eq!(check.verdict, CheckVerdict::Review, "{}", check.detail);
    assert!(
        check.detail.contains("for \"M\" the model says 0.4"),
        "{}",
        check.detail
    );
}

#[test]
fn a_level_that_nobody_has_is_no_reference() {
    let people = population(100, 1, 0.0);
    let names = ["F", "M", "X"].map(str::to_owned);
    let column = Grouping {
        column: "sex",
        level: &people.level,
        names: &names,
    };
    let decided = Decided {
        p: &people.p,
        selected: &people.selected,
        y: &people.y,
        group: &people.group,
    };
    assert_eq!(
        fairness(&decided, &column, Reference::Level("X"))
            .unwrap_err()
            .code,
        "TW0320"
    );
}

/// Coverage of Wilson, Newcombe and Katz by enumeration: 5000 pairs of draws; the binomial standard error is 0.3 points.
#[test]
fn intervals_cover_what_they_say() {
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    let mut covered = [0_u32; 3];
    let (n, p, m, q) = (80, 0.3, 60, 0.45);
    let draw = |rng: &mut ChaCha8Rng, n: usize, p: f64| (0..n).filter(|_| rng.random::<f64>() < p).count();
    for _ in 0..5000 {
        let (a, b) = (rate(draw(&mut rng, n, p), n), rate(draw(&mut rng, m, q), m));
        let inside =
            |estimate: Estimate, truth: f64| u32::from((estimate.low..=estimate.high).contains(&truth));
        covered[0] += inside(a.estimate, p);
        covered[1] += inside(newcombe_difference(&a, &b, Estimate::Z95), p - q);
        covered[2] += inside(ratio_interval(&a, &b, Estimate::Z95), p / q);
    }
    for covered in covered {
        assert!((4650..=4850).contains(&covered), "{covered} of 5000");
    }
}

#[test]
fn own_thresholds_close_the_gap_and_say_what_it_costs() {
    let people = population(4000, 5, 0.3);
    let names = ["F", "M"].map(str::to_owned);
    let column = Grouping {
        column: "sex",
        level: &people.level,
        names: &names,
    };
    for parity in [Parity::SelectionRate, Parity::TruePositiveRate] {
        let found = equalise(&people.p, &people.y, &column, (parity, 0.5), &Payoff::ACCURACY).unwrap();
        assert!(found.gap_before > 0.2 && found.gap_after < 0.005, "{found:?}");
        // the scores were wrong for one group: its own threshold repairs them, and pays
        assert!(found.accuracy_after > found.accuracy_before + 0.02, "{found:?}");
        near(found.profit_after, found.accuracy_after, 1e-12);
        near(
            found.thresholds[0].threshold - found.thresholds[1].threshold,
            0.3,
            0.06,
        );
        let by_hand: Vec<bool> = people
            .p
            .iter()
            .zip(&people.level)
            .map(|(p, level)| *p >= found.thresholds[*level as usize].threshold)
            .collect();
        let right = by_hand.iter().zip(&people.y).filter(|(act, y)| act == y).count();
        near(found.accuracy_after, right as f64 / 4000.0, 1e-12);
    }
}

#[test]
fn equal_rates_cost_where_groups_differ_in_truth() {
    // honest scores, but the second group leaves less often: equal selection must cost accuracy
    let mut rng = ChaCha8Rng::seed_from_u64(6);
    let level: Vec<u32> = (0..4000).map(|row| row % 2).collect();
    let p: Vec<f64> = level
        .iter()
        .map(|level| rng.random_range(0.0..1.0) * if *level == 1 { 0.6 } else { 1.0 })
        .collect();
    let y: Vec<bool> = p.iter().map(|p| rng.random::<f64>() < *p).collect();
    let names = ["a", "b"].map(str::to_owned);
    let column = Grouping {
        column: "plan",
        level: &level,
        names: &names,
    };
    let found = equalise(&p, &y, &column, (Parity::SelectionRate, 0.5), &Payoff::ACCURACY).unwrap();
    assert!(found.gap_before > 0.25 && found.gap_after < 0.005, "{found:?}");
    assert!(found.accuracy_after < found.accuracy_before - 0.005, "{found:?}");
    assert!(found.thresholds[0].threshold > found.thresholds[1].threshold);
}
