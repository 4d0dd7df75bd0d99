//! ONNX out and in: a model exported from one workspace, or written by another program, is the outcome model of the next.

use std::fs;
use std::path::Path;

use serde_json::{Value, json as object};
use tempfile::TempDir;

use crate::bad_input::put;
use crate::determinism::AS_OF;
use crate::people;
use crate::support::{fail, json, root, succeed};

const CONFIG: &str = r#"[workspace]
name = "shop"

[customers]
source = "customers.csv"
key = "id"

[features]
exclude = ["household"]

[outcome]
column = "churn"
positive = "Yes"
event = "Subscription Cancelled"
value = "fee * 12"

[model]
learner = "LEARNER"

[[channel]]
name = "mail"
unit_cost = 0.10

[plan]
budget = 50
"#;

/// A workspace whose `[model]` section goes on as given.
fn workspace(rows: &[String], learner: &str, more: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    put(folder.path(), "customers.csv", rows.join("\n") + "\n");
    configure(folder.path(), learner, more);
    folder
}

fn configure(folder: &Path, learner: &str, more: &str) {
    let model = format!("learner = \"{learner}\"\n{more}");
    put(
        folder,
        "thalweg.toml",
        CONFIG.replace("learner = \"LEARNER\"\n", &model),
    );
}

/// Customers of the same kind: 900 with the model's own workspace, 600 more that it has never seen, the last 100 of them without
/// an outcome.
fn two_groups() -> [Vec<String>; 2] {
    let folder = TempDir::new().unwrap();
    people::customers(1500).write(&folder.path().join("all.csv"));
    let text = fs::read_to_string(folder.path().join("all.csv")).unwrap();
    let mut rows: Vec<String> = text.lines().map(str::to_owned).collect();
    for row in rows.iter_mut().skip(1401) {
        row.truncate(row.rfind(',').unwrap() + 1);
    }
    let later = rows[..1].iter().chain(&rows[901..]).cloned().collect();
    rows.truncate(901);
    [rows, later]
}

const FILE: &str = "\n[model.onnx]\nfile = \"model.onnx\"\n";

/// A workspace with a model of trees that another workspace exported.
fn imported() -> (TempDir, TempDir) {
    let [own, later] = two_groups();
    let home = workspace(&own, "gbdt", "");
    json(home.path(), &["run", "--as-of", AS_OF]);
    let away = workspace(&later, "onnx", FILE);
    let out = away.path().join("model.onnx");
    succeed(home.path(), &["export", "--out", out.to_str().unwrap()]);
    (home, away)
}

/// The probabilities of a workspace's model for a file of customers.
fn scored(folder: &Path, data: &Path) -> Vec<f64> {
    let out = folder.join("scored.csv");
    let args = [
        "score",
        "--data",
        data.to_str().unwrap(),
        "--out",
        out.to_str().unwrap(),
    ];
    succeed(folder, &args);
    let text = fs::read_to_string(out).unwrap();
    let last = |line: &str| line.rsplit(',').next().unwrap().parse().unwrap();
    text.lines().skip(1).map(last).collect()
}

fn check<'v>(evaluation: &'v Value, name: &str) -> Option<&'v Value> {
    let checks = evaluation["checks"].as_array().unwrap();
    checks.iter().find(|check| check["name"] == name)
}

/// Whether `a` and `b` never order two rows in opposite ways.
fn agree(a: &[f64], b: &[f64]) -> bool {
    let mut order: Vec<usize> = (0..a.len()).collect();
    order.sort_by(|x, y| a[*x].total_cmp(&a[*y]));
    order
        .windows(2)
        .all(|pair| a[pair[0]] == a[pair[1]] || b[pair[0]] <= b[pair[1]] + 1e-6)
}

#[test]
fn an_exported_model_is_the_outcome_model_of_another_workspace() {
    let (home, away) = imported();
    let away = away.path();
    let plan = json(away, &["run", "--as-of", AS_OF]);
    assert_eq!(plan["evaluation"]["learner"], "onnx", "{plan}");
    let evaluation = json(away, &["evaluate", "--as-of", AS_OF]);
    assert_eq!(
        evaluation["protocol"],
        "trained elsewhere: calibrated in stratified 5-fold, seed 42; its figures are honest only for rows that it has not seen"
    );
    let found = check(&evaluation, "trained_elsewhere").unwrap();
    assert_eq!(
        (&found["verdict"], &found["code"]),
        (&object!("REVIEW"), &object!("TW0415"))
    );
    let text = succeed(away, &["evaluate", "--as-of", AS_OF]);
    assert!(
        text.contains("REVIEW trained_elsewhere: only the calibration was fitted here"),
        "{text}"
    );
    assert_eq!(
        check(
            &json(home.path(), &["evaluate", "--as-of", AS_OF]),
            "trained_elsewhere"
        ),
        None
    );
    assert!(evaluation["metrics"]["auc"]["mean"].as_f64().unwrap() > 0.65);
    // the risks are those of the original, recalibrated: in the same order, and never far away
    let customers = away.join("customers.csv");
    let (original, risk) = (scored(home.path(), &customers), scored(away, &customers));
    assert_eq!(risk.len(), 600);
    assert!(agree(&original, &risk));
    let off = original
        .iter()
        .zip(&risk)
        .map(|(a, b)| (a - b).abs())
        .sum::<f64>()
        / 600.0;
    assert!(off > 0.0 && off < 0.05, "{off}");
    // the plan works with them, and says why
    let decision = json(away, &["show", "decision", "K1450", "--as-of", AS_OF]);
    let planned = decision["risk"].as_f64().unwrap();
    assert!((planned - risk[550]).abs() < 1e-9, "{planned} {}", risk[550]);
    assert!(!decision["reasons"].as_array().unwrap().is_empty(), "{decision}");
    // nothing has changed, then the file has
    let again = json(away, &["run", "--as-of", AS_OF]);
    assert_eq!(again["evaluation"]["model"], plan["evaluation"]["model"]);
    configure(home.path(), "logistic", "");
    json(home.path(), &["run", "--as-of", AS_OF]);
    let out = away.join("model.onnx");
    succeed(home.path(), &["export", "latest", "--out", out.to_str().unwrap()]);
    let changed = json(away, &["run", "--as-of", AS_OF]);
    assert_ne!(changed["evaluation"]["model"], plan["evaluation"]["model"]);
}

#[test]
fn a_model_from_elsewhere_is_compressed_only_by_teaching_and_exported_by_whoever_made_it() {
    let (_home, away) = imported();
    let away = away.path();
    json(away, &["run", "--as-of", AS_OF]);
    let (exit, error) = fail(away, &["compress", "--to", "int8", "--as-of", AS_OF]);
    assert_eq!((exit, &error["code"]), (2, &object!("TW0334")), "{error}");
    let (exit, error) = fail(away, &["export", "--out", "again.onnx"]);
    assert_eq!((exit, &error["code"]), (3, &object!("TW0345")), "{error}");
    assert!(!away.join("again.onnx").exists());
    let args = [
        "compress",
        "--to",
        "distilled",
        "--out",
        "small.json",
        "--as-of",
        AS_OF,
    ];
    let out = json(away, &args);
    assert!(out["loss"]["mean"].as_f64().unwrap() < 0.1, "{out}");
    let args = [
        "score",
        "--model",
        "small.json",
        "--data",
        "customers.csv",
        "--out",
        "s.csv",
    ];
    let small = json(away, &args);
    assert_eq!(small["learner"], "mlp");
    // a model file alone is read with the file inside it
    let model = json(away, &["show", "model", "latest"])["model"].clone();
    let path = format!("artifacts/models/{}.json", model.as_str().unwrap());
    fs::remove_file(away.join("model.onnx")).unwrap();
    let args = [
        "score",
        "--model",
        path.as_str(),
        "--data",
        "customers.csv",
        "--out",
        "t.csv",
    ];
    assert_eq!(json(away, &args)["learner"], "onnx");
}

#[test]
fn what_does_not_fit_is_refused_with_its_reason() {
    let [_, later] = two_groups();
    let folder = workspace(&later, "onnx", FILE);
    let run = |learner: &str, more: &str| {
        configure(folder.path(), learner, more);
        fail(folder.path(), &["run", "--as-of", AS_OF])
    };
    let expect = |(exit, error): (i32, Value), code: &str, status: i32, says: &str| {
        assert_eq!((&error["code"], exit), (&object!(code), status), "{error}");
        let said = format!("{} {}", error["message"], error["hint"]);
        assert!(said.contains(says), "{error}");
    };
    expect(run("onnx", ""), "TW0104", 2, "[model.onnx]");
    expect(run("onnx", FILE), "TW0110", 2, "model.onnx");
    put(folder.path(), "model.onnx", "this is no model");
    expect(run("onnx", FILE), "TW0340", 3, "ONNX");
    expect(
        run("onnx", &format!("split = \"rolling\"\n{FILE}")),
        "TW0104",
        2,
        "rolling",
    );
    expect(
        run("onnx", &format!("class_weight = \"balanced\"\n{FILE}")),
        "TW0104",
        2,
        "balanced",
    );
    expect(
        run("onnx", &format!("{FILE}scale = \"log\"\n")),
        "TW0104",
        2,
        "log_probability",
    );
    // a model of scikit-learn asks for columns that these customers do not have
    let fixture = root().join("crates/onnx/tests/fixtures/sk_mlp_named.onnx");
    fs::copy(fixture, folder.path().join("model.onnx")).unwrap();
    expect(run("onnx", FILE), "TW0305", 3, "monthly_charges");
}

/// A row with its numbers on the scale that the fixture's nets were trained on.
fn scaled(row: &str) -> String {
    let scales = [72.0_f32, 120.0, 8000.0];
    let cells = row.split(',').enumerate().map(|(place, cell)| {
        let scaled = scales
            .get(place)
            .map(|scale| cell.parse::<f32>().unwrap() / scale);
        scaled.map_or_else(|| cell.to_owned(), |cell| cell.to_string())
    });
    cells.collect::<Vec<_>>().join(",")
}

/// The complete rows of the fixtures with the probabilities of their net.
fn telephone() -> (String, Vec<(String, f64)>) {
    let folder = root().join("crates/onnx/tests/fixtures");
    let known = fs::read_to_string(folder.join("expected.json")).unwrap();
    let known: Value = serde_json::from_str(&known).unwrap();
    let expected = known["torch_logits"]["expected"].as_array().unwrap();
    let text = fs::read_to_string(folder.join("rows.csv")).unwrap();
    let mut lines = text.lines();
    let header = lines.next().unwrap().to_owned();
    let rows = lines
        .zip(expected)
        .filter(|(row, _)| !row.contains(",,"))
        .map(|(row, logits)| {
            let [no, yes] = [0, 1].map(|class| logits[class].as_f64().unwrap());
            (scaled(row), 1.0 / (1.0 + (no - yes).exp()))
        });
    (header, rows.collect())
}

/// Customers made of them, with outcomes that follow the predictions.
fn subscribers(header: &str, rows: &[(String, f64)]) -> Vec<String> {
    let mut table = vec![format!("id,{header},fee,household,churn")];
    for (number, (row, expected)) in (0..300_u32).zip(rows.iter().cycle()) {
        let lot = (number * 7919 + 13) % 1000;
        let churn = if f64::from(lot) < 1000.0 * expected {
            "Yes"
        } else {
            "No"
        };
        let fee = 20 + number % 37;
        table.push(format!("T{number:03},{row},{fee},H{number},{churn}"));
    }
    table
}

#[test]
fn a_net_that_another_program_wrote_is_read_as_the_configuration_says() {
    let (header, rows) = telephone();
    let expected: Vec<f64> = rows.iter().map(|(_, expected)| *expected).collect();
    let columns = |names: &str| format!("\n[model.onnx]\nfile = \"net.onnx\"\ncolumns = [{names}]\n");
    let all = columns("\"tenure\", \"monthly_charges\", \"total_charges\", \"senior_citizen\"");
    let folder = workspace(
        &subscribers(&header, &rows),
        "onnx",
        &format!("{all}scale = \"logit\"\n"),
    );
    let folder = folder.path();
    let net = root().join("crates/onnx/tests/fixtures/torch_logits.onnx");
    fs::copy(net, folder.join("net.onnx")).unwrap();
    json(folder, &["train", "--as-of", AS_OF]);
    let risk = |args: &[&str]| {
        let out = folder.join("s.csv");
        let _ = fs::remove_file(&out);
        succeed(folder, args);
        let text = fs::read_to_string(out).unwrap();
        let last = |line: &str| line.rsplit(',').next().unwrap().parse().unwrap();
        text.lines()
            .skip(1)
            .take(expected.len())
            .map(last)
            .collect::<Vec<f64>>()
    };
    let args = [
        "score",
        "--model",
        "latest",
        "--data",
        "customers.csv",
        "--out",
        "s.csv",
    ];
    assert!(
        agree(&expected, &risk(&args)),
        "in the order of the net's own probabilities"
    );
    // the other class is the complement
    let no = format!("{all}scale = \"logit\"\npositive = \"0\"\n");
    configure(folder, "onnx", &no);
    let (exit, error) = fail(folder, &["train", "--as-of", AS_OF]);
    assert_eq!(
        (exit, &error["code"]),
        (3, &object!("TW0343")),
        "its file names no classes: {error}"
    );
    // logits are no probabilities, and three columns are not four
    configure(folder, "onnx", &format!("{all}scale = \"probability\"\n"));
    let (exit, error) = fail(folder, &["train", "--as-of", AS_OF]);
    assert_eq!((exit, &error["code"]), (3, &object!("TW0343")), "{error}");
    configure(
        folder,
        "onnx",
        &columns("\"tenure\", \"monthly_charges\", \"fee\""),
    );
    let (exit, error) = fail(folder, &["train", "--as-of", AS_OF]);
    assert_eq!((exit, &error["code"]), (3, &object!("TW0342")), "{error}");
}
