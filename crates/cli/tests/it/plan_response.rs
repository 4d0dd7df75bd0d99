//! `[response]`: the plan fits a table of weeks, keeps the fit, says what it cannot know, and refuses bad tables.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::bad_input::{put, small};
use crate::determinism::{AS_OF, files};
use crate::response::{dice, weeks, write};
use crate::support::{fail, json, shared_data, succeed};

/// After the horizon of 30 days.
const LATER: &str = "2027-01-06T00:00:00Z";
const PLAN: &[&str] = &["plan", "--as-of", AS_OF];

/// The usual section on weeks.csv, with a short run of the sampler.
const SECTION: &str = "[response]\ndata = \"weeks.csv\"\ntime = \"week\"\noutcome = \"sales\"\n\
    channels = { tv = \"email\", search = \"\" }\ncontrols = [\"price\"]\nseasonality = \"none\"\n\
    draws = 500\nwarmup = 500\nheld_out = 0\n";

fn workspace(rows: &[[String; 5]], section: &str) -> TempDir {
    let folder = small();
    write(folder.path(), rows);
    append(folder.path(), section);
    folder
}

fn append(folder: &Path, section: &str) {
    let file = folder.join("thalweg.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{text}\n{section}")).unwrap();
}

fn kept(folder: &Path) -> Vec<String> {
    let found = files(&folder.join("artifacts/responses"));
    found
        .keys()
        .filter(|name| name.ends_with(".json"))
        .cloned()
        .collect()
}

#[test]
fn the_plan_has_the_curves_and_keeps_them() {
    let rows = weeks(80);
    let folder = workspace(&rows, SECTION);
    let folder = folder.path();
    let first = json(folder, PLAN);
    let response = &first["response"];
    assert_eq!(response["verdict"], "published", "{response}");
    let channel = |name: &str| {
        let all = response["channels"].as_array().unwrap();
        all.iter().find(|own| own["name"] == name).unwrap()
    };
    assert_eq!(channel("tv")["workspace_channel"], "email");
    assert!(channel("search")["workspace_channel"].is_null());
    // the truth: what the formula adds, over what was spent
    for (name, column, height, scale) in [("tv", 2, 300.0, 60.0), ("search", 3, 200.0, 40.0)] {
        let spends: Vec<f64> = rows.iter().map(|row| row[column].parse().unwrap()).collect();
        let brought: f64 = spends.iter().map(|own: &f64| height * (own / scale).tanh()).sum();
        let truth = brought / spends.iter().sum::<f64>();
        let ci = &channel(name)["return"]["ci90"];
        assert!(
            ci[0].as_f64().unwrap() < truth && truth < ci[1].as_f64().unwrap(),
            "{name}: {truth} {ci}"
        );
        // the curve begins at nothing, rises, and has the optimum's present spend inside
        let curve = channel(name)["curve"].as_array().unwrap();
        let mean = |at: usize| curve[at]["outcome"]["mean"].as_f64().unwrap();
        assert!(mean(0).abs() < 1e-9 && (1..curve.len()).all(|at| mean(at) > mean(at - 1)));
        // its slope at the present spend is the return of one more unit
        let best = response["optimum"]["channels"].as_array().unwrap();
        let now = best.iter().find(|own| own["name"] == name).unwrap()["before"]
            .as_f64()
            .unwrap();
        let spend = |at: usize| curve[at]["spend"].as_f64().unwrap();
        let after = (1..curve.len()).find(|at| spend(*at) > now).unwrap();
        let slope = (mean(after + 1) - mean(after - 2)) / (spend(after + 1) - spend(after - 2));
        let marginal = channel(name)["marginal_return"]["mean"].as_f64().unwrap();
        assert!(
            (slope / marginal - 1.0).abs() < 0.05,
            "{name}: {slope} {marginal}"
        );
    }
    let email = &first["channels"][0];
    assert!(
        email["reason"]
            .as_str()
            .unwrap()
            .contains("by its response curve one more unit of currency brings"),
        "{email}"
    );
    let file = folder.join(response["out"].as_str().unwrap());
    assert!(
        fs::read_to_string(file)
            .unwrap()
            .starts_with("period,outcome,base,")
    );
    // another budget makes another plan from the same fit
    let before = files(&folder.join("artifacts/responses"));
    assert_eq!(kept(folder).len(), 1);
    let config = folder.join("thalweg.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("budget = 300", "budget = 200")).unwrap();
    let second = json(folder, PLAN);
    assert_ne!(first["plan"], second["plan"]);
    assert_eq!(first["response"], second["response"]);
    assert!(
        before == files(&folder.join("artifacts/responses")),
        "the fit was made anew"
    );
    // a lift test makes another fit
    append(
        folder,
        "[[response.lift_test]]\nchannel = \"search\"\nspend = 0\nchange = 20\nlift = 92\nsd = 10\n",
    );
    let third = json(folder, PLAN);
    assert_eq!(kept(folder).len(), 2);
    assert_eq!(third["response"]["lift_tests"][0]["source"], "given");
    let width = |plan: &Value| {
        let all = plan["response"]["channels"].as_array().unwrap();
        let search = all.iter().find(|own| own["name"] == "search").unwrap();
        let ci = &search["contribution"]["ci90"];
        ci[1].as_f64().unwrap() - ci[0].as_f64().unwrap()
    };
    assert!(
        width(&third) < width(&second),
        "{} {}",
        width(&third),
        width(&second)
    );
    // people read it too
    let text = succeed(folder, PLAN);
    assert!(
        text.contains("What spend brought of sales") && text.contains("The best split of"),
        "{text}"
    );
    succeed(folder, &["report", "--out", "r.html", "--as-of", AS_OF]);
    let report = fs::read_to_string(folder.join("r.html")).unwrap();
    for words in [
        "<section id=\"response\"",
        "What was believed and what the weeks say",
        "Other budgets",
    ] {
        assert!(report.contains(words), "{words}");
    }
}

#[test]
fn threads_change_no_byte_and_again_makes_the_same() {
    let rows = weeks(80);
    let made = |args: &[&str]| {
        let folder = workspace(&rows, SECTION);
        succeed(folder.path(), &[&["run", "--as-of", AS_OF], args].concat());
        succeed(folder.path(), &["run", "--again", "--as-of", AS_OF]);
        files(&folder.path().join("artifacts"))
    };
    let (one, three) = (made(&["--threads", "1"]), made(&["--threads", "3"]));
    let plans = one.keys().filter(|name| name.starts_with("plans/p-")).count();
    assert_eq!((plans, one.len()), (1, three.len()));
    assert!(one == three, "bytes depend on the threads");
}

/// A curve that says no has its say in every scenario too.
#[test]
fn the_veto_counts_in_the_plan_and_in_scenarios() {
    // email is held back by its capacity, and its weeks brought hardly more than nothing
    let mut rows = weeks(100);
    for (week, row) in (0..).zip(&mut rows) {
        let [tv, search] = [2, 3].map(|column: usize| row[column].parse::<f64>().unwrap());
        let sales = 1000.0 + 0.2 * tv + 200.0 * (search / 40.0).tanh() + 20.0 * dice(week, 7);
        row[1] = format!("{sales:.3}");
    }
    let section = SECTION.replace("draws = 500", "outcome_unit = \"value\"\ndraws = 500");
    let folder = workspace(&rows, &section);
    let folder = folder.path();
    let file = folder.join("thalweg.toml");
    let text = fs::read_to_string(&file).unwrap();
    let small = "unit_cost = 0.02\ncapacity = 60\nassumed_effect = { mean = 0.2, sd = 0.02 }";
    fs::write(&file, text.replacen("unit_cost = 0.02", small, 1)).unwrap();
    let plan = json(folder, PLAN);
    let email = &plan["channels"][0];
    let reason = email["reason"].as_str().unwrap();
    assert_eq!(email["verdict"], "hold", "{reason}");
    assert!(
        reason.contains("its capacity holds it back")
            && reason.contains("; held back, as by its response curve"),
        "{reason}"
    );
    put(
        folder,
        "s.toml",
        "[[scenario]]\nname = \"more\"\nbudget = \"+10 %\"\n",
    );
    let compared = json(folder, &["plan", "--scenario", "s.toml", "--as-of", AS_OF]);
    let first = &compared["scenarios"][0]["channels"][0];
    assert_eq!(
        (&first["verdict"], &first["reason"]),
        (&email["verdict"], &email["reason"])
    );
    // without the curve it is expanded
    fs::write(
        &file,
        fs::read_to_string(&file)
            .unwrap()
            .replace("outcome_unit = \"value\"\n", ""),
    )
    .unwrap();
    assert_eq!(json(folder, PLAN)["channels"][0]["verdict"], "expand");
}

#[test]
fn without_the_section_there_is_nothing_of_it() {
    let folder = small();
    let plan = json(folder.path(), PLAN);
    assert!(plan.get("response").is_none());
    succeed(folder.path(), &["report", "--out", "r.html", "--as-of", AS_OF]);
    let report = fs::read_to_string(folder.path().join("r.html")).unwrap();
    assert!(!report.contains("id=\"response\""));
}

#[test]
fn what_cannot_be_told_apart_is_said_and_the_plan_goes_on() {
    let mut rows = weeks(60);
    for row in &mut rows {
        row[3] = format!("{}", row[2].parse::<f64>().unwrap() * 0.4 + 1.0);
    }
    let folder = workspace(&rows, SECTION);
    let plan = json(folder.path(), PLAN);
    assert!(plan["treated"].as_u64().unwrap() > 0);
    let response = &plan["response"];
    assert_eq!(response["verdict"], "not_identifiable");
    let reason = response["reasons"][0].as_str().unwrap();
    assert!(
        reason.contains("tv and search") || reason.contains("search and tv"),
        "{reason}"
    );
    assert!(
        reason.contains("[[response.lift_test]]") && !reason.contains("--"),
        "{reason}"
    );
    assert!(
        !plan["channels"][0]["reason"]
            .as_str()
            .unwrap()
            .contains("response curve")
    );
    let text = succeed(folder.path(), PLAN);
    assert!(
        text.contains("Not identifiable: no curve is published."),
        "{text}"
    );
    succeed(folder.path(), &["report", "--out", "r.html", "--as-of", AS_OF]);
    let report = fs::read_to_string(folder.path().join("r.html")).unwrap();
    assert!(report.contains("The weeks cannot tell what the channels brought"));
}

#[test]
fn bad_tables_and_keys_are_refused_in_the_words_of_the_file() {
    let good = weeks(60);
    let mut negative = good.clone();
    negative[12][2] = "-3".to_owned();
    for (rows, section, code, exit, words) in [
        (&negative, SECTION.to_owned(), "TW0520", 3, "-3"),
        (
            &good[..10].to_vec(),
            SECTION.to_owned(),
            "TW0523",
            3,
            "10 periods",
        ),
        (
            &good,
            SECTION.replace("week\"\n", "day\"\n"),
            "TW0211",
            3,
            "[response] time",
        ),
        (
            &good,
            SECTION.replace("weeks.csv", "gone.csv"),
            "TW0201",
            3,
            "gone.csv",
        ),
        (
            &good,
            SECTION.replace("draws = 500", "budget = 1"),
            "TW0524",
            2,
            "budget of 1 per period",
        ),
        (
            &good,
            SECTION.replace("draws = 500", "drws = 500"),
            "TW0107",
            2,
            "drws",
        ),
        (
            &good,
            SECTION.replace("\"email\"", "\"radio\""),
            "TW0105",
            2,
            "radio",
        ),
    ] {
        let folder = workspace(rows, &section);
        let (status, error) = fail(folder.path(), PLAN);
        assert_eq!((status, error["code"].as_str()), (exit, Some(code)), "{error}");
        assert!(error["message"].as_str().unwrap().contains(words), "{error}");
        assert!(
            !error["hint"].as_str().unwrap_or_default().contains("--"),
            "{error}"
        );
    }
}

/// One turn of the loop; the plan after it.
fn second_cycle(folder: &Path) -> Value {
    json(folder, PLAN);
    succeed(folder, &["deliver", "--as-of", AS_OF]);
    let events: String = (0..300)
        .step_by(5)
        .map(|row| {
            format!(
                "{{\"type\":\"track\",\"messageId\":\"m-{row}\",\"userId\":\"C{row:04}\",\"event\":\"Subscription Cancelled\",\"timestamp\":\"2026-12-01T10:00:00Z\"}}\n"
            )
        })
        .collect();
    put(folder, "events.jsonl", events);
    succeed(
        folder,
        &[
            "feedback",
            "events.jsonl",
            "--complete-until",
            "2027-01-05",
            "--as-of",
            LATER,
        ],
    );
    let closed = json(folder, &["iterate", "--as-of", LATER]);
    assert_eq!(closed["closed"], true);
    let plan = json(folder, &["plan", "--as-of", LATER]);
    let again = json(folder, &["plan", "--as-of", LATER]);
    assert_eq!(plan["response"], again["response"]);
    plan
}

#[test]
fn hold_outs_of_closed_cycles_are_lift_tests_where_the_table_has_their_weeks() {
    let in_value = SECTION.replace("draws = 500", "outcome_unit = \"value\"\ndraws = 500");
    // to 27 December 2026: the horizon from 24 November on is inside
    let folder = workspace(&weeks(208), &in_value);
    let plan = second_cycle(folder.path());
    let tests = plan["response"]["lift_tests"].as_array().unwrap();
    assert_eq!(tests.len(), 1, "{}", plan["response"]["notes"]);
    assert_eq!(
        (tests[0]["channel"].as_str(), tests[0]["source"].as_str()),
        (Some("tv"), Some("cycle 1"))
    );
    assert!(tests[0]["change"].as_f64().unwrap() > 0.0 && tests[0]["sd"].as_f64().unwrap() > 0.0);
    let reason = plan["channels"][0]["reason"].as_str().unwrap();
    assert!(
        reason.contains("by its response curve one more unit earns")
            && reason.contains("than the budget's price"),
        "{reason}"
    );
    // it is in the likelihood
    let file = folder.path().join("thalweg.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("outcome_unit = \"value\"\n", "")).unwrap();
    let without = json(folder.path(), &["plan", "--as-of", LATER]);
    let tv = |plan: &Value| plan["response"]["channels"][1]["contribution"].clone();
    assert_eq!(plan["response"]["channels"][1]["name"], "tv");
    assert!(without["response"]["lift_tests"].as_array().unwrap().is_empty());
    assert_ne!(tv(&plan), tv(&without));
    // a table that ends before is not
    let folder = workspace(&weeks(120), &in_value);
    let plan = second_cycle(folder.path());
    assert!(plan["response"]["lift_tests"].as_array().unwrap().is_empty());
    let notes = plan["response"]["notes"].to_string();
    assert!(
        notes.contains("the hold-out of cycle 1 on email is no lift test: the table does not reach"),
        "{notes}"
    );
}

/// The returns with which PyMC-Marketing's example was made: 4968 and 2275.
#[test]
fn real_data_in_a_workspace() {
    let Some(data) = shared_data() else { return };
    let folder = small();
    fs::copy(
        data.join("pymc_marketing/mmm_example.csv"),
        folder.path().join("mmm.csv"),
    )
    .unwrap();
    append(
        folder.path(),
        "[response]\ndata = \"mmm.csv\"\ntime = \"date_week\"\noutcome = \"y\"\nchannels = [\"x1\", \"x2\"]\n\
         controls = [\"event_1\", \"event_2\", \"t\"]\n",
    );
    let plan = json(folder.path(), PLAN);
    let response = &plan["response"];
    assert_eq!(response["verdict"], "published");
    assert!(response["diagnostics"]["r_hat"].as_f64().unwrap() < 1.01);
    assert!(response["diagnostics"]["ess"].as_f64().unwrap() > 400.0);
    for (channel, truth) in [(0, 4968.0), (1, 2275.0)] {
        let ci = &response["channels"][channel]["return"]["ci90"];
        assert!(
            ci[0].as_f64().unwrap() < truth && truth < ci[1].as_f64().unwrap(),
            "{ci}"
        );
    }
    // what the plan says is what the tool says with the same seed
    let seed = plan["seed"].to_string();
    let mut args = vec![
        "tool",
        "response",
        "--data",
        "mmm.csv",
        "--time",
        "date_week",
        "--outcome",
        "y",
    ];
    args.extend([
        "--channels",
        "x1,x2",
        "--controls",
        "event_1,event_2,t",
        "--seed",
        &seed,
    ]);
    let tool = json(folder.path(), &args);
    for channel in 0..2 {
        let mean = |of: &Value| of["channels"][channel]["return"]["mean"].as_f64().unwrap();
        let (own, theirs) = (mean(response), mean(&tool));
        assert!((own / theirs - 1.0).abs() < 1e-12, "{own} {theirs}");
    }
}
