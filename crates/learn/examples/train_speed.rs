//! How long an epoch of the net takes: `train_speed INPUTS HIDDEN ROWS BATCH DROPOUT THREADS EPOCHS [private]` prints JSON with milliseconds of wall
//! time and of CPU time per epoch (the fastest of three runs, the cost of starting taken off), and the FMA rate reached and possible.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a program for measuring, run by hand"
)]

use std::time::Instant;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use thalweg_domain::Seed;
use thalweg_learn::models::mlp::{Mlp, MlpParams};
use thalweg_learn::privacy::PrivacyParams;
use thalweg_learn::task::Target;

fn main() {
    let is_private = std::env::args().nth(8).is_some_and(|word| word == "private");
    let arguments: Vec<f64> = std::env::args()
        .skip(1)
        .take(7)
        .map(|argument| argument.parse().unwrap())
        .collect();
    let [inputs, hidden, rows, batch, dropout, threads, epochs] = arguments.try_into().unwrap();
    let whole = |number: f64| format!("{number}").parse::<usize>().unwrap();
    let params = MlpParams {
        hidden: vec![whole(hidden)],
        batch: whole(batch),
        dropout,
        epochs: whole(epochs) + 1,
        validation: 0.0,
        privacy: is_private.then(|| PrivacyParams {
            batch: Some(whole(batch)),
            noise_multiplier: Some(1.0),
            ..PrivacyParams::default()
        }),
        ..MlpParams::default()
    };
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(whole(threads))
        .build()
        .unwrap();
    let (wall, cpu) = pool.install(|| per_epoch(whole(inputs), whole(rows), &params));
    // forward, and the gradient of the weights: 2 products of rows x inputs x hidden, each a multiplication and an addition
    let reached = 4.0 * inputs * hidden * rows / (cpu * 1e6);
    println!(
        "{{\"wall_ms\": {wall:.3}, \"cpu_ms\": {cpu:.3}, \"gflops\": {reached:.2}, \"peak_gflops\": {:.2}}}",
        peak()
    );
}

/// Wall and CPU milliseconds.
fn per_epoch(inputs: usize, rows: usize, params: &MlpParams) -> (f64, f64) {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let cells: Vec<f32> = (0..rows * inputs).map(|_| rng.random_range(-1.7..1.7)).collect();
    let target: Vec<bool> = cells
        .chunks_exact(inputs)
        .map(|row| row.iter().take(2).sum::<f32>() > 0.0)
        .collect();
    let run = |epochs: usize| {
        let privacy = params.privacy.clone();
        let params = MlpParams {
            epochs,
            privacy: privacy.map(|own| PrivacyParams { epochs, ..own }),
            ..params.clone()
        };
        let (start, cpu) = (Instant::now(), cpu_ms());
        Mlp::train(&cells, &Target::Binary(&target), &params, Seed(1)).unwrap();
        (start.elapsed().as_secs_f64() * 1e3, cpu_ms() - cpu)
    };
    let mut best = (f64::INFINITY, f64::INFINITY);
    for _ in 0..3 {
        let (one, all) = (run(1), run(params.epochs));
        let each = |all: f64, one: f64| (all - one) / (params.epochs - 1) as f64;
        best = (best.0.min(each(all.0, one.0)), best.1.min(each(all.1, one.1)));
    }
    best
}

/// CPU time of this process so far, all threads, from Linux's accounting in ticks of 10 ms.
fn cpu_ms() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let ticks = |index: usize| {
        fields
            .split_whitespace()
            .nth(index)
            .unwrap()
            .parse::<f64>()
            .unwrap()
    };
    (ticks(11) + ticks(12)) * 10.0
}

/// Billions of additions and multiplications a second of CPU time that one core can do in fused multiply-adds: 12 running sums of 8
/// lanes, kept in registers.
fn peak() -> f64 {
    let steps = 150_000_000_u32;
    let mut fastest = f64::INFINITY;
    for _ in 0..3 {
        let start = cpu_ms();
        std::hint::black_box(multiply_adds(steps, std::hint::black_box(0.999_999)));
        fastest = fastest.min(cpu_ms() - start);
    }
    2.0 * 12.0 * 8.0 * f64::from(steps) / (fastest * 1e6)
}

fn multiply_adds(steps: u32, factor: f32) -> f32 {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
        #[expect(unsafe_code, reason = "the processor has just been asked for both features")]
        // SAFETY: the only requirement of a safe function with target features is that the processor has them
        return unsafe { multiply_add_wide(steps, factor) };
    }
    multiply_add(steps, factor)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn multiply_add_wide(steps: u32, factor: f32) -> f32 {
    multiply_add(steps, factor)
}

#[inline(always)]
fn multiply_add(steps: u32, factor: f32) -> f32 {
    let mut sums = [[1.0_f32; 8]; 12];
    for _ in 0..steps {
        for lanes in &mut sums {
            for sum in lanes {
                *sum = sum.mul_add(factor, factor);
            }
        }
    }
    sums.iter().flatten().sum()
}
