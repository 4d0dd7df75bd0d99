//! The posterior against finite differences and against a direct computation.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::model::{Anchor, Model, Noise, Spec, Work};
use crate::{Adstock, LiftTest, Panel, ReturnPrior, Saturation, Seasonality, Series};

pub(crate) fn panel(n: usize, channels: usize, series: usize, seed: u64) -> Panel {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut one = |name: usize| Series {
        name: format!("north {name}"),
        outcome: (0..n)
            .map(|_| 100.0 + 50.0 * rng.random_range(0.0..1.0))
            .collect(),
        spend: (0..channels)
            .map(|_| {
                (0..n)
                    .map(|_| (10.0 * rng.random_range(-0.3..1.0_f64)).max(0.0))
                    .collect()
            })
            .collect(),
        controls: vec![(0..n).map(|_| rng.random_range(-1.0..1.0)).collect()],
    };
    Panel {
        days: (0..n)
            .map(|t| 17_000 + 7 * i64::try_from(t).unwrap_or(0))
            .collect(),
        step: 7,
        channels: (0..channels).map(|c| format!("c{c}")).collect(),
        controls: vec!["price".to_owned()],
        series: (0..series).map(&mut one).collect(),
        holidays: Vec::new(),
    }
}

fn specs() -> Vec<(Spec, usize)> {
    let lifts = vec![
        LiftTest {
            channel: 1,
            series: None,
            spend: 4.0,
            change: 2.0,
            lift: 5.0,
            sd: 2.0,
        },
        LiftTest {
            channel: 0,
            series: Some(0),
            spend: 3.0,
            change: -3.0,
            lift: -4.0,
            sd: 1.5,
        },
    ];
    let returns = vec![ReturnPrior {
        channel: 0,
        mean: 2.0,
        sd: 1.0,
    }];
    let mut out = Vec::new();
    for saturation in [Saturation::Logistic, Saturation::Hill, Saturation::Linear] {
        for (adstock, noise, anchor, series) in [
            (Adstock::Geometric, Noise::Normal, Anchor::Mean, 1),
            (Adstock::Weibull, Noise::StudentT, Anchor::Peak, 1),
            (Adstock::Geometric, Noise::StudentT, Anchor::Mean, 3),
            (Adstock::Weibull, Noise::Normal, Anchor::Peak, 2),
        ] {
            let spec = Spec {
                saturation,
                adstock,
                noise,
                anchor,
                lags: 5,
                seasonality: Seasonality { yearly: 1, weekly: 0 },
                lifts: lifts.clone(),
                returns: returns.clone(),
                ..Spec::default()
            };
            out.push((spec, series));
        }
    }
    out
}

#[test]
fn the_gradient_is_that_of_differences() {
    for (spec, series) in specs() {
        let panel = panel(23, 2, series, 5);
        let model = Model::new(&panel, &spec, 23, 23);
        let (mut work, mut rng) = (Work::new(&model), ChaCha8Rng::seed_from_u64(9));
        for _ in 0..5 {
            let point: Vec<f64> = model
                .start()
                .iter()
                .map(|own| own + rng.random_range(-0.7..0.7))
                .collect();
            let mut gradient = vec![0.0; point.len()];
            let mut aside = gradient.clone();
            assert!(work.log_density(&model, &point, &mut gradient).is_some());
            for at in 0..point.len() {
                let mut value = |step: f64| {
                    let mut moved = point.clone();
                    moved[at] += step;
                    work.log_density(&model, &moved, &mut aside).unwrap_or(f64::NAN)
                };
                let h = 1e-5;
                let slope = (value(h) - value(-h)) / (2.0 * h);
                let scale = 1.0 + slope.abs();
                assert!(
                    (slope - gradient[at]).abs() < 2e-5 * scale,
                    "{:?} {:?} {:?} series {series} parameter {at}: {slope} and {}",
                    spec.saturation,
                    spec.adstock,
                    spec.noise,
                    gradient[at]
                );
            }
        }
    }
}

/// Without the linear part the density is that of a normal with covariance `sigma^2 I + X V X'`, here by Cholesky.
#[test]
fn the_linear_part_is_integrated_out_exactly() {
    let panel = panel(20, 1, 1, 3);
    let spec = Spec {
        lags: 4,
        ..Spec::default()
    };
    let model = Model::new(&panel, &spec, 20, 20);
    let mut work = Work::new(&model);
    let start = model.start();
    let direct = |free: &[f64]| {
        let natural = model.natural(free, 0);
        let y = &panel.series[0];
        let x: Vec<f64> = y.spend[0].iter().map(|own| own / model.x_scale[0][0]).collect();
        let weights: Vec<f64> = (0..4).map(|l| natural.adstock[0].powi(l)).collect();
        let total: f64 = weights.iter().sum();
        let residual: Vec<f64> = (0..20)
            .map(|t| {
                let carried: f64 = (0..4.min(t + 1)).map(|l| weights[l] / total * x[t - l]).sum();
                let centre: f64 = model
                    .design
                    .columns
                    .iter()
                    .zip(&model.design.centre)
                    .map(|(own, m)| m * own[t])
                    .sum();
                y.outcome[t] / model.y_scale[0]
                    - centre
                    - natural.height * (natural.saturation[0] * carried / 2.0).tanh()
            })
            .collect();
        let covariance: Vec<Vec<f64>> = (0..20)
            .map(|i| {
                (0..20)
                    .map(|j| {
                        let linear: f64 = model
                            .design
                            .columns
                            .iter()
                            .zip(&model.design.deviation)
                            .map(|(own, sd)| own[i] * own[j] * sd * sd)
                            .sum();
                        linear + if i == j { model.sigma(free).powi(2) } else { 0.0 }
                    })
                    .collect()
            })
            .collect();
        let mut lower = vec![vec![0.0; 20]; 20];
        let (mut z, mut log) = (vec![0.0; 20], 0.0);
        for i in 0..20 {
            for j in 0..=i {
                let sum: f64 = covariance[i][j] - (0..j).map(|k| lower[i][k] * lower[j][k]).sum::<f64>();
                lower[i][j] = if i == j { sum.sqrt() } else { sum / lower[j][j] };
            }
            z[i] = (residual[i] - (0..i).map(|k| lower[i][k] * z[k]).sum::<f64>()) / lower[i][i];
            log += lower[i][i].ln();
        }
        let [alpha, lam] = [natural.adstock[0], natural.saturation[0]];
        // Beta(1, 3), Gamma(3, 1), HalfNormal(0.5) twice, with the change of variables
        let prior = alpha.ln() + 3.0 * (1.0 - alpha).ln() + 3.0 * lam.ln() - lam + natural.height.ln()
            - 2.0 * natural.height.powi(2)
            + model.sigma(free).ln()
            - 2.0 * model.sigma(free).powi(2);
        -0.5 * z.iter().map(|own| own * own).sum::<f64>() - log + prior
    };
    let mut gradient = vec![0.0; model.dim()];
    let mut own = |free: &[f64]| work.log_density(&model, free, &mut gradient).unwrap_or(f64::NAN);
    let other: Vec<f64> = start
        .iter()
        .enumerate()
        .map(|(i, own)| own + 0.2 * (i as f64 - 1.3))
        .collect();
    let (here, there) = (own(&start) - direct(&start), own(&other) - direct(&other));
    assert!((here - there).abs() < 1e-8, "{here} {there}");
}

/// A slice of the study of fifty businesses (`just study-response`): two of them, with two channels each.
#[test]
fn contributions_of_simulated_businesses_lie_in_their_intervals() {
    use crate::fit::{Request, Sampling, fit};
    use thalweg_domain::Seed;
    use thalweg_market::weekly::WeeklyBusiness;

    let mut inside = 0;
    for seed in [5, 6] {
        let own = WeeklyBusiness::new(Seed(seed));
        let panel = Panel {
            days: own.days.clone(),
            step: 7,
            channels: (0..own.spend.len())
                .map(|channel| format!("c{channel}"))
                .collect(),
            controls: vec!["control".to_owned()],
            series: vec![Series {
                name: String::new(),
                outcome: own.outcome.clone(),
                spend: own.spend.clone(),
                controls: vec![own.control.clone()],
            }],
            holidays: Vec::new(),
        };
        let request = Request {
            spec: Spec::default(),
            sampling: Sampling::default(),
            held_out: 0,
            budget: None,
            max_change: 0.3,
            seed: Seed(1),
        };
        let fitted = fit(&panel, &request, &|_| ()).unwrap();
        assert!(fitted.attempts[0].passes(), "{:?}", fitted.attempts);
        for (channel, result) in fitted.results.unwrap().channels.iter().enumerate() {
            let truth: f64 = own.contribution[channel].iter().sum();
            inside += usize::from(result.contribution.low <= truth && truth <= result.contribution.high);
        }
    }
    assert!(inside >= 3, "{inside} of 4");
}
