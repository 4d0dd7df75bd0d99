//! Keys, clusters, targets, consent, expressions and notes.

use super::{Folder, target};
use crate::{CollectSpec, Collected, NoteKind, collect};

const CUSTOMERS: &str = "id,home,age,mail,churn,shop\n\
    007,H1,30,yes,Yes,x\n\
    8,H1,,N,No,x\n\
    9,,50,,,x\n";

fn collected(change: impl FnOnce(&mut CollectSpec)) -> Collected {
    let folder = Folder::new(&[("c.csv", CUSTOMERS)]);
    let mut spec = folder.spec("c.csv");
    spec.key = Some("id".to_owned());
    change(&mut spec);
    collect(&spec).unwrap()
}

fn note(collected: &Collected, kind: NoteKind, column: &str) -> (usize, String) {
    let found = collected
        .notes
        .iter()
        .find(|n| n.kind == kind && n.column.as_deref() == Some(column));
    let found = found.unwrap_or_else(|| panic!("no note on {column}: {:?}", collected.notes));
    (found.n_rows, found.text.clone())
}

fn names(table: &thalweg_domain::Table) -> Vec<&str> {
    table
        .columns()
        .iter()
        .map(|column| column.name.as_str())
        .collect()
}

#[test]
fn keys_stay_text_and_rows_are_numbered_without_one() {
    assert_eq!(collected(|_| ()).keys, ["007", "8", "9"]);
    assert_eq!(collected(|spec| spec.key = None).keys, ["1", "2", "3"]);
}

#[test]
fn a_customer_without_a_cluster_is_alone() {
    let cluster = collected(|spec| spec.cluster = Some("home".to_owned()))
        .cluster
        .unwrap();
    assert_eq!(cluster, ["H1", "H1", "alone:9"]);
}

#[test]
fn roles_and_what_cannot_be_learned_from_are_no_features() {
    let collected = collected(|spec| {
        spec.cluster = Some("home".to_owned());
        spec.target = target("churn", Some("Yes"));
    });
    assert_eq!(
        names(&collected.features),
        ["age", "mail"],
        "shop is \"x\" in every row"
    );
    assert_eq!(
        names(&collected.raw),
        ["id", "home", "age", "mail", "churn", "shop"]
    );
    assert_eq!(collected.target, Some(vec![Some(true), Some(false), None]));
    assert_eq!(
        note(&collected, NoteKind::Dropped, "shop"),
        (3, "\"x\" in every row".to_owned())
    );
    assert_eq!(note(&collected, NoteKind::Missing, "age").0, 1);
}

#[test]
fn excluded_columns_are_named() {
    let collected = collected(|spec| spec.exclude = vec!["age".to_owned()]);
    assert!(collected.features.column("age").is_none() && collected.raw.column("age").is_some());
    assert_eq!(
        note(&collected, NoteKind::Dropped, "age").1,
        "excluded by [features] exclude"
    );
}

#[test]
fn of_two_levels_the_affirmative_one_is_assumed() {
    for (no, yes) in [("0", "1"), ("false", "true"), ("zzz", "yes"), ("bad", "good")] {
        let folder = Folder::new(&[("c.csv", &format!("t,x\n{yes},1\n{no},2\n{yes},3\n"))]);
        let mut spec = folder.spec("c.csv");
        spec.target = target("t", None);
        let collected = collect(&spec).unwrap();
        assert_eq!(
            collected.target,
            Some(vec![Some(true), Some(false), Some(true)]),
            "{yes}"
        );
        let (n, text) = note(&collected, NoteKind::Assumed, "t");
        assert!(
            n == 2 && text.contains(&format!("\"{yes}\" counts as the outcome")),
            "{text}"
        );
    }
}

#[test]
fn a_positive_number_need_not_be_written_alike() {
    let folder = Folder::new(&[("c.csv", "t,x\n1.0,1\n0,2\n2,3\n")]);
    let mut spec = folder.spec("c.csv");
    spec.target = target("t", Some("1"));
    assert_eq!(
        collect(&spec).unwrap().target,
        Some(vec![Some(true), Some(false), Some(false)])
    );
}

#[test]
fn consent_reads_every_spelling_and_missing_is_no() {
    let collected = collected(|spec| spec.flags = vec!["mail".to_owned()]);
    assert_eq!(collected.flags["mail"], [true, false, false]);
    assert_eq!(note(&collected, NoteKind::Assumed, "mail").0, 1);
    assert!(
        collected.features.column("mail").is_some(),
        "a consent column stays a feature"
    );
    for (yes, no) in [("1", "0"), ("TRUE", "False"), ("Y", "n")] {
        let folder = Folder::new(&[("c.csv", &format!("f\n{yes}\n{no}\n"))]);
        let mut spec = folder.spec("c.csv");
        spec.flags = vec!["f".to_owned()];
        assert_eq!(collect(&spec).unwrap().flags["f"], [true, false], "{yes}");
    }
}

#[test]
fn expressions_and_conditions_come_in_the_customers_order() {
    let folder = Folder::new(&[("c.csv", "Income,\"Room temp [K]\",plan\n10,1,a\n,2,b\n30,3,a\n")]);
    let mut spec = folder.spec("c.csv");
    let pair = |name: &str, sql: &str| (name.to_owned(), sql.to_owned());
    spec.expressions = vec![
        pair("twelve", "Income * 12"),
        pair("constant", "100"),
        pair("quoted", "0.10 * \"Room temp [K]\" * 3"),
        pair("rank", "row_number() OVER (ORDER BY \"Room temp [K]\" DESC)"),
        pair("rounded", "round(sqrt(Income), 1)"),
    ];
    spec.conditions = vec![pair("rich", "Income > 20 AND plan <> 'x'"), pair("all", "true")];
    let collected = collect(&spec).unwrap();
    let twelve = &collected.expressions["twelve"];
    assert!(
        twelve[0] == 120.0 && twelve[1].is_nan() && twelve[2] == 360.0,
        "{twelve:?}"
    );
    assert_eq!(collected.expressions["constant"], [100.0; 3]);
    assert_eq!(
        collected.expressions["quoted"]
            .iter()
            .map(|x| (x * 10.0).round())
            .collect::<Vec<_>>(),
        [3.0, 6.0, 9.0]
    );
    assert_eq!(collected.expressions["rank"], [3.0, 2.0, 1.0]);
    assert_eq!(collected.expressions["rounded"][0], 3.2);
    assert_eq!(collected.conditions["rich"], [false, false, true]);
    assert_eq!(collected.conditions["all"], [true; 3]);
    assert_eq!(note(&collected, NoteKind::Missing, "twelve").0, 1);
    assert_eq!(
        note(&collected, NoteKind::Assumed, "rich").0,
        1,
        "unknown, so false"
    );
}

#[test]
fn a_category_of_numbers_is_pointed_out() {
    let rows: String = (0..30)
        .map(|row| {
            if row % 5 == 0 {
                "?,x\n".to_owned()
            } else {
                format!("{row},y\n")
            }
        })
        .collect();
    let folder = Folder::new(&[("c.csv", &format!("n,c\n{rows}"))]);
    let collected = collect(&folder.spec("c.csv")).unwrap();
    let (n, text) = note(&collected, NoteKind::Assumed, "n");
    assert!(
        n == 6 && text.contains("24 cells are numbers; others are \"?\""),
        "{n} {text}"
    );
}

#[test]
fn a_deeply_nested_condition_does_not_overflow_the_stack() {
    let folder = Folder::new(&[("c.csv", "x\n1\n2\n")]);
    let mut spec = folder.spec("c.csv");
    let terms: Vec<String> = (0..300).map(|n| format!("x = {n}")).collect();
    spec.conditions = vec![("any".to_owned(), terms.join(" OR "))];
    assert_eq!(collect(&spec).unwrap().conditions["any"], [true, true]);
}
