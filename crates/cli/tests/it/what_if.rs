//! Scenarios compared: the first is the plan itself, nothing is put on record, and no byte depends on the threads; and partners' terms.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::bad_input::small;
use crate::determinism::{AS_OF, telco};
use crate::plan_rules::{add, decisions, tiers};
use crate::support::{fail, json, output, root, succeed};

/// telco's first customers under the example's configuration, with a quick learner.
fn workspace(customers: usize) -> (TempDir, std::path::PathBuf) {
    let (parent, folder) = telco(Some(customers));
    let file = folder.join("thalweg.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(
        &file,
        text.replace("learner = \"auto\"", "learner = \"logistic\""),
    )
    .unwrap();
    (parent, folder)
}

fn compare(folder: &Path, text: &str, more: &[&str]) -> Value {
    fs::write(folder.join("s.toml"), text).unwrap();
    let mut args = vec!["plan", "--scenario", "s.toml", "--as-of", AS_OF];
    args.extend(more);
    json(folder, &args)
}

fn mean(scenario: &Value) -> f64 {
    scenario["expected_value"]["mean"].as_f64().unwrap()
}

#[test]
fn the_first_column_is_the_plan_and_the_ledger_stays_as_it_was() {
    let (_parent, folder) = workspace(1500);
    let plan = json(&folder, &["plan", "--as-of", AS_OF]);
    let status = succeed(&folder, &["status", "--json", "--as-of", AS_OF]);
    let ledger = fs::read(folder.join("thalweg.db")).unwrap();
    let text = fs::read_to_string(root().join("examples/telco/scenarios.toml")).unwrap();
    let out = compare(&folder, &text, &[]);
    let scenarios = out["scenarios"].as_array().unwrap();
    assert_eq!(scenarios.len(), 5);
    for key in [
        "treated",
        "spend",
        "expected_value",
        "upper_bound",
        "constraints",
        "holdout",
    ] {
        assert_eq!(scenarios[0][key], plan[key], "{key}");
    }
    assert_eq!(scenarios[0]["difference"], Value::Null);
    for scenario in &scenarios[1..] {
        let difference = scenario["difference"]["mean"].as_f64().unwrap();
        assert!((difference - (mean(scenario) - mean(&scenarios[0]))).abs() < 1e-9);
        assert!(scenario["difference"]["ci90"].is_array());
        assert_eq!(scenario["feasible"], true);
    }
    // an error in an effect counts once for both plans: the difference is surer than either plan
    let width = |interval: &Value| interval[1].as_f64().unwrap() - interval[0].as_f64().unwrap();
    assert!(
        width(&scenarios[1]["difference"]["ci90"]) < width(&scenarios[1]["expected_value"]["ci90"]) / 2.0
    );
    assert_eq!(status, succeed(&folder, &["status", "--json", "--as-of", AS_OF]));
    assert!(
        ledger == fs::read(folder.join("thalweg.db")).unwrap(),
        "the ledger has changed"
    );
    succeed(&folder, &["report", "--out", "r.html", "--as-of", AS_OF]);
    let report = fs::read_to_string(folder.join("r.html")).unwrap();
    assert!(report.contains("more than the configuration as it is") && report.contains("learn faster"));
}

#[test]
fn more_money_is_worth_no_less_and_less_no_more_and_off_is_out() {
    let (_parent, folder) = workspace(1500);
    let text = "[[scenario]]\nname = \"more\"\nbudget = \"+50 %\"\nexplore = 0\n\
                [[scenario]]\nname = \"same\"\nexplore = 0\n\
                [[scenario]]\nname = \"less\"\nbudget = \"-90 %\"\nexplore = 0\n\
                [[scenario]]\nname = \"no call\"\nexplore = 0\nchannel.call.on = false\n\
                [[scenario]]\nname = \"nothing\"\nbudget = 0\nexplore = 0\n";
    let out = compare(&folder, text, &["--threads", "1"]);
    let scenarios = out["scenarios"].as_array().unwrap();
    let [_, more, same, less, no_call, nothing] = &scenarios[..] else {
        panic!("six columns: {out}");
    };
    let slack = |own: &Value| 1e-3 * own["upper_bound"].as_f64().unwrap();
    assert!(mean(more) >= mean(same) - slack(same));
    assert!(mean(less) < mean(same) && less["budget_price"].as_f64() > same["budget_price"].as_f64());
    assert!(mean(no_call) <= mean(same) + slack(same));
    let call = &no_call["channels"][3];
    assert_eq!((&call["name"], &call["verdict"]), (&"call".into(), &"off".into()));
    assert_eq!(
        (&call["on"], call["customers"].as_u64()),
        (&false.into(), Some(0))
    );
    for scenario in scenarios {
        let (spend, budget) = (
            scenario["spend"].as_f64().unwrap(),
            scenario["budget"].as_f64().unwrap(),
        );
        assert!(spend <= budget, "{spend} of {budget}");
    }
    assert!(nothing["spend"].as_f64().unwrap() == 0.0);
    let kept = folder.join("artifacts/scenarios/last.json");
    let first = fs::read(&kept).unwrap();
    compare(&folder, text, &["--threads", "3"]);
    assert!(first == fs::read(&kept).unwrap(), "bytes depend on the threads");
}

#[test]
fn a_scenario_whose_limits_cannot_all_hold_is_named_and_changes_nothing() {
    let folder = small();
    let dir = folder.path();
    add(
        dir,
        "\n[[plan.constraint]]\nname = \"discounts\"\nresource = \"cost\"\nat_least = 150\nwhere = { offer = \"discount\" }\n",
    );
    let plan = json(dir, &["plan", "--as-of", AS_OF]);
    assert_eq!(plan["feasible"], true);
    let ledger = fs::read(dir.join("thalweg.db")).unwrap();
    let plans = || fs::read_dir(dir.join("artifacts/plans")).unwrap().count();
    let before = plans();
    fs::write(
        dir.join("s.toml"),
        "[[scenario]]\nname = \"lean year\"\nbudget = 100\n\n[[scenario]]\nname = \"rich year\"\nbudget = 400\n",
    )
    .unwrap();
    let ask = |more: &[&str]| {
        let mut args = vec!["plan", "--scenario", "s.toml", "--as-of", AS_OF];
        args.extend(more);
        let out = output(dir, &args);
        assert_eq!(out.status.code(), Some(4), "{out:?}");
        String::from_utf8(out.stdout).unwrap()
    };
    let out: Value = serde_json::from_str(&ask(&["--json"])).unwrap();
    let [configured, lean, rich] = &out["scenarios"].as_array().unwrap()[..] else {
        panic!("three columns: {out}");
    };
    assert_eq!(
        (&configured["feasible"], &rich["feasible"]),
        (&true.into(), &true.into())
    );
    assert_eq!(
        (&lean["name"], &lean["feasible"]),
        (&"lean year".into(), &false.into())
    );
    let mut conflicts: Vec<&str> = lean["conflicts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|own| own.as_str().unwrap())
        .collect();
    conflicts.sort_unstable();
    assert_eq!(conflicts, ["budget", "discounts"]);
    let text = ask(&[]).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        text.contains("lean year: INFEASIBLE: these contradict each other:"),
        "{text}"
    );
    assert!(!text.contains("rich year: INFEASIBLE"), "{text}");
    // neither the ledger nor the plan in force knows of it, and what can be kept is compared all the same
    assert!(
        ledger == fs::read(dir.join("thalweg.db")).unwrap(),
        "the ledger has changed"
    );
    assert_eq!(plans(), before);
    assert_eq!(json(dir, &["plan", "--as-of", AS_OF])["plan"], plan["plan"]);
    succeed(dir, &["report", "--out", "r.html", "--as-of", AS_OF]);
    let report = fs::read_to_string(dir.join("r.html")).unwrap();
    assert!(report.contains("no: budget, discounts") || report.contains("no: discounts, budget"));
    // a file that cannot be read as scenarios leaves the comparison as it was
    let kept = fs::read(dir.join("artifacts/scenarios/last.json")).unwrap();
    fs::write(
        dir.join("s.toml"),
        "[[scenario]]\nname = \"typing\"\nbugdet = 100\n",
    )
    .unwrap();
    let (code, error) = fail(dir, &["plan", "--scenario", "s.toml", "--as-of", AS_OF]);
    assert_eq!(
        (code, &error["code"], &error["at"]["row"]),
        (2, &"TW0107".into(), &3.into()),
        "{error}"
    );
    assert!(kept == fs::read(dir.join("artifacts/scenarios/last.json")).unwrap());
}

/// The example with two partners more: one that is worth its terms, and one that is not.
fn with_partners(customers: usize) -> (TempDir, std::path::PathBuf) {
    let (parent, folder) = workspace(customers);
    let file = folder.join("thalweg.toml");
    let text = fs::read_to_string(&file).unwrap();
    let partner = |name: &str, terms: &str| {
        format!(
            "[[channel]]\nname = \"{name}\"\nkind = \"partner\"\nunit_cost = 0.01\nterms = {terms}\n\
             assumed_effect = {{ mean = 0.15, sd = 0.05 }}\n\n"
        )
    };
    let more = partner(
        "bank",
        "{ revenue_share = 0.10, fixed_fee = 40.0, minimum_volume = 150 }",
    ) + &partner("shops", "{ fixed_fee = 4900.0 }");
    fs::write(
        &file,
        text.replace("explore = 0.10", "explore = 0")
            .replacen("[[offer]]", &format!("{more}[[offer]]"), 1),
    )
    .unwrap();
    (parent, folder)
}

#[test]
fn partners_are_paid_out_of_the_budget_and_add_up() {
    let (_parent, folder) = with_partners(1500);
    let plan = json(&folder, &["plan", "--as-of", AS_OF]);
    let number = |value: &Value| value.as_f64().unwrap();
    let sheets = plan["partners"].as_array().unwrap();
    let [bank, shops] = &sheets[..] else {
        panic!("two sheets: {sheets:?}");
    };
    assert_eq!(
        (&bank["used"], &shops["used"]),
        (&true.into(), &false.into()),
        "{sheets:?}"
    );
    assert!(number(&bank["volume"]) >= 150.0 && number(&shops["volume"]) == 0.0);
    assert!(number(&bank["our_gain"]["mean"]) > 0.0 && number(&shops["our_gain"]["mean"]) < 0.0);
    assert!(shops["reason"].as_str().unwrap().contains("fee of 4900.00"));
    assert!((number(&bank["fee"]) - 40.0).abs() < 1e-9 && number(&shops["fee"]) == 0.0);
    let earned = number(&bank["fee"]) + number(&bank["revenue_share_paid"]) + 0.01 * number(&bank["volume"]);
    assert!((number(&bank["their_earnings"]) - earned).abs() < 1e-6);
    // fees and shares are in the channels, and channels add up to the plan
    let sum = |key: &str| {
        plan["channels"]
            .as_array()
            .unwrap()
            .iter()
            .map(|own| number(&own[key]))
            .sum::<f64>()
    };
    assert!((sum("spend") - number(&plan["spend"])).abs() < 1e-6 && number(&plan["spend"]) <= 5000.0);
    assert!((sum("expected_value") - number(&plan["expected_value"]["mean"])).abs() < 1e-6);
    let budget = &plan["constraints"][0];
    assert!((number(&budget["limit"]) - 5000.0).abs() < 1e-9);
    assert!((number(&budget["used"]) - number(&plan["spend"])).abs() < 1e-6);
    // nobody draws, so that without the bank the plan is worth less by what its sheet says
    let off = compare(
        &folder,
        "[[scenario]]\nname = \"off\"\nchannel.bank.on = false\n",
        &["--threads", "1"],
    );
    assert_eq!(off["scenarios"][0]["partners"], plan["partners"]);
    let lost = -number(&off["scenarios"][1]["difference"]["mean"]);
    let gain = number(&bank["our_gain"]["mean"]);
    assert!(
        (lost - gain).abs() < 1e-3 * number(&plan["upper_bound"]),
        "{lost} against {gain}"
    );
    succeed(&folder, &["report", "--out", "r.html", "--as-of", AS_OF]);
    let report = fs::read_to_string(folder.join("r.html")).unwrap();
    assert!(report.contains("1 of 2 partners is worth the terms"));
}

/// One partner, whose contacts cost nothing but its share of what they bring; half as many as there are customers.
fn shared_with_a_partner(share: f64) -> (TempDir, Value) {
    let folder = small();
    let config = fs::read_to_string(folder.path().join("thalweg.toml")).unwrap();
    let head = config.split("[[channel]]").next().unwrap();
    let text = format!(
        "{head}[[channel]]\nname = \"agency\"\nkind = \"partner\"\nunit_cost = 0\ncapacity = 150\nterms = {{ revenue_share = {share} }}\n\
         assumed_effect = {{ mean = 0.1, sd = 0.05 }}\n\n[plan]\nbudget = 100000\nexplore = 0\nmarket = \"plan\"\n"
    );
    fs::write(folder.path().join("thalweg.toml"), text).unwrap();
    let plan = json(folder.path(), &["plan", "--as-of", AS_OF]);
    (folder, plan)
}

/// A partner that gets 40 % of what contacts bring takes 40 % of their doubt too.
#[test]
fn groups_and_market_rows_leave_a_partners_share_to_the_partner() {
    let (_all, alone) = shared_with_a_partner(0.0);
    let (folder, shared) = shared_with_a_partner(0.4);
    let half = |own: &Value| {
        let ends = [0, 1].map(|end| own["ci95"][end].as_f64().unwrap());
        (ends[1] - ends[0]) / 2.0
    };
    let rows = |plan: &Value| plan["market"]["rows"].as_array().unwrap().clone();
    let groups = |plan: &Value| plan["segments"]["groups"].as_array().unwrap().clone();
    let pairs = rows(&alone).into_iter().zip(rows(&shared));
    let mut left = 0.0;
    for (alone, shared) in pairs {
        assert_eq!(
            (&alone["name"], &alone["contacts"]),
            (&shared["name"], &shared["contacts"])
        );
        let something = |key: &&str| half(&alone[*key]) > 0.0;
        for key in ["expected_gain", "headroom"].into_iter().filter(something) {
            let ratio = |of: &dyn Fn(&Value) -> f64| of(&shared[key]) / of(&alone[key]);
            assert!((ratio(&half) - 0.6).abs() < 1e-6, "{key} {shared} {alone}");
            assert!((ratio(&|own| own["mean"].as_f64().unwrap()) - 0.6).abs() < 1e-6);
        }
        left += half(&shared["headroom"]);
    }
    assert!(left > 0.0, "there is something left to gain");
    let pairs = groups(&alone).into_iter().zip(groups(&shared));
    for (alone, shared) in pairs {
        assert_eq!(alone["name"], shared["name"]);
        assert!((half(&shared["expected_gain"]) / half(&alone["expected_gain"]) - 0.6).abs() < 1e-6);
        assert_eq!(
            half(&shared["effect"]),
            half(&alone["effect"]),
            "risk is not shared"
        );
    }
    // by hand: 60 % of the value at risk of those contacted, times an effect of 0.1 give or take 0.05, the same error for all
    let tiers = tiers(folder.path());
    for row in rows(&shared) {
        let contacted = decisions(folder.path()).into_iter().filter(|own| {
            own["action"] != "none" && row["name"] == tiers[own["customer"].as_str().unwrap()].as_str()
        });
        let stake: f64 = contacted
            .map(|own| own["value"].as_f64().unwrap() * own["risk"].as_f64().unwrap())
            .sum();
        let mean = row["expected_gain"]["mean"].as_f64().unwrap();
        assert!((mean - 0.6 * 0.1 * stake).abs() < 1e-6 * stake, "{mean} {stake}");
        let by_hand = 1.959_964 * 0.6 * 0.05 * stake;
        let ratio = half(&row["expected_gain"]) / by_hand;
        assert!((ratio - 1.0).abs() < 1e-6, "{ratio} {row}");
    }
}
