//! Handwritten digits: ten classes by the net.

use std::path::PathBuf;

use thalweg_domain::Seed;
use thalweg_learn::models::mlp::{Mlp, MlpParams, Optimizer};
use thalweg_learn::task::Target;

/// The pixels of each image, brought near mean 0 and deviation 1, and its digit.
fn digits() -> Option<Vec<(Vec<f32>, u32)>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/digits/digits.csv");
    if !path.exists() {
        println!(
            "SKIPPED: {} does not exist; the public tables are not part of the repository",
            path.display()
        );
        return None;
    }
    let mut reader = csv::Reader::from_path(path).unwrap();
    let rows = reader.records().map(|record| {
        let record = record.unwrap();
        let pixels = record
            .iter()
            .take(64)
            .map(|cell| (cell.parse::<f32>().unwrap() - 5.0) / 6.0);
        (pixels.collect(), record[64].parse().unwrap())
    });
    Some(rows.collect())
}

#[test]
fn real_data_digits_are_told_apart_by_the_net() {
    let Some(images) = digits() else { return };
    let classes: Vec<String> = (0..10).map(|digit| digit.to_string()).collect();
    let params = MlpParams {
        hidden: vec![128],
        dropout: 0.2,
        optimizer: Optimizer::Adam,
        learning_rate: 0.002,
        validation: 0.1,
        patience: 15,
        ..MlpParams::default()
    };
    let mut hits = 0;
    for fold in 0..5 {
        let (test, training): (Vec<_>, Vec<_>) =
            images.iter().enumerate().partition(|(row, _)| row % 5 == fold);
        let cells = |part: &[(usize, &(Vec<f32>, u32))]| -> Vec<f32> {
            part.iter().flat_map(|(_, (pixels, _))| pixels.clone()).collect()
        };
        let codes: Vec<u32> = training.iter().map(|(_, (_, digit))| *digit).collect();
        let target = Target::Class {
            codes: &codes,
            classes: &classes,
        };
        let (net, _) = Mlp::train(&cells(&training), &target, &params, Seed(1)).unwrap();
        let logits = net.predict(&cells(&test)).unwrap();
        for (row, (_, (_, digit))) in logits.chunks_exact(10).zip(&test) {
            let best = (0..10_u32).max_by(|a, b| row[*a as usize].total_cmp(&row[*b as usize]));
            hits += usize::from(best == Some(*digit));
        }
    }
    let accuracy = hits as f64 / images.len() as f64;
    println!("digits, five folds: accuracy {accuracy:.4}");
    assert!(accuracy >= 0.97, "accuracy {accuracy}");
}
