//! What corrections per segment and pre-training give on a public table, against plain training.

use thalweg_domain::Seed;
use thalweg_learn::layered::{LayeredModel, SegmentParams, StudyParams, compare, study, train};
use thalweg_learn::models::mlp::{Optimizer, Pretrain};
use thalweg_learn::models::{Learner, LearnerParams};
use thalweg_learn::outcome::TrainingSet;
use thalweg_learn::task::Target;

use super::tables::read;

#[test]
fn real_data_telco_layers_are_compared_with_plain_training() {
    let Some(data) = read("telco_churn/wa_churn.csv", "churn", "Yes", &[]) else {
        return;
    };
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
    let fold: Vec<u8> = (0..n).map(|row| u8::try_from(row % 5).unwrap_or(0)).collect();
    let learners = LearnerParams::default();
    let segments = SegmentParams::by("contract".to_owned());
    for learner in [Learner::Logistic, Learner::Gbdt] {
        let found = compare(learner, &set, &fold, (&learners, &segments), Seed(42)).unwrap();
        println!("telco by contract, {}: {found:?}", learner.as_str());
        assert!(found.gain.high > -0.002 && found.plain > 0.83, "{found:?}");
    }
    let model = train(Learner::Logistic, &set, (&learners, &segments), Seed(42)).unwrap();
    let back = LayeredModel::from_json(&model.to_json().unwrap()).unwrap();
    assert_eq!(
        back.predict(&data.table).unwrap(),
        model.predict(&data.table).unwrap()
    );
    println!("prior widths {:?}", model.widths());
}

/// The reference net, and a deeper one that is harder to train from random weights.
#[test]
fn real_data_telco_nets_are_studied_plain_pretrained_and_by_segment() {
    let Some(data) = read("telco_churn/wa_churn.csv", "churn", "Yes", &[]) else {
        return;
    };
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
    let params = StudyParams {
        pretrain: Pretrain::default(),
        segments: Some(SegmentParams::by("contract".to_owned())),
    };
    let reference = LearnerParams::default();
    let mut deep = LearnerParams::default();
    deep.mlp.hidden = vec![64, 32, 16];
    deep.mlp.optimizer = Optimizer::Adam;
    deep.mlp.learning_rate = 0.002;
    deep.mlp.dropout = 0.2;
    for (name, learners) in [("reference net", reference), ("three layers", deep)] {
        let found = study(&set, &learners, &params, Seed(42)).unwrap();
        println!("telco, {name}: {found:?}");
        let segmented = found.segmented.unwrap();
        for figure in [found.plain, found.pretrained.mean, segmented.mean] {
            assert!((0.83..0.87).contains(&figure), "{name}: {found:?}");
        }
        for contender in [found.pretrained, segmented] {
            assert!(contender.difference.high > -0.003, "{name}: {found:?}");
        }
    }
}
