//! Importance against models whose features' worth is known, and conformal sets against the coverage they promise.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use thalweg_domain::{Column, ColumnData, Seed, Table};

use super::reference::agree;
use crate::evaluate::{
    ClassConformal, ClassScores, Coverage, FoldResiduals, Shuffled, ValueConformal, contribution_importance,
    cv_plus_interval, permutation_importance, permutation_importance_of_metric, shuffle_column,
};

const N: usize = 4000;

fn columns() -> [Vec<f64>; 3] {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    std::array::from_fn(|_| (0..N).map(|_| rng.random_range(-1.0..1.0)).collect())
}

fn names() -> Vec<String> {
    ["a", "b", "noise"].map(str::to_owned).to_vec()
}

/// Squared error of `2 a + b` when it predicts itself: shuffling a feature of variance 1/3 adds twice its variance times
/// its squared weight.
fn squared_errors(columns: &[Vec<f64>; 3], shuffled: Option<Shuffled<'_>>) -> Vec<f64> {
    let cell = |feature: usize, row: usize| match shuffled {
        Some(own) if own.feature == feature => columns[feature][own.order[row]],
        _ => columns[feature][row],
    };
    (0..N)
        .map(|row| (2.0 * (cell(0, row) - columns[0][row]) + cell(1, row) - columns[1][row]).powi(2))
        .collect()
}

#[test]
fn shuffling_finds_what_a_feature_is_worth() {
    let columns = columns();
    let group: Vec<u64> = (0..N as u64).collect();
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            permutation_importance(&names(), &group, (4, Seed(1)), |shuffled| {
                Ok(squared_errors(&columns, shuffled))
            })
            .unwrap()
        })
    };
    let found = run(1);
    assert_eq!(found, run(3), "whatever the number of threads");
    let order: Vec<&str> = found.iter().map(|own| own.feature.as_str()).collect();
    assert_eq!(order, ["a", "b", "noise"]);
    for (own, truth) in found.iter().zip([8.0 / 3.0, 2.0 / 3.0, 0.0]) {
        let importance = own.importance;
        assert!(importance.low <= truth && truth <= importance.high, "{own:?}");
        assert!(importance.high - importance.low < 0.3, "{own:?}");
    }
    let same = permutation_importance_of_metric(&names(), N, (4, Seed(1)), |shuffled| {
        Ok(-squared_errors(&columns, shuffled).iter().sum::<f64>() / N as f64)
    });
    for (metric, rows) in same.unwrap().iter().zip(&found) {
        agree("the same figure", metric.importance.mean, rows.importance.mean);
    }
    let broken = permutation_importance(&names(), &group, (1, Seed(1)), |_| Ok(vec![f64::NAN; N]));
    assert_eq!(broken.unwrap_err().code, "TW0320");
}

#[test]
fn a_shuffled_column_leaves_the_others() {
    let numbers = |name: &str, cells: [f64; 3]| Column {
        name: name.to_owned(),
        data: ColumnData::Number(cells.to_vec()),
    };
    let table = Table::new(vec![numbers("x", [1.0, 2.0, 3.0]), numbers("z", [4.0, 5.0, 6.0])]).unwrap();
    let shuffled = shuffle_column(&table, "x", &[2, 0, 1]).unwrap();
    let expected = Table::new(vec![numbers("x", [3.0, 1.0, 2.0]), numbers("z", [4.0, 5.0, 6.0])]).unwrap();
    assert_eq!(shuffled, expected);
    assert_eq!(
        shuffle_column(&table, "y", &[0, 1, 2]).unwrap_err().code,
        "TW0320"
    );
}

#[test]
fn contributions_are_averaged_with_the_error_of_a_mean() {
    let columns = columns();
    let cells: Vec<f64> = (0..N)
        .flat_map(|row| [2.0 * columns[0][row], columns[1][row], 0.0])
        .collect();
    let group: Vec<u64> = (0..N as u64).collect();
    let found = contribution_importance(&cells, &names(), &group, Seed(1)).unwrap();
    // |2 a| is uniform on 0 to 2: mean 1, standard deviation 1/sqrt(3)
    let error = (1.0 / 3.0_f64 / N as f64).sqrt() * thalweg_domain::Estimate::Z95;
    let own = found[0].mean_absolute;
    assert!((own.mean - 1.0).abs() < error * 1.5, "{own:?}");
    assert!(((own.high - own.mean) / error - 1.0).abs() < 0.15, "{own:?}");
    let shares: f64 = found.iter().map(|own| own.share.mean).sum();
    agree("shares add up", shares, 1.0);
    assert!(
        (found[0].share.mean - 2.0 / 3.0).abs() < 0.02 && found[2].share.high == 0.0,
        "{found:?}"
    );
    // four rows of each customer: twice the error
    let fourfold = cells.repeat(4);
    let of_one: Vec<u64> = (0..4 * N as u64).map(|row| row % N as u64).collect();
    let clustered = contribution_importance(&fourfold, &names(), &of_one, Seed(1)).unwrap();
    agree(
        "rows of a customer go together",
        clustered[0].mean_absolute.high,
        own.high,
    );
}

fn normal(rng: &mut ChaCha8Rng) -> f64 {
    let (u, v): (f64, f64) = (rng.random_range(f64::EPSILON..1.0), rng.random());
    (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

/// For continuous scores the coverage of a calibration is Beta(k, n + 1 - k) with k = ceil((n + 1) level); its mean over R
/// calibrations with M test rows each has this mean and standard error.
fn expected_coverage(n: f64, level: f64, repeats: f64, tests: f64) -> (f64, f64) {
    let k = ((n + 1.0) * level - 1e-9).ceil();
    let mean = k / (n + 1.0);
    let variance = mean * (1.0 - mean) / (n + 2.0);
    let of_test = (mean * (1.0 - mean) - variance) / tests;
    (mean, ((variance + of_test) / repeats).sqrt())
}

#[test]
fn intervals_cover_exactly_as_split_conformal_theory_says() {
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let (n, repeats, tests) = (57, 2000, 20);
    for (level, scaled) in [(0.9, false), (0.8, true)] {
        let mut covered = 0;
        for _ in 0..repeats {
            // noise grows with the scale; the prediction is 0 for all
            let scale: Vec<f64> = (0..n + tests).map(|_| rng.random_range(0.5..3.0)).collect();
            let y: Vec<f64> = scale.iter().map(|scale| scale * normal(&mut rng)).collect();
            let known = scaled.then(|| &scale[..n]);
            let fitted = ValueConformal::fit(&vec![0.0; n], &y[..n], known, level).unwrap();
            covered += (n..n + tests)
                .filter(|row| {
                    let (low, high) = fitted.interval(0.0, if scaled { scale[*row] } else { 1.0 });
                    (low..=high).contains(&y[*row])
                })
                .count();
        }
        let share = covered as f64 / (repeats * tests) as f64;
        let (mean, error) = expected_coverage(n as f64, level, repeats as f64, tests as f64);
        assert!(
            (share - mean).abs() < 4.0 * error,
            "{share}, theory {mean} +- {error}"
        );
    }
}

/// Three classes of unequal size; the model's probabilities are off, and worst for the rare one.
fn classes(rng: &mut ChaCha8Rng, n: usize) -> (Vec<f64>, Vec<u32>) {
    let y: Vec<u32> = (0..n)
        .map(|_| match rng.random::<f64>() {
            u if u < 0.6 => 0,
            u if u < 0.9 => 1,
            _ => 2,
        })
        .collect();
    let mut p = Vec::new();
    for class in &y {
        let mut logits = [0.5, 0.0, -1.0].map(|prior| prior + normal(rng));
        logits[*class as usize] += 1.2;
        let total: f64 = logits.iter().map(|logit| logit.exp()).sum();
        p.extend(logits.map(|logit| logit.exp() / total));
    }
    (p, y)
}

#[test]
fn sets_of_classes_cover_and_leave_no_class_behind_when_asked() {
    let mut rng = ChaCha8Rng::seed_from_u64(12);
    let (n, repeats, tests) = (400, 200, 400);
    let group: Vec<u64> = (0..tests as u64).collect();
    let (mut marginal, mut rare_marginal, mut rare_own, mut n_rare) = (0.0, 0.0, 0.0, 0.0);
    for _ in 0..repeats {
        let (p, y) = classes(&mut rng, n);
        let (test_p, test_y) = classes(&mut rng, tests);
        let (scores, test) = (
            ClassScores {
                p: &p,
                y: &y,
                n_classes: 3,
            },
            ClassScores {
                p: &test_p,
                y: &test_y,
                n_classes: 3,
            },
        );
        let fit = |coverage| {
            ClassConformal::fit(&scores, 0.9, coverage)
                .unwrap()
                .quality(&test, &group)
                .unwrap()
        };
        let (all, own) = (fit(Coverage::Marginal), fit(Coverage::PerClass));
        let rare = test_y.iter().filter(|class| **class == 2).count() as f64;
        marginal += all.coverage.mean / repeats as f64;
        rare_marginal += rare * all.coverage_by_class[2].unwrap();
        rare_own += rare * own.coverage_by_class[2].unwrap();
        n_rare += rare;
        assert!(own.mean_size > all.mean_size && all.mean_size < 3.0, "{own:?}");
    }
    let (mean, error) = expected_coverage(n as f64, 0.9, repeats as f64, tests as f64);
    // a set always holds the most likely class, so coverage may lie a little above
    assert!(
        marginal > mean - 4.0 * error && marginal < mean + 0.01,
        "{marginal}, theory {mean} +- {error}"
    );
    assert!(
        rare_marginal / n_rare < 0.85,
        "one threshold for all leaves the rare class behind: {}",
        rare_marginal / n_rare
    );
    let own = rare_own / n_rare;
    assert!(
        (0.89..0.94).contains(&own),
        "a threshold for each does not: {own}"
    );
}

/// A regression through the origin, fitted without each fold and on all rows.
#[test]
fn out_of_fold_and_cv_plus_intervals_cover_new_rows() {
    let mut rng = ChaCha8Rng::seed_from_u64(13);
    let (n, folds, repeats, level) = (60, 5, 1500, 0.9);
    let slope = |rows: &[(f64, f64)]| {
        rows.iter().map(|(x, y)| x * y).sum::<f64>() / rows.iter().map(|(x, _)| x * x).sum::<f64>()
    };
    let (mut pooled, mut plus) = (0, 0);
    for _ in 0..repeats {
        let rows: Vec<(f64, f64)> = (0..n)
            .map(|_| {
                let x = normal(&mut rng);
                (x, 2.0 * x + normal(&mut rng))
            })
            .collect();
        let fold: Vec<u8> = (0..n).map(|row| (row % folds) as u8).collect();
        let without: Vec<f64> = (0..folds)
            .map(|own| {
                slope(
                    &rows
                        .iter()
                        .zip(&fold)
                        .filter(|(_, fold)| usize::from(**fold) != own)
                        .map(|(row, _)| *row)
                        .collect::<Vec<_>>(),
                )
            })
            .collect();
        let predicted: Vec<f64> = rows
            .iter()
            .zip(&fold)
            .map(|((x, _), fold)| without[usize::from(*fold)] * x)
            .collect();
        let y: Vec<f64> = rows.iter().map(|(_, y)| *y).collect();
        let x = normal(&mut rng);
        let truth = 2.0 * x + normal(&mut rng);
        let fitted = ValueConformal::fit(&predicted, &y, None, level).unwrap();
        let (low, high) = fitted.interval(slope(&rows) * x, 1.0);
        pooled += u32::from((low..=high).contains(&truth));
        let absolute: Vec<f64> = predicted.iter().zip(&y).map(|(p, y)| (p - y).abs()).collect();
        let new: Vec<f64> = without.iter().map(|slope| slope * x).collect();
        let (low, high) = cv_plus_interval(
            &FoldResiduals {
                absolute: &absolute,
                fold: &fold,
            },
            &new,
            level,
        )
        .unwrap();
        plus += u32::from((low..=high).contains(&truth));
    }
    // one test row per repeat: a binomial standard error of 0.8 points
    for covered in [pooled, plus] {
        let share = f64::from(covered) / f64::from(repeats);
        assert!((share - 0.9).abs() < 4.0 * 0.0078, "{share}");
    }
}

#[test]
fn too_few_rows_give_everything() {
    let few = ValueConformal::fit(&[0.0; 5], &[1.0, 2.0, 3.0, 4.0, 5.0], None, 0.9).unwrap();
    assert_eq!(few.interval(1.0, 1.0), (f64::NEG_INFINITY, f64::INFINITY));
    // nine rows are just enough for 0.9: the largest residual
    let nine: Vec<f64> = (1..10).map(f64::from).collect();
    let enough = ValueConformal::fit(&[0.0; 9], &nine, None, 0.9).unwrap();
    assert_eq!(enough.interval(1.0, 1.0), (-8.0, 10.0));
    let stored = serde_json::to_string(&few).unwrap();
    assert_eq!(serde_json::from_str::<ValueConformal>(&stored).unwrap(), few);
    let p = [0.7, 0.3, 0.6, 0.4];
    let scores = ClassScores {
        p: &p,
        y: &[0, 1],
        n_classes: 2,
    };
    let sets = ClassConformal::fit(&scores, 0.9, Coverage::PerClass).unwrap();
    assert_eq!(sets.set(&[0.99, 0.01]), [0, 1]);
    assert_eq!(
        ValueConformal::fit(&[0.0], &[1.0], Some(&[0.0]), 0.9)
            .unwrap_err()
            .code,
        "TW0320"
    );
    assert_eq!(
        ValueConformal::fit(&[0.0], &[1.0], None, 1.0).unwrap_err().code,
        "TW0320"
    );
    let residuals = FoldResiduals {
        absolute: &[1.0, 1.0],
        fold: &[0, 3],
    };
    assert_eq!(
        cv_plus_interval(&residuals, &[1.0], 0.5).unwrap_err().code,
        "TW0320"
    );
}
