//! The real data sets in `shared/data`, beside the repository; a checkout without them says so and passes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use thalweg_domain::{ColumnKind, Table, Timestamp};

use super::{kinds, numbers, target};
use crate::{CollectSpec, Collected, EventSource, NoteKind, SqlFile, collect, profile, read_source};

fn folder(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data")
        .join(name);
    if !path.is_dir() {
        eprintln!(
            "SKIPPED: the real data of {name} is not there ({})",
            path.display()
        );
        return None;
    }
    Some(path)
}

fn count(table: &Table, kind: ColumnKind) -> usize {
    table
        .columns()
        .iter()
        .filter(|column| column.kind() == kind)
        .count()
}

fn positives(collected: &Collected) -> usize {
    collected
        .target
        .as_ref()
        .unwrap()
        .iter()
        .filter(|cell| **cell == Some(true))
        .count()
}

#[test]
fn real_data_telco() {
    let Some(base) = folder("telco_churn") else { return };
    let mut spec = CollectSpec::of(&base, "wa_churn.csv");
    spec.target = target("churn", Some("Yes"));
    spec.expressions = vec![("value".to_owned(), "monthly_charges * 12".to_owned())];
    let collected = collect(&spec).unwrap();
    assert_eq!((collected.n_rows(), positives(&collected)), (7043, 1869));
    assert_eq!(collected.features.columns().len(), 19);
    assert_eq!(collected.raw.column("total_charges").unwrap().n_missing(), 11);
    assert_eq!(count(&collected.features, ColumnKind::Number), 9);
    assert_eq!(count(&collected.features, ColumnKind::Category), 10);
    assert!((collected.expressions["value"][0] - 29.85 * 12.0).abs() < 1e-9);
    let missing: Vec<_> = collected
        .notes
        .iter()
        .filter(|n| n.kind == NoteKind::Missing)
        .collect();
    assert!(
        matches!(missing.as_slice(), [note] if note.n_rows == 11),
        "{missing:?}"
    );
}

#[test]
fn real_data_telco_as_first_published() {
    let Some(base) = folder("telco_churn") else { return };
    let mut spec = CollectSpec::of(&base, "WA_Fn-UseC_-Telco-Customer-Churn.csv");
    spec.key = Some("customerID".to_owned());
    spec.target = target("Churn", Some("Yes"));
    let collected = collect(&spec).unwrap();
    assert_eq!(collected.keys[0], "7590-VHVEG");
    assert_eq!(positives(&collected), 1869);
    assert_eq!(
        collected.raw.column("TotalCharges").unwrap().n_missing(),
        11,
        "blank cells"
    );
    let profile = profile(&base, "WA_Fn-UseC_-Telco-Customer-Churn.csv", &BTreeMap::new()).unwrap();
    let named = |wanted: fn(&crate::ColumnProfile) -> bool| -> Vec<String> {
        profile
            .columns
            .iter()
            .filter(|column| wanted(column))
            .map(|column| column.name.clone())
            .collect()
    };
    assert_eq!(named(|column| column.key_like), ["customerID"]);
    assert_eq!(
        named(|column| column.money_like),
        ["MonthlyCharges", "TotalCharges"]
    );
}

#[test]
fn real_data_credit() {
    let Some(base) = folder("credit_data") else { return };
    let mut spec = CollectSpec::of(&base, "credit_data.csv");
    spec.target = target("Status", Some("bad"));
    let collected = collect(&spec).unwrap();
    assert_eq!((collected.n_rows(), positives(&collected)), (4454, 1254));
    assert_eq!(
        count(&collected.features, ColumnKind::Category),
        4,
        "Home, Marital, Records, Job"
    );
    assert_eq!(collected.raw.column("Income").unwrap().n_missing(), 381);
}

#[test]
fn real_data_breast_cancer() {
    let Some(base) = folder("breast_cancer") else {
        return;
    };
    let mut spec = CollectSpec::of(&base, "breast_cancer.csv");
    spec.target = target("target", Some("1"));
    let collected = collect(&spec).unwrap();
    assert_eq!((collected.n_rows(), positives(&collected)), (569, 357));
    assert_eq!(count(&collected.features, ColumnKind::Number), 30);
}

#[test]
fn real_data_ai4i() {
    let Some(base) = folder("ai4i2020") else { return };
    let mut spec = CollectSpec::of(&base, "ai4i2020.csv");
    spec.target = target("Machine failure", None);
    spec.expressions = vec![(
        "heat".to_owned(),
        "\"Process temperature [K]\" - \"Air temperature [K]\"".to_owned(),
    )];
    let collected = collect(&spec).unwrap();
    assert_eq!((collected.n_rows(), positives(&collected)), (10_000, 339));
    let dropped: Vec<&str> = collected
        .notes
        .iter()
        .filter(|note| note.kind == NoteKind::Dropped)
        .filter_map(|note| note.column.as_deref())
        .collect();
    assert_eq!(dropped, ["UDI", "Product ID"], "row numbers and serial numbers");
    assert!((collected.expressions["heat"][0] - 10.5).abs() < 1e-9);
}

#[test]
fn real_data_cdnow_as_events() {
    let Some(base) = folder("cdnow") else { return };
    let purchases = read_source(&base, "cdnow_master.csv", &BTreeMap::new()).unwrap();
    let expected = [
        ("customer_id", "category"),
        ("date", "date"),
        ("quantity", "number"),
        ("amount", "number"),
    ];
    assert_eq!(
        (purchases.n_rows(), kinds(&purchases)),
        (69_659, expected.to_vec())
    );
    let keys = purchases.column("customer_id").unwrap();
    let mut distinct: Vec<String> = (0..keys.len()).map(|row| keys.cell_text(row)).collect();
    distinct.dedup();
    let customers = tempfile::tempdir().unwrap();
    std::fs::write(
        customers.path().join("c.csv"),
        format!("customer_id\n{}\n", distinct.join("\n")),
    )
    .unwrap();
    let mut spec = CollectSpec::of(customers.path(), "c.csv");
    spec.key = Some("customer_id".to_owned());
    spec.cutoff = Timestamp(875_664_000_000_000); // 1997-10-01
    spec.events = vec![EventSource {
        source: base
            .join("cdnow_master.csv")
            .canonicalize()
            .unwrap()
            .display()
            .to_string(),
        key: "customer_id".to_owned(),
        time: "date".to_owned(),
        name: None,
    }];
    let text = "SELECT customer_id, count(*) AS orders, sum(amount) AS spent, \
        date_part('day', :cutoff - max(date)) AS recency FROM events GROUP BY customer_id";
    spec.features_sql = Some(SqlFile {
        name: "features.sql".to_owned(),
        text: text.to_owned(),
    });
    let collected = collect(&spec).unwrap();
    assert_eq!(collected.n_rows(), 23_570, "as SOURCE.md says");
    // awk -F, 'NR>1 && $2<"1997-10-01" {n++; s+=$4} END {print n, s}' cdnow_master.csv
    let total = |name: &str| {
        numbers(&collected.features, name)
            .iter()
            .filter(|x| !x.is_nan())
            .sum::<f64>()
    };
    assert_eq!(total("orders"), 49_086.0);
    assert!((total("spent") - 1_723_354.50).abs() < 0.01, "{}", total("spent"));
    assert!(
        numbers(&collected.features, "recency")
            .iter()
            .all(|days| days.is_nan() || (1.0..=273.0).contains(days))
    );
}
