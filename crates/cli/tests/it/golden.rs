//! The JSON contracts: every key that is promised is there, with its type, for every command of the loop.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::bad_input::{put, small};
use crate::determinism::AS_OF;
use crate::support::{json, output};

/// After the horizon of 30 days.
const LATER: &str = "2027-01-06T00:00:00Z";

/// Command, path, type. In a path `[]` is every element of a list that is not empty; a type with `?` may be null.
const CONTRACT: &[(&str, &str, &str)] = &[
    ("run", "workspace", "text"),
    ("run", "currency", "text"),
    ("run", "kind", "text"),
    ("run", "as_of", "text"),
    ("run", "table.table", "t-"),
    ("run", "table.rows", "count"),
    ("run", "table.columns", "count"),
    ("run", "table.labelled", "count"),
    ("run", "table.to_decide", "count"),
    ("run", "table.replayed", "bool"),
    ("run", "table.missing", "object"),
    ("run", "table.dropped", "list"),
    ("run", "table.warnings", "list"),
    ("run", "stages[].stage", "text"),
    ("run", "stages[].state", "text"),
    ("run", "stages[].artifact", "text"),
    ("run", "stages[].seconds", "number"),
    ("run", "stages[].summary", "text"),
    ("run", "next", "text"),
    ("evaluate", "model", "m-"),
    ("evaluate", "learner", "text"),
    ("evaluate", "rows", "count"),
    ("evaluate", "positive_rate", "number"),
    ("evaluate", "protocol", "text"),
    ("evaluate", "metrics.auc", "mean95"),
    ("evaluate", "metrics.accuracy", "mean95"),
    ("evaluate", "metrics.precision", "mean95"),
    ("evaluate", "metrics.recall", "mean95"),
    ("evaluate", "metrics.f1", "mean95"),
    ("evaluate", "metrics.log_loss", "mean95"),
    ("evaluate", "metrics.brier", "mean95"),
    ("evaluate", "metrics.calibration_error", "mean95"),
    ("evaluate", "metrics.top_decile_lift", "mean95"),
    ("evaluate", "metrics.profit_per_customer", "mean95"),
    ("evaluate", "test.rows", "count"),
    ("evaluate", "test.metrics.auc", "mean95"),
    ("evaluate", "test.metrics.log_loss", "mean95"),
    ("evaluate", "history", "list"),
    ("evaluate", "candidates[].learner", "text"),
    ("evaluate", "candidates[].metrics.log_loss", "mean95"),
    ("evaluate", "checks[].name", "text"),
    ("evaluate", "checks[].verdict", "text"),
    ("evaluate", "checks[].detail", "text"),
    ("evaluate", "checks[].advice", "text?"),
    ("evaluate", "checks[].code", "text?"),
    ("evaluate", "importance", "list"),
    ("evaluate", "calibration[].predicted", "number"),
    ("evaluate", "calibration[].observed", "number"),
    ("evaluate", "calibration[].n", "count"),
    ("evaluate", "gains[]", "interval"),
    ("evaluate", "deciles[].decile", "count"),
    ("evaluate", "deciles[].n", "count"),
    ("evaluate", "deciles[].predicted", "number"),
    ("evaluate", "deciles[].observed", "number"),
    ("net", "history[].epoch", "count"),
    ("net", "history[].train_loss", "number"),
    ("net", "history[].validation_loss", "number"),
    ("plan", "plan", "p-"),
    ("plan", "cycle", "count"),
    ("plan", "customers", "count"),
    ("plan", "treated", "count"),
    ("plan", "holdout", "count"),
    ("plan", "explore", "count"),
    ("plan", "holdout_share", "number"),
    ("plan", "explore_share", "number"),
    ("plan", "spend", "number"),
    ("plan", "spend_q95", "number"),
    ("plan", "budget", "number"),
    ("plan", "expected_value", "mean90"),
    ("plan", "upper_bound", "number"),
    ("plan", "gap", "number"),
    ("plan", "feasible", "bool"),
    ("plan", "conflicts", "list"),
    ("plan", "detectable.total_effect", "number"),
    ("plan", "detectable.cycles_to_80_power", "count"),
    ("plan", "constraints[].name", "text"),
    ("plan", "constraints[].limit", "number"),
    ("plan", "constraints[].used", "number"),
    ("plan", "constraints[].shadow_price", "number"),
    ("plan", "channels[].name", "text"),
    ("plan", "channels[].verdict", "text"),
    ("plan", "channels[].reason", "text"),
    ("plan", "channels[].customers", "count"),
    ("plan", "channels[].spend", "number"),
    ("plan", "channels[].expected_value", "number"),
    ("plan", "channels[].marginal_return", "number"),
    ("plan", "channels[].effect", "mean90"),
    ("plan", "channels[].effect.source", "text"),
    ("plan", "model", "m-"),
    ("plan", "data", "t-"),
    ("plan", "config", "text"),
    ("plan", "seed", "count"),
    ("plan", "effects", "text"),
    ("plan", "what_if[].budget", "number"),
    ("plan", "what_if[].expected_value", "number"),
    ("plan", "segments.explained", "number"),
    ("plan", "segments.stability.adjusted_rand", "number"),
    ("plan", "segments.groups[].name", "text"),
    ("plan", "segments.groups[].customers", "count"),
    ("plan", "segments.groups[].risk", "mean95"),
    ("plan", "segments.groups[].expected_gain", "mean95"),
    ("deliver", "cycle", "count"),
    ("deliver", "plan", "p-"),
    ("deliver", "dry_run", "bool"),
    ("deliver", "spend.budget", "number"),
    ("deliver", "spend.committed", "number"),
    ("deliver", "spend.realised", "number"),
    ("deliver", "spend.accepted", "count"),
    ("deliver", "spend.held_back", "count"),
    ("deliver", "channels[].name", "text"),
    ("deliver", "channels[].adapter", "text"),
    ("deliver", "channels[].sent", "count"),
    ("deliver", "channels[].new", "count"),
    ("deliver", "channels[].skipped", "list"),
    ("deliver", "channels[].failed", "count"),
    ("deliver", "channels[].file", "text"),
    ("feedback", "cycle", "count"),
    ("feedback", "file", "text"),
    ("feedback", "events", "count"),
    ("feedback", "new", "count"),
    ("feedback", "duplicates", "count"),
    ("feedback", "quarantined[].reason", "text"),
    ("feedback", "quarantined[].count", "count"),
    ("feedback", "by_event", "object"),
    ("feedback", "complete_until", "text"),
    ("feedback", "warnings", "list"),
    ("iterate", "cycle", "count"),
    ("iterate", "mature", "count"),
    ("iterate", "immature", "count"),
    ("iterate", "lift[].channel", "text"),
    ("iterate", "lift[].offer", "text?"),
    ("iterate", "lift[].treated", "count"),
    ("iterate", "lift[].control", "count"),
    ("iterate", "lift[].effect", "mean95"),
    ("iterate", "lift[].effect.always_valid_ci95", "interval?"),
    ("iterate", "lift[].effect.method", "text"),
    ("iterate", "lift[].shrunk", "mean90"),
    ("iterate", "lift[].assumed", "number"),
    ("iterate", "lift[].incremental_value", "mean95"),
    ("iterate", "total.incremental_value", "mean95"),
    (
        "iterate",
        "total.incremental_value.always_valid_ci95",
        "interval?",
    ),
    ("iterate", "total.spend", "number"),
    ("iterate", "total.treated", "count"),
    ("iterate", "total.holdout", "count"),
    ("iterate", "checks[].name", "text"),
    ("iterate", "checks[].verdict", "text"),
    ("iterate", "drift", "list"),
    ("iterate", "promotion.champion", "m-"),
    ("iterate", "promotion.challenger", "text?"),
    ("iterate", "promotion.decision", "text"),
    ("iterate", "closed", "bool"),
    ("collect", "table", "t-"),
    ("collect", "rows", "count"),
    ("train", "model", "m-"),
    ("train", "learner", "text"),
    ("train", "rows", "count"),
    ("train", "importance", "list"),
    ("show", "decision_id", "text"),
    ("show", "plan_id", "p-"),
    ("show", "cycle", "count"),
    ("show", "customer_key", "text"),
    ("show", "decided_at", "text"),
    ("show", "arm", "text"),
    ("show", "intended", "text"),
    ("show", "action", "text"),
    ("show", "eligible[].action", "text"),
    ("show", "eligible[].propensity", "number"),
    ("show", "eligible[].expected_value", "number"),
    ("show", "propensity", "number"),
    ("show", "risk", "number"),
    ("show", "effect", "number"),
    ("show", "effect_sd", "number"),
    ("show", "value", "number"),
    ("show", "cost", "number"),
    ("show", "model_hash", "m-"),
    ("show", "config_hash", "text"),
    ("show", "data_hash", "t-"),
    ("show", "seed", "count"),
    ("show", "reasons[].feature", "text"),
    ("show", "binding", "text?"),
    ("explain", "code", "text"),
    ("explain", "title", "text"),
    ("explain", "exit", "count"),
    ("explain", "cause", "text"),
    ("explain", "example", "text"),
    ("explain", "remedy", "text"),
    ("report", "file", "text"),
    ("status", "workspace", "text"),
    ("status", "cycle", "count"),
    ("status", "stages[].stage", "text"),
    ("status", "stages[].state", "text"),
    ("status", "stages[].finished_at", "text?"),
    ("status", "stages[].artifact", "text?"),
    ("status", "stages[].summary", "text"),
    ("status", "plan", "p-?"),
    ("status", "delivered", "count"),
    ("status", "events", "count"),
    ("status", "complete_until", "text?"),
    ("status", "next", "text"),
    ("init", "file", "text"),
    ("init", "rows", "count"),
    ("init", "columns[].name", "text"),
    ("init", "columns[].kind", "text"),
    ("init", "columns[].missing", "count"),
    ("init", "columns[].distinct", "count"),
    ("init", "columns[].range", "text"),
    ("init", "guesses[]", "text"),
    ("init", "excluded", "list"),
    ("init", "warnings", "list"),
    ("init", "next", "text"),
    ("demo", "seed", "count"),
    ("demo", "customers", "count"),
    ("demo", "oracle_share", "number"),
    ("demo", "price_of_holdout", "number"),
    ("demo", "hostile", "bool"),
    ("demo", "total.thalweg", "number"),
    ("demo", "total.top_risk", "number"),
    ("demo", "total.random", "number"),
    ("demo", "total.nobody", "number"),
    ("demo", "total.oracle", "number"),
    ("demo", "cycles[].cycle", "count"),
    ("demo", "cycles[].oracle_share", "number"),
    ("demo", "cycles[].profit.thalweg", "number"),
    ("demo", "cycles[].profit.top_risk", "number"),
    ("demo", "cycles[].profit.random", "number"),
    ("demo", "cycles[].profit.nobody", "number"),
    ("demo", "cycles[].profit.oracle", "number"),
    ("demo", "cycles[].spend.thalweg", "number"),
    ("demo", "cycles[].estimate", "mean95"),
    ("demo", "cycles[].truth", "number"),
];

/// Keys that may be null; a null anywhere else is a number that is not finite.
const MAY_BE_NULL: &[&str] = &[
    "advice",
    "always_valid_ci95",
    "artifact",
    "binding",
    "challenger",
    "channel",
    "code",
    "complete_until",
    "delivery",
    "file",
    "finished_at",
    "first_split",
    "left_out",
    "market",
    "offer",
    "per_day",
    "pilot",
    "plan",
    "validation_loss",
    "day",
    "days",
    "mean_value",
    "robust",
    "survival",
];

/// The values at a path, or what stands in the way.
fn at<'a>(value: &'a Value, path: &str) -> Result<Vec<&'a Value>, String> {
    let mut found = vec![value];
    for step in path.split('.') {
        let (key, each) = step.strip_suffix("[]").map_or((step, false), |key| (key, true));
        let inner = found.iter().map(|value| value.get(key));
        found = inner
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| format!("no key {key:?}"))?;
        if each {
            let lists = found.iter().map(|value| value.as_array());
            let lists = lists
                .collect::<Option<Vec<_>>>()
                .ok_or_else(|| format!("{key:?} is no list"))?;
            found = lists.into_iter().flatten().collect();
        }
    }
    if found.is_empty() {
        Err("nothing there to look at".to_owned())
    } else {
        Ok(found)
    }
}

fn is_interval(value: &Value) -> bool {
    let ends = value
        .as_array()
        .map(|ends| ends.iter().map(Value::as_f64).collect::<Vec<_>>());
    matches!(ends.as_deref(), Some([Some(_), Some(_)]))
}

/// A mean inside its interval.
fn is_mean(value: &Value, key: &str) -> bool {
    let mean = value["mean"].as_f64();
    let (low, high) = (value[key][0].as_f64(), value[key][1].as_f64());
    is_interval(&value[key]) && low <= mean && mean <= high
}

/// `p-` and twelve hexadecimal digits.
fn is_id(value: &Value, prefix: &str) -> bool {
    let hash = value.as_str().and_then(|text| text.strip_prefix(prefix));
    hash.is_some_and(|hash| hash.len() == 12 && hash.chars().all(|digit| digit.is_ascii_hexdigit()))
}

fn is_of(value: &Value, kind: &str) -> bool {
    match kind {
        "text" => value.is_string(),
        "number" => value.as_f64().is_some_and(f64::is_finite),
        "count" => value.is_u64(),
        "bool" => value.is_boolean(),
        "list" => value.is_array(),
        "object" => value.is_object(),
        "interval" => is_interval(value),
        "mean95" => is_mean(value, "ci95"),
        "mean90" => is_mean(value, "ci90"),
        "m-" | "p-" | "t-" => is_id(value, kind),
        other => other
            .strip_suffix('?')
            .is_some_and(|kind| value.is_null() || is_of(value, kind)),
    }
}

/// Holds a command's result against its rows of the contract.
fn assert_contract(command: &str, value: &Value) {
    let mut wrong = String::new();
    let rows = CONTRACT.iter().filter(|(of, _, _)| *of == command);
    for (_, path, kind) in rows {
        match at(value, path) {
            Err(fault) => writeln!(wrong, "{command} {path}: {fault}").unwrap(),
            Ok(found) => {
                for other in found.into_iter().filter(|value| !is_of(value, kind)) {
                    writeln!(wrong, "{command} {path}: {other} is no {kind}").unwrap();
                }
            }
        }
    }
    walk(value, command, &mut wrong);
    assert!(wrong.is_empty(), "{wrong}");
}

/// Looks for nulls that should be numbers, and metrics without their interval.
fn walk(value: &Value, path: &str, wrong: &mut String) {
    for (key, inner) in value.as_object().into_iter().flatten() {
        let path = format!("{path}.{key}");
        if inner.is_null() && !MAY_BE_NULL.contains(&key.as_str()) {
            writeln!(wrong, "{path} is null").unwrap();
        }
        let metrics = inner
            .as_object()
            .into_iter()
            .flatten()
            .filter(|_| key == "metrics");
        for (name, metric) in metrics.filter(|(_, metric)| !is_mean(metric, "ci95")) {
            writeln!(wrong, "{path}.{name}: {metric} is no mean in its interval").unwrap();
        }
        walk(inner, &path, wrong);
    }
    for inner in value.as_array().into_iter().flatten() {
        if inner.is_null() {
            writeln!(wrong, "{path}[] is null").unwrap();
        }
        walk(inner, path, wrong);
    }
}

/// Runs a command and holds its result against the contract.
fn checked(workspace: &Path, args: &[&str]) -> Value {
    let value = json(workspace, args);
    assert_contract(args[0], &value);
    value
}

/// Every fifth customer leaves; one event lies before the decision.
fn events() -> String {
    let known = (0..300).step_by(5).map(|row| (row, "2026-12-01"));
    known
        .chain([(1, "2026-11-01")])
        .map(|(row, day)| left(row, day))
        .collect()
}

fn left(row: u32, day: &str) -> String {
    format!(
        r#"{{"type":"track","messageId":"m-{row}","userId":"C{row:04}","event":"Subscription Cancelled","timestamp":"{day}T10:00:00Z"}}"#
    ) + "\n"
}

fn states(run: &Value) -> Vec<(&str, &str)> {
    let stages = run["stages"].as_array().unwrap().iter();
    stages
        .map(|stage| (stage["stage"].as_str().unwrap(), stage["state"].as_str().unwrap()))
        .collect()
}

/// The four stages of `run`, all in one state.
fn four(state: &str) -> Vec<(&str, &str)> {
    ["collect", "train", "evaluate", "plan"]
        .map(|stage| (stage, state))
        .to_vec()
}

#[test]
fn run_and_its_stages() {
    let folder = small();
    let run = checked(folder.path(), &["run", "--as-of", AS_OF]);
    assert_eq!(states(&run), four("ran"));
    let again = checked(folder.path(), &["run", "--as-of", AS_OF]);
    assert_eq!(states(&again), four("unchanged"));
    assert_eq!(
        (&run["evaluation"], &run["plan"]),
        (&again["evaluation"], &again["plan"])
    );
    for (command, part) in [("evaluate", "evaluation"), ("plan", "plan")] {
        assert_eq!(
            checked(folder.path(), &[command, "--as-of", AS_OF]),
            run[part],
            "{command}"
        );
    }
    for (stage, prefix) in run["stages"]
        .as_array()
        .unwrap()
        .iter()
        .zip(["t-", "m-", "e-", "p-"])
    {
        assert!(is_id(&stage["artifact"], prefix), "{stage}");
    }
}

#[test]
fn a_plan_adds_up() {
    let folder = small();
    let plan = checked(folder.path(), &["plan", "--as-of", AS_OF]);
    let number = |key: &str| plan[key].as_f64().unwrap();
    let (value, bound) = (
        plan["expected_value"]["mean"].as_f64().unwrap(),
        number("upper_bound"),
    );
    assert!((0.0..=0.005).contains(&number("gap")), "gap {}", plan["gap"]);
    assert!(
        ((bound - value) / bound.abs() - number("gap")).abs() <= 1e-9,
        "{value} {bound}"
    );
    assert!(plan["feasible"] == true && number("spend") <= number("budget"));
    let channels = plan["channels"].as_array().unwrap();
    let treated: u64 = channels
        .iter()
        .map(|channel| channel["customers"].as_u64().unwrap())
        .sum();
    assert_eq!(plan["treated"], treated);
    let spend: f64 = channels
        .iter()
        .map(|channel| channel["spend"].as_f64().unwrap())
        .sum();
    assert!((spend - number("spend")).abs() <= 1e-6, "{spend}");
    for used in plan["constraints"].as_array().unwrap() {
        assert!(used["used"].as_f64() <= used["limit"].as_f64(), "{used}");
    }
}

#[test]
fn a_turn_of_the_loop() {
    let folder = small();
    let workspace = folder.path();
    checked(workspace, &["status"]);
    checked(workspace, &["run", "--as-of", AS_OF]);
    let dry = checked(workspace, &["deliver", "--dry-run", "--as-of", AS_OF]);
    let real = checked(workspace, &["deliver", "--as-of", AS_OF]);
    assert_eq!(
        (&dry["dry_run"], &real["dry_run"]),
        (&Value::from(true), &Value::from(false))
    );
    assert_eq!(
        dry["channels"], real["channels"],
        "a dry run says what will happen"
    );
    put(workspace, "events.jsonl", events());
    let load = [
        "feedback",
        "events.jsonl",
        "--complete-until",
        "2027-01-05",
        "--as-of",
        LATER,
    ];
    let loaded = checked(workspace, &load);
    assert_eq!(
        (&loaded["events"], &loaded["new"]),
        (&Value::from(61), &Value::from(60))
    );
    let closed = checked(workspace, &["iterate", "--as-of", LATER]);
    assert_eq!(
        (&closed["closed"], &closed["mature"]),
        (&Value::from(true), &Value::from(300))
    );
    let status = checked(workspace, &["status", "--as-of", LATER]);
    assert_eq!(status["cycle"], 2);
    checked(workspace, &["run", "--as-of", LATER]);
}

#[test]
fn single_stages_and_what_can_be_looked_at() {
    let folder = small();
    let workspace = folder.path();
    checked(workspace, &["collect", "--as-of", AS_OF]);
    checked(workspace, &["train", "--as-of", AS_OF]);
    json(workspace, &["run", "--as-of", AS_OF]);
    let decision = checked(workspace, &["show", "decision", "C0001"]);
    assert_eq!(decision["customer_key"], "C0001");
    checked(workspace, &["explain", "TW0203"]);
    checked(workspace, &["report"]);
}

/// An error under `--json`: nothing on stdout, one object on stderr, always with the same keys.
fn assert_error_object(workspace: &Path, args: &[&str], exit: i32) {
    let out = output(workspace, &[args, &["--json"]].concat());
    assert_eq!(
        (out.status.code(), out.stdout.is_empty()),
        (Some(exit), true),
        "{args:?}"
    );
    let stderr = String::from_utf8(out.stderr).unwrap();
    assert_eq!(stderr.lines().count(), 1, "{args:?}: {stderr}");
    let said: Value = serde_json::from_str(&stderr).unwrap();
    let error = said["error"].as_object().unwrap();
    assert_eq!(said.as_object().map(serde_json::Map::len), Some(1), "{said}");
    let keys: Vec<&str> = error.keys().map(String::as_str).collect();
    assert_eq!(keys, ["at", "code", "hint", "message"], "{said}");
    assert!(
        is_of(&error["code"], "text") && is_of(&error["message"], "text"),
        "{said}"
    );
    assert!(is_of(&error["hint"], "text?"), "{said}");
    for (key, kind) in [("file", "text"), ("row", "count?"), ("column", "text?")] {
        assert!(error["at"].is_null() || is_of(&error["at"][key], kind), "{said}");
    }
}

#[test]
fn errors_are_one_object() {
    let folder = small();
    let workspace = folder.path();
    for args in [
        &["frobnicate"][..],
        &["run", "--frobnicate"],
        &["show"],
        &["explain", "TW9999"],
        &["deliver"],
    ] {
        assert_error_object(workspace, args, 2);
    }
    put(
        workspace,
        "customers.csv",
        "id,age,plan,fee,churn\nC1,3,basic,2,Yes,No\n",
    );
    assert_error_object(workspace, &["run"], 3);
}

#[test]
fn a_net_has_its_history() {
    let folder = small();
    let text = fs::read_to_string(folder.path().join("thalweg.toml")).unwrap();
    let net = "learner = \"mlp\"\nfolds = 2\n\n[model.mlp]\nhidden = [4]\nepochs = 3";
    put(
        folder.path(),
        "thalweg.toml",
        text.replace("learner = \"logistic\"", net),
    );
    let evaluation = checked(folder.path(), &["evaluate", "--as-of", AS_OF]);
    assert_contract("net", &evaluation);
}

#[test]
fn init_and_demo() {
    let folder = small();
    let args = [
        "init",
        "new",
        "--from",
        "customers.csv",
        "--key",
        "id",
        "--target",
        "churn",
    ];
    let made = checked(folder.path(), &args);
    assert_eq!(made["rows"], 300);
    let empty = TempDir::new().unwrap();
    let demo = checked(empty.path(), &["demo", "--customers", "1500", "--cycles", "2"]);
    assert_eq!(
        (&demo["customers"], demo["cycles"].as_array().map(Vec::len)),
        (&Value::from(1_500), Some(2))
    );
}
