//! The compressed nets against the plain arithmetic of the layers that they came from.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::int8::{Int8Net, quantize};
use super::layers::{After, Dense};
use super::sparse::SparseNet;
use crate::models::mlp::Activation;

fn normal(rng: &mut ChaCha8Rng) -> f32 {
    StandardNormal.sample(rng)
}

/// A net with the given widths; every other hidden layer is normalised.
fn net(widths: &[usize], activation: Activation, seed: u64) -> Vec<Dense> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let n_layers = widths.len() - 1;
    (0..n_layers)
        .map(|layer| {
            let (inputs, units) = (widths[layer], widths[layer + 1]);
            let scale = (2.0 / inputs as f32).sqrt();
            let last = layer + 1 == n_layers;
            Dense {
                inputs,
                units,
                weights: (0..inputs * units).map(|_| scale * normal(&mut rng)).collect(),
                bias: (0..units).map(|_| 0.1 * normal(&mut rng)).collect(),
                after: After {
                    norm: (layer % 2 == 1 && !last).then(|| {
                        let gain = (0..units).map(|_| rng.random_range(0.5..1.5)).collect();
                        (gain, vec![0.1; units])
                    }),
                    activation: (!last).then_some(activation),
                },
            }
        })
        .collect()
}

fn plain(layers: &[Dense], x: &[f32]) -> Vec<f32> {
    layers.iter().fold(x.to_vec(), |cells, layer| {
        let mut sums = layer.sums(&cells);
        layer.after.apply(&mut sums, layer.units);
        sums
    })
}

fn rows(n: usize, inputs: usize, seed: u64) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..n * inputs).map(|_| normal(&mut rng)).collect()
}

fn correlation(a: &[f32], b: &[f32]) -> f64 {
    let mean = |x: &[f32]| x.iter().map(|x| f64::from(*x)).sum::<f64>() / x.len() as f64;
    let (a_mean, b_mean) = (mean(a), mean(b));
    let sum = |f: &dyn Fn(f64, f64) -> f64| -> f64 {
        let each = a.iter().zip(b);
        each.map(|(a, b)| f(f64::from(*a) - a_mean, f64::from(*b) - b_mean))
            .sum()
    };
    sum(&|a, b| a * b) / (sum(&|a, _| a * a) * sum(&|_, b| b * b)).sqrt()
}

const SHAPES: [&[usize]; 5] = [
    &[20, 64, 1],
    &[7, 9, 33, 1],
    &[64, 32, 16, 10],
    &[5, 1],
    &[3, 8, 8, 8, 2],
];

#[test]
fn eight_bits_give_almost_the_same_scores() {
    for activation in [Activation::Relu, Activation::Tanh, Activation::Gelu] {
        for widths in SHAPES {
            let layers = net(widths, activation, 1);
            let quantized = quantize(&layers, &rows(500, widths[0], 2));
            let x = rows(700, widths[0], 3);
            let r = correlation(&quantized.outputs(&x), &plain(&layers, &x));
            assert!(r > 0.9985, "{widths:?} {activation:?}: {r}");
        }
    }
}

#[test]
fn eight_bit_scores_do_not_depend_on_the_rows_beside_them() {
    let layers = net(&[20, 64, 24, 3], Activation::Relu, 5);
    let quantized = quantize(&layers, &rows(300, 20, 6));
    let x = rows(533, 20, 7);
    let all = quantized.outputs(&x);
    for row in [0, 1, 255, 256, 532] {
        assert_eq!(
            quantized.outputs(&x[row * 20..(row + 1) * 20]),
            all[row * 3..(row + 1) * 3]
        );
    }
}

#[test]
fn a_stored_eight_bit_net_is_the_same_and_a_quarter_of_the_size() {
    let layers = net(&[46, 64, 1], Activation::Relu, 8);
    let quantized = quantize(&layers, &rows(300, 46, 9));
    let json = serde_json::to_string(&quantized).unwrap();
    let back: Int8Net = serde_json::from_str(&json).unwrap();
    assert_eq!(back, quantized);
    let n_params: usize = layers.iter().map(|layer| layer.weights.len() + layer.units).sum();
    let ratio = 4.0 * n_params as f64 / quantized.n_bytes() as f64;
    assert!(ratio > 3.5, "{ratio}");
}

#[test]
fn a_damaged_eight_bit_net_is_refused() {
    let quantized = quantize(&net(&[4, 8, 1], Activation::Relu, 8), &rows(30, 4, 9));
    let json = serde_json::to_value(&quantized).unwrap();
    for (key, wrong) in [
        ("inputs", serde_json::json!(5)),
        ("units", serde_json::json!(0)),
        ("packed", serde_json::json!("AAAA")),
        ("packed", serde_json::json!("*")),
    ] {
        let mut damaged = json.clone();
        damaged["layers"][0][key] = wrong;
        assert!(serde_json::from_value::<Int8Net>(damaged).is_err(), "{key}");
    }
}

/// Weights at random places set to 0; the products are summed in the same order as in the plain layer, without the zeros.
#[test]
fn a_sparse_net_gives_the_scores_of_its_dense_form_and_survives_storing() {
    for widths in SHAPES {
        let mut layers = net(widths, Activation::Tanh, 11);
        let mut rng = ChaCha8Rng::seed_from_u64(12);
        for layer in &mut layers {
            layer
                .weights
                .iter_mut()
                .for_each(|weight| *weight *= f32::from(u8::from(rng.random_bool(0.15))));
        }
        let sparse = SparseNet::new(&layers);
        let x = rows(101, widths[0], 13);
        for (sparse, dense) in sparse.outputs(&x).iter().zip(plain(&layers, &x)) {
            assert!((sparse - dense).abs() < 1e-4, "{widths:?}: {sparse} {dense}");
        }
        let kept: usize = layers
            .iter()
            .map(|layer| layer.weights.iter().filter(|w| **w != 0.0).count())
            .sum();
        assert_eq!(sparse.plain_layers(), layers, "{kept} weights");
        let back: SparseNet = serde_json::from_str(&serde_json::to_string(&sparse).unwrap()).unwrap();
        assert_eq!(back, sparse);
        let mut damaged = serde_json::to_value(&sparse).unwrap();
        damaged["layers"][0]["units"] = serde_json::json!(700);
        assert!(serde_json::from_value::<SparseNet>(damaged).is_err());
    }
}
