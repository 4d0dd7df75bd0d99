//! Corrections per segment against an exact integral, and against simulations whose truth is known.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use thalweg_domain::{Column, ColumnData, MISSING_LEVEL, Seed, Table};

use super::evidence::OffsetRows;
use super::segments::{SegmentParams, SegmentRows, Segments, total};
use super::study::{LayerStudy, StudyParams, study};
use crate::models::{LearnerParams, sigmoid};
use crate::outcome::TrainingSet;
use crate::prepare::DenseMatrix;
use crate::task::Target;

fn normal(rng: &mut ChaCha8Rng) -> f64 {
    StandardNormal.sample(rng)
}

#[test]
fn the_evidence_is_that_of_the_integral_and_the_mode_is_a_maximum() {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let n = 60;
    let cells: Vec<f64> = (0..n).map(|_| normal(&mut rng)).collect();
    let rows = OffsetRows {
        target: (0..n)
            .map(|_| f64::from(u8::from(rng.random_bool(0.4))))
            .collect(),
        offset: (0..n).map(|_| 0.5 * normal(&mut rng)).collect(),
        weight: (0..n).map(|_| rng.random_range(0.5..1.5)).collect(),
        cells,
        width: 1,
    };
    let precision = 4.0;
    let posterior = rows.posterior(&[precision]).unwrap();
    let log_joint = |beta: f64| -> f64 {
        let each = (0..n).map(|row| {
            let margin = rows.offset[row] + rows.cells[row] * beta;
            let p = sigmoid(margin);
            rows.weight[row] * (rows.target[row] * p.ln() + (1.0 - rows.target[row]) * (1.0 - p).ln())
        });
        each.sum::<f64>() - 0.5 * precision * beta * beta + 0.5 * (precision / std::f64::consts::TAU).ln()
    };
    let step = 1e-3;
    let integral: f64 = (-4000..4000)
        .map(|i| log_joint(f64::from(i) * step).exp() * step)
        .sum();
    let log_det_free = posterior.log_evidence;
    assert!(
        (log_det_free - integral.ln()).abs() < 0.01,
        "{log_det_free} {}",
        integral.ln()
    );
    let mode = posterior.beta[0];
    for shift in [-1e-4, 1e-4] {
        assert!(log_joint(mode + shift) < log_joint(mode));
    }
}

struct Simulated {
    table: Table,
    x: DenseMatrix,
    margins: Vec<f64>,
    truth: Vec<f64>,
    target: Vec<f64>,
}

/// Four segments and missing cells; the truth is the global log-odds plus `intercept_sd` and `slope_sd` of differences.
fn simulate(n: usize, intercept_sd: f64, slope_sd: f64, seed: u64) -> Simulated {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let columns = 5;
    let own: Vec<Vec<f64>> = (0..4)
        .map(|_| {
            let mut own = vec![intercept_sd * normal(&mut rng)];
            own.extend((0..columns).map(|_| slope_sd * normal(&mut rng)));
            own
        })
        .collect();
    let mut x = DenseMatrix::zeros(n, columns);
    let (mut codes, mut margins, mut truth, mut target) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for row in 0..n {
        let cells: Vec<f64> = (0..columns).map(|_| normal(&mut rng)).collect();
        for (column, cell) in cells.iter().enumerate() {
            x.data[row * columns + column] = *cell as f32;
        }
        let code = rng.random_range(0..5_u32);
        let margin = -0.5 + 0.8 * cells[0] - 0.4 * cells[1];
        let shift = own.get(code as usize).map_or(0.0, |own| {
            own[0]
                + own[1..]
                    .iter()
                    .zip(&cells)
                    .map(|(slope, cell)| slope * cell)
                    .sum::<f64>()
        });
        codes.push(if code == 4 { MISSING_LEVEL } else { code });
        margins.push(margin);
        truth.push(margin + shift);
        target.push(f64::from(u8::from(rng.random_bool(sigmoid(margin + shift)))));
    }
    let levels = ["a", "b", "c", "d"].map(str::to_owned).to_vec();
    let segment = Column {
        name: "segment".to_owned(),
        data: ColumnData::Category { codes, levels },
    };
    let number = Column {
        name: "number".to_owned(),
        data: ColumnData::Number(vec![1.0; n]),
    };
    Simulated {
        table: Table::new(vec![segment, number]).unwrap(),
        x,
        margins,
        truth,
        target,
    }
}

fn fit(data: &Simulated, params: &SegmentParams) -> thalweg_domain::Result<Segments> {
    let rows: Vec<usize> = (0..data.margins.len()).collect();
    let weight = vec![2.0; rows.len()];
    Segments::fit(
        params,
        &SegmentRows {
            table: &data.table,
            rows: &rows,
            x: &data.x,
            margins: &data.margins,
            target: &data.target,
            weight: &weight,
        },
    )
}

fn mean_squared_error(data: &Simulated, segments: &Segments) -> (f64, f64) {
    let rows: Vec<usize> = (0..data.margins.len()).collect();
    let corrections = segments.corrections(&data.table, &rows, &data.x).unwrap();
    let n = rows.len() as f64;
    let error = |of: &dyn Fn(usize) -> f64| rows.iter().map(|row| of(*row).powi(2)).sum::<f64>() / n;
    (
        error(&|row| data.margins[row] - data.truth[row]),
        error(&|row| data.margins[row] + total(&corrections[row]) - data.truth[row]),
    )
}

#[test]
fn segments_that_do_not_differ_are_left_alone() {
    let corrected = (0..30)
        .filter(|seed| {
            let segments = fit(
                &simulate(4000, 0.0, 0.0, *seed),
                &SegmentParams::by("segment".to_owned()),
            )
            .unwrap();
            segments.widths() != (0.0, 0.0)
        })
        .count();
    assert!(corrected <= 5, "corrected by chance in {corrected} of 30");
}

#[test]
fn differences_of_level_and_of_slope_are_found_and_shrunk() {
    let level = simulate(4000, 0.6, 0.0, 1);
    let segments = fit(&level, &SegmentParams::by("segment".to_owned())).unwrap();
    let (before, after) = mean_squared_error(&level, &segments);
    assert!(after < 0.1 * before, "{before} {after}");

    let slope = simulate(8000, 0.2, 0.3, 2);
    let segments = fit(&slope, &SegmentParams::by("segment".to_owned())).unwrap();
    let (before, after) = mean_squared_error(&slope, &segments);
    assert!(
        segments.widths().1 > 0.0 && after < 0.1 * before,
        "{before} {after}"
    );
}

#[test]
fn rare_levels_missing_cells_and_new_levels_get_no_correction() {
    let data = simulate(4000, 0.6, 0.3, 1);
    let params = SegmentParams {
        min_rows: 3000,
        ..SegmentParams::by("segment".to_owned())
    };
    let segments = fit(&data, &params).unwrap();
    let rows: Vec<usize> = (0..4000).collect();
    let corrections = segments.corrections(&data.table, &rows, &data.x).unwrap();
    assert!(corrections.iter().all(|correction| total(correction) == 0.0));

    let segments = fit(&data, &SegmentParams::by("segment".to_owned())).unwrap();
    let other = Table::new(vec![Column {
        name: "segment".to_owned(),
        data: ColumnData::Category {
            codes: vec![0, MISSING_LEVEL],
            levels: vec!["z".to_owned()],
        },
    }])
    .unwrap();
    let corrections = segments.corrections(&other, &[0, 1], &data.x).unwrap();
    assert!(corrections.iter().all(|correction| total(correction) == 0.0));
}

#[test]
fn a_column_that_cannot_be_segments_is_refused() {
    let data = simulate(500, 0.0, 0.0, 1);
    let code = |name: &str| fit(&data, &SegmentParams::by(name.to_owned())).unwrap_err().code;
    assert_eq!(code("nothing"), "TW0305");
    assert_eq!(code("number"), "TW0306");
}

/// A study of a small net; two rows belong to each customer.
fn study_of(data: &Simulated, target: Target<'_>, column: Option<&str>) -> Result<LayerStudy, &'static str> {
    let n = target.len();
    let group: Vec<u64> = (0..n as u64).map(|row| row / 2).collect();
    let set = TrainingSet {
        table: &data.table,
        target,
        weight: &vec![1.0; n],
        group: &group,
        period: None,
    };
    let mut learners = LearnerParams::default();
    learners.mlp.hidden = vec![4];
    learners.mlp.epochs = 3;
    let params = StudyParams {
        segments: column.map(|column| SegmentParams::by(column.to_owned())),
        ..StudyParams::default()
    };
    study(&set, &learners, &params, Seed(3)).map_err(|error| error.code)
}

#[test]
fn a_study_compares_on_the_same_folds_and_nets() {
    let data = simulate(1000, 0.8, 0.0, 2);
    let target: Vec<bool> = data.target.iter().map(|cell| *cell > 0.5).collect();
    let alone = study_of(&data, Target::Binary(&target), None).unwrap();
    let found = study_of(&data, Target::Binary(&target), Some("segment")).unwrap();
    assert_eq!(alone.segmented, None);
    assert_eq!((alone.plain, alone.pretrained), (found.plain, found.pretrained));
    assert_eq!(
        found,
        study_of(&data, Target::Binary(&target), Some("segment")).unwrap()
    );
    assert_ne!(found.pretrained.mean, found.plain);
    assert_eq!((found.metric, found.folds), ("auc", 5));
    for contender in [found.pretrained, found.segmented.unwrap()] {
        let difference = contender.difference;
        assert!((contender.mean - found.plain - difference.mean).abs() < 1e-12);
        assert!(difference.low < difference.mean && difference.mean < difference.high);
    }
}

#[test]
fn a_study_takes_numbers_without_segments_and_refuses_what_it_cannot_compare() {
    let data = simulate(300, 0.0, 0.0, 2);
    assert_eq!(
        study_of(&data, Target::Value(&data.truth), None).unwrap().metric,
        "r2"
    );
    let refused = |target: Target<'_>, column: &str| study_of(&data, target, Some(column)).unwrap_err();
    assert_eq!(refused(Target::Value(&data.truth), "segment"), "TW0335");
    let target: Vec<bool> = data.target.iter().map(|cell| *cell > 0.5).collect();
    assert_eq!(refused(Target::Binary(&target), "number"), "TW0306");
    let few: Vec<bool> = (0..300).map(|row| row < 18).collect();
    assert_eq!(refused(Target::Binary(&few), "segment"), "TW0302");
}
