//! `[plan] robust`: caution, Thompson sampling, and what of a plan stays when effects are drawn anew.

use serde_json::Value;

use crate::bad_input::small;
use crate::determinism::{AS_OF, assert_same, files};
use crate::plan_rules::{add, decisions};
use crate::support::{fail, json, succeed};

/// The plan and its decisions, with what is put at the end of `[plan]`.
fn planned(text: &str, more: &[&str]) -> (Value, Vec<Value>) {
    let folder = small();
    add(folder.path(), text);
    let mut args = vec!["plan", "--as-of", AS_OF];
    args.extend(more);
    let plan = json(folder.path(), &args);
    (plan, decisions(folder.path()))
}

fn without_survival(mut decisions: Vec<Value>) -> Vec<Value> {
    for decision in &mut decisions {
        decision.as_object_mut().unwrap().remove("survival");
    }
    decisions
}

#[test]
fn no_risk_aversion_changes_no_decision() {
    let (plan, plain) = planned("", &[]);
    let (same, own) = planned("robust = { risk_aversion = 0, samples = 20 }\n", &[]);
    assert_eq!(plain, without_survival(own));
    for key in ["expected_value", "constraints", "upper_bound", "what_if", "spend"] {
        // a sum in another order differs in the last digit
        let close = |a: &Value, b: &Value| match (a.as_f64(), b.as_f64()) {
            (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * a.abs().max(1.0),
            _ => a.is_null() == b.is_null(),
        };
        let (a, b) = (&plan[key], &same[key]);
        let flat = |value: &Value| -> Vec<Value> {
            value.as_array().cloned().unwrap_or_else(|| vec![value.clone()])
        };
        for (a, b) in flat(a).iter().zip(&flat(b)) {
            let pairs = a
                .as_object()
                .map(|own| own.keys().map(|key| (&a[key], &b[key])).collect());
            let pairs: Vec<(&Value, &Value)> = pairs.unwrap_or_else(|| vec![(a, b)]);
            assert!(pairs.iter().all(|(a, b)| close(a, b)), "{key}: {a} {b}");
        }
    }
    assert_eq!(plan["robust"], Value::Null);
    // without draws nothing is added to a decision
    let (_, own) = planned("robust = { risk_aversion = 0, samples = 0 }\n", &[]);
    assert_eq!(plain, own);
}

#[test]
fn survival_is_told_by_decision_and_by_channel() {
    let text = "robust = { mode = \"mean\", samples = 100 }\n";
    let (plan, all) = planned(text, &[]);
    let robust = &plan["robust"];
    assert_eq!(
        (&robust["mode"], &robust["samples"]),
        (&"mean".into(), &100.into())
    );
    assert_eq!(robust["solved_customers"], 300);
    let share = |of: &dyn Fn(&str) -> bool| {
        let own = all.iter().filter(|row| of(row["intended"].as_str().unwrap()));
        let own: Vec<f64> = own.map(|row| row["survival"].as_f64().unwrap()).collect();
        (own.len() as u64, own.iter().sum::<f64>() / own.len() as f64)
    };
    assert!(
        all.iter()
            .all(|row| (0.0..=1.0).contains(&row["survival"].as_f64().unwrap()))
    );
    let (_, whole) = share(&|intended| intended != "none");
    assert!((robust["survival"].as_f64().unwrap() - whole).abs() < 1e-9);
    // effects of 10 % ± 7 are far from sure, but not a matter of chance alone
    assert!(whole > 0.2 && whole < 0.95, "{whole}");
    for channel in robust["channels"].as_array().unwrap() {
        let name = channel["name"].as_str().unwrap();
        let (n, own) = share(&|intended| intended.split(" + ").next() == Some(name));
        assert_eq!(channel["planned"].as_u64(), Some(n));
        match channel["survival"].as_f64() {
            Some(told) => assert!((told - own).abs() < 1e-9, "{channel}"),
            None => assert_eq!(n, 0),
        }
        let range: Vec<u64> = channel["planned90"]
            .as_array()
            .unwrap()
            .iter()
            .map(|n| n.as_u64().unwrap())
            .collect();
        assert!(range[0] < range[1] && range[1] <= 300, "{channel}");
    }
    let folder = small();
    add(folder.path(), text);
    let told = succeed(folder.path(), &["plan", "--as-of", AS_OF]);
    let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
    let says = format!("{:.0} % of the actions stay the same", 100.0 * whole);
    assert!(told.contains(&says), "{says}: {told}");
    let shown = json(folder.path(), &["show", "decision", "C0001"]);
    assert!((0.0..=1.0).contains(&shown["survival"].as_f64().unwrap()));
}

#[test]
fn caution_gives_up_gain_for_certainty_and_thompson_draws_once() {
    let mean = |plan: &Value| plan["expected_value"]["mean"].as_f64().unwrap();
    let (plain, _) = planned("", &[]);
    let (careful, _) = planned("robust = { risk_aversion = 1.2, samples = 0 }\n", &[]);
    let low = |plan: &Value| plan["expected_value"]["ci90"][0].as_f64().unwrap();
    assert!(mean(&careful) < mean(&plain), "the expected value stays the mean");
    assert!(low(&careful) > low(&plain), "{} {}", low(&careful), low(&plain));
    assert!(careful["treated"].as_u64() < plain["treated"].as_u64());
    let thompson = "robust = { mode = \"thompson\", samples = 0 }\n";
    let ((drawn, first), (_, second)) = (planned(thompson, &[]), planned(thompson, &[]));
    assert_eq!(first, second, "the same seed gives the same draw");
    assert!(mean(&drawn) < mean(&plain) && drawn["robust"]["mode"] == "thompson");
}

#[test]
fn threads_change_no_byte_of_a_robust_plan() {
    let run = |threads: &str| {
        let folder = small();
        add(folder.path(), "robust = { risk_aversion = 0.5, samples = 30 }\n");
        succeed(folder.path(), &["plan", "--threads", threads, "--as-of", AS_OF]);
        files(&folder.path().join("artifacts/plans"))
    };
    assert_same(&run("1"), &run("2"), "1 and 2 threads");
}

#[test]
fn what_makes_no_sense_is_refused() {
    let cases = [
        ("robust = { risk_aversion = -1 }\n", "risk_aversion"),
        (
            "robust = { mode = \"mean\", risk_aversion = 1 }\n",
            "does not go with mode",
        ),
        (
            "robust = { mode = \"careful\" }\n",
            "is not one of mean, lower, thompson",
        ),
        ("robust = { samples = 20000 }\n", "above 10000"),
        ("robust = 1\n", "must be"),
    ];
    for (text, says) in cases {
        let folder = small();
        add(folder.path(), text);
        let (exit, error) = fail(folder.path(), &["plan", "--as-of", AS_OF]);
        assert_eq!(
            (exit, error["code"].as_str()),
            (2, Some("TW0104")),
            "{text}{error}"
        );
        assert_eq!(error["at"]["row"], 35, "{error}");
        assert!(error["message"].as_str().unwrap().contains(says), "{error}");
    }
}
