//! The scan on made-up columns and on real tables.

use std::path::PathBuf;

use thalweg_domain::{CheckVerdict, Column, ColumnData, MISSING_LEVEL, Table};

use super::{Finding, FindingKind, leakage_check, scan};

fn number(name: &str, cells: impl IntoIterator<Item = f64>) -> Column {
    Column {
        name: name.to_owned(),
        data: ColumnData::Number(cells.into_iter().collect()),
    }
}

/// 1,000 rows, of which the first 100 have the outcome.
fn target() -> Vec<bool> {
    (0..1000).map(|row| row < 100).collect()
}

fn found(column: Column) -> Option<Finding> {
    scan(&Table::new(vec![column]).unwrap(), &target()).unwrap().pop()
}

/// A row number mixed so that it says nothing about the outcome.
fn noise(row: usize) -> usize {
    row * 7919 % 1009
}

fn level_of(column: Column) -> Option<(String, bool)> {
    match found(column)?.kind {
        FindingKind::LeakByLevel { level, class, .. } => Some((level, class)),
        _ => None,
    }
}

#[test]
fn a_number_that_orders_the_outcome_is_a_leak_in_either_direction() {
    for sign in [1.0, -1.0] {
        let leak = found(number("score", (0..1000).map(|row| sign * row as f64 / 7.0))).unwrap();
        assert!(
            matches!(leak.kind, FindingKind::LeakByOrder { auc } if auc == 1.0),
            "{leak:?}"
        );
        assert_eq!(leak.code(), "TW0401");
    }
    assert_eq!(
        found(number("noise", (0..1000).map(|row| noise(row) as f64 / 7.0))),
        None
    );
}

#[test]
fn a_level_that_goes_with_the_outcome_is_a_leak() {
    let flag = |cases: usize| number("flag", (0..1000).map(move |row| f64::from(u8::from(row < cases))));
    assert_eq!(level_of(flag(40)), Some(("1".to_owned(), true)));
    assert_eq!(level_of(flag(19)), None, "fewer than 20 rows are not judged");
    let boolean = ColumnData::Boolean((0..1000).map(|row| Some(row < 40)).collect());
    assert_eq!(
        level_of(Column {
            name: "b".into(),
            data: boolean
        }),
        Some(("true".to_owned(), true))
    );
    let codes = (0..1000)
        .map(|row| {
            if row < 40 {
                2
            } else {
                u32::try_from(noise(row) % 2).unwrap()
            }
        })
        .collect();
    let levels = ["a", "b", "closed"].map(str::to_owned).to_vec();
    let category = ColumnData::Category { codes, levels };
    assert_eq!(
        level_of(Column {
            name: "c".into(),
            data: category
        }),
        Some(("closed".to_owned(), true))
    );
}

#[test]
fn being_filled_or_not_zero_can_be_the_leak() {
    let refund = (0..1000).map(|row| {
        if row < 60 {
            10.0 + noise(row) as f64 / 7.0
        } else {
            0.0
        }
    });
    assert_eq!(
        level_of(number("refund", refund)),
        Some(("not 0".to_owned(), true))
    );
    let closed = (0..1000)
        .map(|row| (row < 60).then(|| i64::try_from(noise(row)).unwrap()))
        .collect();
    let date = Column {
        name: "closed_at".into(),
        data: ColumnData::Date(closed),
    };
    assert_eq!(level_of(date), Some(("present".to_owned(), true)));
    let survey = (0..1000).map(|row| {
        if row < 60 {
            f64::NAN
        } else {
            noise(row) as f64 / 7.0
        }
    });
    assert_eq!(
        level_of(number("survey", survey)),
        Some(("missing".to_owned(), true))
    );
}

#[test]
fn categories_with_rare_levels_are_judged_out_of_sample() {
    // 100 levels of 10 rows each: no level is large enough, all together they tell the outcome
    let reasons = (0..1000)
        .map(|row| Some(format!("reason {}", row / 10)))
        .collect();
    let leak = found(Column {
        name: "reason".into(),
        data: ColumnData::Text(reasons),
    })
    .unwrap();
    assert!(matches!(leak.kind, FindingKind::LeakByOrder { .. }), "{leak:?}");
    // as many levels that say nothing: rates from the same rows would reach 0.99 here too
    let shops = (0..1000)
        .map(|row| Some(format!("shop {}", noise(row) % 450)))
        .collect();
    assert_eq!(
        found(Column {
            name: "shop".into(),
            data: ColumnData::Text(shops)
        }),
        None
    );
}

#[test]
fn keys_and_constants_are_named() {
    let text = |f: &dyn Fn(usize) -> String| Column {
        name: "t".into(),
        data: ColumnData::Text((0..1000).map(|row| Some(f(row))).collect()),
    };
    for key in [
        text(&|row| format!("C-{}", noise(row))),
        number("id", (0..1000).map(|row| noise(row) as f64)),
    ] {
        let key = found(key).unwrap();
        assert_eq!(
            (&key.kind, key.code()),
            (&FindingKind::KeyLike { distinct: 1000 }, "TW0402")
        );
    }
    assert_eq!(
        found(number("money", (0..1000).map(|row| noise(row) as f64 + 0.5))),
        None,
        "not whole numbers"
    );
    assert_eq!(
        found(number("same", [3.0; 1000])).unwrap().kind,
        FindingKind::Constant
    );
    assert_eq!(
        found(number("empty", [f64::NAN; 1000])).unwrap().kind,
        FindingKind::Constant
    );
    let codes = (0..1000)
        .map(|row| if noise(row) < 500 { 0 } else { MISSING_LEVEL })
        .collect();
    let some = Column {
        name: "s".into(),
        data: ColumnData::Category {
            codes,
            levels: vec!["x".to_owned()],
        },
    };
    assert_eq!(found(some), None, "one value and missing are two");
}

#[test]
fn the_check_fails_on_leaks_and_only_asks_for_a_look_at_keys() {
    assert_eq!(leakage_check(&[]).verdict, CheckVerdict::Pass);
    let key = found(number("id", (0..1000).map(|row| noise(row) as f64))).unwrap();
    let review = leakage_check(std::slice::from_ref(&key));
    assert_eq!(
        (review.verdict, review.code),
        (CheckVerdict::Review, Some("TW0402"))
    );
    let leak = found(number("flag", (0..1000).map(|row| f64::from(u8::from(row < 40))))).unwrap();
    let fail = leakage_check(&[key, leak]);
    assert_eq!((fail.verdict, fail.code), (CheckVerdict::Fail, Some("TW0401")));
    assert_eq!(fail.advice.as_deref(), Some("[features] exclude = [\"flag\"]"));
    assert_eq!(scan(&Table::default(), &[true]).unwrap_err().code, "TW0721");
}

// ---- real tables --------------------------------------------------------------------------------------------------

/// A CSV without quotes as a table and its outcome; `None`, loudly, when the file is absent.
fn real(path: &str, outcome: &str, positive: &str) -> Option<(Table, Vec<bool>)> {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data")
        .join(path);
    let Ok(text) = std::fs::read_to_string(&file) else {
        println!(
            "SKIPPED: {} is absent, this test has checked nothing",
            file.display()
        );
        return None;
    };
    let mut lines = text.lines().map(|line| {
        line.split(',')
            .map(|cell| cell.trim_matches('"'))
            .collect::<Vec<_>>()
    });
    let header = lines.next().unwrap();
    let rows: Vec<Vec<&str>> = lines.collect();
    let cells = |name: &str| {
        let index = header.iter().position(|column| *column == name).unwrap();
        rows.iter().map(move |row| row[index]).collect::<Vec<_>>()
    };
    let columns = header
        .iter()
        .filter(|name| **name != outcome)
        .map(|name| column(name, &cells(name)))
        .collect();
    let target = cells(outcome).iter().map(|cell| *cell == positive).collect();
    Some((Table::new(columns).unwrap(), target))
}

fn column(name: &str, cells: &[&str]) -> Column {
    let blank = |cell: &str| cell.trim().is_empty() || cell == "NA";
    let numbers: Option<Vec<f64>> = cells
        .iter()
        .map(|cell| {
            if blank(cell) {
                Some(f64::NAN)
            } else {
                cell.trim().parse().ok()
            }
        })
        .collect();
    if let Some(numbers) = numbers {
        return number(name, numbers);
    }
    let mut levels: Vec<String> = cells
        .iter()
        .filter(|cell| !blank(cell))
        .map(ToString::to_string)
        .collect();
    levels.sort();
    levels.dedup();
    let code = |cell: &str| {
        levels
            .binary_search(&cell.to_owned())
            .map_or(MISSING_LEVEL, |code| u32::try_from(code).unwrap())
    };
    Column {
        name: name.to_owned(),
        data: ColumnData::Category {
            codes: cells.iter().map(|cell| code(cell)).collect(),
            levels,
        },
    }
}

fn check_real(path: &str, outcome: (&str, &str), leaks: &[&str], keys: &[&str]) {
    let Some((table, target)) = real(path, outcome.0, outcome.1) else {
        return;
    };
    let findings = scan(&table, &target).unwrap();
    for finding in &findings {
        println!("{path}: {}", finding.detail);
    }
    let names = |leak: bool| -> Vec<&str> {
        findings
            .iter()
            .filter(|finding| finding.is_leak() == leak)
            .map(|finding| finding.column.as_str())
            .collect()
    };
    assert_eq!(names(true), leaks);
    assert_eq!(names(false), keys);
}

#[test]
fn real_data_machines_have_four_leaking_columns() {
    let outcome = ("Machine failure", "1");
    check_real(
        "ai4i2020/ai4i2020.csv",
        outcome,
        &["TWF", "HDF", "PWF", "OSF"],
        &["UDI", "Product ID"],
    );
}

#[test]
fn real_data_telecom_customers_have_no_leak() {
    check_real(
        "telco_churn/WA_Fn-UseC_-Telco-Customer-Churn.csv",
        ("Churn", "Yes"),
        &[],
        &["customerID"],
    );
    check_real("telco_churn/wa_churn.csv", ("churn", "Yes"), &[], &[]);
}

#[test]
fn real_data_credit_has_no_leak() {
    check_real("credit_data/credit_data.csv", ("Status", "bad"), &[], &[]);
}

#[test]
fn real_data_breast_cancer_has_no_leak() {
    check_real("breast_cancer/breast_cancer.csv", ("target", "1"), &[], &[]);
}
