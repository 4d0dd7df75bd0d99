//! The pieces alone and what is made of a model: fitting, the card, compression, export.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::people;
use crate::support::{json, shared_data, thalweg};

/// A workspace with a trained net on 300 made-up customers.
fn shop() -> TempDir {
    let folder = TempDir::new().unwrap();
    people::customers(300).write(&folder.path().join("customers.csv"));
    json(
        folder.path(),
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
    let file = folder.path().join("shop/thalweg.toml");
    let text = fs::read_to_string(&file).unwrap();
    let net =
        "learner = \"mlp\"\n\n[model.mlp]\nhidden = [64, 32]\noptimizer = \"adam\"\nlearning_rate = 0.002\n";
    fs::write(&file, text.replace("learner = \"auto\"", net)).unwrap();
    folder
}

#[test]
fn a_model_is_compressed_within_its_bound_or_kept() {
    let folder = shop();
    let dir = folder.path().join("shop");
    let before = json(&dir, &["train"])["model"].clone();
    let small = json(
        &dir,
        &["compress", "--to", "int8", "--bound", "0.02", "--replace"],
    );
    assert_eq!(small["model"], before);
    assert_eq!(small["within_bound"], true, "{small}");
    let ratio = small["bytes"][0].as_f64().unwrap() / small["bytes"][1].as_f64().unwrap();
    assert!(ratio > 2.0, "{small}");
    // the compressed model is in use, and plans
    assert_eq!(json(&dir, &["train"])["model"], small["replaced"]);
    assert_eq!(json(&dir, &["evaluate"])["model"], small["replaced"]);
    assert_eq!(json(&dir, &["plan"])["feasible"], true);
    // beyond the bound nothing is replaced
    let refused = thalweg(
        &dir,
        &["compress", "--to", "distilled", "--bound=-0.5", "--replace"],
    )
    .output()
    .unwrap();
    assert_eq!(refused.status.code(), Some(4), "{refused:?}");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("TW0333"));
    assert_eq!(json(&dir, &["train"])["model"], small["replaced"]);
}

#[test]
fn a_card_and_an_export_say_what_the_model_is() {
    let folder = shop();
    let dir = folder.path().join("shop");
    let evaluation = json(&dir, &["evaluate"]);
    let card = json(&dir, &["card"]);
    assert_eq!(card["model"], evaluation["model"]);
    assert_eq!(
        card["metrics"]["auc"]["mean"],
        evaluation["metrics"]["auc"]["mean"]
    );
    let page = thalweg(&dir, &["card"]).output().unwrap();
    let page = String::from_utf8(page.stdout).unwrap();
    for heading in [
        "# Model card",
        "## Data",
        "## How good it is",
        "## Checks",
        "## Privacy",
    ] {
        assert!(page.contains(heading), "{heading} is not in the card");
    }
    json(&dir, &["plan"]);
    let export = json(&dir, &["export", "--out", "m.onnx"]);
    assert_eq!(export["model"], evaluation["model"]);
    assert!(fs::metadata(dir.join("m.onnx")).unwrap().len() > 1000);
}

#[test]
fn a_private_training_states_what_it_spent() {
    let folder = TempDir::new().unwrap();
    people::customers(400).write(&folder.path().join("customers.csv"));
    let config = "[model]\nlearner = \"mlp\"\n[model.mlp]\nhidden = [8]\n[model.mlp.privacy]\nepsilon = 3.0\nepochs = 5\n";
    fs::write(folder.path().join("model.toml"), config).unwrap();
    let fit = |seed: &[&str]| {
        let mut args = vec![
            "tool",
            "fit",
            "--data",
            "customers.csv",
            "--target",
            "churn",
            "--key",
            "id",
            "--exclude",
            "household",
            "--config",
            "model.toml",
            "--card",
            "card.json",
        ];
        args.extend(seed);
        let fitted = json(folder.path(), &args);
        let card: Value =
            serde_json::from_slice(&fs::read(folder.path().join("card.json")).unwrap()).unwrap();
        (fitted["model"].clone(), card["privacy"].clone())
    };
    let (first, privacy) = fit(&[]);
    assert_eq!(privacy["kind"], "differential");
    assert!(privacy["epsilon"].as_f64().unwrap() <= 3.0, "{privacy}");
    assert!(privacy["accounting"].as_str().unwrap().contains("key: secret"));
    assert_ne!(first, fit(&[]).0, "secret noise does not repeat");
    let (repeated, stated) = fit(&["--seed", "7"]);
    assert_eq!(repeated, fit(&["--seed", "7"]).0);
    assert!(
        stated["accounting"]
            .as_str()
            .unwrap()
            .contains("follows from the seed")
    );
}

fn accuracy(table: &Path, args: &[&str]) -> f64 {
    let folder = TempDir::new().unwrap();
    let mut all = vec!["tool", "fit", "--data", table.to_str().unwrap()];
    all.extend(args);
    let fitted = json(folder.path(), &all);
    let accuracy = fitted["metrics"]["accuracy"]["mean"].as_f64().unwrap();
    eprintln!("{}: accuracy {accuracy:.4}", table.display());
    accuracy
}

#[test]
fn real_data_pictures_of_digits_are_told_apart() {
    let Some(data) = shared_data() else { return };
    let config = crate::support::root().join("examples/fields/digits.toml");
    let args = [
        "--target",
        "label",
        "--kind",
        "class",
        "--config",
        config.to_str().unwrap(),
    ];
    assert!(accuracy(&data.join("digits/digits.csv"), &args) >= 0.97);
}

#[test]
fn real_data_reviews_are_told_apart_by_their_words() {
    let Some(data) = shared_data() else { return };
    let hotels = data.join("zh_hotel_reviews/ChnSentiCorp_htl_all.csv");
    let args = ["--target", "label", "--positive", "1", "--learner", "logistic"];
    assert!(accuracy(&hotels, &args) >= 0.86);
    // a given penalty spares the inner cross-validation that would find one, ten times in each fit
    let folder = TempDir::new().unwrap();
    let config = folder.path().join("model.toml");
    fs::write(
        &config,
        "[model]\nlearner = \"logistic\"\n[model.logistic]\ntext_l2 = 1.0\n",
    )
    .unwrap();
    let tweets = data.join("airline_feedback_en/tweets.csv");
    let exclude = "tweet_id,negativereason,tweet_created";
    let config = config.to_str().unwrap();
    let args = [
        "--target",
        "airline_sentiment",
        "--config",
        config,
        "--exclude",
        exclude,
    ];
    assert!(accuracy(&tweets, &args) >= 0.78);
}

/// The shop's purchases: who buys in the next 90 days, earlier days against later ones.
#[test]
fn real_data_purchases_are_foreseen_from_earlier_days() {
    let Some(data) = shared_data() else { return };
    let folder = TempDir::new().unwrap();
    let example = crate::support::root().join("examples/cdnow/thalweg.toml");
    let text = fs::read_to_string(example).unwrap();
    let quick = text.replace("learner = \"auto\"", "learner = \"logistic\"");
    fs::write(folder.path().join("thalweg.toml"), quick).unwrap();
    fs::copy(
        data.join("cdnow/cdnow_master.csv"),
        folder.path().join("purchases.csv"),
    )
    .unwrap();
    let table = json(folder.path(), &["collect"]);
    assert_eq!(table["panel"]["cutoffs"].as_array().unwrap().len(), 5);
    let evaluation = json(folder.path(), &["evaluate"]);
    let auc = |metrics: &Value| metrics["auc"]["mean"].as_f64().unwrap();
    let (rolling, random) = (
        auc(&evaluation["metrics"]),
        auc(&evaluation["random_split"]["metrics"]),
    );
    eprintln!("cdnow: AUC {rolling:.4} on later days, {random:.4} as a random split claims");
    assert!(rolling > 0.78 && (rolling - random).abs() < 0.05);
    assert!(
        evaluation["protocol"]
            .as_str()
            .unwrap()
            .starts_with("rolling origin, 3 cut-offs")
    );
}
