//! What the learners reach on public tables, and how long they take.

use std::time::Instant;

use thalweg_learn::evaluate::{Economics, Evaluation, evaluate};
use thalweg_learn::models::Learner;
use thalweg_learn::outcome::{LearnerChoice, OutcomeParams, OutcomeTraining, TrainingSet, train};
use thalweg_learn::task::Target;

use super::tables::{Labelled, read};

fn telco() -> Option<Labelled> {
    read("telco_churn/wa_churn.csv", "churn", "Yes", &[])
}

fn run(name: &str, data: &Labelled, choice: LearnerChoice) -> (OutcomeTraining, Evaluation) {
    let n = data.target.len();
    let (weight, value): (Vec<f64>, Vec<f64>) = (vec![1.0; n], vec![100.0; n]);
    let group: Vec<u64> = (0..n as u64).collect();
    let set = TrainingSet {
        table: &data.table,
        target: Target::Binary(&data.target),
        weight: &weight,
        group: &group,
        period: None,
    };
    let params = OutcomeParams {
        choice,
        ..OutcomeParams::default()
    };
    let start = Instant::now();
    let training = train(&set, &params, &|_, _| ()).unwrap();
    let trained = start.elapsed();
    let economics = Economics {
        value: &value,
        contact_cost: 1.0,
        relative_effect: 0.1,
    };
    let evaluation = evaluate(&training, &set, &economics, params.seed).unwrap();
    println!(
        "{name} {choice:?}: kept {} ({}); trained in {:.2} s, evaluated in {:.2} s",
        training.learner.as_str(),
        training.model.link().name(),
        trained.as_secs_f64(),
        (start.elapsed() - trained).as_secs_f64()
    );
    for (metric, estimate) in &evaluation.metrics {
        println!(
            "  {metric:20} {:.4} ({:.4} to {:.4})",
            estimate.mean, estimate.low, estimate.high
        );
    }
    for (candidate, result) in evaluation.candidates.iter().zip(&training.candidates) {
        let auc = candidate.1[0].1.mean;
        println!(
            "  candidate {:9} AUC {auc:.4} log loss {:.4}",
            candidate.0.as_str(),
            result.loss
        );
    }
    for tried in &training.search.tried {
        println!(
            "  round {} {:9} {:20} {:.5}",
            tried.round,
            tried.learner.as_str(),
            tried.setting,
            tried.loss
        );
    }
    println!(
        "  {} rounds, {:.1} units, {:?}; shares {:?}; blend {:?} in {} folds",
        training.search.rounds,
        training.search.units,
        training.search.stopped,
        training.model.shares(),
        training.search.blend_loss,
        training.search.blend_in_folds
    );
    for check in &evaluation.checks {
        println!("  {} {}: {}", check.name, check.verdict.as_str(), check.detail);
    }
    (training, evaluation)
}

fn auc(evaluation: &Evaluation) -> f64 {
    evaluation.metrics[0].1.mean
}

#[test]
fn real_data_telco_gbdt_ranks_as_well_as_lightgbm() {
    let Some(data) = telco() else { return };
    let (_, evaluation) = run("telco", &data, LearnerChoice::One(Learner::Gbdt));
    assert!(auc(&evaluation) >= 0.845, "AUC {}", auc(&evaluation));
}

#[test]
fn real_data_telco_reference_net_ranks_as_well_as_keras() {
    let Some(data) = telco() else { return };
    let (training, evaluation) = run("telco", &data, LearnerChoice::One(Learner::Mlp));
    assert!(auc(&evaluation) >= 0.839, "AUC {}", auc(&evaluation));
    assert!(
        training.history.len() > 5
            && training
                .history
                .iter()
                .all(|epoch| epoch.validation_loss.is_some())
    );
}

#[test]
fn real_data_telco_auto_is_no_worse_than_its_candidates() {
    let Some(data) = telco() else { return };
    let (_, evaluation) = run("telco", &data, LearnerChoice::Auto);
    let best = evaluation
        .candidates
        .iter()
        .map(|(_, metrics)| metrics[0].1.mean)
        .fold(0.0, f64::max);
    assert!(
        auc(&evaluation) >= (best - 0.003).max(0.847),
        "AUC {} against {best}",
        auc(&evaluation)
    );
}

#[test]
fn real_data_credit_with_missing_cells() {
    let Some(data) = read("credit_data/credit_data.csv", "Status", "bad", &[]) else {
        return;
    };
    let (_, evaluation) = run("credit", &data, LearnerChoice::Auto);
    assert!(auc(&evaluation) > 0.82, "AUC {}", auc(&evaluation));
}

#[test]
fn real_data_breast_cancer_with_few_rows() {
    let Some(data) = read("breast_cancer/breast_cancer.csv", "target", "1", &[]) else {
        return;
    };
    let (_, evaluation) = run("breast cancer", &data, LearnerChoice::Auto);
    assert!(auc(&evaluation) > 0.98, "AUC {}", auc(&evaluation));
}

#[test]
fn real_data_machine_failures_with_rare_positives() {
    let leaks = ["UDI", "Product ID", "TWF", "HDF", "PWF", "OSF", "RNF"];
    let Some(data) = read("ai4i2020/ai4i2020.csv", "Machine failure", "1", &leaks) else {
        return;
    };
    let (_, evaluation) = run("ai4i2020", &data, LearnerChoice::Auto);
    assert!(auc(&evaluation) > 0.95, "AUC {}", auc(&evaluation));
}
