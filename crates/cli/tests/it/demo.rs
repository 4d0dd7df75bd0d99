//! The whole loop: the demo's arithmetic, and one full turn on real customers.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::determinism::{AS_OF, files, telco};
use crate::kill::records;
use crate::support::{fail, json, succeed};

const DEMO: &[&str] = &["demo", "--customers", "4000", "--cycles", "3", "--json"];
const BUDGET: f64 = 4_000.0;
/// After the horizon of 30 days.
const LATER: &str = "2026-12-30T12:00:00Z";

fn money(of: &Value, policy: &str) -> f64 {
    of[policy].as_f64().unwrap()
}

#[test]
fn the_demo_repeats_itself_and_adds_up() {
    let parent = TempDir::new().unwrap();
    let text = succeed(parent.path(), DEMO);
    assert_eq!(
        text,
        succeed(parent.path(), DEMO),
        "the same seed gives the same bytes"
    );
    let demo: Value = serde_json::from_str(&text).unwrap();
    let cycles = demo["cycles"].as_array().unwrap();
    assert_eq!(cycles.len(), 3);
    for policy in ["nobody", "random", "top_risk", "thalweg", "oracle"] {
        let sum: f64 = cycles.iter().map(|cycle| money(&cycle["profit"], policy)).sum();
        let total = money(&demo["total"], policy);
        eprintln!("demo: {policy} {total:.2}");
        assert!(
            (total - sum).abs() <= 1e-6,
            "{policy}: {total} in total, {sum} over the cycles"
        );
        assert!(
            money(&demo["total"], "oracle") >= total,
            "{policy} beats the oracle"
        );
    }
    assert!(money(&demo["total"], "nobody").abs() < f64::EPSILON);
    assert!(money(&demo["total"], "thalweg") > money(&demo["total"], "random"));
    let share = money(&demo["total"], "thalweg") / money(&demo["total"], "oracle");
    assert!((share - demo["oracle_share"].as_f64().unwrap()).abs() <= 1e-9);
    assert!(
        cycles
            .iter()
            .all(|cycle| money(&cycle["profit"], "thalweg") == cycle["truth"].as_f64().unwrap())
    );
}

fn assert_within_budget(policies: &[&str]) {
    let parent = TempDir::new().unwrap();
    let demo: Value = serde_json::from_str(&succeed(parent.path(), DEMO)).unwrap();
    for cycle in demo["cycles"].as_array().unwrap() {
        for policy in policies {
            let spend = money(&cycle["spend"], policy);
            eprintln!(
                "demo: cycle {}, {policy} spends {spend:.2} of {BUDGET}",
                cycle["cycle"]
            );
            assert!(
                spend <= BUDGET,
                "{policy} spends {spend} of {BUDGET} in cycle {}",
                cycle["cycle"]
            );
        }
    }
}

#[test]
fn the_demo_policies_keep_to_the_budget() {
    assert_within_budget(&["nobody", "random", "top_risk", "oracle"]);
}

#[test]
fn the_demo_plans_keep_to_the_budget() {
    let parent = TempDir::new().unwrap();
    succeed(
        parent.path(),
        &["demo", "--customers", "4000", "--cycles", "3", "--keep", "kept"],
    );
    let plans = plan_files(&parent.path().join("kept"));
    assert!(plans.len() >= 3, "one plan per cycle");
    for (name, plan) in plans {
        let (spend, budget) = (
            plan["plan"]["spend"].as_f64().unwrap(),
            plan["plan"]["budget"].as_f64().unwrap(),
        );
        eprintln!(
            "demo: {name}, cycle {}: expects to spend {spend:.2} of {budget}",
            plan["plan"]["cycle"]
        );
        assert!(spend <= budget && budget <= BUDGET, "{name}");
    }
}

#[test]
fn a_demo_without_cycles_is_refused() {
    let parent = TempDir::new().unwrap();
    let (exit, error) = fail(parent.path(), &["demo", "--cycles", "0"]);
    assert_eq!(exit, 2);
    assert!(error["code"].as_str().unwrap().starts_with("TW"), "{error}");
}

fn plan_files(workspace: &Path) -> BTreeMap<String, Value> {
    let plans = files(&workspace.join("artifacts/plans"));
    plans
        .into_iter()
        .map(|(name, bytes)| (name, serde_json::from_slice(&bytes).unwrap()))
        .collect()
}

/// The plan file of an id.
fn plan_file(workspace: &Path, id: &str) -> Value {
    serde_json::from_slice(&fs::read(workspace.join(format!("artifacts/plans/{id}.json"))).unwrap()).unwrap()
}

fn held_out(plan: &Value) -> BTreeSet<String> {
    let decisions = plan["decisions"].as_array().unwrap().iter();
    let held = decisions.filter(|decision| decision["arm"] == "holdout");
    held.map(|decision| decision["customer"].as_str().unwrap().to_owned())
        .collect()
}

fn outbox_lines(workspace: &Path, cycle: u32) -> Vec<Value> {
    let text = fs::read_to_string(workspace.join(format!("outbox/{cycle}/outbox.jsonl"))).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Customers in the CSV files of all cycles.
fn customers_in_csv(workspace: &Path) -> BTreeSet<String> {
    let outbox = files(&workspace.join("outbox"));
    let tables = outbox.iter().filter(|(name, _)| name.ends_with(".csv"));
    let rows = tables.flat_map(|(_, bytes)| records(std::str::from_utf8(bytes).unwrap()).into_iter().skip(1));
    rows.map(|row| row.split(',').nth(1).unwrap().to_owned())
        .collect()
}

fn cancelled(customer: &str) -> String {
    format!(
        r#"{{"type":"track","messageId":"out-{customer}","userId":"{customer}","event":"Subscription Cancelled","timestamp":"2026-12-05T09:00:00Z"}}"#
    )
}

/// Every 10th contacted and every 3rd held-out customer leaves; the first ten lines come twice; one offer is accepted.
fn write_events(workspace: &Path, held: &BTreeSet<String>) -> usize {
    let lines = outbox_lines(workspace, 1);
    let contacted = lines
        .iter()
        .map(|line| line["customer"].as_str().unwrap())
        .step_by(10);
    let left: Vec<String> = contacted
        .chain(held.iter().map(String::as_str).step_by(3))
        .map(cancelled)
        .collect();
    let accepted = lines.iter().find(|line| line["offer"].is_string()).unwrap();
    let mut text = String::new();
    for event in left.iter().chain(left.iter().take(10)) {
        writeln!(text, "{event}").unwrap();
    }
    let (customer, decision) = (
        accepted["customer"].as_str().unwrap(),
        accepted["decision_id"].as_str().unwrap(),
    );
    writeln!(
        text,
        r#"{{"type":"track","messageId":"yes-1","userId":"{customer}","event":"Offer Accepted","timestamp":"2026-12-02T09:00:00Z","properties":{{"decision_id":"{decision}"}}}}"#
    )
    .unwrap();
    fs::write(workspace.join("events.jsonl"), text).unwrap();
    left.len() + 1
}

fn load_events(workspace: &Path, held: &BTreeSet<String>) {
    let distinct = write_events(workspace, held);
    let load = [
        "feedback",
        "events.jsonl",
        "--complete-until",
        "2026-12-28",
        "--as-of",
        LATER,
    ];
    let loaded = json(workspace, &load);
    assert_eq!(loaded["new"], distinct);
    assert_eq!(loaded["duplicates"], 10, "the same messageId counts once");
    assert_eq!(loaded["quarantined"].as_array().unwrap().len(), 0, "{loaded}");
    assert_eq!(loaded["by_event"]["Offer Accepted"], 1);
    let again = json(workspace, &load);
    assert_eq!(
        (&again["new"], again["duplicates"].as_u64().unwrap() > 0),
        (&Value::from(0), true),
        "{again}"
    );
}

fn assert_dry_run_writes_nothing(workspace: &Path) {
    let before = files(&workspace.join("artifacts"));
    let dry = json(workspace, &["deliver", "--dry-run", "--as-of", AS_OF]);
    assert_eq!(dry["dry_run"], true);
    assert!(!workspace.join("outbox").exists(), "a dry run makes no outbox");
    assert!(
        before == files(&workspace.join("artifacts")),
        "a dry run changes no artifact"
    );
    assert_eq!(json(workspace, &["status"])["delivered"], 0);
}

fn assert_second_cycle_learned(first: &Value, second: &Value) {
    assert_eq!(first["plan"]["effects"], "assumed");
    assert_eq!(second["plan"]["cycle"], 2);
    assert_ne!(
        second["plan"]["effects"], "assumed",
        "the second plan uses what was measured"
    );
    assert_ne!(first["plan"]["plan"], second["plan"]["plan"]);
    for (before, after) in first["plan"]["channels"]
        .as_array()
        .unwrap()
        .iter()
        .zip(second["plan"]["channels"].as_array().unwrap())
    {
        eprintln!(
            "full turn: {} {} -> {} customers, effect {:.3} {} -> {:.3} {}",
            before["name"].as_str().unwrap(),
            before["customers"],
            after["customers"],
            before["effect"]["mean"].as_f64().unwrap(),
            before["effect"]["source"].as_str().unwrap(),
            after["effect"]["mean"].as_f64().unwrap(),
            after["effect"]["source"].as_str().unwrap()
        );
    }
}

#[test]
fn full_turn() {
    let (_parent, workspace) = telco(Some(1_500));
    let run = json(&workspace, &["run", "--as-of", AS_OF]);
    let first = plan_file(&workspace, run["plan"]["plan"].as_str().unwrap());
    let held = held_out(&first);
    assert_eq!(held.len(), run["plan"]["holdout"]);
    assert_dry_run_writes_nothing(&workspace);
    succeed(&workspace, &["deliver", "--as-of", AS_OF]);
    load_events(&workspace, &held);
    let turn = json(&workspace, &["iterate", "--as-of", LATER]);
    eprintln!(
        "full turn: total {} effects of {}",
        turn["total"],
        turn["lift"].as_array().unwrap().len()
    );
    assert_eq!(
        (&turn["closed"], &turn["cycle"]),
        (&Value::from(true), &Value::from(1)),
        "{}",
        turn["checks"]
    );
    let run = json(&workspace, &["run", "--as-of", LATER]);
    let second = plan_file(&workspace, run["plan"]["plan"].as_str().unwrap());
    assert_second_cycle_learned(&first, &second);
    let held_later = held_out(&second);
    let decided: BTreeSet<&str> = second["decisions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|decision| decision["customer"].as_str().unwrap())
        .collect();
    let stayed = held.iter().filter(|customer| decided.contains(customer.as_str()));
    for customer in stayed {
        assert!(
            held_later.contains(customer),
            "{customer} was held out in cycle 1, and no longer is"
        );
    }
    eprintln!(
        "full turn: {} held out in cycle 1, {} in cycle 2",
        held.len(),
        held_later.len()
    );
    succeed(&workspace, &["deliver", "--as-of", LATER]);
    let contacted = customers_in_csv(&workspace);
    assert!(
        contacted.len() > 500
            && held
                .union(&held_later)
                .all(|customer| !contacted.contains(customer))
    );
}
