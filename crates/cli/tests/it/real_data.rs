//! Real data: `init` and `run` unedited on three public tables, and the figures that telco must reach.

use std::path::Path;
use std::time::Instant;

use serde_json::Value;
use tempfile::TempDir;

use crate::determinism::telco;
use crate::support::{json, shared_data};

/// `init` and `run`, unedited; gives what both say.
fn init_and_run(table: &str, target: &str, key: Option<&str>) -> Option<(Value, Value)> {
    let file = shared_data()?.join(table);
    let parent = TempDir::new().unwrap();
    let mut args = vec![
        "init",
        "workspace",
        "--from",
        file.to_str().unwrap(),
        "--target",
        target,
    ];
    args.extend(key.into_iter().flat_map(|key| ["--key", key]));
    let begun = Instant::now();
    let init = json(parent.path(), &args);
    let run = json(parent.path(), &["run", "workspace"]);
    let auc = auc(&run["evaluation"]["metrics"]);
    let plan = &run["plan"];
    eprintln!(
        "{table}: {} rows, {} AUC {auc:.4}, {} of {} treated, {} held out, gap {:.1e}, {:.1} s",
        init["rows"],
        run["evaluation"]["learner"].as_str().unwrap(),
        plan["treated"],
        plan["customers"],
        plan["holdout"],
        plan["gap"].as_f64().unwrap(),
        begun.elapsed().as_secs_f64()
    );
    assert_eq!(plan["feasible"], true, "{table}: {}", plan["conflicts"]);
    assert_eq!(plan["customers"], init["rows"]);
    assert!(plan["gap"].as_f64().unwrap() <= 1e-3);
    Some((init, run))
}

fn auc(metrics: &Value) -> f64 {
    metrics["auc"]["mean"].as_f64().unwrap()
}

fn candidate_auc(folder: &Path, learner: &str) -> f64 {
    let evaluation = json(folder, &["evaluate"]);
    let candidates = evaluation["candidates"].as_array().unwrap();
    for entry in candidates {
        eprintln!(
            "telco: {} AUC {:.5}",
            entry["learner"].as_str().unwrap(),
            auc(&entry["metrics"])
        );
    }
    let found = candidates
        .iter()
        .find(|entry| entry["learner"] == learner)
        .unwrap();
    auc(&found["metrics"])
}

#[test]
fn real_data_credit_runs_unedited() {
    init_and_run("credit_data/credit_data.csv", "Status", None);
}

#[test]
fn real_data_breast_cancer_runs_unedited() {
    init_and_run("breast_cancer/breast_cancer.csv", "target", None);
}

#[test]
fn real_data_ai4i_runs_unedited_without_its_leaks() {
    let Some((init, run)) = init_and_run("ai4i2020/ai4i2020.csv", "Machine failure", Some("UDI")) else {
        return;
    };
    let excluded = init["excluded"].as_array().unwrap();
    let names: Vec<&str> = excluded
        .iter()
        .map(|entry| entry["column"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        ["TWF", "HDF", "PWF", "OSF"],
        "exactly the leaking columns are left out"
    );
    for entry in excluded {
        let reason = entry["reason"].as_str().unwrap();
        assert!(reason.contains("gives the outcome away"), "{reason}");
        eprintln!("ai4i2020: {reason}");
    }
    let dropped = run["table"]["dropped"].as_array().unwrap();
    assert!(
        names
            .iter()
            .all(|name| dropped.iter().any(|entry| entry["column"] == *name)),
        "{dropped:?}"
    );
}

#[test]
fn real_data_telco_plans_within_its_bars() {
    let (_parent, folder) = telco(None);
    let gbdt = candidate_auc(&folder, "gbdt");
    assert!(gbdt >= 0.845, "gbdt reaches an AUC of {gbdt}");
    let config = folder.join("thalweg.toml");
    let with_market = std::fs::read_to_string(&config)
        .unwrap()
        .replace("[plan]\n", "[plan]\nmarket = \"payment_method\"\n");
    std::fs::write(&config, with_market).unwrap();
    let run = json(&folder, &["run"]);
    let plan = &run["plan"];
    segments_and_market_add_up(plan);
    let number = |key: &str| plan[key].as_f64().unwrap();
    let share = number("holdout") / number("customers");
    eprintln!(
        "telco: gap {:.2e}, hold-out {:.2} %, spend {:.2}",
        number("gap"),
        share * 100.0,
        number("spend")
    );
    assert_eq!(plan["feasible"], true);
    assert_eq!(plan["customers"], 7_043);
    assert!(number("gap") <= 1e-3);
    assert!((share - 0.10).abs() <= 0.01, "a share of {share} is held out");
    assert!(number("spend") <= number("budget"));
}

/// Every customer is in one group and one row of the market sheet, and what is planned for them adds up to the plan.
fn segments_and_market_add_up(plan: &Value) {
    let groups = plan["segments"]["groups"].as_array().unwrap();
    let stability = &plan["segments"]["stability"];
    eprintln!(
        "telco: {} groups by {}, adjusted Rand index {:.2}, explained {:.2}",
        groups.len(),
        plan["segments"]["first_split"],
        stability["adjusted_rand"].as_f64().unwrap(),
        plan["segments"]["explained"].as_f64().unwrap()
    );
    for group in groups {
        eprintln!("telco: {} {}", group["customers"], group["name"]);
    }
    assert!(groups.len() > 1 && groups.len() <= 8);
    assert!(stability["adjusted_rand"].as_f64().unwrap() > 0.3);
    let rows = plan["market"]["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 4, "four ways to pay");
    for (list, treated) in [(groups, "treated"), (rows, "contacts")] {
        let sum = |key: &str| list.iter().map(|part| part[key].as_f64().unwrap()).sum::<f64>();
        assert_eq!(sum("customers"), plan["customers"].as_f64().unwrap());
        assert_eq!(sum(treated), plan["treated"].as_f64().unwrap());
        assert!((sum("spend") - plan["spend"].as_f64().unwrap()).abs() < 0.01);
    }
    let expected: f64 = rows
        .iter()
        .map(|row| row["expected_gain"]["mean"].as_f64().unwrap())
        .sum();
    assert!((expected - plan["expected_value"]["mean"].as_f64().unwrap()).abs() < 1.0);
    assert!(
        rows.iter()
            .all(|row| row["headroom"]["mean"].as_f64().unwrap() >= 0.0)
    );
}

#[test]
fn real_data_telco_net_reaches_its_bar() {
    let (_parent, folder) = telco(None);
    let mlp = candidate_auc(&folder, "mlp");
    assert!(mlp >= 0.839, "mlp reaches an AUC of {mlp}");
}
