//! Every kind of bad input has its own code, names its place and says what to do.

use std::collections::BTreeMap;

use thalweg_domain::Timestamp;

use super::{Expected, Folder, assert_refused, target};
use crate::{CollectSpec, EventSource, Requirement, SqlFile, collect};

const GOOD: &str = "id,age,opt_in,churn\nA,31,yes,Yes\nB,42,no,No\nC,53,,No\n";

/// One bad file under the name that its extension needs.
fn refuse(name: &str, bytes: &[u8], code: &str, row: Option<u64>, says: &[&str]) {
    let folder = Folder::new(&[]);
    folder.put(name, bytes);
    let expected = Expected {
        code,
        at: Some((name, row)),
        says,
    };
    assert_refused(collect(&folder.spec(name)), &expected);
}

/// A good file, a bad specification.
fn refuse_spec(change: impl FnOnce(&mut CollectSpec), code: &str, says: &[&str]) {
    refuse_in(
        GOOD,
        change,
        &Expected {
            code,
            at: Some(("c.csv", None)),
            says,
        },
    );
}

fn refuse_in(csv: &str, change: impl FnOnce(&mut CollectSpec), expected: &Expected<'_>) {
    let folder = Folder::new(&[("c.csv", csv)]);
    let mut spec = folder.spec("c.csv");
    change(&mut spec);
    assert_refused(collect(&spec), expected);
}

fn with_key(spec: &mut CollectSpec) {
    spec.key = Some("id".to_owned());
}

/// `age` counts up; one line is replaced.
fn ages(n: usize, at: usize, cell: &str) -> String {
    let rows = (1..=n).map(|row| {
        if row == at {
            format!("C{row},{cell}\n")
        } else {
            format!("C{row},{row}\n")
        }
    });
    format!("id,age\n{}", rows.collect::<String>())
}

#[test]
fn a_source_that_cannot_be_read() {
    let folder = Folder::new(&[("sub/x.csv", "a\n1\n")]);
    let says: &[&str] = &["cannot read \"gone.csv\"", "no such file", "check the path"];
    let expected = Expected {
        code: "TW0201",
        at: Some(("gone.csv", None)),
        says,
    };
    assert_refused(collect(&folder.spec("gone.csv")), &expected);
    let expected = Expected {
        code: "TW0201",
        at: Some(("sub", None)),
        says: &["it is a folder", "sub/*.csv"],
    };
    assert_refused(collect(&folder.spec("sub")), &expected);
}

#[test]
fn an_empty_file() {
    refuse("c.csv", b"", "TW0202", None, &["\"c.csv\" is empty"]);
    refuse("c.csv", b"\r\n \n", "TW0202", None, &["\"c.csv\" is empty"]);
    refuse(
        "c.csv",
        b"\xEF\xBB\xBF\n",
        "TW0202",
        None,
        &["\"c.csv\" is empty"],
    );
}

#[test]
fn a_word_among_numbers() {
    let says: &[&str] = &[
        "error[TW0203]: c.csv:151: column \"age\" is a number everywhere else, here it is \"twenty\"",
        "mend the cell, or list it as missing: [features.columns.age] missing = [\"twenty\"]",
    ];
    refuse(
        "c.csv",
        ages(300, 150, "twenty").as_bytes(),
        "TW0203",
        Some(151),
        says,
    );
    for end in ["\r\n", "\r"] {
        let text = ages(300, 150, "twenty").replace('\n', end);
        refuse("c.csv", text.as_bytes(), "TW0203", Some(151), says);
    }
}

#[test]
fn the_line_is_right_below_quoted_line_breaks_and_blank_lines() {
    let text = ages(40, 30, "twenty")
        .replace("C5,5\n", "\"C\n5\",5\n\n")
        .replace("C7,7\n", "\"C\r\n7\",7\n");
    refuse("c.csv", text.as_bytes(), "TW0203", Some(34), &["\"twenty\""]);
}

#[test]
fn several_words_among_numbers_are_all_listed() {
    let text = ages(100, 30, "?")
        .replace("C31,31", "C31,n/a")
        .replace("C32,32", "C32,?");
    refuse(
        "c.csv",
        text.as_bytes(),
        "TW0203",
        Some(31),
        &["missing = [\"?\", \"n/a\"]"],
    );
}

#[test]
fn a_word_among_dates() {
    let row = |n: usize| {
        if n == 25 {
            "soon\n".to_owned()
        } else {
            format!("2026-01-{n:02}\n")
        }
    };
    let text = format!("first seen\n{}", (1..=25).map(row).collect::<String>());
    refuse(
        "c.csv",
        text.as_bytes(),
        "TW0203",
        Some(26),
        &["is a date everywhere else", "columns.\"first seen\"]"],
    );
}

#[test]
fn an_empty_key() {
    let text = GOOD.replace("B,", " ,");
    let expected = Expected {
        code: "TW0204",
        at: Some(("c.csv", Some(3))),
        says: &["\"id\" is empty"],
    };
    refuse_in(&text, with_key, &expected);
}

#[test]
fn duplicate_keys() {
    let text = GOOD.replace("C,", "A,");
    let says: &[&str] = &["customer \"A\" is there twice, first at c.csv:2"];
    refuse_in(
        &text,
        with_key,
        &Expected {
            code: "TW0205",
            at: Some(("c.csv", Some(4))),
            says,
        },
    );
}

#[test]
fn a_header_without_rows() {
    refuse("c.csv", b"id,age\n", "TW0206", None, &["columns but no rows"]);
}

#[test]
fn another_delimiter() {
    refuse(
        "c.csv",
        b"id;age\n1;2\n",
        "TW0207",
        Some(1),
        &["semicolons", "2 columns", "commas"],
    );
    refuse(
        "c.csv",
        b"id\tage\tx\n1\t2\t3\n",
        "TW0207",
        Some(1),
        &["tabs", "3 columns"],
    );
}

#[test]
fn two_columns_of_one_name() {
    refuse(
        "c.csv",
        b"id,age,age\n1,2,3\n",
        "TW0208",
        Some(1),
        &["two columns are called \"age\""],
    );
    refuse(
        "c.jsonl",
        b"{\"a\":1}\n{\"a\":1,\"a\":2}\n",
        "TW0208",
        Some(2),
        &["key \"a\" twice"],
    );
}

#[test]
fn a_ragged_row() {
    refuse(
        "c.csv",
        b"id,age\n1,2\n3,4,5\n",
        "TW0209",
        Some(3),
        &["has 3 cells, the header has 2", "quotes"],
    );
    refuse(
        "c.csv",
        b"id,age\r1,2\r3\r",
        "TW0209",
        Some(3),
        &["has 1 cells, the header has 2", "fill the row up"],
    );
}

#[test]
fn a_quote_that_is_never_closed() {
    let text = b"id,note\n1,\"a \"\"b\"\"\"\n2,\"oh\n3,x\n4,y\n";
    refuse("c.csv", text, "TW0209", Some(3), &["never closed", "double it"]);
    let folder = Folder::new(&[("c.csv", "id,note\n1,x\n2,5\" pipe\n")]);
    assert_eq!(
        collect(&folder.spec("c.csv")).unwrap().n_rows(),
        2,
        "a quote inside a bare cell is text"
    );
}

#[test]
fn text_that_is_not_utf8() {
    refuse(
        "c.csv",
        b"id,city\n1,Bonn\n2,K\xF6ln\n",
        "TW0210",
        Some(3),
        &["column \"city\" is not UTF-8"],
    );
    refuse(
        "c.csv",
        b"id,stra\xDFe\n1,2\n",
        "TW0210",
        Some(1),
        &["the header is not UTF-8"],
    );
    refuse("c.csv", b"\xFF\xFEi\0d\0", "TW0210", Some(1), &["UTF-16"]);
    refuse(
        "c.jsonl",
        b"{\"a\":1}\n{\"a\":\"\xF6\"}\n",
        "TW0210",
        Some(2),
        &["is not UTF-8"],
    );
}

#[test]
fn columns_that_are_not_there() {
    refuse_spec(
        |spec| spec.key = Some("idd".to_owned()),
        "TW0211",
        &["\"idd\" (the key", "did you mean \"id\""],
    );
    let cluster = |spec: &mut CollectSpec| spec.cluster = Some("household".to_owned());
    refuse_spec(
        cluster,
        "TW0211",
        &["(the cluster", "the columns are \"id\", \"age\""],
    );
    let wrong_target = |spec: &mut CollectSpec| spec.target = target("Chrun", None);
    refuse_spec(
        wrong_target,
        "TW0211",
        &["\"Chrun\" (the column of [outcome])", "\"churn\""],
    );
    refuse_spec(
        |spec| spec.flags = vec!["optin".to_owned()],
        "TW0211",
        &["(consent)", "\"opt_in\""],
    );
    refuse_spec(
        |spec| spec.exclude = vec!["agee".to_owned()],
        "TW0211",
        &["exclude", "\"age\""],
    );
    let tokens = |spec: &mut CollectSpec| spec.missing = BTreeMap::from([("aeg".to_owned(), vec![])]);
    refuse_spec(tokens, "TW0211", &["[features.columns.aeg]", "\"age\""]);
}

#[test]
fn a_target_with_one_class() {
    let expected = Expected {
        code: "TW0212",
        at: Some(("c.csv", None)),
        says: &["\"No\" in all 3 rows"],
    };
    refuse_in(
        &GOOD.replace("Yes", "No"),
        |spec| spec.target = target("churn", Some("Yes")),
        &expected,
    );
}

#[test]
fn a_target_with_many_levels() {
    let says: &[&str] = &["3 levels: \"31\", \"42\", \"53\"", "positive = "];
    refuse_spec(|spec| spec.target = target("age", None), "TW0213", says);
}

#[test]
fn a_positive_level_that_never_occurs() {
    let says: &[&str] = &["never \"yes\"", "one of \"No\", \"Yes\""];
    refuse_spec(|spec| spec.target = target("churn", Some("yes")), "TW0214", says);
}

#[test]
fn a_target_that_is_missing_everywhere() {
    let expected = Expected {
        code: "TW0215",
        at: Some(("c.csv", None)),
        says: &["missing in every row"],
    };
    let text = GOOD.replace(",Yes", ",").replace(",No", ",NA");
    refuse_in(&text, |spec| spec.target = target("churn", None), &expected);
}

#[test]
fn a_kind_of_file_that_cannot_be_read() {
    refuse(
        "c.xlsx",
        b"PK",
        "TW0216",
        None,
        &["\"c.xlsx\" is of a kind", "Parquet"],
    );
    refuse("c.csv.gz", b"\x1f\x8b", "TW0216", None, &["not packed"]);
}

#[test]
fn a_broken_parquet_file() {
    refuse(
        "c.parquet",
        b"PAR1 but not really",
        "TW0217",
        None,
        &["cannot be read as Parquet", "cut off"],
    );
    let gzip = include_bytes!("../../tests/fixtures/pyarrow_gzip.parquet");
    refuse("c.parquet", gzip, "TW0217", None, &["snappy or zstd"]);
}

#[test]
fn a_broken_json_line() {
    refuse(
        "c.jsonl",
        b"{\"a\": 1}\n\n{\"a\": 1\n",
        "TW0218",
        Some(3),
        &["not a JSON object", "at column 7"],
    );
    refuse(
        "c.json",
        b"[{\"a\": 1}]\n",
        "TW0218",
        Some(1),
        &["array", "one object per line"],
    );
}

fn with_sql(spec: &mut CollectSpec, text: &str) {
    with_key(spec);
    spec.target = target("churn", Some("Yes"));
    spec.features_sql = Some(SqlFile {
        name: "features.sql".to_owned(),
        text: text.to_owned(),
    });
}

fn refuse_sql(text: &str, code: &str, says: &[&str]) {
    let expected = Expected {
        code,
        at: Some(("features.sql", None)),
        says,
    };
    refuse_in(GOOD, |spec| with_sql(spec, text), &expected);
}

#[test]
fn features_sql_that_cannot_be_run() {
    refuse_sql(
        "SELECT id, agee FROM customers",
        "TW0219",
        &["no column \"agee\"", "\"age\""],
    );
    refuse_sql(
        "SELECT id, churn FROM customers",
        "TW0219",
        &["no column \"churn\""],
    );
    refuse_sql("SELECT id FROM orders", "TW0219", &["orders", "one SELECT"]);
    refuse_sql("SELEC id", "TW0219", &["SELEC"]);
    refuse_sql("SELECT id FROM customers; SELECT 1", "TW0219", &["one SELECT"]);
    refuse_sql(
        "CREATE TABLE x AS SELECT * FROM customers",
        "TW0219",
        &["one SELECT"],
    );
    refuse_sql(
        "SELECT id, INTERVAL '1 day' AS gap FROM customers",
        "TW0219",
        &["\"gap\"", "Interval"],
    );
    refuse_sql(
        "SELECT id, age / 0 AS ratio FROM customers",
        "TW0223",
        &["infinite \"ratio\"", "nullif"],
    );
}

#[test]
fn features_sql_that_cannot_be_joined() {
    refuse_sql(
        "SELECT age FROM customers",
        "TW0221",
        &["no column \"id\"", "it now gives \"age\""],
    );
    refuse_sql(
        "SELECT 'A' AS id FROM customers",
        "TW0221",
        &["\"A\" more than once", "GROUP BY"],
    );
    refuse_sql(
        "SELECT nullif(id, 'B') AS id FROM customers",
        "TW0221",
        &["1 rows without", "IS NOT NULL"],
    );
    let no_key = |spec: &mut CollectSpec| {
        with_sql(spec, "SELECT 1");
        spec.key = None;
    };
    let expected = Expected {
        code: "TW0221",
        at: Some(("features.sql", None)),
        says: &["no key", "[customers] key"],
    };
    refuse_in(GOOD, no_key, &expected);
}

fn refuse_expression(sql: &str, code: &str, says: &[&str]) {
    let set = |spec: &mut CollectSpec| {
        with_key(spec);
        spec.expressions = vec![("value".to_owned(), sql.to_owned())];
    };
    refuse_in(GOOD, set, &Expected { code, at: None, says });
}

#[test]
fn expressions_that_cannot_be_computed() {
    refuse_expression(
        "agee * 12",
        "TW0220",
        &["value = \"agee * 12\"", "no column \"agee\"", "\"age\""],
    );
    refuse_expression("age * ", "TW0220", &["value = "]);
    refuse_expression(
        "age > 3",
        "TW0220",
        &["gives true or false, it must give a number"],
    );
    refuse_expression("opt_in", "TW0220", &["gives text"]);
    refuse_expression("frobnicate(age)", "TW0220", &["frobnicate"]);
    refuse_expression("random()", "TW0220", &["random"]);
    refuse_expression("age - avg(age)", "TW0220", &["value"]);
    refuse_expression("age * 12; DROP TABLE customers", "TW0220", &["value = "]);
    let condition =
        |spec: &mut CollectSpec| spec.conditions = vec![("decide_on".to_owned(), "age + 1".to_owned())];
    let says: &[&str] = &["decide_on = \"age + 1\" gives a number, it must give true or false"];
    refuse_in(
        GOOD,
        condition,
        &Expected {
            code: "TW0220",
            at: None,
            says,
        },
    );
}

#[test]
fn results_that_cannot_be_used() {
    let says: &[&str] = &[
        "\"value\" cannot be used for 1 customer; for the first, \"B\", it is infinite",
        "nullif",
    ];
    refuse_expression("1 / (age - 42)", "TW0224", says);
    let folder = Folder::new(&[("c.csv", GOOD)]);
    let mut spec = folder.spec("c.csv");
    with_key(&mut spec);
    spec.expressions = vec![
        ("cost".to_owned(), "age - 50".to_owned()),
        (
            "gap".to_owned(),
            "CASE WHEN age > 40 THEN NULL ELSE age END".to_owned(),
        ),
    ];
    let collected = collect(&spec).unwrap();
    let negative: &[&str] = &[
        "\"cost\" cannot be used for 2 customers",
        "\"A\", it is negative (-19)",
    ];
    let expected = Expected {
        code: "TW0224",
        at: None,
        says: negative,
    };
    assert_refused(collected.require("cost", Requirement::NonNegative), &expected);
    let missing: &[&str] = &[
        "\"gap\" cannot be used for 2 customers",
        "\"B\", it is missing",
        "coalesce",
    ];
    assert_refused(
        collected.require("gap", Requirement::Present),
        &Expected {
            code: "TW0224",
            at: None,
            says: missing,
        },
    );
    assert_eq!(
        collected.require("cost", Requirement::Present).unwrap(),
        [-19.0, -8.0, 3.0]
    );
}

#[test]
fn a_pattern_that_matches_nothing() {
    let folder = Folder::new(&[("c.csv", GOOD)]);
    let says: &[&str] = &["no file matches \"d*.csv\"", "looked from"];
    assert_refused(
        collect(&folder.spec("d*.csv")),
        &Expected {
            code: "TW0222",
            at: Some(("d*.csv", None)),
            says,
        },
    );
}

#[test]
fn infinite_numbers() {
    let says: &[&str] = &[
        "column \"age\" has an infinite number, \"inf\"",
        "missing = [\"inf\"]",
    ];
    refuse("c.csv", ages(5, 3, "inf").as_bytes(), "TW0223", Some(4), says);
    refuse(
        "c.csv",
        ages(5, 3, "1e999").as_bytes(),
        "TW0223",
        Some(4),
        &["\"1e999\""],
    );
}

#[test]
fn consent_that_is_neither_yes_nor_no() {
    let says: &[&str] = &["\"opt_in\" is neither yes nor no here: \"maybe\""];
    let expected = Expected {
        code: "TW0230",
        at: Some(("c.csv", Some(3))),
        says,
    };
    refuse_in(
        &GOOD.replace(",no,", ",maybe,"),
        |spec| spec.flags = vec!["opt_in".to_owned()],
        &expected,
    );
}

#[test]
fn files_of_one_pattern_that_differ() {
    for (second, says) in [
        ("a\n1\n", "lacks column \"b\""),
        ("a,b,c\n1,2,3\n", "further columns: \"c\""),
    ] {
        let folder = Folder::new(&[("e/1.csv", "a,b\n1,2\n"), ("e/2.csv", second)]);
        let expected = Expected {
            code: "TW0226",
            at: Some(("e/2.csv", None)),
            says: &[says],
        };
        assert_refused(collect(&folder.spec("e/*.csv")), &expected);
    }
}

fn event_spec(folder: &Folder) -> CollectSpec {
    let mut spec = folder.spec("c.csv");
    with_sql(
        &mut spec,
        "SELECT user AS id, count(*) AS n FROM events GROUP BY user",
    );
    let (key, time) = ("user".to_owned(), "at".to_owned());
    spec.events = vec![EventSource {
        source: "e.csv".to_owned(),
        key,
        time,
        name: None,
    }];
    spec.cutoff = Timestamp(1_767_225_600_000_000);
    spec
}

#[test]
fn events_without_a_moment() {
    let folder = Folder::new(&[("c.csv", GOOD), ("e.csv", "user,at\nA,2025-01-01\nB,yesterday\n")]);
    let says: &[&str] = &["column \"at\" must hold a date", "\"yesterday\""];
    let expected = Expected {
        code: "TW0227",
        at: Some(("e.csv", Some(3))),
        says,
    };
    assert_refused(collect(&event_spec(&folder)), &expected);
    folder.put("e.csv", b"user,when\nA,2025-01-01\n");
    let expected = Expected {
        code: "TW0211",
        at: Some(("e.csv", None)),
        says: &["\"at\" (the time of [[events]])"],
    };
    assert_refused(collect(&event_spec(&folder)), &expected);
}

#[test]
fn every_code_of_this_crate_is_in_the_table() {
    for number in 201..=230 {
        let code = format!("TW0{number}");
        assert!(thalweg_domain::code_info(&code).is_some(), "{code}");
    }
}
