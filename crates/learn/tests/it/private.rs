//! What a privately trained net reaches on a public table.

use thalweg_learn::evaluate::auc_interval;
use thalweg_learn::models::Learner;
use thalweg_learn::outcome::{LearnerChoice, OutcomeParams, TrainingSet, train};
use thalweg_learn::privacy::PrivacyParams;
use thalweg_learn::task::Target;

use super::tables::read;

#[test]
fn real_data_telco_a_private_net_ranks_well_at_epsilon_three() {
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
    let mut params = OutcomeParams {
        choice: LearnerChoice::One(Learner::Mlp),
        ..OutcomeParams::default()
    };
    params.learners.mlp.privacy = Some(PrivacyParams {
        epsilon: 3.0,
        delta: 1e-5,
        ..PrivacyParams::default()
    });
    let training = train(&set, &params, &|_, _| ()).unwrap();
    let auc = auc_interval(&training.out_of_fold, &data.target, &group);
    println!(
        "telco, epsilon 3, delta 1e-5: AUC {:.4} ({:.4} to {:.4})",
        auc.mean, auc.low, auc.high
    );
    assert!(auc.mean >= 0.82, "AUC {}", auc.mean);
}
