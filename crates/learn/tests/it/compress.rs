//! What compressed models reach on a public table, and what they save.

use thalweg_learn::compress::{CompressParams, CompressTo, CompressionReport, compress};
use thalweg_learn::models::Learner;
use thalweg_learn::outcome::{LearnerChoice, OutcomeModel, OutcomeParams, TrainingSet, train};
use thalweg_learn::task::Target;

use super::tables::{Labelled, read};

/// Trains a learner, compresses it, and checks that what was compressed survives storing.
fn reports(data: &Labelled, learner: Learner, kinds: &[CompressTo]) -> Vec<CompressionReport> {
    let n = data.target.len();
    let weight = vec![1.0; n];
    let group: Vec<u64> = (0..n as u64).collect();
    let set = TrainingSet {
        table: &data.table,
        target: Target::Binary(&data.target),
        weight: &weight,
        group: &group,
        period: None,
    };
    let params = OutcomeParams {
        choice: LearnerChoice::One(learner),
        ..OutcomeParams::default()
    };
    let training = train(&set, &params, &|_, _| ()).unwrap();
    kinds
        .iter()
        .map(|to| {
            let own = CompressParams {
                to: to.clone(),
                learners: params.learners.clone(),
                seed: params.seed,
            };
            let compressed = compress(&training, &set, &own).unwrap();
            let p = compressed.model.predict(&data.table).unwrap();
            let back = OutcomeModel::from_json(&compressed.model.to_json().unwrap()).unwrap();
            assert_eq!(back.predict(&data.table).unwrap(), p);
            let report = compressed.report;
            let time = |model: &OutcomeModel| {
                let start = std::time::Instant::now();
                (0..10).for_each(|_| drop(model.predict(&data.table).unwrap()));
                10.0 * n as f64 / start.elapsed().as_secs_f64()
            };
            println!(
                "{report:?}\n  rows a second {:.0} -> {:.0}",
                time(&training.model),
                time(&compressed.model)
            );
            report
        })
        .collect()
}

#[test]
fn real_data_telco_a_compressed_net_is_small_and_loses_little() {
    let Some(data) = read("telco_churn/wa_churn.csv", "churn", "Yes", &[]) else {
        return;
    };
    let kinds = ["int8", "pruned", "distilled"].map(|name| CompressTo::from_name(name).unwrap());
    let reports = reports(&data, Learner::Mlp, &kinds);
    let int8 = &reports[0];
    assert!(int8.loss.mean < 0.002 && int8.loss.high < 0.002, "{int8:?}");
    assert!(
        int8.bytes_before as f64 / int8.bytes_after as f64 > 3.5,
        "{int8:?}"
    );
    let (before, after) = int8.net_bytes.unwrap();
    assert!(before as f64 / after as f64 > 3.5, "{int8:?}");
    int8.replaces_champion(0.002).unwrap();
    assert_eq!(int8.replaces_champion(-1.0).unwrap_err().code, "TW0333");
    let pruned = &reports[1];
    assert!(pruned.loss.mean < 0.01, "{pruned:?}");
}

#[test]
fn real_data_telco_trees_teach_a_small_net() {
    let Some(data) = read("telco_churn/wa_churn.csv", "churn", "Yes", &[]) else {
        return;
    };
    let distilled = CompressTo::from_name("distilled").unwrap();
    let reports = reports(&data, Learner::Gbdt, &[distilled]);
    assert!(
        reports[0].loss.mean < 0.01 && reports[0].bytes_after < reports[0].bytes_before,
        "{:?}",
        reports[0]
    );
}
