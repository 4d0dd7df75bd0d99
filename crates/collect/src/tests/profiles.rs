//! What a profile says of a table.

use std::collections::BTreeMap;

use thalweg_domain::ColumnKind;

use super::Folder;
use crate::{ColumnProfile, profile};

fn column(cells: impl Fn(usize) -> String, name: &str) -> ColumnProfile {
    let rows: String = (0..40).map(|row| format!("{},{row}.5\n", cells(row))).collect();
    let folder = Folder::new(&[("c.csv", &format!("{name},filler\n{rows}"))]);
    let profile = profile(folder.path(), "c.csv", &BTreeMap::new()).unwrap();
    assert_eq!(profile.n_rows, 40);
    profile.columns.into_iter().next().unwrap()
}

#[test]
fn keys_are_recognised() {
    assert!(column(|row| format!("C-{row}"), "whatever").key_like);
    assert!(
        column(|row| format!("{}", 100 + row), "UDI").key_like,
        "whole numbers without a gap"
    );
    assert!(column(|row| format!("{}", 100 + 7 * row), "account_id").key_like);
    assert!(!column(|row| format!("{}", 100 + 7 * row), "income").key_like);
    assert!(!column(|row| format!("{}", row % 10), "group_id").key_like);
    assert!(!column(|row| format!("a verbatim with many words {row}"), "comment").key_like);
    assert!(!column(|row| format!("{row}.25"), "ratio").key_like);
}

#[test]
fn money_is_recognised() {
    assert!(column(|row| format!("{row}.99"), "MonthlyCharges").money_like);
    assert!(!column(|row| format!("{row}.99"), "tenure").money_like);
    assert!(
        !column(|row| format!("-{row}.99"), "balance").money_like,
        "below zero"
    );
    assert!(!column(|row| format!("card{}", row % 2), "payment_method").money_like);
}

#[test]
fn figures() {
    let number = column(
        |row| {
            if row < 10 {
                String::new()
            } else {
                format!("{}", row % 4)
            }
        },
        "n",
    );
    assert_eq!(
        (number.n_missing, number.n_distinct, number.range),
        (10, 4, Some((0.0, 3.0)))
    );
    assert!(!number.constant);
    let level = column(|row| if row < 30 { "b" } else { "a" }.to_owned(), "c");
    assert_eq!(level.kind, ColumnKind::Category);
    assert_eq!(level.top_levels, [("b".to_owned(), 30), ("a".to_owned(), 10)]);
    assert!(column(|_| "x".to_owned(), "c").constant);
    let truth = column(|row| (row % 4 == 0).to_string(), "t");
    assert_eq!((truth.kind, truth.n_distinct), (ColumnKind::Boolean, 2));
    assert_eq!(
        truth.top_levels,
        [("false".to_owned(), 30), ("true".to_owned(), 10)]
    );
}
