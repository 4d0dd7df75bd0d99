//! `score`: the same predictions as the plan's, from every format and any number of threads, whole or not at all.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::bad_input::{put, small};
use crate::determinism::AS_OF;
use crate::people;
use crate::support::{fail, json, succeed};

/// A workspace with a trained model, the last 60 of its customers still to be decided on.
fn trained() -> TempDir {
    let folder = small();
    let text = fs::read_to_string(folder.path().join("customers.csv")).unwrap();
    let mut rows: Vec<String> = text.lines().map(str::to_owned).collect();
    for row in rows.iter_mut().skip(241) {
        row.truncate(row.rfind(',').unwrap() + 1);
    }
    put(folder.path(), "customers.csv", rows.join("\n") + "\n");
    json(folder.path(), &["run", "--as-of", AS_OF]);
    folder
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// The same without the ledger's own files and the folder that scores are written to.
fn others(folder: &Path) -> Vec<String> {
    let mut names = names(folder);
    names.retain(|name| !name.starts_with("thalweg.db") && name != "scores");
    names
}

/// Key and probability of each row of a scored file.
fn probabilities(path: &Path) -> Vec<(String, f64)> {
    let text = fs::read_to_string(path).unwrap();
    let rows = text.lines().skip(1).map(|line| {
        let cells: Vec<&str> = line.split(',').collect();
        (cells[0].to_owned(), cells[cells.len() - 1].parse().unwrap())
    });
    rows.collect()
}

#[test]
fn customers_score_as_the_plan_saw_them() {
    let folder = trained();
    let workspace = folder.path();
    let out = json(
        workspace,
        &["score", "--data", "customers.csv", "--out", "new/scores.csv"],
    );
    assert_eq!(
        (&out["rows"], &out["peak_batch"]),
        (&300.into(), &300.into()),
        "{out}"
    );
    assert_eq!(out["columns"], serde_json::json!(["id", "probability"]));
    let scored = probabilities(&workspace.join("new/scores.csv"));
    assert_eq!(scored.len(), 300);
    for (row, (key, probability)) in scored.iter().enumerate() {
        assert_eq!(*key, format!("C{row:04}"), "rows keep their order");
        if row % 20 == 5 && row >= 240 {
            let decision = json(workspace, &["show", "decision", key]);
            let risk = decision["risk"].as_f64().unwrap();
            assert!((risk - probability).abs() < 1e-12, "{key}: {risk} {probability}");
        }
    }
    // the same model by its id, as the latest, and as a file from elsewhere
    let model = out["model"].as_str().unwrap();
    let elsewhere = TempDir::new().unwrap();
    let file = workspace.join(format!("artifacts/models/{model}.json"));
    fs::copy(file, elsewhere.path().join("model.json")).unwrap();
    fs::copy(
        workspace.join("customers.csv"),
        elsewhere.path().join("customers.csv"),
    )
    .unwrap();
    let expected = fs::read(workspace.join("new/scores.csv")).unwrap();
    for (folder, named, key) in [
        (workspace, model, "id"),
        (workspace, "latest", "id"),
        (elsewhere.path(), "model.json", "id"),
    ] {
        let args = [
            "score",
            "--model",
            named,
            "--data",
            "customers.csv",
            "--out",
            "s.csv",
            "--key",
            key,
        ];
        succeed(folder, &args);
        assert_eq!(fs::read(folder.join("s.csv")).unwrap(), expected, "{named}");
    }
    // without a key rows are numbered
    let args = [
        "score",
        "--model",
        "model.json",
        "--data",
        "customers.csv",
        "--out",
        "n.csv",
    ];
    let out = json(elsewhere.path(), &args);
    assert_eq!(out["columns"], serde_json::json!(["row", "probability"]));
    let numbered = probabilities(&elsewhere.path().join("n.csv"));
    assert!(
        (1..)
            .zip(&numbered)
            .all(|(row, (key, _))| *key == format!("{row}"))
    );
}

/// Many customers, in one format.
fn many(folder: &Path, name: &str) {
    people::customers(40_000).write(&folder.join(name));
}

#[test]
fn every_format_and_any_number_of_threads_gives_the_same_bytes() {
    let folder = TempDir::new().unwrap();
    let dir = folder.path();
    people::customers(300).write(&dir.join("customers.csv"));
    succeed(
        dir,
        &[
            "init",
            "shop",
            "--from",
            "customers.csv",
            "--key",
            "id",
            "--target",
            "churn",
        ],
    );
    succeed(dir, &["run", "shop", "--as-of", AS_OF]);
    let score = |data: &str, out: &str, threads: &str| {
        let args = [
            "score",
            "-C",
            "shop",
            "--data",
            data,
            "--out",
            out,
            "--keep",
            "contract,fee",
            "--threads",
            threads,
        ];
        json(dir, &args)
    };
    let mut first: Option<(Vec<u8>, Value)> = None;
    for name in ["many.csv", "many.jsonl", "many.parquet"] {
        many(dir, name);
        for threads in ["1", "3"] {
            let out = score(name, "out.csv", threads);
            let bytes = fs::read(dir.join("out.csv")).unwrap();
            let noted = serde_json::json!([out["rows"], out["missing"], out["unseen"], out["columns"]]);
            let (expected, counts) = first.get_or_insert_with(|| (bytes.clone(), noted.clone()));
            assert!(
                *expected == bytes,
                "{name} with {threads} threads gives other bytes"
            );
            assert_eq!(*counts, noted, "{name} with {threads} threads");
        }
    }
    let (bytes, counts) = first.unwrap();
    assert_eq!(counts[0], 40_000);
    assert_eq!(
        counts[3],
        serde_json::json!(["id", "contract", "fee", "probability"])
    );
    // 300 customers live in 150 households, so the rest live in 19,850 that training did not know
    assert_eq!(counts[2]["household"]["rows"], 39_700);
    assert_eq!(counts[2]["household"]["levels"].as_array().map(Vec::len), Some(5));
    // Parquet out holds the same rows, and several files are read one after the other
    score("many.parquet", "out.parquet", "3");
    let args = |out: &'static str| ["score", "-C", "shop", "--data", "out*.csv", "--out", out];
    let (code, error) = fail(dir, &args("again.csv"));
    assert_eq!(
        (code, &error["code"]),
        (3, &"TW0305".into()),
        "scores are no customers: {error}"
    );
    fs::create_dir(dir.join("parts")).unwrap();
    for part in ["a.csv", "b.csv"] {
        people::customers(300).write(&dir.join("parts").join(part));
    }
    let out = score("parts/*.csv", "parts.csv", "2");
    assert_eq!(out["rows"], 600);
    let text = String::from_utf8(bytes).unwrap();
    let half: Vec<&str> = text.lines().skip(1).take(300).collect();
    let parts = fs::read_to_string(dir.join("parts.csv")).unwrap();
    let rows: Vec<&str> = parts.lines().skip(1).collect();
    assert!(rows[..300] == half && rows[300..] == half);
}

#[test]
fn what_cannot_be_scored_is_refused_and_nothing_is_written() {
    let folder = trained();
    let workspace = folder.path();
    put(workspace, "text.json", "{}");
    put(workspace, "zero.csv", "");
    put(workspace, "head.csv", "id,age,plan,fee\n");
    put(workspace, "less.csv", "id,age,plan\nC1,31,plus\n");
    put(
        workspace,
        "word.csv",
        "id,age,plan,fee\nC1,31,plus,20\nC2,old,plus,20\n",
    );
    put(
        workspace,
        "inf.csv",
        "id,age,plan,fee\nC1,31,plus,20\nC2,40,plus,-inf\n",
    );
    put(workspace, "kind.csv", "id,age,plan,fee\nC1,31,1,20\nC2,40,2,30\n");
    put(workspace, "rows.csv", "id,age,plan,fee\nC1,31,plus\n");
    put(workspace, "line.jsonl", "{\"age\":3}\n{\"age\":\n");
    put(workspace, "text.parquet", "id,age,plan,fee\n");
    let late = "C1,31,plus,20\n".repeat(50_000) + "C2,?,plus,20\n";
    put(workspace, "late.csv", format!("id,age,plan,fee\n{late}"));
    let before = others(workspace);
    type Place = (Option<u64>, Option<&'static str>);
    let cases: [(&str, &str, i32, Place, &str); 16] = [
        ("--data zero.csv", "TW0202", 3, (None, None), "is empty"),
        ("--data head.csv", "TW0206", 3, (None, None), "no rows"),
        ("--data less.csv", "TW0305", 3, (None, Some("fee")), "\"fee\""),
        ("--data word.csv", "TW0306", 3, (Some(3), Some("age")), "\"old\""),
        ("--data inf.csv", "TW0223", 3, (Some(3), Some("fee")), "\"-inf\""),
        ("--data kind.csv", "TW0306", 3, (None, Some("plan")), "category"),
        ("--data rows.csv", "TW0209", 3, (Some(2), None), "3 cells"),
        ("--data line.jsonl", "TW0218", 3, (Some(2), None), "JSON"),
        ("--data text.parquet", "TW0217", 3, (None, None), "Parquet"),
        (
            "--data late.csv",
            "TW0306",
            3,
            (Some(50_002), Some("age")),
            "\"?\"",
        ),
        ("--data none.csv", "TW0201", 3, (None, None), "no such file"),
        (
            "--data customers.csv --key idd",
            "TW0211",
            3,
            (None, Some("idd")),
            "idd",
        ),
        (
            "--data customers.csv --keep probability",
            "TW0211",
            3,
            (None, Some("probability")),
            "probability",
        ),
        (
            "--data customers.csv --keep id",
            "TW0235",
            2,
            (None, None),
            "\"id\"",
        ),
        (
            "--data customers.csv --model m-000000000000",
            "TW0113",
            2,
            (None, None),
            "m-0",
        ),
        (
            "--data customers.csv --model text.json",
            "TW0309",
            3,
            (None, None),
            "model",
        ),
    ];
    for (args, code, exit, (row, column), says) in cases {
        let mut words = vec!["score", "--out", "scores/new.csv"];
        words.extend(args.split(' '));
        let (found, error) = fail(workspace, &words);
        assert_eq!((found, &error["code"]), (exit, &code.into()), "{args}: {error}");
        assert!(
            error["message"].as_str().unwrap().contains(says),
            "{args}: {error}"
        );
        assert!(error["hint"].is_string(), "{args}: {error}");
        if row.is_some() || column.is_some() {
            assert_eq!(error["at"]["row"], serde_json::json!(row), "{args}: {error}");
            assert_eq!(
                error["at"]["column"],
                serde_json::json!(column),
                "{args}: {error}"
            );
        }
        assert_eq!(others(workspace), before, "{args}");
        let scores = workspace.join("scores");
        assert!(
            !scores.exists() || names(&scores).is_empty(),
            "{args} left something behind"
        );
    }
    // an earlier output stays as it was
    put(workspace, "kept.csv", "mine");
    fail(workspace, &["score", "--data", "late.csv", "--out", "kept.csv"]);
    assert_eq!(fs::read_to_string(workspace.join("kept.csv")).unwrap(), "mine");
    // what the configuration calls missing is missing here too
    let config = fs::read_to_string(workspace.join("thalweg.toml")).unwrap();
    put(
        workspace,
        "thalweg.toml",
        config + "\n[features.columns.age]\nmissing = [\"?\"]\n",
    );
    let out = json(
        workspace,
        &["score", "--data", "late.csv", "--out", "late-scores.csv"],
    );
    assert_eq!(
        (&out["rows"], &out["missing"]["age"]),
        (&50_001.into(), &1.into()),
        "{out}"
    );
}

#[test]
fn without_a_model_or_a_workspace_it_says_so() {
    let folder = small();
    let args = ["score", "--data", "customers.csv", "--out", "s.csv"];
    let (exit, error) = fail(folder.path(), &args);
    assert_eq!((exit, &error["code"]), (2, &"TW0113".into()), "{error}");
    let empty = TempDir::new().unwrap();
    let (exit, error) = fail(empty.path(), &args);
    assert_eq!((exit, &error["code"]), (2, &"TW0101".into()), "{error}");
}

/// Cells of a CSV by the header's names; no cell holds a comma.
fn rows_of(path: &Path) -> Vec<std::collections::BTreeMap<String, String>> {
    let text = fs::read_to_string(path).unwrap();
    let mut lines = text.lines();
    let head: Vec<&str> = lines.next().unwrap().split(',').collect();
    let row = |line: &str| {
        let cells = line.split(',').map(str::to_owned);
        head.iter().map(|name| (*name).to_owned()).zip(cells).collect()
    };
    lines.map(row).collect()
}

#[test]
fn rows_are_selected_from_the_evaluations_threshold_on_by_group_where_the_configuration_asks() {
    let folder = small();
    let workspace = folder.path();
    let config = fs::read_to_string(workspace.join("thalweg.toml")).unwrap();
    let config = config.replace("[model]\n", "[model]\nthreshold = 0.35\n");
    assert!(config.contains("threshold"), "{config}");
    put(workspace, "thalweg.toml", &config);
    json(workspace, &["run", "--as-of", AS_OF]);
    let score = |data: &str, decide: &[&str]| {
        let args = [
            &["score", "--data", data, "--out", "s.csv", "--keep", "age"],
            decide,
        ]
        .concat();
        json(workspace, &args)["decided"].clone()
    };
    // one threshold for all: that of the evaluation, or a given one
    let evaluated = json(workspace, &["evaluate", "--as-of", AS_OF])["threshold"]["threshold"].clone();
    for (words, expected) in [(&["--decide"][..], evaluated), (&["--decide", "0.4"], 0.4.into())] {
        let decided = score("customers.csv", words);
        assert_eq!(decided["threshold"], expected, "{decided}");
        let rows = rows_of(&workspace.join("s.csv"));
        let selected = rows.iter().filter(|row| row["selected"] == "yes").count();
        assert_eq!(decided["selected"], selected);
        assert!((1..300).contains(&selected), "{decided}");
        for row in rows {
            let number = |name: &str| row[name].parse::<f64>().unwrap();
            assert_eq!(number("threshold"), expected.as_f64().unwrap());
            assert_eq!(
                row["selected"] == "yes",
                number("probability") >= number("threshold")
            );
        }
    }
    // a threshold for each group, with the group beside it
    let fair = "\n[fairness]\ncolumns = [\"plan\"]\naction = \"equal_selection\"\n";
    put(workspace, "thalweg.toml", config.clone() + fair);
    let evaluation = json(workspace, &["evaluate", "--as-of", AS_OF]);
    let groups = evaluation["fairness"][0]["groups"].as_array().unwrap();
    let decided = score("customers.csv", &["--decide"]);
    assert_eq!(
        (&decided["column"], &decided["action"]),
        (&"plan".into(), &"equal_selection".into()),
        "{decided}"
    );
    let rows = rows_of(&workspace.join("s.csv"));
    let mut thresholds = std::collections::BTreeSet::new();
    for group in groups {
        let level = group["level"].as_str().unwrap();
        thresholds.insert(group["threshold"].to_string());
        let own: Vec<_> = rows.iter().filter(|row| row["plan"] == level).collect();
        let selected = own.iter().filter(|row| row["selected"] == "yes").count();
        assert_eq!(decided["groups"][level]["rows"], own.len(), "{level}: {decided}");
        assert_eq!(
            decided["groups"][level]["selected"], selected,
            "{level}: {decided}"
        );
        for row in own {
            assert_eq!(
                row["threshold"].parse::<f64>().unwrap(),
                group["threshold"].as_f64().unwrap()
            );
            let probability: f64 = row["probability"].parse().unwrap();
            assert_eq!(
                row["selected"] == "yes",
                probability >= group["threshold"].as_f64().unwrap()
            );
        }
    }
    assert!(thresholds.len() > 1, "the groups differ: {evaluation}");
    // a group that the evaluation does not know gets the common threshold, and is counted
    put(
        workspace,
        "new.csv",
        "id,age,plan,fee\nC1,31,plus,20\nC2,40,gold,20\n",
    );
    let decided = score("new.csv", &["--decide"]);
    assert_eq!(decided["groups"]["(unknown)"]["rows"], 1, "{decided}");
    assert_eq!(decided["groups"]["(unknown)"]["threshold"], decided["threshold"]);
    // nothing to decide by
    put(workspace, "gold.csv", "id,age,plan,fee\nC2,40,gold,20\n");
    let model = json(workspace, &["score", "--data", "new.csv", "--out", "s.csv"])["model"].clone();
    let file = format!("artifacts/models/{}.json", model.as_str().unwrap());
    fs::copy(workspace.join(file), workspace.join("model.json")).unwrap();
    for (words, code, exit) in [
        ("--data gold.csv --decide", "TW0306", 3),
        ("--data new.csv --decide 1.5", "TW0109", 2),
        ("--data new.csv --model model.json --decide", "TW0310", 2),
    ] {
        let mut args = vec!["score", "--out", "none.csv"];
        args.extend(words.split(' '));
        let (found, error) = fail(workspace, &args);
        assert_eq!((found, &error["code"]), (exit, &code.into()), "{words}: {error}");
        assert!(!workspace.join("none.csv").exists(), "{words}");
    }
    succeed(
        workspace,
        &[
            "score",
            "--data",
            "new.csv",
            "--model",
            "model.json",
            "--out",
            "one.csv",
            "--decide",
            "0.5",
        ],
    );
    // two columns with thresholds by group: a row cannot have both
    let fair = "\n[fairness]\ncolumns = [\"plan\", \"age\"]\naction = \"equal_selection\"\n";
    put(workspace, "thalweg.toml", config + fair);
    json(workspace, &["evaluate", "--as-of", AS_OF]);
    let (found, error) = fail(
        workspace,
        &["score", "--data", "new.csv", "--out", "none.csv", "--decide"],
    );
    assert_eq!((found, &error["code"]), (2, &"TW0310".into()), "{error}");
}
